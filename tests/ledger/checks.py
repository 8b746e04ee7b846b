"""K1 to K12: what a run's evidence must show.  Each function finds what breaks its promise; K1 is
found where the batches are read (evidence.py), where K0 judges the logs themselves.
"""
import collections
import struct

from evidence import ALARM_ROW, COMM_ERROR, DEVICE_ROW, GOOD, MS
from records import read_batch
from spans import Spans

STORE_EVENTS = ('storage-lied', 'store-lost', 'store-damaged')
UNDER_WAY = 50 * MS  # an answer to one that was just killed; no start asks so soon
BUSY = ('kill', 'stop')  # each may catch one answer per device before it is accepted


def k2_cover(e):
    """Every sequence from 1 to each announced head is here or declared lost."""
    here, lost = e.delivered, e.withdrawn
    for (epoch, lane), head in e.heads.items():
        spans = Spans([*here.get((epoch, lane), Spans()).ranges,
                       *lost.get((epoch, lane), Spans()).ranges])
        for first, last in spans.missing(1, head):
            e.find('K2', 'silent gap', f'{epoch[:8]} {lane} {first}-{last} of {head}')


def k3_truth(e):
    """Each value is one that its register served; none is there twice; its meaning is that of the
    profile."""
    tokens = collections.Counter()
    for record in e.records:
        where = f'{record.epoch[:8]} {record.lane} {record.seq}: {record.device} {record.point}'
        if record.row == DEVICE_ROW or record.row >= ALARM_ROW:
            continue
        entries = e.by_token.get((record.device, record.point, record.raw), [])
        if not entries:
            e.find('K3', 'invented', f'{where} {record.raw} was never served')
        elif record.point in e.layout['devices'].get(record.device, {}):
            tokens[record.device, record.point, record.raw] += 1
            if tokens[record.device, record.point, record.raw] == 2:
                e.find('K3', 'doubled slot', f'{where} {record.raw} is there under two keys')
    for dictionary in e.dictionaries.values():
        _meaning(e, dictionary)
    _alarms(e)


def _meaning(e, dictionary):
    device = dictionary['device']['id']
    bases = e.layout['devices'].get(device, {})
    points = {point['id']: point for point in dictionary['points']}
    for name, base in bases.items():
        point = points.get(name, {})
        if (point.get('scale'), point.get('offset')) != ('1', str(-base)):
            e.find('K3', 'wrong meaning', f'{device} {name}: {point}')


def _alarms(e):
    """The alarms of an epoch are those that its kept values raise and clear; an alarm is stored at
    once, so one may be there whose value was lost in a cut."""
    rule = e.layout.get('alarm')
    if not rule or e.declared or e.damages or any(fault.get('open') for fault in e.faults):
        return
    waves, alarms = collections.defaultdict(list), collections.defaultdict(list)
    for record in e.records:
        if record.point == 'wave' and record.quality == GOOD:
            value = struct.unpack('<f', struct.pack('<I', record.raw))[0]
            waves[record.epoch, record.device].append((record.time, value))
        elif ALARM_ROW <= record.row < DEVICE_ROW:
            alarms[record.epoch, record.device].append((record.time, record.raw))
    for key in waves.keys() | alarms.keys():
        values, raised, wanted = sorted(waves[key]), False, []
        for time, value in values:
            if value > rule['above'] if not raised else value < rule['below']:
                raised = not raised
                wanted.append((time, int(raised)))
        last = values[-1][0] if values else 0
        came = sorted(alarms[key])
        if [each for each in came if each[0] <= last] != wanted:
            e.find('K4', 'alarm lost or invented', f'{key[0][:8]} {key[1]}: {came}, the values say '
                                                   f'{wanted}')


def k4_no_hole(e):
    """Each good answer has a reading, but for what a fault may take; returns how many it took."""
    have = {(r.device, r.point, r.raw) for r in e.records}
    missing = [s for s in e.served if not s.damaged and (s.device, s.point, s.raw) not in have]
    last = {}  # (fault, device) -> the last request that the device answered before its end
    for number, fault in enumerate(e.faults):
        for served in e.served:
            if served.ns <= fault['end'] + UNDER_WAY:
                last[number, served.device] = served.request
    excused, resumed = _failures(e), _resumed(e, have)
    tail = bool(e.damages) and (_told(e) or bool(e.vanished))  # nobody knows where it ended
    unknown = sum(batch.count for _, batch in e.declared
                  if batch.tombstone['first_time_ms'] is None)
    taken = 0
    for served in missing:
        if any(_takes(fault, served, last.get((number, served.device)), resumed[number])
               for number, fault in enumerate(e.faults)) or _declares(e, served) or \
                tail and served.ns < e.damages[-1]['ns']:
            taken += 1
        elif (served.device, served.request) in excused:
            pass
        elif unknown > 0:
            unknown -= 1
            taken += 1
        else:
            e.find('K4', 'hole at the sensor', f'{served.device} {served.point}, request '
                                               f'{served.request} at {served.boot_ms} ms')
    return taken


