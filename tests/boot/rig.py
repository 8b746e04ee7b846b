"""The two machines: a box with a disk of its own, and the platform with the simulated devices."""
import contextlib
import json
import re
import shutil
import subprocess
import sys

import street  # first: it knows where the other folders are
import ca
from guest import Guest
from machine import HERE, Container, elapsed

sys.path.append(str(HERE.parent / 'faults'))

import procs  # noqa: E402
from disk import Disk, lacks  # noqa: E402

STATE = '/var/lib/smart-gateway'
SITE = '/etc/smart-gateway/gateway.toml'
REQUEST, SIGNED = '/tmp/box.csr', '/tmp/box.crt'  # as install.md names them
BROKER_FILES, RECEIVER_FILES = '/etc/mosquitto/certs', '/etc/smart-receiver'


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


def stock(packages, folder):
    """The packages under names that do not change; returns the version of the box's own."""
    folder.mkdir()
    for name in ('smart-gateway', 'smart-gateway-sim', 'smart-gateway-receiver'):
        made = list(packages.glob(f'{name}_*.deb'))
        if len(made) != 1:
            raise SystemExit(f'{packages}: not one package {name}')
        (folder / f'{name}.deb').write_bytes(made[0].read_bytes())
        (folder / made[0].name).symlink_to(f'{name}.deb')
    return subprocess.run(['dpkg-deb', '-f', folder / 'smart-gateway.deb', 'Version'], check=True,
                          capture_output=True, text=True).stdout.strip()


