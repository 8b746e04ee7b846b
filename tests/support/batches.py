"""Batches as JSON for batch_tool: made at random, and made from what read_batch.py decoded."""
import pathlib
import struct
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "schemas"))
import read_batch  # noqa: E402

KINDS, LANES = read_batch.KINDS, read_batch.LANES


def run_tool(build, command, lines):
    """The answers of batch_tool, a line each."""
    done = subprocess.run([pathlib.Path(build) / "tests/support/batch_tool", command], check=True, errors="surrogateescape",
                          input="".join(line + "\n" for line in lines), stdout=subprocess.PIPE)
    return done.stdout.splitlines()


def as_json(batch):
    """A decoded batch in the form that batch_tool prints."""
    result = {
        "box": batch.box, "epoch": batch.epoch, "lane": batch.lane, "first": batch.first, "count": batch.count,
        "boot": batch.boot, "boottime_ms": batch.boottime_ms, "wall_ms": batch.wall_ms,
        "clock": read_batch.CLOCKS.index(batch.clock),
        "clock_error_ms": read_batch.MASK32 if batch.clock_error_ms is None else batch.clock_error_ms,
        "dictionaries": [[device, hash_] for device, hash_ in batch.dictionaries.items()]}
    if batch.tombstone:
        lost = dict(batch.tombstone, reason=read_batch.REASONS.index(batch.tombstone["reason"]),
                    counts=[[*alias, count] for alias, count in batch.tombstone["counts"].items()])
        return {**result, "tombstone": lost}
    return {**result, "readings": [
        {"device": each.device, "row": each.row, "time": each.time, "kind": KINDS[each.kind],
         "value": each.bits if each.kind in (4, 5) else each.value, "quality": each.quality, "cause": each.cause,
         "device_time": each.device_time, "mix": f"{read_batch.mix(each):016x}"} for each in batch.readings]}


def random_value(random, kind):
    """A value of exactly this kind: integers have the smallest that holds them."""
    wide = random.getrandbits(64)
    if kind == "int32":
        return random.choice([random.randint(-2**31, 2**31 - 1), random.randint(-100, 100)])
    if kind == "int64":
        return random.choice([-1, 1]) * random.randint(2**31 + 1, 2**63 - 1)
    if kind == "uint64":
        return wide | 1 << 63
    if kind == "float32":
        return random.choice([wide & read_batch.MASK32, struct.unpack("<I", struct.pack("<f", random.gauss(230, 5)))[0]])
    if kind == "float64":
        return random.choice([wide, struct.unpack("<Q", struct.pack("<d", random.gauss(230, 5)))[0]])
    return random.choice(["", "ok", "Zürich ✓", "line\nfeed", f"text {wide % 7}"]) if kind == "text" else None


def random_batch(random):
    count = random.choice([1, 2, 10, random.randint(1, 400)])
    devices = sorted(random.sample(range(1, 65536), random.randint(1, 6)))
    kinds = random.choice([list(KINDS), [random.choice(KINDS)], ["int32", "float32"]])
    boottime = random.randint(0, 10**10)
    batch = {
        "box": "place-1714000.box-%04d" % random.randint(0, 9999), "epoch": "%032x" % random.getrandbits(128),
        "lane": random.choice(LANES), "first": random.choice([1, random.randint(1, 2**63)]), "count": count,
        "boot": "%032x" % random.getrandbits(128), "boottime_ms": boottime,
        "wall_ms": random.choice([random.randint(0, 2**42), 1785578400000 + random.randint(0, 10**9)]),
        "clock": random.randint(0, 2), "clock_error_ms": random.choice([0, 12, read_batch.MASK32]),
        "dictionaries": [[device, "%016x" % random.getrandbits(64)] for device in devices]}
    if random.random() < 0.15:
        batch["count"] = random.randint(1, 2**40)
        return {**batch, "tombstone": {
            "reason": random.randint(0, 5), "first_time_ms": random.choice([None, boottime]),
            "last_time_ms": random.choice([None, boottime + 5000]),
            "counts": [[device, row, random.randint(1, 2**32 - 1)] for device in devices for row in range(3)]}}
    readings, time, faulty = [], boottime, random.random() < 0.5
    for _ in range(count):
        time += random.choice([0, 0, 100, random.randint(-5000, 5000)])
        kind = random.choice(kinds)
        bad = faulty and random.random() < 0.3
        readings.append({
            "device": random.choice([0, *devices] if kind == "text" else devices),
            "row": random.choice([0, 1, 2, 0x7FFF, 0x8000, 0xFFFF]), "time": time, "kind": kind,
            "value": random_value(random, kind), "quality": random.randint(0, 6) if bad else 0,
            "cause": random.choice([0, 10, 24, 258, 65535]) if bad else 0,
            "device_time": random.choice([None, random.randint(-10**9, 2**42)]) if faulty else None})
    return {**batch, "readings": readings}
