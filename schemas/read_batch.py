#!/usr/bin/python3
"""Reads batches of the protocol between box and platform, version 1 (protocol.md), with nothing of
the project's C++: Python 3.11 alone, and the module `zstandard` for compressed bodies.

    mosquitto_sub -t 'ss1/+/data/+' -C 1 | read_batch.py -
    mosquitto_sub -t 'ss1/+/data/+' -F %x | read_batch.py --hex --dict dictionaries.jsonl -

prints a JSON line per reading: as protocol.md section 9 has it where a dictionary is given
(mosquitto_sub -t 'ss1/+/dict/+/+' -W 2 > dictionaries.jsonl), else with the raw value.
As a module: decode(bytes) -> Batch, lines(batch, dictionaries), mix(reading).
"""
import argparse
import datetime
import hashlib
import json
import pathlib
import re
import struct
import sys
from dataclasses import dataclass, field
from fractions import Fraction

from read_flatbuffer import BatchError, Table, demand
from read_value import shown

LANES = ("alarm", "control", "billing", "telemetry", "diagnostic")
CLOCKS = ("unset", "holdover", "synced")
REASONS = ("evicted", "refused_by_policy", "damaged", "rejected", "store_lost", "volatile")
KINDS = ("none", "int32", "int64", "uint64", "float32", "float64", "text")
QUALITIES = ("good", "suspect", "missing", "bad", "stale", "comm_error", "config_error")
CAUSES = (None, "maintenance", "out_of_range", "rate", "stuck", "disagree", "device_status", "mismatch",
          "recalled", "unsigned", "timeout", "crc", "store_slow", "thinned", "clock", "short_frame",
          "unexpected_reply", "unreachable", "not_a_number", "sentinel", "bad_enum", "dependency",
          "late", "parameter", "disabled")
MOST_BYTES, MOST_READINGS = 1_048_576, 32_000
MASK32, MASK64 = 2**32 - 1, 2**64 - 1
ALARM_ROW, DEVICE_ROW = 0x8000, 0xFFFF
EVENTS = ("event", "epoch_opened", "epoch_closed", "absent", "dictionary", "configuration")


@dataclass(slots=True)
class Reading:
    seq: int
    device: int
    row: int
    time: int  # CLOCK_BOOTTIME in ms
    kind: int
    bits: int  # as mix takes them; a text's are computed there
    text: str | None
    quality: int
    cause: int
    device_time: int | None = None

    @property
    def value(self):
        """The raw value as a Python object."""
        if self.kind == 6:
            return self.text
        if self.kind in (1, 2):
            return self.bits - 2**64 if self.bits >> 63 else self.bits
        if self.kind in (4, 5):
            return struct.unpack("<f", struct.pack("<I", self.bits))[0] if self.kind == 4 else \
                struct.unpack("<d", struct.pack("<Q", self.bits))[0]
        return None if self.kind == 0 else self.bits


@dataclass
class Batch:
    box: str
    epoch: str
    lane: str
    first: int
    count: int
    boot: str
    boottime_ms: int
    wall_ms: int
    clock: str
    clock_error_ms: int | None
    dictionaries: dict  # device -> hash, 16 hex digits
    readings: list = field(default_factory=list)
    tombstone: dict | None = None  # reason, first_time_ms, last_time_ms, counts {(device, row): count}

    def sum(self):
        """What these readings add to a manifest's `sum`."""
        return sum(mix(reading) for reading in self.readings) & MASK64

    def utc(self, boot_ms):
        """Text like 2026-08-01T10:00:00.000Z, or None while the clock is unset."""
        if boot_ms is None or self.clock == "unset":
            return None
        try:
            unix_ms = boot_ms + self.wall_ms - self.boottime_ms
            when = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=unix_ms)
        except OverflowError:
            return None
        return when.isoformat(timespec="milliseconds") + "Z"


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc_table()


def crc32c(data):
    crc = MASK32
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 255]
    return crc ^ MASK32


def split_mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK64
    return x ^ x >> 31


def mix(reading):
    """mix(reading) of protocol.md, section 6."""
    tag = reading.device << 16 | reading.row | reading.quality << 32 | reading.kind << 40 | reading.cause << 48
    bits = crc32c(reading.text.encode(errors="surrogateescape")) if reading.kind == 6 else reading.bits
    return split_mix(split_mix(split_mix(split_mix(reading.seq) ^ tag) ^ reading.time & MASK64) ^ bits)


def decompressed(codec, body, size):
    demand(size <= MOST_BYTES, "body too large")
    demand(codec in (0, 1), "unknown codec")
    if codec == 1:
        import zstandard
        try:
            demand(zstandard.get_frame_parameters(body).content_size == size, "declared size of the body")
            decompressor = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
            body = decompressor.decompress(body)
        except zstandard.ZstdError as error:
            raise BatchError(f"body: {error}") from None
        demand(not decompressor.unused_data, "bytes after the body")
    demand(len(body) == size, "size of the body")
    return body


