#!/usr/bin/python3
"""Injects faults and judges what came out: run.py [--level LEVEL] [--seed N] [--runs N] [ID[:RUNS]…]

Each run has a seed: `run.py P3 --seed 17 --runs 1` does run 17 again, as exactly as the machine
allows.  A run prints what was done and a JSON verdict; the campaign ends with a table, and with 1
when any run failed.  The logs of failed runs stay in OUT.
"""
import argparse
import concurrent.futures
import contextlib
import importlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import rig  # first: it knows where the other folders are
import check
import defects
import logs
import procs
from case import Case
from catalogue import FAULTS, LEVELS
from disk import Disk, lacks

for registers_its_faults in ('damage', 'mixed', 'network', 'power', 'process', 'shortage', 'states',
                             'storage', 'windows'):
    importlib.import_module(registers_its_faults)

printing = threading.Lock()
# How often each runs in three minutes of an idle machine: --level check.
CHECK = {'P1': 3, 'P2': 6, 'P3': 3, 'P4': 30, 'P7': 1, 'P8': 5, 'P9': 3, 'P10': 1, 'P13': 6,
         'P14': 1, 'P16': 1, 'F1': 1, 'F2': 1, 'F3': 2, 'F4': 2, 'F6': 1, 'F7': 2, 'F9': 1,
         'F10': 3, 'F11': 2, 'F12': 3, 'F13': 1, 'F14': 1, 'F15': 1, 'F16': 2, 'F17': 2, 'N1': 1,
         'N5': 2, 'N6': 1, 'N7': 2, 'N16': 1, 'N18': 2, 'N19': 2, 'L1': 2}
# Runs that once were red: part of each --level check.
ONCE_RED = [('F4', 2078501)]


class Campaign:
    """Runs by several threads, each with a street of its own."""

    def __init__(self, options):
        self.build, self.out = pathlib.Path(options.build), pathlib.Path(options.out)
        self.keep = options.keep
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='gateway-faults-'))
        self.own = threading.local()
        self.streets = contextlib.ExitStack()
        self.rows = {}  # id -> numbers
        self.interrupted = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.streets.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def street(self, options):
        """This thread's street with these options."""
        if not hasattr(self.own, 'streets'):
            self.own.streets = {}
        key = repr(sorted(options.items()))
        if key not in self.own.streets or self.own.streets[key].worn():
            with printing:
                street = rig.Street(self.build, tempfile.mkdtemp(dir=self.folder),
                                    patience=min(procs.patience, 4), **options)
                self.own.streets[key] = self.streets.enter_context(street)
        return self.own.streets[key]

    def run(self, fault, seed, environment=None):
        """One run: (verdict or None, the story, seconds)."""
        began, verdict, story = time.monotonic(), None, []
        if fault.alone:
            try:
                verdict, story = fault.run(self.build, seed)
            except (OSError, subprocess.SubprocessError, ValueError) as error:
                story.append(f'the run broke: {error}')
            return verdict, story, time.monotonic() - began
        with contextlib.ExitStack() as open_:
            try:
                disk = open_.enter_context(Disk(fault.disk_mb, fault.inodes)) \
                    if fault.disk_mb else None
                case = open_.enter_context(Case(self.street(fault.street), fault.id, seed, disk,
                                                environment))
                story = case.story
                fault.run(case)
                case.finish()
                verdict = check.judge(logs.read(case.folder), case.decoder)
                verdict.findings += [('-', what, text) for what, text in case.problems]
                story.append(_came_out(verdict))
            except Exception as error:  # whatever breaks a run fails this run alone
                story.append(f'the run broke: {type(error).__name__}: {error}')
            if self.keep or verdict is None or verdict.findings:
                with contextlib.suppress(NameError):
                    story.append(f'logs: {self.save(case)}')
        if verdict is not None and verdict.findings:
            verdict.line['verdict'] = 'failed'
        return verdict, story, time.monotonic() - began

    def run_all(self, work, jobs):
        """Runs (fault, seed) pairs; an interruption lets those under way end, and no more begin."""
        def one(fault, seed):
            self.report(fault, seed, *self.run(fault, seed))
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            try:
                for done in [pool.submit(one, *each) for each in work]:
                    done.result()
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                print('\ninterrupted')
                self.interrupted = True

    def save(self, case):
        place = self.out / case.name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(case.folder, place, ignore=shutil.ignore_patterns('state'))
        return place

    def report(self, fault, seed, verdict, story, seconds):
        row, failed = self.rows[fault.id], verdict is None or bool(verdict.findings)
        with printing:
            row['runs'] += 1
            row['failed'] += failed
            row['seconds'] += seconds
            if verdict is not None:
                row['lost'] += verdict.lost
                if not fault.alone:
                    row['durable'] += verdict.line['durable']
                    row['given up'] += sum(verdict.line['declared'].values())
                row['gaps'] += verdict.count('silent gap')
                row['conflicts'] += verdict.count('conflict')
            print(f'{fault.id} {fault.text}, seed {seed}: {"FAILED" if failed else "ok"}')
            for line in story:
                print(f'    {line}')
            for name, many in sorted(_summed(verdict)):
                print(f'    FOUND {name}{many}')
            print(json.dumps(verdict.line if verdict else
                             {'seed': seed, 'scenario': fault.id, 'verdict': 'broken'}), flush=True)

    def table(self, began):
        print(f'\n{"id":5} {"runs":>6} {"failed":>6} {"lost":>6} {"gaps":>6} {"conflicts":>9} '
              f'{"seconds":>8}  ')
        for id_, row in self.rows.items():
            print(f'{id_:5} {row["runs"]:6} {row["failed"]:6} {row["lost"]:6} {row["gaps"]:6} '
                  f'{row["conflicts"]:9} {row["seconds"]:8.1f}  '
                  f'{"skipped: " + row["skipped"] if row["skipped"] else FAULTS[id_].text}')
        total = {name: sum(row[name] for row in self.rows.values())
                 for name in ('runs', 'failed', 'lost', 'gaps', 'conflicts')}
        skipped = sum(bool(row['skipped']) for row in self.rows.values())
        print(f'{"all":5} {total["runs"]:6} {total["failed"]:6} {total["lost"]:6} '
              f'{total["gaps"]:6} {total["conflicts"]:9} {time.monotonic() - began:8.1f}  '
              f'{skipped} skipped')
        return total['failed'] + sum(self.gave_up_too_much(id_) for id_ in self.rows)

    def gave_up_too_much(self, id_):
        """A box that throws a damaged store away declares all of it lost, and each run alone allows that."""
        row, most = self.rows[id_], FAULTS[id_].most_given_up
        too_much = row['runs'] >= 10 and row['given up'] > most * row['durable']
        if too_much:
            print(f'{id_}: {row["given up"]} of {row["durable"]} durable readings were given up, more than {most:.2%}')
        return too_much


