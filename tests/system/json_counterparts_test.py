"""http_json against lighttpd and OpenSSL: documents, passwords, certificates, and every refusal."""
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import unittest

import procs

BUILD = os.environ['BUILD_DIR']
GATEWAY = pathlib.Path(BUILD) / 'gateway' / 'smart-gateway'

PROFILE = '''schema = "smartstate.profile/1"
[profile]
id = "test.{name}"
version = "1.0.0"
title = "A JSON device for tests"
category = "test-device"
status = "draft"
[device]
vendor = "Test"
models = ["{name}"]
[security]
zone = "cabinet-lan"
cleartext = true
[transport]
driver = "http_json"
path = "{path}"
timeout = "10s"
retries = 0
max_body = 1000
{transport}
[[point]]
id = "temperature"
title = "Temperature"
quantity = "atmosphere.temperature"
unit = "Cel"
read = {{ at = "/t" }}
poll = "1s"
[[point]]
id = "door"
title = "Door"
quantity = "device.switch"
read = {{ at = "/door", type = "int64", codes = {{ shut = 0, open = 1 }}, optional = true, path = "/open/more.json" }}
enum = {{ 0 = "shut", 1 = "open" }}
poll = "1s"
'''
SITE = '''schema = "smartstate.site/1"
[gateway]
id = "place-1714000.box-0001"
org = "place-1714000"
name = "Test"
[profiles]
path = "{folder}/profiles"
trust = "local"
'''
DEVICE = '''[[device]]
id = "{id}"
profile = "test.{profile}"
connect = {{ {connect} }}
{more}
'''
BODIES = {'open/data.json': '{"t":21.5}', 'open/more.json': '{"door":"open"}', 'basic/data.json': '{"t":1.25}',
          'digest/data.json': '{"t":-3.5}', 'open/large.json': '{"t":1,"x":"' + 'x' * 1000 + '"}',
          'open/broken.json': '{"t":1', 'open/page.json': '<html>no</html>', 'open/twice.json': '{"t":1,"t":2}',
          'open/huge.json': '{"t":1e400}', 'open/deep.json': '[' * 90 + ']' * 90, 'open/text.json': '{"t":"warm"}'}
LIGHTTPD = '''server.document-root = "{folder}/www"
server.bind = "127.0.0.1"
server.port = {port}
server.modules = ("mod_auth", "mod_authn_file", "mod_redirect", "mod_openssl")
mimetype.assign = (".json" => "application/json")
url.redirect = ("^/moved.json" => "/open/data.json")
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "{folder}/users"
auth.require = ("/basic/" => ("method" => "basic", "realm" => "town", "require" => "user=admin"),
                "/digest/" => ("method" => "digest", "realm" => "town", "algorithm" => "{algorithm}",
                               "require" => "user=admin"))
$SERVER["socket"] == "127.0.0.1:{tls_port}" {{
    ssl.engine = "enable"
    ssl.pemfile = "{folder}/server.pem"
    ssl.privkey = "{folder}/server.key"
}}
'''


def certificate(folder, name, address):
    """Its own issuer; returns its SHA-256 fingerprint."""
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                    '-days', '2', '-subj', f'/CN={name}', '-addext', f'subjectAltName=IP:{address}',
                    '-keyout', folder / f'{name}.key', '-out', folder / f'{name}.pem'], check=True, capture_output=True)
    der = subprocess.run(['openssl', 'x509', '-in', folder / f'{name}.pem', '-outform', 'DER'], check=True,
                         capture_output=True).stdout
    return hashlib.sha256(der).hexdigest()


class Lighttpd(procs.Program):
    def __init__(self, run, algorithm):
        folder = run.folder
        for name, body in BODIES.items():
            run.write(f'www/{name}', body)
        digest = hashlib.md5 if algorithm == 'MD5' else hashlib.sha256
        run.write('users', 'admin:town:' + digest(b'admin:town:open sesame').hexdigest() + '\n')
        self.port, self.tls_port = procs.free_port(), procs.free_port()
        configuration = run.write('lighttpd.conf', LIGHTTPD.format(
            folder=folder, port=self.port, tls_port=self.tls_port, algorithm=algorithm))
        command = shutil.which('lighttpd', path=os.environ.get('PATH', '') + ':/usr/sbin')
        super().__init__(folder, 'lighttpd', [command, '-D', '-f', configuration])

    def start(self):
        super().start()
        procs.wait_for(lambda: self.running() and answers(self.port), what=lambda: f'lighttpd: {self.lines()}')
        return self


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(('127.0.0.1', port)) == 0


