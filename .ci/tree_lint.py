#!/usr/bin/env python3
"""Checks what the tree holds: top-level names, file sizes, sleeping tests, hosts and keys."""
import pathlib
import re
import subprocess
import sys

TOP_LEVEL = {'CMakeLists.txt', 'CMakePresets.json', 'README.md', 'LICENSE', 'CHANGELOG.md',
             'CONTRIBUTING.md', 'SECURITY.md', 'dev', 'gateway', 'drivers', 'schemas', 'cross',
             'systemd', 'tests'}
MOST_LINES = {'.hpp': 150, '.cpp': 350}
SLEEP = re.compile(r'this_thread::sleep|\b(?:u?sleep|nanosleep)\(')
EXCUSED = re.compile(r'// NOLINTNEXTLINE\(sleep\): .+\n.*\n')
KEY = re.compile('BEGIN ' + r'[A-Z ]*PRIVATE KEY')
READING_LIST = re.compile(r'^\d\. `([^`]+)`', re.M)  # the five files of README.md


def package_hosts():
    """Hosts this machine installs packages from: they are its own affair."""
    names = set()
    for path in [*pathlib.Path('/etc/apt').glob('sources.list'),
                 *pathlib.Path('/etc/apt/sources.list.d').glob('*')]:
        names |= set(re.findall(r'https?://([^/\s]+)', path.read_text(errors='replace')))
    return names


def mistakes(paths):
    for name in sorted({path.parts[0] for path in paths} - TOP_LEVEL):
        if not name.startswith('.'):
            yield f'{name}: the top level holds only what CONTRIBUTING.md lists'
    hosts = package_hosts()
    for path in paths:
        text = path.read_text(encoding='utf-8', errors='replace')
        lines = text.count('\n')
        product = path.parts[0] in ('gateway', 'drivers')
        if product and lines > MOST_LINES.get(path.suffix, lines):
            yield f'{path}: {lines} lines, at most {MOST_LINES[path.suffix]}: split it'
        if path.parts[:2] == ('tests', 'unit') and SLEEP.search(
                EXCUSED.sub('', text)):
            yield f'{path}: a test does not sleep: advance the clock or wait for the event'
        if KEY.search(text):
            yield f'{path}: holds a private key'
        for host in sorted(hosts):
            if host in text:
                yield f'{path}: names a package host'
    listed = [pathlib.Path(name) for name in READING_LIST.findall(
        pathlib.Path('README.md').read_text(encoding='utf-8'))]
    lines = sum(path.read_text(encoding='utf-8').count('\n') for path in listed)
    if len(listed) != 5 or lines > 900:
        yield f'README.md: {len(listed)} files of {lines} lines show the system; five, at most 900'


listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], check=True, text=True,
                        capture_output=True).stdout.split()
found = list(mistakes([pathlib.Path(name) for name in listed if pathlib.Path(name).is_file()]))
print(*found, sep='\n', end='\n' if found else '')
sys.exit(bool(found))