def _came_out(verdict):
    n = verdict.line
    back = '' if n['recovery_ms'] is None else f', measuring again after {n["recovery_ms"]} ms'
    return (f'came out: {n["recorded"]} of {n["served"]} answers, {verdict.taken} not, as the '
            f'fault allows; {n["duplicates"]} twice, declared lost {n["declared"] or "none"}{back}')


def _summed(verdict):
    """Findings of one name as one line: its first detail, and how many more."""
    first, count = {}, {}
    for check_, name, detail in verdict.findings if verdict else ():
        first.setdefault((check_, name), detail)
        count[check_, name] = count.get((check_, name), 0) + 1
    for key, detail in first.items():
        more = f' (and {count[key] - 1} more)' if count[key] > 1 else ''
        yield f'{key[0]} {key[1]}: {detail}', more


def _own_mounts():
    """Goes on in a mount namespace of its own: no other process keeps a disk busy, and the mounts
    end with this process.  In a chroot, where / is no mount, it goes on without."""
    own = ['unshare', '--mount', '--propagation', 'private']
    if os.geteuid() == 0 and shutil.which('unshare') and 'FAULTS_MOUNTS' not in os.environ and \
            subprocess.run([*own, 'true'], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        os.environ['FAULTS_MOUNTS'] = 'own'
        os.execvp('unshare', [*own, sys.executable, *(['-B'] if sys.dont_write_bytecode else []),
                              *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ids', nargs='*', metavar='ID[:RUNS]', help=', '.join(sorted(FAULTS)))
    parser.add_argument('--level', choices=('check', *LEVELS), default='smoke')
    parser.add_argument('--seed', type=int, default=1, 
                        help='of the first run; each next one adds 1')
    parser.add_argument('--runs', type=int, help='of each id, instead of the level\'s')
    parser.add_argument('--jobs', type=int, default=2 * os.cpu_count(),
                        help='runs at a time; they mostly wait')
    parser.add_argument('--patience', type=int, default=1, metavar='TIMES',
                        help='allow so many times as long, on a machine that has more to do')
    parser.add_argument('--build', default=rig.HERE.parents[1] / 'build' / 'release')
    parser.add_argument('--out', default=rig.HERE.parents[1] / 'build' / 'faults',
                        help='where the logs of failed runs go')
    parser.add_argument('--keep', action='store_true', help='keep the logs of good runs too')
    parser.add_argument('--defects', action='store_true', help='plant defects instead (IDs: '
                        'M1 to M11): each must be found within the smoke budget')
    parser.add_argument('--mutations', type=int, metavar='N', help='damage the logs of a good run '
                        'instead, N times in each way: the checker must name each')
    options = parser.parse_args()
    known = defects.DEFECTS if options.defects else FAULTS
    runs = dict(text.partition(':')[::2] for text in options.ids) or \
        (CHECK if options.level == 'check' else dict.fromkeys(known, ''))
    unknown = [id_ for id_ in runs if id_ not in known]
    if unknown:
        parser.error(f'no such id: {", ".join(unknown)}; there are {", ".join(sorted(known))}')
    procs.patience = options.patience
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _own_mounts()
    if options.mutations:
        return defects.mutations(options.build, options.mutations, options.seed)
    if options.defects:
        with Campaign(options) as campaign:
            return defects.find(campaign, options)
    began = time.monotonic()
    with Campaign(options) as campaign:
        work = []
        for id_, own in runs.items():
            fault = FAULTS[id_]
            why = next((why for need in fault.needs if (why := lacks(need))), '')
            campaign.rows[id_] = {'runs': 0, 'failed': 0, 'lost': 0, 'gaps': 0, 'conflicts': 0,
                                  'durable': 0, 'given up': 0, 'seconds': 0.0, 'skipped': why}
            count = int(own or options.runs or
                        (CHECK.get(id_, 1) if options.level == 'check' else
                         fault.counts[LEVELS.index(options.level)]))
            seeds = [options.seed + n for n in range(count)]
            if options.level == 'check':
                seeds += [seed for once, seed in ONCE_RED if once == id_]
            work += [] if why else [(fault, seed) for seed in seeds]
        campaign.run_all(work, options.jobs)
        failed = campaign.table(began)
    return bool(failed or campaign.interrupted)


if __name__ == '__main__':
    sys.exit(main())
