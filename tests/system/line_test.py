"""Every shipped Modbus and SunSpec profile on one RTU line: the simulator plays the profiles' own
examples at the pace of 19,200 baud on a pseudo terminal, and the drivers read their values."""
import decimal
import json
import os
import pathlib
import shutil
import subprocess
import tomllib
import unittest

import procs

BUILD = pathlib.Path(os.environ['BUILD_DIR'])
PROFILES = procs.SOURCE / 'schemas' / 'profiles'
SCENE = procs.SOURCE / 'tests' / 'simulator' / 'field.scene.toml'
DEVICES = {'iem3155': 'il.energy-meter.schneider-iem3155', 'sdm630': 'il.energy-meter.eastron-sdm630',
           'co2': 'il.air-quality.vaisala-gmp252', 'flow': 'il.water-meter.siemens-mag6000',
           'sonde': 'il.water-quality.insitu-aquatroll400',
           'inverter': 'il.solar.sunspec-inverter', 'meter': 'il.energy-meter.sunspec-meter'}


class Line(unittest.TestCase):
    def test_the_values_of_the_examples_exactly(self):
        run = self.enterContext(procs.Run(BUILD))
        shutil.copy(SCENE, run.folder)
        run.add(procs.Simulator(run.folder, BUILD, 'simulate',
                                pathlib.Path(run.folder) / SCENE.name)).start()
        scene = tomllib.loads(SCENE.read_text(encoding='utf-8'))
        for device in scene['device']:
            with self.subTest(device=device['id']):
                self.read(DEVICES[device['id']], f'{run.folder}/line', str(device['unit']))

    def read(self, profile, line, unit):
        file = PROFILES / f'{profile}.profile.toml'
        read = subprocess.run([BUILD / 'tests' / 'support' / 'modbus_read', file, line, unit],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(read.returncode, 0, read.stderr)
        rows = {row['point']: row for row in map(json.loads, read.stdout.splitlines())
                if 'point' in row}
        document = tomllib.loads(file.read_text(encoding='utf-8'), parse_float=decimal.Decimal)
        for point in document['point']:
            row, wanted = rows[point['id']], document['example'][0]['expect'][point['id']]
            names = point.get('enum', {})  # the driver gives the number behind the name
            got = names.get(row['value']) if names else decimal.Decimal(row['value'])
            self.assertEqual((row['quality'], got), ('good', wanted), point['id'])


if __name__ == '__main__':
    unittest.main()
