"""The box gets a certificate and changes it: a bad one changes nothing, a good one loses nothing."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import ca
import procs
import secure

BUILD = os.environ['BUILD_DIR']


class Enrolment(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))

    def certificate_files(self):
        return sorted(str(path.relative_to(self.run.folder / 'state' / 'tls')) for path in
                      (self.run.folder / 'state' / 'tls').rglob('*'))

    def test_a_box_measures_before_it_is_enrolled_and_loses_none_of_it(self):
        town = secure.Town(self.run, devices=1).start()
        procs.wait_for(lambda: town.gateway.lines('tls-denied'), 30, what=town.gateway.lines)
        said = town.gateway.ask('status').stdout
        self.assertIn('this box has none: smart-gateway enroll', said)
        served = town.served_count('meter-1')
        self.assertEqual(town.delivered('meter-1'), [])
        done = town.install(town.signed())
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn('works and is in use', done.stdout)
        town.wait_delivered(served)
        self.assertIn('days left', town.gateway.ask('status').stdout)
        self.assertEqual((self.run.folder / 'state/tls/1/key.pem').stat().st_mode & 0o777, 0o600)
        self.assertEqual(town.mistakes(), [])

    def test_S48_a_bad_certificate_leaves_the_link_alone_and_a_good_one_switches(self):
        town = secure.Town(self.run, devices=1).enrolled()
        town.wait_delivered(5)
        stranger = ca.Authority(self.run.folder / 'stranger', 'Somebody else')
        asked = self.run.folder / 'asked.csr'
        self.assertEqual(town.gateway.ask('enroll', '--out', asked).returncode, 0)
        forged = stranger.sign(asked, self.run.folder / 'forged.crt')
        before, down = town.sessions(), len(town.gateway.lines('uplink down'))
        refused = town.install(forged)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('nothing has changed', refused.stderr)
        self.assertIn('does not accept', refused.stderr)
        self.assertEqual(town.sessions(), before)
        self.assertEqual((self.run.folder / 'state/tls/current').read_text(), '1\n')
        count = len(town.delivered('meter-1'))
        town.wait_delivered(count + 10)
        self.assertEqual(town.sessions(), before)  # the old link carried them
        good = town.install(town.authority.sign(asked, self.run.folder / 'good.crt'))
        self.assertEqual((good.returncode, good.stderr), (0, ''))
        procs.wait_for(lambda: town.sessions() > before, 20, what=town.gateway.lines)
        self.assertEqual((self.run.folder / 'state/tls/current').read_text(), '2\n')
        count = len(town.delivered('meter-1'))
        town.wait_delivered(count + 10)
        self.assertEqual(len(town.gateway.lines('uplink down')), down)
        self.assertEqual(town.mistakes(), [])

    def test_the_platform_asks_for_a_request_and_sends_a_certificate(self):
        town = secure.Town(self.run, devices=1)
        answers = self.run.add(procs.Program(self.run.folder, 'answers', [
            'mosquitto_sub', *town.as_client('receiver'), '-t', 'ss1/+/ack/+'])).start()
        town.enrolled().wait_delivered(3)

        def command(name, arguments):
            text = json.dumps({'schema': 'smartstate.command/1', 'id': name,
                               'expires': '2099-01-01T00:00:00Z', 'command': 'enroll',
                               'arguments': arguments})
            subprocess.run(['mosquitto_pub', *town.as_client('receiver'), '-t',
                            f'ss1/place-1714000/cmd/{town.box}', '-s'], input=text, text=True,
                           check=True, timeout=10)
            return procs.wait_for(lambda: [a for a in map(json.loads, procs.whole_lines(answers.out))
                                           if a['id'] == name], 30)[0]

        asked = command('request', {})
        self.assertEqual(asked['state'], 'done')
        self.assertNotIn('PRIVATE', json.dumps(asked))
        request = self.run.write('remote.csr', asked['result']['request'])
        signed = town.authority.sign(request, self.run.folder / 'remote.crt')
        self.assertEqual(command('bad', {'certificate': 'no'})['state'], 'failed')
        done = command('good', {'certificate': signed.read_text()})
        self.assertEqual(done['state'], 'done', done)
        procs.wait_for(lambda: town.sessions() >= 2, 20, what=town.gateway.lines)
        self.assertEqual((self.run.folder / 'state/tls/current').read_text(), '2\n')
        self.assertEqual(town.mistakes(), [])

    def test_S10_killed_at_each_step_of_a_rotation_it_is_connected_at_the_end(self):
        town = secure.Town(self.run, devices=1).enrolled()
        town.wait_delivered(3)
        calls = {'request': ('mkdir 1', 'unlink 1', 'fsync 1', 'rename 1', 'fsync 2'),
                 'install': ('unlink 1', 'fsync 1', 'rename 1', 'fsync 2',
                             'unlink 2', 'fsync 3', 'rename 2', 'unlink 3')}
        steps = [(step, *call.split()) for step in calls for call in calls[step]]
        for step in steps:
            self.killed(town, *step)
        certificate = town.signed()
        self.assertEqual(town.install(certificate).returncode, 0)
        before = len(town.delivered('meter-1'))
        town.wait_delivered(before + 5)
        self.assertEqual(town.mistakes(allowed_lost=len(steps)), [])

    def killed(self, town, step, call, when):
        """Kills the gateway at the when-th such call of the step, and starts it again."""
        if step == 'install':
            certificate = town.signed()
        tracer = subprocess.Popen(
            ['strace', '-f', '-qq', '-o', '/dev/null', '-p', str(town.gateway.pid),
             *self.traced_paths(), '-e', f'trace={call}', '-e',
             f'inject={call}:signal=KILL:when={when}'])
        try:
            procs.wait_for(lambda: self.is_traced(town.gateway.pid), 10)
            if step == 'request':
                town.gateway.ask('enroll', '--out', self.run.folder / 'killed.csr')
            else:
                town.install(certificate)
        finally:
            tracer.kill()
            tracer.wait()
        # Whoever asked hears the end of a killed process before its parent does.
        procs.wait_for(lambda: not town.gateway.running(), 10, f'{step} killed at {call} {when}')
        sessions = town.sessions()
        town.gateway.start()
        procs.wait_for(lambda: town.sessions() > sessions and self.rests(), 30, what=town.gateway.lines)

    def rests(self):
        """No certificate waits to be tried; one that does is taken, and the step after it finds other files."""
        folder = self.run.folder / 'state/tls'
        return max(int(path.parent.name) for path in folder.glob('*/certificate.pem')) == int(
            (folder / 'current').read_text())

    def traced_paths(self):
        """-P for every file that a next generation may have."""
        folder = self.run.folder / 'state/tls'
        names = ['current', 'current.new'] + [
            f'{number}{name}' for number in range(1, 16)
            for name in ('', '/key.pem', '/key.pem.new', '/certificate.pem', '/certificate.pem.new')]
        return [text for name in names for text in ('-P', str(folder / name))]

    @staticmethod
    def is_traced(pid):
        """Every thread is: the one that is to be killed is not the first that strace takes."""
        states = [task.read_text(encoding='ascii') for task in pathlib.Path(f'/proc/{pid}/task').glob('*/status')]
        return all('TracerPid:\t0\n' not in state for state in states)

    def test_S12_whoever_has_the_state_directory_is_shut_out_by_revoking(self):
        town = secure.Town(self.run, devices=1, settings=f'crlfile {self.run.folder}/ca/ca.crl\n')
        town.enrolled().wait_delivered(3)
        thief = self.run.folder / 'thief'
        shutil.copytree(self.run.folder / 'state/tls', thief)
        town.gateway.stop()
        town.authority.revoke(thief / '1/certificate.pem')
        town.broker.stop()
        town.broker.start()
        files = ['--cafile', town.authority.certificate, '--cert', thief / '1/certificate.pem',
                 '--key', thief / '1/key.pem']
        stolen = subprocess.run(['mosquitto_pub', '-h', 'localhost', '-p', str(town.broker.port),
                                 *files, '-t', f'ss1/place-1714000/state/{town.box}', '-m', 'x'],
                                capture_output=True, timeout=10, check=False)
        self.assertNotEqual(stolen.returncode, 0)


if __name__ == '__main__':
    unittest.main()
