#!/usr/bin/env python3
"""Plays devices that speak JSON: they serve, or publish, the examples of their profiles.

    json_devices.py SCENE.toml [--log FILE]

    [[device]]
    id      = "air"
    profile = "il.air-quality.purpleair-pa-ii.profile.toml"    # relative to the scene
    listen  = "127.0.0.1:0"                # http_json; port 0: any free one, see the first line printed
    auth    = { user = "admin", secret = "…", digest = true }  # asks for it; tls = { certificate, key } serves https
    values  = { pm2_5_a = 7.5, relative_humidity = { model = "sine", mean = 40, amplitude = 5, period = "60s" } }
    [[device]]
    id      = "bin"
    profile = "il.level.milesight-em310-udl.profile.toml"
    broker  = "127.0.0.1:1883"             # mqtt_json
    device  = "24e124713b492561"           # what {device} of the profile's topics is
    every   = "2s"
    retain  = false

A value is a number in the point's unit, a name of its enum, or a model: sine, ramp (start, per_second), reads, cycle
(values, every).  What is not named stays as the example has it; the device's own time is now.
"""
import argparse
import base64
import datetime
import fractions
import hashlib
import http.server
import json
import math
import os
import pathlib
import re
import signal
import ssl
import sys
import threading
import time
import tomllib

STARTED = time.monotonic()


def seconds(text):
    number, unit = re.fullmatch(r'(\d+)(ms|s|m|h|d)', text).groups()
    return int(number) * {'ms': 0.001, 's': 1, 'm': 60, 'h': 3600, 'd': 86400}[unit]


def steps(pointer):
    return [step.replace('~1', '/').replace('~0', '~') for step in pointer.split('/')[1:]]


def step_into(value, step):
    return value[int(step)] if isinstance(value, list) else value[step]


def look(value, pointer):
    for step in steps(pointer):
        value = step_into(value, step)
    return value


def put(document, read, value):
    """Where the profile reads it: the first of its places that the document has."""
    chosen, select = document, read.get('select')
    while select:
        held = look(chosen, select['list'])
        held = held.values() if isinstance(held, dict) else held
        chosen = next(each for each in held if str(look(each, select['key'])) == str(select['equals']))
        select = select.get('then')
    for start, pointer in [(chosen, read['at']), *((document, other) for other in read.get('fallback', []))]:
        *way, last = steps(pointer)
        try:
            holder = start
            for step in way:
                holder = step_into(holder, step)
            key = int(last) if isinstance(holder, list) else last
            holder[key] = str(value) if isinstance(holder[key], str) else value
            return
        except (KeyError, IndexError, TypeError):
            continue


