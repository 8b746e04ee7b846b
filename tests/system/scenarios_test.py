"""Field scenarios end to end: what went wrong on other gateways does not on this one."""
import collections
import contextlib
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

import jsonschema
import procs
import town

sys.path.insert(0, str(procs.SOURCE / 'schemas'))
import read_batch  # noqa: E402

BUILD = os.environ['BUILD_DIR']
KINDS = ('alarm', 'control', 'data', 'history')


def batches(subscriber):
    """(kind, batch, payload) as they crossed the broker."""
    for _, topic, payload in subscriber.messages():
        kind = topic.split('/')[2]
        if kind in KINDS:
            yield kind, read_batch.decode(payload), payload


def fill(place, rows, readings):
    subprocess.run([pathlib.Path(BUILD) / 'tests' / 'support' / 'fill_store', place.site,
                    str(rows), str(readings)], check=True, timeout=120)


class Session:
    """Of a gateway, as it crossed the broker."""

    def __init__(self):
        self.sent, self.told = [], []
        self.fresh = []  # receipts, and how many batches have to come before they count

    def add(self, batch, live):
        self.sent.append((batch.epoch, batch.lane, batch.first, batch.first + batch.count - 1))
        for receipt in self.fresh:
            receipt[0] -= live
            self.told += receipt[1] if receipt[0] == 0 else []
        self.fresh = [receipt for receipt in self.fresh if receipt[0] > 0]


class SentAgain(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))
        self.town = town.Town(self.run)
        self.wire = self.run.add(procs.Subscriber(self.run.folder, self.town.broker, 'ss1/#')).start()

    def test_S11_what_is_sent_twice_is_the_same_and_arrives_once(self):
        """Killed after the broker has acknowledged and before the platform has: sent again."""
        self.town.gateway.start()  # nobody sends receipts yet
        for _ in range(3):
            seen = len(list(batches(self.wire)))
            procs.wait_for(lambda n=seen: len(list(batches(self.wire))) > n + 3, 20,
                           what='batches are sent')
            self.town.gateway.kill()
            self.town.gateway.start()
        self.town.receiver.start()
        self.town.wait_delivered(10)
        self.assertEqual(self.town.mistakes(allowed_lost=3), [])
        sent = collections.defaultdict(list)
        for _, batch, payload in batches(self.wire):
            sent[batch.epoch, batch.lane, batch.first].append(payload)
        self.assertGreater(max(len(payloads) for payloads in sent.values()), 1)
        for key, payloads in sent.items():
            self.assertEqual(len(set(payloads)), 1, key)

    def test_S12_a_crash_loop_sends_again_only_what_no_receipt_covers(self):
        self.town.start()
        crashes = 12
        for crash in range(crashes):
            def was_told(session=crash):
                found = self._sessions()
                return len(found) == session + 1 and found[session].told
            procs.wait_for(was_told, 30, what='a receipt, and batches after it')
            self.town.gateway.kill()
            self.town.gateway.start()
        self.town.wait_delivered(4 * (crashes + 1))
        self.assertEqual(self.town.mistakes(allowed_lost=crashes), [])
        sent, told = set(), []
        for session in self._sessions():
            self.assertEqual(len(session.sent), len(set(session.sent)))
            covered = [key for key in sent.intersection(session.sent)
                       if any(key[:2] == place and low <= key[2] and key[3] <= high
                              for place, low, high in told)]
            self.assertEqual(covered, [])
            sent.update(session.sent)
            told += session.told

    def _sessions(self):
        """What each session sent, and what it was told by receipts that it had time to keep: two
        batches with readings came after them."""
        sessions = []
        for _, topic, payload in self.wire.messages():
            kind = topic.split('/')[2]
            if kind == 'state' and json.loads(payload)['state'] == 'online':
                sessions.append(Session())
            elif kind == 'receipt':
                sessions[-1].fresh.append([2, [
                    ((epoch, lane), *span)
                    for epoch, lanes in json.loads(payload)['epochs'].items()
                    for lane, spans in lanes.items() for span in spans]])
            elif kind in KINDS:
                batch = read_batch.decode(payload)
                sessions[-1].add(batch, kind == 'data')
        return sessions

    def test_S13_history_never_moves_the_latest_value_back(self):
        """Live goes on while history drains: inside each of them sequences rise, and a consumer
        that keeps the highest sequence has the newest value at any time."""
        self.town.start()
        self.town.wait_delivered(3)
        self.town.link.cut()
        served = self.town.served_count('meter-1')
        procs.wait_for(lambda: self.town.served_count('meter-1') > served + 40, 60)
        self.town.link.restore()
        self.town.wait_delivered(45)
        self.assertEqual(self.town.mistakes(), [])
        last, kinds, latest = {}, set(), {}
        for kind, batch, _ in batches(self.wire):
            if batch.lane != 'telemetry':
                continue
            kinds.add(kind)
            key = kind, batch.epoch
            self.assertGreater(batch.first, last.get(key, 0), key)
            last[key] = batch.first
            for sequence, reading in enumerate(batch.readings, batch.first):
                before = latest.get((reading.device, reading.row), (0, 0))
                if sequence > before[0]:
                    self.assertGreaterEqual(reading.time, before[1])
                    latest[reading.device, reading.row] = sequence, reading.time
        self.assertEqual(kinds, {'data', 'history'})


