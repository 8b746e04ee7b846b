#!/usr/bin/python3
"""Makes the golden files of protocol version 1 again: make.py BUILD_DIR.

NAME.ssb is a message, NAME.json what every reader must see in it. They are kept, not made in the build: a reader of today
must still read what was written then. Run this only for a new file, and look at what changed.
"""
import hashlib
import json
import pathlib
import random
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
import batches  # noqa: E402
from batches import read_batch  # noqa: E402

DICTIONARY = {
    "schema": "smartstate.dictionary/1", "box": "place-1714000.box-0001", "org": "place-1714000",
    "device": {
        "index": 3, "id": "town-hall-meter", "name": "Main meter", "location": {"lat": 41.88, "lon": -87.63},
        "serial": "17330042", "firmware": "1.4", "order": None, "asset": None, "publish": "agency",
        "profile": {"id": "il.energy-meter.schneider-iem3155", "version": "1.0.0", "sha256": "00" * 32},
        "verdict": {"identity": "verified", "contract": "unsigned"}, "parameters": {}},
    "points": [
        {"row": row, "id": name, "label": None, "title": title, "quantity": quantity, "unit": unit, "kind": kind, "scale": scale,
         "offset": offset, "enum": names, "class": "telemetry", "publish": publish}
        for row, (name, title, quantity, unit, kind, scale, offset, names, publish) in enumerate([
            ("voltage_l1_n", "Voltage, phase 1 to neutral", "electrical.voltage", "V", "uint16", "0.1", "0", None, "agency"),
            ("active_power_total", "Total active power", "electrical.power.active", "W", "float32", "1000", "0", None, "open"),
            ("active_energy_import", "Active energy imported", "electrical.energy.active.import", "W.h", "int64", "1", "0", None,
             "open"),
            ("enclosure_temperature", "Temperature inside", "device.temperature", "Cel", "int16", "5/9", "-160/9", None, "agency"),
            ("status", "State", "device.status", None, "uint16", "1", "0", {"0": "off", "1": "on"}, "restricted"),
            ("note", "Note", "device.text", None, "text", "1", "0", None, "agency"),
            ("pulses", "Pulses", "device.count", "{count}", "uint64", "1", "0", None, "agency"),
            ("ratio", "Ratio", "electrical.power.factor", "1", "float64", "1", "0", None, "agency")])],
    "alarms": [{"row": 32768, "id": "under_voltage", "point": "voltage_l1_n", "severity": "warning",
                "text": "Supply voltage low"}]}
BYTES = json.dumps(DICTIONARY, separators=(",", ":"), ensure_ascii=False).encode()
HASH = hashlib.sha256(BYTES).hexdigest()[:16]
START, WALL = 812_000, 1_785_578_412_000  # 2026-08-01T10:00:12Z


def float32(number):
    return struct.unpack("<I", struct.pack("<f", number))[0]


def float64(number):
    return struct.unpack("<Q", struct.pack("<d", number))[0]


def batch(lane, first, content, device=3, **header):
    base = {"box": DICTIONARY["box"], "epoch": "00112233445566778899aabbccddeeff", "lane": lane, "first": first,
            "boot": "0f8fad5bd9cb469fa16570867728950e", "boottime_ms": START, "wall_ms": WALL, "clock": 2, "clock_error_ms": 12,
            "dictionaries": [[device, HASH]] if device else []}
    if isinstance(content, dict):
        return {**base, **header, "tombstone": content}
    return {**base, **header, "count": len(content), "readings": content}


def reading(row, ms, kind, value, quality=0, cause=0, device=3, device_time=None):
    return {"device": device, "row": row, "time": START + ms, "kind": kind, "value": value, "quality": quality, "cause": cause,
            "device_time": device_time}


