"""F1, F2, F4, F5: the disk fails or is full; F10, F12, F13: the store is not what it was."""
import contextlib
import shutil
import signal
import subprocess
import time

import procs
from catalogue import fault
from process import kill, run_a_while

LOST = {'storage-lied', 'store-lost', 'store-damaged'}
WRITES = 'pwrite64,pwritev,ftruncate,fallocate'
SYNCS = 'fdatasync,fsync'
ANY = ('damaged', 'store_lost', 'evicted', 'volatile')


def store_files(case):
    """Database files of the store, and WAL files, by their suffix."""
    files = [path for path in sorted(case.store.rglob('*')) if path.is_file()]
    databases = [p for p in files if p.read_bytes()[:15] == b'SQLite format 3']
    return databases, [p for p in files if p.name.endswith('-wal')]


def fill_store(case, clean):
    """A store with rows that nobody has, its gateway stopped.  The platform may know the epoch."""
    known = case.random.random() < 0.5
    if not known:
        case.link.cut()
    case.start()
    if known:
        case.wait_readings(30)
        case.link.cut()
    case.wait_served(case.random.randint(6, 40))
    if clean:
        case.stop()
    else:
        kill(case)
    case.tell(f'{"stopped" if clean else "killed"}; {case.had()} had come')


def damaged(case, begin, budget=10**6):
    case.faults.add(what='damage')
    case.fault('damage', begin, may=ANY, budget=budget)
    case.link.restore()
    case.start()
    case.wait_readings(30)


@fault('F10', 'bit flips in the stopped store', (20, 1000, 5000))
def flip_bits(case):
    fill_store(case, clean=case.random.random() < 0.5)
    begin, bits = time.monotonic_ns(), case.random.randint(1, 64)
    databases, wals = store_files(case)
    target = case.random.choice([databases[-1], *wals[-1:]])
    data = bytearray(target.read_bytes())
    used = len(data.rstrip(b'\0')) or len(data)
    for _ in range(bits):
        data[case.random.randrange(used)] ^= 1 << case.random.randrange(8)
    target.write_bytes(data)
    case.tell(f'{bits} bits of {target.name} ({used} bytes in use) flipped')
    damaged(case, begin)


@fault('F12', 'truncated database, missing WAL', (10, 300, 1000))
def file_games(case):
    game = case.random.choice(['truncate', 'no wal', 'empty', 'no database'])
    fill_store(case, clean=game == 'truncate' and case.random.random() < 0.5)
    begin = time.monotonic_ns()
    databases, wals = store_files(case)
    if game == 'truncate':
        size = databases[-1].stat().st_size
        left = case.random.randrange(size)
        with open(databases[-1], 'r+b') as file:
            file.truncate(left)
        case.tell(f'{databases[-1].name} cut from {size} to {left} bytes')
    elif game == 'no wal':
        for path in wals:
            path.unlink()
        case.tell(f'{[p.name for p in wals]} deleted')
    elif game == 'empty':
        databases[-1].write_bytes(b'')
        case.tell(f'{databases[-1].name} emptied')
    else:
        databases[-1].unlink()
        case.tell(f'{databases[-1].name} deleted')
    damaged(case, begin)


@fault('F13', 'an older image of the store', (5, 100, 500))
def older_image(case):
    """The card forgets what it had synced: the box says so.  Or it is a clone of before the last
    start: only the platform can know.  No key comes twice with other content."""
    lying = case.random.random() < 0.5
    run_a_while(case, 0.5, 1.0)
    if lying:
        case.gateway.signal(signal.SIGSTOP)
    else:
        case.stop()
    image = case.folder / 'image'
    shutil.copytree(case.store, image)
    if lying:
        case.gateway.signal(signal.SIGCONT)
    else:
        case.start()
    case.wait_readings(case.random.randint(60, 150))
    begin = time.monotonic_ns()
    kill(case)
    shutil.rmtree(case.store)
    shutil.copytree(image, case.store)
    case.tell(f'{case.had()} had come; the store is that of '
              f'{"earlier in this epoch" if lying else "the epoch before"} again')
    damaged(case, begin)
    if lying:
        with contextlib.suppress(TimeoutError):
            procs.wait_for(lambda: case.codes() & LOST, 10)
        case.tell(f'events: {sorted(case.codes())}')
        if not case.codes() & LOST:
            case.problem('older image', 'no event says so')


