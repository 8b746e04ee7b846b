"""What many devices and slow lines cost: the figures of a cabinet that has all its places taken.

Times are the simulated devices' own, from their log: when a request was answered, by CLOCK_BOOTTIME in
milliseconds, so that what the simulator takes counts against the gateway.
"""
import collections
import itertools
import json
import os
import select
import statistics
import struct
import threading
import time
import tty

import procs
import town

BAUD = 19200
CHARACTER = 11 / BAUD  # start, 8 bits, parity or a second stop bit, stop
WORDS = 10


def cpu_seconds(pid):
    return time.clock_gettime((~pid << 3) | 2)  # CLOCK_PROCESS_CPUTIME_ID of another process


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float('nan')


class Field:
    """Simulated devices with a log, a broker, a subscriber that takes everything, and a gateway."""

    def __init__(self, run, scene, profiles, devices):
        self.run, self.log = run, run.folder / 'served.jsonl'
        for name, text in profiles.items():
            run.write(f'profiles/test.{name}.profile.toml', text)
        self.broker = run.add(procs.Broker(run.folder)).start()
        self.simulator = run.add(procs.Simulator(
            run.folder, run.build, 'simulate', run.write('scene.toml', f'log = "{self.log}"\n' + scene))).start()
        run.add(procs.Receiver(run.folder, run.build, self.broker.port, file=None)).start()
        site = town.SITE.format(box=town.Town.box, profiles=run.folder / 'profiles', state=run.folder / 'state',
                                budget='256MiB', interval='10s', host='127.0.0.1', port=self.broker.port, uplink='')
        for name, profile, connect in devices(self.simulator.ports):
            site += f'[[device]]\nid = "{name}"\nprofile = "test.{profile}"\nconnect = {{ {connect} }}\n'
        self.gateway = run.add(procs.Gateway(run.folder, run.build, run.write('gateway.toml', site), run.runtime))
        self.gateway.start()

    def window(self, warm_up, seconds, before_the_end=lambda: None):
        """After the warm-up: requests of each device in the window (ms), the CPU time, and how long it was."""
        time.sleep(warm_up)
        begin, cpu = time.clock_gettime(time.CLOCK_BOOTTIME), cpu_seconds(self.gateway.pid)
        time.sleep(seconds)
        end, cpu = time.clock_gettime(time.CLOCK_BOOTTIME), cpu_seconds(self.gateway.pid) - cpu
        self.resident_mb, self.peak_mb = self.gateway.resident_kb() / 1024, self.gateway.peak_kb() / 1024
        before_the_end()
        self.gateway.stop()
        self.simulator.stop()
        served = collections.defaultdict(list)
        with open(self.log, encoding='utf-8') as lines:
            for line in map(json.loads, lines):
                if begin * 1000 <= line['boot_ms'] < end * 1000:
                    served[line['device']].append(line['boot_ms'])
        return served, cpu, end - begin


def profile(name, poll, serial, timeout='500ms', words=WORDS):
    points = town.wave_points(words, 'uint16', poll)
    text = town.profile(name, points, timeout=timeout).replace(
        'class    = "telemetry"', 'report   = { deadband = 1, max = "15m" }\nclass    = "telemetry"')
    if not serial:
        return text
    return text.replace('modes     = ["tcp"]', f'modes     = ["rtu"]\nrtu       = {{ baud = [{BAUD}], '
                        'parity = ["none"], unit = [1, 247] }')


def jitters(times, period):
    """How far each request of a device lies from its own grid."""
    phases = [(when - times[0] + period / 2) % period - period / 2 for when in times]
    middle = statistics.median(phases)
    return [abs(phase - middle) for phase in phases]


def bare_timer(late, stop):
    """The yardstick: how late, in ms, this machine wakes one that only sleeps."""
    wake = time.monotonic()
    while not stop.is_set():
        wake += 0.005
        time.sleep(max(0.0, wake - time.monotonic()))
        late.append(1000 * (time.monotonic() - wake))
        wake = max(wake, time.monotonic() - 0.005)


def thousand(build, folder, seconds):
    """1,000 devices on 1,000 connections, each read once a second in one request. The window begins when the
    memory of the start has been given back, after a minute; "at most" has the start in it."""
    count = 1000
    for words in (10, 100):
        scene = ''.join(f'[[device]]\nid = "d-{n}"\nregisters = {{ holding = {words} }}\n' for n in range(count))
        with procs.Run(build, folder / f'thousand-{words}', keep=True) as run:
            field = Field(run, scene, {'many': profile('many', '1s', serial=False, words=words)}, lambda ports: (
                (f'd-{n}', 'many', f'tcp = "127.0.0.1:{ports[f"d-{n}"]}", unit = 1') for n in range(count)))
            asleep, stop = [], threading.Event()
            timer = threading.Thread(target=bare_timer, args=(asleep, stop))
            timer.start()
            served, cpu, took = field.window(70, seconds, before_the_end=stop.set)
            timer.join()
        requests = sum(map(len, served.values()))
        late = [jitter for times in served.values() for jitter in jitters(times, 1000)]
        what = f'1,000 devices of {words} points'
        yield f'{what}: requests a second', f'{requests / took:,.0f}'
        yield f'{what}: slot jitter, p99 (largest)', f'{percentile(late, 0.99):.0f} ms ({max(late):.0f} ms)'
        yield f'{what}: lateness of a bare timer meanwhile, p99', f'{percentile(asleep, 0.99):.0f} ms'
        yield f'{what}: CPU seconds per million points', f'{cpu / (requests * words) * 1e6:.2f}'
        yield f'{what}: memory, and at most', f'{field.resident_mb:.1f} MB, {field.peak_mb:.1f} MB'


