# SPDX-License-Identifier: Apache-2.0
"""The configuration's own checks, and the JSON Schema, against one list of cases."""
import json
import os

import lab

FOLDER = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(lab.PROJECT, "ebs", "config.schema.json")


def cases():
    with open(os.path.join(FOLDER, "config-cases.json"), encoding="utf-8") as file:
        for case in json.load(file):
            yield case, case["text"] if "text" in case else json.dumps(case["config"])


class Config(lab.Case):
    def check(self, text):
        path = os.path.join(self.tmp, "config.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return self.run_tool("al2023-bootstrap", "--check-config", path)

    def test_every_case_is_judged_as_it_should_be(self):
        for case, text in cases():
            with self.subTest(case["name"]):
                result = self.check(text)
                self.assertEqual(result.status, 0 if case["valid"] else 2, result)
                if not case["valid"]:
                    self.assertIn(case["says"], result.err)
                    self.assertEqual(result.err.count("\n"), 1, result)

    def test_the_schema_judges_as_the_program_does(self):
        jsonschema = self.need_module("jsonschema")
        with open(SCHEMA, encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(schema)
        validator = jsonschema.Draft7Validator(schema)
        for case, _ in cases():
            if "config" not in case:
                continue
            with self.subTest(case["name"]):
                # "schema": what one value says of another is beyond a schema, which then lets it pass.
                expected = case["valid"] or case.get("schema", False)
                self.assertEqual(validator.is_valid(case["config"]), expected)

    def test_nesting_without_end_is_refused(self):
        for text in ("[" * 100000, '{"volumes":' * 5000, "[" * 5000 + "]" * 5000):
            result = self.check(text)
            self.assertEqual(result.status, 2, result)
            self.assertLess(len(result.err), 500)

    def test_a_large_file_is_refused(self):
        result = self.check('{"version": 1, "volumes": [' + " " * 300000 + "]}")
        self.assertNotEqual(result.status, 0, result)
        self.assertIn("262144", result.err)

    def test_noise_is_refused(self):
        path = os.path.join(self.tmp, "noise")
        for _ in range(20):
            with open(path, "wb") as file:
                file.write(os.urandom(16384))
            result = self.run_tool("al2023-bootstrap", "--check-config", path)
            self.assertEqual(result.status, 2, result)

    def test_a_file_that_is_not_there_is_absent(self):
        result = self.run_tool("al2023-bootstrap", "--check-config", os.path.join(self.tmp, "none"))
        self.assertEqual(result.status, 4, result)

    def test_json_says_the_error_as_an_object(self):
        path = os.path.join(self.tmp, "config.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write("{}")
        result = self.run_tool("al2023-bootstrap", "--json", "--check-config", path)
        self.assertEqual(result.json["exit-status"], 2, result)
        self.assertIn("version", result.json["error"])
