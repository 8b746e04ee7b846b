"""A town whose broker is the one that ships: TLS, a certificate for everybody, an access list."""
import os
import pathlib
import shutil
import socket
import subprocess

import ca
import procs
import town

SYSTEMD = procs.SOURCE / 'systemd'


def access_list(build, roster):
    """What `smart-receiver roster --acl` writes for this roster (file)."""
    program = pathlib.Path(build) / 'gateway' / 'receiver' / 'smart-receiver'
    return subprocess.run([program, 'roster', roster, '--acl'], capture_output=True, text=True,
                          check=True, timeout=10).stdout


class Broker(procs.Broker):
    """mosquitto with systemd/mosquitto.conf; `settings` are further lines of it."""

    def __init__(self, folder, authority, rules, settings=''):
        self.port = procs.free_port()
        self.folder = pathlib.Path(folder)
        authority.issue('server', self.folder, kind='server',
                        names='DNS:localhost,IP:127.0.0.1')
        self.rules = self.folder / 'smart-gateway.acl'
        self.rules.write_text(rules)
        text = (SYSTEMD / 'mosquitto.conf').read_text()
        for old, new in (('listener 8883', f'user root\nlistener {self.port} 127.0.0.1'),
                         ('/etc/mosquitto/certs/ca.crt', str(authority.certificate)),
                         ('/etc/mosquitto/certs', str(self.folder)),
                         ('/etc/mosquitto/smart-gateway.acl', str(self.rules)),
                         ('persistence true', 'persistence false')):
            if old not in text:
                raise ValueError(f'systemd/mosquitto.conf has no {old}')
            text = text.replace(old, new)
        configuration = self.folder / 'mosquitto.conf'
        configuration.write_text(text + 'log_type all\n' + settings)
        command = shutil.which('mosquitto', path=os.environ.get('PATH', '') + ':/usr/sbin')
        procs.Program.__init__(self, folder, 'broker', [command, '-c', configuration])


class Town(town.Town):
    """Reaches its broker as mqtts://localhost. The box is not enrolled yet."""

    def __init__(self, run, settings='', uplink='', **options):
        socket.getaddrinfo('localhost', None)  # /etc/hosts of a root that was just made may lack it
        self.authority = ca.Authority(run.folder / 'ca')
        roster = run.write('roster', f'{self.box} = place-1714000\n')
        self.authority.issue('receiver', run.folder)
        self.make_broker = lambda: Broker(run.folder, self.authority,
                                          access_list(run.build, roster), settings)
        super().__init__(run, uplink=f'tls = {{ ca = "{self.authority.certificate}" }}\n{uplink}',
                         **options)

    def make_receiver(self):
        receiver = procs.Receiver(self.run.folder, self.run.build, self.broker.port,
                                  *self.files('receiver'))
        receiver.command = [text.replace('mqtt://127.0.0.1', 'mqtts://localhost')
                            for text in receiver.command]
        return receiver

    def files(self, name, options=('--ca', '--cert', '--key')):
        paths = (self.authority.certificate, self.run.folder / f'{name}.crt',
                 self.run.folder / f'{name}.key')
        return [text for pair in zip(options, map(str, paths)) for text in pair]

    def write_site(self, *arguments, **options):
        path = super().write_site(*arguments, **options)
        path.write_text(path.read_text().replace('mqtt://127.0.0.1', 'mqtts://localhost'))
        return path

    def as_client(self, name):
        """Arguments of mosquitto_pub and mosquitto_sub."""
        return ['-h', 'localhost', '-p', str(self.broker.port), '-q', '1', '-V', 'mqttv5',
                *self.files(name, ('--cafile', '--cert', '--key'))]

    def signed(self, name='signed.crt', **options):
        """A certificate for what the running box asks for."""
        asked = self.run.folder / 'box.csr'
        done = self.gateway.ask('enroll', '--out', asked)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return self.authority.sign(asked, self.run.folder / name, **options)

    def install(self, certificate):
        return self.gateway.ask('enroll', '--certificate', certificate, limit=60)

    def enrolled(self):
        """Starts it and gives the box its first certificate."""
        self.start()
        procs.wait_for(lambda: self.gateway.lines('gateway started'), what=self.gateway.lines)
        done = self.install(self.signed())
        if done.returncode:
            raise RuntimeError(done.stderr)
        return self

    def sessions(self):
        return len(self.gateway.lines('uplink connected'))
