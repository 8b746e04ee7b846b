"""P1, P2, P10, P16: the process ends at any moment; F14: it is started twice."""
import contextlib
import subprocess
import time

import procs
from case import under_way_ms
from catalogue import fault

BACK_MS = 3000
MODES = ('receipts', 'no receipts', 'no receipts', 'offline')


def run_a_while(case, least=0.1, most=1.6, share_in_start=0.2):
    """Starts the gateway and lets it work for a while that the seed chooses; it counts from when the
    gateway says that it has started, or for a share of the runs from the begin of the start."""
    case.start()
    if case.random.random() >= share_in_start:
        procs.wait_for(lambda: case.has_started() or not case.gateway.running(), 10, 'the start')
    seconds = case.random.uniform(least, most)
    time.sleep(seconds)
    return seconds


def work_a_while(case):
    """Starts the gateway and lets it read the devices as often as the seed chooses."""
    case.start()
    case.wait_served(case.random.randint(3, 20))


def kill(case, back_within_ms=BACK_MS):
    """kill -9; returns the instant."""
    begin = time.monotonic_ns()
    case.gateway.kill()
    case.fault('kill', begin, cut=begin, loses_ms=under_way_ms(), back_within_ms=back_within_ms)
    return begin


def interrupted(case, strike, name, between=lambda: None, loses_ms=0):
    """A run that `strike` ends, and the start after it.  The platform sends receipts, or none, or
    cannot be reached; when it sends none, all that it had seen must come again."""
    mode = case.random.choice(MODES)
    if mode == 'offline':
        case.link.cut()
    if mode == 'no receipts':
        case.mute()
    seconds = run_a_while(case, 0.1, 2.0)
    instant = strike(case)
    case.tell(f'{name} after {seconds:.3f} s, batches of {case.interval_ms} ms, {mode}')
    missing = sum(last - first + 1 for _, _, first, last in case.unreceipted())
    committed = case.durable(instant)
    case.tell(f'durable before: {"" if committed is None else f"{committed} committed; "}'
              f'{case.had(instant)} had come, {missing} of it without a receipt; all answers '
              f'{f"but of the last {loses_ms} ms" if loses_ms else "accepted"} must come')
    between()
    if mode == 'no receipts':
        prove(case, instant)
    else:
        case.link.restore()
        case.start()
    case.wait_readings(30)
    case.wait_new_readings(instant)  # not only what had been stored


def prove(case, instant):
    """The platform has been silent: what it had seen and not receipted must come again."""
    restarted = time.monotonic_ns()
    case.start()
    wanted = [(key, *span) for key, seen in case.look().seen.items()
              for ns, first, last in seen if ns < instant
              for span in case.unreceipted_of(key, first, last)]

    def again():
        have = case.look().have(since=restarted)
        return all(key in have and have[key].covers(first, last) for key, first, last in wanted)
    try:
        procs.wait_for(again, 6)
        case.tell(f'all {sum(last - first + 1 for _, first, last in wanted)} of them came again')
    except TimeoutError:
        case.tell('not all of them came again')
    case.faults.add(what='proof', cut=instant, since=restarted)
    case.speak()


@fault('P1', 'kill -9 at a random time', (20, 1000, 3000))
def kill_at_random(case):
    case.interval_ms = case.random.choice([100, 400, 1000])
    interrupted(case, kill, 'killed')


STORE_CALLS = 'pwrite64,pwritev,fdatasync,fsync,ftruncate,fallocate,unlink,rename,mkdir'
SPOOL_CALLS = 'write,writev,openat,unlink,mkdir,rename,fsync'
# Where to kill, which calls are counted, and about how many there are.  A step of STRIDE through
# them meets each once, so that few runs are spread and many are exhaustive.
PLACES = (('first start', STORE_CALLS, 6400), ('next start', STORE_CALLS, 120),
          ('store', STORE_CALLS, 170), ('spool', SPOOL_CALLS, 60))
STRIDE = 1009
SLOWED_MS = 250  # from an answer to its acceptance, under strace