class Rig:
    """Two containers of the same packages and root; with `guest`, other packages and another root, the
    box is a guest of those."""

    def __init__(self, base, packages, folder, guest=None):
        self.folder, self.base, self.guest, self.machines = folder, base, guest, []
        own = folder / 'packages'
        self.version = stock(packages, own)
        if guest:
            own = folder / 'guest-packages'
            self.version = stock(guest[0], own)
        for version in (f'{self.version}+next', f'{self.version}~previous'):
            repack(own / 'smart-gateway.deb', version, own / f'{version}.deb')
        self.no_disk = '' if guest else lacks('cut')
        self.disk = None if guest or self.no_disk else Disk(256)
        self.box, self.platform = self._make_box('box'), self._make('platform')
        self.authority = ca.Authority(folder / 'ca')
        self.allowed_lost = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for machine in self.machines:
            machine.close()
        if self.disk:
            self.disk.__exit__()

    def _make(self, name, binds=()):
        machine = Container(name, self.base, self.folder, [(self.folder / 'packages', '/packages'), *binds])
        self.machines.append(machine)
        return machine

    def _make_box(self, name, dead=None):
        """A box as it comes, without a broker of its own; or one beside the card of a dead one."""
        if self.guest:
            machine = Guest(name, self.guest[1], self.folder, self.folder / 'guest-packages',
                            [dead.disk] if dead else [])
            self.machines.append(machine)
            return machine
        binds = [(self.disk.path, STATE)] if self.disk else []
        if dead:
            card = self.disk.path if self.disk else dead.root / STATE[1:]
            binds = [(card, f'/mnt{STATE}'),
                     (dead.root / 'etc/smart-gateway', '/mnt/etc/smart-gateway')]
        machine = self._make(name, binds)
        (machine.root / 'etc/systemd/system/mosquitto.service').symlink_to('/dev/null')
        return machine

    def cut_power(self):
        if self.disk:
            self.disk.cut()
        self.box.cut()
        if self.disk:
            self.disk.reboot()

    def replace_box(self):
        """The box is dead; another one has its card at /mnt, where it can be looked at and not written."""
        self.box = self._make_box('spare', dead=self.box)
        self.box.boot()
        self.box.run('sh', '-ec', 'mount -o ro,noload LABEL=box /mnt' if self.guest else
                     f'mount -o remount,bind,ro /mnt{STATE}')

    def use_card(self):
        """From here on the card at /mnt can be written, and its file system is whole."""
        self.box.run('sh', '-ec', 'umount /mnt; mount LABEL=box /mnt' if self.guest else
                     f'mount -o remount,bind,rw /mnt{STATE}')

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
        self.box.write(street.AUTHORITY, self.authority.certificate.read_text())
        self.box.write(SITE, street.site(**settings))

    def status(self):
        """What `status --json` says, or None when nothing listens."""
        text = self.box.run('smart-gateway', 'status', '--json', check=False).stdout
        return json.loads(text) if text.startswith('{') else None

    def wait_well(self, seconds=60):
        """`status --wait` ends with 0; returns how long that took."""
        return elapsed(lambda: self.box.run('smart-gateway', 'status', '--wait', f'{seconds * procs.patience}s',
                                            limit=seconds + 30))[1]

    def main_pid(self):
        return int(self.box.show('smart-gateway', 'MainPID')[0])

    def wait_restarted(self, pid, limit):
        return procs.wait_for(lambda: self.main_pid() not in (0, pid) and
                              self.box.show('smart-gateway', 'ActiveState')[0] == 'active', limit,
                              'the service was started again')

    def follow(self, page, between=()):
        """Runs the commands of a page as they stand there, by somebody who may all.  `between` are
        (how a block begins, what the reader does before it)."""
        text = (HERE.parents[1] / 'systemd' / page).read_text(encoding='utf-8')
        blocks = re.findall(r'^ *```sh\n(.*?)^ *```', text, re.M | re.S)
        for block in blocks:
            for begin, act in between:
                if block.lstrip().startswith(begin):
                    act()
            self.box.run('sh', '-ec', f'cd /packages; USER=technician; sudo() {{ "$@"; }}\n{block}',
                         limit=700)
        return len(blocks)

    # Certificates.

    def ask_for_certificate(self):
        self.box.run('smart-gateway', 'enroll', '--out', REQUEST)

    def sign(self, authority=None):
        """What the authority does with the request that lies on the box."""
        asked, signed = self.folder / 'box.csr', self.folder / 'box.crt'
        asked.write_text(self.box.read(REQUEST))
        (authority or self.authority).sign(asked, signed)
        self.box.write(SIGNED, signed.read_text())

    def install_certificate(self):
        """The finished command; it waits for a trial of the certificate."""
        return self.box.run('smart-gateway', 'enroll', '--certificate', SIGNED, check=False)

    def enroll(self):
        self.ask_for_certificate()
        self.sign()
        done = self.install_certificate()
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def generation(self):
        return self.box.read(f'{STATE}/tls/current').strip()

    def secure_platform(self):
        """The broker and the receiver as certificates.md sets them up, with the files that ship."""
        server = self.authority.issue('server', kind='server', names='DNS:localhost,DNS:platform')
        receiver = self.authority.issue('receiver')
        for folder, owner, name, certificate in ((BROKER_FILES, 'mosquitto', 'server', server),
                                                 (RECEIVER_FILES, 'smart-receiver', 'receiver', receiver)):
            self.platform.write(f'{folder}/ca.crt', self.authority.certificate.read_text())
            for end in ('.crt', '.key'):
                text = certificate.with_suffix(end).read_text()
                self.platform.write(f'{folder}/{name}{end}', text, 0o600)
                self.platform.run('chown', owner, f'{folder}/{name}{end}')
        self.platform.write(f'{RECEIVER_FILES}/roster', f'{street.town.Town.box} = place-1714000\n')
        self.platform.run('sh', '-ec', f'''
            cp /usr/share/doc/smart-gateway-receiver/examples/mosquitto.conf /etc/mosquitto/
            smart-receiver roster {RECEIVER_FILES}/roster --acl >/etc/mosquitto/smart-gateway.acl''')
        options = ' '.join(f'--{option} {RECEIVER_FILES}/{name}' for option, name in
                           (('ca', 'ca.crt'), ('cert', 'receiver.crt'), ('key', 'receiver.key'),
                            ('roster', 'roster')))
        settings = self.platform.read('/etc/default/smart-receiver')
        settings = settings.replace('mqtt://127.0.0.1:1883', 'mqtts://localhost:8883')
        self.platform.write('/etc/default/smart-receiver',
                            settings.replace('\nOPTIONS=\n', f'\nOPTIONS="{options}"\n'))

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
