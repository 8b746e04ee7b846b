"""`smart-gateway read` gives the exact values of every shipped profile's own example, from a device
by pymodbus; and the commands that need no service."""
import decimal
import json
import os
import pathlib
import subprocess
import sys
import tomllib
import unittest

import procs

GATEWAY = pathlib.Path(os.environ['BUILD_DIR']) / 'gateway' / 'smart-gateway'
PROFILES = procs.SOURCE / 'schemas' / 'profiles'


def gateway(*arguments):
    return subprocess.run([GATEWAY, *arguments], capture_output=True, text=True, timeout=30,
                          env={**os.environ, 'SMART_GATEWAY_PROFILES': str(PROFILES)}, check=False)


class Read(unittest.TestCase):
    def device(self, registers):
        process = subprocess.Popen([sys.executable, procs.SOURCE / 'tests/support/pymodbus_server.py'],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdin.write(json.dumps(registers))
        process.stdin.close()
        return process.stdout.readline().strip()

    def test_the_values_of_the_examples_exactly(self):
        profiles = [path for path in sorted(PROFILES.glob('*.profile.toml'))
                    if 'driver    = "modbus"' in path.read_text(encoding='utf-8')]
        self.assertGreaterEqual(len(profiles), 3)
        for path in profiles:
            text = path.read_text(encoding='utf-8')
            profile = tomllib.loads(text, parse_float=decimal.Decimal)
            example = profile['example'][0]
            image = {**example['registers']}
            if 'objects' in example:
                image['objects'] = example['objects']
            port = self.device(image)
            read = gateway('read', '--json', '--profile', profile['profile']['id'],
                           '--connect', f'tcp=127.0.0.1:{port},unit=1')
            with self.subTest(profile=path.name):
                rows = [json.loads(line, parse_float=decimal.Decimal)
                        for line in read.stdout.splitlines()]
                values = {row['point']: row['value'] for row in rows}
                self.assertEqual(values, example['expect'], read.stderr)
                self.assertEqual({row['quality'] for row in rows}, {'good'})
                self.assertEqual(read.returncode, 0)

    def test_a_device_that_is_not_there(self):
        read = gateway('read', '--profile', 'il.energy-meter.schneider-iem3155',
                       '--connect', f'tcp=127.0.0.1:{procs.closed_port()},unit=1')
        self.assertNotEqual(read.returncode, 0)
        self.assertIn('refused', read.stderr)

    def test_wrong_usage_is_64(self):
        for arguments in ([], ['surprise'], ['read', '--surprise'], ['status', '--wait', 'long']):
            self.assertEqual(gateway(*arguments).returncode, 64, arguments)

    def test_profiles_are_found_shown_checked_and_tried(self):
        found = gateway('profile', 'find', 'iem3155')
        self.assertIn('il.energy-meter.schneider-iem3155', found.stdout)
        shown = gateway('profile', 'show', 'il.energy-meter.schneider-iem3155')
        self.assertIn('active_energy_import', shown.stdout)
        files = [str(path) for path in sorted(PROFILES.glob('*.profile.toml'))]
        self.assertEqual(gateway('profile', 'lint', *files).returncode, 0)
        self.assertEqual(gateway('profile', 'test', *files).returncode, 0)


if __name__ == '__main__':
    unittest.main()
