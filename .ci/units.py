#!/usr/bin/env python3
"""Checks the systemd units: they say nothing systemd does not know, and the sandbox stays as tight as it is."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

UNITS = pathlib.Path('systemd')
# (unit, drop-in, highest exposure in tenths): S14
EXPOSURES = [('smart-gateway', None, 13), ('smart-gateway', 'serial', 16), ('smart-gateway', 'gpio', 16),
             ('smart-receiver', None, 13)]


def run(*command):
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def mistakes(folder, unit, drop_in, limit):
    # The programs need not be installed here.
    text = re.sub(r'/usr/bin/smart-\w+', '/usr/bin/true', (UNITS / f'{unit}.service').read_text())
    file = folder / f'{unit}.service'
    file.write_text(text)
    if drop_in:
        (folder / f'{unit}.service.d').mkdir()
        shutil.copy(UNITS / 'drop-in' / f'{drop_in}.conf', folder / f'{unit}.service.d')
    name = f'{unit}.service' + (f' with {drop_in}.conf' if drop_in else '')
    verified = run('systemd-analyze', 'verify', '--man=no', file)  # ends with 0 on a misspelt key
    if verified.returncode or verified.stdout:
        yield f'{name}: {verified.stdout.strip() or verified.returncode}'
    scored = run('systemd-analyze', 'security', '--no-pager', '--offline=true', f'--threshold={limit}', file)
    if scored.returncode:
        yield f'{name}: {scored.stdout.strip().splitlines()[-1]}; at most {limit / 10}'


def main():
    if not shutil.which('systemd-analyze'):
        print('units: skipped, systemd-analyze is not installed')
        return 0
    found = []
    for unit, drop_in, limit in EXPOSURES:
        with tempfile.TemporaryDirectory() as folder:
            found += mistakes(pathlib.Path(folder), unit, drop_in, limit)
    print(*found, sep='\n', end='\n' if found else '')
    return bool(found)


if __name__ == '__main__':
    sys.exit(main())
