"""Machines with the real systemd as PID 1: Container, a root that many share, and what one wrote.
Another kind is in guest.py.

They share this process's network: `boot.py` gives it one of its own, with a loopback and nothing else.
"""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'support'))

import procs  # noqa: E402


class Machine:
    """What can be done with a machine of any kind.  `process` is what it runs in."""

    def __init__(self, name, folder):
        self.name, self.folder = name, pathlib.Path(folder) / name
        self.root = self.folder / 'root'
        self.root.mkdir(parents=True)
        self.process = None

    def boot(self, limit=90):
        self._start(limit)
        procs.wait_for(lambda: self.run('systemctl', 'is-system-running', check=False)
                       .stdout.strip() in ('running', 'degraded'), limit, f'{self.name} is up')
        return self

    def run(self, *command, check=True, limit=120, user=None):
        """Runs a command in the machine; returns the finished process, all output in stdout."""
        words = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8',
                 'DEBIAN_FRONTEND=noninteractive',
                 *(['setpriv', f'--reuid={user}', '--init-groups', '--regid', user] if user else []),
                 *[str(word) for word in command]]
        done = self._execute(words, limit * procs.patience)
        if check and done.returncode != 0:
            raise AssertionError(f'{" ".join(str(word) for word in command)}: ended with '
                                 f'{done.returncode}: {done.stdout.strip()[-600:]}')
        return done

    def show(self, unit, *names):
        """Properties of a unit, as texts."""
        text = self.run('systemctl', 'show', unit, *[f'--property={name}' for name in names]).stdout
        found = dict(line.split('=', 1) for line in text.splitlines() if '=' in line)
        return [found[name] for name in names]

    def running(self):
        return self.process is not None and self.process.poll() is None

    def power_off(self, limit=60):
        """As somebody does who may: returns when it is off."""
        with contextlib.suppress(ConnectionError):  # it may be off before it has said that it begins
            self.run('systemctl', '--no-block', 'poweroff')
        procs.wait_for(lambda: not self.running(), limit, f'{self.name} is off')
        self.cut()  # what it ran in

    def close(self):
        """Ends it, and what it was made of."""
        with contextlib.suppress(TimeoutError):  # the disk goes in any case
            self.cut()


class Container(Machine):
    """`binds` are (folder here, folder there)."""

    def __init__(self, name, base, folder, binds=()):
        super().__init__(name, folder)
        self.binds, self.leader = binds, None
        for part in ('upper', 'work'):
            (self.folder / part).mkdir()
        subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o',
                        f'lowerdir={base},upperdir={self.folder}/upper,workdir={self.folder}/work',
                        self.root], check=True)
        (self.root / 'etc/hosts').write_text('127.0.0.1 localhost platform\n', encoding='utf-8')

    def _start(self, limit):
        binds = [f'--bind={here}:{there}' for here, there in self.binds]
        with open(self.folder / 'console.log', 'ab') as log:
            self.process = subprocess.Popen(
                ['systemd-nspawn', '--quiet', '--boot', '--register=no', '--keep-unit',
                 '--console=pipe', '--system-call-filter=adjtimex clock_adjtime',  # reading, as a host may
                 f'--machine={self.name}', f'--directory={self.root}', *binds],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.leader = procs.wait_for(self._init, limit, f'{self.name} has an init')

    def _init(self):
        if self.process.poll() is not None:
            raise RuntimeError(f'{self.name} did not boot: {self.folder}/console.log')
        children = pathlib.Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children')
        for pid in children.read_text().split():  # a helper of nspawn comes and goes first
            with contextlib.suppress(OSError):
                if pathlib.Path(f'/proc/{pid}/comm').read_text() == 'systemd\n':
                    return int(pid)
        return None

    def _execute(self, words, limit):
        return subprocess.run(['nsenter', f'--target={self.leader}', '--mount', '--uts', '--ipc', '--net',
                               '--pid', *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=limit, check=False)

    def write(self, path, text, mode=0o644):
        """A file in the machine, whether it runs or not."""
        target = pathlib.Path(f'/proc/{self.leader}/root{path}' if self.leader else
                              f'{self.root}{path}')
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding='utf-8')
        target.chmod(mode)

    def read(self, path):
        return pathlib.Path(f'/proc/{self.leader}/root{path}').read_text(encoding='utf-8')

    def cut(self):
        """Ends everything at once."""
        if self.running():
            with contextlib.suppress(OSError, TypeError):  # it may end by itself, or have no init yet
                os.kill(self.leader, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            # The kernel takes the processes of a namespace down with its first one.
            procs.wait_for(lambda: _has_ended(self.leader), 20, f'{self.name} is gone')
        self.process = self.leader = None

    def close(self):
        super().close()
        subprocess.run(['umount', '--lazy', self.root], check=True)


def _has_ended(pid):
    try:
        return '\nState:\tZ' in pathlib.Path(f'/proc/{pid}/status').read_text()
    except OSError:
        return True


def elapsed(function):
    """(what it returned, how long it took in seconds)."""
    began = time.monotonic()
    value = function()
    return value, time.monotonic() - began
