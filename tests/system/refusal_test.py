"""A broker that says no: to the box, or to one of its topics."""
import os
import time
import unittest

import procs
import secure
import town

BUILD = os.environ['BUILD_DIR']
SECONDS = float(os.environ.get('REFUSAL_SECONDS', '20'))


class Refusal(unittest.TestCase):
    def setUp(self):
        self.run = self.enterContext(procs.Run(BUILD))

    def test_S50_a_refused_password_costs_little_and_is_retried_at_random_times(self):
        os.chmod(self.run.write('secrets/broker', 'wrong'), 0o600)
        plain = town.Town(self.run, devices=1, points=1,
                          uplink='user = "box"\nsecret = "broker"\n')
        plain.broker.stop()
        configuration = self.run.folder / 'mosquitto.conf'
        text = configuration.read_text().replace('allow_anonymous true', 'allow_anonymous false')
        configuration.write_text(f'{text}log_timestamp_format %s\n')
        plain.broker.start()
        plain.gateway.start()
        procs.wait_for(lambda: plain.gateway.lines('uplink down'), 20, what=plain.gateway.lines)
        begun, used = time.monotonic(), plain.gateway.cpu_seconds()
        served = plain.served_count('meter-1')
        procs.wait_for(lambda: time.monotonic() - begun > SECONDS, SECONDS + 5)
        share = (plain.gateway.cpu_seconds() - used) / (time.monotonic() - begun)
        self.assertLess(share, 0.02)
        self.assertGreater(plain.served_count('meter-1') - served, SECONDS)  # it goes on measuring
        attempts = [line for line in plain.broker.lines('New connection')]
        self.assertTrue(3 <= len(attempts) <= 3 * SECONDS, attempts)
        self.assertEqual(len(plain.gateway.lines('uplink down')), 1)
        self.assertIn('not known there', plain.gateway.ask('status').stdout)
        print(f'S50: {100 * share:.2f} % of a core, {len(attempts)} attempts in {SECONDS:g} s')

    def test_N17_a_topic_that_the_broker_denies_is_held_and_no_other(self):
        guarded = secure.Town(self.run, devices=1)
        rules = guarded.broker.rules.read_text()
        guarded.broker.rules.write_text(''.join(
            line for line in rules.splitlines(keepends=True) if '/history/' not in line))
        guarded.broker.stop()
        guarded.broker.start()
        guarded.enrolled()
        told = procs.wait_for(lambda: guarded.gateway.lines('topic-refused'), 30,
                              what=guarded.gateway.lines)
        self.assertIn('/history/', told[0])
        before = len(guarded.delivered('meter-1'))
        guarded.wait_delivered(before + 20)  # what is live goes on
        self.assertEqual(len(guarded.gateway.lines('topic-refused')), 1)
        missing = min(guarded.delivered('meter-1'))
        self.assertGreater(missing, 1)  # from before the first connection: held
        guarded.broker.rules.write_text(rules)
        guarded.broker.stop()
        guarded.broker.start()
        procs.wait_for(lambda: min(guarded.delivered('meter-1')) == 1, 40,
                       what=guarded.gateway.lines)
        self.assertEqual(guarded.mistakes(), [])


if __name__ == '__main__':
    unittest.main()
