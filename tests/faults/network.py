"""N1 to N7, N16, N18, N19: the line, the broker or the platform fails, again and again.

Neither the box nor its store fails here, so the checker is told of no allowance: whatever a device
answered must come.  And it must come while the gateway runs on; no start helps it."""
import json
import signal
import time

import procs
from catalogue import fault

COMPLETE_S = 60  # once it is there again
LIVE_S = 10


def back_s():
    """Boxes spread their attempts after an outage, and none is later than six minutes, on any machine."""
    return 360 / procs.patience


def span(case, least, most):
    """Seconds between these, short ones as often as long ones."""
    return least * (most / least) ** case.random.random()


def command(case, name, **arguments):
    case.publish('cmd', json.dumps({
        'schema': 'smartstate.command/1', 'id': f'{name}-{time.time_ns()}',
        'expires': '2099-01-01T00:00:00Z', 'command': name, 'arguments': arguments}).encode())


def repeated(case, strike, most=4):
    """Works, is struck, works; `strike` returns what it did, as text.  Then all that the box has
    announced must be with the platform."""
    case.interval_ms = case.random.choice([100, 400])
    case.start()
    done = []
    for _ in range(case.random.randint(1, most)):
        time.sleep(span(case, 0.02, 2))
        done.append(strike(case))
    ended = time.monotonic()
    case.tell(', '.join(done))
    case.wait_new_readings(time.monotonic_ns(), back_s())
    everything_comes(case)
    case.tell(f'all that was announced had come {time.monotonic() - ended:.1f} s later')


def everything_comes(case):
    told = case.manifests
    command(case, 'rebirth')
    procs.wait_for(lambda: case.look().manifests > told, back_s(), 'the manifest that was asked for')
    heads = dict(case.heads)
    try:
        procs.wait_for(lambda: case.missing(heads) == 0, COMPLETE_S)
    except TimeoutError:
        case.problem('incomplete', f'{case.missing(heads)} announced readings have not come')


def cut(case):
    seconds = span(case, 0.02, 15)
    case.link.cut()
    time.sleep(seconds)
    case.link.restore()
    return f'cut for {seconds:.2f} s'


def slow(case):
    for _ in range(case.random.randint(2, 10)):
        case.link.delay = case.random.uniform(0, 0.8)
        time.sleep(case.random.uniform(0.05, 1))
    case.link.delay = 0
    return 'slow for a while'


def swallow(case):
    seconds = span(case, 0.2, 45)
    case.link.silence()
    time.sleep(seconds)
    lost = case.random.random() < 0.5
    if lost:
        case.link.cut()
    case.link.unsilence()
    case.link.restore()
    return f'silent for {seconds:.2f} s, what it had taken {"lost" if lost else "passed late"}'


def reset(case):
    times = case.random.randint(1, 12)
    for _ in range(times):
        if case.random.random() < 0.5:
            case.link.reset()
        else:
            case.link.fuse = case.random.randint(0, 4000)
        time.sleep(span(case, 0.001, 0.5))
    case.link.fuse = None
    return f'{times} resets'


def freeze_broker(case):
    seconds = span(case, 0.05, 15)
    case.street.broker.freeze()
    time.sleep(seconds)
    case.street.broker.thaw()
    return f'frozen for {seconds:.2f} s'


def lose_broker(case):
    seconds, killed = span(case, 0.01, 5), case.random.random() < 0.7
    began = time.monotonic_ns()
    (case.street.broker.kill if killed else case.street.broker.stop)()
    time.sleep(seconds)
    case.street.broker.start()
    case.fault('broker', began, drops=True)
    return f'broker {"killed" if killed else "stopped"} for {seconds:.2f} s'


def stop_platform(case):
    seconds, began = span(case, 0.5, 8), time.monotonic_ns()
    case.platform.signal(signal.SIGSTOP)
    time.sleep(seconds)
    case.platform.signal(signal.SIGCONT)
    case.fault('broker', began, drops=True)
    return f'the platform stood still for {seconds:.2f} s'


def kill_platform(case):
    seconds, began = span(case, 0.01, 5), time.monotonic_ns()
    case.platform.kill()
    time.sleep(seconds)
    case.start_platform()
    case.fault('platform', began, drops=True)
    return f'the platform was away for {seconds:.2f} s'


def broker_back(case):
    """When the run ends, whatever happened in it."""
    case.street.broker.thaw()
    if not case.street.broker.running():
        case.street.broker.start()


@fault('N1', 'the line is cut, up to five times', (5, 100, 300))
def line_is_cut(case):
    repeated(case, cut, 5)


@fault('N2', 'the line is slow and its delay changes', (2, 50, 200))
def line_is_slow(case):
    repeated(case, slow)


@fault('N3', 'a line of 9.6 to 64 kbit/s after an outage: what is new is not held up', (1, 20, 50),
       street={'poll_ms': 1000})
