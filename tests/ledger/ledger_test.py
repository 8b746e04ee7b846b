"""The ledger finds nothing wrong with a good run, and names each kind of damage to its logs."""
import os
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'faults'))

import rig  # noqa: E402, first: it knows where the other folders are
import check  # noqa: E402
import defects  # noqa: E402
import logs  # noqa: E402
import mutate  # noqa: E402

BUILD = os.environ['BUILD_DIR']
EACH = 16


class Ledger(unittest.TestCase):
    def test_a_good_run_is_good_and_each_kind_of_damage_is_named(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        street = self.enterContext(rig.Street(BUILD, folder))
        run = self.enterContext(defects.good_run(street))
        verdict = check.judge(logs.read(run))
        self.assertEqual(verdict.findings, [])
        self.assertGreater(verdict.line['recorded'], 150)
        told = []
        missed = mutate.campaign(run, EACH, seed=1, out=told.append)
        self.assertEqual(missed, 0, '\n'.join(told))
        self.assertGreaterEqual(len(told), 10)

    def test_the_product_has_neither_defects_nor_the_durable_log(self):
        program = (pathlib.Path(BUILD) / 'gateway' / 'smart-gateway').read_bytes()
        for name in (b'SMART_GATEWAY_DEFECT', b'SMART_GATEWAY_DURABLE_LOG_FD'):
            self.assertNotIn(name, program)


if __name__ == '__main__':
    unittest.main()
