"""P3, P7: the power is cut; what was not flushed is gone."""
import time

import procs
from catalogue import fault
from process import run_a_while

BACK_MS = 5000
SLACK_MS = 400  # from the closing of a batch to the end of its commit, on a busy machine


def cut(case):
    """Cuts the power, ends the process, and boots: tmpfs is empty, the disk has what was flushed."""
    begin = time.monotonic_ns()
    case.disk.cut()
    case.gateway.kill()
    case.disk.reboot()
    case.reboot()
    case.fault('power', begin, cut=begin, back_within_ms=BACK_MS,
               loses_ms=case.interval_ms + SLACK_MS)
    return begin


def prove(case, instant):
    """The platform is silent since before the cut: what it had seen unreceipted must come again."""
    restarted = time.monotonic_ns()
    case.start()
    wanted = [(key, first, last) for key, seen in case.look().seen.items()
              for ns, low, high in seen if ns < instant
              for first, last in case.unreceipted_of(key, low, high)]

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


def cut_once(case, between=lambda: None):
    mode = case.random.choice(['receipts', 'no receipts', 'no receipts', 'offline'])
    if mode == 'offline':
        case.link.cut()
    if mode == 'no receipts':
        case.mute()
    seconds = run_a_while(case, 0.1, 2.0)
    instant = cut(case)
    open_ = sum(last - first + 1 for _, _, first, last in case.unreceipted())
    case.tell(f'power cut {seconds:.3f} s after the start, batches of {case.interval_ms} ms, {mode}')
    case.tell(f'durable before the cut: {case.had(instant)}, {open_} of it without a receipt'
              if mode != 'offline' else 'durable before the cut: all answers but the last '
              f'{case.interval_ms + SLACK_MS} ms; none had come')
    between()
    if mode == 'no receipts':
        prove(case, instant)
    else:
        case.link.restore()
        case.start()
    case.wait_readings(30)


@fault('P3', 'power cut', (12, 1000, 3000), needs=('root', 'cut'), disk_mb=64)
def power_cut(case):
    case.interval_ms = case.random.choice([100, 400, 1000])
    cut_once(case)


@fault('P7', 'power cuts during recovery', (3, 300, 1000), needs=('root', 'cut'), disk_mb=64)
def power_cut_twice(case):
    def again():
        for _ in range(2):
            seconds = case.random.uniform(0, 0.2)
            case.start()
            time.sleep(seconds)
            cut(case)
            case.tell(f'cut again {1000 * seconds:.0f} ms after the start')
    cut_once(case, again)
