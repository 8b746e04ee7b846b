#!/usr/bin/env python3
"""One minute with a simulated town: readings, an alarm, an outage, and what became of it all."""
import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import demo_town
import procs
import truth

WIDTH = 78
BOX, ORG = demo_town.BOX, demo_town.ORG
GUIDE = '''What lies here

out.jsonl       what the platform has: one line per reading, with unit, quality and source
messages/       the messages as they were sent; decode one: schemas/read_batch.py FILE
gateway.toml    the site file: which devices, by which profile, and where the readings go
profiles/       the shipped profiles with their times shortened for the demo
scene.toml      how the simulated Modbus devices and the rain gauge behave; json.scene.toml the others
served.jsonl    every value the meters gave: the truth of this run; json-served.jsonl likewise
line, rain      the serial lines of the meters and of the rain gauge, while it runs
w1/             a one-wire thermometer as the kernel shows it
sensors/        the broker that the bin speaks to
gateway.log     what the gateway said; receiver.log, broker.log and simulator.log likewise
state/          the gateway's own store
'''


class Screen:
    """Plain lines for a pipe; for a terminal a table drawn over itself."""

    def __init__(self):
        self.live = sys.stdout.isatty()
        self.drawn = 0
        self.began = time.monotonic()

    def say(self, text=''):
        self.drawn = 0
        print(text, flush=True)

    def heading(self, text):
        self.say(f'\n{text:<{WIDTH - 5}}{time.monotonic() - self.began:>3.0f} s\n' + '-' * WIDTH)

    def draw(self, lines):
        if self.live and self.drawn:
            print(f'\033[{self.drawn}F\033[J', end='')
        print(*lines, sep='\n', flush=True)
        self.drawn = len(lines)


class Inbox:
    """The receiver's file, read as it grows."""

    def __init__(self, path):
        self.path, self.position = path, 0
        self.readings, self.gaps = 0, 0
        self.latest, self.alarms = {}, []

    def look(self):
        if self.path.exists():
            with open(self.path, 'rb') as file:
                file.seek(self.position)
                data = file.read()
            whole = data[:data.rfind(b'\n') + 1]
            self.position += len(whole)
            for line in whole.splitlines():
                self.take(json.loads(line))
        return self

    def take(self, record):
        self.gaps += record['line'] == 'gap'
        if record['line'] == 'reading' and record['lane'] == 'alarm':
            self.alarms.append(record)
        elif record['line'] == 'reading':
            self.readings += 1
            self.latest[record['device'], record['point']] = record

    def table(self):
        yield f'{"where":<18}{"by":<13}{"quantity":<28}{"value":>8} {"unit":<6}qual'
        for device in demo_town.DEVICES:
            for point in device.points:
                record = self.latest.get((device.id, point))
                if record:
                    value = record['value']
                    number = f'{value:,.1f}' if isinstance(value, (int, float)) else value or '-'
                    yield (f'{device.name:<18}{device.protocol:<13}{record["title"]:<28.27}'
                           f'{number:>8} {record["unit"] or "":<6}{record["quality"]}')


