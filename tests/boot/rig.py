"""The two machines: a box with a disk of its own, and the platform with the simulated devices."""
import contextlib
import json
import re
import shutil
import subprocess
import sys

import street
from machine import HERE, Machine, elapsed

sys.path.append(str(HERE.parent / 'faults'))

import procs  # noqa: E402
from disk import Disk, lacks  # noqa: E402

STATE = '/var/lib/smart-gateway'
SITE = '/etc/smart-gateway/gateway.toml'


def repack(package, version, made):
    """The package again under another version: what apt sees as another release."""
    tree = made.with_suffix('')
    subprocess.run(['dpkg-deb', '-R', package, tree], check=True)
    control = tree / 'DEBIAN' / 'control'
    lines = [f'Version: {version}' if line.startswith('Version: ') else line
             for line in control.read_text().splitlines()]
    control.write_text('\n'.join(lines) + '\n')
    subprocess.run(['dpkg-deb', '--root-owner-group', '-Znone', '-b', tree, made], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)


class Rig:
    def __init__(self, base, packages, folder):
        self.folder, self.packages = folder, folder / 'packages'
        self.packages.mkdir()
        for name in ('smart-gateway', 'smart-gateway-sim', 'smart-gateway-receiver'):
            made = list(packages.glob(f'{name}_*.deb'))
            if len(made) != 1:
                raise SystemExit(f'{packages}: not one package {name}')
            (self.packages / f'{name}.deb').write_bytes(made[0].read_bytes())
            (self.packages / made[0].name).symlink_to(f'{name}.deb')
        self.version = subprocess.run(['dpkg-deb', '-f', self.packages / 'smart-gateway.deb', 'Version'],
                                      check=True, capture_output=True, text=True).stdout.strip()
        for version in (f'{self.version}+next', f'{self.version}~previous'):
            repack(self.packages / 'smart-gateway.deb', version, self.packages / f'{version}.deb')
        self.no_disk = lacks('cut')
        self.disk = None if self.no_disk else Disk(256)
        self.base, self.machines = base, []
        self.box = self.make_box('box', [(self.disk.path, STATE)] if self.disk else [])
        self.platform = self._make('platform')
        self.allowed_lost = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for machine in self.machines:
            with contextlib.suppress(TimeoutError):  # the disk goes in any case
                machine.cut()
            subprocess.run(['umount', '--lazy', machine.root], check=True)
        if self.disk:
            self.disk.__exit__()

    def _make(self, name, binds=()):
        machine = Machine(name, self.base, self.folder, [(self.packages, '/packages'), *binds])
        self.machines.append(machine)
        return machine

    def make_box(self, name, binds=()):
        """Another box, as it comes: without a broker of its own."""
        machine = self._make(name, binds)
        (machine.root / 'etc/systemd/system/mosquitto.service').symlink_to('/dev/null')
        return machine

    def save_logs(self, name):
        for machine in (self.box, self.platform):
            if machine.running():
                with contextlib.suppress(Exception):
                    log = machine.run('journalctl', '--no-pager', '--boot', '-o', 'short-monotonic',
                                      check=False).stdout
                    (self.folder / f'{machine.name}-{name.replace(" ", "-")}.log').write_text(log)

    # The box.

    def site(self, **settings):
        self.box.write(f'{street.PROFILES}/meter.profile.toml', street.profile())
        self.box.write(SITE, street.site(**settings))

    def status(self):
        """What `status --json` says, or None when nothing listens."""
        text = self.box.run('smart-gateway', 'status', '--json', check=False).stdout
        return json.loads(text) if text.startswith('{') else None

    def wait_well(self, seconds=60):
        """`status --wait` ends with 0; returns how long that took."""
        return elapsed(lambda: self.box.run('smart-gateway', 'status', '--wait', f'{seconds}s',
                                            limit=seconds + 30))[1]

    def main_pid(self):
        return int(self.box.show('smart-gateway', 'MainPID')[0])

    def wait_restarted(self, pid, limit):
        return procs.wait_for(lambda: self.main_pid() not in (0, pid) and
                              self.box.show('smart-gateway', 'ActiveState')[0] == 'active', limit,
                              'the service was started again')

    def follow(self, page, edit=None):
        """Runs the commands of a page as they stand there, by somebody who may all; before the block
        that begins with `smart-gateway check`, `edit` writes what the page says to write."""
        text = (HERE.parents[1] / 'systemd' / page).read_text(encoding='utf-8')
        blocks = re.findall(r'^ *```sh\n(.*?)^ *```', text, re.M | re.S)
        for block in blocks:
            if edit and block.startswith('smart-gateway check'):
                edit()
            self.box.run('sh', '-ec', f'cd /packages; USER=technician; sudo() {{ "$@"; }}\n{block}',
                         limit=700)
        return len(blocks)

    def interrupted(self, reads=1):
        """So many answers of each device may have come to a process that was ending."""
        self.allowed_lost += reads

    # The platform.

    def records(self):
        return street.records(self.platform.read('/var/lib/smart-receiver/readings.jsonl'))

    def served(self):
        return self.platform.read(f'{street.SCENE_FOLDER}/served.jsonl')

    def wait_readings(self, more=20, limit=60):
        """Until this many readings more have come."""
        wanted = len(self.records()) + more
        procs.wait_for(lambda: len(self.records()) >= wanted, limit, f'{more} readings more')

    def judge(self, whole=False):
        """No silent gap and no duplicate; when `whole`, every served value is there."""
        records = self.records()
        found = list(street.mistakes(records, self.served(), self.allowed_lost) if whole else
                     street.truth.mistakes_of_ledger(records))
        assert not found, '; '.join(found[:5])
        return records