def _resumed(e, have):
    """Per fault in which answers may be missing and device: when the first answer after its end was
    kept.  That it is kept in time is a promise too."""
    found = []
    for fault in e.faults:
        found.append({})
        for served in e.served if fault.get('open') else ():
            key = served.device, served.point, served.raw
            if served.ns > fault['end'] and key in have:
                found[-1].setdefault(served.device, served.ns)
        late = fault['end'] + fault.get('resumes_ms', 0) * MS
        for device, ns in found[-1].items():
            if ns > late:
                e.find('R', 'not back in time', f'{device}: {(ns - fault["end"]) // MS} ms after '
                                                f'{fault["kind"]}')
    return found


def _takes(fault, served, last_request, resumed):
    young = (fault['cut'] or fault['begin']) - fault['loses_ms'] * MS <= served.ns + MS
    if fault['kind'] in BUSY:
        return young and served.request == last_request
    if fault['kind'] == 'power':
        return young and served.ns <= fault['end']
    return fault['begin'] <= served.ns <= resumed.get(served.device, 0)


def _declares(e, served):
    """A tombstone's times cover it."""
    return any(batch.tombstone['first_time_ms'] is not None and
               batch.tombstone['first_time_ms'] <= served.boot_ms + 500 and
               served.boot_ms - 500 <= batch.tombstone['last_time_ms'] for _, batch in e.declared)


def _failures(e):
    """Undamaged requests that the box says failed (too late): the one before each such reading, and
    those until it says that the device is back."""
    found = set()
    back = sorted((r.time, r.device) for r in e.records
                  if r.row == DEVICE_ROW and r.quality == GOOD)
    for record in e.records:
        if record.quality != COMM_ERROR:
            continue
        before = [s for s in e.served
                  if s.device == record.device and s.boot_ms <= record.time + 50]
        if before and not before[-1].damaged:
            found.add((record.device, before[-1].request))
        up = next((time for time, device in back
                   if device == record.device and time > record.time), 0)
        found.update((s.device, s.request) for s in e.served if s.device == record.device and
                     record.time <= s.boot_ms < up - 50 and not s.damaged)
    return found


def k5_durable(e):
    """What was durable before a cut is here or declared; what the platform had seen and not
    receipted before a cut came again."""
    here, lost = e.delivered, e.withdrawn
    cuts = [fault for fault in e.faults if fault['cut'] is not None]
    told = e.damages and (_told(e) or e.vanished)  # nobody knows how much it was
    for line in e.durable or ():
        key = line['epoch'], line['lane']
        if any(_passes(line, cut) for cut in cuts) or \
                told and line['ns'] < e.damages[-1]['ns']:
            continue
        for first, last in here.get(key, Spans()).missing(line['first'], line['last']):
            if not lost.get(key, Spans()).covers(first, last):
                e.find('K5', 'durable lost', f'{key[0][:8]} {key[1]} {first}-{last}')
    if e.durable is not None:
        _sent_is_durable(e)
    for proof in e.proofs:
        before = e.receipted(proof['cut'])
        for key, arrivals in e.arrivals.items():
            again = Spans((first, last) for ns, first, last, _ in arrivals
                          if proof['since'] < ns <= proof['ns'])
            for ns, first, last, _ in arrivals:
                if ns < proof['cut']:
                    for low, high in before[key].missing(first, last):
                        for gap in again.missing(low, high):
                            e.find('K5', 'durable lost', f'{key[0][:8]} {key[1]} {gap} was here '
                                                         'before the cut and gone after it')
    if not e.damages:
        _closed(e, cuts)
        for line, _, _, event in e.events:
            if event.get('code') in STORE_EVENTS:
                e.find('K5', 'durable lost', f'line {line["n"]}: the box says {event["code"]}')


def _passes(line, cut):
    """After a cut of the power commits may still seem to return.  At a stop they do, but the row that
    tells of it may have come too late to be sent."""
    late = cut['cut'] <= line['ns'] <= cut['end']
    is_end = line['lane'] == 'control' and line['first'] == line['last']
    return late and (cut['kind'] == 'power' or cut['kind'] == 'stop' and is_end)


