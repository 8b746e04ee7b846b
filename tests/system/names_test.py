"""A name server that says nothing stalls nothing.

Runs in its own network and mount namespace, where the only name server is a socket that never
answers.
"""
import os
import pathlib
import socket
import time
import unittest

import namespace
import procs
import town

BUILD = os.environ['BUILD_DIR']
SILENT_NAME_SERVER = """
    mount -t tmpfs tmpfs /mnt
    cp -a /etc /mnt
    rm -f /mnt/etc/resolv.conf /mnt/etc/hosts
    echo 'nameserver 127.0.0.1' >/mnt/etc/resolv.conf
    echo '127.0.0.1 localhost' >/mnt/etc/hosts
    mount --bind /mnt/etc /etc
"""


class SilentNames(unittest.TestCase):
    def test_readings_are_kept_on_time_while_no_name_is_answered(self):
        run = self.enterContext(procs.Run(BUILD))
        server = self.enterContext(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        namespace.raise_loopback()
        server.bind(('127.0.0.1', 53))
        place = town.Town(run, uplink='insecure = "lab"\nprotocol = "5"',
                          more_devices=[('named', 'meter.nowhere.example:502')])
        place.write_site(host='broker.nowhere.example', port=place.broker.port)
        place.start()
        procs.wait_for(lambda: place.served_count('meter-1') >= 40, 30)
        began = time.monotonic()
        place.gateway.ask('status', '--json', limit=5)
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual(place.delivered('meter-1'), [])
        pathlib.Path('/etc/hosts').write_text('127.0.0.1 localhost broker.nowhere.example\n')
        place.wait_delivered(41, limit=90)
        times = sorted(r['boot_ms'] for r in place.receiver.records()
                       if r['device'] == 'meter-1' and r['point'] == 'reads_0')
        longest = max(b - a for a, b in zip(times, times[1:]))
        # The system's own patience with a silent name server is 10 s.
        self.assertLess(longest, 2_000, 'polling waited for a name')
        pathlib.Path('/etc/hosts').write_text('127.0.0.1 localhost\n')
        began = time.monotonic()
        place.gateway.stop(limit=20)
        self.assertLess(time.monotonic() - began, 8)


if __name__ == '__main__':
    namespace.main('--mount', setup=SILENT_NAME_SERVER)