class Demo:
    def __init__(self, run, screen):
        self.run, self.screen = run, screen
        self.points = demo_town.write_profiles(run)
        run.write('README', GUIDE)
        self.broker = run.add(procs.Broker(run.folder)).start()
        self.link = run.add(procs.Link(self.broker.port))
        self.simulator = run.add(procs.Simulator(run.folder, run.build, 'simulate',
                                                 demo_town.write_scene(run))).start()
        ports = {**self.simulator.ports, **self.start_others(run)}
        site = demo_town.write_site(run, self.link.port, ports)
        self.receiver = run.add(procs.Receiver(run.folder, run.build, self.broker.port, '--check',
                                               '--raw', run.folder / 'messages')).start()
        self.gateway = run.add(procs.Gateway(run.folder, run.build, site, run.runtime)).start()
        self.inbox = Inbox(self.receiver.file)

    def start_others(self, run):
        """What speaks no Modbus: JSON devices, a serial port for the gauge, a thermometer's files."""
        (run.folder / 'sensors').mkdir(exist_ok=True)
        sensors = run.add(procs.Broker(run.folder / 'sensors')).start()
        scene = demo_town.write_json_scene(run, sensors.port)
        json_devices = run.add(procs.JsonDevices(run.folder, run.build, scene)).start()
        port = run.folder / 'rain'
        run.add(procs.Program(run.folder, 'adapter', [
            'socat', f'PTY,link={port},rawer', f'TCP:127.0.0.1:{self.simulator.ports["rain-gauge"]}'])).start()
        procs.wait_for(port.exists, what='the serial port of the rain gauge')
        self.thermometer = demo_town.Thermometer(run.folder / 'w1')
        return json_devices.ports

    def status(self):
        done = self.gateway.ask('status', '--json')
        return json.loads(done.stdout) if done.stdout else {}

    def show_readings(self):
        protocols = {device.protocol for device in demo_town.DEVICES}
        self.screen.heading(f'1  {len(demo_town.DEVICES)} devices on {len(protocols)} protocols are read; '
                            'the platform decodes this')
        procs.wait_for(lambda: len(self.inbox.look().latest) >= self.points, 20,
                       what=lambda: f'all {self.points} points at the platform: '
                                    f'{len(self.inbox.latest)}; {self.gateway.lines()[-3:]}')
        for _ in range(8 if self.screen.live else 1):
            self.screen.draw(list(self.inbox.look().table()))
            self.thermometer.turn()
            time.sleep(1)
        shown = sum(len(device.points) for device in demo_town.DEVICES)
        self.screen.say(f'and {self.points - shown} more points, {self.points} in all')

    def show_alarm(self):
        self.screen.heading('2  A phase of the fire station fails')
        alarm = self.wait_alarm(1)
        self.screen.say(f'{time.strftime("%H:%M:%S")}  {alarm["name"]}: {alarm["text"]} '
                        f'({alarm["severity"]})')
        voltage = self.inbox.latest[alarm['device'], 'voltage_l1_n']
        self.screen.say(f'the platform knew at once; the voltage is {voltage["value"]:.1f} V')

    def wait_alarm(self, value):
        def raised():
            return [a for a in self.inbox.look().alarms
                    if (a['device'], a['point'], a['value']) == (*demo_town.ALARM, value)]
        return procs.wait_for(raised, 30, what='the alarm')[-1]

    def show_outage(self):
        self.screen.heading('3  The link to the platform is cut; the meters are read on')
        self.link.cut()
        before = self.inbox.look().readings
        for second in range(0, 12, 2):
            time.sleep(2)
            self.thermometer.turn()
            status = self.status()
            self.screen.say(f'{second + 2:>4} s   at the platform {self.inbox.look().readings:>7,}   '
                            f'safe on the box {status["queued_readings"]:>7,}')
        self.outage = self.inbox.readings - before, status['queued_readings']

    def show_drain(self):
        self.screen.heading('4  The link is back')
        began = time.monotonic()
        self.link.restore()
        queued = self.outage[1]
        target = self.inbox.readings + queued
        procs.wait_for(lambda: self.inbox.look().readings >= target, 90,  # the pauses grow
                       what=lambda: f'the drain; {self.gateway.lines()[-3:]}')
        self.screen.say(f'all {queued:,} waiting readings arrived within '
                        f'{time.monotonic() - began:.1f} s, most of that until the box tried again')
        self.wait_alarm(0)
        self.screen.say('the fire station has its voltage back, and the alarm is cleared')

    def finish(self):
        """Switches the devices off, waits until all is delivered, stops; what the run came to."""
        figures = {'cpu': self.gateway.cpu_seconds(), 'memory': self.gateway.peak_kb(),
                   'seconds': time.monotonic() - self.screen.began}
        site = self.gateway.site
        site.write_text(site.read_text().replace('\n[[device]]', '\n[[device]]\nenabled = false'))
        if self.gateway.ask('reload').returncode:
            raise RuntimeError('the devices could not be switched off')
        manifest = self.ask_manifest()
        heads = {(epoch, lane): counts['head'] for epoch, lanes in manifest['epochs'].items()
                 for lane, counts in lanes.items()}
        procs.wait_for(lambda: self.missing(heads) == 0, 20,
                       what=lambda: f'{self.missing(heads)} readings that are durable')
        for program in (self.gateway, self.receiver, self.simulator):
            program.stop()
        figures['registers'] = json.loads(procs.whole_lines(self.simulator.out)[-1])
        return figures, manifest

    def manifests(self):
        return sorted((self.run.folder / 'messages').glob('*_manifest_*'))

    def ask_manifest(self):
        before = len(self.manifests())
        command = {'schema': 'smartstate.command/1', 'id': f'demo-{time.time_ns()}',
                   'expires': '2099-01-01T00:00:00Z', 'command': 'rebirth', 'arguments': {}}
        subprocess.run(['mosquitto_pub', '-h', '127.0.0.1', '-p', str(self.broker.port), '-q', '1',
                        '-t', f'ss1/{ORG}/cmd/{BOX}', '-m', json.dumps(command)], check=True)
        procs.wait_for(lambda: len(self.manifests()) > before, 10, what='a manifest')
        return json.loads(self.manifests()[-1].read_text(encoding='utf-8'))

    def missing(self, heads):
        have = collections.Counter((r['epoch'], r.get('lane', 'control'))
                                   for r in self.receiver.all_records()
                                   if r['line'] in ('reading', 'event'))
        return sum(max(0, head - have[key]) for key, head in heads.items())

    def batch_bytes(self):
        return sum(path.stat().st_size for path in (self.run.folder / 'messages').iterdir()
                   if path.name.split('_')[3] in ('data', 'history', 'alarm'))

    def summary(self):
        """Prints the figures; returns what is wrong with them."""
        figures, manifest = self.finish()
        records = self.receiver.all_records()
        delivered = sum(r['line'] == 'reading' for r in records)
        lanes = [counts for lanes in manifest['epochs'].values()
                 for lane, counts in lanes.items() if lane != 'control']
        durable = sum(counts['head'] for counts in lanes)
        slots = [counts['slots'] for counts in lanes if 'slots' in counts]
        suppressed = sum(count['suppressed'] for count in slots)
        judged = suppressed + sum(count['good'] + count['other'] for count in slots)
        last_word = json.loads(self.receiver.lines()[-1])
        tally, check = last_word['summary'], last_word['check']
        mistakes = list(truth.mistakes_of_ledger(records))
        gaps = len(mistakes) + check['declared_lost']
        if check['result'] != 'complete' or gaps or delivered != durable:
            mistakes.append(f'the gateway\'s own account says: {check}')
        self.screen.heading('5  What became of it')
        for text, number, note in (
                ('registers of Modbus devices', f'{figures["registers"]["registers"]:,}',
                 f'in {figures["registers"]["requests"]:,} requests, by their own count'),
                ('values judged', f'{judged:,}', 'by the rules of the profiles'),
                ('not worth storing', f'{suppressed:,}', 'moved less than the profile asks'),
                ('durable on the box', f'{durable:,}', 'the rest, and the alarms'),
                ('delivered to the platform', f'{delivered:,}', 'lines in out.jsonl'),
                ('duplicates removed', f'{tally["duplicates_removed"]:,}', 'what was sent again'),
                ('gaps', f'{gaps}', 'readings lost, declared or not'),
                ('bytes per reading', f'{self.batch_bytes() / delivered:.1f}',
                 'in batches of a second; ./dev bench has the usual ones'),
                ('processor time', f'{figures["cpu"]:.2f} s',
                 f'{100 * figures["cpu"] / figures["seconds"]:.1f} % of one core'),
                ('memory', f'{figures["memory"] / 1024:.1f} MB', 'at most, the gateway')):
            self.screen.say(f'  {text:<30}{number:>10}   {note}')
        return mistakes