def line_devices(line, units):
    first = f'{line}-1'
    for unit in range(1, units + 1):
        where = f'serial = "{line}"\nbaud = {BAUD}\n' if unit == 1 else f'behind = "{first}"\nunit = {unit}\n'
        yield f'{line}-{unit}', where


def serial(run, line, unit):
    return f'serial = "{run.folder}/{line}", baud = {BAUD}, parity = "none", unit = {unit}'


def crc16(frame):
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return struct.pack('<H', crc)


def ask_without_end(port, units, stop):
    """The yardstick: asks one unit after the other, and does nothing else."""
    questions = [question + crc16(question) for unit in range(1, units + 1)
                 for question in [struct.pack('>BBHH', unit, 3, 0, WORDS)]]
    file = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(file)
    for question in itertools.cycle(questions):
        if stop.is_set():
            break
        os.write(file, question)
        answer = b''
        while len(answer) < 5 + 2 * WORDS and select.select([file], [], [], 1)[0]:
            answer += os.read(file, 256)
        time.sleep(3.5 * CHARACTER)
    os.close(file)


def full_line(build, folder, seconds):
    """64 units on one line, each asked again as soon as the line is free; beside it a line with the yardstick."""
    units = 64
    scene = ''.join(f'[[device]]\nid = "{name}"\n{where}registers = {{ holding = {WORDS} }}\n'
                    for line in ('line', 'bare') for name, where in line_devices(line, units))
    with procs.Run(build, folder / 'line', keep=True) as run:
        field = Field(run, scene, {'unit': profile('unit', '100ms', serial=True)}, lambda _: (
            (f'line-{unit}', 'unit', serial(run, 'line', unit)) for unit in range(1, units + 1)))
        stop = threading.Event()
        bare = threading.Thread(target=ask_without_end, args=(run.folder / 'bare', units, stop))
        bare.start()
        served, _, took = field.window(10, seconds, before_the_end=stop.set)
        bare.join()
    # Request, silence, answer, silence (Modbus over serial line V1.02, 2.5.1).
    exchange = (8 + 3.5 + 5 + 2 * WORDS + 3.5) * CHARACTER
    exchanges = {line: sum(len(times) for name, times in served.items() if name.startswith(line)) / took
                 for line in ('line', 'bare')}
    counts = [len(times) for name, times in served.items() if name.startswith('line')]
    yield '64 units at 19,200 baud: exchanges a second', f'{exchanges["line"]:.1f}'
    yield '64 units at 19,200 baud: of what the line can carry', f'{100 * exchanges["line"] * exchange:.1f} %'
    yield ('64 units at 19,200 baud: beside a loop that does nothing else, on a line of its own',
           f'{100 * exchanges["line"] / exchanges["bare"]:.1f} %')
    yield '64 units at 19,200 baud: exchanges of a unit, least and most', f'{min(counts)} and {max(counts)}'


def dead_units(build, folder, seconds):
    """Two lines side by side: one unit alone, and one with nine that never answer."""
    scene = ''
    for name, where in (*line_devices('alone', 1), *line_devices('crowd', 10)):
        dead = '' if name.endswith('-1') and not name.endswith('-10') else 'fault = [{ kind = "silent" }]\n'
        scene += f'[[device]]\nid = "{name}"\n{where}registers = {{ holding = {WORDS} }}\n{dead}'
    with procs.Run(build, folder / 'dead', keep=True) as run:
        field = Field(run, scene, {'unit': profile('unit', '1s', serial=True, timeout='300ms')}, lambda _: (
            ('alone-1', 'unit', serial(run, 'alone', 1)),
            *((f'crowd-{unit}', 'unit', serial(run, 'crowd', unit)) for unit in range(1, 11))))
        served, _, _ = field.window(30, 3 * seconds)
    alone, crowd = served['alone-1'], served['crowd-1']
    period = (crowd[-1] - crowd[0]) / (len(crowd) - 1)
    late = [abs(jitter) for jitter in jitters(crowd, 1000)]
    yield '9 of 10 dead: reads of the live unit, beside one that is alone', f'{len(crowd)} and {len(alone)}'
    yield '9 of 10 dead: what that costs the live one', f'{100 * (1 - len(crowd) / len(alone)):.1f} %'
    yield '9 of 10 dead: its period, and its slot jitter p99', f'{period:.0f} ms, {percentile(late, 0.99):.0f} ms'


CASES = {'thousand': thousand, 'line': full_line, 'dead': dead_units}
