"""What `status` tells a technician: what is wrong comes first, in words, plain when nobody looks."""
import json
import os
import pty
import subprocess
import unittest

import procs
import secure
import town

BUILD = os.environ['BUILD_DIR']


def on_a_terminal(command, environment):
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                          env={**os.environ, 'TERM': 'xterm', **environment}) as process:
        os.close(theirs)
        text = b''
        try:
            while part := os.read(ours, 4096):
                text += part
        except OSError:  # the other side has closed
            pass
        process.wait(20)
    os.close(ours)
    return text.decode()


class Status(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))

    def test_a_dead_broker_a_dead_device_and_a_certificate_that_ends_come_first(self):
        place = secure.Town(self.run, devices=1,
                            more_devices=[('dead', f'127.0.0.1:{procs.closed_port()}')])
        place.start()
        procs.wait_for(lambda: place.gateway.lines('gateway started'))
        installed = place.install(place.signed(days=5))
        self.assertEqual(installed.returncode, 0, installed.stderr)
        place.wait_delivered(3)
        place.broker.kill()
        procs.wait_for(lambda: 'not reached' in place.gateway.ask('status').stdout, 30)
        said = place.gateway.ask('status')
        self.assertEqual(said.returncode, 1)
        lines = said.stdout.splitlines()
        for words in ('the platform is not reached', 'the certificate ends in', 'dead does not answer'):
            self.assertIn(words, lines[0])
        self.assertIn('no connection to the platform', lines[1])
        self.assertIn(' since ', lines[1])
        self.assertIn('smart-gateway enroll', lines[2])
        self.assertIn('dead does not answer (unreachable) since ', lines[3])
        self.assertIn('smart-gateway why dead', lines[3])
        self.assertNotIn('\x1b', said.stdout)
        command = [place.gateway.binary, 'status', '--runtime', self.run.runtime]
        self.assertIn('\x1b[1;31mNot all is well', on_a_terminal(command, {'NO_COLOR': ''}))
        self.assertNotIn('\x1b', on_a_terminal(command, {'NO_COLOR': '1'}))
        self.assertNotIn('\x1b', on_a_terminal(command, {'TERM': 'dumb'}))

    def test_wait_tells_what_it_waits_for_and_when_the_door_may_be_closed(self):
        place = town.Town(self.run, devices=1)
        place.gateway.start()  # no receiver: nothing is confirmed
        waited = place.gateway.ask('status', '--wait', '5s')
        self.assertEqual(waited.returncode, 1)
        self.assertIn('waiting: Not all is well', waited.stderr)
        self.assertNotIn('\x1b', waited.stderr)
        place.receiver.start()
        waited = place.gateway.ask('status', '--wait', '60s', limit=80)
        self.assertEqual(waited.returncode, 0, waited.stdout)
        self.assertTrue(waited.stdout.startswith('All is well'), waited.stdout)
        self.assertTrue(waited.stdout.endswith('The door may be closed.\n'), waited.stdout)

    def test_F7_a_disk_that_fails_is_named_here_and_at_the_platform_until_it_works(self):
        place = town.Town(self.run, devices=1).start()
        place.wait_delivered(3)
        topic = f'ss1/place-1714000/birth/{place.box}'
        self.assertTrue(place.retained(topic)['disk']['usable'])
        calls = 'pwrite64,fdatasync,fsync'
        tracer = subprocess.Popen(
            ['strace', '-f', '-qq', '-o', '/dev/null', '-p', str(place.gateway.pid),
             '-e', f'trace={calls}', '-e', f'inject={calls}:error=EIO'])
        self.addCleanup(tracer.wait)
        self.addCleanup(tracer.kill)
        procs.wait_for(lambda: not place.retained(topic)['disk']['usable'], 30, what=place.gateway.lines)
        said = place.gateway.ask('status')
        self.assertIn('the store cannot be used', said.stdout)
        self.assertNotIn('nearly full', said.stdout)
        self.assertNotIn('confirmed', said.stdout)
        tracer.terminate()
        tracer.wait()
        procs.wait_for(lambda: place.retained(topic)['disk']['usable'], 60, what=place.gateway.lines)
        place.wait_delivered(len(place.delivered('meter-1')) + 3)
        self.assertNotIn('cannot be used', place.gateway.ask('status').stdout)
        self.assertEqual(place.mistakes(), [])

    def test_the_platform_may_ask_why_too(self):
        place = town.Town(self.run, devices=1,
                          more_devices=[('dead', f'127.0.0.1:{procs.closed_port()}')]).start()
        place.wait_delivered(1)
        answers = self.run.add(procs.Subscriber(self.run.folder, place.broker, 'ss1/+/ack/+')).start()
        for number, device in enumerate(('dead', 'none')):
            place.publish(f'ss1/place-1714000/cmd/{place.box}', json.dumps(
                {'schema': 'smartstate.command/1', 'id': f'why-{number}', 'command': 'why',
                 'arguments': {'device': device}}))
        told = procs.wait_for(lambda: len(heard := list(answers.messages())) == 2 and heard, 20)
        dead, none = (json.loads(payload) for _, _, payload in told)
        self.assertEqual((dead['id'], dead['state']), ('why-0', 'done'))
        self.assertEqual(dead['result']['cause'], 'unreachable')
        self.assertTrue(dead['result']['try'])
        self.assertEqual((none['id'], none['state']), ('why-1', 'failed'))
        self.assertIn('no device "none"', none['text'])

    def test_no_service_is_not_an_answer(self):
        place = town.Town(self.run, devices=1)
        asked = place.gateway.ask('status')
        self.assertEqual((asked.returncode, asked.stdout), (2, ''))
        self.assertIn('systemctl start smart-gateway', asked.stderr)


if __name__ == '__main__':
    unittest.main()
