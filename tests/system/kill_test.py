"""The gateway is killed; what it had accepted arrives."""
import os
import unittest

import procs
import town

BUILD = os.environ['BUILD_DIR']


class Killed(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))

    def test_W15_killed_in_an_outage_with_batches_open(self):
        place = town.Town(self.run, interval='5s').start()
        place.wait_delivered(5)
        place.link.cut()
        before = place.served_count('meter-1')
        procs.wait_for(lambda: place.served_count('meter-1') >= before + 40, 30)
        place.gateway.kill()
        place.gateway.start()
        place.link.restore()
        place.wait_delivered(before + 45)
        # one read per device may have been under way
        self.assertEqual(place.mistakes(allowed_lost=1), [])
        self.assertEqual([r for r in place.receiver.records('gap')], [])

    def test_W01_W02_W06_killed_again_and_again(self):
        place = town.Town(self.run).start()
        place.wait_delivered(5)
        kills = 12
        for number in range(kills):
            before = place.served_count('meter-1')
            procs.wait_for(lambda b=before, n=number: place.served_count('meter-1') >= b + 3 + n % 4,
                           20)
            place.gateway.kill()
            place.gateway.start()
        place.wait_delivered(50)
        self.assertEqual(place.mistakes(allowed_lost=kills), [])

    def test_a_second_instance_is_refused_at_once(self):
        place = town.Town(self.run).start()
        place.wait_delivered(5)
        other = procs.Gateway(self.run.folder, BUILD, place.site,
                              self.run.write('other/x', '').parent, 'second')
        self.run.add(other).start()
        code = other.process.wait(5)
        self.assertEqual(code, 70)
        self.assertEqual(len(other.lines()), 1, other.lines())
        self.assertIn(str(place.gateway.pid), other.lines()[0])
        self.assertEqual(place.mistakes(), [])


if __name__ == '__main__':
    unittest.main()
