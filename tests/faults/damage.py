"""F10 to F13, F15, F17: the store is not what it was, or somebody else is at it."""
import contextlib
import shutil
import signal
import sqlite3
import subprocess
import time

import procs
from catalogue import fault
from process import kill, work_a_while

LOST = {'storage-lied', 'store-lost', 'store-damaged'}
ANY = ('damaged', 'store_lost', 'evicted', 'volatile')


def store_files(case):
    """Database files of the store, and WAL files, by their suffix."""
    files = [path for path in sorted(case.store.rglob('*')) if path.is_file()]
    databases = [p for p in files if p.read_bytes()[:15] == b'SQLite format 3']
    return databases, [p for p in files if p.name.endswith('-wal')]


def fill_store(case, clean):
    """A store with rows that nobody has, its gateway stopped.  The platform may know the epoch.
    Returns the instant from which on a power cut would take what is in the spool, or None."""
    known = case.random.random() < 0.5
    if not known:
        case.link.cut()
    case.start()
    if known:
        case.wait_readings(30)
        case.link.cut()
    case.wait_served(case.random.randint(6, 40))
    killed = None if clean else kill(case)
    if clean:
        case.stop()
    case.tell(f'{"stopped" if clean else "killed"}; {case.had()} had come')
    return killed


def target_of(case, clean):
    """Which file is damaged.  After a clean stop all is in the database, and it goes without its
    WAL, whose pages would be read instead of the damaged ones."""
    databases, wals = store_files(case)
    if clean:
        for path in wals:
            path.unlink()
    return databases[-1] if clean else case.random.choice([databases[-1], *wals[-1:]])


def overwrite(path, at, data):
    with open(path, 'r+b') as file:
        file.seek(at)
        file.write(data)


def destroy_header(case):
    """The store is set aside at the next start, and salvaged."""
    databases, _ = store_files(case)
    overwrite(databases[-1], 0, bytes(100))


def damaged(case, begin, budget=10**6):
    case.damage()
    case.fault('damage', begin, may=ANY, budget=budget)
    case.link.restore()
    case.start()
    case.wait_readings(30)


def last_frame_of(wal):
    """Where the frame lies that was written last: nothing tells a flip in it from a write that was
    cut short."""
    frame, at = 24 + int.from_bytes(wal[8:12], 'big'), 32
    while wal[at + frame + 8:at + frame + 16] == wal[16:24]:
        at += frame
    return range(at, at + frame)


@fault('F10', 'bit flips in the stopped store', (20, 1000, 5000), most_given_up=0.05)
def flip_bits(case):
    clean = case.random.random() < 0.5
    fill_store(case, clean)
    begin, bits = time.monotonic_ns(), case.random.randint(1, 64)
    target = target_of(case, clean)
    data = bytearray(target.read_bytes())
    used = len(data.rstrip(b'\0')) or len(data)
    spared = last_frame_of(data) if target.name.endswith('-wal') else range(0)
    for at in case.random.choices(range(used - len(range(used)[spared.start:spared.stop])), k=bits):
        data[at + (len(spared) if at >= spared.start else 0)] ^= 1 << case.random.randrange(8)
    target.write_bytes(data)
    case.tell(f'{bits} bits of {target.name} ({used} bytes in use) flipped')
    damaged(case, begin)


@fault('F11', 'pages of the store zeroed or overwritten', (10, 500, 2000), most_given_up=0.05)
def pages_overwritten(case):
    clean = case.random.random() < 0.5
    fill_store(case, clean)
    begin, size = time.monotonic_ns(), case.random.choice([512, 1024, 4096])
    target = target_of(case, clean)
    used = len(target.read_bytes().rstrip(b'\0')) or 1
    places = sorted(case.random.randrange(used) // size * size
                    for _ in range(case.random.randint(1, 4)))
    zeros = case.random.random() < 0.5
    for at in places:
        overwrite(target, at, bytes(size) if zeros else case.random.randbytes(size))
    case.tell(f'{size} bytes at {places} of {target.name} ({used} in use) '
              f'{"zeroed" if zeros else "made random"}')
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
    work_a_while(case)
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


@fault('F15', 'an operator opens the running store with sqlite3', (1, 10, 20), needs=('sqlite3',))
def opened_by_hand(case):
    case.start()
    case.wait_readings(10)
    databases, _ = store_files(case)
    said = set()
    for statement in ('SELECT count(*) FROM telemetry', 'PRAGMA integrity_check',
                      'PRAGMA wal_checkpoint(TRUNCATE)', 'DELETE FROM telemetry', 'VACUUM'):
        done = subprocess.run(['sqlite3', databases[-1], statement], capture_output=True, text=True,
                              timeout=20, check=False)
        said.add(done.stderr.strip() or f'{statement}: {done.stdout.strip()[:60]}')
    case.tell(f'sqlite3 says {said}')
    if any('database is locked' not in text for text in said):
        case.problem('by hand', f'sqlite3 was let in: {said}')
    case.wait_readings(30)


NEWER = 2 << 16 | 2  # nothing older than version 2 may read it
NEXT = 1 << 16 | 2  # of the next release: this one may


@fault('F17', 'the store is that of a newer or of the next release', (2, 20, 50))
def other_release(case):
    """A newer one is left as it is, and drained after the upgrade; that of the next release is used
    by this one, its additions are ignored."""
    newer = case.seed % 2 == 0
    fill_store(case, clean=True)
    databases, _ = store_files(case)
    was = set_version(databases[-1], NEWER if newer else NEXT)
    before = databases[-1].read_bytes()
    case.link.restore()
    case.start()
    case.wait_readings(30)
    if newer:
        case.stop()
        if databases[-1].read_bytes() != before:
            case.problem('newer store', 'it was changed')
        set_version(databases[-1], was)
        case.start()
        case.wait_readings(10)
    aside = len(store_files(case)[0]) > 1 or 'store-newer' in case.codes()
    case.tell(f'user_version {was} made {NEWER if newer else NEXT}; '
              f'{"set aside, then drained" if aside else "used"}')
    if aside != newer:
        case.problem('other release', 'it was not treated as it should')


def set_version(path, version):
    """As a program of that version leaves it; returns what it was."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        was = connection.execute('PRAGMA user_version').fetchone()[0]
        if version == NEXT:
            connection.execute('CREATE TABLE IF NOT EXISTS later(id INTEGER PRIMARY KEY)')
            connection.execute('ALTER TABLE telemetry ADD COLUMN later INTEGER')
        connection.execute(f'PRAGMA user_version = {version}')
    return was