def print_things_to_try(demo):
    gateway = os.path.relpath(demo.gateway.binary)
    where = f'--config {os.path.relpath(demo.gateway.site)} --runtime {demo.run.runtime}'
    port = demo.broker.port
    print(f'''
It runs until Ctrl-C. In another terminal:

  {gateway} status {where}
  {gateway} tail {where}
  {gateway} read town-hall {where}
  mosquitto_sub -h 127.0.0.1 -p {port} -t 'ss1/+/data/+' -C 1 -F %x | schemas/read_batch.py --hex -
  tail -f {os.path.relpath(demo.receiver.file)}
''', flush=True)
    try:
        demo.gateway.process.wait()
    except KeyboardInterrupt:
        print('stopping')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', type=pathlib.Path, default='build/release')
    parser.add_argument('--keep', action='store_true', help='leave it running and say what to try')
    options = parser.parse_args()
    folder = options.build.parent.resolve() / 'demo'
    shutil.rmtree(folder, ignore_errors=True)
    screen = Screen()
    with procs.Run(options.build, folder, keep=True) as run:
        demo = Demo(run, screen)
        try:
            demo.show_readings()
            demo.show_alarm()
            demo.show_outage()
            demo.show_drain()
            if options.keep:
                print_things_to_try(demo)
                return 0
            mistakes = demo.summary()
        except (TimeoutError, RuntimeError) as error:
            mistakes = [str(error)]
    if mistakes:
        print('\nSomething is missing:', *mistakes, sep='\n  ')
        print(f'\nThe logs are in {os.path.relpath(folder)}')
        return 1
    print(f'\nEverything of this run is in {os.path.relpath(folder)}; README there says what is what.\n'
          './dev demo --keep leaves the town running to play with.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
