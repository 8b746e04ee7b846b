"""What has reached the platform so far, followed while a run goes on."""
import time

import logs
from records import Decoder
from spans import Spans


class Arrivals:
    """Follows the platform's logs in a folder.  Every question looks at what is new first."""

    def __init__(self, folder):
        self.heard = logs.Follower(folder / logs.PLATFORM)
        self.told = logs.Follower(folder / logs.RECEIPTS)
        self.decoder = Decoder()
        self.seen = {}  # (epoch, lane) -> [(ns, first, last)]
        self.receipted = {}  # (epoch, lane) -> Spans
        self.heads = {}  # (epoch, lane) -> the highest sequence announced
        self.told_events = []
        self.live = []  # (ns, its last reading) of each batch on topic data
        self.readings, self.manifests = 0, 0  # how many
        self.latest = 0  # CLOCK_BOOTTIME in ms of the newest telemetry

    def look(self):
        """Books what the platform has logged since the last look: by (epoch, lane)."""
        for line in self.heard.lines():
            message = self.decoder.message(line)
            if message.batch is not None:
                key = message.batch.epoch, message.batch.lane
                last = message.batch.first + message.batch.count - 1
                self.seen.setdefault(key, []).append((line['ns'], message.batch.first, last))
                self.readings += len(message.batch.readings)
                if message.kind == 'data' and message.batch.readings:
                    self.live.append((line['ns'], message.batch.readings[-1].time))
                self.told_events += [event for _, event in message.events]
                if message.batch.lane == 'telemetry' and message.batch.readings:
                    self.latest = max(self.latest, message.batch.readings[-1].time)
            for epoch, lane, head in message.heads:
                self.heads[epoch, lane] = max(head, self.heads.get((epoch, lane), 0))
            if message.kind == 'manifest':
                self.manifests += 1
        for line in self.told.lines():
            for epoch, lanes in line['body']['epochs'].items():
                for lane, ranges in lanes.items():
                    for first, last in ranges:
                        self.receipted.setdefault((epoch, lane), Spans()).add(first, last)
        return self

    def delays(self, since):
        """Of each live batch that was measured after the instant: seconds from its last reading until
        it came."""
        self.look()
        gap = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
        return [(ns + gap) / 1e9 - last / 1e3 for ns, last in self.live if last * 1_000_000 > since + gap]

    def have(self, since=0):
        """(epoch, lane) -> Spans of what came after the instant."""
        return {key: Spans((first, last) for ns, first, last in seen if ns > since)
                for key, seen in self.seen.items()}

    def unreceipted_of(self, key, first, last):
        """What of first .. last no receipt covers, as ranges."""
        return self.receipted.get(key, Spans()).missing(first, last)

    def unreceipted(self):
        """What came and no receipt covers: (epoch, lane, first, last)."""
        return [(*key, *lost) for key, spans in self.look().have().items()
                for first, last in spans.ranges for lost in self.unreceipted_of(key, first, last)]

    def had(self, before=None):
        """How much had come, as text."""
        self.look()
        before = before or time.monotonic_ns()
        lanes = {}
        for (_, lane), seen in self.seen.items():
            spans = Spans((first, last) for ns, first, last in seen if ns < before)
            lanes[lane] = lanes.get(lane, 0) + len(spans)
        return ', '.join(f'{count} {lane}' for lane, count in sorted(lanes.items())) or 'nothing'

    def events(self, type_):
        """The readings of the box itself of one type."""
        return [event for event in self.look().told_events if event['type'] == type_]

    def open_epochs(self):
        """Those that came and are not told to have ended."""
        closed = {event['epoch'] for event in self.events('epoch_closed')}
        return {epoch for epoch, _ in self.seen} - closed

    def codes(self):
        """Of all events that came."""
        return {event['code'] for event in self.events('event')}

    def missing(self, heads):
        """How many readings up to these heads are not here."""
        have = self.look().have()
        return sum(last - first + 1 for key, head in heads.items()
                   for first, last in have.get(key, Spans()).missing(1, head))

    def complete(self):
        """All that was announced in any way is here."""
        self.look()
        return bool(self.heads) and self.missing(self.heads) == 0
