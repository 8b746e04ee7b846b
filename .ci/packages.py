#!/usr/bin/env python3
"""Reports the size and dependencies of Debian packages, and checks how their programs were hardened."""
import pathlib
import re
import subprocess
import sys
import tempfile


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def lacks(program):
    """The protections that a program does not have."""
    head, symbols = output('readelf', '-hldW', program), output('readelf', '--dyn-syms', '-W', program)
    wanted = {
        'position independent': re.search(r'Type: +DYN', head),
        'read-only relocations': 'GNU_RELRO' in head,
        'bound at start': re.search(r'\(FLAGS(_1)?\).*\bNOW', head),
        'stack not executable': re.search(r'GNU_STACK .* RW  ?0x', head),
        'stack protector': '__stack_chk_fail' in symbols,
        'fortified functions': re.search(r'__\w+_chk@', symbols),
        'no path to libraries': not re.search(r'\((RPATH|RUNPATH)\)', head),
        'stripped': '.symtab' not in output('readelf', '-SW', program),
    }
    return [name for name, there in wanted.items() if not there]


def main():
    failed = False
    for package in map(pathlib.Path, sys.argv[1:]):
        if '-dbgsym_' in package.name:
            continue
        field = {name: output('dpkg-deb', '-f', package, name).strip()
                 for name in ('Package', 'Version', 'Architecture', 'Installed-Size', 'Depends', 'Recommends')}
        print(f'{field["Package"]} {field["Version"]} {field["Architecture"]}: '
              f'{package.stat().st_size / 1e6:.2f} MB to fetch, {int(field["Installed-Size"]) / 1024:.1f} MB installed')
        print(f'    depends on {field["Depends"]}')
        if field['Recommends']:
            print(f'    recommends {field["Recommends"]}')
        with tempfile.TemporaryDirectory() as folder:
            output('dpkg-deb', '-x', package, folder)
            programs = list(pathlib.Path(folder, 'usr/bin').iterdir())
            for program in programs:
                missing = lacks(program)
                failed |= bool(missing)
                print(f'    {program.name}: {program.stat().st_size / 1e6:.2f} MB, '
                      f'{"NOT HARDENED: " + ", ".join(missing) if missing else "hardened"}')
            failed |= not programs
    return failed


if __name__ == '__main__':
    sys.exit(main())