def full(case, seconds):
    """The disk is full for a while; what is measured then may be missing, never wrongly said."""
    begin = time.monotonic_ns()
    size = case.disk.fill()
    time.sleep(seconds)
    case.tell(f'disk full for {seconds:.2f} s ({size >> 10} KiB foreign, '
              f'{case.disk.free()} bytes free)')
    return begin


def freed(case, begin, kind='full', may_end=False):
    """The store works again: readings are kept again within 10 s.  It may take longer until they
    arrive.  `may_end`: the process may end itself, and is started again, as systemd would."""
    case.fault(kind, begin, may=ANY, budget=10**6, open=True, resumes_ms=10_000)
    case.link.restore()
    began = time.monotonic_ns()
    try:
        case.wait_new_readings(began, limit=40)
    except RuntimeError as ended:
        case.fault('stop', began, loses_ms=10_000)
        if may_end:
            case.tell(f'it ended by itself: {ended}')
        else:
            case.problem('full disk', str(ended))
        case.start()
        case.wait_new_readings(began, limit=40)
    seconds = (time.monotonic_ns() - began) / 1e9
    case.tell(f'new readings came {seconds:.2f} s after the store could work again')


def failing(case, calls, error, when):
    """System calls of the gateway fail for a while, as strace's `when` says; returns its begin."""
    tracer = subprocess.Popen(
        ['strace', '-f', '-qq', '-o', case.folder / 'strace.log', '-p', str(case.gateway.pid),
         '-e', f'trace={calls}', '-e', f'inject={calls}:error={error}:when={when}'])
    case.also(tracer.kill, tracer.wait)
    begin = time.monotonic_ns()
    seconds = case.random.uniform(0.5, 2)
    time.sleep(seconds)
    tracer.terminate()
    tracer.wait()
    failed = (case.folder / 'strace.log').read_text(errors='replace').count('(INJECTED)')
    case.tell(f'{failed} calls of {calls} failed with {error} (when={when}) in {seconds:.2f} s')
    return begin


@fault('F4', 'disk full at a random moment', (5, 200, 500), needs=('root', 'loop', 'strace'),
       disk_mb=24)
def disk_full(case):
    how = case.random.choice(['before the first start', 'while running', 'at the Nth write'])
    if case.random.random() < 0.5:
        case.link.cut()
        how += ', offline'
    case.tell(how)
    if how.startswith('before'):
        leave = case.random.choice([0, 1, 2, 3, 5, 8, 12]) << 20
        case.disk.fill(leave)
        begin = time.monotonic_ns()
        case.start()
        time.sleep(1)
        case.tell(f'{leave >> 20} MiB free: {"runs" if case.gateway.running() else "ended"}')
    else:
        seconds = run_a_while(case, 0.1, 1.5)
        case.tell(f'{seconds:.2f} s after the start')
        begin = failing(case, WRITES, 'ENOSPC', f'{case.random.randint(1, 30)}+') \
            if 'Nth' in how else \
            full(case, case.random.uniform(0.5, 1.5))
    if case.random.random() < 0.3 and case.gateway.running():
        case.tell('and killed while full')
        kill(case)
        case.start()
        procs.wait_for(lambda: case.gateway.lines('gateway started') or
                       not case.gateway.running(), 5)
    case.disk.empty()
    freed(case, begin)


@fault('F5', 'disk full by a foreign file, then freed', (2, 50, 100), needs=('root', 'loop'),
       disk_mb=64)
def disk_full_long(case):
    run_a_while(case, 0.5, 1.0)
    case.link.cut()
    begin = full(case, 5)
    case.disk.empty()
    freed(case, begin)


def broken(case, calls):
    """The Nth call fails, alone or with all after it; the platform may be away."""
    if case.random.random() < 0.5:
        case.link.cut()
        case.tell('offline')
    run_a_while(case, 0.1, 1.0)
    when = f'{case.random.randint(1, 12)}{case.random.choice(["", "+"])}'
    begin = failing(case, calls, 'EIO', when)
    freed(case, begin, 'io', may_end=True)


@fault('F1', 'fsync fails once, or from then on', (5, 200, 500), needs=('root', 'strace'))
def sync_fails(case):
    broken(case, SYNCS)


@fault('F2', 'a write fails once, or from then on', (5, 200, 500), needs=('root', 'strace'))
def write_fails(case):
    broken(case, WRITES)
