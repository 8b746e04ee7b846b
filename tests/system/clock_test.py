"""A box without a battery clock: it measures at once, and what it measured is dated when it knows the time."""
import datetime
import os
import struct
import time
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']
UNSYNCHRONISED, SYNCHRONISED = 1, 2


class Clock(unittest.TestCase):
    def set_clock(self, offset_s, discipline):
        with open(self.clock, 'r+b') as file:
            file.write(struct.pack('qq', offset_s * 10**9, discipline))

    def test_S40_readings_from_before_the_time_was_known_are_dated(self):
        run = self.enterContext(procs.Run(BUILD))
        self.clock = run.folder / 'clock'
        self.clock.write_bytes(bytes(16))
        self.set_clock(-20 * 365 * 86_400, UNSYNCHRONISED)
        place = town.Town(run, devices=1)
        place.site.write_text(place.site.read_text().replace('clock = "trusted"\n', ''))
        place.gateway.environment.update(
            LD_PRELOAD=str(run.build / 'tests/support/libclock_shim.so'), CLOCK_SHIM=str(self.clock))
        started = time.time()
        place.start()
        place.wait_delivered(10)
        early = place.receiver.records()
        self.assertEqual({(r['time'], r['clock']) for r in early}, {(None, 'unset')})
        self.assertIn('the clock is not set', place.gateway.ask('status').stdout)
        birth = f'ss1/place-1714000/birth/{place.box}'
        self.assertIsNone(place.retained(birth)['first_start'])

        self.set_clock(0, SYNCHRONISED)
        procs.wait_for(lambda: place.receiver.records('correction'), 60, what=place.receiver.lines)
        correction = place.receiver.records('correction')[0]
        first = (early[0]['boot_ms'] + correction['wall_minus_boot_ms']) / 1000
        self.assertLess(abs(first - started), 10)
        self.assertGreater(len([r for r in place.receiver.records() if r['clock'] == 'synced']), 0)
        # It looks once a minute.
        told = procs.wait_for(lambda: place.retained(birth)['first_start'], 90, what=place.gateway.lines)
        self.assertLess(abs(datetime.datetime.fromisoformat(told).timestamp() - started), 10)
        self.assertNotIn('the clock is not set', place.gateway.ask('status').stdout)
        self.assertEqual(place.mistakes(), [])


if __name__ == '__main__':
    unittest.main()
