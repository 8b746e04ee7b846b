"""`profile lint` on the examples, and on broken copies of them: it names the line and says what to write."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GOOD = SOURCE / "tests/data/config/good"
TEMPLATES = SOURCE / "schemas/templates"
GATEWAY = pathlib.Path(os.environ["BUILD_DIR"]) / "gateway/smart-gateway"
METER, ROAD, AIR, WATER, TOLD = (
    f"{name}.profile.toml" for name in
    ("energy-meter.schneider-iem3155", "road-weather.ntcip1204-ess", "air-quality.purpleair-pa-ii", "water-meter.pulse",
     "told"))

# (profile, what stands there, what is written instead, what the mistake says)
BROKEN = [
    (METER, 'quantity = "electrical.voltage"', 'quantity = "electrical.voltages"', 'the nearest is "electrical.voltage"'),
    (METER, 'unit     = "V"', 'unit     = "volt"', 'write a unit of voltage: "V"'),
    (METER, 'unit     = "W"', 'unit     = "Hz"', "is a unit of frequency, but electrical.power.active is a power"),
    (METER, 'type = "float32", words = "big" }\nmissing  = ["nan"]\nvalid    = [60.0', 'type = "float", words = "big" }\n'
     'missing  = ["nan"]\nvalid    = [60.0', 'is not allowed here'),
    (METER, 'address = 3028, base = 1', 'address = 3028', "is missing; write a number from 0 to 1"),
    (METER, 'address = 3204, base = 1', 'address = 65535, base = 1', "reaches past the last register"),
    (METER, 'address = 130, base = 1', 'address = 0, base = 1', "address 0 does not exist when base = 1"),
    (METER, 'when     = { below = 105.0', 'when     = { below = 30.0', "write one from 60 to 330"),
    (METER, 'clear    = { above = 108.0', 'clear    = { above = 100.0', "leave a gap between them"),
    (METER, 'range  = [59.5, 60.5]', 'range  = [59.5, 70.5]', "write one from 45 to 65"),
    (METER, 'matches  = "^Schneider Electric$"', 'matches  = "(Schneider"', "is not"),
    (METER, 'poll     = "60s"\nreport   = { deadband = 0.1', 'poll     = 60\nreport   = { deadband = 0.1', 'write "60s"'),
    (METER, 'max = "5m" }', 'max = "5s" }', "at least as long as poll"),
    (METER, 'of     = "active_power_total"', 'of     = "active_power"', 'the nearest is "active_power_total"'),
    (METER, 'class    = "billing"', 'class    = "bill"', '"billing"'),
    (METER, 'severity = "warning"', 'severity = "warn"', '"warning"'),
    (METER, 'firmware = ">=1.3"', 'firmware = "1.3 or later"', '">=1.3, <2"'),
    (METER, 'publish  = "open"', 'publish  = "public"', 'one of "open", "agency", "restricted"'),
    (METER, 'expect    = { voltage_l1_n = 230.4', 'expect    = { voltage_l1 = 230.4', 'the nearest is "voltage_l1_n"'),
    (METER, 'scale    = 1000 ', 'scale    = "raw * 1000" ', "write a decimal such as 0.1, or a fraction"),
    (METER, 'scale    = 1000 ', 'formula  = "raw * 1000" ', "a profile does not compute"),
    (ROAD, 'enum     = { 1 = "other", 2 = "none"', 'enum     = { one = "other", 2 = "none"', 'write 1 = "name"'),
    (ROAD, 'bad_enum = ["error"]', 'bad_enum = ["broken"]', '"broken" is not in the enum of surface_status'),
    (ROAD, 'point    = "ice_or_water_depth"', 'point    = "ice_depth"', "there is no point"),
    (ROAD, 'oid = ".2.5.2.1.3.{i}"', 'oid = ".2.5.2.1.3.1"', "every row would read the same; write {i} in it"),
    (ROAD, 'each     = { count = ".2.5.1.0", max = 8 }', 'each     = { count = ".2.5.1.0", max = 800 }',
     "write one from 1 to 256"),
    (AIR, 'points   = ["pm2_5_a", "pm2_5_b"]', 'points   = ["pm2_5_a", "relative_humidity"]', "write points of one unit"),
    (AIR, 'read     = { at = "/pm2_5_cf_1_b", optional = true }', 'read     = { at = "pm2_5_cf_1_b", optional = true }',
     "is not"),
    (AIR, 'offset   = "-160/9"', 'offset   = "-160/0"', "write a decimal such as 0.1"),
    (AIR, 'check  = "counters-agree"', 'check  = "counters"', "there is no [[check]] with this id"),
    (WATER, 'scale    = { parameter = "litres_per_pulse"', 'scale    = { parameter = "litre_per_pulse"',
     "there is no [[parameter]] with this id"),
    (WATER, 'default  = 0', 'default  = -5', "is outside the range"),
    (TOLD, '1 = "L/s"', '1 = "l/s"', 'the nearest is "L/s"'),
    (TOLD, 'points = ["flow", "volume"]', 'points = ["flow", "volumes"]', 'the nearest is "volume"'),
    (TOLD, 'stale  = "10m"', 'stale  = "5s"', "write a longer one"),
    (TOLD, 'step = 2, ', '', "write step, from one row's address to the next one's"),
    (METER, 'max_words  = 60', 'max_words  = 3', "transport.max_words allows 3"),
]


def lint(text, folder):
    path = folder / "device.profile.toml"
    path.write_text(text)
    done = subprocess.run([GATEWAY, "profile", "lint", path], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


class Lint(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def test_the_examples_are_clean(self):
        for name in (METER, ROAD, AIR, WATER, TOLD):
            text = (GOOD / name).read_text()
            if "[[example]]" not in text:  # a final profile has one; these show other things
                text = text.replace('"final"', '"draft"')
            with self.subTest(name):
                self.assertEqual(lint(text, self.folder), (0, ""))

    def test_a_broken_copy_has_its_line_named_and_is_told_what_to_write(self):
        self.assertGreaterEqual(len(BROKEN), 30)
        for name, whole, broken, says in BROKEN:
            text = (GOOD / name).read_text()
            if "[[example]]" not in text:
                text = text.replace('"final"', '"draft"')
            self.assertEqual(text.count(whole), 1, f"{name}: {whole}")
            at = text.index(whole)
            before = os.path.commonprefix([whole, broken])
            line = text[:at + len(before)].count("\n") + 1
            with self.subTest(f"{name}: {broken}"):
                code, mistakes = lint(text.replace(whole, broken), self.folder)
                self.assertEqual(code, 1)
                lines = mistakes.splitlines()
                told = [each for each in lines if says in each]
                self.assertEqual(len(told), 1, mistakes)
                self.assertLessEqual(len(lines), 3, mistakes)
                place = re.match(r".*\.toml:(\d+):(\d+): ", told[0])
                if says != "transport.max_words allows 3":  # the read is what does not fit
                    self.assertEqual(int(place[1]), line, told[0])

    def test_the_examples_run(self):
        for name in (METER, TOLD):
            done = subprocess.run([GATEWAY, "profile", "test", GOOD / name], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def answers(self, *arguments):
        """Of `profile …  --json`: the exit code and its lines; nothing else is said."""
        done = subprocess.run([GATEWAY, "profile", *arguments, "--json"], capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def test_programs_are_told_too(self):
        broken = self.folder / "broken.profile.toml"
        broken.write_text((GOOD / METER).read_text().replace('unit     = "V"', 'unit     = "volt"', 1))
        code, (bad, good, gone) = self.answers("lint", broken, GOOD / METER, self.folder / "gone.toml")
        self.assertEqual((code, good), (1, {"file": str(GOOD / METER), "ok": True, "mistakes": [], "note": ""}))
        self.assertEqual((bad["ok"], gone["ok"]), (False, False))
        self.assertRegex(bad["mistakes"][0], r'broken.profile.toml:\d+:\d+: .*write a unit of voltage: "V"')

        code, (tested,) = self.answers("test", GOOD / METER)
        self.assertEqual((code, tested["ok"], tested["differences"]), (0, True, []))
        self.assertGreater(tested["readings"], 3)
        wrong = self.folder / "wrong.profile.toml"
        wrong.write_text((GOOD / METER).read_text().replace("voltage_l1_n = 230.4", "voltage_l1_n = 231.4"))
        code, (tested,) = self.answers("test", wrong)
        self.assertEqual((code, tested["ok"], len(tested["differences"])), (1, False, 1))

        code, (shown,) = self.answers("show", GOOD / METER)
        document = tomllib.loads((GOOD / METER).read_text())
        self.assertEqual((code, {point["id"] for point in shown["points"]}),
                         (0, {point["id"] for point in document["point"] if not point.get("hidden")}))
        self.assertEqual({alarm["id"] for alarm in shown["alarms"]}, {alarm["id"] for alarm in document["alarm"]})
        self.assertGreater(sum(request["bytes"] for request in shown["requests"]), 20)


class New(unittest.TestCase):
    def test_a_new_profile_lints_whatever_the_driver_and_category(self):
        drivers = [path.name.split(".")[0] for path in TEMPLATES.glob("*.profile.toml")]
        self.assertIn("modbus", drivers)
        for driver in drivers:
            for category in ("water-meter", "energy-meter", "air-quality", "cat"):
                with self.subTest(f"{driver} {category}"), tempfile.TemporaryDirectory() as folder:
                    text = subprocess.run([GATEWAY, "profile", "new", "--category", category, "--driver", driver],
                                          capture_output=True, text=True, check=True).stdout
                    self.assertIn(f'category = "{category}"', text)
                    tomllib.loads(text)
                    self.assertEqual(lint(text, pathlib.Path(folder)), (0, ""))

    def test_its_example_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "new.profile.toml"
            path.write_text(subprocess.run([GATEWAY, "profile", "new", "--category", "gas-analyser", "--driver", "modbus"],
                                           capture_output=True, text=True, check=True).stdout)
            subprocess.run([GATEWAY, "profile", "test", path], check=True, stdout=subprocess.DEVNULL)

    def test_an_unknown_driver_is_told_the_known_ones(self):
        done = subprocess.run([GATEWAY, "profile", "new", "--category", "x", "--driver", "modbuss"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 64)
        self.assertIn("modbus", done.stderr)


class Find(unittest.TestCase):
    def find(self, word):
        done = subprocess.run([GATEWAY, "profile", "find", word], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def test_by_model_order_number_and_contract(self):
        for word in ("iem3155", "A9MEM3155", "EXAMPLE-25-416CMS-0001"):
            code, text = self.find(word)
            self.assertEqual(code, 0, word)
            self.assertIn("il.energy-meter.schneider-iem3155", text)
            self.assertIn("contract EXAMPLE-25-416CMS-0001, line 0040: A9MEM3155", text)

    def test_the_lines_to_paste_are_a_site(self):
        _, text = self.find("iem3155")
        lines = [line.strip() for line in text.splitlines() if re.match(r"    (\[\[device|id =|profile =|connect =)", line)]
        device = tomllib.loads("\n".join(lines[:4]))["device"][0]
        self.assertEqual(device["profile"], "il.energy-meter.schneider-iem3155")
        self.assertEqual(device["connect"], {"tcp": "192.0.2.1:502", "unit": 1})

    def test_a_folder_of_ones_own_replaces_the_shipped_one(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(GOOD / TOLD, folder)
            done = subprocess.run([GATEWAY, "profile", "list", "--json"], capture_output=True, text=True, check=True,
                                  env={**os.environ, "SMART_GATEWAY_PROFILES": folder})
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout)

    def test_nothing_is_said_with_1(self):
        self.assertEqual(self.find("no-such-thing"), (1, ""))


class Show(unittest.TestCase):
    def test_requests_bytes_and_seconds(self):
        text = subprocess.run([GATEWAY, "profile", "show", "il.energy-meter.schneider-iem3155"], capture_output=True,
                              text=True, check=True).stdout
        self.assertRegex(text, r"every \d+ s: holding \d+ to \d+: .*, \d+ bytes, \d+ ms on a serial line")
        self.assertRegex(text, r"In an hour \d+ requests, \d+ bytes, \d+ seconds on a serial line")

    def test_what_is_read_for_others_is_in_the_request(self):
        text = subprocess.run([GATEWAY, "profile", "show", GOOD / TOLD], capture_output=True, text=True, check=True).stdout
        self.assertIn("flow, flow.unit, flow.status", text)
        self.assertNotRegex(text, r"(?m)^  flow\.unit")


if __name__ == "__main__":
    unittest.main()