def strace(calls, number):
    return ['strace', '-qq', '-o', '/dev/null', '-e', f'trace={calls}', '-e',
            f'inject={calls}:signal=KILL:when={number}']


@fault('P2', 'kill -9 at a system call of the write path', (50, 2000, 6000),
       needs=('root', 'strace'))
def kill_at_system_call(case):
    """At the Nth call of the main thread during a first or a later start, or of any thread from a
    moment on.  The seed says where and which N; consecutive seeds go through all of them."""
    where, calls, most = PLACES[case.seed % len(PLACES)]
    number = 1 + case.seed // len(PLACES) * STRIDE % most
    if where == 'next start':
        case.link.cut()
        case.start()
        case.wait_served(10)
        kill(case)
        case.link.restore()
    begin = time.monotonic_ns()
    if where.endswith('start'):
        case.start(prefix=[*strace(calls, number), '-D'])
    else:
        run_a_while(case, 0.1, 0.4)
        tracer = subprocess.Popen([*strace(calls, number), '-f', '-p', str(case.gateway.pid)])
        case.also(tracer.kill, tracer.wait)
    with contextlib.suppress(TimeoutError):
        procs.wait_for(lambda: not case.gateway.running(), 4)
    if case.gateway.running():
        case.tell(f'{where}: call {number} of {calls} was not reached; stopped')
        case.stop()
    else:
        case.tell(f'{where}: killed at call {number} of {calls}')
        case.gateway.process.wait()
        case.fault('kill', begin, cut=time.monotonic_ns(), loses_ms=SLOWED_MS,
                   back_within_ms=BACK_MS)
    case.tell(f'{case.had()} had come')
    case.start()
    case.wait_readings(30)


@fault('P10', 'SIGTERM under load', (5, 100, 300))
def stop_under_load(case):
    work_a_while(case)
    offline = case.random.random() < 0.5
    if offline:
        case.link.cut()
    began = time.monotonic()
    code = case.stop()
    took = time.monotonic() - began
    case.tell(f'SIGTERM, {"offline" if offline else "connected"}; ended after {took:.2f} s with '
              f'{code}')
    if code != 0 or took > 5 * procs.patience:
        case.problem('stop', f'ended after {took:.2f} s with {code}')
    if offline:
        case.link.restore()
    case.start()
    case.wait_readings(30)
    procs.wait_for(lambda: case.events('epoch_closed'), 10, 'the end is told')
    closed = case.events('epoch_closed')
    if not closed[0]['clean']:
        case.problem('stop', f'no clean end is told: {closed}')


@fault('P16', 'ten starts that are cut short', (1, 10, 20))
def crash_loop(case):
    """As a service manager that starts again what ends at once."""
    offline = case.random.random() < 0.5
    if offline:
        case.link.cut()
    moments = []
    for _ in range(9):
        moments.append(run_a_while(case, 0.0, 1.0, share_in_start=1))
        kill(case, back_within_ms=None)
    moments.append(run_a_while(case, 0.0, 1.0, share_in_start=1))
    kill(case)
    case.tell(f'killed {", ".join(f"{1000 * seconds:.0f}" for seconds in moments)} ms after its '
              f'starts, {"offline" if offline else "connected"}')
    if offline:
        case.link.restore()
    case.start()
    case.wait_readings(30)
    ends = [event['clean'] for event in case.events('epoch_closed')]
    case.tell(f'{len(ends)} ends are told')
    if True in ends:
        case.problem('crash loop', f'a clean end is told: {ends}')


@fault('F14', 'two instances on one store', (2, 20, 50))
def start_twice(case):
    work_a_while(case)
    other = procs.Gateway(case.folder, case.street.build, case.site(), case.folder / 'second',
                          'second')
    began = time.monotonic()
    other.start()
    case.also(other.kill)
    code = other.process.wait(10 * procs.patience)
    took = time.monotonic() - began
    case.tell(f'the second one ended after {took:.2f} s with {code}: {other.lines()[-1:]}')
    if code != 70 or took > procs.patience:
        case.problem('second instance', f'ended after {took:.2f} s with {code}')
    case.wait_readings(30)