def decode(message):
    """The batch in `message`; BatchError says why it is refused."""
    demand(len(message) <= MOST_BYTES, "message too large")
    demand(message[4:8] == b"SSB1", "not a batch")
    root = Table(message)
    demand(root.get(0, "H") == 1, "unknown version")
    demand(root.get(1, "I") == 0, "unknown feature")
    crc_at = root.place(17, 4)
    data = message if crc_at is None else message[:crc_at] + bytes(4) + message[crc_at + 4:]
    demand(root.get(17, "I") == crc32c(data), "checksum")
    lane, content, clock = root.get(4, "B"), root.get(5, "B"), root.get(11, "B")
    demand(lane < len(LANES) and content < 2 and clock < len(CLOCKS), "unknown lane, content or clock state")
    error = root.get(12, "I")
    references = root.structs(13, "QHxxxxxx")
    devices = [device for _, device in references]
    demand(devices == sorted(set(devices)), "dictionaries out of order")
    batch = Batch(root.text(2), root.id128(3), LANES[lane], root.get(6, "Q"), root.get(7, "Q"), root.id128(8),
                  root.get(9, "q"), root.get(10, "q"), CLOCKS[clock], None if error == MASK32 else error,
                  {device: f"{hash_:016x}" for hash_, device in references})
    body = root.bytes(16)
    demand(None not in (batch.box, batch.epoch, batch.boot, body), "a required field is absent")
    demand(batch.first >= 1 and batch.count >= 1 and batch.first + batch.count <= MASK64, "first or count")
    table = Table(decompressed(root.get(14, "B"), body, root.get(15, "I")))
    if content == 1:
        batch.tombstone = tombstone(table)
    else:
        demand(batch.count <= MOST_READINGS, "too many readings")
        batch.readings = readings(table, batch)
    return batch


def tombstone(table):
    reason = table.get(0, "B")
    demand(reason < len(REASONS), "unknown reason")
    times = [None if time == -1 else time for time in (table.get(1, "q"), table.get(2, "q"))]
    return {"reason": REASONS[reason], "first_time_ms": times[0], "last_time_ms": times[1],
            "counts": {(alias >> 16, alias & 0xFFFF): count for alias, count in table.structs(3, "II")}}


def readings(table, batch):
    columns = [table.column(slot, form) for slot, form in
               ((0, "I"), (1, "i"), (2, "i"), (4, "B"), (7, "B"), (8, "H"))]
    demand(None not in columns[:3], "a required column is absent")
    demand(all(len(column) == batch.count for column in columns if column is not None), "columns of unequal length")
    kind = table.get(3, "B")
    aliases, times, values = columns[:3]
    kinds, qualities, causes = (column or (other,) * batch.count for column, other in zip(columns[3:], (kind, 0, 0)))
    wide, texts = table.column(5, "Q") or (), table.texts(6)
    demand(max(kinds) < len(KINDS) and max(qualities) < len(QUALITIES), "unknown kind or quality")
    demand(len(wide) == sum(kind in (2, 3, 5) for kind in kinds), "length of the wide column")

    result, words, wides, next_wide = [], {}, {}, iter(wide)
    alias, time = 0, batch.boottime_ms
    for i in range(batch.count):
        alias, time = alias + aliases[i] & MASK32, (time + times[i] + 2**63 & MASK64) - 2**63
        word = words[alias] = words.get(alias, 0) + values[i] & MASK32
        text, bits = None, 0
        if kinds[i] in (2, 3, 5):
            bits = wides[alias] = wides.get(alias, 0) + next(next_wide) & MASK64
        elif kinds[i] == 1:
            bits = word | (MASK64 ^ MASK32 if word >> 31 else 0)
        elif kinds[i] == 4:
            bits = word
        elif kinds[i] == 6:
            demand(word < len(texts), "text index outside")
            text = texts[word]
        demand(alias >> 16 == 0 or alias >> 16 in batch.dictionaries, "a device without a dictionary")
        result.append(Reading(batch.first + i, alias >> 16, alias & 0xFFFF, time, kinds[i], bits, text,
                              qualities[i], causes[i]))
    before = -1
    for position, wall_ms in table.structs(9, "Ixxxxq"):
        demand(before < position < batch.count, "device times out of order")
        result[position].device_time, before = wall_ms, position
    return result


def printable(text):
    """A text with what is not UTF-8 replaced."""
    return None if text is None else re.sub("[\udc80-\udcff]", "\ufffd", text)


def json_value(reading, point):
    if reading.kind in (0, 6):
        return printable(reading.text)
    names = point.get("enum") or {}
    if str(reading.value) in names:
        return names[str(reading.value)]
    scale, offset = Fraction(point.get("scale", "1")), Fraction(point.get("offset", "0"))
    text, is_number = shown(reading.value, reading.kind, scale, offset)
    if not is_number:
        return text
    return float(text) if "." in text or "e" in text else int(text)


def cause_name(cause):
    if cause < len(CAUSES):
        return CAUSES[cause]
    return f"exception_{cause - 256}" if 256 <= cause < 1256 else f"cause_{cause}"


