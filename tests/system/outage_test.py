"""The way to the broker fails in several ways; nothing is lost and nothing arrives twice."""
import os
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']


class Outage(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))
        self.town = town.Town(self.run).start()
        self.town.wait_delivered(5)

    def served_more(self, count):
        """Waits until the devices were read this many times more, whatever reaches the platform."""
        lines = self.town.served_count('meter-1')
        procs.wait_for(lambda: self.town.served_count('meter-1') >= lines + count, 60,
                       what='the devices are read during the outage')

    def drained(self):
        self.assertEqual(self.town.mistakes(), [])

    def test_S03_a_cut_link(self):
        before = len(self.town.delivered('meter-1'))
        self.town.link.cut()
        self.served_more(30)
        self.assertLess(len(self.town.delivered('meter-1')), before + 10)
        self.town.link.restore()
        self.town.wait_delivered(before + 30)
        self.drained()

    def test_S05_a_broker_stopped_for_ten_seconds(self):
        self.town.broker.stop()
        self.served_more(50)
        self.town.broker.start()
        self.town.wait_delivered(60)
        self.assertEqual(len(self.town.gateway.lines('broker')), 3, self.town.gateway.lines())
        self.drained()

    def test_S33_a_broker_that_freezes(self):
        self.town.broker.freeze()
        self.served_more(200)
        self.town.broker.thaw()
        self.town.wait_delivered(205)
        self.drained()

    def test_S33_a_link_that_swallows_everything(self):
        self.town.link.silence()
        self.served_more(100)
        self.town.link.cut()
        self.town.link.unsilence()
        self.town.link.restore()
        self.town.wait_delivered(105)
        self.drained()


if __name__ == '__main__':
    unittest.main()
