"""What the platform log's messages say, decoded with schemas/read_batch.py alone."""
import hashlib
import json
import pathlib
import sys
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'schemas'))
import read_batch  # noqa: E402

BATCH_KINDS = ('alarm', 'control', 'data', 'history')


@dataclass
class Message:
    kind: str  # the third part of its topic
    batch: read_batch.Batch | None = None
    json: dict | None = None
    problem: str = ''  # why it cannot be read
    hash: str = ''  # of a dictionary
    heads: list = field(default_factory=list)  # (epoch, lane, head) that it announces
    content: list = field(default_factory=list)  # of a batch: (sequence, what it says, its mix)
    events: list = field(default_factory=list)  # of a batch of the box itself, parsed


class Decoder:
    """Decodes each distinct message once."""

    def __init__(self):
        self.known = {}

    def message(self, line):
        key = line['topic'], line['hex']
        if key not in self.known:
            self.known[key] = _decode(*key)
        return self.known[key]


def _decode(topic, text):
    parts = topic.split('/')
    message = Message(parts[2] if len(parts) > 3 else '')
    try:
        payload = bytes.fromhex(text)
        if message.kind in BATCH_KINDS:
            message.batch = read_batch.decode(payload)
            _note_batch(message)
        elif payload:
            message.json = json.loads(payload)
            if message.kind == 'dict':
                message.hash = hashlib.sha256(payload).hexdigest()[:16]
                if message.hash != parts[-1]:
                    message.problem = 'the dictionary is not that of its topic'
            _note_heads(message)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message.problem = f'{type(error).__name__}: {error}'
    return message


def _note_batch(message):
    batch = message.batch
    for reading in batch.readings:
        message.content.append((reading.seq, (
            reading.device, reading.row, reading.time, reading.kind, reading.bits, reading.text,
            reading.quality, reading.cause, reading.device_time), read_batch.mix(reading)))
        if reading.device == 0:
            event = json.loads(reading.text)
            message.events.append((reading.seq, event))
            if event['type'] == 'epoch_closed':
                message.heads += [(event['epoch'], lane, head)
                                  for lane, head in event['heads'].items()]
    message.heads.append((batch.epoch, batch.lane, batch.first + batch.count - 1))


def _note_heads(message):
    epochs = message.json.get('epochs', {})
    if message.kind == 'birth':
        message.heads = [(epoch, lane, numbers['head']) for epoch, state in epochs.items()
                         for lane, numbers in state['lanes'].items()]
    elif message.kind == 'manifest':
        message.heads = [(epoch, lane, numbers['head']) for epoch, lanes in epochs.items()
                         for lane, numbers in lanes.items()]
