#!/usr/bin/python3
"""Checks the checker: damages one record in the logs of a good run; check.py must name each.

mutate.py FOLDER [--each N] [--seed N] prints a line per kind and ends with 1 when any was missed.
Lines are numbered anew after a change, so that the checks of the content have to find it.
"""
import argparse
import collections
import copy
import json
import random
import sys

import check
import forge
import logs
from evidence import Evidence
from records import read_batch

KINDS = {}


def kind(*names):
    """The findings of which one must be named; `+`: the count of duplicates must rise."""
    def register(function):
        KINDS[function.__name__] = (function, set(names))
        return function
    return register


class Run:
    """A good run's logs, and what of them can be damaged."""

    def __init__(self, found):
        self.found = found
        self.evidence = Evidence(found)
        self.verdict = check.judge(found, self.evidence.decoder)
        if not found['has_durable']:
            found[logs.DURABLE], found['has_durable'] = self._durable(), True
        messages = self.evidence.messages
        firsts = {line['n'] for line, _ in self.evidence.batches.values()}
        came = [(b.epoch, b.lane, b.first) for _, m in messages if (b := m.batch)]
        self.batches = [(at, m.batch) for at, (line, m) in enumerate(messages)
                        if line['n'] in firsts]
        self.once = [(at, b) for at, b in self.batches
                     if came.count((b.epoch, b.lane, b.first)) == 1]
        self.values = [(at, b) for at, b in self.batches if b.lane in ('billing', 'telemetry')]
        self.good = [r for r in self.evidence.records if r.row < 0x7FFF and r.quality == 0
                     and r.point in self.evidence.layout['devices'].get(r.device, {})]

    def _durable(self):
        """What the test hook would have said: each batch just before it first came."""
        return [{'epoch': epoch, 'lane': lane, 'first': first, 'last': last, 'ns': ns - 1000}
                for (epoch, lane), arrivals in self.evidence.arrivals.items()
                for ns, first, last, _ in arrivals]

    def of_kind(self, name):
        return [(at, m) for at, (_, m) in enumerate(self.evidence.messages) if m.kind == name]

    def changed(self, log, change):
        """The logs with one log's lines changed and numbered anew."""
        found = {**self.found, log: list(self.found[log])}
        change(found[log])
        if log in logs.NUMBERED:
            found[log] = [{**line, 'n': n + 1} for n, line in enumerate(found[log])]
        return found

    def platform(self, at, payload, insert=False):
        def change(lines):
            line = {**lines[at], 'hex': payload.hex()}
            lines[at + insert:at + 1] = [line]
        return self.changed(logs.PLATFORM, change)

    def payload(self, at):
        return bytes.fromhex(self.found[logs.PLATFORM][at]['hex'])

    def edited(self, at, change, insert=False):
        return self.platform(at, forge.edited(self.payload(at), change), insert)

    def json(self, at, change):
        value = json.loads(self.payload(at))
        change(value)
        return self.platform(at, json.dumps(value).encode())


def pairs(batch, fits):
    """Positions of two counting readings of a batch that fit together."""
    rows = [(i, r) for i, r in enumerate(batch.readings) if r.kind == 1 and r.row < 0x8000]
    return [(i, j) for n, (i, a) in enumerate(rows) for j, b in rows[n + 1:] if fits(a, b)]


def exchange(run, chance, fits, column):
    """Two readings of one batch change places in one column (0 alias, 2 word)."""
    at, i, j = chance.choice([(at, i, j) for at, batch in run.values
                              for i, j in pairs(batch, fits)[:40]])

    def change(rows):
        rows[i][column], rows[j][column] = rows[j][column], rows[i][column]
    return run.edited(at, change)


@kind('silent gap', 'hole at the sensor')
def drop_batch(run, chance):
    at, _ = chance.choice(run.once)
    return run.changed(logs.PLATFORM, lambda lines: lines.pop(at))


@kind('+')
def double_batch(run, chance):
    at, _ = chance.choice(run.batches)
    return run.platform(at, run.payload(at), insert=True)


@kind('conflict')
def other_content_under_a_key(run, chance):
    at, batch = chance.choice(run.values)

    def change(rows):
        rows[chance.randrange(len(rows))][2] ^= 1 << chance.randrange(20)
    return run.edited(at, change, insert=True)


@kind('invented', 'doubled slot')
def alter_value(run, chance):
    at, batch = chance.choice(run.values)

    def change(rows):
        rows[chance.randrange(len(rows))][2] ^= 1 << chance.randrange(31)
    return run.edited(at, change)


@kind('alarm lost or invented')
def alter_alarm(run, chance):
    at, batch = chance.choice([(at, batch) for at, batch in run.batches if batch.lane == 'alarm'])

    def change(rows):
        rows[chance.randrange(len(rows))][2] ^= 1
    return run.edited(at, change)


