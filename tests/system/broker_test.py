"""The broker configuration that ships: a box can neither speak for another nor listen to one."""
import os
import subprocess
import unittest

import ca
import procs
import secure

BUILD = os.environ['BUILD_DIR']


class ShippedBroker(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))
        self.folder = self.run.folder
        self.authority = ca.Authority(self.folder / 'ca')
        for name in ('box-1', 'box-2', 'receiver', 'stranger'):
            self.authority.issue(name, self.folder)
        self.roster = self.run.write('roster', 'box-1 = place-1\nbox-2 = place-2\n')
        broker = secure.Broker(self.folder, self.authority, secure.access_list(BUILD, self.roster))
        self.run.add(broker).start()
        self.port = broker.port

    def as_client(self, name):
        return ['-h', '127.0.0.1', '-p', str(self.port), '-q', '1', '-V', 'mqttv5', '--cafile',
                self.authority.certificate, '--cert', self.folder / f'{name}.crt', '--key',
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
        self.publish('box-1', 'ss1/place-2/birth/box-1', 'under another org')
        self.publish('box-1', 'ss1/catalogue', 'forged')
        self.publish('stranger', 'ss1/place-1/birth/box-1', 'forged')
        self.publish('receiver', 'ss1/place-2/birth/box-2', 'forged')
        self.publish('receiver', 'ss1/place-1/receipt/box-1', 'for 1')
        self.assertEqual(sorted(self.heard('receiver', 'ss1/#')),
                         ['ss1/place-1/birth/box-1 mine',
                          'ss1/place-1/dict/box-1/0123456789abcdef mine'])
        self.assertEqual(self.heard('box-1', 'ss1/place-1/receipt/box-1'),
                         ['ss1/place-1/receipt/box-1 for 1'])
        self.assertEqual(self.heard('box-2', 'ss1/place-1/receipt/box-1'), [])

    def test_the_shipped_access_list_is_that_of_the_example(self):
        self.assertEqual((secure.SYSTEMD / 'mosquitto.acl').read_text(),
                         secure.access_list(BUILD, secure.SYSTEMD / 'roster.example'))

    def test_a_roster_with_a_mistake_is_refused_with_its_place(self):
        for line in ('box-1 place-1', 'BOX = place-1', 'box-1 = place-1\nbox-1 = place-2'):
            with self.assertRaises(subprocess.CalledProcessError) as refused:
                secure.access_list(BUILD, self.run.write('bad', line + '\n'))
            self.assertEqual(refused.exception.returncode, 78)

    def test_nobody_without_a_certificate(self):
        done = subprocess.run(['mosquitto_pub', '-h', '127.0.0.1', '-p', str(self.port), '--cafile',
                               self.authority.certificate, '-t', 'ss1/x', '-m', 'x'],
                              capture_output=True, timeout=10, check=False)
        self.assertNotEqual(done.returncode, 0)


if __name__ == '__main__':
    unittest.main()
