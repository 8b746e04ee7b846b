"""The C++ and the Python reader see the same in every batch, and refuse the same damage."""
import json
import os
import random
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import batches  # noqa: E402
from batches import read_batch  # noqa: E402

BUILD = os.environ["BUILD_DIR"]
SEED = int(os.environ.get("SEED", "20260801"))


def refused(message):
    try:
        read_batch.decode(message)
    except read_batch.BatchError:
        return True
    return False


def resealed(message):
    """The message with a checksum that matches, so that the checks behind it are reached."""
    at = read_batch.Table(message).place(17, 4)
    blank = message[:at] + bytes(4) + message[at + 4:]
    return blank[:at] + read_batch.crc32c(blank).to_bytes(4, "little") + blank[at + 4:]


class Agreement(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        source = random.Random(SEED)
        cls.wanted = [batches.random_batch(source) for _ in range(300)]
        cls.hex = batches.run_tool(BUILD, "encode", map(json.dumps, cls.wanted))
        cls.seen = [json.loads(line) for line in batches.run_tool(BUILD, "decode", cls.hex)]

    def test_both_readers_give_back_what_was_encoded(self):
        for wanted, digits, seen in zip(self.wanted, self.hex, self.seen, strict=True):
            mine = batches.as_json(read_batch.decode(bytes.fromhex(digits)))
            self.assertEqual(mine, seen, f"seed {SEED}")
            for reading in mine.get("readings", []):
                del reading["mix"]
            self.assertEqual(mine, wanted, f"seed {SEED}")

    def test_every_kind_lane_quality_and_both_contents_occurred(self):
        readings = [reading for batch in self.seen for reading in batch.get("readings", [])]
        self.assertEqual({reading["kind"] for reading in readings}, set(batches.KINDS))
        self.assertEqual({reading["quality"] for reading in readings}, set(range(7)))
        self.assertEqual({batch["lane"] for batch in self.seen}, set(batches.LANES))
        self.assertTrue(any("tombstone" in batch for batch in self.seen))

    def test_both_show_the_same_values(self):
        source, asked, mine = random.Random(SEED), [], []
        for _ in range(3000):
            kind = source.choice(batches.KINDS[1:6])
            value = batches.random_value(source, kind)
            scale = source.choice(["1", "0.1", "1000", "5/9", "-1/7", "1/512", "0.36", "1e-9", "22/7"])
            offset = source.choice(["0", "0", "-160/9", "273.15", "-40"])
            asked.append(json.dumps({"kind": kind, "value": value, "scale": scale, "offset": offset}))
            raw = read_batch.Reading(1, 1, 0, 0, batches.KINDS.index(kind), value & read_batch.MASK64, None, 0, 0)
            text, is_number = read_batch.shown(raw.value, raw.kind, Fraction(scale), Fraction(offset))
            mine.append("nothing" if text is None else ("number " if is_number else "string ") + text)
        for question, cpp, python in zip(asked, batches.run_tool(BUILD, "show", asked), mine, strict=True):
            self.assertEqual(cpp, python, f"{question}, seed {SEED}")

    def test_no_damaged_byte_passes_either_reader(self):
        source, damaged = random.Random(SEED), []
        for digits in self.hex[:100]:
            message = bytearray.fromhex(digits)
            message[source.randrange(len(message))] ^= 1 << source.randrange(8)
            damaged.append(bytes(message))
            damaged.append(bytes(message[:source.randrange(len(message))]))
        for message, answer in zip(damaged, batches.run_tool(BUILD, "decode", map(bytes.hex, damaged)), strict=True):
            self.assertIn("refused", json.loads(answer), message.hex())
            self.assertTrue(refused(message), message.hex())

    def test_both_agree_on_damage_under_a_right_checksum(self):
        source, damaged = random.Random(SEED), []
        for digits in self.hex:
            for _ in range(4):
                message = bytearray.fromhex(digits)
                for _ in range(source.randint(1, 3)):
                    message[source.randrange(min(len(message), 400))] = source.choice([0, 1, 7, 255, source.randrange(256)])
                try:
                    damaged.append(resealed(bytes(message)))
                except (read_batch.BatchError, TypeError):  # so broken that there is no checksum to find
                    damaged.append(bytes(message))
        answers = batches.run_tool(BUILD, "decode", map(bytes.hex, damaged))
        different = [(message.hex(), answer[:200]) for message, answer in zip(damaged, answers, strict=True)
                     if refused(message) != answer.startswith('{"refused"')]
        self.assertEqual(different[:3], [], f"{len(different)} of {len(damaged)}, seed {SEED}")
        self.assertGreater(sum(map(refused, damaged)), 100)


if __name__ == "__main__":
    unittest.main()
