"""A network that comes back is used at once, however long it was away."""
import os
import time
import unittest

import namespace
import procs
import town

BUILD = os.environ['BUILD_DIR']
PLATFORM = '10.20.30.40'


class Network(unittest.TestCase):
    def test_a_box_connects_when_the_way_to_the_platform_is_there_again(self):
        namespace.raise_loopback()
        namespace.set_address(PLATFORM)
        run = self.enterContext(procs.Run(BUILD))
        place = town.Town(run, uplink='insecure = "lab"')
        far = procs.free_port()
        configuration = run.folder / 'mosquitto.conf'
        configuration.write_text(configuration.read_text() + f'listener {far} 0.0.0.0\n')
        place.broker.stop()
        place.broker.start()
        place.write_site(host=PLATFORM, port=far)
        place.start()
        place.wait_delivered(5)
        place.broker.stop()
        procs.wait_for(lambda: place.gateway.lines('uplink down'), 20, what=place.gateway.lines)
        namespace.set_address('0.0.0.0')
        place.broker.start()
        time.sleep(40)  # its pauses are half a minute in the mean by now
        self.assertEqual(len(place.gateway.lines('uplink connected')), 1)
        back = time.monotonic()
        namespace.set_address(PLATFORM)
        procs.wait_for(lambda: place.gateway.lines('uplink connected')[1:], 60, what=place.gateway.lines)
        self.assertLess(time.monotonic() - back, 4)
        self.assertEqual(place.mistakes(), [])


if __name__ == '__main__':
    namespace.main()
