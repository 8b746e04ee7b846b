#!/usr/bin/env python3
"""Makes a manual page and a bash completion from what a program says with --help.

manual.py --version V --page FILE --completion FILE --more FILE -- PROGRAM
PROGRAM may be several words (an emulator first).  `--more` names a file of man(7) sections that help
does not have; it begins with the one-line description.
"""
import argparse
import pathlib
import re
import subprocess

ENTRY = re.compile(r'  (\S.*?)(?: {2,}(\S.*))?$')
FILE_OPTIONS = {'--config', '--profile', '--out', '--raw', '--ca', '--cert', '--key', '--roster', '--state',
                '--runtime', '--password-file', '--log', '--dictionary', '--path', '--certificate'}


class Command:
    """One level of a program's help: what it is for, its options and arguments, its subcommands."""

    def __init__(self, program, words):
        text = subprocess.run([*program, *words, '--help'], check=True, capture_output=True, text=True,
                              env={'LC_ALL': 'C.UTF-8', 'PATH': '/usr/bin:/bin'}).stdout
        self.words, self.about, self.usage = words, [], ''
        self.options, self.arguments = [], []
        names, into = [], None
        for line in text.splitlines():
            if line.startswith('Usage: '):
                self.usage, into = line.split(None, 2)[2], None
            elif line in ('Options:', 'Positionals:', 'Subcommands:'):
                into = {'Options:': self.options, 'Positionals:': self.arguments,
                        'Subcommands:': names}[line]
            elif into is None and not self.usage:
                self.about.append(line)
            elif into is not None and line.startswith(' ' * 20):
                name, what = into[-1]
                into[-1] = name, f'{what} {line.strip()}'.strip()
            elif into is not None and (entry := ENTRY.match(line)):
                into.append((entry[1], entry[2] or ''))
        self.subcommands = [(name.split()[0], what) for name, what in names]
        self.inner = [Command(program, [*words, name]) for name, _ in self.subcommands]

    def flags(self):
        return [flag for name, _ in self.options for flag in re.findall(r'-[-\w]+', name.split()[0])]


def escaped(text):
    text = text.replace('\\', r'\e').replace('-', r'\-')
    return r'\&' + text if text[:1] in '.\'' else text


def entries(pairs):
    for name, what in pairs:
        plain = name.replace(',-', ', -')
        yield f'.TP\n.B {escaped(plain)}\n{escaped(what) or "(no more to say)"}'


def described(command, name):
    """The subcommands below `command`, each as a subsection."""
    for inner, (_, what) in zip(command.inner, command.subcommands):
        if not inner.inner:
            yield f'.SS {escaped(f"{name} {inner.usage}")}\n{escaped(what[:1].upper() + what[1:])}.'
            yield from entries(inner.arguments)
            yield from entries((n, w) for n, w in inner.options if '--help' not in n)
        yield from described(inner, name)


def page(root, name, version, more):
    summary, _, sections = more.partition('\n')
    lines = [f'.TH {name.upper()} 1 "" "{name} {version}" "Smart State Gateway"',
             '.SH NAME', f'{escaped(name)} \\- {summary}', '.SH SYNOPSIS', f'.B {escaped(name)}',
             escaped(root.usage),
             '.SH DESCRIPTION']
    for line in root.about:
        lines.append(f'.RS\n.B {escaped(line.strip())}\n.RE' if line.startswith('  ')
                     else escaped(line) if line else '.PP')
    lines += ['.SH OPTIONS', *entries(root.options)]
    if root.inner:
        lines += ['.SH COMMANDS', *described(root, name)]
    return '\n'.join([*lines, sections])


def cases(command):
    """path -> the words that may follow; paths are joined by a blank."""
    yield ' '.join(command.words), [name for name, _ in command.subcommands] + command.flags()
    for inner in command.inner:
        yield from cases(inner)


def completion(root, name):
    function = '_' + name.replace('-', '_')
    table = '\n'.join(f"        '{path}') words='{' '.join(words)}' ;;" for path, words in cases(root))
    subcommands = ' '.join(sorted({word for path, _ in cases(root) for word in path.split()}))
    files = '|'.join(sorted(FILE_OPTIONS))
    return f'''# bash completion of {name}; made from its own help
{function}()
{{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} path='' word words=''
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case " {subcommands} " in *" $word "*) path+="${{path:+ }}$word" ;; esac
    done
    case $previous in
        {files}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    esac
    case $path in
{table}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    [ ${{#COMPREPLY[@]}} -gt 0 ] || {{ compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }}
}}
complete -F {function} {name}
'''


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--version', required=True)
    parser.add_argument('--page', type=pathlib.Path, required=True)
    parser.add_argument('--completion', type=pathlib.Path, required=True)
    parser.add_argument('--more', type=pathlib.Path, required=True)
    parser.add_argument('program', nargs='+')
    options = parser.parse_args()
    root = Command(options.program, [])
    name = pathlib.Path(options.program[-1]).name
    options.page.write_text(page(root, name, options.version, options.more.read_text()))
    options.completion.write_text(completion(root, name))


if __name__ == '__main__':
    main()
