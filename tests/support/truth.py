"""What a finished run is judged by: nothing here knows our C++.

A counting register gives the number of times it has been read.  So the values of such a point, in
order, are 1, 2, 3 …: a hole is a lost reading and a repeat is a duplicate, whatever anybody's
counters say.
"""
import collections
import fractions
import json
import socket
import struct

import procs


def read_register(port, address, unit=1):
    """One holding register (PDU address) by a Modbus request written out here."""
    request = struct.pack('>HHHBBHH', 1, 0, 6, unit, 3, address, 1)
    with socket.create_connection(('127.0.0.1', port), 5) as line:
        line.sendall(request)
        answer = b''
        while len(answer) < 11:
            part = line.recv(64)
            if not part:
                raise ConnectionError('the device closed the line')
            answer += part
    return struct.unpack('>H', answer[9:11])[0]


def mistakes_of_ledger(records):
    """Every sequence from the first to the last of each (epoch, lane): once, or declared lost."""
    seen = collections.defaultdict(list)
    lost = collections.defaultdict(set)
    for record in records:
        if record['line'] in ('reading', 'event'):
            seen[record['epoch'], record.get('lane', 'control')].append(record['seq'])
        elif record['line'] == 'gap':
            lost[record['epoch'], record['lane']] |= set(range(record['first'], record['last'] + 1))
    for key in seen.keys() | lost.keys():
        numbers = set(seen[key])
        for sequence, times in collections.Counter(seen[key]).items():
            if times > 1:
                yield f'{key}: sequence {sequence} is in the file {times} times'
        every = numbers | lost[key]
        missing = set(range(1, max(every) + 1)) - every
        if missing:
            yield f'{key}: {len(missing)} sequences are neither here nor declared, ' \
                  f'from {min(missing)} to {max(missing)}'


def values_of(records, device, point, by='boot_ms'):
    """Good values of one point in the order they were measured; over boots `by` the time."""
    chosen = [record for record in records
              if record['line'] == 'reading' and record['device'] == device
              and record['point'] == point and record['quality'] == 'good']
    return [record['value'] for record in sorted(chosen, key=lambda r: (r[by], r['seq']))]


def by_point(records):
    """The readings of each (device, point)."""
    found = collections.defaultdict(list)
    for record in records:
        if record['line'] == 'reading':
            found[record['device'], record['point']].append(record)
    return found


def mistakes_of_count(values, last, allowed_lost=0):
    """1, 2, 3 … last; `allowed_lost` reads may have ended with a killed process before they were
    accepted."""
    wanted = collections.Counter(range(1, last + 1))
    have = collections.Counter(values)
    lost = sorted((wanted - have).elements())
    extra = sorted((have - wanted).elements())
    if len(lost) > allowed_lost:
        yield f'{len(lost)} of {last} served values never arrived: {lost[:10]}'
    if extra:
        yield f'{len(extra)} values were served once and arrived again: {extra[:10]}'
    if values != sorted(values):
        yield 'the values are out of order'


def mistakes_of_values(served_log, records, device, point, scale):
    """What arrived of a 16-bit point, against the simulator's own log of what it served.

    A value that the log has at the end and the file lacks is not a mistake here: counting points
    tell what is missing."""
    served = [json.loads(line) for line in procs.whole_lines(served_log)]
    wanted = collections.Counter(
        float(fractions.Fraction(line['words'][0]) * fractions.Fraction(scale)) for line in served
        if line['device'] == device and line.get('point') == point)
    have = collections.Counter(float(value) for value in values_of(records, device, point))
    wrong = sorted((have - wanted).elements())
    if wrong or not have:
        yield f'{device} {point}: {len(wrong)} values were never served: {wrong[:5]}'
