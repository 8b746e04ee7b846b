"""`store`, `wipe` and `bundle`: the readings of a box that is stopped, or of the card of a dead one."""
import csv
import io
import json
import os
import shutil
import subprocess
import time
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']
MARKER = 'marker-7f3a9c'


class StoreCommands(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))
        self.town = town.Town(self.run, devices=1)

    def command(self, *arguments, **options):
        return subprocess.run([self.town.gateway.binary, *map(str, arguments)], capture_output=True,
                              text=True, timeout=60, check=False, **options)

    def unconfirmed(self):
        answer = json.loads(self.town.gateway.ask('store', 'info', '--json').stdout or '{}')
        return answer.get('unconfirmed', 0)

    def stored(self, at_least):
        """Runs the box without a receiver until it holds so many readings, and kills it; how often
        its device was asked."""
        self.town.gateway.start()

        procs.wait_for(lambda: self.unconfirmed() >= at_least, 30)
        self.town.gateway.kill()
        return self.town.served_count('meter-1')

    def card(self):
        """What a technician mounts: a card that cannot be written."""
        card = self.run.folder / 'card'
        shutil.copytree(self.run.folder / 'state', card / 'var/lib/smart-gateway')
        (card / 'var/lib/smart-gateway/lock').unlink()
        self.addCleanup(subprocess.run, ['chmod', '-R', 'u+w', card], check=True)
        subprocess.run(['chmod', '-R', 'a-w', card], check=True)
        return card

    def files_of(self, card):
        return {path: path.read_bytes() for path in card.rglob('*') if path.is_file()}

    def test_a_rescued_card_is_told_checked_and_exported_and_not_touched(self):
        served = self.stored(60)
        card = self.card()
        before = self.files_of(card)
        info = self.command('store', 'info', '--path', card)
        self.assertEqual((info.returncode, info.stderr), (0, ''))
        self.assertRegex(info.stdout.splitlines()[0], r'^\d+ readings held, \d+ of them not confirmed')
        self.assertIn(self.town.box, info.stdout)
        verified = self.command('store', 'verify', '--path', card)
        self.assertEqual((verified.returncode, verified.stderr), (0, ''), verified.stdout)
        self.assertTrue(verified.stdout.startswith('Whole: '), verified.stdout)

        table = self.command('store', 'export', '--csv', '--path', card)
        self.assertEqual((table.returncode, table.stderr), (0, ''))
        rows = list(csv.DictReader(io.StringIO(table.stdout)))
        counted = [int(row['value']) for row in rows
                   if row['point'] == 'reads_0' and row['quality'] == 'good']
        self.assertGreater(len(counted), 5)
        self.assertEqual(counted, list(range(counted[0], counted[0] + len(counted))))
        self.assertLessEqual(counted[-1], served + 1)
        self.assertEqual({row['unit'] for row in rows if row['point'] == 'voltage'}, {'V'})
        self.assertTrue(all(row['time'].endswith('Z') for row in rows))

        lines = self.command('store', 'export', '--path', card).stdout.splitlines()
        values = [json.loads(line) for line in lines]
        readings = [line for line in values if line['line'] == 'reading']
        self.assertEqual(len(readings), len(rows))
        self.assertEqual(readings[0]['org'], 'place-1714000')
        self.assertEqual(self.files_of(card), before)

    def test_exported_lines_are_those_that_the_receiver_would_have_written(self):
        self.stored(40)
        shutil.copytree(self.run.folder / 'state', self.run.folder / 'copy')
        lines = self.command('store', 'export', '--path', self.run.folder / 'copy').stdout.splitlines()
        exported = {(r['epoch'], r['lane'], r['seq']): r for r in map(json.loads, lines)
                    if r['line'] == 'reading'}
        self.town.start()

        def received():
            return {(r['epoch'], r['lane'], r['seq']): r for r in self.town.receiver.records()}
        procs.wait_for(lambda: set(exported) <= set(received()), 40)
        got = received()
        self.assertEqual({key: got[key] for key in exported}, exported)

    def test_a_damaged_store_says_where_and_ends_with_1(self):
        self.stored(40)
        database = self.run.folder / 'state/store/1/outbox.db'
        subprocess.run(['/usr/bin/python3', '-c', '''
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("PRAGMA locking_mode=EXCLUSIVE")
base.execute("UPDATE telemetry SET bytes = zeroblob(length(bytes)) WHERE id = (SELECT min(id) FROM telemetry)")
base.commit()
''', database], check=True)
        verified = self.command('store', 'verify', '--path', self.run.folder / 'state')
        self.assertEqual(verified.returncode, 1)
        self.assertIn('Not whole: 1 damaged rows', verified.stdout)
        self.assertIn('the row that begins with sequence', verified.stdout)
        exported = self.command('store', 'export', '--path', self.run.folder / 'state')
        self.assertEqual(exported.returncode, 1)
        self.assertIn('1 damaged rows were left out', exported.stderr)

    def test_a_running_box_answers_info_by_itself_and_is_not_opened(self):
        self.town.gateway.start()
        procs.wait_for(lambda: self.town.gateway.ask('store', 'info').returncode == 0, 20)
        info = self.town.gateway.ask('store', 'info')
        self.assertIn('in use by the running service', info.stdout)
        asked = self.command('wipe', '--yes', '--config', self.town.site)
        self.assertEqual(asked.returncode, 2)
        self.assertIn(f'in use by process {self.town.gateway.pid}', asked.stderr)
        self.assertIn('systemctl stop smart-gateway', asked.stderr)
        self.assertEqual(self.command('store', 'info', '--path', self.run.folder).returncode, 2)

    def test_a_running_box_is_verified_and_exported_and_goes_on(self):
        self.town.gateway.start()
        procs.wait_for(lambda: self.unconfirmed() > 200, 30)
        pid, first = self.town.gateway.pid, None
        for _ in range(5):
            verified = self.town.gateway.ask('store', 'verify', '--json')
            self.assertEqual((verified.returncode, verified.stderr), (0, ''), verified.stdout)
            told = json.loads(verified.stdout)
            self.assertEqual((told['ok'], told['missing'], told['boxes']), (True, 0, [self.town.box]))
            self.assertGreater(told['readings'], first or 200)
            first = told['readings']
            time.sleep(1.5)
        self.assertTrue(self.town.gateway.ask('store', 'verify').stdout.startswith('Whole: '))
        exported = self.town.gateway.ask('store', 'export', '--csv')
        self.assertEqual((exported.returncode, exported.stderr), (0, ''))
        counted = [int(row['value']) for row in csv.DictReader(io.StringIO(exported.stdout))
                   if row['point'] == 'reads_0']
        self.assertGreater(len(counted), 10)
        self.assertEqual(counted, list(range(1, len(counted) + 1)))
        lines = self.town.gateway.ask('store', 'export').stdout.splitlines()
        exported = {(r['epoch'], r['lane'], r['seq']): r for r in map(json.loads, lines) if r['line'] == 'reading'}
        self.assertEqual(self.town.gateway.pid, pid)
        self.assertTrue(self.town.gateway.running())
        self.town.receiver.start()  # what it frees meanwhile is not missing
        while self.unconfirmed() > 100:
            verified = self.town.gateway.ask('store', 'verify', '--json')
            self.assertEqual((verified.returncode, verified.stderr), (0, ''), verified.stdout)
        got = {(r['epoch'], r['lane'], r['seq']): r for r in self.town.receiver.records()}
        self.assertEqual({key: got.get(key) for key in exported}, exported)

    def test_wipe_asks_says_what_is_lost_and_leaves_the_site_file(self):
        self.stored(40)
        state = self.run.folder / 'state'
        for answer in ('no\n', ''):
            asked = self.command('wipe', '--config', self.town.site, input=answer)
            self.assertEqual(asked.returncode, 1)
            self.assertRegex(asked.stdout, r'\d+ readings are lost with it')
            self.assertIn('nothing was removed', asked.stderr)
        self.assertTrue((state / 'store').exists())
        done = self.command('wipe', '--config', self.town.site, input='wipe\n')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual([path.name for path in state.iterdir()], ['lock'])
        self.assertTrue(self.town.site.exists())
        self.town.gateway.start()
        procs.wait_for(lambda: self.town.gateway.ask('store', 'info').returncode == 0, 20)

    def test_wipe_of_a_card_by_its_root(self):
        self.stored(40)
        card = self.run.folder / 'card'
        state = card / 'var/lib/smart-gateway'
        shutil.copytree(self.run.folder / 'state', state)
        done = self.command('wipe', '--yes', '--path', card)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertRegex(done.stdout, r'\d+ readings are lost with it')
        self.assertEqual([path.name for path in state.iterdir()], ['lock'])
        self.assertTrue((self.run.folder / 'state/store').exists())

    def test_S15_a_bundle_holds_no_secret(self):
        text = self.town.site.read_text()
        broker = f'mqtt://127.0.0.1:{self.town.link.port}'
        self.assertIn(broker, text)
        secrets = self.town.site.parent / 'secrets'
        secrets.mkdir(mode=0o700)
        (secrets / 'broker').write_text(f'{MARKER}-file\n')
        (secrets / 'broker').chmod(0o600)
        self.town.site.write_text(text.replace('[uplink]', '[uplink]\nuser = "box"\nsecret = "broker"')
                                  if 'secret' not in text else text)
        self.town.gateway.start()
        procs.wait_for(lambda: self.town.gateway.ask('status').stdout, 20)
        # What somebody wrote into the site file although it does not belong there, in every way.
        self.town.site.write_text(
            self.town.site.read_text() + f'\n# see http://admin:{MARKER}-url@10.0.0.7/\n'
            f'[[device]]\nid = "x"\nprofile = "test.meter"\npassword = "{MARKER}-inline"\n'
            f"connect = {{ url = \"http://u:{MARKER}-user@10.0.0.8/x?token={MARKER}-query&a=1\", api_key = '{MARKER}-key' }}\n"
            f'# the same as in secrets/broker: {MARKER}-file\n')
        self.town.gateway.ask('reload')
        tls = self.run.folder / 'state/tls/1'
        tls.mkdir(parents=True)
        begin, end = '-----BEGIN ', '-----END '
        (tls / 'key.pem').write_text(f'{begin}PRIVATE KEY-----\n{MARKER}-pem\n{end}PRIVATE KEY-----\n')
        out = self.run.folder / 'bundle.txt'
        made = self.town.gateway.ask('bundle', '--out', out)
        self.assertEqual((made.returncode, made.stderr), (0, ''))
        bundle = out.read_text()
        self.assertNotIn(MARKER, bundle)
        self.assertGreaterEqual(bundle.count('(removed)'), 6)
        self.assertEqual(out.stat().st_mode & 0o777, 0o600)
        for title in ('versions', 'site file', 'mistakes of the site file', 'status', 'store',
                      'store on the disk', 'files', 'unit', 'log'):
            self.assertIn(f'==> {title}', bundle)
        self.assertIn('"devices":[{"id":"meter-1"', bundle)
        self.assertIn('key.pem', bundle)  # that there is one, and its mode


if __name__ == '__main__':
    unittest.main()
