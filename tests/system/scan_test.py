"""`scan` and `add`: from a line somebody found in a cabinet to readings in the site file."""
import json
import os
import socket
import subprocess
import unittest

import faulty
import procs
import town

BUILD = os.environ['BUILD_DIR']
PROFILES = procs.SOURCE / 'schemas' / 'profiles'
METER = 'il.energy-meter.schneider-iem3155'
SCENE = f'''
[[device]]
id      = "a"
unit    = 2
{{line}}
profile = "{PROFILES}/{METER}.profile.toml"
objects = {{{{ 0 = "Schneider Electric", 1 = "iEM3155", 2 = "001.400" }}}}
registers = {{{{ holding = {{{{ 129 = [264, 29058], 1636 = [1400] }}}} }}}}
[[device]]
id      = "b"
behind  = "a"
unit    = 9
registers = {{{{ holding = {{{{ 0 = [1] }}}} }}}}
'''


class Scan(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))
        self.site = None

    def simulated(self, line=''):
        scene = self.run.write('units.toml', SCENE.format(line=line))
        return self.run.add(procs.Simulator(self.run.folder, self.run.build, 'simulate', scene,
                                            name='units')).start()

    def command(self, *arguments):
        return subprocess.run([self.run.build / 'gateway/smart-gateway', *map(str, arguments),
                               '--runtime', self.run.runtime], capture_output=True, text=True,
                              timeout=120, check=False,
                              env={**os.environ, 'SMART_GATEWAY_PROFILES': str(PROFILES)})

    def check_found(self, found):
        self.assertEqual(found.returncode, 0, found.stderr)
        report = json.loads(found.stdout)
        self.assertEqual([unit['unit'] for unit in report['units']], [2, 9])
        meter, other = report['units']
        self.assertEqual(meter['says'], 'Schneider Electric iEM3155 001.400')
        self.assertEqual(meter['profiles'], [METER])
        self.assertEqual(other['profiles'], [])

    def test_units_of_a_host_are_found_and_named(self):
        port = self.simulated().ports['a']
        found = self.command('scan', f'127.0.0.1:{port}', '--units', '1-10', '--json')
        self.check_found(found)
        said = self.command('scan', f'127.0.0.1:{port}', '--units', '1-10')
        self.assertIn('2 units answer', said.stdout)
        self.assertIn('unit 2: Schneider Electric iEM3155', said.stdout)
        self.assertIn(f'smart-gateway add --profile {METER} --connect tcp=127.0.0.1:{port},unit=2',
                      said.stdout)
        nobody = self.command('scan', f'127.0.0.1:{port}', '--units', '3-4')
        self.assertEqual((nobody.returncode, nobody.stdout.splitlines()[0][:15]), (1, '0 units answer '))

    def test_an_ipv6_address_is_read_as_add_reads_it(self):
        try:
            socket.create_server(('::1', 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f'no ::1: {error}')
        port = self.simulated('listen = "::1:0"').ports['a']
        for bus in (f'[::1]:{port}', f'tcp=[::1]:{port}'):
            self.check_found(self.command('scan', bus, '--units', '1-10', '--json'))
            said = self.command('scan', bus, '--units', '2-2')
            self.assertIn(f' --connect tcp=[::1]:{port},unit=2 --id', said.stdout)
        silent = self.command('scan', '[::1]', '--units', '1-1')
        self.assertIn('refused', silent.stdout + silent.stderr)

    def test_units_of_a_serial_line(self):
        line = self.run.folder / 'line'
        self.simulated(f'serial = "{line}"')
        found = self.command('scan', f'serial={line},baud=115200,parity=none', '--units', '1-10', '--json')
        self.check_found(found)

    def test_what_cannot_be_scanned(self):
        closed = self.command('scan', f'127.0.0.1:{procs.closed_port()}')
        self.assertEqual(closed.returncode, 2)
        self.assertIn('ended early', closed.stdout)
        self.assertIn('refused', closed.stdout)
        for bus in ('tcp=nonsense', 'serial=/dev/x,baud=fast', '', 'surprise=1'):
            self.assertEqual(self.command('scan', bus).returncode, 78, bus)
        for units in ('0-300', '9-3', 'x', '1-2-3', '-5'):
            self.assertEqual(self.command('scan', '127.0.0.1', '--units', units).returncode, 64, units)

    def test_a_host_that_ignores_numbers_and_one_that_answers_for_another(self):
        honest = self.run.add(faulty.Device())
        said = self.command('scan', f'127.0.0.1:{honest.port}', '--units', '1-20')
        self.assertIn('answers to every number', said.stdout)
        self.assertEqual(said.stdout.count('  unit '), 1)
        confused = self.run.add(faulty.Device('wrong_unit'))
        said = self.command('scan', f'127.0.0.1:{confused.port}', '--units', '1-2')
        self.assertIn('two units may have this number', said.stdout)

    def test_through_the_running_service_whose_devices_go_on(self):
        place = town.Town(self.run, devices=1).start()
        place.wait_delivered(3)
        before = len(place.delivered('meter-1'))
        found = place.gateway.ask('scan', f'127.0.0.1:{place.port("meter-1")}', '--units', '1-12',
                                  '--json', limit=60)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertEqual([unit['unit'] for unit in json.loads(found.stdout)['units']], [1])
        place.wait_delivered(before + 5)

    def test_add_prints_checks_and_appends(self):
        place = town.Town(self.run, devices=1).start()
        place.wait_delivered(3)
        text = place.site.read_text() + '# what the last one noted\n'
        place.site.write_text(text)
        place.site.chmod(0o604)
        new = ['--profile', 'test.meter', '--connect', f'tcp=127.0.0.1:{place.port("meter-1")},unit=1']
        printed = place.gateway.ask('add', *new, '--id', 'meter-2', '--name', 'The "second"')
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertEqual(place.site.read_text(), text)
        self.assertIn('name    = "The \\"second\\""', printed.stdout)
        twice = place.gateway.ask('add', *new, '--id', 'meter-1', '--write')
        self.assertEqual(twice.returncode, 78)
        self.assertIn('nothing was written', twice.stderr)
        dead = place.gateway.ask('add', '--profile', 'test.meter', '--connect',
                                 f'tcp=127.0.0.1:{procs.closed_port()},unit=1', '--id', 'dead', '--write')
        self.assertEqual(dead.returncode, 1)
        self.assertIn('--untried', dead.stderr)
        self.assertEqual(place.site.read_text(), text)
        added = place.gateway.ask('add', *new, '--id', 'meter-2', '--write')
        self.assertEqual(added.returncode, 0, added.stderr)
        self.assertIn('reads_0', added.stdout)  # it was tried
        self.assertIn('Reloaded: 1 of 2 devices restarted', added.stdout)
        self.assertTrue(place.site.read_text().startswith(text))
        self.assertEqual(place.site.stat().st_mode & 0o777, 0o604)
        place.wait_delivered(3, device='meter-2')


if __name__ == '__main__':
    unittest.main()
