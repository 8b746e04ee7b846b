"""The town of the demo: eleven devices on seven protocols, by the shipped profiles.

The profiles are those of schemas/profiles with their times shortened (polls of 10 s to 1 s, alarms'
hold times to 3 s), so that a minute shows what a day would; their ids say `demo`.
"""
import collections
import re
import tomllib

import procs

BOX, ORG = 'place-1714000.demo-0001', 'place-1714000'
PROFILES = procs.SOURCE / 'schemas' / 'profiles'
EUI = '24e124713b492561'

Device = collections.namedtuple('Device', 'id name protocol profile points connect')
METER = ('voltage_l1_n', 'active_power_total')
TCP = 'tcp = "127.0.0.1:{port}", unit = 1'
LINE = 'serial = "{folder}/line", baud = 38400, parity = "none", unit = '
DEVICES = [Device(*row) for row in (
    ('town-hall', 'Town hall', 'Modbus TCP', 'energy-meter.schneider-iem3155', METER, TCP),
    ('fire-station', 'Fire station', 'Modbus TCP', 'energy-meter.schneider-iem3155', METER, TCP),
    ('sewage-lift', 'Sewage lift', 'Modbus TCP', 'energy-meter.gavazzi-em24-e1', METER, TCP),
    ('library', 'Library', 'Modbus RTU', 'energy-meter.eastron-sdm630', METER, LINE + '1'),
    ('school', 'School', 'Modbus RTU', 'energy-meter.eastron-sdm630', METER, LINE + '2'),
    ('solar-roof', 'Solar roof', 'SunSpec', 'solar.sunspec-inverter', ('active_power',), TCP),
    ('rain-gauge', 'Rain gauge', 'ASCII serial', 'rain-gauge.hydreon-rg15', ('rain_total',),
     'serial = "{folder}/rain", baud = 9600, parity = "none"'),
    ('playground', 'Playground air', 'HTTP JSON', 'air-quality.purpleair-pa-ii', ('pm2_5_a',),
     'url = "http://127.0.0.1:{port}"'),
    ('market-bin', 'Bin at the market', 'MQTT JSON', 'level.milesight-em310-udl', ('distance',),
     'broker = "mqtt://127.0.0.1:{port}", device = "' + EUI + '"'),
    ('cellar', 'Library cellar', 'sysfs', 'temperature.maxim-ds18b20', ('temperature',),
     'path = "{folder}/w1"'),
    ('box', 'The box itself', 'sysfs', 'box.linux', ('load',), 'path = "/"'))]
ALARM = ('fire-station', 'under_voltage')

MODELS = {  # what a meter says of itself: identification objects and registers (PDU addresses)
    'energy-meter.schneider-iem3155':
        'objects = { 0 = "Schneider Electric", 1 = "iEM3155" }\n'
        'registers = { holding = { 129 = [264, 29058], 1636 = [1400] } }\n',
    'energy-meter.eastron-sdm630': 'registers = { holding = { 64512 = [302, 41244] } }\n',
    'energy-meter.gavazzi-em24-e1':
        'registers = { holding = { 11 = [1650], 772 = [4611], 20480 = [16985, 12848,'
        ' 12336, 12337, 12851, 13365, 16640] } }\n',
}
LINES = {  # how the two meters share the line of the library
    'library': 'serial = "line"\nbaud = 38400\n',
    'school': 'behind = "library"\nunit = 2\n',
}
FAILING = '{ model = "schedule", at = [[0, 229.4], [10, 97.5], [14, 97.1], [38, 228.8]] }'
MOVING = '''values = {{ voltage_l1_n = {voltage}, active_power_total = \
{{ model = "walk", start = {power}, step = 400, low = 1000, high = 20000 }}, frequency = \
{{ model = "sine", mean = 60, amplitude = 0.2, period = "9s" }}, active_energy_import = \
{{ model = "counter", start = 1234500, of = "active_power_total" }} }}
'''
GAUGE = '''
[[lines]]
id      = "rain-gauge"
answers = [{ to = "R\\n", lines = ["Acc 0.00 mm, EventAcc 1.50 mm, TotalAcc {total} mm, RInt 3.60 mmph\\r\\n"] }]
values  = { total = { model = "ramp", start = 123, per_second = 0.01 } }
'''
JSON_SCENE = '''
[[device]]
id      = "playground"
profile = "{profiles}/il.air-quality.purpleair-pa-ii.profile.toml"
[device.values]
pm2_5_a = {{ model = "sine", mean = 9, amplitude = 3, period = "20s" }}
pm2_5_b = {{ model = "sine", mean = 9, amplitude = 3, period = "20s" }}
[[device]]
id      = "market-bin"
profile = "{profiles}/il.level.milesight-em310-udl.profile.toml"
broker  = "127.0.0.1:{broker}"
device  = "{device}"
every   = "2s"
[device.values]
distance = {{ model = "sine", mean = 900, amplitude = 300, period = "40s" }}
position = "normal"
'''
SITE = '''schema = "smartstate.site/1"
[gateway]
id       = "{box}"
org      = "{org}"
name     = "Demo cabinet"
location = {{ lat = 41.88, lon = -87.63 }}
clock    = "trusted"
[profiles]
path  = "{folder}/profiles"
trust = "local"
[store]
path     = "{folder}/state"
volatile = true  # temporary files may be in memory
interval = {{ billing = "1s", telemetry = "1s", diagnostic = "1s" }}  # short, to see something
[uplink]
broker  = "mqtt://127.0.0.1:{broker}"
release = "receipt"
'''


