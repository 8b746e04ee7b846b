"""Devices that fail in every way; each says why, and the good ones keep their time."""
import collections
import os
import unittest

import faulty
import procs
import town

BUILD = os.environ['BUILD_DIR']


class Devices(unittest.TestCase):
    def test_bad_devices_give_causes_and_the_good_one_keeps_its_period(self):
        run = self.enterContext(procs.Run(BUILD))
        faults = {f'bad-{fault}': run.add(faulty.Device(fault)) for fault in
                  ('silent', 'short', 'garbage', 'exception', 'wrong_unit')}
        bad = [(name.replace('_', '-'), f'127.0.0.1:{device.port}')
               for name, device in faults.items()]
        bad.append(('bad-closed', f'127.0.0.1:{procs.closed_port()}'))
        place = town.Town(run, devices=1, more_devices=bad).start()
        place.wait_delivered(50)
        records = place.receiver.records()
        causes = collections.defaultdict(set)
        for record in records:
            if record['device'].startswith('bad-'):
                self.assertNotEqual(record['quality'], 'good', record)
                self.assertTrue(record['point'] is None or record['value'] is None, record)
                causes[record['device']].add(record['cause'])
        self.assertEqual(causes['bad-silent'], {'timeout'})
        self.assertEqual(causes['bad-exception'], {'exception_2'})
        self.assertLessEqual(causes['bad-short'], {'timeout', 'short_frame'})
        self.assertLessEqual(causes['bad-garbage'], {'timeout', 'unexpected_reply'})
        self.assertLessEqual(causes['bad-wrong-unit'], {'timeout', 'unexpected_reply'})
        self.assertEqual(causes['bad-closed'], {'unreachable'})
        for device, found in causes.items():
            self.assertTrue(found, device)
            mine = [r for r in records if r['device'] == device]
            self.assertLess(len(mine), 30, f'{device} fills the store with the same failure')
        times = sorted(r['boot_ms'] for r in records
                       if r['device'] == 'meter-1' and r['point'] == 'reads_0')
        period = (times[-1] - times[0]) / (len(times) - 1)
        self.assertAlmostEqual(period, 200, delta=10)
        self.assertEqual(place.mistakes(), [])


if __name__ == '__main__':
    unittest.main()