class Backlog(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))

    def place(self, **options):
        return town.Town(self.run, **options)

    def wait_file(self, place, readings, limit):
        """Until the receiver's file has so many lines; counting them costs it nothing."""
        def enough():
            if not place.receiver.file.exists():
                return False
            with open(place.receiver.file, 'rb') as file:
                return sum(chunk.count(b'\n')
                           for chunk in iter(lambda: file.read(1 << 20), b'')) >= readings
        procs.wait_for(enough, limit, what=lambda: f'{readings} lines: {place.gateway.lines()[-3:]}')

    def test_S14_a_million_readings_drain_in_a_minute(self):
        place = self.place(devices=1, budget='256MiB')
        fill(place, 250, 4000)
        place.receiver.start()
        began = time.monotonic()
        place.gateway.start()
        self.wait_file(place, 1_000_000, 60)
        self.assertLess(time.monotonic() - began, 60)

    def test_S32_a_stall_with_a_backlog_ends_without_a_restart(self):
        place = self.place(devices=1, budget='256MiB')
        fill(place, 50, 1000)
        place.link.silence()  # takes all, passes nothing, stays open
        place.receiver.start()
        place.gateway.start()
        served = place.served_count('meter-1')
        procs.wait_for(lambda: place.served_count('meter-1') > served + 40, 60)
        pid = place.gateway.pid
        place.link.unsilence()
        self.wait_file(place, 50_000, 60)
        place.wait_delivered(30)
        self.assertEqual(place.gateway.pid, pid)
        self.assertTrue(place.gateway.running())

    def test_S31_a_slow_broker_costs_no_memory(self):
        """An acknowledgement takes a second; what cannot be sent waits on the disk."""
        with procs.Run(BUILD) as run:
            place = town.Bench(run, 5, 100, 500, 'uint16', interval='500ms')
            link = run.add(procs.Link(place.broker.port))
            link.delay = 1.0
            place.write_site(link.port)
            gateway = run.add(place.gateway).start()
            subscriber = run.add(procs.Subscriber(run.folder, place.broker, 'ss1/#')).start()
            procs.wait_for(lambda: len(list(batches(subscriber))) > 5, 60, what='batches')
            before, resident = len(list(batches(subscriber))), gateway.resident_kb()
            procs.wait_for(lambda: len(list(batches(subscriber))) > before + 15, 90, what='more')
            self.assertLess(gateway.resident_kb() - resident, 4096)


class Record(unittest.TestCase):
    def test_what_the_box_was_worth_is_recorded_and_told(self):
        run = self.enterContext(procs.Run(BUILD))
        place = town.Town(run)
        place.site.write_text(place.site.read_text().replace('[store]', '[store]\nrating = "1TiB"'))
        place.start()
        place.wait_delivered(3)
        procs.wait_for(lambda: all(d['receipted'] for d in self.status(place)['devices']), 30,
                       what='receipts')
        place.simulator.stop()
        procs.wait_for(lambda: self.status(place)['value']['faults'], 30, what='a fault')
        place.gateway.stop()
        first = place.retained(self.birth_topic(place))
        place.gateway.start()
        procs.wait_for(lambda: place.gateway.lines('uplink connected')[1:], 20, what='a session')
        told = self.status(place)
        fault = told['value']['faults'][0]
        self.assertIn(fault['subject'], place.devices)
        self.assertIn('No answer', fault['cause'])
        self.assertGreater(told['value']['days'][-1]['sent_bytes'], 0)
        self.assertEqual(told['flash']['rated_bytes'], 1 << 40)
        birth = procs.wait_for(lambda: self.other_birth(place, first['session']), 20,
                               what='the birth of the second start')
        self.assertTrue(all(device['first_receipt'] for device in birth['devices']))
        schema = json.loads((procs.SOURCE / 'schemas/messages/birth.schema.json').read_text())
        jsonschema.Draft202012Validator(schema).validate(birth)

    @staticmethod
    def birth_topic(place):
        return f'ss1/place-1714000/birth/{place.box}'

    def other_birth(self, place, session):
        birth = place.retained(self.birth_topic(place))
        return birth if birth['session'] != session else None

    @staticmethod
    def status(place):
        return json.loads(place.gateway.ask('status', '--json').stdout)


