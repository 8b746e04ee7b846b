"""Control groups: what one process may use of the machine."""
import itertools
import os
import pathlib

ROOT = pathlib.Path('/sys/fs/cgroup')
NUMBERS = itertools.count(1)


class ControlGroup:
    """One process in a group of one controller, in either version of control groups."""

    def __init__(self, controller):
        self.is_v1 = (ROOT / controller).is_dir()
        base = ROOT / controller if self.is_v1 else ROOT
        self.path = base / f'gateway-faults-{os.getpid()}-{next(NUMBERS)}'
        self.path.mkdir()

    def set(self, name, value):
        (self.path / name).write_text(str(value))

    def number(self, name):
        return int((self.path / name).read_text())

    def take(self, pid):
        self.set('cgroup.procs', pid)

    def limit_cpu(self, percent):
        if self.is_v1:
            self.set('cpu.cfs_quota_us', 1000 * percent)
        else:
            self.set('cpu.max', f'{1000 * percent} 100000')

    def unlimit_cpu(self):
        if self.is_v1:
            self.set('cpu.cfs_quota_us', -1)
        else:
            self.set('cpu.max', 'max')

    def remove(self):
        """When its process has ended."""
        self.path.rmdir()


def lacks(controller):
    """Why this machine has none, or ''."""
    try:
        group = ControlGroup(controller)
        try:
            group.set('pids.max' if controller == 'pids' else
                      'cpu.cfs_quota_us' if group.is_v1 else 'cpu.max', 'max' if
                      controller == 'pids' or not group.is_v1 else -1)
        finally:
            group.remove()
    except OSError as error:
        return f'no control group for {controller} here: {error.strerror}'
    return ''