def _closed(e, cuts):
    """A start closes every earlier epoch, with heads no lower than what had come before its end."""
    opened = {batch.epoch: batch.boottime_ms for _, batch, _, event in e.events
              if event['type'] == 'epoch_opened'}
    closed = {event['epoch']: event['heads'] for *_, event in e.events
              if event['type'] == 'epoch_closed'}
    for (epoch, lane), arrivals in e.arrivals.items():
        top = max((last for ns, _, last, _ in arrivals if any(ns < c['cut'] for c in cuts)),
                  default=0)
        if epoch in closed and closed[epoch].get(lane, 0) < top:
            e.find('K5', 'durable lost', f'{epoch[:8]} {lane} was closed at '
                                         f'{closed[epoch].get(lane, 0)}, {top} had come before')
        elif epoch not in closed and opened and opened.get(epoch, -1) < max(opened.values()):
            e.find('K5', 'durable lost', f'{epoch[:8]} {lane}: the epoch was never closed')


def _sent_is_durable(e):
    """Only bytes whose commit returned are ever sent: each arrival has its line before it.  A kill
    may fall between the commit and its line; what comes after it comes from the store."""
    durable, opened = collections.defaultdict(list), {}
    for line in e.durable:
        durable[line['epoch'], line['lane']].append((line['ns'], line['first'], line['last']))
        opened.setdefault(line['epoch'], line['ns'])
    kills = [fault['cut'] for fault in e.faults if fault['kind'] in ('kill', 'power')]
    for key, arrivals in e.arrivals.items():
        for ns, first, last, tombstone in arrivals:
            if any(opened.get(key[0], 0) < cut < ns for cut in kills):
                continue
            spans = Spans((low, high) for when, low, high in durable[key] if when <= ns)
            if not tombstone and not spans.covers(first, last):
                e.find('K5', 'sent before durable', f'{key[0][:8]} {key[1]} {first}-{last}')


def k6_order(e):
    """The order of sequences is the order of acquisition, per point; and no reversal arrives inside
    live or history of one session, but for what is sent again."""
    # What a failed commit leaves over goes into the next epoch: two of a lane may begin in one ms.
    times = collections.defaultdict(list)
    for record in e.records:
        times[record.epoch, record.lane].append(record.time)
    began = {place: (min(known), max(known)) for place, known in times.items()}
    last = {}
    for record in sorted(e.records, key=lambda r: (began[r.epoch, r.lane], r.epoch, r.lane, r.seq)):
        key = record.device, record.row
        before = last.get(key)
        if before and record.time < before.time:
            e.find('K6', 'out of order', f'{key} {record.seq}: time {before.time} then '
                                         f'{record.time}')
        if before and record.point in e.layout['devices'].get(record.device, {}) and \
                record.raw < before.raw:
            e.find('K6', 'out of order', f'{key} {record.seq}: read {before.raw} then {record.raw}')
        last[key] = record
    _arrival_order(e)


def _arrival_order(e):
    if any(fault.get('drops') for fault in e.faults):
        return  # what was lost at the broker is sent again, after what is newer
    seen, top = collections.defaultdict(Spans), {}
    hellos = [line['ns'] for line in e.receipts if line['body']['hello']]
    for line, message in e.messages:
        if message.kind == 'birth' or hellos and line['ns'] > hellos[0]:
            hellos, top = [ns for ns in hellos if ns > line['ns']], {}
        batch = message.batch
        if batch is None or message.problem or batch.tombstone:
            continue
        key, last = (batch.epoch, batch.lane), batch.first + batch.count - 1
        if not seen[key].overlaps(batch.first, last) and \
                batch.first < top.get((message.kind, key), 0):
            e.find('K6', 'reversal', f'line {line["n"]}: {message.kind} {batch.lane} {batch.first} '
                                     f'after {top[message.kind, key]}')
        top[message.kind, key] = max(last, top.get((message.kind, key), 0))
        seen[key].add(batch.first, last)


def k7_time(e):
    """A reading's time is that of its answer, and the batch's wall clock is the host's."""
    bound = e.layout.get('time_bound_ms', 1000)
    for record in e.records:
        entries = e.by_token.get((record.device, record.point, record.raw), [])
        if entries and min(abs(s.boot_ms - record.time) for s in entries) > bound:
            e.find('K7', 'wrong time', f'{record.lane} {record.seq}: {record.time} for an '
                                       f'answer at {entries[0].boot_ms}')
    real = (e.begin.get('wall_minus_mono_ns', 0) - e.begin.get('boot_minus_mono_ns', 0)) // MS
    for line, message in e.messages:
        batch = message.batch
        if batch is not None and batch.clock != 'unset' and \
                min(abs(batch.wall_ms - batch.boottime_ms - real - off)
                    for off in e.clock_offsets) > bound:
            e.find('K7', 'wrong time', f'line {line["n"]}: the wall clock is off')


