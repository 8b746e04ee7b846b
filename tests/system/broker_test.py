"""The broker configuration that ships: a box can neither speak for another nor listen to one."""
import contextlib
import socket
import subprocess
import unittest

import procs

SYSTEMD = procs.SOURCE / 'systemd'


def openssl(folder, *arguments):
    subprocess.run(['openssl', *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder, *names):
    new_key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl(folder, 'req', '-x509', *new_key, '-keyout', 'ca.key', '-out', 'ca.crt',
            '-subj', '/CN=test authority', '-days', '1')
    for name in names:
        openssl(folder, 'req', *new_key, '-keyout', f'{name}.key', '-out', f'{name}.csr',
                '-subj', f'/CN={name}', '-addext', 'subjectAltName=IP:127.0.0.1')
        openssl(folder, 'x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key',
                '-CAcreateserial', '-copy_extensions', 'copy', '-out', f'{name}.crt', '-days', '1')


class ShippedBroker(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run('.'))
        self.folder = self.run.folder
        make_certificates(self.folder, 'server', 'box-1', 'box-2', 'receiver')
        self.port = procs.free_port()
        rules = self.run.write('smart-gateway.acl', (SYSTEMD / 'mosquitto.acl').read_text())
        text = (SYSTEMD / 'mosquitto.conf').read_text()
        for old, new in (('listener 8883', f'user root\nlistener {self.port} 127.0.0.1'),
                         ('/etc/mosquitto/certs', str(self.folder)),
                         ('/etc/mosquitto/smart-gateway.acl', str(rules)),
                         ('persistence true', 'persistence false')):
            self.assertIn(old, text)
            text = text.replace(old, new)
        broker = procs.Program(self.folder, 'broker', ['/usr/sbin/mosquitto', '-c',
                                                       self.run.write('mosquitto.conf', text)])
        self.run.add(broker).start()
        procs.wait_for(self.listens, what=lambda: broker.lines())

    def listens(self):
        with contextlib.closing(socket.socket()) as probe:
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def as_client(self, name):
        return ['-h', '127.0.0.1', '-p', str(self.port), '-q', '1', '-V', 'mqttv5', '--cafile',
                self.folder / 'ca.crt', '--cert', self.folder / f'{name}.crt', '--key',
                self.folder / f'{name}.key']

    def publish(self, name, topic, text):
        return subprocess.run(['mosquitto_pub', *self.as_client(name), '-t', topic, '-m', text, '-r'],
                              capture_output=True, text=True, timeout=10, check=False)

    def heard(self, name, topic):
        """The retained messages that this client is given, as `topic text` lines."""
        done = subprocess.run(['mosquitto_sub', *self.as_client(name), '-t', topic, '-v', '-W', '1'],
                              capture_output=True, text=True, timeout=10, check=False)
        return done.stdout.splitlines()

    def test_a_box_speaks_for_itself_only(self):
        self.publish('box-1', 'ss1/place-1/birth/box-1', 'mine')
        self.publish('box-1', 'ss1/place-1/dict/box-1/0123456789abcdef', 'mine')
        self.publish('box-1', 'ss1/place-1/birth/box-2', 'forged')
        self.publish('box-1', 'ss1/place-1/receipt/box-1', 'forged')
        self.publish('receiver', 'ss1/place-1/receipt/box-1', 'for 1')
        self.assertEqual(sorted(self.heard('receiver', 'ss1/#')),
                         ['ss1/place-1/birth/box-1 mine',
                          'ss1/place-1/dict/box-1/0123456789abcdef mine',
                          'ss1/place-1/receipt/box-1 for 1'])
        self.assertEqual(self.heard('box-1', 'ss1/place-1/receipt/box-1'),
                         ['ss1/place-1/receipt/box-1 for 1'])
        self.assertEqual(self.heard('box-2', 'ss1/place-1/receipt/box-1'), [])

    def test_nobody_without_a_certificate(self):
        done = subprocess.run(['mosquitto_pub', '-h', '127.0.0.1', '-p', str(self.port), '--cafile',
                               self.folder / 'ca.crt', '-t', 'ss1/x', '-m', 'x'],
                              capture_output=True, timeout=10, check=False)
        self.assertNotEqual(done.returncode, 0)


if __name__ == '__main__':
    unittest.main()
