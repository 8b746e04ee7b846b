"""The box's site file, the devices it reads, and what became of their values."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'support'))

import town  # noqa: E402
import truth  # noqa: E402

DEVICES = 3
PORT = 5020  # of the first device
POINTS = 4
POLL_MS = 200
INTERVAL_MS = 1000
PROFILES = '/etc/smart-gateway/profiles'
SCENE_FOLDER = '/var/lib/town'
AUTHORITY = '/etc/smart-gateway/ca.crt'  # on the box


def site(uplink=True, store='/var/lib/smart-gateway', extra=''):
    text = town.SITE.format(box=town.Town.box, profiles=PROFILES, state=store, budget='64MiB',
                            interval=f'{INTERVAL_MS}ms', host='platform', port=8883,
                            uplink=f'tls = {{ ca = "{AUTHORITY}" }}\n')
    text = text.replace('volatile = true\n', '').replace('"mqtt://', '"mqtts://')
    if not uplink:
        text = text[:text.index('[uplink]')]
    for n in range(DEVICES):
        text += town.DEVICE.format(id=f'meter-{n + 1}', profile='test.meter',
                                   address=f'platform:{PORT + n}')
    return text + extra


def profile():
    return town.profile('meter', town.counting_points(POINTS, f'{POLL_MS}ms'))


def scene():
    values = ', '.join(f'reads_{n} = {{ model = "reads" }}' for n in range(POINTS))
    return f'log = "{SCENE_FOLDER}/served.jsonl"\n' + ''.join(
        f'[[device]]\nid = "meter-{n + 1}"\nlisten = "127.0.0.1:{PORT + n}"\n'
        f'profile = "{SCENE_FOLDER}/meter.profile.toml"\nvalues = {{ {values} }}\n'
        for n in range(DEVICES))


def records(text):
    """The lines of the receiver's file that are whole."""
    return [json.loads(line) for line in text[:text.rfind('\n') + 1].splitlines()]


def mistakes(lines, served, allowed_lost):
    """Silent gaps and duplicates; and served values that never arrived, beyond `allowed_lost` reads."""
    yield from truth.mistakes_of_ledger(lines)
    counts = {}
    for line in map(json.loads, served.splitlines()):
        counts[line['device'], line['point']] = counts.get((line['device'], line['point']), 0) + 1
    if not counts:
        yield 'nothing was served'
    for (device, point), count in counts.items():
        for mistake in truth.mistakes_of_count(truth.values_of(lines, device, point, 'time'), count,
                                               allowed_lost):
            yield f'{device} {point}: {mistake}'
