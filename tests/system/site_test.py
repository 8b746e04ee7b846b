"""A bad site file: every mistake at once, the last good one, or exit 78."""
import os
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']


class Site(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))
        self.town = town.Town(self.run, devices=1)
        self.good = self.town.site.read_text()

    def spoil(self):
        self.town.site.write_text(
            self.good.replace('[gateway]', 'surprise = 1\n[gateway]', 1)
            .replace('profile = "test.meter"', 'profile = "test.unknown"')
            .replace('budget = "64MiB"', 'budget = 64'))

    def test_every_mistake_is_listed_with_its_place_and_nothing_starts(self):
        self.spoil()
        checked = self.town.gateway.ask('check', runtime=False)
        self.assertEqual(checked.returncode, 78)
        said = checked.stderr.splitlines()
        for line, path in ((2, 'surprise'), (14, 'store.budget'), (23, 'device[1].profile')):
            found = [text for text in said if f'gateway.toml:{line}:' in text and path in text]
            self.assertEqual(len(found), 1, f'{line} {path}: {said}')
        self.assertEqual(len(said), 3, said)
        self.town.gateway.start()
        self.assertEqual(self.town.gateway.process.wait(5), 78)

    def test_the_last_good_file_is_used_and_the_birth_says_so(self):
        self.town.start()
        self.town.wait_delivered(5)
        self.town.gateway.stop()
        self.spoil()
        self.town.gateway.start()
        before = len(self.town.delivered('meter-1'))
        self.town.wait_delivered(before + 10)
        birth = self.town.retained(f'ss1/place-1714000/birth/{self.town.box}')
        self.assertEqual(birth['configuration']['source'], 'last-good')
        self.assertIn('surprise', birth['configuration']['problem'])
        self.assertEqual(self.town.mistakes(), [])

    def test_a_bad_reload_changes_nothing(self):
        self.town.start()
        self.town.wait_delivered(5)
        self.spoil()
        reload = self.town.gateway.ask('reload')
        self.assertEqual(reload.returncode, 1)
        self.assertIn('surprise', reload.stdout + reload.stderr)
        before = len(self.town.delivered('meter-1'))
        self.town.wait_delivered(before + 10)
        self.assertEqual(self.town.mistakes(), [])

    def test_W12_a_reload_that_changes_a_dictionary_loses_nothing(self):
        self.town.start()
        self.town.wait_delivered(5)
        self.town.site.write_text(self.good.replace('id      = "meter-1"',
                                                    'id      = "meter-1"\nname = "Renamed"'))
        reloaded = self.town.gateway.ask('reload')
        self.assertEqual(reloaded.returncode, 0)
        self.assertIn('1 of 1 devices restarted', reloaded.stdout)
        procs.wait_for(lambda: any(r['name'] == 'Renamed' for r in self.town.receiver.records()),
                       20, what='readings under the new name')
        # The device is started anew: a read that was under way had not been accepted.
        self.assertEqual(self.town.mistakes(allowed_lost=1), [])


if __name__ == '__main__':
    unittest.main()
