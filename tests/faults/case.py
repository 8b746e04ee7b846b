"""One run: what is started for it, what is done to it, and its logs."""
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

from rig import HERE, ORG, Gateway, Link, memory_folder
import logs
import procs
import town
from arrivals import Arrivals


def under_way_ms():
    """From an answer to its acceptance."""
    return 60 * procs.patience


class Case(Arrivals):
    """One run: a box with its own id, store and runtime folder, its platform side and its logs.

    `disk`: the store lies there; else beside the logs.  The logs lie on no disk under fault.
    `environment`: of the gateway."""

    def __init__(self, street, scenario, seed, disk=None, environment=None):
        street.runs += 1
        self.street, self.scenario, self.seed, self.disk = street, scenario, seed, disk
        self.environment = dict(environment or {})
        self.random = random.Random(f'{scenario} {seed}')
        self.interval_ms, self.budget = 400, '64MiB'
        self.box = f'{ORG}.box-{street.number}-{street.runs}'
        self.name = f'{scenario}-{seed}'
        self.folder = street.folder / f'{self.name}-{street.runs}'
        self.folder.mkdir()
        super().__init__(self.folder)
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix='gateway-run-', dir=memory_folder()))
        self.store = (disk.path if disk else self.folder) / 'state'
        self.boot = uuid.uuid4().hex
        self.link = Link(street.broker.port)
        self.faults = logs.Log(self.folder / logs.FAULTS, self.name)
        self.story, self.problems = [], []
        self._after, self._settled, self._started, self.is_damaged = [], 0, 0, False
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
        self.start_platform()
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

    def start(self, devices=True, prefix=(), site=None):
        """Starts the gateway, behind the command `prefix`, with another site file."""
        self.gateway = Gateway(self.folder, self.street.build, site or self.site(devices),
                               self.runtime, environment={'BOOT_ID': self.boot,
                                                          'STATE_DIRECTORY': str(self.store),
                                                          **self.environment})
        self.gateway.command[:0] = [str(part) for part in prefix]
        self._started = len(self.gateway.lines('gateway started'))
        began = time.monotonic_ns()
        self.gateway.start()
        self.faults.add(ns=began, what='start', devices=devices, pid=self.gateway.pid)
        return self.gateway

    def reboot(self):
        """What is on tmpfs goes, and the kernel has another id."""
        shutil.rmtree(self.runtime, ignore_errors=True)
        self.runtime.mkdir()
        self.boot = uuid.uuid4().hex

    def has_started(self):
        """The gateway that was started last says so."""
        return len(self.gateway.lines('gateway started')) > self._started

    def is_traced(self):
        """By strace, that was attached to the gateway."""
        with open(f'/proc/{self.gateway.pid}/status', encoding='utf-8') as file:
            return 'TracerPid:\t0' not in file.read()

    def fault(self, kind, begin, cut=None, loses_ms=0, may=(), budget=0, back_within_ms=None,
              **fields):
        """Tells the checker what was done; it ends now.  See tests/ledger/README.md."""
        if 'resumes_ms' in fields:
            fields['resumes_ms'] *= procs.patience
        self.faults.add(what='fault', id=self.scenario, kind=kind, begin=begin, cut=cut,
                        end=time.monotonic_ns(), loses_ms=loses_ms, may=list(may), budget=budget,
                        back_within_ms=back_within_ms and back_within_ms * procs.patience,
                        **fields)

    def damage(self):
        """Tells the checker that the store is no longer what the gateway wrote."""
        self.is_damaged = True
        self.faults.add(what='damage')

    def stop(self, limit=15):
        """SIGTERM; the answers under way are the allowance of the fault `stop`."""
        begin = time.monotonic_ns()
        code = self.gateway.stop(limit)
        self.fault('stop', begin, cut=begin, loses_ms=under_way_ms())
        if code != 0:
            self.tell(f'the gateway ended with code {code} on SIGTERM')
        return code

    def durable(self, before):
        """How many readings the test hook called durable before the instant; None without it."""
        lines = logs.Follower(self.folder / logs.DURABLE).lines()
        return sum(line['last'] - line['first'] + 1 for line in lines
                   if line['ns'] < before) if lines else None

    # The platform.

    def start_platform(self):
        """At first, or again when it was killed: it goes on with what it had."""
        def greetings():
            return procs.whole_lines(self.platform.out).count('ready')
        before = greetings()
        self.platform.start()
        procs.wait_for(lambda: greetings() > before, what=lambda: f'platform side: {self.platform.lines()}')

    def publish(self, kind, payload):
        """A message on the box's topic of this kind, whoever sends it."""
        subprocess.run(['mosquitto_pub', '-h', '127.0.0.1', '-p', str(self.street.broker.port), '-q', '1',
                        '-t', f'ss1/{ORG}/{kind}/{self.box}', '-s'], input=payload, check=True,
                       timeout=10 * procs.patience)

    def mute(self):
        self.platform.signal(signal.SIGUSR1)

    def speak(self):
        self.platform.signal(signal.SIGUSR2)

    def _alive(self):
        if not self.gateway.running():
            raise RuntimeError(f'the gateway ended with {self.gateway.process.returncode}: '
                               f'{self.gateway.lines()[-1:]}')
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
        if not self._is_whole():
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
        return self._alive() and self._is_whole() and self.manifests and self._opened()

    def _is_whole(self):
        """All that was announced is here, and each epoch but the newest is told to have ended."""
        return self.complete() and (self.is_damaged or len(self.open_epochs()) <= 1)

    def _opened(self):
        starts = sum(1 for line in self.gateway.lines('gateway started'))
        return len({epoch for epoch, _ in self.seen}) >= starts

    def _settle(self):
        """The platform's log holds what the broker had."""
        self._settled += 1
        text = f'{{"settled":{self._settled}}}'.encode()
        self.publish('ack', text)
        log = self.folder / logs.PLATFORM
        procs.wait_for(lambda: text.hex().encode() in log.read_bytes()[-9000:], 10,
                       what='the platform side has logged all')
        self.look()


def _gap(clock):
    return time.clock_gettime_ns(clock) - time.monotonic_ns()
