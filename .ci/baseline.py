#!/usr/bin/env python3
"""Checks systemd/SECURITY-BASELINE.md: what it names exists, and a row that nothing shows says open."""
import pathlib
import re
import sys

PAGE = pathlib.Path('systemd/SECURITY-BASELINE.md')
SECTIONS = {'SECURITY.md': ('Reporting a weakness', 'How long a release is supported')}
ROW = re.compile(r'^\| ((?:[56][.\d]*-\d+)|(?:[A-Z][a-z ]+ \d)) \|(.*)\|$')
CODE = re.compile(r'`([^`]+)`')
PATH = re.compile(r'[\w.-]+(?:/[\w.-]+)+|[\w-]+\.(?:md|txt)')
COMMANDS = {'./dev': 'dev', 'smart-gateway': 'gateway/commands/cli.cpp', 'smart-receiver': 'gateway/receiver/main.cpp'}


def mistake_of(name):
    """Why what a row names is not there; None when it is."""
    word, _, rest = name.partition(' ')
    if word in COMMANDS:
        known = pathlib.Path(COMMANDS[word]).read_text(encoding='utf-8')
        form = rf'^    {rest}\)' if word == './dev' else rf'"{rest}"'
        return None if re.search(form, known, re.M) else f'there is no command {name}'
    path, _, inside = name.partition(': ')
    if not pathlib.Path(path).exists():
        return f'there is no {path}'
    if inside and inside not in pathlib.Path(path).read_text(encoding='utf-8'):
        return f'{path} has no {inside}'
    return None


def mistakes():
    rows = 0
    for number, line in enumerate(PAGE.read_text(encoding='utf-8').splitlines(), 1):
        match = ROW.match(line)
        if not match:
            continue
        rows += 1
        place = f'{PAGE}:{number}: {match[1]}'
        cells = match[2].split('|')
        if len(cells) != 4:
            yield f'{place}: a row has five columns'
            continue
        state, where, shown = (cell.strip() for cell in cells[1:])
        files = [name for name in CODE.findall(where) if PATH.fullmatch(name)]
        proofs = CODE.findall(shown)
        if state not in ('met', 'part', 'open'):
            yield f'{place}: {state} is none of met, part, open'
        if (state == 'open') == bool(proofs):
            yield f'{place}: what a command or test shows is not open, and all else is'
        if state != 'open' and not files:
            yield f'{place}: names no file'
        yield from (f'{place}: {why}' for why in map(mistake_of, files + proofs) if why)
    if rows == 0:
        yield f'{PAGE}: no rows'
    for path, headings in SECTIONS.items():
        text = pathlib.Path(path).read_text(encoding='utf-8')
        yield from (f'{path}: needs the section "{heading}"' for heading in headings if f'## {heading}\n' not in text)


found = list(mistakes())
print(*found, sep='\n', end='\n' if found else '')
sys.exit(bool(found))
