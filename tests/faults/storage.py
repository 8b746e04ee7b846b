"""F1 to F7, F9: the disk fails, is full, cannot be written or is slow."""
import contextlib
import subprocess
import time

import procs
from catalogue import fault
from damage import ANY
from process import kill, run_a_while, work_a_while

FAILED = {'store-failed', 'store-unusable', 'heads-failed'}
WRITES = 'pwrite64,pwritev,ftruncate,fallocate'
SYNCS = 'fdatasync,fsync'
FILES = f'openat,pread64,unlink,unlinkat,mkdir,rename,{WRITES},{SYNCS}'


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
    log = case.folder / 'strace.log'

    def failed():
        return log.read_text(errors='replace').count('(INJECTED)') if log.exists() else 0
    begin = time.monotonic_ns()
    tracer = subprocess.Popen(
        ['strace', '-f', '-qq', '-o', log, '-p', str(case.gateway.pid),
         '-e', f'trace={calls}', '-e', f'inject={calls}:error={error}:when={when}'])
    case.also(tracer.kill, tracer.wait)
    with contextlib.suppress(TimeoutError):  # it may make fewer calls than that
        procs.wait_for(lambda: failed() or not case.gateway.running(), 3)
    time.sleep(case.random.uniform(0, 1.5))
    tracer.terminate()
    tracer.wait()
    case.tell(f'{failed()} calls of {calls} failed with {error} (when={when})')
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
        procs.wait_for(lambda: case.has_started() or not case.gateway.running(), 5)
    case.disk.empty()
    freed(case, begin)


@fault('F5', 'disk full by a foreign file, then freed', (2, 50, 100), needs=('root', 'loop'),
       disk_mb=64, most_given_up=0.02)
def disk_full_long(case):
    work_a_while(case)
    case.link.cut()
    begin = full(case, 5)
    case.disk.empty()
    freed(case, begin)


def broken(case, calls):
    """The Nth call fails, alone or with all after it; the platform may be away."""
    if case.random.random() < 0.5:
        case.link.cut()
        case.tell('offline')
    work_a_while(case)
    when = f'{case.random.randint(1, 12)}{case.random.choice(["", "+"])}'
    begin = failing(case, calls, 'EIO', when)
    freed(case, begin, 'io', may_end=True)


def judge_failed_sync(case):
    """Nothing is synced a second time: the store that failed is left, and the box says so."""
    with contextlib.suppress(TimeoutError):
        procs.wait_for(lambda: case.codes() & FAILED, 10)
    lines = (case.folder / 'strace.log').read_text(errors='replace').splitlines()
    injected = any('fdatasync(' in line and '(INJECTED)' in line for line in lines)  # the store's
    if injected and not case.codes() & FAILED:
        case.problem('failed sync', 'the store is used on after it')


@fault('F1', 'fsync fails once, or from then on', (5, 200, 500), needs=('root', 'strace'), most_given_up=0.02)
def sync_fails(case):
    broken(case, SYNCS)
    judge_failed_sync(case)


@fault('F2', 'a write fails once, or from then on', (5, 200, 500), needs=('root', 'strace'), most_given_up=0.02)
def write_fails(case):
    broken(case, WRITES)


@fault('F3', 'every Nth file operation fails', (20, 200, 500), needs=('root', 'strace'), most_given_up=0.02)
def every_nth_fails(case):
    if case.random.random() < 0.5:
        case.link.cut()
        case.tell('offline')
    work_a_while(case)
    step = case.random.randint(2, 40)
    begin = failing(case, FILES, 'EIO', f'{case.random.randint(1, step)}+{step}')
    freed(case, begin, 'io', may_end=True)


@fault('F6', 'no inodes left', (1, 20, 50), needs=('root', 'loop'), disk_mb=24, inodes=48, most_given_up=0.02)
def inodes_gone(case):
    running = case.random.random() < 0.5
    if running:
        work_a_while(case)
    begin = time.monotonic_ns()
    count = case.disk.fill_inodes()
    if running and case.random.random() < 0.5:
        kill(case)
        case.tell('killed, and started without an inode')
        running = False
    if not running:
        case.start()
    case.wait_served(case.random.randint(3, 10))
    case.tell(f'{count} foreign files; {case.gateway.lines("store-")[-1:] or "the store works"}')
    case.disk.empty()
    freed(case, begin)


@fault('F7', 'the disk can only be read', (2, 50, 100), needs=('root', 'loop', 'fs-error'),
       disk_mb=64, most_given_up=0.02)
def read_only(case):
    """Before a start, by hand; or under the running gateway, by the kernel, until it is repaired."""
    work_a_while(case)
    by_kernel = case.random.random() < 0.5
    if by_kernel:
        begin = time.monotonic_ns()
        case.disk.fail()
    else:
        case.stop()
        begin = time.monotonic_ns()
        case.disk.lock()
        case.start()
    procs.wait_for(lambda: case.gateway.lines('store-'), 10, what='the box says so')
    case.wait_served(case.random.randint(3, 20))
    case.tell(f'read-only {"by the kernel" if by_kernel else "from the start on"}; '
              f'{case.gateway.lines("store-")[-1:]}')
    if by_kernel:
        case.stop()
        case.disk.repair()
        case.start()
    else:
        case.disk.unlock()
    freed(case, begin)


@fault('F9', 'a slow disk: a stall of 5 s, or 20 operations a second', (1, 20, 50),
       needs=('root', 'strace'), most_given_up=0.02)
def slow_disk(case):
    """Nothing is lost: the open batches hold far more than what is measured meanwhile."""
    stall = case.random.random() < 0.5
    calls, delay = (SYNCS, '5000000:when=1') if stall else (f'{SYNCS},{WRITES}', '50000')
    work_a_while(case)
    begin = time.monotonic_ns()
    tracer = subprocess.Popen(
        ['strace', '-f', '-qq', '-o', '/dev/null', '-p', str(case.gateway.pid), '-e',
         f'trace={calls}', '-e', f'inject={calls}:delay_enter={delay}'])
    case.also(tracer.kill, tracer.wait)
    case.wait_served(30)
    time.sleep(6 if stall else 2)
    tracer.terminate()
    tracer.wait()
    case.fault('slow', begin)
    case.tell('one sync of each thread took 5 s' if stall else '50 ms for each write and sync')
    case.wait_new_readings(time.monotonic_ns(), limit=30)