class HttpJson(unittest.TestCase):
    def setUp(self):
        self.run_ = self.enterContext(procs.Run(BUILD))
        self.folder = self.run_.folder
        self.site = self.run_.write('gateway.toml', SITE.format(folder=self.folder))
        (self.folder / 'profiles').mkdir(exist_ok=True)

    def server(self, algorithm='SHA-256'):
        self.fingerprint = certificate(self.folder, 'server', '127.0.0.1')
        return self.run_.add(Lighttpd(self.run_, algorithm)).start()

    def device(self, name, path, connect, transport='', more=''):
        self.run_.write(f'profiles/test.{name}.profile.toml', PROFILE.format(name=name, path=path, transport=transport))
        self.site.write_text(self.site.read_text() + DEVICE.format(id=name, profile=name, connect=connect, more=more))

    def secret(self, name, text):
        path = self.run_.write(f'secrets/{name}', text + '\n')
        path.chmod(0o600)

    def read(self, name):
        """The rows by point, or what was said instead."""
        done = subprocess.run([GATEWAY, 'read', name, '--json', '--config', self.site, '--runtime', self.folder / 'none'],
                              capture_output=True, text=True, timeout=60, check=False)
        rows = {row['point']: row for row in map(json.loads, done.stdout.splitlines())}
        return rows or done.stderr

    def temperature(self, name):
        row = self.read(name)['temperature']
        return row['value'], row['quality'], row['cause']

    def test_documents_are_read_and_bad_ones_named(self):
        port = self.server().port
        for name, path in (('good', '/open/data.json'), ('moved', '/moved.json'), ('gone', '/open/none.json'),
                           ('large', '/open/large.json'), ('broken', '/open/broken.json'), ('page', '/open/page.json'),
                           ('twice', '/open/twice.json'), ('huge', '/open/huge.json'), ('deep', '/open/deep.json'),
                           ('text', '/open/text.json'), ('closed', '/basic/data.json')):
            self.device(name, path, f'url = "http://127.0.0.1:{port}"')
        good = self.read('good')
        self.assertEqual((good['temperature']['value'], good['door']['value']), (21.5, 'open'))
        self.assertEqual({row['quality'] for row in good.values()}, {'good'})
        unexpected = (None, 'comm_error', 'unexpected_reply')
        for name, expected in {'moved': (None, 'comm_error', 'exception_301'), 'gone': (None, 'comm_error', 'exception_404'),
                               'closed': (None, 'comm_error', 'exception_401'), 'large': unexpected, 'broken': unexpected,
                               'page': unexpected, 'deep': unexpected, 'twice': (None, 'bad', 'unexpected_reply'),
                               'huge': (None, 'bad', 'not_a_number'), 'text': (None, 'bad', 'unexpected_reply')}.items():
            with self.subTest(name):
                self.assertEqual(self.temperature(name), expected)
                self.assertEqual(self.read(name)['door']['value'], 'open', 'the other document is read all the same')

    def test_passwords(self):
        for algorithm in ('SHA-256', 'MD5'):
            server = self.server(algorithm)
            self.secret('right', 'open sesame')
            self.secret('wrong', 'close sesame')
            at = f'url = "http://127.0.0.1:{server.port}", user = "admin"'
            short = algorithm[:3].lower()
            for secret in ('right', 'wrong'):
                self.device(f'digest-{secret}-{short}', '/digest/data.json', at, 'auth = "digest"', f'secret = "{secret}"')
            self.assertEqual(self.temperature(f'digest-right-{short}'), (-3.5, 'good', None))
            self.assertEqual(self.temperature(f'digest-wrong-{short}'), (None, 'comm_error', 'exception_401'))
            if algorithm == 'MD5':  # basic has only the hash of this algorithm in the file
                self.device('basic', '/basic/data.json', at, 'auth = "basic"', 'secret = "right"')
                self.assertEqual(self.temperature('basic'), (1.25, 'good', None))
            server.kill()

    def test_a_secret_that_is_not_there_or_not_private_is_a_mistake(self):
        self.device('digest', '/digest/data.json', 'url = "http://127.0.0.1:1", user = "admin"', 'auth = "digest"',
                    'secret = "none"')
        self.assertIn('the secret none cannot be read', self.read('digest'))
        self.secret('none', 'x')
        (self.folder / 'secrets/none').chmod(0o644)
        self.assertIn('the secret none cannot be read', self.read('digest'))

    def test_certificates(self):
        server = self.server()
        other = certificate(self.folder, 'other', '127.0.0.2')
        url = f'url = "https://127.0.0.1:{server.tls_port}"'
        for name, more in {'unknown': '', 'trusted': f', ca = "{self.folder}/server.pem"',
                           'pinned': f', fingerprint = "{self.fingerprint}"', 'mispinned': f', fingerprint = "{other}"',
                           'mistrusted': f', ca = "{self.folder}/other.pem"'}.items():
            self.device(name, '/open/data.json', url + more)
        for name in ('trusted', 'pinned'):
            self.assertEqual(self.temperature(name), (21.5, 'good', None), name)
        for name in ('unknown', 'mispinned', 'mistrusted'):
            with self.subTest(name):
                said = self.read(name)
                self.assertIsInstance(said, str, said)
                self.assertIn("A device's certificate is not accepted", said)

    def test_a_name_that_the_certificate_does_not_have_is_refused(self):
        self.fingerprint = certificate(self.folder, 'server', '127.0.0.9')
        server = self.run_.add(Lighttpd(self.run_, 'MD5')).start()
        self.device('named', '/open/data.json', f'url = "https://127.0.0.1:{server.tls_port}", ca = "{self.folder}/server.pem"')
        self.assertIn("A device's certificate is not accepted", self.read('named'))


if __name__ == '__main__':
    unittest.main()
