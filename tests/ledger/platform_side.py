#!/usr/bin/python3
"""A platform side of its own: logs what the broker brings, and only then sends receipts.

platform_side.py --broker PORT --box BOX --folder FOLDER [--org ORG] [--run ID] [--every SECONDS]

Written from schemas/protocol.md, sections 4 and 6.  Each message goes to FOLDER/platform.log as it
came; the log is synced before a receipt goes out, and each receipt is in FOLDER/receipts.log.  It
may be killed at any time: at its start it reads what it had from platform.log.  SIGUSR1 holds
receipts back, SIGUSR2 sends them again.  Prints "ready" when it is subscribed.
"""
import argparse
import hashlib
import json
import os
import pathlib
import queue
import signal
import sys
import time

import paho.mqtt.client as mqtt

import logs
from spans import Spans

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'schemas'))
import read_batch  # noqa: E402

BATCH_KINDS = ('alarm', 'control', 'data', 'history')
MOST_RANGES = 64


class Books:
    """What the platform has, by epoch and lane, and the dictionaries it can read it with."""

    def __init__(self, org, box):
        self.org, self.box = org, box
        self.have = {}  # epoch -> lane -> Spans
        self.dictionaries = set()
        self.waiting = []  # batches whose dictionaries are not here
        self.announced = []  # epochs of the latest birth

    def take(self, topic, payload):
        """True when a receipt must answer at once: it was a birth."""
        kind = topic.split('/')[2] if topic.count('/') >= 3 else ''
        if kind in BATCH_KINDS:
            try:
                batch = read_batch.decode(payload)
            except read_batch.BatchError:
                return False
            if batch.box == self.box and not self._book(batch):
                self.waiting.append(batch)
        elif kind == 'dict' and payload:
            self.dictionaries.add(hashlib.sha256(payload).hexdigest()[:16])
            self.waiting = [batch for batch in self.waiting if not self._book(batch)]
        elif kind == 'birth' and payload:
            self.announced = list(json.loads(payload).get('epochs', {}))
            return True
        return False

    def _book(self, batch):
        if any(hash_ not in self.dictionaries for hash_ in batch.dictionaries.values()):
            return False
        lanes = self.have.setdefault(batch.epoch, {})
        lanes.setdefault(batch.lane, Spans()).add(batch.first, batch.first + batch.count - 1)
        return True

    def receipt(self, hello):
        """A receipt of everything: cumulative, so that a lost one is harmless."""
        epochs = {epoch: {lane: [list(r) for r in spans.ranges[:MOST_RANGES]]
                          for lane, spans in self.have.get(epoch, {}).items()}
                  for epoch in sorted(set(self.announced) | set(self.have))}
        need = sorted({hash_ for batch in self.waiting for hash_ in batch.dictionaries.values()}
                      - self.dictionaries)
        return {'schema': 'smartstate.receipt/1', 'receiver': 'receiver-1', 'box': self.box,
                'hello': hello, 'epochs': epochs, 'need': need}


class PlatformSide:
    def __init__(self, options):
        self.every = options.every
        self.books = Books(options.org, options.box)
        self.log = logs.Log(options.folder / logs.PLATFORM, options.run)
        self.receipts = logs.Log(options.folder / logs.RECEIPTS, options.run)
        self.events = queue.SimpleQueue()
        self.muted, self.due, self.full, self.next_at = False, False, False, 0.0
        for line in logs.parse((options.folder / logs.PLATFORM).read_bytes()):
            self.books.take(line['topic'], bytes.fromhex(line['hex']))
        self.client = mqtt.Client(f'platform-{options.box}', clean_session=True)
        self.client.on_connect = lambda *_: self.client.subscribe(
            [(f'ss1/{options.org}/+/{options.box}', 1),
             (f'ss1/{options.org}/dict/{options.box}/+', 1)])
        self.client.on_subscribe = lambda *_: self.events.put('subscribed')
        self.client.on_message = lambda _, __, message: self.events.put(message)
        self.client.reconnect_delay_set(0.1, 1)
        self.topic = f'ss1/{options.org}/receipt/{options.box}'
        signal.signal(signal.SIGUSR1, lambda *_: self.events.put('mute'))
        signal.signal(signal.SIGUSR2, lambda *_: self.events.put('speak'))
        signal.signal(signal.SIGTERM, lambda *_: self.events.put('stop'))
        self.client.connect_async('127.0.0.1', options.broker, keepalive=30)

    def run(self, clock):
        self.client.loop_start()
        while True:
            try:
                event = self.events.get(timeout=max(0.001, self.next_at - clock()) if self.due
                                        else 0.2)
            except queue.Empty:
                event = None
            if event == 'stop':
                break
            if event == 'subscribed':
                self._send(hello=True)  # what came meanwhile is lost, and the broker may be another
                print('ready', flush=True)
            elif event in ('mute', 'speak'):
                self.muted = event == 'mute'
                self.due = self.full = True
            elif event is not None:
                self._take(event)
            if self.due and not self.muted and (self.full or clock() >= self.next_at):
                self._send()
                self.next_at = clock() + self.every
        self.log.sync()
        self.client.disconnect()
        self.client.loop_stop()

    def _take(self, message):
        if message.topic == self.topic:
            return
        self.log.add(topic=message.topic, retain=int(message.retain), hex=message.payload.hex())
        self.full |= self.books.take(message.topic, message.payload)
        self.due = True

    def _send(self, hello=False):
        self.log.sync()
        body = self.books.receipt(hello)
        self.receipts.add(body=body)
        self.client.publish(self.topic, json.dumps(body, separators=(',', ':')), qos=1)
        self.due = self.full = False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--broker', type=int, required=True)
    parser.add_argument('--box', required=True)
    parser.add_argument('--org', default='place-1714000')
    parser.add_argument('--folder', type=pathlib.Path, required=True)
    parser.add_argument('--run', default=str(os.getpid()))
    parser.add_argument('--every', type=float, default=1.0)
    PlatformSide(parser.parse_args()).run(time.monotonic)


if __name__ == '__main__':
    main()
