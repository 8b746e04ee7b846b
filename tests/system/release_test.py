"""The other ways to be connected: MQTT 3.1.1, and freeing on the broker's word alone."""
import json
import os
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']


class Release(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))

    def queued(self, place):
        return json.loads(place.gateway.ask('status', '--json').stdout)['queued_readings']

    def start_without_receipts(self, place):
        """The receiver listens first: nobody will say that a batch from before is missing."""
        place.receiver.command += ['--receipts', 'off']
        place.receiver.start()
        for topic in ' ss1/+/data/', ' ss1/+/history/':
            procs.wait_for(lambda t=topic: place.broker.lines(t), what='the receiver listens')
        place.gateway.start()

    def test_S05_mqtt_3_1_1_and_a_cut_link(self):
        place = town.Town(self.run, uplink='protocol = "3.1.1"').start()
        place.wait_delivered(5)
        place.link.cut()
        before = place.served_count('meter-1')
        procs.wait_for(lambda: place.served_count('meter-1') >= before + 15, 20)
        place.link.restore()
        place.wait_delivered(before + 15)
        self.assertEqual(place.mistakes(), [])

    def test_without_receipts_nothing_is_freed(self):
        place = town.Town(self.run)
        self.start_without_receipts(place)
        place.wait_delivered(20)
        self.assertGreaterEqual(self.queued(place), 20)
        self.assertEqual(place.mistakes(), [])

    def test_release_by_puback_frees_without_receipts(self):
        place = town.Town(self.run)
        place.site.write_text(place.site.read_text().replace('release = "receipt"',
                                                             'release = "puback"'))
        self.start_without_receipts(place)
        place.wait_delivered(20)
        procs.wait_for(lambda: self.queued(place) < 20, 10, what=lambda: self.queued(place))
        place.gateway.stop()
        self.assertEqual(place.receiver.records('gap'), [])


if __name__ == '__main__':
    unittest.main()
