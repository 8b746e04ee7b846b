#!/usr/bin/env python3
"""Measures the whole path: simulator -> gateway -> mosquitto -> counting subscriber.

Beside each case runs the yardstick, tests/bench/poller.c, on the same simulator and broker.
CPU time is the process's own clock (user and system) over a steady window; wire bytes are what
crossed the TCP line to the broker; written bytes are /proc/PID/io.  The table is Markdown.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(ROOT / 'schemas')]

import field  # noqa: E402
import procs  # noqa: E402
import read_batch  # noqa: E402
import town  # noqa: E402

CASES = {  # points per second, and of a town: devices, points of each, period in ms
    '10': (1, 10, 1000),
    '100': (10, 10, 1000),
    '100-slow': (10, 100, 10_000),  # as a profile of a meter polls, and as many points as the large cases
    '1000': (10, 100, 1000),
    '10000': (10, 100, 100),
}
KINDS = ('uint16', 'float32')


def rate_of(name):
    devices, points, period_ms = CASES[name]
    return devices * points * 1000 // period_ms


def is_batch(topic):
    return topic.split('/')[2] == 'data'


def has_readings(topic, payload):
    """Of devices, live or sent late: the first poll may end before the broker is connected."""
    return (topic.split('/')[2] in ('data', 'history')
            and read_batch.decode(payload).lane == 'telemetry')


def is_bare(topic):
    return topic.startswith('bare/')


def points_of(topic, payload):
    return payload.count(b',') + 1 if is_bare(topic) else read_batch.decode(payload).count


class Meter:
    """The figures of one program from one message with points to a later one."""

    def __init__(self, program, link, subscriber, carries_points):
        self.program, self.link, self.subscriber = program, link, subscriber
        self.carries_points = carries_points

    def messages(self):
        return [m for m in self.subscriber.messages() if self.carries_points(m[1])]

    def next_message(self):
        """Waits for the next message; its number, and what was used up to then."""
        before = len(self.messages())
        procs.wait_for(lambda: len(self.messages()) > before, 30,
                       what=lambda: f'a message; {self.program.name}: {self.program.lines()[-3:]}')
        return (len(self.messages()), time.monotonic(), field.cpu_seconds(self.program.pid),
                self.link.bytes_up, self.program.written_bytes())

    def run(self, seconds):
        self.next_message()  # what is sent once is behind us
        first, *begin = self.next_message()
        time.sleep(seconds)
        last, *end = self.next_message()
        took, cpu, wire, written = (after - before for before, after in zip(begin, end))
        inside = self.messages()[first:last]
        points = sum(points_of(topic, payload) for _, topic, payload in inside)
        return {'rate': points / took, 'cpu': cpu / points * 1e6,
                'resident': self.program.resident_kb() / 1024,
                'peak': self.program.peak_kb() / 1024,
                'payload': sum(len(payload) for _, _, payload in inside) / points,
                'wire': wire / points, 'written': written / points}


def measure_gateway(run, place, seconds):
    link = run.add(procs.Link(place.broker.port))
    place.write_site(link.port)
    subscriber = run.add(procs.Subscriber(run.folder, place.broker, 'ss1/#')).start()
    gateway = run.add(place.gateway).start()
    figures = Meter(gateway, link, subscriber, is_batch).run(seconds)
    gateway.stop()
    return figures


def measure_poller(run, place, build, seconds):
    link = run.add(procs.Link(place.broker.port))
    subscriber = run.add(procs.Subscriber(run.folder, place.broker, 'bare/#')).start()
    poller = run.add(procs.Program(
        run.folder, 'poller', [build / 'tests' / 'bench' / 'poller', link.port, place.period_ms,
                               place.points, place.kind, *place.ports()])).start()
    figures = Meter(poller, link, subscriber, is_bare).run(seconds)
    poller.stop()
    return figures


def case(build, folder, name, kind, seconds):
    devices, points, period = CASES[name]
    rate = rate_of(name)
    seconds = max(seconds, 6 * period / 1000)
    with procs.Run(build, folder / f'{name}-{kind}', keep=True) as run:
        place = town.Bench(run, devices, points, period, kind)
        ours = measure_gateway(run, place, seconds)
        bare = measure_poller(run, place, build, seconds)
    for program, figures in (('gateway', ours), ('poller', bare)):
        if not 0.9 * rate <= figures['rate'] <= 1.1 * rate:
            print(f"bench: {program} gave {figures['rate']:.0f} of {rate} points/s", file=sys.stderr)
    return ours, bare


def buffering(build, folder, name, kind, seconds):
    """Bytes written per reading while nothing can be sent, from one commit to a later one."""
    devices, points, period = CASES[name]
    with procs.Run(build, folder / f'buffering-{name}-{kind}', keep=True) as run:
        place = town.Bench(run, devices, points, period, kind)
        link = run.add(procs.Link(place.broker.port))
        place.write_site(link.port)
        link.cut()
        gateway = run.add(place.gateway).start()

        def after_commit(before):
            procs.wait_for(lambda: stored(gateway) > before, 60, what='a commit')
            return stored(gateway), gateway.written_bytes()
        first, begin = after_commit(0)
        time.sleep(seconds)
        last, end = after_commit(stored(gateway))
        gateway.stop()
    return last - first, (end - begin) / (last - first)


def stored(gateway):
    """Readings that are durable and wait, with the few of the box itself."""
    answer = gateway.ask('status', '--json').stdout
    return json.loads(answer)['queued_readings'] if answer else 0


def start_time(build, folder):
    """From exec to the first reading at a subscriber, commit interval zero; only durable readings
    are sent, so this is an upper bound of the first durable one.  The median of five."""
    times = []
    for attempt in range(5):
        with procs.Run(build, folder / f'start-{attempt}', keep=True) as run:
            place = town.Bench(run, 1, 10, 1000, 'uint16', interval='0s')
            place.write_site(place.broker.port)
            subscriber = run.add(procs.Subscriber(run.folder, place.broker, 'ss1/#')).start()
            began = time.time()
            run.add(place.gateway).start()
            first = procs.wait_for(lambda: [when for when, topic, payload in subscriber.messages()
                                            if has_readings(topic, payload)], 30)[0]
            times.append(first - began)
    return sorted(times)[2]


def idle(build, folder, seconds):
    """What a box costs that has little to do: 10 devices of 10 points, each read every 10 s, all of it
    sent and receipted. Figures of the process alone, once its start is a minute behind it; beside it a
    program that wakes as often and does nothing."""
    with procs.Run(build, folder / 'idle', keep=True) as run:
        place = town.Bench(run, 10, 10, 10_000, 'uint16')
        place.write_site(place.broker.port)
        gateway = run.add(place.gateway).start()
        time.sleep(50)
        wakes = gateway.wakes()
        time.sleep(10)
        rate = (gateway.wakes() - wakes) / 10
        waker = run.add(procs.Program(run.folder, 'waker', [build / 'tests' / 'bench' / 'waker', rate])).start()
        began = time.monotonic()
        before = [field.cpu_seconds(program.pid) for program in (gateway, waker)]
        time.sleep(max(seconds, 60))
        ours, bare = ((field.cpu_seconds(program.pid) - cpu) / (time.monotonic() - began)
                      for program, cpu in zip((gateway, waker), before))
        status = json.loads(gateway.ask('status', '--json').stdout)
        well = sum(device['answering'] and device['receipted'] for device in status['devices'])
        figures = [f'{well} of 10', f'{gateway.resident_kb() / 1024:.1f}', f'{gateway.peak_kb() / 1024:.1f}',
                   f'{rate:.1f}', f'{ours:.3%}', f'{bare:.3%}', str(len(gateway.listening_ports()))]
        gateway.stop()
    yield row(['devices read and receipted', 'resident MB', 'peak MB', 'wakes/s', 'of a core',
               'the wakes alone', 'TCP ports it listens at'])
    yield row(['---:'] * 7)
    yield row(figures)


def row(cells):
    return '| ' + ' | '.join(cells) + ' |'


def table(results):
    yield row(['points/s', 'devices × points, read every', 'kind', 'program', 'CPU s per 1 M', 'ratio',
               'resident MB', 'peak MB', 'payload B/point', 'wire B/point', 'written B/point'])
    yield row(['---:', '---:', '---', '---', *['---:'] * 7])
    for (name, kind), (ours, bare) in results.items():
        devices, points, period = CASES[name]
        for program, figures in (('gateway', ours), ('bare poller', bare)):
            ratio = figures['cpu'] / bare['cpu']
            yield row([f'{rate_of(name):,}', f'{devices} × {points}, {period / 1000:g} s', kind,
                       program, f"{figures['cpu']:.2f}", f'{ratio:.1f}',
                       f"{figures['resident']:.1f}", f"{figures['peak']:.1f}",
                       f"{figures['payload']:.2f}", f"{figures['wire']:.2f}", f"{figures['written']:.2f}"])


def micro(build):
    """Google Benchmark programs: one core.  Allocations are of one turn, once it runs."""
    yield row(['step', 'readings/s', 'time', 'allocations'])
    yield row(['---', '---:', '---:', '---:'])
    for program in sorted((build / 'tests' / 'bench').glob('*_bench')):
        done = subprocess.run([program, '--benchmark_format=json'], check=True,
                              capture_output=True, text=True)
        for entry in json.loads(done.stdout)['benchmarks']:
            rate = entry.get('items_per_second')
            yield row([entry['name'], f'{rate:,.0f}' if rate else '',
                       f"{entry['real_time']:,.1f} {entry['time_unit']}",
                       f"{entry['allocations']:.1f}" if 'allocations' in entry else ''])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build' / 'release')
    parser.add_argument('--seconds', type=float, default=20, help='of each window (20)')
    parser.add_argument('--only', nargs='*', default=[],
                        help='cases and kinds: 100 100-slow 10000 float32; also start, idle, micro, thousand, line, '
                             'dead; and only when named buffering, and size (3 minutes, 1 GB of disk)')
    options = parser.parse_args()
    folder = options.build.parent.resolve() / 'bench'
    shutil.rmtree(folder, ignore_errors=True)
    only = set(options.only)
    results = {}
    for name in CASES:
        for kind in KINDS:
            names, kinds = only & set(CASES), only & set(KINDS)
            if only and (not (names or kinds) or (names and name not in names) or (kinds and kind not in kinds)):
                continue
            print(f'{name} points/s, {kind} …', file=sys.stderr, flush=True)
            results[name, kind] = case(options.build, folder, name, kind, options.seconds)
    if results:
        print(*table(results), sep='\n', flush=True)
    if 'buffering' in only:
        print('', row(['points/s', 'kind', 'readings', 'written B/reading, nothing sent']),
              row(['---:', '---', '---:', '---:']), sep='\n')
        for name in ('10', '10000'):
            for kind in KINDS:
                count, each = buffering(options.build, folder, name, kind, options.seconds)
                print(row([f'{rate_of(name):,}', kind, f'{count:,}', f'{each:.2f}']), flush=True)
    if not only or 'start' in only:
        seconds = start_time(options.build, folder)
        print(f'\nStart to first durable reading: {seconds:.2f} s', flush=True)
    if not only or 'idle' in only:
        print('', *idle(options.build, folder, options.seconds), sep='\n', flush=True)
    for name, measure in field.CASES.items():
        if not only or name in only:
            print(f'{name} …', file=sys.stderr, flush=True)
            print('', *map(row, measure(options.build, folder, options.seconds)), sep='\n', flush=True)
    if not only or 'micro' in only:
        print('', *micro(options.build), sep='\n')
    if 'size' in only:
        folder.mkdir(exist_ok=True)
        subprocess.run([options.build.resolve() / 'tests' / 'bench' / 'store_size'], check=True,
                       cwd=folder)


if __name__ == '__main__':
    main()
