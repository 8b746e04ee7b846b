#!/usr/bin/env python3
"""Runs clang-tidy on the sources that changed since the branch left main, or on all with --all.

A source counts as changed when it or a header of the same folder did.  On main itself the last
commit is the change.  At most --seconds are spent; what was not reached is said.
"""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('--all', action='store_true')
parser.add_argument('--jobs', type=int, default=2)
parser.add_argument('--seconds', type=float, default=150)
parser.add_argument('--build', default='build/dev')
options = parser.parse_args()


def git(*arguments):
    done = subprocess.run(['git', *arguments], text=True, capture_output=True, check=False)
    return done.stdout.split() if done.returncode == 0 else None


def changed():
    """Names changed since the base, with those not committed yet; None when there is no base."""
    base = git('merge-base', 'HEAD', 'origin/main')
    if base is None or base == git('rev-parse', 'HEAD'):
        base = git('rev-parse', '--verify', '--quiet', 'HEAD~')
    if base is None:
        return None
    return set(git('diff', '--name-only', base[0])) | set(
        git('ls-files', '-o', '--exclude-standard'))


def tidy(path):
    if time.monotonic() > deadline:
        return None
    done = subprocess.run(
        ['clang-tidy', '-p', options.build, '--quiet', '--extra-arg=-Wno-unknown-warning-option',
         path], text=True, capture_output=True, check=False)
    return done.returncode, done.stdout + (done.stderr if done.returncode else '')


names = None if options.all else changed()
sources = git('ls-files', '-co', '--exclude-standard', '--', '*.cpp')
if names is not None:
    folders = {str(pathlib.PurePath(name).parent) for name in names if name.endswith('.hpp')}
    sources = [name for name in sources
               if name in names or str(pathlib.PurePath(name).parent) in folders]
deadline = time.monotonic() + (1e9 if options.all else options.seconds)
with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
    results = list(pool.map(tidy, sources))
failed = [(path, result) for path, result in zip(sources, results) if result and result[0]]
for path, result in failed:
    print(f'clang-tidy: {path}\n{result[1]}')
late = results.count(None)
print(f'clang-tidy: {len(sources) - late} sources checked, {len(failed)} with findings'
      + (f', {late} not reached in {options.seconds:.0f} s (./dev lint --all takes all)' if late else ''))
sys.exit(bool(failed))
