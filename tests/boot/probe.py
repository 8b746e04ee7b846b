"""Runs inside a unit's sandbox and tries what it must not be able to do (S11), and what it must.

Prints one line for each mistake, and at the end how many tries there were.
"""
import ctypes
import errno
import mmap
import os
import pathlib
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, CLONE_NEWUSER, CLOCK_REALTIME = 16, 0x10000000, 0
# Numbers of system calls without a function of their own in the C library: x86-64, aarch64.
NUMBERS = {'x86_64': {'kexec_load': 246, 'init_module': 175, 'bpf': 321,
                      'perf_event_open': 298},
           'aarch64': {'kexec_load': 104, 'init_module': 105, 'bpf': 280,
                       'perf_event_open': 241}}


def call(name, *arguments):
    """A function of the C library, or a system call; raises OSError when it fails."""
    ctypes.set_errno(0)
    number = NUMBERS[os.uname().machine].get(name)
    result = libc.syscall(number, *arguments) if number else getattr(libc, name)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def read(path):
    return lambda: open(path, 'rb').read(1)


def write(path):
    return lambda: open(path, 'ab').write(b'x')


def open_socket(family, kind=socket.SOCK_RAW, protocol=0):
    return lambda: socket.socket(family, kind, protocol).close()


def set_user_id_file():
    path = os.environ['STATE_DIRECTORY'] + '/probe'
    pathlib.Path(path).touch()
    try:
        os.chmod(path, 0o4755)
    finally:
        os.unlink(path)


TIME = (ctypes.c_long * 2)(1_000_000_000, 0)
BUFFER = ctypes.create_string_buffer(512)

DENIED = {
    'read the key of another unit': read('/var/lib/other-unit/key'),
    'read the readings of another unit': read('/var/lib/smart-receiver/readings.jsonl'),
    'read /etc/shadow': read('/etc/shadow'),
    'look into a home folder': lambda: os.listdir('/home/technician'),
    'see another process': lambda: os.stat('/proc/1/status'),
    'write its own configuration': write('/etc/smart-gateway/gateway.toml'),
    'write /etc': write('/etc/probe'),
    'write its own program': write('/usr/bin/smart-gateway'),
    'write a unit': write('/run/systemd/system/probe.service'),
    'write a kernel setting': write('/proc/sys/kernel/core_pattern'),
    'write a control group': lambda: os.mkdir('/sys/fs/cgroup/probe'),
    'trace PID 1': lambda: call('ptrace', PTRACE_ATTACH, 1, 0, 0),
    'signal PID 1': lambda: os.kill(1, 0),
    'open a raw packet socket': open_socket(socket.AF_PACKET),
    'open a raw IP socket': open_socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    'open a netlink socket': open_socket(socket.AF_NETLINK),
    'open a CAN socket': open_socket(socket.AF_CAN),
    'mount': lambda: call('mount', b'none', b'/tmp', b'tmpfs', 0, None),
    'make a user namespace': lambda: call('unshare', CLONE_NEWUSER),
    'set the clock': lambda: call('clock_settime', CLOCK_REALTIME, TIME),
    'set the time of day': lambda: call('settimeofday', TIME, None),
    'set the host name': lambda: call('sethostname', b'probe', 5),
    'restart the machine': lambda: call('reboot', 0),
    'load another kernel': lambda: call('kexec_load', 0, 0, 0, 0),
    'load a module': lambda: call('init_module', BUFFER, 512, b''),
    'load a BPF program': lambda: call('bpf', 5, BUFFER, 120),
    'watch performance counters': lambda: call('perf_event_open', BUFFER, 0, -1, -1, 0),
    'read the memory of the machine': read('/dev/mem'),
    'read the kernel log': read('/dev/kmsg'),
    'open a serial line': read('/dev/ttyS0'),
    'open a disk': read('/dev/loop0'),
    'become root': lambda: os.setuid(0),
    'make a set-user-ID file': set_user_id_file,
    'make memory both writable and executable': lambda: mmap.mmap(
        -1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    'run at real-time priority': lambda: os.sched_setscheduler(
        0, os.SCHED_FIFO, os.sched_param(1)),
    'change the personality': lambda: call('personality', 0x0008),
}
ALLOWED = {
    'read its configuration': read('/etc/smart-gateway/gateway.toml'),
    'write its state': write(os.environ['STATE_DIRECTORY'] + '/probe'),
    'write its runtime folder': write(os.environ['RUNTIME_DIRECTORY'] + '/probe'),
    'open a TCP socket': open_socket(socket.AF_INET, socket.SOCK_STREAM),
    'open a UDP socket': open_socket(socket.AF_INET6, socket.SOCK_DGRAM),
    'see the routes of the machine': read('/proc/thread-self/net/route'),
    'look up a name': lambda: socket.getaddrinfo('localhost', 1883),
    'ask for the state of the clock': lambda: call('adjtimex', BUFFER),
    'know the boot': lambda: bytes.fromhex(os.environ['BOOT_ID']),
}
# What a sandbox says; ENOENT: it is hidden, EAFNOSUPPORT: no such socket.
REFUSALS = {errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT, errno.EAFNOSUPPORT}


def failure(what):
    try:
        what()
    except OSError as error:
        return error
    return None


def main():
    mistakes = 0
    for name, what in DENIED.items():
        error = failure(what)
        if error is None or error.errno not in REFUSALS:
            mistakes += 1
            print(f'not denied: {name}: {error or "it worked"}')
    for name, what in ALLOWED.items():
        if error := failure(what):
            mistakes += 1
            print(f'not possible: {name}: {error}')
    print(f'{len(DENIED)} denied things and {len(ALLOWED)} allowed ones tried, {mistakes} mistakes')
    return bool(mistakes)


if __name__ == '__main__':
    sys.exit(main())
