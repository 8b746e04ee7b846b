"""P3, P7: the power is cut; what was not flushed is gone."""
import time

from catalogue import fault
from process import interrupted

BACK_MS = 5000
SLACK_MS = 400  # from the closing of a batch to the end of its commit, on a busy machine


def cut(case):
    """Cuts the power and boots: tmpfs is empty, the disk has what was flushed."""
    begin = time.monotonic_ns()
    case.disk.cut()
    case.gateway.kill()
    case.disk.reboot()
    case.reboot()
    case.fault('power', begin, cut=begin, back_within_ms=BACK_MS,
               loses_ms=case.interval_ms + SLACK_MS)
    return begin


@fault('P3', 'power cut', (20, 1000, 3000), needs=('root', 'cut'), disk_mb=64)
def power_cut(case):
    case.interval_ms = case.random.choice([100, 400, 1000])
    interrupted(case, cut, 'power cut', loses_ms=case.interval_ms + SLACK_MS)


@fault('P7', 'power cuts during recovery', (5, 300, 1000), needs=('root', 'cut'), disk_mb=64)
def power_cut_twice(case):
    def again():
        for _ in range(2):
            seconds = case.random.uniform(0, 0.2)
            case.start()
            time.sleep(seconds)
            cut(case)
            case.tell(f'cut again {1000 * seconds:.0f} ms after the start')
    interrupted(case, cut, 'power cut', again, case.interval_ms + SLACK_MS)
