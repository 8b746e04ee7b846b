"""The parts of an end-to-end run as objects: broker, link, simulator, gateway, receiver.

Standard library only.  Everything listens on 127.0.0.1 at a port of the moment, lives in one
folder, and is ended by its pid when the Run closes.
"""
import asyncio
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
held = []  # sockets of closed_port
patience = 1  # every limit is so many times as long as on a machine that has nothing else to do


def free_port():
    """Below the ports that the kernel hands out: between this and its use no other test is given it."""
    with open('/proc/sys/net/ipv4/ip_local_port_range', encoding='ascii') as file:
        end = int(file.read().split()[0])
    while True:
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(('127.0.0.1', random.randrange(end // 2, end)))
            return probe.getsockname()[1]


def closed_port():
    """Connecting there is refused for as long as this process lives: it is taken, and nobody listens."""
    holder = socket.socket()
    holder.bind(('127.0.0.1', 0))
    held.append(holder)
    return holder.getsockname()[1]


def wait_for(predicate, limit=10.0, what='condition'):
    """Returns the first true value of the predicate; raises TimeoutError, naming what, after limit."""
    end = time.monotonic() + limit * patience
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f'not within {limit:g} s: {what() if callable(what) else what}')
        time.sleep(0.02)


def whole_lines(path):
    """The lines of a file that a process may be writing: without the last one while its end is missing."""
    try:
        data = pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        return []
    return data.decode(errors='replace').split('\n')[:-1]


class Program:
    """A child process; what it writes is in `name`.log, over restarts."""

    def __init__(self, folder, name, command, environment=None):
        self.folder, self.name, self.command = pathlib.Path(folder), name, [str(c) for c in command]
        self.environment = environment or {}
        self.log = self.folder / f'{name}.log'
        self.out = self.folder / f'{name}.out'
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        with open(self.out, 'ab') as out, open(self.log, 'ab') as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=log, env={**os.environ, **self.environment})
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """As a power switch would: no farewell."""
        if self.running():
            self.process.kill()
        return self.process.wait() if self.process else None

    def stop(self, limit=15.0):
        """Asks it to end; returns its exit code."""
        if self.process is None:
            return None
        if self.running():
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            return self.process.wait(limit * patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise TimeoutError(f'{self.name} did not stop within {limit:g} s') from None

    def lines(self, containing=''):
        return [line for line in whole_lines(self.log) if containing in line]

    def cpu_seconds(self):
        fields = pathlib.Path(f'/proc/{self.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def peak_kb(self):
        return self._number('status', 'VmHWM:')

    def resident_kb(self):
        return self._number('status', 'VmRSS:')

    def written_bytes(self):
        return self._number('io', 'write_bytes:')

    def wakes(self):
        """How often its threads slept and woke again, all together."""
        return sum(self._number(f'task/{thread}/status', 'voluntary_ctxt_switches:')
                   for thread in os.listdir(f'/proc/{self.pid}/task'))

    def listening_ports(self):
        """TCP ports that the process listens at."""
        own = set()
        for descriptor in pathlib.Path(f'/proc/{self.pid}/fd').iterdir():
            with contextlib.suppress(FileNotFoundError):
                own.add(os.readlink(descriptor))
        ports, listening = set(), '0A'
        for file in ('tcp', 'tcp6'):
            for line in pathlib.Path(f'/proc/{self.pid}/net/{file}').read_text().splitlines()[1:]:
                _, local, _, state, *rest = line.split()
                if state == listening and f'socket:[{rest[5]}]' in own:
                    ports.add(int(local.rpartition(':')[2], 16))
        return sorted(ports)

    def _number(self, file, key):
        for line in pathlib.Path(f'/proc/{self.pid}/{file}').read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1])
        raise KeyError(key)


class Broker(Program):
    """mosquitto with its own configuration; the port stays the same over restarts."""

    def __init__(self, folder, settings=''):
        self.port = free_port()
        configuration = pathlib.Path(folder) / 'mosquitto.conf'
        configuration.write_text(
            f'user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n'
            f'persistence false\n'
            f'max_queued_messages 0\nlog_type error\nlog_type warning\nlog_type notice\n'
            f'log_type subscribe\n{settings}')
        command = shutil.which('mosquitto', path=os.environ.get('PATH', '') + ':/usr/sbin')
        super().__init__(folder, 'broker', [command, '-c', configuration])

    def start(self):
        super().start()
        wait_for(self.answers, what='the broker listens')
        return self

    def answers(self):
        if not self.running():
            raise RuntimeError('mosquitto ended: ' + ' '.join(self.lines()[-3:]))
        with contextlib.closing(socket.socket()) as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)


class Subscriber(Program):
    """Every message of one topic filter, with the Unix time it came; subscribed when started."""

    def __init__(self, folder, broker, topic):
        self.broker, self.topic = broker, topic
        super().__init__(folder, 'subscriber-' + topic.split('/')[0],
                         ['mosquitto_sub', '-h', '127.0.0.1', '-p', broker.port, '-q', '1', '-F', '%U %t %x',
                          '-t', topic])

    def start(self):
        before = len(self.broker.lines(f' {self.topic}'))
        super().start()
        wait_for(lambda: len(self.broker.lines(f' {self.topic}')) > before,
                 what=lambda: f'subscribed: {self.lines()}')
        return self

    def messages(self):
        for line in whole_lines(self.out):
            when, topic, payload = line.split(' ')
            yield float(when), topic, bytes.fromhex(payload)


