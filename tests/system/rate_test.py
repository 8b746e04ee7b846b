"""Ten to ten thousand readings a second: what was served is what arrives."""
import os
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']


class Rate(unittest.TestCase):
    def ramp(self, devices, points, reads):
        """Each device's points ten times a second, until each was read so often."""
        with procs.Run(BUILD) as run:
            place = town.Town(run, devices=devices, points=points, poll='100ms').start()
            procs.wait_for(lambda: min(map(place.served_count, place.devices)) >= reads, 90,
                           what='the devices are read')
            self.assertEqual(place.mistakes(), [])

    def test_S09_every_accepted_reading_arrives_at_10_a_second(self):
        self.ramp(1, 1, 40)

    def test_S09_every_accepted_reading_arrives_at_1_000_a_second(self):
        self.ramp(2, 50, 40)

    def test_S09_every_accepted_reading_arrives_at_10_000_a_second(self):
        self.ramp(9, 110, 30)


if __name__ == '__main__':
    unittest.main()