def k8_manifests(e):
    """Head, count, sum, qualities and slots of each manifest follow from what arrived."""
    books, before = {}, {}
    for line, message in e.messages:
        if message.kind != 'manifest' or message.problem:
            continue
        for epoch, lanes in message.json['epochs'].items():
            for lane, said in lanes.items():
                key, where = (epoch, lane), f'line {line["n"]}, {epoch[:8]} {lane}: '
                slots = said['slots']
                if slots['expected'] != slots['good'] + slots['other'] + slots['suppressed'] + \
                        sum(slots['missed'].values()):
                    e.find('K8', 'manifest wrong', where + f'slots {slots}')
                if said['head'] < before.get(key, 0) and not (e.damages and _told(e)):
                    e.find('K8', 'manifest wrong', where + 'the head went back')
                before[key] = said['head']
                if e.delivered.get(key, Spans()).covers(1, said['head']):
                    lost = _lost_when(e, key, line['ns'], said, where)
                    unknown = said['count'] + said['tombstoned'] < said['head'] and \
                        e.damages and _told(e)
                    if lost is not None and not unknown:
                        book = books.setdefault((key, len(lost)), _Book(e.content[key], lost))
                        _compare(e, book, said, where)


def _lost_when(e, key, ns, said, where):
    """The tombstones that a manifest counts: those that had come, and those of the later ones that
    make up its number; None when that cannot be told."""
    lost = Spans()
    arrivals = [(when, first, last) for when, first, last, tombstone in e.arrivals[key] if tombstone]
    for when, first, last in [*arrivals, (None, 1, 0)]:
        if when is None or when > ns:
            if sum(min(high, said['head']) - low + 1 for low, high in lost.ranges
                   if low <= said['head']) == said['tombstoned']:
                return lost
        if when is not None:
            lost.add(first, last)
    had = Spans((first, last) for when, first, last in arrivals if when <= ns)
    if not len(had) <= said['tombstoned'] <= len(lost):
        e.find('K8', 'manifest wrong', where + f'tombstoned is {said["tombstoned"]}, '
                                               f'arrived is {len(had)} to {len(lost)}')
    return None


def _told(e):
    """The box says that its storage lost what it had."""
    return any(event.get('code') in (*STORE_EVENTS, 'store-failed') for *_, event in e.events)


class _Book:
    """What manifests say of one lane up to a sequence, without what tombstones withdraw."""

    def __init__(self, known, lost):
        self.known, self.lost = known, lost
        self._restart()

    def _restart(self):
        self.head, self.count, self.total = 0, 0, 0
        self.quality, self.cause = collections.Counter(), collections.Counter()

    def advance(self, head):
        """The numbers up to this head."""
        if head < self.head:
            self._restart()
        for seq in range(self.head + 1, head + 1):
            if not self.lost.overlaps(seq, seq):
                content, _, mix = self.known[seq]
                self.count += 1
                self.total = self.total + mix & read_batch.MASK64
                self.quality[read_batch.QUALITIES[content[6]]] += 1
                if content[7]:
                    self.cause[read_batch.cause_name(content[7])] += 1
        self.head = head
        return {'count': self.count, 'sum': f'{self.total:016x}',
                'quality': dict(self.quality), 'cause': dict(self.cause)}


def _compare(e, book, said, where):
    for name, value in book.advance(said['head']).items():
        other = said[name]
        if isinstance(other, dict):
            other = {k: v for k, v in other.items() if v}
        if other != value:
            e.find('K8', 'manifest wrong', where + f'{name} is {other}, arrived is {value}')


