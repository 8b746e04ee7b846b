"""Writes batches for the mutator: what read_batch.py decoded, changed, with a right CRC.

All fields of the header lie at fixed places; numbers are little-endian (schemas/batch.fbs)."""
import struct

from records import read_batch

SLOTS = (100, 72, 76, 40, 102, 103, 8, 16, 56, 24, 32, 104, 80, 84, 105, 88, 92, 96)
VTABLE, TABLE, TABLE_SIZE = 8, 48, 112


def write(batch, body, tombstone=False):
    """The message of a decoded batch with this body, not compressed."""
    out = bytearray(TABLE + TABLE_SIZE)

    def put(at, form, *values):
        struct.pack_into('<' + form, out, at, *values)

    def refer(slot):
        put(TABLE + SLOTS[slot], 'I', len(out) - TABLE - SLOTS[slot])

    put(0, 'I', TABLE)
    out[4:8] = b'SSB1'
    put(VTABLE, '20H', 40, TABLE_SIZE, *SLOTS)
    put(TABLE, 'i', TABLE - VTABLE)
    error = read_batch.MASK32 if batch.clock_error_ms is None else batch.clock_error_ms
    for slot, form, value in ((0, 'H', 1), (4, 'B', read_batch.LANES.index(batch.lane)),
                              (5, 'B', int(tombstone)), (6, 'Q', batch.first),
                              (7, 'Q', batch.count), (9, 'q', batch.boottime_ms),
                              (10, 'q', batch.wall_ms), (12, 'I', error),
                              (11, 'B', read_batch.CLOCKS.index(batch.clock)),
                              (15, 'I', len(body))):
        put(TABLE + SLOTS[slot], form, value)
    for slot, text in ((3, batch.epoch), (8, batch.boot)):
        out[TABLE + SLOTS[slot]:TABLE + SLOTS[slot] + 16] = bytes.fromhex(text)
    refer(2)
    name = batch.box.encode()
    out += struct.pack('<I', len(name)) + name + bytes(1)
    out += bytes((4 - len(out)) % 8)
    refer(13)
    out += struct.pack('<I', len(batch.dictionaries))
    for device, hash_ in batch.dictionaries.items():
        out += struct.pack('<QHxxxxxx', int(hash_, 16), device)
    refer(16)
    out += struct.pack('<I', len(body)) + body
    put(TABLE + SLOTS[17], 'I', read_batch.crc32c(bytes(out)))
    return bytes(out)


def tombstone(batch, reason):
    """A tombstone in the batch's place, its times not known."""
    body = struct.pack('<IHHHHHxxiqqBxxxxxxx', 16, 10, 28, 24, 8, 16, 12, -1, -1, reason)
    return write(batch, body, tombstone=True)


def edited(payload, change):
    """The message after change(rows): [alias, time, word] of each reading, absolute."""
    root = read_batch.Table(payload)
    batch = read_batch.decode(payload)
    body = bytearray(read_batch.decompressed(root.get(14, 'B'), root.bytes(16), root.get(15, 'I')))
    table = read_batch.Table(bytes(body))
    rows, words, alias, time = [], {}, 0, batch.boottime_ms
    for step, passed, moved in zip(*(table.column(slot, form)
                                     for slot, form in ((0, 'I'), (1, 'i'), (2, 'i')))):
        alias, time = alias + step & read_batch.MASK32, time + passed
        words[alias] = words.get(alias, 0) + moved & read_batch.MASK32
        rows.append([alias, time, words[alias]])
    change(rows)
    places = [table.vector(slot, 'I')[0] for slot in range(3)]
    words, alias, time = {}, 0, batch.boottime_ms
    for number, (new, when, word) in enumerate(rows):
        for at, value in zip(places, (new - alias, when - time, word - words.get(new, 0))):
            struct.pack_into('<I', body, at + 4 * number, value & read_batch.MASK32)
        alias, time, words[new] = new, when, word
    return write(batch, bytes(body))
