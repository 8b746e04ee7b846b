"""Devices of lines and of kernel files against counterparts that know none of our code: socat plays
makers' strings, umockdev a kernel; and from the device to the receiver's line."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

import procs
import town

BUILD = pathlib.Path(os.environ['BUILD_DIR'])
GATEWAY = BUILD / 'gateway' / 'smart-gateway'
DATA = procs.SOURCE / 'tests' / 'data' / 'ascii'
DEVICE = procs.SOURCE / 'tests' / 'support' / 'line_device.py'
SCRATCHPAD = '72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n'


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


class Socat(procs.Program):
    """A TCP port at which each connection has a device of its own."""

    def __init__(self, folder, device):
        self.port = procs.free_port()
        super().__init__(folder, f'socat-{device}', [
            'socat', f'TCP-LISTEN:{self.port},bind=127.0.0.1,reuseaddr,fork',
            f'EXEC:{sys.executable} -u {DEVICE} {device}'])

    def start(self):
        super().start()
        procs.wait_for(lambda: listens(self.port), what='socat listens')
        return self


def read(*arguments, wrapper=()):
    """The values of `smart-gateway read --json`, and what it said on standard error."""
    environment = {**os.environ, 'SMART_GATEWAY_PROFILES': str(procs.SOURCE / 'schemas' / 'profiles')}
    done = subprocess.run([*wrapper, GATEWAY, 'read', '--json', *arguments], capture_output=True, text=True,
                          timeout=60, check=False, env=environment)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row['point']: row['value'] if row['quality'] == 'good' else row['quality'] for row in rows}, done.stderr


class Counterparts(unittest.TestCase):
    def setUp(self):
        self.run_ = self.enterContext(procs.Run(BUILD))

    def test_a_rain_gauge_behind_socat(self):
        device = self.run_.add(Socat(self.run_.folder, 'rg15')).start()
        values, said = read('--profile', 'il.rain-gauge.hydreon-rg15', '--connect', f'tcp=127.0.0.1:{device.port}')
        self.assertEqual(values, {'rain_total': 123.45, 'rain_event': 1.5, 'rain_intensity': 3.2}, said)

    def test_a_rain_gauge_on_a_serial_port(self):
        port = self.run_.folder / 'tty'
        device = self.run_.add(procs.Program(self.run_.folder, 'pty', [
            'socat', f'PTY,link={port},rawer', f'EXEC:{sys.executable} -u {DEVICE} rg15']))
        device.start()
        procs.wait_for(port.exists, what='socat made the port')
        values, said = read('--profile', 'il.rain-gauge.hydreon-rg15',
                            '--connect', f'{{ serial = "{port}", baud = 9600, parity = "none" }}')
        self.assertEqual(values, {'rain_total': 123.45, 'rain_event': 1.5, 'rain_intensity': 3.2}, said)

    def test_a_weather_transmitter_with_four_requests(self):
        device = self.run_.add(Socat(self.run_.folder, 'wxt530')).start()
        values, said = read('--profile', str(DATA / 'vaisala-wxt530.profile.toml'),
                            '--connect', f'{{ tcp = "127.0.0.1:{device.port}", address = "0" }}')
        self.assertEqual(values, {
            'wind_direction': 283, 'wind_speed': 1, 'wind_gust': 2.2, 'air_temperature': -3.6, 'humidity': 14.2,
            'air_pressure': 1026.6, 'rain_total': 0.1, 'supply_voltage': 15.2, 'heating': 'missing'}, said)

    def test_a_thermometer_of_a_mocked_kernel(self):
        umockdev = shutil.which('umockdev-run')
        if umockdev is None:
            self.skipTest('umockdev is not installed')
        text = SCRATCHPAD.replace('\n', '\\n')
        mock = self.run_.write('w1.umockdev', 'P: /devices/w1_bus_master1/28-000005e2fdc3\nE: SUBSYSTEM=w1\n'
                               f'A: name=28-000005e2fdc3\\n\nA: w1_slave={text}\n\n')
        values, said = read('--profile', 'il.temperature.maxim-ds18b20', '--connect',
                            'path=/sys/devices/w1_bus_master1/28-000005e2fdc3',
                            wrapper=(umockdev, '--device', str(mock), '--'))
        self.assertEqual(values, {'temperature': 23.125}, said)

    def test_the_box_itself_as_this_machine_shows_it(self):
        values, said = read('--profile', 'il.box.linux', '--connect', '{ path = "/" }')
        self.assertGreater(values['memory_available'], 10e6, said)
        self.assertGreater(values['uptime'], 0)
        self.assertGreaterEqual(values['load'], 0)
        self.assertEqual(len(values), 11)


class EndToEnd(unittest.TestCase):
    """Simulated devices of lines and a tree of files, through gateway and broker to the receiver's line."""

    def setUp(self):
        self.run_ = self.enterContext(procs.Run(BUILD))
        self.tree = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix='gateway-sys-')))
        self.broker = self.run_.add(procs.Broker(self.run_.folder)).start()
        scene = self.run_.write('scene.toml', r'''
[[lines]]
id      = "rain-1"
answers = [{ to = "R\n", lines = ["Acc 0.00 mm, EventAcc 1.50 mm, TotalAcc {total} mm, RInt 3.20 mmph\r\n"] }]
values  = { total = { model = "ramp", start = 100, per_second = 0.01 } }
fault   = [{ kind = "cut", first_request = 4, last_request = 5 }]
[[lines]]
id      = "rain-2"
every   = "200ms"
speaks  = ["Acc 0.000 in, EventAcc 0.059 in, TotalAcc 4.860 in, RInt 0.126 iph\r\n", "Event\r\n"]
[[lines]]
id       = "weather-1"
every    = "100ms"
start    = "$"
checksum = "nmea"
speaks   = ["$WIMWV,{direction},T,2.4,K,A*{checksum}\r\n", "$WIMDA,29.7544,I,1.0076,B,25.3,C,,,40.5,,,,,,,,,,,*{checksum}\r\n"]
values   = { direction = { model = "cycle", values = [250, 251], every = "1s" } }
''')
        self.simulator = self.run_.add(procs.Simulator(self.run_.folder, BUILD, 'simulate', scene)).start()

    def write_site(self):
        for path in [*DATA.glob('*.toml'), *(procs.SOURCE / 'schemas' / 'profiles').glob('il.[rt]*.profile.toml')]:
            text = path.read_text(encoding='utf-8').replace('"30s"', '"1s"').replace('"10s"', '"1s"')
            self.run_.write(f'profiles/{path.name}', text.replace('"il.', '"test.'))
        text = town.SITE.format(box='place-1714000.box-0001', profiles=self.run_.folder / 'profiles',
                                state=self.run_.folder / 'state', budget='64MiB', interval='500ms',
                                host='127.0.0.1', port=self.broker.port, uplink='')
        ports = self.simulator.ports
        for name, profile, connect in (
                ('rain-1', 'test.rain-gauge.hydreon-rg15', f'{{ tcp = "127.0.0.1:{ports["rain-1"]}" }}'),
                ('rain-2', 'test.rain-gauge.hydreon-rg15-talking', f'{{ tcp = "127.0.0.1:{ports["rain-2"]}" }}'),
                ('weather-1', 'test.nmea-weather', f'{{ tcp = "127.0.0.1:{ports["weather-1"]}" }}'),
                ('thermometer-1', 'test.temperature.maxim-ds18b20', f'{{ path = "{self.tree}" }}')):
            text += f'[[device]]\nid = "{name}"\nprofile = "{profile}"\nconnect = {connect}\n'
        return self.run_.write('gateway.toml', text)

    def test_a_read_by_hand_waits_for_what_a_talking_device_says(self):
        values, said = read('--profile', str(DATA / 'nmea-weather.profile.toml'),
                            '--connect', f'tcp=127.0.0.1:{self.simulator.ports["weather-1"]}')
        self.assertIn(values['wind_direction'], (250, 251), said)
        self.assertEqual((values['humidity'], values['air_temperature']), (40.5, 25.3))

    def test_lines_and_files_arrive_at_the_receiver(self):
        (self.tree / 'name').write_text('28-000005e2fdc3\n')
        (self.tree / 'w1_slave').write_text(SCRATCHPAD)
        receiver = self.run_.add(procs.Receiver(self.run_.folder, BUILD, self.broker.port)).start()
        gateway = self.run_.add(procs.Gateway(self.run_.folder, BUILD, self.write_site(), self.run_.runtime))
        gateway.start()

        def good(device, point):
            return [record['value'] for record in receiver.records()
                    if (record['device'], record['point'], record['quality']) == (device, point, 'good')]

        def arrived():
            return (len(good('rain-1', 'rain_total')) >= 4 and len(set(good('weather-1', 'wind_direction'))) == 2 and
                    good('weather-1', 'humidity') and good('rain-2', 'rain_total') and
                    good('thermometer-1', 'temperature'))
        procs.wait_for(arrived, 60, what=lambda: f'readings: {receiver.records()[-5:]}; {gateway.lines()[-3:]}')
        self.assertEqual(good('thermometer-1', 'temperature')[0], 23.125)
        self.assertEqual(good('weather-1', 'humidity')[0], 40.5)
        self.assertAlmostEqual(good('rain-2', 'rain_total')[0], 123.444)
        self.assertAlmostEqual(good('rain-2', 'rain_intensity')[0], 3.2004)
        totals = good('rain-1', 'rain_total')
        self.assertEqual(totals, sorted(totals))
        self.assertTrue(all(100 <= total < 110 for total in totals), totals)
        (self.tree / 'w1_slave').unlink()  # D8: unplugged

        def down():
            return [record for record in receiver.records()
                    if record['device'] == 'thermometer-1' and record['cause'] == 'unreachable']
        procs.wait_for(down, 60, what='the thermometer is said to be gone')
        before = len(good('thermometer-1', 'temperature'))
        (self.tree / 'w1_slave').write_text(SCRATCHPAD.replace('23125', '24125'))
        procs.wait_for(lambda: len(good('thermometer-1', 'temperature')) > before, 90, what='it is back')
        self.assertEqual(good('thermometer-1', 'temperature')[-1], 24.125)


if __name__ == '__main__':
    unittest.main()
