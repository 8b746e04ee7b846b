"""What a fault run stands on: one broker and one simulated street for a campaign, and per run a box
of its own with its store, its platform side and its logs.

A point's raw number names its origin: BASE * identity + how often the register was read.  So a
value that comes out under another device, point or read is seen, whatever anybody's counters say.
"""
import contextlib
import itertools
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
for folder in ('support', 'ledger'):
    sys.path.insert(0, str(HERE.parent / folder))

import logs  # noqa: E402
import procs  # noqa: E402
import town  # noqa: E402
from spans import Spans  # noqa: E402
from records import Decoder  # noqa: E402

ORG = 'place-1714000'
BASE = 1 << 20  # reads of one register before its numbers would meet its neighbour's
STREETS = itertools.count(os.getpid() * 1000)
DAMAGE = ('short', 'wrong_transaction', 'silent')

ALARM = '''
[[alarm]]
id       = "wave_high"
point    = "wave"
when     = { above = 235 }
clear    = { below = 225 }
severity = "warning"
text     = "The wave is high"
'''


class Street:
    """Simulated devices and the broker, for many runs."""

    def __init__(self, build, folder, devices=3, points=4, poll_ms=100, seed=1):
        self.build, self.folder = pathlib.Path(build).resolve(), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.poll_ms = poll_ms
        self.devices = {f'meter-{n + 1}': {f'reads_{p}': (n * 16 + p + 1) * BASE
                                           for p in range(points)} for n in range(devices)}
        self.served = self.folder / 'street.jsonl'
        self.damaged = self._damaged(random.Random(seed))
        self.broker = procs.Broker(self.folder)
        self.simulator = procs.Simulator(self.folder, self.build, 'simulate', self._write())
        self.runs, self.number = 0, next(STREETS)

    def __enter__(self):
        try:
            self.broker.start()
            self.simulator.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.simulator.kill()
        self.broker.kill()

    def _damaged(self, chance):
        """Answers of the last device that the simulator damages, by the number of the request."""
        found, at = [], 0
        while at < 20_000:
            at += chance.randint(40, 120)
            found.append({'device': list(self.devices)[-1], 'kind': chance.choice(DAMAGE),
                          'first': at, 'last': at})
        return found

    def _write(self):
        scene = f'log = "{self.served}"\n'
        for device, points in self.devices.items():
            counting = [{**point, 'id': name, 'type': 'uint32', 'address': 2 * row,
                         'lane': 'billing' if row == 0 else 'telemetry',
                         'scale': f'1\noffset   = {-base}'}
                        for row, ((name, base), point) in enumerate(zip(
                            points.items(), town.counting_points(len(points), self.poll)))]
            wave = {**town.wave_points(1, 'float32', self.poll)[0], 'id': 'wave',
                    'address': 2 * len(points)}
            text = town.profile(device, [*counting, wave], timeout='300ms') + ALARM
            path = self.folder / 'profiles' / f'test.{device}.profile.toml'
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding='utf-8')
            values = ', '.join([f'{name} = {{ model = "reads" }}' for name in points] + [
                'wave = { model = "sine", mean = 230, amplitude = 10, period = "1s" }'])
            faults = ',\n  '.join(
                f'{{ kind = "{d["kind"]}", first_request = {d["first"]}, '
                f'last_request = {d["last"]} }}'
                for d in self.damaged if d['device'] == device)
            scene += (f'[[device]]\nid = "{device}"\nprofile = "{path}"\nvalues = {{ {values} }}\n'
                      f'fault = [{faults}]\n')
        path = self.folder / 'scene.toml'
        path.write_text(scene, encoding='utf-8')
        return path

    @property
    def poll(self):
        return f'{self.poll_ms}ms'

    def layout(self):
        """What the checker may know: it computes every raw number and its meaning from this."""
        return {'devices': self.devices, 'damaged': self.damaged, 'poll_ms': self.poll_ms,
                'time_bound_ms': 1000}

    def worn(self):
        """The damaged requests that were planned are used up."""
        return self.runs >= 400


class Link(procs.Link):
    """Listens below the ports that connections get, so that nobody has its port while it is cut."""

    def __init__(self, target_port):
        super().__init__(target_port)
        self.cut()
        while True:
            self.port = random.randrange(10_000, 32_000)
            with contextlib.suppress(OSError):
                self.restore()
                return


class Gateway(procs.Gateway):
    """Has a descriptor for the durable log, which a binary with the test hook writes."""

    def start(self):
        with open(self.folder / logs.DURABLE, 'ab') as durable, open(self.out, 'ab') as out, \
                open(self.log, 'ab') as log:
            number = durable.fileno()
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, pass_fds=[number],
                env={**os.environ, **self.environment,
                     'SMART_GATEWAY_DURABLE_LOG_FD': str(number)})
        return self


