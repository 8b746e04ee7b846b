"""What a technician asks at the cabinet: why a device is as it is, and that somebody works at one."""
import json
import os
import unittest

import faulty
import procs
import town

BUILD = os.environ['BUILD_DIR']


class Cabinet(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))

    def place_with(self, *faults):
        bad = [(fault, f'127.0.0.1:{self.run.add(faulty.Device(fault)).port}') for fault in faults]
        bad.append(('closed', f'127.0.0.1:{procs.closed_port()}'))
        place = town.Town(self.run, devices=1, more_devices=bad).start()
        place.wait_delivered(5)
        return place

    def why(self, place, device, words):
        """The answer, once it says these words."""
        return procs.wait_for(lambda: (said := place.gateway.ask('why', device)) and
                              words in said.stdout and said, 30, words)

    def test_why_shows_bytes_and_what_they_mean(self):
        place = self.place_with('silent', 'exception', 'short')
        silent = self.why(place, 'silent', 'no answer; given up after')
        self.assertEqual(silent.returncode, 1)
        lines = silent.stdout.splitlines()
        self.assertRegex(lines[0], r'^silent does not answer since \d{4}-\d\d-\d\d .* \(\d+ s\)\.$')
        self.assertEqual(lines[1], 'Requests are sent and nothing comes back in time.')
        self.assertIn('What to try', lines)
        # Unit 1, function 3, registers 0 to 5, as the standard writes it.
        self.assertRegex(silent.stdout, r'sent      [0-9a-f]{2} [0-9a-f]{2} 00 00 00 06 01 03 00 00 00 06\n'
                                        r' +asks unit 1 for holding 0 to 5: reads_0, reads_1')
        refused = self.why(place, 'exception', '83 02')
        self.assertIn('refused: exception 2, illegal data address', refused.stdout)
        self.assertIn('reads_0: comm_error, exception_2', refused.stdout)
        self.why(place, 'short', 'the answer broke off after')
        self.why(place, 'closed', 'nothing could be sent')
        good = place.gateway.ask('why', 'meter-1', '--json')
        self.assertEqual(good.returncode, 0)
        answer = json.loads(good.stdout)
        self.assertEqual((answer['verdict'], answer['cause']), ('meter-1 is read and answers.', ''))
        self.assertLessEqual(len(answer['exchanges']), 9)
        self.assertTrue(all(exchange['ok'] for exchange in answer['exchanges']))

    def test_an_unknown_device_is_told_with_those_that_are_there(self):
        place = town.Town(self.run, devices=2).start()
        procs.wait_for(lambda: place.gateway.lines('gateway started'))
        for command in (['why', 'metre-1'], ['maintain', 'metre-1']):
            asked = place.gateway.ask(*command)
            self.assertEqual(asked.returncode, 1)
            self.assertIn('meter-1, meter-2', asked.stderr)

    def birth_says(self, place):
        devices = place.retained(f'ss1/place-1714000/birth/{place.box}')['devices']
        return {device['id']: device['maintenance_until'] for device in devices}['meter-1']

    def events(self, place):
        return [r.get('code') for r in place.receiver.all_records() if r['line'] == 'event']

    def causes(self, place):
        return [r['cause'] for r in place.receiver.records() if r['point'] == 'reads_0']

    def test_maintenance_marks_the_readings_survives_a_kill_and_ends(self):
        place = town.Town(self.run, devices=1).start()
        place.wait_delivered(3)
        self.assertIsNone(self.birth_says(place))
        begun = place.gateway.ask('maintain', 'meter-1', 'cleaning', '--for', '2h')
        self.assertEqual((begun.returncode, begun.stderr), (0, ''))
        procs.wait_for(lambda: 'maintenance' in self.causes(place), 20)
        procs.wait_for(lambda: self.birth_says(place), 20)
        place.gateway.kill()
        place.gateway.start()
        procs.wait_for(lambda: self.birth_says(place), 20)
        count = len(self.causes(place))
        procs.wait_for(lambda: len(self.causes(place)) > count + 5, 20)
        self.assertEqual(set(self.causes(place)[-3:]), {'maintenance'})
        said = place.gateway.ask('status').stdout
        self.assertIn('Somebody works at meter-1 (cleaning), for another', said)
        self.assertIn('meter-1: in maintenance', said)
        ended = place.gateway.ask('maintain', 'meter-1', '--end')
        self.assertIn('its readings count again', ended.stdout)
        procs.wait_for(lambda: self.causes(place)[-1] is None, 20)
        procs.wait_for(lambda: self.birth_says(place) is None, 20)
        self.assertIn('was not in maintenance', place.gateway.ask('maintain', 'meter-1', '--end').stdout)
        place.gateway.ask('maintain', 'meter-1', '--for', '1s')  # ends by itself
        procs.wait_for(lambda: self.events(place).count('maintenance-ended') == 2, 30)
        self.assertEqual(self.events(place).count('maintenance-begun'), 2)


if __name__ == '__main__':
    unittest.main()
