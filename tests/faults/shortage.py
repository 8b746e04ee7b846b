"""P13 to P15: memory, descriptors, threads and CPU run short."""
import os
import resource
import time

from catalogue import fault
from limits import ControlGroup
from process import BACK_MS
from storage import freed

MOST_ALLOCATIONS = 60_000  # about those of a start and a second of work
STRIDE = 10_007
SLOWED_MS = 400


@fault('P13', 'memory runs out at the Nth allocation', (50, 1000, 3000))
def no_memory(case):
    """Alone, or with the next ones; consecutive seeds spread over a start and the work after it.
    It may end: then what it had accepted comes with the next start."""
    number = 1 + case.seed * STRIDE % MOST_ALLOCATIONS
    many = case.random.choice([1, 1, 3, 20, 1000])
    library = case.street.build / 'tests' / 'support' / 'libfailing_malloc.so'
    begin = time.monotonic_ns()
    case.start(prefix=['env', f'LD_PRELOAD={library}', f'FAILING_MALLOC_AT={number}',
                       f'FAILING_MALLOC_COUNT={many}'])
    end = time.monotonic() + case.random.uniform(1.0, 2.0)
    while time.monotonic() < end and case.gateway.running():
        time.sleep(0.02)
    lived = case.gateway.running()
    if lived:
        case.gateway.kill()
    code = case.gateway.process.wait()
    case.fault('kill', begin, cut=time.monotonic_ns(), loses_ms=SLOWED_MS, back_within_ms=BACK_MS)
    case.tell(f'{many} allocations from number {number} on failed: '
              f'{"killed later" if lived else f"ended with {code}"}; {case.gateway.lines()[-1:]}')
    case.start()
    case.wait_readings(30)


@fault('P14', 'no descriptor, or no thread, is to be had', (2, 20, 50),
       needs=('root', 'cgroup-pids'))
def no_descriptors(case):
    """While it runs, and while the line to the platform and the spool need new ones."""
    case.start()
    case.wait_readings(5)
    pid, what = case.gateway.pid, case.random.choice(['descriptors', 'threads'])
    begin = time.monotonic_ns()
    if what == 'descriptors':
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        numbers = [int(name) for name in os.listdir(f'/proc/{pid}/fd')]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(numbers) + 1, before[1]))
    else:
        group = ControlGroup('pids')
        case.also(group.remove)
        group.take(pid)
        group.set('pids.max', group.number('pids.current'))
    case.link.cut()
    seconds = case.random.uniform(1, 3)
    time.sleep(seconds / 2)
    case.link.restore()
    time.sleep(seconds / 2)
    if what == 'descriptors':
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    else:
        group.set('pids.max', 'max')
    case.tell(f'no new {what} for {seconds:.1f} s, the line cut and back meanwhile')
    freed(case, begin, 'shortage')


@fault('P15', '5 % of a processor', (1, 10, 20), needs=('root', 'cgroup-cpu'))
def starved(case):
    """Answers may come too late; slots that were missed are counted (K8), and all is well after."""
    case.start()
    case.wait_readings(5)
    group = ControlGroup('cpu')
    case.also(group.remove)
    begin = time.monotonic_ns()
    group.take(case.gateway.pid)
    group.limit_cpu(5)
    time.sleep(6)
    group.unlimit_cpu()
    case.tell('5 % of one processor for 6 s')
    freed(case, begin, 'starved')
