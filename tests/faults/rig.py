"""What fault runs stand on: one broker and one simulated street for many of them.

A point's raw number names its origin: BASE * identity + how often the register was read.  So a
value that comes out under another device, point or read is seen, whatever anybody's counters say.
"""
import contextlib
import itertools
import os
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
for folder in ('support', 'ledger'):
    sys.path.insert(0, str(HERE.parent / folder))

import logs  # noqa: E402
import procs  # noqa: E402
import town  # noqa: E402

ORG = 'place-1714000'
BASE = 1 << 20  # reads of one register before its numbers would meet its neighbour's
STREETS = itertools.count(os.getpid() * 1000)
TIMEOUT_MS = 300
LATE_MS = TIMEOUT_MS + 150  # while the device is asked the next time
MOST_DAMAGED = 500  # a scene takes so many
DAMAGE = ('short', 'wrong_transaction', 'silent', 'delay')

RULE = {'above': 235, 'below': 225}
ALARM = '''
[[alarm]]
id       = "wave_high"
point    = "wave"
when     = {{ above = {above} }}
clear    = {{ below = {below} }}
severity = "warning"
text     = "The wave is high"
'''


class Street:
    """Simulated devices and the broker, for many runs.  The last device damages answers: `damage`
    says how, `gap` how many good ones lie between; `broker` more settings of it."""

    def __init__(self, build, folder, devices=3, points=4, poll_ms=100, seed=1, damage=DAMAGE,
                 gap=(40, 120), patience=1, broker=''):
        self.build, self.folder = pathlib.Path(build).resolve(), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.poll_ms, self.damage, self.gap = poll_ms, damage, gap
        self.patience, self.timeout_ms = patience, TIMEOUT_MS * patience
        self.devices = {f'meter-{n + 1}': {f'reads_{p}': (n * 16 + p + 1) * BASE
                                           for p in range(points)} for n in range(devices)}
        self.served = self.folder / 'street.jsonl'
        self.damaged = self._damaged(random.Random(seed))
        self.broker = procs.Broker(self.folder, broker)
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
        while at < 20_000 and len(found) < MOST_DAMAGED:
            at += chance.randint(*self.gap)
            found.append({'device': list(self.devices)[-1], 'kind': chance.choice(self.damage),
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
            text = town.profile(device, [*counting, wave], timeout=f'{self.timeout_ms}ms') + \
                ALARM.format(**RULE)
            path = self.folder / 'profiles' / f'test.{device}.profile.toml'
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding='utf-8')
            values = ', '.join([f'{name} = {{ model = "reads" }}' for name in points] + [
                'wave = { model = "sine", mean = 230, amplitude = 10, period = "1s" }'])
            faults = ',\n  '.join(
                f'{{ kind = "{d["kind"]}", first_request = {d["first"]}, '
                f'last_request = {d["last"]}'
                + (f', delay = "{self.timeout_ms + LATE_MS - TIMEOUT_MS}ms" }}' if d['kind'] == 'delay'
                   else ' }')
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
                'alarm': RULE, 'time_bound_ms': 1000 * self.patience}

    def worn(self):
        """The damaged requests that were planned are used up."""
        return 100 * self.runs >= self.damaged[-1]['last']


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


def memory_folder():
    return '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
