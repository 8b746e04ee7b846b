"""What was written in version 1 is read today, by both readers; the worked example of the protocol page is such a file."""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/support"))
import batches  # noqa: E402
from batches import read_batch  # noqa: E402

BUILD = os.environ["BUILD_DIR"]
GOLDEN = SOURCE / "tests/data/v1"
READER = SOURCE / "schemas/read_batch.py"
MESSAGES = {path.stem: path.read_bytes() for path in sorted(GOLDEN.glob("*.ssb"))}
LINES_OF = ("smallest", "kinds", "qualities", "alarm", "control", "tombstone", "tombstone-unknown")  # in lines.jsonl
PAGE = (SOURCE / "schemas/protocol.md").read_text()


def expected(name):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def run_reader(*arguments, data=b""):
    done = subprocess.run(["/usr/bin/python3", "-B", READER, *arguments], input=data, capture_output=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


class Golden(unittest.TestCase):
    def test_both_readers_see_what_was_written(self):
        self.assertGreaterEqual(len(MESSAGES), 8)
        answers = batches.run_tool(BUILD, "decode", map(bytes.hex, MESSAGES.values()))
        for (name, message), answer in zip(MESSAGES.items(), answers, strict=True):
            with self.subTest(name):
                self.assertEqual(json.loads(answer), expected(name))
                self.assertEqual(batches.as_json(read_batch.decode(message)), expected(name))

    def test_the_lines_are_those_beside_them(self):
        files = [GOLDEN / f"{name}.ssb" for name in LINES_OF]
        status, lines, _ = run_reader("--dict", GOLDEN / "dictionary.json", *files)
        wanted = [json.loads(line) for line in (GOLDEN / "lines.jsonl").read_text().splitlines()]
        for line in lines + wanted:  # the command does not know the org of a message without dictionaries
            line.pop("org")
        self.assertEqual((status, lines), (0, wanted))

    def test_the_receiver_writes_the_same_lines(self):
        receiver, seen = pathlib.Path(BUILD) / "gateway/receiver/smart-receiver", []
        for name in LINES_OF:
            done = subprocess.run([receiver, "decode", GOLDEN / f"{name}.ssb", "--dictionary", GOLDEN / "dictionary.json"],
                                  capture_output=True, text=True, check=True)
            seen += [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        wanted = [json.loads(line) for line in (GOLDEN / "lines.jsonl").read_text().splitlines()]
        self.assertEqual(seen, wanted)

    def test_the_large_one_is_compressed(self):
        seen = expected("large")
        self.assertLess(len(MESSAGES["large"]), 2 * seen["count"])
        total = sum(int(reading["mix"], 16) for reading in seen["readings"]) % 2**64
        self.assertEqual(read_batch.decode(MESSAGES["large"]).sum(), total)


class Command(unittest.TestCase):
    def test_it_reads_what_mosquitto_sub_writes(self):
        message = MESSAGES["smallest"]
        for arguments, data in ((["-"], message), (["-"], message + b"\n"), (["--hex", "-"], message.hex().encode() + b"\n")):
            status, lines, _ = run_reader(*arguments, data=data)
            self.assertEqual(status, 0)
            self.assertEqual([(line["line"], line["value"]) for line in lines], [("raw", 2304)])

    def test_it_says_why_it_refuses(self):
        message = bytearray(MESSAGES["smallest"])
        message[-8] ^= 1
        status, lines, error = run_reader("-", data=bytes(message))
        self.assertEqual((status, lines), (1, []))
        self.assertIn("checksum", error)


class Page(unittest.TestCase):
    def test_the_worked_example_is_the_file(self):
        dump = re.findall(r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} )+) +\S", PAGE.split("\n## 10. ")[1], re.MULTILINE)
        seen = b""
        for position, digits in dump:
            self.assertEqual(int(position, 16), len(seen))
            seen += bytes.fromhex(digits)
        self.assertEqual(seen, MESSAGES["smallest"])

    def test_its_mix_and_line_are_those_of_the_file(self):
        reading = expected("smallest")["readings"][0]
        self.assertIn(f"is `{reading['mix']}`", PAGE)
        line = re.search(r"```json\n(.*)\n```", PAGE.split("\n## 10. ")[1]).group(1)
        self.assertEqual(json.loads(line), json.loads((GOLDEN / "lines.jsonl").read_text().splitlines()[0]))

    def test_its_dictionary_has_the_hash(self):
        text = (GOLDEN / "dictionary.json").read_bytes()
        self.assertIn(hashlib.sha256(text).hexdigest()[:16], PAGE)

    def test_the_causes_of_the_page_are_those_of_the_reader(self):
        table = re.findall(r"(\d+) \| ([a-z_]+)(?= \|)", PAGE.split("**Cause**")[1].split("256 + N")[0])
        self.assertEqual({int(code): name for code, name in table}, dict(enumerate(read_batch.CAUSES[1:], 1)))


if __name__ == "__main__":
    unittest.main()