@kind('invented')
def swap_devices(run, chance):
    return exchange(run, chance, lambda a, b: a.device != b.device and a.row == b.row, 0)


@kind('invented')
def swap_points(run, chance):
    return exchange(run, chance, lambda a, b: a.device == b.device and a.row != b.row, 2)


@kind('out of order')
def swap_reads_of_a_point(run, chance):
    return exchange(run, chance, lambda a, b: (a.device, a.row) == (b.device, b.row), 2)


@kind('doubled slot')
def repeat_value(run, chance):
    at, i, j = chance.choice([
        (at, i, j) for at, batch in run.values
        for i, j in pairs(batch, lambda a, b: (a.device, a.row) == (b.device, b.row))[:40]])

    def change(rows):
        rows[j][2] = rows[i][2]
    return run.edited(at, change)


@kind('wrong time')
def alter_time(run, chance):
    at, _ = chance.choice(run.values)
    off = chance.choice([-1, 1]) * chance.randint(2_000, 90_000)

    def change(rows):
        rows[chance.randrange(len(rows))][1] += off
    return run.edited(at, change)


@kind('wrong time')
def alter_wall_clock(run, chance):
    at, batch = chance.choice(run.batches)
    batch = copy.copy(batch)
    batch.wall_ms += chance.choice([-1, 1]) * chance.randint(2_000, 10**10)
    return run.platform(at, _again(run, at, batch))


@kind('foreign box')
def alter_box(run, chance):
    at, batch = chance.choice(run.batches)
    batch = copy.copy(batch)
    batch.box = 'place-1714000.box-other'
    return run.platform(at, _again(run, at, batch))


def _again(run, at, batch):
    root = read_batch.Table(run.payload(at))
    return forge.write(batch, read_batch.decompressed(root.get(14, 'B'), root.bytes(16),
                                                      root.get(15, 'I')))


@kind('declared without a cause')
def declare_lost(run, chance):
    at, batch = chance.choice(run.batches)
    return run.platform(at, forge.tombstone(batch, chance.randrange(6)))


@kind('message unreadable')
def flip_a_bit(run, chance):
    at, _ = chance.choice(run.batches)
    payload = bytearray(run.payload(at))
    payload[chance.randrange(len(payload))] ^= 1 << chance.randrange(8)
    return run.platform(at, bytes(payload))


@kind('message unreadable')
def truncate_message(run, chance):
    at, _ = chance.choice(run.batches)
    payload = run.payload(at)
    return run.platform(at, payload[:chance.randrange(len(payload))])


@kind('reversal')
def swap_arrivals(run, chance):
    sessions = [at for at, _ in run.of_kind('birth')]
    at, then = chance.choice([
        (a, b) for n, (a, x) in enumerate(run.once) for b, y in run.once[n + 1:]
        if (x.epoch, x.lane) == (y.epoch, y.lane) and not any(a < s < b for s in sessions)
        and run.found[logs.PLATFORM][a]['topic'] == run.found[logs.PLATFORM][b]['topic']])

    def change(lines):
        lines[at], lines[then] = ({**lines[at], 'hex': lines[then]['hex']},
                                  {**lines[then], 'hex': lines[at]['hex']})
    return run.changed(logs.PLATFORM, change)


@kind('manifest wrong', 'silent gap')
def alter_manifest(run, chance):
    at, lane = chance.choice([(at, (epoch, lane)) for at, m in run.of_kind('manifest')
                              for epoch, lanes in m.json['epochs'].items() for lane in lanes])

    def change(value):
        said = value['epochs'][lane[0]][lane[1]]
        field = chance.choice(['head', 'count', 'sum', 'quality', 'expected', 'missed'])
        if field == 'sum':
            said['sum'] = f'{int(said["sum"], 16) ^ 1 << chance.randrange(64):016x}'
        elif field == 'quality':
            said['quality']['bad'] = said['quality'].get('bad', 0) + 1
        elif field == 'missed':
            said['slots']['missed']['timeout'] = said['slots']['missed'].get('timeout', 0) + 1
        else:
            where = said['slots'] if field == 'expected' else said
            where[field] += chance.randint(1, 1000)
    return run.json(at, change)


@kind('gone without a receipt')
def forget_rows(run, chance):
    at, key = chance.choice([(at, (epoch, lane)) for at, m in run.of_kind('manifest')
                             for epoch, lanes in m.json['epochs'].items()
                             for lane, said in lanes.items() if said['queued'] > 0])
    line = run.found[logs.PLATFORM][at]
    covered = len(run.evidence.receipted(line['ns'])[key])

    def change(value):
        said = value['epochs'][key[0]][key[1]]
        said['queued'] = max(0, said['head'] - covered - chance.randint(1, 5))
        said['head'] = max(said['head'], covered + 1 + said['queued'])
    return run.json(at, change)


