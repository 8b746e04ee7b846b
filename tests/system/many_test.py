"""A thousand devices behind one gateway: nothing is lost, and what is switched off is left alone."""
import collections
import json
import os
import unittest

import procs
import town
import truth

BUILD = os.environ['BUILD_DIR']
DEVICES = 1000
EVERY_OFF = 20  # of so many devices one is switched off
READS = 4
procs.patience = 4  # an unoptimised simulator takes its time to start so many


class Many(unittest.TestCase):
    def test_S46_a_thousand_devices_lose_nothing_and_those_switched_off_are_not_asked(self):
        run = self.enterContext(procs.Run(BUILD))
        place = town.Town(run, devices=DEVICES, points=1, poll='2s', interval='1s')
        off = set(place.devices[::EVERY_OFF])
        text = place.site.read_text()
        for device in off:
            text = text.replace(f'\nid      = "{device}"\n', f'\nid      = "{device}"\nenabled = false\n')
        place.site.write_text(text)
        self.assertEqual(text.count('enabled = false'), len(off))
        place.start()

        def served():
            counts = collections.Counter()
            for line in procs.whole_lines(place.served_log):
                if '"point":"reads_0"' in line:
                    counts[json.loads(line)['device']] += 1
            return counts

        def all_read():
            counts = served()
            return len(counts) == DEVICES - len(off) and min(counts.values()) >= READS
        procs.wait_for(all_read, 60, what=lambda: f'{READS} reads of each: {len(served())}; {place.gateway.lines()[-3:]}')
        place.gateway.stop()  # nothing is under way any more
        counts = served()
        self.assertEqual(set(counts) & off, set())
        # The last answer of a device may have come after the stop.
        procs.wait_for(lambda: self.mistakes(place, counts) == [], 30, what=lambda: str(self.mistakes(place, counts)[:5]))
        causes = collections.Counter(record['cause'] for record in place.receiver.records())
        self.assertEqual(set(causes), {None}, causes)
        self.assertEqual(list(truth.mistakes_of_ledger(place.receiver.all_records())), [])

    @staticmethod
    def mistakes(place, counts):
        readings = truth.by_point(place.receiver.all_records())
        found = []
        for device, last in counts.items():
            values = truth.values_of(readings[device, 'reads_0'], device, 'reads_0')
            last -= last not in values
            found += [f'{device}: {mistake}' for mistake in truth.mistakes_of_count(values, last)]
        return found


if __name__ == '__main__':
    unittest.main()
