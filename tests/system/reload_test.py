"""A changed site file: taken back when it cuts the box off, and never a reading lost by it."""
import json
import os
import pathlib
import signal
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']
RELOADS = int(os.environ.get('RELOADS', '40'))  # 1,000 by hand


class Reload(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))
        self.town = town.Town(self.run, devices=1).start()
        self.town.wait_delivered(5)
        self.gateway = self.town.gateway

    def more_arrive(self):
        before = len(self.town.delivered('meter-1'))
        self.town.wait_delivered(before + 10)

    def change(self, **options):
        return self.town.write_site(**options)

    def test_S47_a_site_file_that_cuts_the_box_off_is_taken_back(self):
        good = self.town.site.read_text()
        self.change(port=procs.closed_port())  # nobody listens there
        done = self.gateway.ask('reload', '--confirm', '3')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('on trial', done.stdout)
        procs.wait_for(lambda: self.gateway.lines('configuration-taken-back'), 15,
                       what=self.gateway.lines)
        self.more_arrive()
        self.assertIn('taken back', self.gateway.ask('status').stdout)
        self.gateway.stop()  # and a start later it is not tried again
        self.gateway.start()
        self.more_arrive()
        self.town.site.write_text(good)
        reloaded = self.gateway.ask('reload', '--json')
        self.assertEqual((reloaded.returncode, json.loads(reloaded.stdout)['ok']), (0, True))
        self.assertNotIn('taken back', self.gateway.ask('status').stdout)
        self.assertEqual(self.town.mistakes(), [])

    def test_S47_a_stop_during_the_trial_means_the_old_file(self):
        self.change(port=procs.closed_port())
        self.assertEqual(self.gateway.ask('reload', '--confirm', '10m').returncode, 0)
        self.gateway.kill()
        self.gateway.start()
        self.more_arrive()
        self.assertEqual(self.town.mistakes(allowed_lost=1), [])

    def test_S47_a_site_file_that_reaches_the_platform_stays(self):
        text = self.town.site.read_text().replace('Test cabinet', 'Renamed cabinet')
        self.town.site.write_text(text)
        self.assertEqual(self.gateway.ask('reload', '--confirm', '30').returncode, 0)
        procs.wait_for(lambda: self.gateway.lines('configuration-confirmed'), 20,
                       what=self.gateway.lines)
        kept = pathlib.Path(self.run.folder / 'state/last-good/gateway.toml')
        self.assertEqual(kept.read_text(), text)
        self.assertFalse((kept.parent / 'on-trial').exists())

    def test_a_place_that_changes_is_that_of_the_next_readings(self):
        text = self.town.site.read_text()
        self.town.site.write_text(text.replace('[profiles]', 'location = { lat = 41.9, lon = -87.6 }\n[profiles]'))
        done = self.gateway.ask('reload')
        self.assertEqual(done.returncode, 0, done.stderr)
        procs.wait_for(lambda: self.town.receiver.records()[-1]['location'] == {'lat': 41.9, 'lon': -87.6}, 20,
                       what=lambda: self.town.receiver.records()[-1])
        self.assertEqual(self.town.mistakes(), [])

    def test_settings_of_the_store_need_a_restart_and_it_says_so(self):
        text = self.town.site.read_text()
        self.town.site.write_text(text.replace('budget = "64MiB"', 'budget = "32MiB"'))
        done = self.gateway.ask('reload')
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn('store: changes with a restart only', done.stdout + done.stderr)
        self.more_arrive()

    def test_S49_reloads_under_load_lose_nothing(self):
        for number in range(RELOADS):
            before = len(self.gateway.lines('reloaded'))
            if number % 5 == 4:  # a device and the connection too, now and then
                text = self.town.site.read_text()
                self.town.site.write_text(text.replace(
                    '[uplink]\n', '[uplink]\nkeep_alive = "20s"\n') if 'keep_alive' not in text
                    else text.replace('keep_alive = "20s"\n', ''))
            self.gateway.signal(signal.SIGHUP)
            procs.wait_for(lambda: len(self.gateway.lines('reloaded')) > before, 20,
                           what=self.gateway.lines)
        self.assertEqual(len(self.gateway.lines('reload-refused')), 0)
        self.more_arrive()
        self.assertEqual(self.town.mistakes(), [])


if __name__ == '__main__':
    unittest.main()
