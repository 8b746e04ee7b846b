"""The town of the demo: six buildings, three models of meter, the shipped profiles.

The profiles are those of schemas/profiles with their times shortened (polls of 10 s to 1 s, alarms'
hold times to 3 s), so that a minute shows what a day would; their ids say `demo`.
"""
import re

import procs

BOX, ORG = 'place-1714000.demo-0001', 'place-1714000'

MODELS = {  # what a meter says of itself: identification objects and registers (PDU addresses)
    'schneider-iem3155': 'objects = { 0 = "Schneider Electric", 1 = "iEM3155" }\n'
                         'registers = { holding = { 129 = [264, 29058], 1636 = [1400] } }\n',
    'eastron-sdm630': 'registers = { holding = { 64512 = [302, 41244] } }\n',
    'gavazzi-em24-e1': 'registers = { holding = { 11 = [1650], 772 = [4611], 20480 = [16985, 12848,'
                       ' 12336, 12337, 12851, 13365, 16640] } }\n',
}
BUILDINGS = [  # id, name, model, first voltage
    ('town-hall', 'Town hall', 'schneider-iem3155', None),
    ('library', 'Public library', 'eastron-sdm630', None),
    ('water-works', 'Water works', 'gavazzi-em24-e1', None),
    ('fire-station', 'Fire station', 'schneider-iem3155',
     '{ model = "schedule", at = [[0, 229.4], [10, 97.5], [14, 97.1], [38, 228.8]] }'),
    ('school', 'Lincoln school', 'eastron-sdm630', None),
    ('sewage-lift', 'Sewage lift station', 'gavazzi-em24-e1', None),
]
ALARM = ('fire-station', 'under_voltage')
MOVING = '''values = {{ voltage_l1_n = {voltage}, active_power_total = \
{{ model = "walk", start = {power}, step = 400, low = 1000, high = 20000 }}, frequency = \
{{ model = "sine", mean = 60, amplitude = 0.2, period = "9s" }}, active_energy_import = \
{{ model = "counter", start = 1234500, of = "active_power_total" }} }}
'''


def write(run):
    """Writes profiles and scene; returns the scene file and the number of points."""
    points = 0
    for model in MODELS:
        name = f'il.energy-meter.{model}.profile.toml'
        text = (procs.SOURCE / 'schemas' / 'profiles' / name).read_text(encoding='utf-8')
        points += text.count('[[point]]') * sum(b[2] == model for b in BUILDINGS)
        text = re.sub(r'^id       = "il\.energy', 'id       = "demo.energy', text, count=1,
                      flags=re.M)
        text = text.replace('poll     = "10s"', 'poll     = "1s"')
        text = text.replace('poll     = "60s"', 'poll     = "2s"')
        text = re.sub(r'for = "\w+"', 'for = "3s"', text)
        run.write(f'profiles/{name.replace("il.", "demo.", 1)}', text)
    scene = f'log = "{run.folder}/served.jsonl"\n'
    for number, (device, _, model, voltage) in enumerate(BUILDINGS):
        wave = f'{{ model = "sine", mean = 230, amplitude = 4, period = "{13 + number}s" }}'
        scene += (f'\n[[device]]\nid = "{device}"\n'
                  f'profile = "profiles/demo.energy-meter.{model}.profile.toml"\n'
                  + MODELS[model] + MOVING.format(voltage=voltage or wave,
                                                  power=3000 + 500 * number))
    return run.write('scene.toml', scene), points


def write_site(run, broker_port, device_ports):
    text = f'''schema = "smartstate.site/1"
[gateway]
id       = "{BOX}"
org      = "{ORG}"
name     = "Demo cabinet"
location = {{ lat = 41.88, lon = -87.63 }}
clock    = "trusted"
[profiles]
path  = "{run.folder}/profiles"
trust = "local"
[store]
path     = "{run.folder}/state"
volatile = true  # temporary files may be in memory
interval = {{ billing = "1s", telemetry = "1s", diagnostic = "1s" }}  # short, to see something
[uplink]
broker  = "mqtt://127.0.0.1:{broker_port}"
release = "receipt"
'''
    for device, name, model, _ in BUILDINGS:
        text += f'''
[[device]]
id      = "{device}"
name    = "{name}"
profile = "demo.energy-meter.{model}"
connect = {{ tcp = "127.0.0.1:{device_ports[device]}", unit = 1 }}
'''
    return run.write('gateway.toml', text)
