"""Makes profiles, scenes and site files, and starts everything they need around one broker.

A Town's points are counting registers (see truth.py); a Bench's points are waves.
"""
import contextlib
import json
import subprocess

import procs
import truth

PROFILE = '''schema = "smartstate.profile/1"
[profile]
id       = "test.{name}"
version  = "1.0.0"
title    = "{name}, for tests"
category = "test-device"
status   = "draft"
sources  = ["made by tests/support/town.py"]
[device]
vendor = "Test"
models = ["{name}"]
[security]
zone      = "field-bus"
cleartext = true
[transport]
driver    = "modbus"
modes     = ["tcp"]
timeout   = "{timeout}"
retries   = {retries}
max_words = 120
'''

POINT = '''
[[point]]
id       = "{id}"
title    = "Point {id}"
quantity = "{quantity}"
unit     = "{unit}"
read     = {{ table = "holding", address = {address}, base = 0, type = "{type}", words = "big" }}
scale    = {scale}
poll     = "{poll}"
class    = "{lane}"
'''

SITE = '''schema = "smartstate.site/1"
[gateway]
id   = "{box}"
org  = "place-1714000"
name = "Test cabinet"
clock = "trusted"
[profiles]
path  = "{profiles}"
trust = "local"
[store]
path   = "{state}"
volatile = true
budget = "{budget}"
interval = {{ billing = "{interval}", telemetry = "{interval}", diagnostic = "{interval}" }}
[uplink]
broker = "mqtt://{host}:{port}"
release = "receipt"
{uplink}
'''

DEVICE = '''
[[device]]
id      = "{id}"
profile = "{profile}"
connect = {{ tcp = "{address}", unit = 1 }}
'''


def profile(name, points, timeout='500ms', retries=0):
    return PROFILE.format(name=name, timeout=timeout, retries=retries) + ''.join(
        POINT.format(**point) for point in points)


def counting_points(count, poll):
    return [{'id': f'reads_{n}', 'quantity': 'traffic.count', 'unit': '{count}', 'address': n,
             'type': 'uint16', 'scale': 1, 'poll': poll, 'lane': 'telemetry'}
            for n in range(count)]


def wave_points(count, kind, poll):
    words = 2 if kind == 'float32' else 1
    return [{'id': f'voltage_{n}', 'quantity': 'electrical.voltage', 'unit': 'V',
             'address': n * words, 'type': kind, 'scale': 1 if words == 2 else '"1/10"',
             'poll': poll, 'lane': 'telemetry'} for n in range(count)]


