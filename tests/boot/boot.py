#!/usr/bin/env python3
"""Boots a box and its platform from their Debian packages and goes through a box's life.

boot.py --packages FOLDER --base ROOT [--guest FOLDER ROOT] [--keep] [STEP…]
With --guest the box is a machine of another architecture in qemu, from the packages and the root named there.
Prints one line for each step, and ends with 1 when one failed.  Needs root.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import life
from machine import elapsed
from rig import Rig
import procs


def own_namespaces():
    """Goes on with mounts, processes and a network of its own: all of it ends with this process."""
    if 'BOOT_NAMESPACES' not in os.environ:
        os.environ['BOOT_NAMESPACES'] = 'own'
        os.execvp('unshare', ['unshare', '--mount', '--propagation', 'private', '--net', '--pid',
                              '--fork', '--kill-child', '--mount-proc',
                              sys.executable, '-B', *sys.argv])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('steps', nargs='*', metavar='STEP')
    parser.add_argument('--packages', type=pathlib.Path, required=True)
    parser.add_argument('--base', type=pathlib.Path, required=True)
    parser.add_argument('--guest', nargs=2, type=pathlib.Path, metavar=('FOLDER', 'ROOT'))
    parser.add_argument('--keep', action='store_true', help='keep the folder with the logs')
    options = parser.parse_args()
    own_namespaces()
    began, failed = time.monotonic(), []
    folder = pathlib.Path(tempfile.mkdtemp(prefix='gateway-boot-'))
    guest = options.guest and [path.resolve() for path in options.guest]
    if guest:
        procs.patience = 5  # qemu computes each instruction of the box
    with Rig(options.base.resolve(), options.packages.resolve(), folder, guest) as rig:
        for name, what in life.STEPS:
            if options.steps and name not in options.steps:
                continue
            try:
                said, seconds = elapsed(lambda what=what: what(rig))
                outcome = 'skipped' if said.startswith('skipped') else 'ok'
                print(f'{outcome:7} {seconds:6.1f} s  {name}: {said}', flush=True)
            except Exception as error:  # whatever breaks a step fails this step
                failed.append(name)
                print(f'FAILED           {name}: {type(error).__name__}: {error}', flush=True)
                rig.save_logs(name)
                if name in life.NEEDED:
                    break
    print(f'{"FAILED: " + ", ".join(failed) if failed else "all well"}; '
          f'{time.monotonic() - began:.0f} s')
    if failed or options.keep:
        print(f'logs: {folder}')
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