@kind('health wrong')
def alter_health(run, chance):
    at, _ = chance.choice(run.of_kind('health'))

    def change(value):
        value['uplink'][chance.choice(['receipts', 'acknowledged_batches'])] += 10**6
    return run.json(at, change)


@kind('receipt says too much')
def widen_receipt(run, chance):
    at, (epoch, lane) = chance.choice([
        (at, key) for at, line in enumerate(run.found[logs.RECEIPTS])
        for key in [(e, lane) for e, lanes in line['body']['epochs'].items() for lane in lanes]])

    def change(lines):
        lines[at] = copy.deepcopy(lines[at])
        lines[at]['body']['epochs'][epoch][lane][-1][1] += chance.randint(1000, 10**6)
    return run.changed(logs.RECEIPTS, change)


@kind('damaged answer is good')
def call_an_answer_damaged(run, chance):
    record = chance.choice(run.good)
    request = run.evidence.by_token[record.device, record.point, record.raw][0].request

    def change(lines):
        lines[0] = copy.deepcopy(lines[0])
        lines[0]['layout']['damaged'].append({'device': record.device, 'kind': 'short',
                                              'first': request, 'last': request})
    return run.changed(logs.FAULTS, change)


@kind('served log altered')
def drop_served(run, chance):
    lines = run.found[logs.SERVED]
    ends = {0, len(lines) - 1}
    at = chance.choice([n for n in range(len(lines)) if n not in ends])
    return run.changed(logs.SERVED, lambda lines: lines.pop(at))


@kind('served log altered')
def double_served(run, chance):
    at = chance.choice([n for n, line in enumerate(run.found[logs.SERVED])
                        if line['point'] != 'wave'])
    return run.changed(logs.SERVED, lambda lines: lines.insert(at, lines[at]))


@kind('served log altered', 'invented', 'hole at the sensor')  # the last: two answers said the same before
def alter_served(run, chance):
    at = chance.randrange(len(run.found[logs.SERVED]))

    def change(lines):
        words = list(lines[at]['words'])
        words[chance.randrange(2)] ^= 1 << chance.randrange(16)
        lines[at] = {**lines[at], 'words': words}
    return run.changed(logs.SERVED, change)


@kind('sent before durable')
def drop_durable(run, chance):
    firsts = collections.Counter((line['epoch'], line['lane'], line['first'])
                                 for line in run.found[logs.DURABLE])
    came = {(b.epoch, b.lane, b.first) for _, b in run.batches if not b.tombstone}
    once = {first for first, times in firsts.items() if times == 1} & came
    at = chance.choice([n for n, line in enumerate(run.found[logs.DURABLE])
                        if (line['epoch'], line['lane'], line['first']) in once])
    return run.changed(logs.DURABLE, lambda lines: lines.pop(at))


@kind('durable lost')
def more_was_durable(run, chance):
    at = chance.randrange(len(run.found[logs.DURABLE]))

    def change(lines):
        lines[at] = {**lines[at], 'last': lines[at]['last'] + 10**6 + chance.randint(0, 1000)}
    return run.changed(logs.DURABLE, change)


@kind('log line missing')
def lose_a_line(run, chance):
    log = chance.choice(logs.NUMBERED)
    lines = list(run.found[log])
    lines.pop(chance.randrange(len(lines) - 1))
    return {**run.found, log: lines}


@kind('torn line')
def tear_a_line(run, chance):
    log = chance.choice((*logs.NUMBERED, logs.SERVED, logs.DURABLE))
    lines = list(run.found[log])
    text = json.dumps(lines.pop(chance.randrange(len(lines))))
    return {**run.found, log: lines, 'torn': [(log, text[:chance.randrange(1, len(text))])]}


def missed(run, name, chance):
    """Why a mutation of this kind was not named, or ''."""
    function, names = KINDS[name]
    found = function(run, chance)
    verdict = check.judge(found, run.evidence.decoder)
    if '+' in names:
        more = verdict.line['duplicates'] > run.verdict.line['duplicates']
        return '' if more and not verdict.findings else f'{verdict.line}'
    return '' if verdict.names() & names else f'not {sorted(names)} but {sorted(verdict.names())}'


def campaign(folder, each, seed, out=print, kinds=None):
    """How many mutations were missed; a line per kind."""
    run = Run(logs.read(folder))
    if run.verdict.findings:
        out(f'the run itself is not good: {run.verdict.findings[:3]}')
        return 1
    failed = 0
    for name in kinds or KINDS:
        chance = random.Random(f'{seed} {name}')
        problems = [p for p in (missed(run, name, chance) for _ in range(each)) if p]
        failed += len(problems)
        out(f'{name:28} {each - len(problems)}/{each} named  {problems[0] if problems else ""}')
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder')
    parser.add_argument('--each', type=int, default=1000)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    return bool(campaign(options.folder, options.each, options.seed))


if __name__ == '__main__':
    sys.exit(main())
