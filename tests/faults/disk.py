"""A small ext4 disk on a loop device whose power can be cut, and what this machine can do."""
import contextlib
import fcntl
import functools
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

import limits

EXT4_IOC_SHUTDOWN = 0x8004587D
NOLOGFLUSH = 2  # not even the journal is written


class Disk:
    """`path` is where it is mounted.  After cut() everything that was not flushed is gone;
    power_on() mounts what survived."""

    def __init__(self, size_mb=64, inodes=0):
        memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='gateway-disk-', dir=memory))
        self.image, self.path = self.folder / 'image', self.folder / 'disk'
        self.device = None
        self.path.mkdir()
        with open(self.image, 'wb') as file:
            file.truncate(size_mb << 20)
        _run('mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0',
             *(['-N', inodes] if inodes else []), self.image)
        self.power_on()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.power_off()
        shutil.rmtree(self.folder, ignore_errors=True)

    def power_on(self):
        self.device = _run('losetup', '--find', '--show', self.image).strip()
        _run('mount', '-o', 'noatime,errors=remount-ro', self.device, self.path)

    def power_off(self):
        if os.path.ismount(self.path):
            _run('umount', self.path)
        if self.device:
            _run('losetup', '--detach', self.device)
            self.device = None

    def cut(self):
        """From here on nothing reaches the disk."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack('I', NOLOGFLUSH))
        finally:
            os.close(descriptor)

    def reboot(self):
        self.power_off()
        self.power_on()

    def lock(self):
        """From here on it can only be read; not while a file is open for writing."""
        _run('mount', '-o', 'remount,ro', self.path)

    def unlock(self):
        _run('mount', '-o', 'remount,rw', self.path)

    def fail(self):
        """The kernel finds the file system damaged: it can only be read until repair()."""
        trigger = pathlib.Path('/sys/fs/ext4', pathlib.Path(self.device).name, 'trigger_fs_error')
        trigger.write_text('tests/faults')

    def repair(self):
        """As a boot does it."""
        _run('umount', self.path)
        subprocess.run(['/sbin/fsck.ext4', '-p', self.device], capture_output=True, check=False)
        _run('mount', '-o', 'noatime,errors=remount-ro', self.device, self.path)

    def fill_inodes(self):
        """Somebody else's files take all there may be."""
        folder, count = self.path / 'foreign-files', 0
        with contextlib.suppress(OSError):
            folder.mkdir()
            while True:
                (folder / str(count)).touch()
                count += 1
        return count

    def fill(self, leave=0):
        """Somebody else's file takes what is free, but for `leave` bytes."""
        with open(self.path / 'foreign', 'wb') as file:
            size = 0
            for chunk in (1 << 20, 1 << 16, 4096, 1024):
                with contextlib.suppress(OSError):
                    while self.free() >= leave + chunk:
                        os.posix_fallocate(file.fileno(), size, chunk)
                        size += chunk
        return size

    def free(self):
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def empty(self):
        (self.path / 'foreign').unlink(missing_ok=True)
        shutil.rmtree(self.path / 'foreign-files', ignore_errors=True)


def _run(*command):
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True,
                          text=True,
                          env={**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'})
    return done.stdout


@functools.cache
def lacks(need):
    """Why this machine cannot do it, or ''."""
    if need == 'root':
        return '' if os.geteuid() == 0 else 'needs root'
    if need in ('strace', 'sqlite3'):
        return '' if shutil.which(need) else f'{need} is not installed'
    if need.startswith('cgroup-'):
        return limits.lacks(need.removeprefix('cgroup-'))
    if need == 'fs-error':
        return '' if list(pathlib.Path('/sys/fs/ext4').glob('*/trigger_fs_error')) or \
            pathlib.Path('/sys/fs/ext4').is_dir() else 'no /sys/fs/ext4 here'
    try:
        with Disk(8) as disk:
            if need == 'cut':
                disk.cut()
                try:
                    (disk.path / 'x').write_text('x')
                    return 'the ext4 shutdown ioctl does not stop writes'
                except OSError:
                    pass
    except (OSError, subprocess.CalledProcessError) as error:
        return f'no loop disk with ext4 shutdown here: {getattr(error, "stderr", None) or error}'
    return ''
