"""The Modbus driver against two servers that are not ours, over TCP and as RTU on a pair of pseudo
terminals, with mbpoll as the third reader.

Every value must be the same three times: computed here from the registers that were put into the
server, computed from what mbpoll reads of them, and read by our driver.
"""
import decimal
import fractions
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import tomllib
import unittest

from procs import wait_for

BUILD = pathlib.Path(os.environ['BUILD_DIR'])
SOURCE = pathlib.Path(__file__).resolve().parents[2]
METER = SOURCE / 'tests/data/config/good/energy-meter.schneider-iem3155.profile.toml'
PYTHON_SERVER = [sys.executable, SOURCE / 'tests/support/pymodbus_server.py']
C_SERVER = [BUILD / 'tests/support/libmodbus_server']

# The image of the profile's own example, and its identity.
METER_IMAGE = {'holding': {'129': [264, 29818], '1636': [140], '3027': [17254, 26214],
                           '3059': [16520, 0], '3109': [17008, 2621],
                           '3203': [0, 0, 18, 54919]}}
METER_VALUES = {'voltage_l1_n': '230.4', 'active_power_total': '4250', 'frequency': '60.01',
                'active_energy_import': '1234567'}

HEAD = '''schema = "smartstate.profile/1"
[profile]
id       = "test.types"
version  = "1.0.0"
title    = "Every type in every order"
category = "test-device"
status   = "draft"
sources  = ["made by modbus_counterparts_test.py"]
[device]
vendor = "Test"
models = ["types"]
[security]
zone      = "field-bus"
cleartext = true
[transport]
driver    = "modbus"
modes     = ["tcp", "rtu"]
timeout   = "10s"
max_words = 30
'''
POINT = '''[[point]]
id       = "{id}"
title    = "Point {id}"
quantity = "traffic.count"
unit     = "{{count}}"
read     = {{ {read} }}
poll     = "1s"
class    = "telemetry"
'''
FORMATS = {'int16': 'h', 'uint16': 'H', 'int32': 'i', 'uint32': 'I', 'int64': 'q', 'uint64': 'Q',
           'float32': 'f', 'float64': 'd'}


def arranged(words, order):
    """The words as the maker lays them out, brought into ABCD; its own opposite."""
    if order in ('little', 'little-swapped'):
        words = words[::-1]
    if order in ('little', 'big-swapped'):
        words = [(word >> 8) | (word & 0xFF) << 8 for word in words]
    return words


def value_of(words, kind, order):
    return struct.unpack('>' + FORMATS[kind],
                         b''.join(struct.pack('>H', w) for w in arranged(words, order)))[0]


