"""The logs of a run: append-only, one JSON object a line, each with a running number `n`, the run's
id and `ns`, CLOCK_MONOTONIC.  The simulator's log of what it served has neither number nor run:
there the counting registers number the lines.

| file | written by | fields beside n, run, ns |
| --- | --- | --- |
| platform.log | platform_side.py | topic, retain, hex |
| receipts.log | platform_side.py | body, the receipt as it was sent |
| faults.log | the injector | what: begin, start, fault, proof, damage, clock, end (see README.md) |
| durable.log | a gateway with the test hook | epoch, lane, first, last; no n, no run |
| served.log | the simulator | device, point, request, words, boot_ms; no n, no run, no ns |
"""
import json
import os
import pathlib
import time

PLATFORM, RECEIPTS, FAULTS = 'platform.log', 'receipts.log', 'faults.log'
DURABLE, SERVED = 'durable.log', 'served.log'
NUMBERED = (PLATFORM, RECEIPTS, FAULTS)


class Log:
    """Appends numbered lines.  Opening one cuts off a last line that a kill left half written."""

    def __init__(self, path, run):
        self.run = run
        with open(path, 'a+b') as file:
            file.seek(0)
            held = file.read()
            whole = held.rfind(b'\n') + 1
            file.truncate(whole)
        self.count = held[:whole].count(b'\n')
        self.file = open(path, 'ab')

    def add(self, ns=None, **fields):
        self.count += 1
        line = {'n': self.count, 'run': self.run, 'ns': ns or time.monotonic_ns(), **fields}
        self.file.write(json.dumps(line, separators=(',', ':')).encode() + b'\n')
        self.file.flush()
        return line

    def sync(self):
        os.fdatasync(self.file.fileno())

    def close(self):
        self.file.close()


def parse(data, torn=None):
    """The objects of whole lines.  What is not one is given to `torn`, as text."""
    for text in data.split(b'\n'):
        if text:
            try:
                yield json.loads(text)
            except ValueError:
                if torn is not None:
                    torn(text.decode(errors='replace'))


class Follower:
    """New whole lines of a growing log, at each call."""

    def __init__(self, path):
        self.path, self.at = pathlib.Path(path), 0

    def lines(self):
        if not self.path.exists():
            return []
        with open(self.path, 'rb') as file:
            file.seek(self.at)
            data = file.read()
        whole = data[:data.rfind(b'\n') + 1]
        self.at += len(whole)
        return list(parse(whole))


def read(folder):
    """All logs of a run's folder: {file name: list of lines}, and {'torn': [(file, text)]}."""
    found = {'torn': []}
    for name in (*NUMBERED, DURABLE, SERVED):
        path = pathlib.Path(folder) / name
        data = path.read_bytes() if path.exists() else b''
        found[name] = list(parse(data, lambda text, n=name: found['torn'].append((n, text))))
    found['has_durable'] = bool(found[DURABLE])  # empty: this binary has no hook
    return found
