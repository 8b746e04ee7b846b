"""JSON devices from the wire to the receiver's line: shipped profiles over HTTP and behind a broker."""
import json
import os
import subprocess
import time
import unittest

import batches
import procs
import town

BUILD = os.environ['BUILD_DIR']
PROFILES = procs.SOURCE / 'schemas' / 'profiles'
EUI = '24e124713b492561'
UP = f'application/17c82e96-be03-4f38-aef3-f83d48582d97/device/{EUI}/event/up'

BROKER_DEVICE = '''schema = "smartstate.profile/1"
[profile]
id = "test.{name}"
version = "1.0.0"
title = "{name}"
category = "test-device"
status = "draft"
[device]
vendor = "Test"
models = ["{name}"]
[security]
zone = "cabinet-lan"
cleartext = true
[transport]
driver = "mqtt_json"
topic = "{topic}"
stale = "1h"
{transport}
'''
BROKER_POINT = '''[[point]]
id = "{id}"
title = "{id}"
quantity = "{quantity}"
{unit}
read = {{ {read} }}
{more}
class = "telemetry"
'''


class Json(unittest.TestCase):
    def setUp(self):
        self.place = self.enterContext(procs.Run(BUILD))
        self.broker = self.place.add(procs.Broker(self.place.folder)).start()
        self.devices = ''
        (self.place.folder / 'profiles').mkdir(exist_ok=True)
        self.receiver = self.place.add(procs.Receiver(self.place.folder, BUILD, self.broker.port)).start()

    def device(self, id, profile, connect):
        self.devices += f'[[device]]\nid = "{id}"\nprofile = "{profile}"\nconnect = {{ {connect} }}\n'

    def profile(self, name, topic, points, transport=''):
        text = BROKER_DEVICE.format(name=name, topic=topic, transport=transport)
        for point in points:
            point = {'unit': '', 'more': '', **point}
            if point['unit']:
                point['unit'] = f'unit = "{point["unit"]}"'
            text += BROKER_POINT.format(**point)
        self.place.write(f'profiles/test.{name}.profile.toml', text)

    def start(self):
        site = self.place.write('gateway.toml', town.SITE.format(
            box=town.Town.box, profiles=self.place.folder / 'profiles', state=self.place.folder / 'state',
            budget='64MiB', interval='500ms', host='127.0.0.1', port=self.broker.port, uplink='') + self.devices)
        self.gateway = self.place.add(procs.Gateway(
            self.place.folder, BUILD, site, self.place.runtime,
            environment={'SMART_GATEWAY_PROFILES': str(PROFILES)})).start()

    def wait_subscribed(self, topic):
        procs.wait_for(lambda: self.broker.lines(f' {topic}'), 60, what=lambda: f'{topic}: {self.gateway.lines()[-5:]}')

    def publish(self, topic, payload, *more):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        subprocess.run(['mosquitto_pub', '-h', '127.0.0.1', '-p', str(self.broker.port), '-q', '1', '-t', topic, '-m', text,
                        *more], check=True, timeout=20)

    def readings(self, device, point):
        return [record for record in self.receiver.records() if (record['device'], record['point']) == (device, point)]

    def wait_readings(self, device, point, count, limit=60):
        return procs.wait_for(lambda: len(self.readings(device, point)) >= count and self.readings(device, point), limit,
                              what=lambda: f'{count} of {device} {point}: {self.readings(device, point)}; '
                                           f'{self.gateway.lines()[-5:]}')

    def test_shipped_profiles_bring_what_their_devices_serve(self):
        scene = '\n'.join(f'[[device]]\nid = "{id}"\nprofile = "{PROFILES}/{profile}.profile.toml"\n{more}'
                          for id, profile, more in (
                              ('air', 'il.air-quality.purpleair-pa-ii', 'values = { pm2_5_a = 11.25, relative_humidity = 40 }\n'),
                              ('meter', 'il.energy-meter.shelly-pro-3em', 'values = { voltage_l1_n = 231.5 }\n'),
                              ('bin', 'il.level.milesight-em310-udl',
                               f'broker = "127.0.0.1:{self.broker.port}"\ndevice = "{EUI}"\nevery = "1s"\n'
                               'values = { distance = 1234, position = "normal" }\n')))
        simulator = self.place.add(procs.JsonDevices(
            self.place.folder, BUILD, self.place.write('json.scene.toml', scene))).start()
        self.device('air', 'il.air-quality.purpleair-pa-ii', f'url = "http://127.0.0.1:{simulator.ports["air"]}"')
        self.device('meter', 'il.energy-meter.shelly-pro-3em', f'url = "http://127.0.0.1:{simulator.ports["meter"]}"')
        self.device('bin', 'il.level.milesight-em310-udl', f'broker = "mqtt://127.0.0.1:{self.broker.port}", device = "{EUI}"')
        self.start()
        expected = {('air', 'pm2_5_a'): 11.25, ('air', 'pm2_5_b'): 8.23, ('air', 'relative_humidity'): 40,
                    ('air', 'enclosure_temperature'): 28.333333333333332, ('air', 'atmospheric_pressure'): 99408,
                    ('meter', 'voltage_l1_n'): 231.5, ('meter', 'active_power_total'): 2484.782, ('meter', 'frequency'): 50,
                    ('meter', 'active_energy_import'): 1235570, ('bin', 'distance'): 1234, ('bin', 'position'): 'normal',
                    ('bin', 'battery'): 92}
        for (device, point), value in expected.items():
            with self.subTest(f'{device} {point}'):
                line = self.wait_readings(device, point, 1)[-1]
                self.assertEqual((line['value'], line['quality'], line['cause']), (value, 'good', None))
        self.assertIn(('air', 'pm2_5_a', 11.25), {(each['device'], each['point'], each['value']) for each in simulator.served()})
        verdicts = {record['device']: record['verdict']['identity'] for record in self.receiver.records()}
        self.assertEqual(verdicts, {'air': 'verified', 'meter': 'verified', 'bin': 'verified'})

    def test_S17_messages_keep_their_own_time_and_the_latest_never_moves_back(self):
        self.profile('stamped', 'dev/{device}/data', [
            {'id': 'level', 'quantity': 'tank.level', 'unit': 'm', 'read': 'at = "/level"'}], 'age = { at = "/time" }')
        self.device('tank', 'test.stamped', f'broker = "mqtt://127.0.0.1:{self.broker.port}", device = "t1"')
        subscriber = self.place.add(procs.Subscriber(self.place.folder, self.broker, 'ss1/+/data/#')).start()
        self.start()
        self.wait_subscribed('dev/t1/data')
        now = int(time.time())
        lines = [json.dumps({'level': n, 'time': now - 100 + n}) for n in range(100)]
        subprocess.run(['mosquitto_pub', '-h', '127.0.0.1', '-p', str(self.broker.port), '-q', '1', '-t', 'dev/t1/data', '-l'],
                       input='\n'.join(lines) + '\n', text=True, check=True, timeout=30)
        self.publish('dev/t1/data', {'level': 500, 'time': now - 1000})  # late
        got = self.wait_readings('tank', 'level', 101)
        self.assertEqual([line['value'] for line in got], [*range(100), 500])
        self.assertEqual({line['quality'] for line in got}, {'good'})
        stamps = procs.wait_for(lambda: self.device_times(subscriber, 101), what='batches')
        self.assertEqual(stamps, [(now - 100 + n) * 1000 for n in range(100)] + [(now - 1000) * 1000])
        read = json.loads(self.gateway.ask('read', 'tank', '--json').stdout.splitlines()[0])
        self.assertEqual(read['value'], 99, 'the latest is the newest by the device\'s time')

    @staticmethod
    def device_times(subscriber, count):
        stamps = []
        for _, _, payload in subscriber.messages():
            batch = batches.read_batch.decode(payload)
            stamps += [each.device_time for each in batch.readings or [] if each.device_time is not None]
        return stamps if len(stamps) >= count else None

    def test_what_a_broker_retained_is_stale_and_words_of_many_makers_are_understood(self):
        at = f'broker = "mqtt://127.0.0.1:{self.broker.port}", device = '
        self.publish('zigbee2mqtt/hall', {'temperature': 20.5, 'contact': False, 'battery': 97}, '-r')
        self.profile('zigbee', 'zigbee2mqtt/{device}', [
            {'id': 'temperature', 'quantity': 'building.temperature', 'unit': 'Cel', 'read': 'at = "/temperature"'},
            {'id': 'door', 'quantity': 'device.switch', 'read': 'at = "/contact", type = "bool"',
             'more': 'enum = { 0 = "open", 1 = "closed" }'}])
        self.device('hall', 'test.zigbee', at + '"hall"')
        self.profile('tasmota', 'tele/{device}/SENSOR', [
            {'id': 'power', 'quantity': 'electrical.power.active', 'unit': 'W', 'read': 'at = "/ENERGY/Power"'},
            {'id': 'probe', 'quantity': 'atmosphere.temperature', 'unit': 'Cel', 'read':
             'at = "/Temperature", select = { list = "", key = "/Id", equals = "3C01E076B5FD" }, optional = true'},
            {'id': 'relay', 'quantity': 'device.switch', 'read': 'at = "", plain = true, type = "bool", '
             'topic = "stat/{device}/POWER"', 'more': 'enum = { 0 = "off", 1 = "on" }'}],
            'age = { at = "/Time", zone = "+01:00" }')
        self.device('plug', 'test.tasmota', at + '"tasmota_77"')
        self.profile('rtl433', 'rtl_433/+/events', [
            {'id': 'outside', 'quantity': 'atmosphere.temperature', 'unit': 'Cel', 'read': 'at = "/temperature_C"'},
            {'id': 'battery', 'quantity': 'device.status', 'read': 'at = "/battery_ok", type = "int64"',
             'more': 'enum = { 0 = "low", 1 = "ok" }'}],
            'only = [{ at = "/model", equals = "Acurite-Tower" }, { at = "/id", equals = "{device}" }]')
        self.device('tower', 'test.rtl433', at + '"12345"')
        self.start()
        retained = self.wait_readings('hall', 'temperature', 1)[0]
        self.assertEqual((retained['value'], retained['quality']), (20.5, 'stale'))
        for topic in ('tele/tasmota_77/SENSOR', 'stat/tasmota_77/POWER', 'rtl_433/+/events'):
            self.wait_subscribed(topic)
        self.publish('zigbee2mqtt/hall', {'temperature': 21, 'contact': True, 'battery': 97})
        self.publish('tele/tasmota_77/SENSOR', {
            'Time': '2026-03-10T10:33:28', 'ENERGY': {'Power': 17, 'Total': 1.25},
            'DS18B20-1': {'Id': '0208947791F0', 'Temperature': 5.1}, 'DS18B20-2': {'Id': '3C01E076B5FD', 'Temperature': 6.2}})
        self.publish('stat/tasmota_77/POWER', 'ON')
        for id, value in ((12346, 9.9), (12345, -1.5)):
            self.publish('rtl_433/house/events', {'time': '2026-03-10 10:33:28', 'model': 'Acurite-Tower', 'id': id,
                                                  'battery_ok': 1, 'temperature_C': value, 'humidity': 54})
        self.publish('rtl_433/house/events', 'no JSON')
        for device, point, value in (('hall', 'door', 'closed'), ('plug', 'power', 17), ('plug', 'probe', 6.2),
                                     ('plug', 'relay', 'on'), ('tower', 'outside', -1.5), ('tower', 'battery', 'ok')):
            with self.subTest(f'{device} {point}'):
                found = procs.wait_for(lambda: [line for line in self.readings(device, point) if line['value'] == value], 60,
                                       what=lambda: f'{device} {point}: {self.readings(device, point)}')
                self.assertEqual(found[0]['quality'], 'good')
        broken = procs.wait_for(lambda: [line for line in self.readings('tower', 'outside') if line['value'] is None],
                                what='the broken message')
        self.assertEqual((broken[0]['quality'], broken[0]['cause']), ('comm_error', 'unexpected_reply'))
        self.assertNotIn(9.9, [line['value'] for line in self.readings('tower', 'outside')])


if __name__ == '__main__':
    unittest.main()
