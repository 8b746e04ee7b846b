"""The platform side is killed, emptied and lied to; its file stays right."""
import json
import os
import shutil
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']


class Platform(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))
        self.town = town.Town(self.run).start()
        self.town.wait_delivered(5)

    def test_W08_W09_W10_a_receiver_killed_between_receive_and_commit(self):
        for number in range(15):
            count = len(self.town.delivered('meter-1'))
            self.town.wait_delivered(count + 1 + number % 5)
            self.town.receiver.kill()
            self.town.receiver.start()
        self.town.wait_delivered(60)
        self.assertEqual(self.town.mistakes(), [])
        self.assertEqual(self.town.receiver.records('gap'), [])

    def test_W11_a_receiver_that_starts_empty(self):
        self.town.wait_delivered(20)
        self.town.receiver.kill()
        before = self.town.receiver.all_records()
        shutil.rmtree(self.town.receiver.state)
        self.town.receiver.file.unlink()
        self.town.receiver.start()
        self.town.wait_delivered(20)
        self.town.gateway.stop()
        self.town.receiver.stop()
        after = self.town.receiver.all_records()
        keys = {(r['epoch'], r['lane'], r['seq']): r['value'] for r in after
                if r['line'] == 'reading'}
        self.assertEqual(len(keys), sum(r['line'] == 'reading' for r in after), 'twice in the file')
        old = {(r['epoch'], r['lane'], r['seq']) for r in before if r['line'] == 'reading'}
        lanes = {(epoch, lane) for epoch, lane, _ in keys}
        for epoch, lane in lanes:
            numbers = sorted(s for e, n, s in keys if (e, n) == (epoch, lane))
            self.assertEqual(numbers, list(range(numbers[0], numbers[-1] + 1)), 'a hole')
            self.assertTrue(numbers[0] == 1 or (epoch, lane, numbers[0] - 1) in old,
                            'it starts where the box still held something')

    def test_forged_and_broken_messages_change_nothing(self):
        place = self.town
        birth = place.retained(f'ss1/place-1714000/birth/{place.box}')
        epoch = birth['epoch']
        receipt = {'schema': 'smartstate.receipt/1', 'receiver': 'receiver-1', 'box': place.box,
                   'hello': False, 'epochs': {epoch: {'telemetry': [[1, 10_000_000]]}}, 'need': []}
        topic = f'ss1/place-1714000/receipt/{place.box}'
        place.link.cut()  # what is read now is only on the box
        before = place.served_count('meter-1')
        procs.wait_for(lambda: place.served_count('meter-1') >= before + 10, 20)
        place.receiver.kill()
        place.link.restore()
        # A broker keeps nothing for the box, so wait until it listens before telling it lies.
        subscribed = f' {topic}'
        procs.wait_for(lambda: len(place.broker.lines(subscribed)) >= 2, 30)
        for lie in (receipt, {**receipt, 'receiver': 'somebody'}, {**receipt, 'box': 'place-1.x'},
                    {**receipt, 'epochs': {'0' * 32: {'telemetry': [[1, 5]]}}},
                    {**receipt, 'epochs': {epoch: {'telemetry': [[5, 1]]}}}, {'schema': 'x'}):
            place.publish(topic, json.dumps(lie))
        place.publish(topic, 'no JSON at all')
        place.publish(topic, b'{' * 300_000)
        place.receiver.start()
        place.wait_delivered(before + 10)
        for payload in (b'', b'SSB1', os.urandom(5000), b'\xff' * 1_200_000):
            place.publish(f'ss1/place-1714000/data/{place.box}', payload)
        place.publish(f'ss1/place-1714000/birth/{place.box}', '{"schema":')
        place.wait_delivered(len(place.delivered('meter-1')) + 5)
        self.assertEqual(place.mistakes(), [])
        events = [r for r in place.receiver.all_records() if r['line'] == 'event']
        self.assertIn('receipt-above-head', json.dumps(events))
        self.assertTrue(place.receiver.lines('/data/'), place.receiver.lines())


if __name__ == '__main__':
    unittest.main()
