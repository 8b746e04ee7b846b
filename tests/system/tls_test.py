"""TLS matrix: whatever is wrong at the other end, nothing is connected and the reason is named."""
import os
import socket
import subprocess
import threading
import unittest

import ca
import procs

BUILD = os.environ['BUILD_DIR']
BOX = 'place-1.box-1'

SITE = '''schema = "smartstate.site/1"
[gateway]
id = "{box}"
org = "place-1714000"
name = "Test cabinet"
clock = "{clock}"
[profiles]
trust = "local"
[store]
path = "{folder}/state"
[uplink]
broker = "mqtts://{host}:{port}"
tls = {{ {files} }}
'''


class Deaf:
    """Takes connections, and says `words` (nothing: keeps silent; None: closes)."""

    def __init__(self, words):
        self.words = words
        self.heard = b''
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(peer)
            if self.words is None:
                peer.close()
                continue
            self.heard += peer.recv(4096)
            if self.words:
                peer.sendall(self.words)

    def close(self):
        self.listener.close()
        for peer in self.open:
            peer.close()


class Server(procs.Program):
    """`openssl s_server`, which spins when its input has ended."""

    def start(self):
        with open(self.out, 'ab') as out, open(self.log, 'ab') as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=out,
                                            stderr=log)
        return self

    def kill(self):
        if self.process:
            self.process.stdin.close()
        return super().kill()


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = cls.enterClassContext(procs.Run(BUILD))
        folder = cls.run_.folder
        cls.authority = ca.Authority(folder / 'ca')
        cls.stranger = ca.Authority(folder / 'stranger', 'Somebody else')
        cls.authority.issue(BOX, folder)
        cls.stranger.issue(BOX, folder / 'stranger')

    def server_certificate(self, name, authority=None, **options):
        (authority or self.authority).issue(name, self.run_.folder, **{
            'kind': 'server', 'names': 'DNS:localhost,IP:127.0.0.1', **options})
        return self.run_.folder / name

    def s_server(self, name, *options, **certificate):
        """OpenSSL's own server; what a client sends after the greeting is in its `.out`."""
        base = self.server_certificate(name, **certificate)
        port = procs.free_port()
        server = self.run_.add(Server(self.run_.folder, f'server-{name}', [
            'openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-cert', f'{base}.crt', '-key',
            f'{base}.key', '-quiet', *options])).start()
        server.port = port
        procs.wait_for(lambda: self.listens(port), what=server.lines)
        return server

    def mosquitto(self, name, settings='', **certificate):
        base = self.server_certificate(name, **certificate)
        (self.run_.folder / name).mkdir()
        server = procs.Broker(self.run_.folder / name, f'certfile {base}.crt\nkeyfile {base}.key\n'
                              f'cafile {self.authority.certificate}\n{settings}')
        return self.run_.add(server).start()

    @staticmethod
    def listens(port):
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', port)) == 0

    def box(self, name, server, host='localhost', certificate=None, clock='trusted'):
        folder = self.run_.folder / f'box-{name}'
        files = [f'ca = "{self.authority.certificate}"']
        if certificate:
            files += [f'certificate = "{certificate}.crt"', f'key = "{certificate}.key"']
        folder.mkdir()
        site = self.run_.write(f'box-{name}/gateway.toml', SITE.format(
            box=BOX, clock=clock, folder=folder, host=host, port=server.port, files=', '.join(files)))
        return self.run_.add(procs.Gateway(folder, BUILD, site, self.run_.runtime / name)).start()

    def refused(self, expected, name, server, **options):
        """The box says `tls-EXPECTED` once, in its log and its status, and is never connected."""
        box = self.box(name, server, **options)
        procs.wait_for(lambda: box.lines(f'tls-{expected}'), 60,
                       what=lambda: f'tls-{expected}: {box.lines()}')
        status = box.ask('status')
        self.assertEqual(status.returncode, 1)
        self.assertIn('no connection to the platform', status.stdout)
        self.assertEqual(box.stop(), 0)
        self.assertEqual(len(box.lines(f'tls-{expected}')), 1, box.lines())
        self.assertEqual(box.lines('uplink connected'), [])
        if isinstance(server, procs.Program) and server.out.exists():
            self.assertNotIn(b'MQTT', server.out.read_bytes())  # not even asked
        return box

    def test_N14_what_is_right_is_accepted_by_name_and_by_address(self):
        broker = self.mosquitto('right', 'require_certificate true\n')
        for host in ('localhost', '127.0.0.1'):
            box = self.box(f'right-{host}', broker, host, self.run_.folder / BOX)
            procs.wait_for(lambda: box.lines('uplink connected'), 30, what=box.lines)
            box.stop()

    def test_N14_a_server_is_refused_for_its_certificate(self):
        old = self.s_server('old', begin=-30, days=10)
        early = self.s_server('early', begin=5)
        other = self.s_server('other', names='DNS:other.example')
        foreign = self.s_server('foreign', authority=self.stranger)
        client = self.s_server('client', kind='box')
        self.assertIn('expired on', self.refused('expired', 'old', old).lines('tls-')[0])
        self.assertIn('is valid from', self.refused('not-yet-valid', 'early', early).lines('tls-')[0])
        self.assertIn('other.example', self.refused('wrong-name', 'other', other).lines('tls-')[0])
        self.refused('wrong-name', 'address', other, host='127.0.0.1')
        self.refused('wrong-authority', 'foreign', foreign)
        self.refused('other', 'client', client)

    def test_C05_a_clock_that_is_not_set_learns_from_what_an_authority_signed(self):
        broker = self.mosquitto('later', begin=5)
        box = self.box('unset', broker, clock='kernel')
        procs.wait_for(lambda: box.lines('uplink connected'), 60, what=box.lines)
        self.assertEqual(len(box.lines('tls-not-yet-valid')), 1)
        box.stop()
        box.start()  # and it remembers
        procs.wait_for(lambda: len(box.lines('uplink connected')) == 2, 60, what=box.lines)
        self.assertEqual(len(box.lines('tls-not-yet-valid')), 1)

    def test_N14_a_server_that_refuses_the_box(self):
        strict = self.mosquitto('strict', 'require_certificate true\n')
        self.refused('denied', 'stranger', strict, certificate=self.run_.folder / 'stranger' / BOX)
        said = self.refused('denied', 'without', strict).lines('tls-denied')[0]
        self.assertIn('smart-gateway enroll', said)
        revoked = self.authority.issue('revoked', self.run_.folder)
        crl = self.authority.revoke(revoked)
        strict = self.mosquitto('strict-crl', f'require_certificate true\ncrlfile {crl}\n')
        said = self.refused('denied', 'revoked', strict,
                            certificate=self.run_.folder / 'revoked').lines('tls-denied')[0]
        self.assertIn('revoked', said)

    def test_N14_an_old_version(self):
        server = self.s_server('version', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')
        self.refused('old-version', 'version', server)

    def test_N14_what_is_no_tls(self):
        for name, words in (('garbage', bytes(range(256))), ('ssh', b'SSH-2.0-OpenSSH_9.2p1\r\n'),
                            ('http', b'HTTP/1.1 400 Bad Request\r\n\r\n')):
            self.refused('not-tls', name, self.run_.add(Deaf(words)))

    def test_N14_a_greeting_that_is_never_answered(self):
        silent = self.run_.add(Deaf(b''))
        self.refused('stalled', 'silent', silent)

    def test_own_files_that_do_not_fit_are_named(self):
        strict = self.mosquitto('own', 'require_certificate true\n')
        base = self.run_.folder / 'mixed'
        base.with_suffix('.crt').write_bytes((self.run_.folder / f'{BOX}.crt').read_bytes())
        base.with_suffix('.key').write_bytes((self.run_.folder / 'stranger' / f'{BOX}.key').read_bytes())
        said = self.refused('own-files', 'mixed', strict, certificate=base).lines('tls-own-files')[0]
        self.assertIn('mixed.key', said)


if __name__ == '__main__':
    unittest.main()