class Town:
    """Simulated devices, a broker, a line that can be cut, a gateway and a receiver.

    Devices are `meter-1` …; each point of theirs is `reads_N`, a counting register, but the last,
    `voltage`, a wave.  Poll every 200 ms, batches close every 500 ms.
    """
    box = 'place-1714000.box-0001'

    def __init__(self, run, devices=2, points=5, poll='200ms', interval='500ms', budget='64MiB',
                 uplink='', more_devices=()):
        self.run = run
        self.devices = [f'meter-{n + 1}' for n in range(devices)]
        self.points = points
        self.interval, self.budget, self.uplink = interval, budget, uplink
        self.more_devices = more_devices
        self.served_log = run.folder / 'served.jsonl'
        self.wave = {**wave_points(1, 'uint16', poll)[0], 'id': 'voltage', 'address': points}
        run.write('profiles/test.meter.profile.toml',
                  profile('meter', [*counting_points(points, poll), self.wave]))
        self.broker = run.add(self.make_broker()).start()
        self.link = run.add(procs.Link(self.broker.port))
        self.simulator = run.add(procs.Simulator(
            run.folder, run.build, 'simulate', self._write_scene())).start()
        self.site = self.write_site()
        self.gateway = run.add(procs.Gateway(run.folder, run.build, self.site, run.runtime))
        self.receiver = run.add(self.make_receiver())

    def make_broker(self):
        return procs.Broker(self.run.folder)

    def make_receiver(self):
        return procs.Receiver(self.run.folder, self.run.build, self.broker.port)

    def start(self):
        self.receiver.start()
        self.gateway.start()
        return self

    def _write_scene(self):
        values = ', '.join([f'reads_{n} = {{ model = "reads" }}' for n in range(self.points)] +
                           ['voltage = { model = "sine", mean = 230, amplitude = 10, '
                            'period = "7s" }'])
        return self.run.write('scene.toml', f'log = "{self.served_log}"\n' + ''.join(
            f'[[device]]\nid = "{device}"\nprofile = "profiles/test.meter.profile.toml"\n'
            f'values = {{ {values} }}\n' for device in self.devices))

    def write_site(self, name='gateway.toml', host='127.0.0.1', port=None, extra=''):
        text = SITE.format(box=self.box, profiles=self.run.folder / 'profiles',
                           state=self.run.folder / 'state', budget=self.budget,
                           interval=self.interval, host=host, port=port or self.link.port,
                           uplink=self.uplink)
        for device in self.devices:
            text += DEVICE.format(id=device, profile='test.meter',
                                  address=f'127.0.0.1:{self.port(device)}')
        for device, address in self.more_devices:
            text += DEVICE.format(id=device, profile='test.meter', address=address)
        return self.run.write(name, text + extra)

    def port(self, device):
        return self.simulator.ports[device]

    def served_count(self, device):
        """How often the device was asked for its first point; costs the device nothing."""
        with open(self.served_log, encoding='utf-8') as lines:
            return sum(f'"{device}","point":"reads_0"' in line for line in lines)

    def delivered(self, device, point='reads_0'):
        return truth.values_of(self.receiver.all_records(), device, point)

    def wait_delivered(self, count, limit=60, device='meter-1'):
        """Until the receiver's file holds this many values of the device's first point.

        After an outage of ten seconds the box waits for up to half a minute more, by chance."""
        procs.wait_for(lambda: len(self.delivered(device)) >= count, limit,
                       what=lambda: f'{count} values in the file, {len(self.delivered(device))} are; '
                                    f'gateway: {self.gateway.lines()[-3:]}; '
                                    f'receiver: {self.receiver.lines()[-3:]}')

    def publish(self, topic, payload):
        """Text or bytes to the broker, as anybody could."""
        data = payload.encode() if isinstance(payload, str) else payload
        subprocess.run(['mosquitto_pub', '-h', '127.0.0.1', '-p', str(self.broker.port), '-q', '1',
                        '-t', topic, '-s' if data else '-n'], input=data, check=True, timeout=10)

    def retained(self, topic):
        """The retained message of a topic as JSON, or None."""
        done = subprocess.run(['mosquitto_sub', '-h', '127.0.0.1', '-p', str(self.broker.port),
                               '-t', topic, '-C', '1', '-W', '3'], capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.stdout else None

    def _arrived(self, served, allowed_lost):
        return all(len(self.delivered(device)) >= served[device] - 1 - allowed_lost
                   for device in self.devices)

    def _drain(self, served, allowed_lost):
        quiet = self.write_site('quiet.toml')
        quiet.write_text(quiet.read_text().split('[[device]]')[0])
        drain = self.run.add(procs.Gateway(self.run.folder, self.run.build, quiet,
                                           self.run.runtime, 'drain')).start()
        with contextlib.suppress(TimeoutError):  # what is missing is named by mistakes()
            procs.wait_for(lambda: self._arrived(served, allowed_lost), 20)
        drain.stop()

    def mistakes(self, allowed_lost=0):
        """Stops reading, lets the rest arrive, and judges the receiver's file by what was served.

        The gateway is stopped; if it could not hand over everything in time it is started once more
        on a site without devices.  The last answer of a device may have come after the stop.
        `allowed_lost` more per point: each kill may catch one answer before it is accepted."""
        if self.gateway.running():
            self.gateway.stop()
        served = {device: truth.read_register(self.port(device), 0) - 1 for device in self.devices}
        self.simulator.stop()
        if not self._arrived(served, allowed_lost):
            self._drain(served, allowed_lost)
        self.receiver.stop()
        for device, last in served.items():
            served[device] -= last not in self.delivered(device)  # under way when it was stopped
        records = self.receiver.all_records()
        found, points = list(truth.mistakes_of_ledger(records)), truth.by_point(records)
        for device in self.devices:
            for number in range(self.points):
                name = f'reads_{number}'
                values = truth.values_of(points[device, name], device, name)
                last = served[device] if number == 0 else max(values, default=0)
                found += [f'{device} {name}: {mistake}'
                          for mistake in truth.mistakes_of_count(values, last, allowed_lost)]
            found += truth.mistakes_of_values(self.served_log, points[device, 'voltage'], device,
                                              'voltage', '1/10')
        return found


class Bench:
    """Devices of walking registers for the bench: `points` each, read every `period_ms`."""

    def __init__(self, run, devices, points, period_ms, kind, interval=None):
        self.run, self.points, self.period_ms, self.kind = run, points, period_ms, kind
        self.interval = interval
        self.devices = [f'device-{n + 1}' for n in range(devices)]
        run.write('profiles/test.bench.profile.toml',
                  profile('bench', wave_points(points, kind, f'{period_ms}ms')))
        self.broker = run.add(procs.Broker(run.folder)).start()
        self.simulator = run.add(procs.Simulator(
            run.folder, run.build, 'bench', '--devices', devices, '--points', points,
            *(['--floats'] if kind == 'float32' else []))).start()
        self.receiver = run.add(procs.Receiver(run.folder, run.build, self.broker.port, file=None))
        self.receiver.start()
        self.gateway = procs.Gateway(run.folder, run.build, run.folder / 'gateway.toml',
                                     run.runtime)

    def ports(self):
        return [self.simulator.ports[device] for device in self.devices]

    def write_site(self, port):
        text = SITE.format(box=Town.box, profiles=self.run.folder / 'profiles',
                           state=self.run.folder / 'state', budget='256MiB',
                           interval=self.interval or '10s', host='127.0.0.1', port=port, uplink='')
        if self.interval is None:  # the defaults are measured
            text = '\n'.join(line for line in text.splitlines() if not line.startswith('interval'))
        self.run.write('gateway.toml', text + ''.join(
            DEVICE.format(id=device, profile='test.bench', address=f'127.0.0.1:{number}')
            for device, number in zip(self.devices, self.ports())))