class Server:
    """A device by somebody else, at `target`: "127.0.0.1:PORT", or the path of a serial port."""

    def __init__(self, command, serial, image):
        as_lines = ''.join(f'{table} {int(start) + n} {word}\n' for table, runs in image.items()
                           for start, words in runs.items() for n, word in enumerate(words))
        text = as_lines if command is C_SERVER else json.dumps(image)
        self.folder = tempfile.TemporaryDirectory()
        self.processes = []
        if serial:
            ends = [pathlib.Path(self.folder.name) / name for name in ('device', 'box')]
            self.start(['socat', *(f'pty,rawer,link={end}' for end in ends)])
            wait_for(lambda: all(end.exists() for end in ends), what='the pseudo terminals')
            command = [*command, ends[0]]
        self.start(command, text)
        port = int(self.processes[-1].stdout.readline())
        self.target = str(ends[1]) if serial else f'127.0.0.1:{port}'

    def start(self, command, text=''):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True)
        self.processes.append(process)
        process.stdin.write(text)
        process.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
            process.stdout.close()
        self.folder.cleanup()

    def read_by_driver(self, profile):
        done = subprocess.run([BUILD / 'tests/support/modbus_read', profile, self.target, '1'],
                              capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return ({line['point']: line for line in lines if 'point' in line},
                [line['value'] for line in lines if 'identify' in line])

    def read_by_mbpoll(self, table, first, count):
        kind = {'holding': '4', 'input': '3', 'coil': '0', 'discrete': '1'}[table]
        if self.target.startswith('/'):
            way = ['-m', 'rtu', '-b', '19200', '-P', 'none', self.target]
        else:
            host, port = self.target.split(':')
            way = ['-m', 'tcp', '-p', port, host]
        done = subprocess.run(['mbpoll', '-a', '1', '-0', '-r', str(first), '-c', str(count),
                               '-t', kind, '-1', '-q', '-o', '10', *way],
                              capture_output=True, text=True, timeout=30, check=False)
        return [int(word) for word in re.findall(r'^\[\d+\]:\s+(\d+)', done.stdout, re.M)]


class Counterparts:
    """Runs once for each server and way to it."""
    command = None
    serial = False

    def test_the_energy_meter_gives_the_values_of_its_manual(self):
        with Server(self.command, self.serial, METER_IMAGE) as server:
            points, identity = server.read_by_driver(METER)
            self.assertEqual({id: line['value'] for id, line in points.items()}, METER_VALUES)
            self.assertEqual({line['quality'] for line in points.values()}, {'good'})
            self.assertEqual(identity[2:], ['17331322', '140'])
            for start, words in METER_IMAGE['holding'].items():
                self.assertEqual(server.read_by_mbpoll('holding', start, len(words)), words)

    def test_every_type_in_every_order_is_exact(self):
        dice = random.Random(3)
        profile, image, expected = HEAD, {'holding': {}, 'input': {}}, {}
        for kind, letter in FORMATS.items():
            for order in ('big', 'little', 'big-swapped', 'little-swapped'):
                table = dice.choice(['holding', 'input'])
                address = 10 * len(expected)
                size = struct.calcsize('>' + letter) // 2
                words = [dice.randrange(65536) for _ in range(size)]
                if letter in 'fd':  # no NaN: the value is compared as a number
                    plain = struct.pack('>' + letter, dice.uniform(-1e6, 1e6))
                    words = arranged(list(struct.unpack(f'>{size}H', plain)), order)
                image[table][str(address)] = words
                point = f'p{address}'
                profile += POINT.format(id=point, read=f'table = "{table}", address = {address}, '
                                        f'base = 0, type = "{kind}", words = "{order}"')
                expected[point] = (table, address, words, kind, order)
        with tempfile.TemporaryDirectory() as folder, Server(self.command, self.serial, image) as server:
            file = pathlib.Path(folder) / 'test.types.profile.toml'
            file.write_text(profile, encoding='utf-8')
            points, _ = server.read_by_driver(file)
            self.assertEqual(len(points), 32)
            for point, (table, address, words, kind, order) in expected.items():
                self.assertEqual(server.read_by_mbpoll(table, address, len(words)), words)
                wanted = value_of(words, kind, order)
                got = points[point]['value']
                with self.subTest(kind=kind, order=order, got=got):
                    if kind.startswith('float'):
                        letter = FORMATS[kind]
                        self.assertEqual(struct.pack('>' + letter, float(got)),
                                         struct.pack('>' + letter, wanted))
                    else:
                        self.assertEqual(fractions.Fraction(got), wanted)

    def test_bits_of_coils_and_inputs_come_out(self):
        bits = [1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0]
        image = {'coil': {'5': bits}, 'discrete': {'7': bits}}
        profile = HEAD + ''.join(
            POINT.format(id=f'{table}_{n}', read=f'table = "{table}", address = {start + n}, '
                         'base = 0, type = "bit"')
            for table, start in (('coil', 5), ('discrete', 7)) for n in range(len(bits)))
        with tempfile.TemporaryDirectory() as folder, Server(self.command, self.serial, image) as server:
            file = pathlib.Path(folder) / 'test.bits.profile.toml'
            file.write_text(profile, encoding='utf-8')
            points, _ = server.read_by_driver(file)
            for table, start in (('coil', 5), ('discrete', 7)):
                got = [int(points[f'{table}_{n}']['value']) for n in range(len(bits))]
                self.assertEqual(got, bits)
                self.assertEqual(server.read_by_mbpoll(table, start, len(bits)), bits)


class Pymodbus(Counterparts, unittest.TestCase):
    command = PYTHON_SERVER

    def test_the_device_identifies_itself(self):
        with Server(self.command, self.serial, METER_IMAGE) as server:
            _, identity = server.read_by_driver(METER)
            self.assertEqual(identity[:2], ['Schneider Electric', 'iEM3155'])

    def test_a_register_that_does_not_exist_is_named_and_the_others_stay_good(self):
        image = {'holding': {start: words for start, words in METER_IMAGE['holding'].items()
                             if start != '3109'}}
        with Server(self.command, self.serial, image) as server:
            points, _ = server.read_by_driver(METER)
            self.assertEqual(points['frequency']['cause'], 'exception_2')
            others = {id: line['value'] for id, line in points.items() if id != 'frequency'}
            self.assertEqual(others, {id: value for id, value in METER_VALUES.items()
                                      if id != 'frequency'})

    def test_sunspec_models_are_found_and_scaled(self):
        for name in ('il.solar.sunspec-inverter', 'il.energy-meter.sunspec-meter'):
            file = SOURCE / 'schemas/profiles' / f'{name}.profile.toml'
            profile = tomllib.loads(file.read_text(encoding='utf-8'), parse_float=decimal.Decimal)
            example = profile['example'][0]
            with Server(self.command, self.serial, example['registers']) as server:
                points, identity = server.read_by_driver(file)
            self.assertEqual(identity, ['Example', 'Demo 30', '1.2.3', 'SN-000123'])
            for point in profile['point']:
                line, wanted = points[point['id']], example['expect'][point['id']]
                with self.subTest(point=point['id']):
                    self.assertEqual(line['quality'], 'good')
                    names = point.get('enum', {})  # the driver gives the number behind the name
                    got = names.get(line['value'], line['value'])
                    self.assertEqual(got if names else decimal.Decimal(got), wanted)


class Libmodbus(Counterparts, unittest.TestCase):
    command = C_SERVER


class PymodbusRtu(Pymodbus):
    serial = True


class LibmodbusRtu(Libmodbus):
    serial = True


if __name__ == '__main__':
    unittest.main()