def walk(count):
    source, values, result = random.Random(1), [2304, 60010, 421, 998], []
    for i in range(count):
        row = i % 4
        values[row] += source.randint(-3, 3)
        result.append(reading(row, 100 * (i // 4), "int32", values[row]))
    return result


def event(row, fields, ms):
    return reading(row, ms, "text", json.dumps(fields, separators=(",", ":")), device=0)


BATCHES = {
    "smallest": batch("telemetry", 1, [reading(0, 250, "int32", 2304)]),
    "large": batch("telemetry", 96001, walk(300)),
    "kinds": batch("telemetry", 2**40, [
        reading(0, 0, "int32", 2304), reading(0, 100, "int32", -2**31), reading(0, 100, "int32", 2**31 - 1),
        reading(1, 100, "float32", float32(4.25)), reading(1, 200, "float32", float32(-0.0)),
        reading(1, 200, "float32", 0x7FC00001, 3, 18), reading(2, 300, "int32", 5), reading(2, 300, "int64", 2**53 + 1),
        reading(2, 300, "int64", -2**63), reading(2, 300, "int64", 2**63 - 1), reading(3, 400, "int32", 95),
        reading(3, 400, "int32", 72), reading(4, 500, "int32", 1), reading(4, 500, "int32", 7, 1, 20),
        reading(5, 600, "text", ""), reading(5, 600, "text", "Zürich \u2713 \"quoted\"\n"),
        reading(6, 700, "uint64", 2**63), reading(6, 700, "uint64", 2**64 - 1), reading(7, 800, "float64", float64(0.1)),
        reading(7, 800, "float64", float64(5e-324)), reading(7, 800, "float64", float64(-1.7976931348623157e308)),
        reading(7, 800, "float64", float64(float("inf")), 3, 18), reading(0, 900, "none", None, 2, 19),
        reading(0, 2000, "int32", 2303)]),
    "qualities": batch("billing", 7, [
        reading(0, 1000 * i, "int32", 2300 + i, quality, cause, device_time=WALL - 5000 + i if i % 3 == 0 else None)
        for i, (quality, cause) in enumerate([(0, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (2, 19), (3, 20), (4, 14),
                                              (5, 10), (5, 11), (5, 258), (6, 23), (6, 24), (0, 65535)])], clock=1),
    "alarm": batch("alarm", 1, [reading(0x8000, 0, "int32", 1), reading(0x8000, 60_000, "int32", 0),
                                reading(0xFFFF, 61_000, "none", None, 5, 17)], clock=0, clock_error_ms=2**32 - 1),
    "control": batch("control", 1, [
        event(1, {"type": "epoch_opened", "boot": "0f8fad5bd9cb469fa16570867728950e", "software": "0.1.0", "previous": None}, 0),
        event(4, {"type": "dictionary", "hash": HASH, "device": 3, "id": "town-hall-meter"}, 10),
        event(0, {"type": "event", "code": "device-down", "severity": "warning", "text": "town-hall-meter does not answer",
                  "subject": "town-hall-meter"}, 20)], device=0),
    "tombstone": batch("diagnostic", 32001, {"reason": 0, "first_time_ms": START, "last_time_ms": START + 3_600_000,
                                             "counts": [[3, 0, 40000], [3, 1, 24000]]}, count=64000),
    "tombstone-unknown": batch("telemetry", 1, {"reason": 4, "first_time_ms": None, "last_time_ms": None, "counts": []},
                               count=2**40),
}


def main():
    (HERE / "dictionary.json").write_bytes(BYTES)
    encoded = batches.run_tool(sys.argv[1], "encode", map(json.dumps, BATCHES.values()))
    lines = []
    for name, digits in zip(BATCHES, encoded, strict=True):
        message = bytes.fromhex(digits)
        (HERE / f"{name}.ssb").write_bytes(message)
        decoded = read_batch.decode(message)
        seen = batches.as_json(decoded)
        text = json.dumps({**seen, "readings": []}, ensure_ascii=False)
        rows = ",\n".join(json.dumps(each, ensure_ascii=False) for each in seen.get("readings", []))
        (HERE / f"{name}.json").write_text(text.replace('"readings": []', f'"readings": [\n{rows}]') + "\n"
                                           if rows else json.dumps(seen) + "\n")
        if name != "large":
            lines += [json.dumps(each, ensure_ascii=False)
                      for each in read_batch.lines(decoded, {HASH: DICTIONARY}, DICTIONARY["org"])]
    (HERE / "lines.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
