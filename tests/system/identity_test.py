"""What a device says of itself reaches everybody: units, status, rows, and who it is."""
import os
import pathlib
import shutil
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']
PROFILE = pathlib.Path(__file__).resolve().parents[2] / 'tests/data/config/good/told.profile.toml'
INPUT = '0 = [16712, 0, 1, 0, 0, 12345, 65535, 680, 0, 2], 20 = [150, 0, 250, 1], 30 = [300], 42 = [0, 30]'
SCENE = '''
[[device]]
id        = "{id}"
registers = {{ input = {{ {input} }}, holding = {{ 0 = {name}, 50 = [1] }} }}
'''
FLOW, PUMP = [17996, 20311, 11569, 12336], [20565, 19792, 11569, 12336]


class Told(unittest.TestCase):
    def test_units_status_rows_and_identity_reach_the_platform(self):
        run = self.enterContext(procs.Run(BUILD))
        place = town.Town(run, devices=1)
        shutil.copy(PROFILE, run.folder / 'profiles' / PROFILE.name)
        scene = run.write('told.toml', ''.join(SCENE.format(id=name, input=INPUT, name=text)
                                               for name, text in (('flow', FLOW), ('pump', PUMP))))
        devices = run.add(procs.Simulator(run.folder, run.build, 'simulate', scene, name='told')).start()
        place.write_site(extra=''.join(
            town.DEVICE.format(id=name, profile='test.modbus-told', address=f'127.0.0.1:{devices.ports[name]}')
            for name in ('flow', 'pump')))
        place.start()
        seen = {}

        def arrived():
            for record in place.receiver.records():
                seen[record['device'], record['point']] = record
            return ('flow', 'level') in seen and ('pump', 'level') in seen
        procs.wait_for(arrived, 60, what=lambda: f'{sorted(seen)}; {place.gateway.lines()[-3:]}')

        self.assertEqual((seen['flow', 'flow']['value'], seen['flow', 'flow']['unit']), (45, 'm3/h'))
        self.assertEqual(seen['flow', 'volume']['value'], 1234.5)
        self.assertEqual((seen['flow', 'temperature']['value'], seen['flow', 'temperature']['unit']), (20, 'Cel'))
        self.assertEqual(seen['flow', 'current[1]']['quality'], 'good')
        self.assertEqual((seen['flow', 'current[2]']['value'], seen['flow', 'current[2]']['quality'],
                          seen['flow', 'current[2]']['cause']), (2.5, 'bad', 'device_status'))
        self.assertNotIn(('flow', 'current[3]'), seen)
        for (device, point), record in seen.items():
            self.assertFalse(point and point.startswith('flow.'), 'what is read for others is no reading')
            if device == 'pump' and point:
                self.assertNotEqual(record['quality'], 'good', record)
                self.assertEqual(record['verdict']['identity'], 'mismatch')
        self.assertEqual(seen['pump', 'flow']['cause'], 'mismatch')

        birth = place.retained('ss1/+/birth/+')
        verdicts = {device['id']: device['verdict']['identity'] for device in birth['devices']}
        self.assertEqual((verdicts['flow'], verdicts['pump']), ('verified', 'mismatch'))
        status = place.gateway.ask('status')
        self.assertIn('pump is another device than its profile says', status.stdout)
        self.assertRegex(status.stdout, r'flow: answers, \d+ of 10 points good, .*verified')


if __name__ == '__main__':
    unittest.main()