def line_is_thin(case):
    """New readings take a third of the slowest of these lines. What is measured until the first new
    ones come waits for the birth and the dictionaries: 9 KB."""
    case.interval_ms = 2000
    case.start()
    case.wait_readings(30)
    case.link.cut()
    away, kbits = case.random.uniform(20, 60), case.random.choice([9.6, 19.2, 64])
    time.sleep(away)
    case.link.rate = int(kbits * 1000 / 8)
    case.link.restore()
    case.wait_new_readings(time.monotonic_ns(), back_s())
    came = time.monotonic_ns()
    time.sleep(40)
    case.link.rate = None
    late = sorted(case.delays(came))
    p99 = late[len(late) * 99 // 100]
    case.tell(f'away for {away:.1f} s, then {kbits} kbit/s: of {len(late)} new batches 99 % came '
              f'within {p99:.1f} s of their last reading')
    if p99 > LIVE_S * procs.patience:
        case.problem('live', f'new readings came after {p99:.1f} s')
    everything_comes(case)


@fault('N4', 'a line that takes all and passes nothing', (2, 50, 100))
def black_hole(case):
    repeated(case, swallow, 2)


@fault('N5', 'connections are reset, some within a packet, and the line takes new ones',
       (10, 500, 1000))
def reset_storm(case):
    repeated(case, reset)


@fault('N6', 'the broker stands still', (3, 100, 300))
def broker_freezes(case):
    case.also(lambda: broker_back(case))
    repeated(case, freeze_broker)


@fault('N7', 'the broker is killed or stopped, and has forgotten all', (5, 200, 1000))
def broker_forgets(case):
    case.also(lambda: broker_back(case))
    repeated(case, lose_broker)


@fault('N16', 'the broker drops what it has taken: its queue for the platform is full',
       (2, 50, 200), street={'broker': 'max_queued_messages 5\nmax_inflight_messages 3\n'})
def queue_overflows(case):
    repeated(case, stop_platform)
    dropped = case.street.broker.lines('are being dropped')
    case.tell(f'{len(dropped)} times the broker said that it drops')


@fault('N18', 'the platform is killed, perhaps between taking and committing', (5, 200, 1000))
def platform_is_killed(case):
    repeated(case, kill_platform)


def hostile(case, epoch, chance):
    """A receipt that no platform would send."""
    far = chance.choice([10**6, 2**40, 2**53, 2**63, 2**64 - 1, 2**70])
    good = {'schema': 'smartstate.receipt/1', 'receiver': 'receiver-1', 'box': case.box,
            'hello': False, 'epochs': {epoch: {'telemetry': [[1, 1]]}}, 'need': []}
    what = chance.choice(('above the head', 'no order', 'negative', 'other epoch', 'other box',
                          'other receiver', 'wrong types', 'cut short', 'no text', 'deep'))
    if what == 'above the head':
        what = f'up to {far}'
        good['epochs'] = {epoch: {lane: [[1, far]] for lane in ('telemetry', 'billing', 'alarm', 'control')}}
    elif what == 'no order':
        good['epochs'] = {epoch: {'telemetry': [[5, 9], [3, far], [9, 2]]}}
    elif what == 'negative':
        good['epochs'] = {epoch: {'telemetry': [[-far, far]]}}
    elif what == 'other epoch':
        good['epochs'] = {f'{chance.getrandbits(128):032x}': {'telemetry': [[1, far]]}}
    elif what in ('other box', 'other receiver'):
        good['epochs'] = {epoch: {'telemetry': [[1, 3]]}}
        good['box' if what == 'other box' else 'receiver'] = chance.choice(['', 'a' * 5000, 'place-1714000.box-x'])
    elif what == 'wrong types':
        good[chance.choice(list(good))] = chance.choice([None, 7, [], {}, 'x', [[]], {'a': 1}])
        good.pop('epochs' if chance.random() < 0.5 else 'schema', None)
    text = json.dumps(good).encode()
    if what == 'cut short':
        return what, text[:chance.randrange(len(text))]
    if what == 'no text':
        return what, bytes(chance.randrange(256) for _ in range(chance.randrange(1, 3000)))
    return what, b'[' * 100_000 if what == 'deep' else text


@fault('N19', 'receipts that lie', (10, 300, 1000))
def receipts_lie(case):
    """The platform takes nothing meanwhile: whatever a lie frees is missed."""
    case.interval_ms = 100
    case.start()
    case.wait_readings(30)
    case.mute()
    epoch = next(iter(case.look().seen))[0]
    began = time.monotonic_ns()
    case.platform.kill()
    told = []
    for _ in range(case.random.randint(5, 25)):
        what, payload = hostile(case, epoch, case.random)
        told.append(what)
        case.publish('receipt', payload)
        time.sleep(span(case, 0.001, 0.2))
    time.sleep(0.5)
    case.start_platform()
    case.fault('platform', began, drops=True)
    case.tell(f'lies: {", ".join(told)}')
    case.wait_new_readings(time.monotonic_ns(), back_s())
    everything_comes(case)
    if {'up to 1000000', f'up to {2**40}', f'up to {2**53}'} & set(told):
        procs.wait_for(lambda: 'receipt-above-head' in case.codes(), 15, 'the event receipt-above-head')
