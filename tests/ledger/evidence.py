"""A run's logs, brought together: what was served, what arrived, what was declared, what was done.

Only what protocol.md says is used to read them.  Whatever is wrong with the logs themselves is a
finding of check K0.
"""
import collections
import functools
from dataclasses import dataclass

import logs
from records import Decoder
from spans import Spans

MS = 1_000_000
DEVICE_ROW, ALARM_ROW = 0xFFFF, 0x8000
GOOD, COMM_ERROR = 0, 5


@dataclass(frozen=True)
class Served:
    device: str
    point: str
    request: int
    raw: int  # the register's words, the first one highest
    ns: int  # CLOCK_MONOTONIC
    boot_ms: int
    damaged: bool


@dataclass(frozen=True)
class Record:
    epoch: str
    lane: str
    seq: int
    device: str
    point: str | None  # None: the device as a whole
    row: int
    raw: int
    quality: int
    time: int  # CLOCK_BOOTTIME in ms
    ns: int  # when the platform had it first
    topic: str


class Evidence:
    def __init__(self, found, decoder=None):
        self.findings = []  # (check, name, detail)
        self.decoder = decoder or Decoder()
        self.begin = next((line for line in found[logs.FAULTS] if line.get('what') == 'begin'), {})
        self.layout = self.begin.get('layout', {'devices': {}, 'damaged': []})
        self.faults = [line for line in found[logs.FAULTS] if line.get('what') == 'fault']
        self.starts = [line for line in found[logs.FAULTS] if line.get('what') == 'start']
        self.proofs = [line for line in found[logs.FAULTS] if line.get('what') == 'proof']
        self.damages = [line for line in found[logs.FAULTS] if line.get('what') == 'damage']
        self.clock_offsets = [0] + [line['offset_ms'] for line in found[logs.FAULTS]
                                    if line.get('what') == 'clock']
        self.receipts = found[logs.RECEIPTS]
        self.durable = found[logs.DURABLE] if found['has_durable'] else None
        self._whole(found)
        self._read_served(found[logs.SERVED])
        self._read_platform(found[logs.PLATFORM])
        self._read_records()

    def find(self, check, name, detail):
        self.findings.append((check, name, detail))

    def boot_ns(self, boot_ms):
        """CLOCK_BOOTTIME in ms as CLOCK_MONOTONIC in ns."""
        return boot_ms * MS - self.begin.get('boot_minus_mono_ns', 0)

    def _whole(self, found):
        for name, text in found['torn']:
            self.find('K0', 'torn line', f'{name}: {text[:60]}')
        for name in logs.NUMBERED:
            before = {'n': 0, 'ns': 0}
            for line in found[name]:
                if line['n'] != before['n'] + 1 or line['run'] != self.begin.get('run'):
                    self.find('K0', 'log line missing', f'{name}: after line {before["n"]} comes '
                                                        f'{line["n"]} of run {line["run"]}')
                if line['ns'] < before['ns'] and name != logs.FAULTS:
                    self.find('K0', 'log out of order', f'{name}: line {line["n"]}')
                before = line
        kinds = [line['what'] for line in found[logs.FAULTS]]
        if kinds[:1] != ['begin'] or kinds[-1:] != ['end']:
            self.find('K0', 'log line missing', 'faults.log does not go from begin to end')

    def _read_served(self, lines):
        damaged = {(each['device'], request) for each in self.layout['damaged']
                   for request in range(each['first'], each['last'] + 1)}
        self.served = []  # in the order of the log
        requests = collections.defaultdict(lambda: collections.defaultdict(set))
        for line in lines:
            raw = 0
            for word in line['words']:
                raw = raw << 16 | word
            key = line['device'], line['request']
            self.served.append(Served(line['device'], line['point'], line['request'], raw,
                                      self.boot_ns(line['boot_ms']), line['boot_ms'],
                                      key in damaged))
            requests[line['device']][line['request']].add(line['point'])
        self.by_token = collections.defaultdict(list)
        for each in self.served:
            self.by_token[each.device, each.point, each.raw].append(each)
        self._served_whole(requests)

    def _served_whole(self, requests):
        """The simulator's log is whole: registers count on, requests have all points."""
        last = {}
        for each in self.served:
            base = self.layout['devices'].get(each.device, {}).get(each.point)
            key = each.device, each.point
            if base is not None and not base < each.raw < base + (1 << 20):
                self.find('K0', 'served log altered', f'{key} says {each.raw}')
            elif base is not None and key in last and each.raw != last[key] + 1:
                self.find('K0', 'served log altered', f'{key}: after {last[key]} comes {each.raw}')
            last[key] = each.raw
        for device, numbers in requests.items():
            every = set.union(*numbers.values())
            if sorted(numbers) != list(range(min(numbers), max(numbers) + 1)):
                self.find('K0', 'served log altered', f'{device}: a request is missing')
            for number, points in numbers.items():
                if points != every:
                    self.find('K0', 'served log altered',
                              f'{device}, request {number}: {sorted(every - points)} is missing')

    def _read_platform(self, lines):
        self.messages = []  # (line, Message)
        self.dictionaries = {}
        self.content = collections.defaultdict(dict)  # (epoch, lane) -> seq -> (content, boot, mix)
        self.arrivals = collections.defaultdict(list)  # (epoch, lane) -> (ns, first, last, lost)
        self.batches = {}  # (epoch, lane, seq) -> (line, batch) that brought it first
        self.declared = []  # (line, batch)
        self.events = []  # (line, batch, sequence, event)
        self.duplicates, self.conflicts = 0, 0
        for line in lines:
            message = self.decoder.message(line)
            self.messages.append((line, message))
            if message.problem:
                self.find('K0', 'message unreadable', f'line {line["n"]}, {line["topic"]}: '
                                                      f'{message.problem}')
            if message.hash and not message.problem:
                self.dictionaries[message.hash] = message.json
            if message.batch is not None and not message.problem:
                self._take_batch(line, message)

    def _take_batch(self, line, message):
        batch = message.batch
        key = batch.epoch, batch.lane
        if batch.box != self.begin.get('box'):
            self.find('K1', 'foreign box', f'line {line["n"]} says {batch.box}')
        self.arrivals[key].append((line['ns'], batch.first, batch.first + batch.count - 1,
                                   batch.tombstone is not None))
        if batch.tombstone is not None:
            self.declared.append((line, batch))
            return
        known = self.content[key]
        for seq, content, mix in message.content:
            if seq not in known:
                known[seq] = (content, batch.boot, mix)
                self.batches[*key, seq] = (line, batch)
            elif known[seq] == (content, batch.boot, mix):
                self.duplicates += 1
            else:
                self.conflicts += 1
                self.find('K1', 'conflict', f'{key} {seq}: {known[seq][0]} and {content}')
        self.events += [(line, batch, seq, event) for seq, event in message.events]

    def _read_records(self):
        self.records = []
        for (epoch, lane), known in self.content.items():
            for seq in sorted(known):
                content = known[seq][0]
                device, row, time, _, bits, _, quality, _, _ = content
                line, batch = self.batches[epoch, lane, seq]
                if device == 0:
                    continue
                dictionary = self.dictionaries.get(batch.dictionaries[device])
                if dictionary is None:
                    self.find('K3', 'no dictionary', f'{lane} {seq}: {batch.dictionaries[device]}')
                    continue
                points = {point['row']: point['id'] for point in dictionary['points']}
                self.records.append(Record(
                    epoch, lane, seq, dictionary['device']['id'], points.get(row), row, bits,
                    quality, time, line['ns'], line['topic'].split('/')[2]))

    # What several checks ask.

    @functools.cached_property
    def delivered(self):
        """(epoch, lane) -> Spans of readings that are here."""
        return {key: Spans(_runs(sorted(known))) for key, known in self.content.items()}

    @functools.cached_property
    def tombstoned(self):
        """(epoch, lane) -> Spans of what tombstones declare."""
        found = collections.defaultdict(Spans)
        for _, batch in self.declared:
            found[batch.epoch, batch.lane].add(batch.first, batch.first + batch.count - 1)
        return found

    @functools.cached_property
    def withdrawn(self):
        """(epoch, lane) -> Spans of what is declared lost in any way."""
        found = collections.defaultdict(Spans)
        for key, spans in self.tombstoned.items():
            found[key] = Spans(spans.ranges)
        gone = self.vanished
        for (epoch, lane), head in self.heads.items():
            if epoch in gone and head:
                found[epoch, lane].add(1, head)
        return found

    @functools.cached_property
    def vanished(self):
        """Epochs that were there and that a birth no longer lists, without having been closed: lost
        with the store (protocol.md, section 6).  By epoch, when that birth came."""
        closed = {event['epoch'] for *_, event in self.events if event['type'] == 'epoch_closed'}
        seen, gone = set(), {}
        for line, message in self.messages:
            if message.kind == 'birth' and not message.problem and not line['retain']:
                listed = set(message.json['epochs'])
                for epoch in seen - listed - closed:
                    gone.setdefault(epoch, line['ns'])
                seen |= listed
        return gone

    @functools.cached_property
    def heads(self):
        """(epoch, lane) -> the highest sequence that the box announced in any way."""
        found = {}
        for _, message in self.messages:
            for epoch, lane, head in message.heads if not message.problem else ():
                found[epoch, lane] = max(head, found.get((epoch, lane), 0))
        return found

    def receipted(self, before):
        """(epoch, lane) -> Spans that receipts sent before the instant cover."""
        found = collections.defaultdict(Spans)
        for line in self.receipts:
            if line['ns'] < before:
                for epoch, lanes in line['body']['epochs'].items():
                    for lane, ranges in lanes.items():
                        for first, last in ranges:
                            found[epoch, lane].add(first, last)
        return found


def _runs(numbers):
    """Ascending numbers as closed ranges."""
    start = None
    for at, number in enumerate(numbers):
        if start is None:
            start = number
        if at + 1 == len(numbers) or numbers[at + 1] != number + 1:
            yield start, number
            start = None
