"""A test in a network namespace of its own, whose only interface is a loopback that is down at first.

Needs the right to make one (root, or user namespaces).
"""
import fcntl
import os
import socket
import struct
import subprocess
import sys
import unittest

INSIDE = 'TEST_NAMESPACE'
SKIPPED = 77


def main(*more_namespaces, setup=''):
    """Runs the tests of the calling program in one, after the shell commands of `setup`; skips them
    where none can be made.  `more_namespaces` are options of unshare(1)."""
    if os.environ.get(INSIDE):
        unittest.main()
    unshare = ['unshare', '--net', *more_namespaces,
               *([] if os.geteuid() == 0 else ['--map-root-user'])]
    if subprocess.run([*unshare, 'true'], check=False).returncode:
        sys.exit(SKIPPED)
    script = f'set -e\n{setup}\nexec "$@"'
    done = subprocess.run([*unshare, 'sh', '-c', script, 'sh', sys.executable, *sys.argv],
                          env={**os.environ, INSIDE: 'yes'}, check=False)
    sys.exit(done.returncode)


def raise_loopback():
    up_and_running = 0x41
    _ask(0x8914, struct.pack('16sh', b'lo', up_and_running))  # SIOCSIFFLAGS


def set_address(address):
    """Gives the loopback a second address beside 127.0.0.1; 0.0.0.0 takes it away."""
    name = struct.pack('16sHH4s8x', b'lo:1', socket.AF_INET, 0, socket.inet_aton(address))
    _ask(0x8916, name)  # SIOCSIFADDR


def _ask(request, argument):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, request, argument)
