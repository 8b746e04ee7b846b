"""A machine of another architecture in qemu, with a kernel and a disk of its own."""
import base64
import itertools
import json
import shutil
import socket
import subprocess
import time

from machine import Machine
import procs

DISK_MB = 3000
MACHINE = ['-machine', 'virt', '-cpu', 'cortex-a72', '-smp', '2', '-m', '1024']  # of the size of a Raspberry Pi


class Guest(Machine):
    """What the guest has written and not flushed is only in nbdkit's cache: cut() loses it.  Commands reach
    it over qemu's agent, so that it needs no password, no key and no network for them."""

    def __init__(self, name, base, folder, packages, cards=()):
        super().__init__(name, folder)
        self.boot_files = [next((base / 'boot').glob(f'{what}-*')) for what in ('vmlinuz', 'initrd.img')]
        self.disk, self.cards = self.folder / 'disk', cards
        self.server = self.agent = None
        with open(self.disk, 'wb') as file:
            file.truncate(DISK_MB << 20)
        subprocess.run(['mkfs.ext4', '-q', '-F', '-L', name, '-d', base, self.disk], check=True)
        subprocess.run(['mount', '-o', 'loop', self.disk, self.root], check=True)
        try:
            shutil.copytree(packages, self.root / 'packages', symlinks=True)
            (self.root / 'etc/hosts').write_text('127.0.0.1 localhost\n10.0.2.2 platform\n', encoding='utf-8')
        finally:
            subprocess.run(['umount', self.root], check=True)

    def _start(self, limit):
        disk, agent = self.folder / 'disk.sock', self.folder / 'agent.sock'
        for path in (disk, agent):
            path.unlink(missing_ok=True)
        kernel, ramdisk = self.boot_files
        cards = [word for n, card in enumerate(self.cards) for word in (
            '-drive', f'if=none,id=card{n},format=raw,file={card}', '-device', f'virtio-blk-device,drive=card{n}')]
        with open(self.folder / 'console.log', 'ab') as log:
            self.server = subprocess.Popen(
                ['nbdkit', '--foreground', '--filter=cache', f'--unix={disk}', 'file', self.disk,
                 'cache=writeback'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            procs.wait_for(disk.exists, 10, 'the disk is served')
            self.process = subprocess.Popen(
                ['qemu-system-aarch64', *MACHINE, '-nodefaults', '-display', 'none', '-no-reboot',
                 '-serial', 'stdio', '-kernel', kernel, '-initrd', ramdisk,
                 '-append', f'root=LABEL={self.name} rw console=ttyAMA0 systemd.show_status=1',
                 '-drive', f'if=none,id=disk,format=raw,file=nbd:unix:{disk}',
                 '-device', 'virtio-blk-device,drive=disk', '-device', 'virtio-rng-device',
                 '-netdev', 'user,id=network', '-device', 'virtio-net-device,netdev=network',
                 '-device', 'virtio-serial-device', '-chardev', f'socket,id=agent,path={agent},server=on,wait=off',
                 '-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0', *cards],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        procs.wait_for(lambda: agent.exists() or not self.running(), 10, 'qemu runs')
        self.agent = Agent(agent)
        procs.wait_for(self._answers, limit, f'{self.name} answers')

    def _answers(self):
        if not self.running():
            raise RuntimeError(f'{self.name} did not boot: {self.folder}/console.log')
        return self.agent.answers()

    def _execute(self, words, limit, given=''):
        # The agent keeps output and errors apart.
        started = self.agent.ask('guest-exec', {
            'path': '/bin/sh', 'arg': ['-c', 'exec "$@" 2>&1', 'sh', *words], 'capture-output': True,
            'input-data': base64.b64encode(given.encode()).decode()})
        end = time.monotonic() + limit
        for n in itertools.count():
            state = self.agent.ask('guest-exec-status', started)
            if state['exited']:
                break
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(words, limit)
            time.sleep(min(0.1 * (n + 1), 0.5))
        text = base64.b64decode(state.get('out-data', '')).decode(errors='replace')
        return subprocess.CompletedProcess(words, state.get('exitcode', 128 + state.get('signal', 0)), text)

    def write(self, path, text, mode=0o644):
        done = self._execute(['sh', '-ec', 'mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"', 'sh', path,
                              f'{mode:o}'], 60 * procs.patience, text)
        assert done.returncode == 0, done.stdout

    def read(self, path):
        return self.run('cat', path).stdout

    def cut(self):
        """Ends the machine and its disk at once."""
        for process in (self.process, self.server):
            if process:
                process.kill()
        for process in (self.process, self.server):
            if process:
                process.wait()
        if self.agent:
            self.agent.close()
        self.process = self.server = self.agent = None


class Agent:
    """qemu-guest-agent in a guest: one question and one answer a line, as JSON."""

    def __init__(self, path):
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(str(path))
        self.received = b''
        self.numbers = itertools.count(1)

    def close(self):
        self.line.close()

    def answers(self):
        """Whether it is there; what it said to earlier questions is passed over."""
        number = next(self.numbers)
        self._send('guest-sync', {'id': number})
        try:
            while self._receive(2).get('return') != number:
                pass
        except TimeoutError:
            return False
        return True

    def ask(self, what, arguments):
        self._send(what, arguments)
        answer = self._receive(60 * procs.patience)
        if 'return' not in answer:
            raise RuntimeError(f'{what}: {answer}')
        return answer['return']

    def _send(self, what, arguments):
        self.line.settimeout(60 * procs.patience)
        self.line.sendall(json.dumps({'execute': what, 'arguments': arguments}).encode() + b'\n')

    def _receive(self, limit):
        self.line.settimeout(limit)
        while b'\n' not in self.received:
            part = self.line.recv(65536)
            if not part:
                raise ConnectionError('the guest is gone')
            self.received += part
        line, _, self.received = self.received.partition(b'\n')
        return json.loads(line)
