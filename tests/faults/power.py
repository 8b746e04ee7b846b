"""P3, P7 to P9: the power is cut; what was not flushed is gone."""
import contextlib
import signal
import subprocess
import time

import procs
from catalogue import fault
from damage import ANY, destroy_header, fill_store
from process import interrupted, work_a_while

BACK_MS = 5000
SLACK_MS = 400  # from the closing of a batch to the end of its commit, on a busy machine


def cut(case, killed=None):
    """Cuts the power and boots: tmpfs is empty, the disk has what was flushed.  `killed`: the spool
    of the process that was killed then may not have been committed yet."""
    begin = time.monotonic_ns()
    case.disk.cut()
    case.gateway.kill()
    case.disk.reboot()
    case.reboot()
    spooled_ms = (begin - killed) // 1_000_000 if killed else 0
    case.fault('power', begin, cut=begin, back_within_ms=BACK_MS,
               loses_ms=spooled_ms + case.interval_ms + SLACK_MS * procs.patience)
    return begin


@fault('P3', 'power cut', (20, 1000, 3000), needs=('root', 'cut'), disk_mb=64)
def power_cut(case):
    case.interval_ms = case.random.choice([100, 400, 1000])
    interrupted(case, cut, 'power cut', loses_ms=case.interval_ms + SLACK_MS * procs.patience)


@fault('P7', 'power cuts during recovery', (5, 300, 1000), needs=('root', 'cut'), disk_mb=64)
def power_cut_twice(case):
    def again():
        for _ in range(2):
            seconds = case.random.uniform(0, 0.2)
            case.start()
            time.sleep(seconds)
            cut(case)
            case.tell(f'cut again {1000 * seconds:.0f} ms after the start')
    interrupted(case, cut, 'power cut', again, case.interval_ms + SLACK_MS * procs.patience)


class Trap:
    """Stops the gateway when its main thread, or any thread, has made the Nth of these calls on
    these paths."""

    def __init__(self, case, calls, number, paths):
        self.case, self.log = case, case.folder / 'trap.log'
        self.log.unlink(missing_ok=True)
        self.command = ['strace', '-f', '-qq', '-o', str(self.log), '-e', f'trace={calls}', '-e',
                        f'inject={calls}:signal=STOP:when={number}']
        for path in paths:
            self.command += ['-P', str(case.store / path)]
        self.text = f'call {number} of {calls} on {" ".join(paths)}'

    def start(self, **more):
        """Starts the gateway in it."""
        self.case.start(prefix=[*self.command, '-D'], **more)

    def attach(self):
        tracer = subprocess.Popen([*self.command, '-p', str(self.case.gateway.pid)])
        self.case.also(tracer.kill, tracer.wait)
        procs.wait_for(self.case.is_traced, 5, 'strace is attached')

    def wait(self, limit):
        """True when it stopped there; it may not come so far."""
        def sprung():
            return self.log.exists() and 'stopped by SIGSTOP' in self.log.read_text() or \
                not self.case.gateway.running()
        with contextlib.suppress(TimeoutError):
            procs.wait_for(sprung, limit)
        stopped = sprung() and self.case.gateway.running()
        self.case.tell(f'{"stopped after" if stopped else "did not come to"} {self.text}')
        return stopped


DATABASE, WAL = 'store/1/outbox.db', 'store/1/outbox.db-wal'
REMOVED = ('store/1', DATABASE, WAL)
MOMENTS = ('first start', 'checkpoint', 'start after a cut', 'stop', 'salvage')


@fault('P8', 'power cut at the Nth call of a start, a checkpoint, a stop, a salvage',
       (5, 200, 500), needs=('root', 'cut', 'strace'), disk_mb=64)
def power_cut_in(case):
    moment, number = MOMENTS[case.seed % len(MOMENTS)], case.random.randint(1, 16)
    killed = None
    case.tell(f'{moment}:')
    if moment == 'first start':
        trap = Trap(case, 'fdatasync,fsync', number, [DATABASE, WAL, 'store', 'store/1'])
        trap.start()
    elif moment == 'checkpoint':  # of what a new store writes ahead
        trap = Trap(case, 'fdatasync,pwrite64', case.random.randint(1, 2000), [DATABASE])
        trap.start()
    elif moment == 'start after a cut':
        work_a_while(case)
        cut(case)
        trap = Trap(case, 'fdatasync,pwrite64', number, [DATABASE, WAL, 'heads'])
        trap.start()
    elif moment == 'salvage':
        killed = fill_store(case, clean=case.random.random() < 0.5)
        case.damage()
        begin = time.monotonic_ns()
        destroy_header(case)
        case.fault('damage', begin, may=ANY, budget=10**6)
        trap = Trap(case, 'fdatasync,fsync,unlinkat,rmdir', number,
                    [*REMOVED, 'store', 'store/2', 'store/2/outbox.db', 'store/2/outbox.db-wal'])
        trap.start()
    else:
        case.start()
        case.wait_readings(case.random.randint(5, 100))
        trap = Trap(case, 'fdatasync,pwrite64', case.random.randint(1, 30), [DATABASE])
        trap.attach()
        case.gateway.signal(signal.SIGTERM)
    trap.wait(8)
    cut(case, killed)
    case.link.restore()
    case.start()
    case.wait_readings(30)


KEPT = ('last-good', 'last-good/gateway.toml.new', 'last-good/gateway.toml', 'last-good/profiles')


@fault('P9', 'power cut at the Nth call on a side file', (5, 200, 500),
       needs=('root', 'cut', 'strace'), disk_mb=64)
def power_cut_in_side_file(case):
    """The heads file, or the copy of the site file that the next start falls back on: the old one
    or the new one is there, never neither."""
    profiles = [f'last-good/profiles/test.{device}.profile.toml.new'
                for device in case.street.devices]
    calls = 'openat,write,pwrite64,fdatasync,fsync,rename'
    texts = [case.site().read_text()]
    moment = case.random.choice(['heads', 'first copy', 'next copy', 'next copy'])
    if moment == 'heads':
        trap = Trap(case, calls, case.random.randint(1, 3), ['heads'])
        trap.start()
    elif moment == 'first copy':
        trap = Trap(case, calls, case.random.randint(1, 24), [*KEPT, *profiles])
        trap.start()
    else:
        case.start()
        case.wait_readings(5)
        case.budget = '65MiB'
        texts.append(case.site().read_text())
        trap = Trap(case, calls, case.random.randint(1, 8), [*KEPT, *profiles])
        trap.attach()
        case.gateway.signal(signal.SIGHUP)
    trap.wait(5)
    cut(case)
    expect_copy(case, texts, moment)
    case.start()
    case.wait_readings(30)


def expect_copy(case, texts, moment):
    """The copy is one of these texts, and the box runs on it when the site file is spoilt."""
    copy = case.store / 'last-good' / 'gateway.toml'
    text = copy.read_text() if copy.exists() else None
    if text not in texts and (text is not None or moment == 'next copy'):
        case.problem('side file', f'the copy of the site file is {text!r}')
    if text is None:
        case.tell('no copy of the site file yet')
        return
    spoilt = case.folder / 'spoilt.toml'
    spoilt.write_text('schema = ')
    case.start(site=spoilt)
    procs.wait_for(lambda: case.gateway.lines('configuration-bad'), 10,
                   what='the box runs on the copy')
    case.stop()
    case.tell(f'the copy is that of the {"newer" if text == texts[-1] else "older"} site file, and '
              'runs')