class Link:
    """A TCP line to a port here that can be cut (refuses), silenced (takes all, passes nothing) or
    slowed."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.delay = 0.0
        self.bytes_up = 0
        self.rate = None  # bytes a second, each way
        self.fuse = None  # after so many bytes up the connections are reset, once
        self._streams = set()
        self._flowing = None
        self._server = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._call(self._open(0))

    def cut(self):
        self._call(self._close())

    def restore(self):
        self._call(self._open(self.port))

    def reset(self):
        """Resets every connection; new ones are taken."""
        self._call(self._abort())

    def silence(self):
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def unsilence(self):
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self):
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _open(self, port):
        if self._flowing is None:
            self._flowing = asyncio.Event()
            self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, '127.0.0.1', port)
        return self._server.sockets[0].getsockname()[1]

    async def _close(self):
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._abort()

    async def _abort(self):
        for stream in list(self._streams):
            # Nothing lingers: the far side is told by a reset.
            stream.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            stream.transport.abort()
        await asyncio.sleep(0)

    async def _accept(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection('127.0.0.1', self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._streams |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer, True),
                                 self._pump(far_reader, writer, False))
        except OSError:
            pass
        finally:
            for stream in (writer, far_writer):
                stream.transport.abort()
                self._streams.discard(stream)

    async def _pump(self, reader, writer, up):
        while data := await reader.read(65536):
            await self._flowing.wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            if up:
                self.bytes_up += len(data)
                data = self._burn(data)
            await self._pass_on(writer, data)
            if self.fuse == 0:
                self.fuse = None
                await self._abort()
        raise ConnectionResetError('one side closed')

    async def _pass_on(self, writer, data):
        while data:
            piece = data if self.rate is None else data[:max(1, self.rate // 20)]
            if self.rate is not None:
                await asyncio.sleep(len(piece) / self.rate)
            writer.write(piece)
            await writer.drain()
            data = data[len(piece):]

    def _burn(self, data):
        if self.fuse is None:
            return data
        data = data[:self.fuse]
        self.fuse -= len(data)
        return data


class Gateway(Program):
    """`smart-gateway run`; control() asks over its socket as the commands do."""

    def __init__(self, folder, build, site, runtime, name='gateway', environment=None):
        self.binary = pathlib.Path(build) / 'gateway' / 'smart-gateway'
        self.site, self.runtime = pathlib.Path(site), pathlib.Path(runtime)
        super().__init__(folder, name,
                         [self.binary, 'run', '--config', site, '--runtime', runtime], environment)

    def ask(self, *arguments, limit=20, runtime=True):
        """Runs `smart-gateway ARGUMENTS` on the same site; returns the finished process."""
        where = ['--runtime', self.runtime] if runtime else []
        return subprocess.run([self.binary, *arguments, '--config', self.site, *where],
                              capture_output=True, text=True, timeout=limit, check=False)


class Receiver(Program):
    def __init__(self, folder, build, port, *arguments, file='out.jsonl'):
        folder = pathlib.Path(folder)
        self.file = folder / file if file else 'none'
        self.state = folder / 'receiver-state'
        super().__init__(folder, 'receiver',
                         [pathlib.Path(build) / 'gateway' / 'receiver' / 'smart-receiver',
                          '--broker', f'mqtt://127.0.0.1:{port}', '--out', self.file,
                          '--state', self.state, *arguments])

    def records(self, kind='reading'):
        return [record for record in self.all_records() if record['line'] == kind]

    def all_records(self):
        return [] if self.file == 'none' else [json.loads(line) for line in whole_lines(self.file)]


class Simulator(Program):
    """`smart-gateway-sim ARGUMENTS`; `ports` maps its devices to the ports they got."""

    def __init__(self, folder, build, *arguments, name='simulator'):
        super().__init__(folder, name, [pathlib.Path(build) / 'tests' / 'simulator' /
                                        'smart-gateway-sim', *arguments])
        self.ports = {}

    def start(self):
        super().start()
        ready = wait_for(self._ready_line, what=lambda: f'simulator ready: {self.lines()}')
        self.ports = {device['id']: device['port'] for device in ready['devices']}
        return self

    def _ready_line(self):
        if not self.running():
            raise RuntimeError('the simulator ended: ' + ' '.join(self.lines()[-3:]))
        lines = whole_lines(self.out)
        return json.loads(lines[-1]) if lines else None


class JsonDevices(Simulator):
    """tests/simulator/json_devices.py on a scene file; what was served is in `served_log`."""

    def __init__(self, folder, build, scene):
        super().__init__(folder, build, name='json-devices')
        self.served_log = pathlib.Path(folder) / 'json-served.jsonl'
        self.command = [sys.executable, str(SOURCE / 'tests' / 'simulator' / 'json_devices.py'), str(scene),
                        '--log', str(self.served_log)]

    def served(self):
        return [json.loads(line) for line in whole_lines(self.served_log)]


class Run:
    """One folder and everything that was started in it; closing ends all of it."""

    def __init__(self, build, folder=None, keep=False):
        self.build = pathlib.Path(build).resolve()
        self.keep = keep
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix='gateway-run-'))
        self.folder.mkdir(parents=True, exist_ok=True)
        memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix='gateway-runtime-', dir=memory))
        self._open = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open.close()
        shutil.rmtree(self.runtime, ignore_errors=True)
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, program):
        """Ends the program when the run closes."""
        self._open.callback(program.kill if isinstance(program, Program) else program.close)
        return program

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
        return path