class Case:
    """One run: a box with its own id, store and runtime folder, its platform side and its logs.

    `disk`: the store lies there; else beside the logs.  The logs lie on no disk under fault."""

    def __init__(self, street, scenario, seed, disk=None):
        street.runs += 1
        self.street, self.scenario, self.seed, self.disk = street, scenario, seed, disk
        self.random = random.Random(f'{scenario} {seed}')
        self.interval_ms, self.budget = 400, '64MiB'
        self.box = f'{ORG}.box-{street.number}-{street.runs}'
        self.name = f'{scenario}-{seed}'
        self.folder = street.folder / f'{self.name}-{street.runs}'
        self.folder.mkdir()
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix='gateway-run-', dir=_memory()))
        self.store = (disk.path if disk else self.folder) / 'state'
        self.boot = uuid.uuid4().hex
        self.link = Link(street.broker.port)
        self.faults = logs.Log(self.folder / logs.FAULTS, self.name)
        self.heard = logs.Follower(self.folder / logs.PLATFORM)
        self.told = logs.Follower(self.folder / logs.RECEIPTS)
        self.decoder = Decoder()
        self.seen, self.receipted, self.heads, self.manifests = {}, {}, {}, []
        self.readings, self.latest, self.told_events = 0, 0, []
        self.story, self.problems = [], []
        self._after, self._settled = [], 0
        self.platform = procs.Program(self.folder, 'platform', [
            sys.executable, '-u', HERE.parent / 'ledger' / 'platform_side.py', '--broker',
            street.broker.port, '--box', self.box, '--folder', self.folder, '--run', self.name])
        self.gateway = None
        self.served_from = street.served.stat().st_size

    def __enter__(self):
        self.faults.add(what='begin', scenario=self.scenario, seed=self.seed, box=self.box,
                        org=ORG, layout=self.street.layout(),
                        boot_minus_mono_ns=_gap(time.CLOCK_BOOTTIME),
                        wall_minus_mono_ns=_gap(time.CLOCK_REALTIME))
        self.platform.start()
        procs.wait_for(lambda: self.platform.out.read_text().startswith('ready'),
                       what=lambda: f'platform side: {self.platform.lines()}')
        return self

    def __exit__(self, *_):
        for program in (self.gateway, self.platform):
            if program is not None:
                program.kill()
        for function in self._after:
            function()
        self.link.close()
        self.faults.close()
        shutil.rmtree(self.runtime, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def also(self, *functions):
        """Calls them when the run ends."""
        self._after += functions

    # What is told to people.

    def tell(self, text):
        self.story.append(text)

    def problem(self, what, text):
        """Something that the logs cannot show is wrong."""
        self.problems.append((what, text))

    def had(self, before=None):
        """How much had come, as text."""
        self.look()
        before = before or time.monotonic_ns()
        lanes = {}
        for (_, lane), seen in self.seen.items():
            spans = Spans((first, last) for ns, first, last in seen if ns < before)
            lanes[lane] = lanes.get(lane, 0) + len(spans)
        return ', '.join(f'{count} {lane}' for lane, count in sorted(lanes.items())) or 'nothing'

    def codes(self):
        """Of all events that came."""
        return {event['code'] for event in self.events('event')}

    # The gateway.

    def site(self, devices=True):
        text = town.SITE.format(
            box=self.box, profiles=self.street.folder / 'profiles', state=self.store,
            budget=self.budget, interval=f'{self.interval_ms}ms', host='127.0.0.1',
            port=self.link.port, uplink='')
        for device in self.street.devices if devices else ():
            text += town.DEVICE.format(id=device, profile=f'test.{device}',
                                       address=f'127.0.0.1:{self.street.simulator.ports[device]}')
        path = self.folder / ('gateway.toml' if devices else 'quiet.toml')
        path.write_text(text, encoding='utf-8')
        return path

    def start(self, devices=True, prefix=()):
        """Starts the gateway, behind the command `prefix`."""
        self.gateway = Gateway(self.folder, self.street.build, self.site(devices), self.runtime,
                               environment={'BOOT_ID': self.boot})
        self.gateway.command[:0] = [str(part) for part in prefix]
        began = time.monotonic_ns()
        self.gateway.start()
        self.faults.add(ns=began, what='start', devices=devices, pid=self.gateway.pid)
        return self.gateway

    def reboot(self):
        """What is on tmpfs goes, and the kernel has another id."""
        shutil.rmtree(self.runtime, ignore_errors=True)
        self.runtime.mkdir()
        self.boot = uuid.uuid4().hex

    def fault(self, kind, begin, cut=None, loses_ms=0, may=(), budget=0, back_within_ms=None,
              **fields):
        """Tells the checker what was done; it ends now.  See tests/ledger/README.md."""
        self.faults.add(what='fault', id=self.scenario, kind=kind, begin=begin, cut=cut,
                        end=time.monotonic_ns(), loses_ms=loses_ms, may=list(may), budget=budget,
                        back_within_ms=back_within_ms, **fields)

    def stop(self, limit=15):
        """SIGTERM; the answers under way are the allowance of the fault `stop`."""
        begin = time.monotonic_ns()
        code = self.gateway.stop(limit)
        self.fault('stop', begin, cut=begin)
        if code != 0:
            self.tell(f'the gateway ended with code {code} on SIGTERM')
        return code

    # The platform.

    def mute(self):
        self.platform.signal(signal.SIGUSR1)

    def speak(self):
        self.platform.signal(signal.SIGUSR2)

    def look(self):
        """Books what the platform has logged since the last look: by (epoch, lane)."""
        for line in self.heard.lines():
            message = self.decoder.message(line)
            if message.batch is not None:
                key = message.batch.epoch, message.batch.lane
                last = message.batch.first + message.batch.count - 1
                self.seen.setdefault(key, []).append((line['ns'], message.batch.first, last))
                self.readings += len(message.batch.readings)
                self.told_events += [event for _, event in message.events]
                if message.batch.lane == 'telemetry' and message.batch.readings:
                    self.latest = max(self.latest, message.batch.readings[-1].time)
            for epoch, lane, head in message.heads:
                self.heads[epoch, lane] = max(head, self.heads.get((epoch, lane), 0))
            if message.kind == 'manifest':
                self.manifests.append(message.json)
        for line in self.told.lines():
            for epoch, lanes in line['body']['epochs'].items():
                for lane, ranges in lanes.items():
                    for first, last in ranges:
                        self.receipted.setdefault((epoch, lane), Spans()).add(first, last)
        return self

    def have(self, since=0):
        """(epoch, lane) -> Spans of what came after the instant."""
        return {key: Spans((first, last) for ns, first, last in seen if ns > since)
                for key, seen in self.seen.items()}

    def unreceipted_of(self, key, first, last):
        return self.receipted.get(key, Spans()).missing(first, last)

    def unreceipted(self):
        """What came and no receipt covers: (epoch, lane, first, last)."""
        return [(*key, *lost) for key, spans in self.look().have().items()
                for first, last in spans.ranges for lost in self.unreceipted_of(key, first, last)]

    def events(self, type_):
        return [event for event in self.look().told_events if event['type'] == type_]

    def complete(self):
        have = self.look().have()
        return bool(self.heads) and all(have.get(key, Spans()).covers(1, head)
                                        for key, head in self.heads.items())

    def _alive(self):
        if not self.gateway.running():
            raise RuntimeError(f'the gateway ended: {self.gateway.lines()[-1:]}')
        return self.look()

    def wait_readings(self, more, limit=15):
        """Until the platform got this many readings more."""
        wanted = self.look().readings + more
        procs.wait_for(lambda: self._alive().readings >= wanted, limit,
                       what=lambda: f'{more} readings more; gateway: {self.gateway.lines()[-3:]}')

    def wait_new_readings(self, since, limit=15):
        """Until telemetry came that was measured after the instant (CLOCK_MONOTONIC, ns)."""
        wanted = (since + _gap(time.CLOCK_BOOTTIME)) // 1_000_000
        procs.wait_for(lambda: self._alive().latest > wanted, limit,
                       what=lambda: f'new readings; gateway: {self.gateway.lines()[-3:]}')

    def served_lines(self):
        return self.street.served.stat().st_size

    def wait_served(self, requests, limit=15):
        """Until the devices answered this many requests more, whatever reaches the platform."""
        points = len(next(iter(self.street.devices.values()))) + 1
        one = 90 * points  # bytes of one answer's lines
        at = self.served_lines()
        procs.wait_for(lambda: self._alive().served_lines() >= at + requests * one, limit,
                       what=lambda: f'{requests} requests; gateway: {self.gateway.lines()[-3:]}')

    def finish(self, limit=20):
        """Stops the gateway; if not all it announced has come, starts it once more without devices
        until it has.  Then the logs are whole."""
        if self.gateway.running():
            self.stop()
        self._settle()
        if not self.complete():
            self.start(devices=False)
            try:
                procs.wait_for(self._drained, limit)
            except TimeoutError:
                self.tell(f'not drained within {limit} s: {self.gateway.lines()[-2:]}')
            self.stop()
            self._settle()
        self.platform.stop()
        served = self.street.served.read_bytes()[self.served_from:]
        (self.folder / logs.SERVED).write_bytes(served[:served.rfind(b'\n') + 1])
        self.faults.add(what='end')
        return self

    def _drained(self):
        """All announced heads are here and the box has nothing queued but what it just wrote."""
        return self._alive().complete() and self.manifests and self._closed()

    def _closed(self):
        starts = sum(1 for line in self.gateway.lines('gateway started'))
        return len({epoch for epoch, _ in self.seen}) >= starts

    def _settle(self):
        """The platform's log holds what the broker had."""
        self._settled += 1
        topic, text = f'ss1/{ORG}/ack/{self.box}', f'{{"settled":{self._settled}}}'
        subprocess.run(['mosquitto_pub', '-p', str(self.street.broker.port), '-q', '1', '-t',
                        topic, '-m', text], check=True, timeout=10)
        log = self.folder / logs.PLATFORM
        procs.wait_for(lambda: text.encode().hex().encode() in log.read_bytes()[-9000:], 10,
                       what='the platform side has logged all')
        self.look()


def _memory():
    return '/dev/shm' if os.access('/dev/shm', os.W_OK) else None


def _gap(clock):
    return time.clock_gettime_ns(clock) - time.monotonic_ns()