def k9_reasons(e):
    """Each declared loss has a fault before it that may cause its reason, and all of them stay
    within the budget of the run; returns what was declared by reason."""
    here = e.delivered
    lost, ranges = collections.Counter(), collections.defaultdict(Spans)
    for line, batch in e.declared:
        reason = batch.tombstone['reason']
        key = batch.epoch, batch.lane
        ranges[reason, key].add(batch.first, batch.first + batch.count - 1)
        if not any(reason in fault['may'] and fault['begin'] < line['ns'] for fault in e.faults):
            e.find('K9', 'declared without a cause', f'{batch.epoch[:8]} {batch.lane} '
                                                     f'{batch.first}+{batch.count}: {reason}')
    for (reason, key), spans in ranges.items():
        for first, last in spans.ranges:
            lost[reason] += sum(high - low + 1 for low, high
                                in here.get(key, Spans()).missing(first, last))
    for epoch, ns in e.vanished.items():
        if not any('store_lost' in fault['may'] and fault['begin'] < ns for fault in e.faults):
            e.find('K9', 'declared without a cause', f'{epoch[:8]} is no longer listed')
        lost['store_lost'] += sum(high - low + 1 for key, head in e.heads.items()
                                  if key[0] == epoch
                                  for low, high in here.get(key, Spans()).missing(1, head))
    budget = sum(fault['budget'] for fault in e.faults)
    if sum(lost.values()) > budget:
        e.find('K9', 'over the loss budget', f'{dict(lost)}, allowed {budget}')
    return {reason: count for reason, count in lost.items() if count}


def k10_receipts(e):
    """Nothing left the box that no receipt covered, no receipt says more than had come, and none
    goes back."""
    for line in e.receipts:
        had = collections.defaultdict(Spans)
        for key, arrivals in e.arrivals.items():
            for ns, first, last, _ in arrivals:
                if ns <= line['ns']:
                    had[key].add(first, last)
        for epoch, lanes in line['body']['epochs'].items():
            for lane, ranges in lanes.items():
                for first, last in ranges:
                    if not had[epoch, lane].covers(first, last):
                        e.find('K10', 'receipt says too much', f'line {line["n"]}: {lane} '
                                                               f'{first}-{last}')
    for line, message in e.messages:
        if message.problem or line['retain'] or message.kind not in ('birth', 'manifest'):
            continue
        known = e.receipted(line['ns'])
        for epoch, state in message.json['epochs'].items():
            for lane, said in (state['lanes'] if message.kind == 'birth' else state).items():
                free = _freed(message.kind, said, known[epoch, lane])
                if free:
                    e.find('K10', 'gone without a receipt', f'line {line["n"]}: {epoch[:8]} {lane} '
                                                            f'{free}')


def _freed(kind, said, covered):
    """What the box no longer holds and no receipt covers, as text."""
    if kind == 'birth':
        missing = covered.missing(1, min(said['first_held'] - 1, said['head']))
        return f'{missing}' if missing else ''
    gone = said['head'] - said['queued'] - said['tombstoned']
    return f'{gone} gone, {len(covered)} receipted' if gone > len(covered) else ''


def k11_quality(e):
    """An answer that the simulator damaged is never a good value; a device is told to be back only
    when it was told to have failed, unless that may be among what was lost.  A store that fails in
    between begins an epoch within the process."""
    lost = e.withdrawn

    def process(record):
        return sum(start['ns'] <= record.time * MS for start in e.starts)
    failed = {(r.device, process(r)) for r in e.records if r.row == DEVICE_ROW and r.quality != GOOD}
    for record in e.records:
        entries = e.by_token.get((record.device, record.point, record.raw), [])
        counted = record.point in e.layout['devices'].get(record.device, {})
        if counted and record.quality == GOOD and entries and entries[0].damaged:
            e.find('K11', 'damaged answer is good', f'{record.device} {record.point}, request '
                                                    f'{entries[0].request}')
        if record.row == DEVICE_ROW and (record.device, process(record)) not in failed and \
                not lost.get((record.epoch, record.lane), Spans()).overlaps(1, record.seq):
            e.find('K11', 'back without a failure', f'{record.device} {record.seq}')


def k12_counters(e):
    """The health topic's counters do not contradict what was seen in its session."""
    births = {}
    for line, message in e.messages:
        if message.problem:
            continue
        if message.kind == 'birth':
            births.setdefault(message.json['session'], line['ns'])
        if message.kind != 'health':
            continue
        # What a killed process had not acknowledged the broker gives to the next one.
        start = ([0, 0] + sorted(s['ns'] for s in e.starts if s['ns'] <= line['ns']))[-2]
        said, session = message.json['uplink'], births.get(message.json['session'], line['ns'])
        came = sum(session <= before['ns'] < line['ns'] and each.batch is not None
                   for before, each in e.messages)
        sent = sum(start <= receipt['ns'] < line['ns'] for receipt in e.receipts)
        if came > said['sent_batches'] or said['receipts'] > sent or said['sessions'] < 1 or \
                said['acknowledged_batches'] > said['sent_batches']:
            e.find('K12', 'health wrong', f'line {line["n"]}: {said}; came {came}, receipts {sent}')
