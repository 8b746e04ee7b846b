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

import procs  # noqa: E402
import read_batch  # noqa: E402
import town  # noqa: E402

CASES = {  # points per second: devices, points of each, period in ms
    10: (1, 10, 1000),
    100: (10, 10, 1000),
    1000: (10, 100, 1000),
    10000: (10, 100, 100),
}
KINDS = ('uint16', 'float32')


def cpu_seconds(pid):
    return time.clock_gettime((~pid << 3) | 2)  # CLOCK_PROCESS_CPUTIME_ID of another process


def is_data(topic):
    return topic.split('/')[2] in ('data', 'history')


def batch_points(topic, payload):
    return read_batch.decode(payload).count if is_data(topic) else 0


def bare_points(_, payload):
    return payload.count(b',') + 1


def measure(program, link, subscriber, points_of, seconds):
    """The figures of one program over a window that begins now."""
    began, cpu, wire, written = (time.time(), cpu_seconds(program.pid), link.bytes_up,
                                 program.written_bytes())
    time.sleep(seconds)
    ended = time.time()
    cpu = cpu_seconds(program.pid) - cpu
    wire, written = link.bytes_up - wire, program.written_bytes() - written
    peak = program.peak_kb()
    sizes = [(points_of(topic, data), len(data)) for when, topic, data in subscriber.messages()
             if began <= when < ended]
    points = sum(count for count, _ in sizes)
    if not points:
        raise RuntimeError(f'{program.name} delivered nothing: {program.lines()[-3:]}')
    payload = sum(size for count, size in sizes if count)
    return {'points': points, 'rate': points / (ended - began), 'cpu': cpu / points * 1e6,
            'memory': peak / 1024, 'payload': payload / points, 'wire': wire / points,
            'written': written / points}


def measure_gateway(run, place, seconds):
    link = run.add(procs.Link(place.broker.port))
    place.write_site(link.port)
    subscriber = run.add(procs.Subscriber(run.folder, place.broker, 'ss1/#')).start()
    gateway = run.add(place.gateway).start()
    procs.wait_for(lambda: any(is_data(topic) for _, topic, _ in subscriber.messages()), 30,
                   what=lambda: f'a first batch: {gateway.lines()[-3:]}')
    figures = measure(gateway, link, subscriber, batch_points, seconds)
    gateway.stop()
    return figures


def measure_poller(run, place, build, seconds):
    link = run.add(procs.Link(place.broker.port))
    subscriber = run.add(procs.Subscriber(run.folder, place.broker, 'bare/#')).start()
    poller = run.add(procs.Program(
        run.folder, 'poller', [build / 'tests' / 'bench' / 'poller', link.port, place.period_ms,
                               place.points, place.kind, *place.ports()])).start()
    procs.wait_for(lambda: list(subscriber.messages()), 30, what='a first bare message')
    figures = measure(poller, link, subscriber, bare_points, seconds)
    poller.stop()
    return figures


def case(build, folder, rate, kind, seconds):
    devices, points, period = CASES[rate]
    with procs.Run(build, folder / f'{rate}-{kind}', keep=True) as run:
        place = town.Bench(run, devices, points, period, kind)
        ours = measure_gateway(run, place, seconds)
        bare = measure_poller(run, place, build, seconds)
    for name, figures in (('gateway', ours), ('poller', bare)):
        if not 0.9 * rate <= figures['rate'] <= 1.1 * rate:
            print(f"bench: {name} gave {figures['rate']:.0f} of {rate} points/s", file=sys.stderr)
    return ours, bare


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
            first = procs.wait_for(lambda: [when for when, topic, _ in subscriber.messages()
                                            if is_data(topic)], 30)[0]
            times.append(first - began)
    return sorted(times)[2]


def row(cells):
    return '| ' + ' | '.join(cells) + ' |'


def table(results):
    yield row(['points/s', 'kind', 'program', 'CPU s per 1 M', 'ratio', 'peak MB',
               'payload B/point', 'wire B/point', 'written B/point'])
    yield row(['---:', '---', '---', '---:', '---:', '---:', '---:', '---:', '---:'])
    for (rate, kind), (ours, bare) in results.items():
        for name, figures in (('gateway', ours), ('bare poller', bare)):
            ratio = figures['cpu'] / bare['cpu']
            yield row([f'{rate:,}', kind, name, f"{figures['cpu']:.2f}", f'{ratio:.1f}',
                       f"{figures['memory']:.1f}", f"{figures['payload']:.2f}",
                       f"{figures['wire']:.2f}", f"{figures['written']:.2f}"])


def micro(build):
    """Google Benchmark programs: readings per second on one core."""
    yield row(['step', 'readings/s'])
    yield row(['---', '---:'])
    for program in sorted((build / 'tests' / 'bench').glob('*_bench')):
        done = subprocess.run([program, '--benchmark_format=json'], check=True,
                              capture_output=True, text=True)
        for entry in json.loads(done.stdout)['benchmarks']:
            yield row([entry['name'], f"{entry['items_per_second']:,.0f}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build' / 'release')
    parser.add_argument('--seconds', type=float, default=20, help='of each window (20)')
    parser.add_argument('--only', nargs='*', default=[],
                        help='rates and kinds: 100 10000 float32; also start, micro')
    options = parser.parse_args()
    folder = options.build.parent / 'bench'
    shutil.rmtree(folder, ignore_errors=True)
    only = set(options.only)
    results = {}
    for rate in CASES:
        for kind in KINDS:
            rates, kinds = only & {str(r) for r in CASES}, only & set(KINDS)
            if only and (not (rates or kinds) or (rates and str(rate) not in rates)
                         or (kinds and kind not in kinds)):
                continue
            print(f'{rate} points/s, {kind} …', file=sys.stderr, flush=True)
            results[rate, kind] = case(options.build, folder, rate, kind, options.seconds)
    lines = list(table(results)) if results else []
    if not only or 'start' in only:
        lines += ['', f'Start to first durable reading: {start_time(options.build, folder):.2f} s']
    if not only or 'micro' in only:
        lines += ['', *micro(options.build)]
    print(*lines, sep='\n')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'table.md').write_text('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