class Device:
    def __init__(self, scene, folder, log):
        self.scene, self.id, self.log = scene, scene['id'], log
        self.profile = tomllib.loads((folder / scene['profile']).read_text())
        self.points = {point['id']: point for point in self.profile['point']}
        self.source = 'topic' if self.profile['transport']['driver'] == 'mqtt_json' else 'path'
        self.main = self.profile['transport'].get(self.source, '/')
        self.reads = 0

    def bodies(self):
        """By address: the first example of each."""
        found = {}
        for example in self.profile['example']:
            found.setdefault(example.get(self.source, self.main), example['body'])
        return found

    def value(self, point, model):
        if not isinstance(model, dict):
            return model
        now = time.monotonic() - STARTED
        kind = model['model']
        if kind == 'reads':
            return self.reads
        if kind == 'sine':
            return round(model['mean'] + model['amplitude'] * math.sin(2 * math.pi * now / seconds(model['period'])), 3)
        if kind == 'cycle':
            return model['values'][int(now / seconds(model['every'])) % len(model['values'])]
        if kind == 'ramp':
            return round(model.get('start', 0) + model['per_second'] * now, 3)
        raise ValueError(f'{self.id}: {point}: no model {kind}')

    def raw(self, point, seen):
        names = {name: int(number) for number, name in point.get('enum', {}).items()}
        if seen in names:
            code = names[seen]
            codes = {number: word for word, number in point['read'].get('codes', {}).items()}
            return codes.get(code, bool(code) if point['read'].get('type') == 'bool' else code)
        if isinstance(seen, str):
            return seen
        exact = ((fractions.Fraction(str(seen)) - fractions.Fraction(str(point.get('offset', 0))))
                 / fractions.Fraction(str(point.get('scale', 1))))
        return int(exact) if exact.denominator == 1 else float(exact)

    def body(self, address, text):
        self.reads += 1
        document = json.loads(text)
        for name, model in self.scene.get('values', {}).items():
            point = self.points[name]
            if point['read'].get(self.source, self.main) == self.address_in_profile(address):
                seen = self.value(name, model)
                put(document, point['read'], self.raw(point, seen))
                self.write(name, seen)
        age = self.profile['transport'].get('age')
        if age:
            put(document, age, self.now(age.get('format', 'iso8601')))
        return json.dumps(document)

    def address_in_profile(self, address):
        return address if self.source == 'path' else self.main

    @staticmethod
    def now(form):
        now = datetime.datetime.now(datetime.timezone.utc)
        if form in ('unix', 'unix_ms'):
            return int(now.timestamp() * (1000 if form == 'unix_ms' else 1))
        return now.isoformat() if form == 'iso8601' else now.strftime(form)

    def write(self, point, value):
        if self.log:
            self.log.write(json.dumps({'device': self.id, 'point': point, 'value': value, 'request': self.reads,
                                       'boot_ms': int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)}) + '\n')
            self.log.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    nonce = hashlib.sha256(os.urandom(16)).hexdigest()

    def do_GET(self):  # noqa: N802
        device = self.server.device
        auth = device.scene.get('auth')
        if auth and not self.authorized(auth):
            self.answer(401, '', {'WWW-Authenticate': f'Digest realm="{device.id}", qop="auth", nonce="{self.nonce}", '
                                                      'algorithm=SHA-256' if auth.get('digest') else
                                                      f'Basic realm="{device.id}"'})
            return
        text = device.bodies().get(self.path)
        if text is None:
            self.answer(404, '')
        else:
            self.answer(200, device.body(self.path, text))

    def authorized(self, auth):
        given = self.headers.get('Authorization', '')
        if not auth.get('digest'):
            return given == 'Basic ' + base64.b64encode(f"{auth['user']}:{auth['secret']}".encode()).decode()
        part = dict(re.findall(r'(\w+)="?([^",]*)"?', given.removeprefix('Digest ')))
        if part.get('nonce') != self.nonce or part.get('username') != auth['user']:
            return False
        digest = lambda text: hashlib.sha256(text.encode()).hexdigest()  # noqa: E731
        who = digest(f"{auth['user']}:{self.server.device.id}:{auth['secret']}")
        what = digest(f'GET:{self.path}')
        return part['response'] == digest(f"{who}:{self.nonce}:{part['nc']}:{part['cnonce']}:auth:{what}")

    def answer(self, status, body, headers=None):
        data = body.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def serve(device):
    host, port = device.scene.get('listen', '127.0.0.1:0').rsplit(':', 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    server.device = device
    if tls := device.scene.get('tls'):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls['certificate'], tls['key'])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def publish(device):
    import paho.mqtt.client
    host, port = device.scene['broker'].rsplit(':', 1)
    client = paho.mqtt.client.Client()
    client.connect(host, int(port))
    client.loop_start()

    def speak():
        while True:
            for address, text in device.bodies().items():
                topic = topic_of(device, address)
                client.publish(topic, device.body(address, text), qos=1, retain=device.scene.get('retain', False))
            time.sleep(seconds(device.scene.get('every', '1s')))
    threading.Thread(target=speak, daemon=True).start()
    return int(port)


def topic_of(device, address):
    """The example's topic with this device in the place where the profile has {device}."""
    levels = address.split('/')
    for at, level in enumerate(device.main.split('/')):
        if level == '{device}':
            levels[at] = device.scene['device']
    return '/'.join(levels)


def main():
    parser = argparse.ArgumentParser(description='plays devices that speak JSON until SIGTERM')
    parser.add_argument('scene', type=pathlib.Path)
    parser.add_argument('--log', type=pathlib.Path)
    options = parser.parse_args()
    log = open(options.log, 'a', encoding='utf-8') if options.log else None
    devices = [Device(scene, options.scene.parent, log) for scene in tomllib.loads(options.scene.read_text())['device']]
    ports = [{'id': device.id, 'port': publish(device) if 'broker' in device.scene else serve(device)} for device in devices]
    print(json.dumps({'ready': True, 'devices': ports}), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()


if __name__ == '__main__':
    main()