class Thermometer:
    """The files of a one-wire thermometer as the kernel shows them; it gets warmer at each turn."""

    def __init__(self, folder):
        self.folder, self.raw = folder, 18_000
        folder.mkdir(exist_ok=True)
        (folder / 'name').write_text('28-000005e2fdc3\n')
        self.turn()

    def turn(self):
        self.raw += 125
        words = (self.raw * 16 // 1000).to_bytes(2, 'little').hex(' ')
        whole = f'{words} 4b 46 7f ff 0e 10 57'
        new = self.folder / 'new'  # the kernel never shows half a text
        new.write_text(f'{whole} : crc=57 YES\n{whole} t={self.raw}\n')
        new.rename(self.folder / 'w1_slave')


def write_profiles(run):
    """Shortened copies of what the devices need; returns the number of points of all devices."""
    points = 0
    for model in {device.profile for device in DEVICES}:
        text = (PROFILES / f'il.{model}.profile.toml').read_text(encoding='utf-8')
        points += text.count('[[point]]') * sum(device.profile == model for device in DEVICES)
        text = re.sub(r'^id       = "il\.', 'id       = "demo.', text, count=1, flags=re.M)
        text = re.sub(r'^poll     = "(10|30)s"', 'poll     = "1s"', text, flags=re.M)
        text = re.sub(r'^poll     = "(60s|120s|1h)"', 'poll     = "2s"', text, flags=re.M)
        text = re.sub(r'every = "120s"', 'every = "2s"', text)
        text = re.sub(r'for = "\w+"', 'for = "3s"', text)
        run.write(f'profiles/demo.{model}.profile.toml', text)
    return points


def write_scene(run):
    """The Modbus devices and the rain gauge."""
    scene = f'log = "{run.folder}/served.jsonl"\n'
    for number, device in enumerate(device for device in DEVICES if device.profile in MODELS):
        wave = f'{{ model = "sine", mean = 230, amplitude = 4, period = "{13 + number}s" }}'
        scene += (f'\n[[device]]\nid = "{device.id}"\n' + LINES.get(device.id, '') +
                  f'profile = "profiles/demo.{device.profile}.profile.toml"\n' +
                  MODELS[device.profile] +
                  MOVING.format(voltage=FAILING if device.id == ALARM[0] else wave,
                                power=3000 + 500 * number))
    return run.write('scene.toml', scene + sunspec_scene() + GAUGE)


def sunspec_scene():
    """The inverter is what the example of its profile says."""
    profile = tomllib.loads((PROFILES / 'il.solar.sunspec-inverter.profile.toml').read_text(encoding='utf-8'))
    registers = profile['example'][0]['registers']['holding']
    return '\n[[device]]\nid = "solar-roof"\n[device.registers.holding]\n' + ''.join(
        f'{address} = {words}\n' for address, words in registers.items())


def write_json_scene(run, broker_port):
    return run.write('json.scene.toml', JSON_SCENE.format(profiles=PROFILES, broker=broker_port, device=EUI))


def write_site(run, broker_port, ports):
    text = SITE.format(box=BOX, org=ORG, folder=run.folder, broker=broker_port)
    for device in DEVICES:
        connect = device.connect.format(port=ports.get(device.id), folder=run.folder)
        text += (f'\n[[device]]\nid      = "{device.id}"\nname    = "{device.name}"\n'
                 f'profile = "demo.{device.profile}"\nconnect = {{ {connect} }}\n')
    return run.write('gateway.toml', text)