class Undisturbed(unittest.TestCase):
    def test_S22_questions_and_a_backup_do_not_hold_the_store_up(self):
        run = self.enterContext(procs.Run(BUILD))
        place = town.Town(run).start()
        place.wait_delivered(3)
        stop, asked = threading.Event(), []

        def ask():
            while not stop.is_set():
                asked.append(place.gateway.ask('status', '--json').returncode)
        others = [threading.Thread(target=ask) for _ in range(3)]
        for thread in others:
            thread.start()
        database = next(run.folder.rglob('outbox.db'))
        locked, copies = 0, 0
        end = time.monotonic() + 6
        while time.monotonic() < end:
            shutil.copytree(run.folder / 'state', run.folder / f'copy-{copies}')
            copies += 1
            with contextlib.closing(sqlite3.connect(database, timeout=0)) as other:
                with self.assertRaises(sqlite3.OperationalError) as refused:
                    other.execute('SELECT count(*) FROM telemetry').fetchone()
                locked += 'locked' in str(refused.exception)
        stop.set()
        for thread in others:
            thread.join()
        self.assertGreater(len(asked), 5)
        self.assertEqual((locked, copies), (copies, copies))
        self.assertEqual(place.gateway.lines('store'), [])
        self.assertEqual(place.mistakes(), [])

    def test_S23_a_reading_costs_little_cpu(self):
        """A debug build on a busy machine has ten times what the bench measures."""
        run = self.enterContext(procs.Run(BUILD))
        place = town.Bench(run, 10, 100, 1000, 'uint16', interval='2s')
        place.write_site(place.broker.port)
        subscriber = run.add(procs.Subscriber(run.folder, place.broker, 'ss1/#')).start()
        gateway = run.add(place.gateway).start()

        def readings():
            return sum(batch.count for kind, batch, _ in batches(subscriber) if kind == 'data')
        procs.wait_for(lambda: readings() > 2_000, 60, what='readings')
        before, used = readings(), gateway.cpu_seconds()
        procs.wait_for(lambda: readings() > before + 10_000, 60, what='10,000 readings')
        each = (gateway.cpu_seconds() - used) / (readings() - before)
        self.assertLess(each, 200e-6)

    @unittest.skipUnless(shutil.which('strace'), 'strace is not installed')
    def test_a_job_of_the_store_that_does_not_end_starves_the_watchdog(self):
        """A sync takes minutes: the loop turns and answers, and the watchdog is not fed after 120 s."""
        run = self.enterContext(procs.Run(BUILD))
        place = town.Town(run)
        manager = self.enterContext(contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)))
        manager.bind(str(run.folder / 'notify'))
        manager.settimeout(10)
        place.gateway.environment.update(NOTIFY_SOCKET=str(run.folder / 'notify'), WATCHDOG_USEC='4000000')
        place.start().wait_delivered(3)

        def silent_after():
            """Seconds until it has not been fed for 10 s."""
            began = fed = time.monotonic()
            with contextlib.suppress(TimeoutError):
                while fed < began + 200:
                    if b'WATCHDOG=1' in manager.recv(4096):
                        fed = time.monotonic()
            return fed - began
        syncs = 'fsync,fdatasync'
        tracer = subprocess.Popen(
            ['strace', '-f', '-qq', '-o', '/dev/null', '-p', str(place.gateway.pid), '-e', f'trace={syncs}',
             '-e', f'inject={syncs}:delay_enter=160000000:when=1'])
        try:
            self.assertTrue(110 < silent_after() < 135)
            told = place.gateway.ask('status')
            self.assertEqual(told.returncode, 1)
            self.assertIn('has been busy with one write for 2 min', told.stdout)
            for question in ('info', 'verify'):
                self.assertIn('has been busy with one write', place.gateway.ask('store', question).stderr)
        finally:
            tracer.terminate()
            tracer.wait()
        procs.wait_for(lambda: b'WATCHDOG=1' in manager.recv(4096), 60, what='the watchdog is fed again')
        self.assertEqual(place.mistakes(), [])


if __name__ == '__main__':
    unittest.main()