def lines(batch, dictionaries, org=None):
    """The lines of protocol.md, section 9. `dictionaries`: hash -> parsed JSON. A reading whose
    dictionary is not there gives a line "raw". `org` is for lines that no dictionary covers."""
    known = [dictionaries[hash_] for hash_ in batch.dictionaries.values() if hash_ in dictionaries]
    org = known[0]["org"] if known else org
    base = {"box": batch.box, "org": org, "epoch": batch.epoch}
    if batch.tombstone:
        yield {"line": "gap", **base, "lane": batch.lane, "first": batch.first, "last": batch.first + batch.count - 1,
               "reason": batch.tombstone["reason"], "first_time": batch.utc(batch.tombstone["first_time_ms"]),
               "last_time": batch.utc(batch.tombstone["last_time_ms"])}
    for reading in batch.readings:
        when = {"time": batch.utc(reading.time), "boot_ms": reading.time}
        dictionary = dictionaries.get(batch.dictionaries.get(reading.device))
        if reading.device == 0:
            yield {"line": "event", **base, "seq": reading.seq, **when, **event(reading)}
        elif dictionary is None:
            yield {"line": "raw", **base, "lane": batch.lane, "seq": reading.seq, "device": reading.device,
                   "row": reading.row, **when, "kind": KINDS[reading.kind], "value": json_value(reading, {}),
                   "quality": QUALITIES[reading.quality], "cause": cause_name(reading.cause), "clock": batch.clock}
        else:
            yield line(batch, reading, dictionary, base, when)


def event(reading):
    try:
        fields = json.loads(reading.text or "")
        demand(isinstance(fields, dict), "not an object")
    except ValueError:  # also BatchError
        fields = {"text": printable(reading.text)}
    name = EVENTS[reading.row] if reading.row < len(EVENTS) else fields.get("type", "")
    own = ("line", "box", "org", "epoch", "lane", "seq", "time", "boot_ms", "type", "clock")
    return {"type": name, **{key: fields[key] for key in fields if key not in own}}


def line(batch, reading, dictionary, base, when):
    device, points = dictionary["device"], {point["row"]: point for point in dictionary["points"]}
    unknown = {} if reading.row == DEVICE_ROW else {"id": f"row-{reading.row}", "publish": "restricted"}
    point, alarm = points.get(reading.row, unknown), None
    if ALARM_ROW <= reading.row < DEVICE_ROW:
        alarm = next((each for each in dictionary["alarms"] if each["row"] == reading.row), None)
        if alarm:
            watched = next((each for each in dictionary["points"] if each["id"] == alarm["point"]), device)
            point = {"id": alarm["id"], "publish": watched["publish"]}
    profile = device["profile"]
    return {"line": "reading", **base, "lane": batch.lane, "seq": reading.seq, "device": device["id"],
            "name": device["name"], "point": point.get("id"), "title": point.get("title"),
            "quantity": point.get("quantity"), **when, "value": json_value(reading, point), "unit": point.get("unit"),
            "quality": QUALITIES[reading.quality], "cause": cause_name(reading.cause), "clock": batch.clock,
            "publish": point.get("publish") or device["publish"], "location": device["location"],
            "profile": f"{profile['id']}@{profile['version']}", "verdict": device["verdict"],
            **({"severity": alarm["severity"], "text": alarm["text"]} if alarm else {})}


def load_dictionaries(places):
    """Dictionaries of files and folders, whole or one per line, by the hash of their exact bytes."""
    found = {}
    for place in map(pathlib.Path, places):
        for path in sorted(each for each in place.iterdir() if each.is_file()) if place.is_dir() else [place]:
            for text in path.read_bytes().split(b"\n"):
                if text.startswith(b"{"):
                    found[hashlib.sha256(text).hexdigest()[:16]] = json.loads(text)
    return found


def messages(name, as_hex):
    stream = sys.stdin.buffer if name == "-" else open(name, "rb")
    with stream:
        if as_hex:
            yield from (bytes.fromhex(text.decode()) for text in stream if text.strip())
        else:
            yield stream.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dict", action="append", default=[], help="dictionaries: a file or a folder")
    parser.add_argument("--hex", action="store_true", help="one message per line, in hex digits")
    parser.add_argument("file", nargs="+", help="a saved message, or - for standard input")
    options = parser.parse_args()
    dictionaries, refused = load_dictionaries(options.dict), 0
    for name in options.file:
        for message in messages(name, options.hex):
            try:
                try:
                    batch = decode(message)
                except BatchError:
                    if not message.endswith(b"\n"):
                        raise
                    batch = decode(message[:-1])  # mosquitto_sub ends a message with a newline
                for each in lines(batch, dictionaries):
                    print(json.dumps(each, ensure_ascii=False), flush=True)
            except BatchError as error:
                print(f"{name}: {error}", file=sys.stderr)
                refused = 1
    return refused


if __name__ == "__main__":
    sys.exit(main())
