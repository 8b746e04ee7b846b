"""Runs that aim at one window each: P1b, F10b, C2 and D1."""
import contextlib
import sqlite3
import struct
import subprocess
import time

import procs
from catalogue import fault
from process import SLOWED_MS, STORE_CALLS, kill, run_a_while, strace

HOUR_MS = 3_600_000


@fault('P1b', 'killed, then offline for longer: receipts of one epoch, rows of the next',
       (5, 100, 500))
def longer_offline(case):
    """The receipts that answer the birth say what came of the epoch before; the rows of the one
    after it have the same sequences and have not come."""
    case.interval_ms = 100
    run_a_while(case, 1.5, 2.0)
    procs.wait_for(lambda: case.look().receipted, 5, 'the first receipt')
    first = case.look().readings
    kill(case)
    case.link.cut()
    case.start()
    case.wait_served(first // 2, limit=30)
    case.tell(f'{case.had()} had come of the first epoch; offline in the second')
    case.link.delay = 0.05  # so that receipts are there before all is sent
    case.link.restore()
    case.wait_readings(first)
    case.link.delay = 0


def stored_messages(case):
    """Where in its file each telemetry batch of a store begins, and its size.  It was stopped, so
    all is in the database; the WAL would hide what is damaged there."""
    for wal in case.store.rglob('*-wal'):
        wal.unlink()
    database = sorted(case.store.rglob('*.db'))[-1]
    data = database.read_bytes()
    with contextlib.closing(sqlite3.connect(f'file:{database}?immutable=1', uri=True)) as store:
        rows = [row for row, in store.execute('SELECT bytes FROM telemetry WHERE loss IS NULL')]
    return database, [(at, len(row)) for row in rows if (at := data.find(row)) >= 0]


@fault('F10b', 'killed while damaged rows are being declared lost', (10, 100, 500),
       needs=('root', 'strace'))
def killed_while_burying(case):
    case.interval_ms = 100
    case.link.cut()
    case.start()
    case.wait_served(case.random.randint(40, 80))
    case.stop()
    begin = time.monotonic_ns()
    database, messages = stored_messages(case)
    data = bytearray(database.read_bytes())
    for at, size in messages[::2]:  # so that no two are merged
        data[at + case.random.randrange(size // 2, size)] ^= 1
    database.write_bytes(data)
    case.faults.add(what='damage')
    case.fault('damage', begin, may=('damaged',), budget=10**6)
    number = case.random.randint(1, 40)
    case.start(devices=False)  # all that the store is asked for is what the platform gets
    procs.wait_for(case.has_started, 10, 'the start')
    tracer = subprocess.Popen([*strace(STORE_CALLS, number), '-f', '-p', str(case.gateway.pid)])
    case.also(tracer.kill, tracer.wait)
    procs.wait_for(case.is_traced, 5, 'strace is attached')
    begin = time.monotonic_ns()
    case.link.restore()
    with contextlib.suppress(TimeoutError):
        procs.wait_for(lambda: not case.gateway.running(), 4)
    case.tell(f'{len(messages[::2])} of {len(messages)} telemetry rows damaged; '
              f'{"not " if case.gateway.running() else ""}killed at call {number} of {STORE_CALLS}')
    case.gateway.kill()
    case.fault('kill', begin, cut=time.monotonic_ns(), loses_ms=SLOWED_MS)
    case.start()
    case.wait_readings(30)


@fault('C2', 'the wall clock is set back and forth', (5, 200, 500))
def clock_steps(case):
    shim = case.street.build / 'tests' / 'support' / 'libclock_shim.so'
    offset = case.folder / 'clock'
    offset.write_bytes(struct.pack('q', 0))
    case.environment.update(LD_PRELOAD=str(shim), CLOCK_SHIM=str(offset))

    def set_clock(ms):
        case.faults.add(what='clock', offset_ms=ms)
        with open(offset, 'r+b') as file:
            file.write(struct.pack('q', ms * 1_000_000))

    run_a_while(case, 0.5, 1.0)
    for step in case.random.sample([-HOUR_MS, HOUR_MS, -24 * HOUR_MS, 24 * HOUR_MS], 2) + [0]:
        set_clock(step)
        since = time.monotonic_ns()
        try:
            case.wait_new_readings(since, limit=10)
            case.tell(f'set by {step / HOUR_MS:+.0f} h: the next readings came after '
                      f'{(time.monotonic_ns() - since) / 1e6:.0f} ms')
        except TimeoutError:
            case.problem('clock', f'set by {step / HOUR_MS:+.0f} h: no new readings within 10 s')
            set_clock(0)
            break
    for _ in range(30):
        set_clock(case.random.randint(-500, 500))
        time.sleep(0.02)
    set_clock(0)
    case.wait_readings(30)


@fault('D1', 'no answer, or one after its deadline', (10, 500, 2000),
       street={'damage': ('silent', 'delay'), 'gap': (6, 12)})
def late_answers(case):
    run_a_while(case, 0.2, 0.8)
    device = list(case.street.devices)[-1]
    case.wait_served(60)
    case.tell(f'{sum(d["kind"] == "delay" for d in case.street.damaged)} of '
              f'{len(case.street.damaged)} planned failures of {device} are late answers')
    if case.random.random() < 0.5:
        kill(case)
        case.start()
    case.wait_readings(60)
