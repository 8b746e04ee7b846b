"""The JSON Schemas and the parser give every document the same verdict, and the vocabulary is whole.

A bad document whose second line is `# schema: accepts` has a mistake that a JSON Schema cannot see.
"""
import datetime
import json
import os
import pathlib
import subprocess
import tomllib
import unittest

import jsonschema

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = SOURCE / "schemas"
DOCUMENTS = SOURCE / "tests/data/config"
PROFILES = SCHEMAS / "profiles"
CHECK = pathlib.Path(os.environ["BUILD_DIR"]) / "tests/support/config_check"


def validator(path):
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALIDATORS = {kind: validator(SCHEMAS / f"{kind}.schema.json") for kind in ("site", "profile", "catalogue", "spec")}


def as_json(value):
    """What tomllib loaded, with dates as their texts."""
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value


def schema_mistakes(path, kind=None):
    try:
        document = as_json(tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [str(error)]
    kind = kind or path.name.split(".")[-2]
    return [f"{error.json_path}: {error.message[:200]}" for error in VALIDATORS[kind].iter_errors(document)]


def parsed(paths):
    """What config_check says of each file."""
    done = subprocess.run([CHECK, DOCUMENTS / "good", *paths], text=True, check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def parser_mistakes(paths):
    return {pathlib.Path(answer["file"]): answer["mistakes"] for answer in parsed(paths)}


def documents(folder):
    return sorted(folder.glob("*.toml"))


class Agreement(unittest.TestCase):
    def test_both_accept_every_good_document(self):
        paths = [path for path in documents(DOCUMENTS / "good") + documents(PROFILES)
                 if path.name.split(".")[-2] in ("site", "profile")]
        self.assertGreater(len(paths), 10)
        for path, mistakes in parser_mistakes(paths).items():
            with self.subTest(path.name):
                self.assertEqual(mistakes, [])
                self.assertEqual(schema_mistakes(path), [])

    def test_both_refuse_every_bad_document(self):
        paths = documents(DOCUMENTS / "bad")
        self.assertGreater(len(paths), 10)
        for path, mistakes in parser_mistakes(paths).items():
            with self.subTest(path.name):
                self.assertNotEqual(mistakes, [])
                hidden = (path.read_text(errors="replace").splitlines() + [""] * 2)[1] == "# schema: accepts"
                seen = schema_mistakes(path)
                self.assertEqual(hidden, seen == [], seen)

    def test_catalogues_and_specifications_fit_their_schema(self):
        paths = [path for path in documents(PROFILES) if not path.name.endswith(".profile.toml")]
        self.assertGreaterEqual(len(paths), 2)
        for path in paths:
            kind = "catalogue" if path.name == "catalogue.toml" else "spec"
            with self.subTest(path.name):
                self.assertEqual(schema_mistakes(path, kind), [])

    def test_an_unknown_key_is_a_mistake_everywhere(self):
        samples = {"site": DOCUMENTS / "good/complete.site.toml", "catalogue": PROFILES / "catalogue.toml",
                   "spec": next(PROFILES.glob("*.spec.toml"))}
        samples |= {path.name: path for path in documents(DOCUMENTS / "good") if path.name.endswith(".profile.toml")}
        free = {"enum", "set", "expect", "registers", "holding", "input", "settings", "oids", "files", "answers",
                "objects", "codes", "bits"}  # their keys are data
        for name, path in samples.items():
            kind = name if name in VALIDATORS else "profile"
            document = as_json(tomllib.loads(path.read_text()))
            for place, table in tables(document, ()):
                if not free.intersection(place):
                    table["surplus"] = 1
                    with self.subTest(f"{name} {place}"):
                        self.assertFalse(VALIDATORS[kind].is_valid(document))
                    del table["surplus"]


def tables(value, place):
    """Every table of a document with the keys that lead to it."""
    if isinstance(value, dict):
        yield place, value
        for key, each in list(value.items()):
            yield from tables(each, (*place, key))
    elif isinstance(value, list):
        for each in value:
            yield from tables(each, place)


class Messages(unittest.TestCase):
    def test_every_schema_is_one(self):
        paths = sorted((SCHEMAS / "messages").glob("*.schema.json"))
        self.assertEqual(len(paths), 7)
        for path in paths:
            with self.subTest(path.name):
                kind = path.name.split(".")[0]
                self.assertFalse(validator(path).is_valid({"schema": f"smartstate.{kind}/1"}))
                self.assertEqual(json.loads(path.read_text())["properties"]["schema"]["const"], f"smartstate.{kind}/1")

    def test_the_dictionaries_of_every_good_site_fit(self):
        fits = validator(SCHEMAS / "messages/dictionary.schema.json")
        texts = [text for site in parsed(sorted((DOCUMENTS / "good").glob("*.site.toml"))) for text in site["dictionaries"]]
        self.assertGreater(len(texts), 1)
        for text in texts:
            self.assertEqual([error.message for error in fits.iter_errors(json.loads(text))], [], text[:300])


class Shipped(unittest.TestCase):
    def test_every_profile_is_free_of_mistakes_and_reads_its_examples(self):
        gateway = pathlib.Path(os.environ["BUILD_DIR"]) / "gateway/smart-gateway"
        for path in sorted(PROFILES.glob("*.profile.toml")):
            for command in ("lint", "test"):
                with self.subTest(f"{command} {path.name}"):
                    done = subprocess.run([gateway, "profile", command, path], capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            profile = tomllib.loads(path.read_text())
            expected = {point for example in profile["example"] for point in example["expect"]}
            self.assertEqual(expected, {point["id"] for point in profile["point"]}, path.name)


class VocabularyTest(unittest.TestCase):
    def setUp(self):
        self.units = tomllib.loads((SCHEMAS / "units.toml").read_text())["unit"]
        self.quantities = tomllib.loads((SCHEMAS / "quantities.toml").read_text())["quantity"]

    def test_every_quantity_has_a_unit_or_none(self):
        dimensions = {unit["dimension"] for unit in self.units.values()} | {"none"}
        for name, quantity in self.quantities.items():
            with self.subTest(name):
                self.assertLessEqual({"title", "dimension"}, quantity.keys())
                self.assertIn(quantity["dimension"], dimensions)

    def test_every_unit_is_described_and_of_use(self):
        used = {quantity["dimension"] for quantity in self.quantities.values()}
        for name, unit in self.units.items():
            with self.subTest(name):
                self.assertLessEqual({"title", "symbol", "dimension"}, unit.keys())
                self.assertIn(unit["dimension"], used)


if __name__ == "__main__":
    unittest.main()
