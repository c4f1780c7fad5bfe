# SPDX-License-Identifier: Apache-2.0
"""What the README shows is what there is."""

import json
import os
import re

import lab

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONFIGURATION = re.compile(r'^\{"version": 1.*?\]\}$', re.MULTILINE | re.DOTALL)


def read(*parts):
    with open(os.path.join(lab.PROJECT, *parts), encoding="utf-8") as file:
        return file.read()


class Readme(lab.Case):
    def setUp(self):
        super().setUp()
        self.text = read("README.md")

    def test_the_table_of_binaries_has_those_that_are_built(self):
        section = self.text.split("## What there is")[1].split("\n## ")[0]
        named = re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)
        built = [name for name in os.listdir(lab.BUILD)
                 if os.path.isfile(self.tool(name)) and os.access(self.tool(name), os.X_OK)]
        self.assertEqual(sorted(named), sorted(built))

    def test_its_configurations_are_good(self):
        found = [match for _, block in BLOCK.findall(self.text) for match in CONFIGURATION.findall(block)]
        self.assertTrue(found)
        for text in found:
            path = os.path.join(self.tmp, "config.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            result = self.run_tool("al2023-bootstrap", "--check-config", path)
            self.assertEqual(result.status, 0, result)

    def test_its_json_is_json(self):
        for kind, block in BLOCK.findall(self.text):
            if kind == "json":
                json.loads(block)

    def test_every_key_of_the_configuration_is_explained(self):
        schema = json.loads(read("ebs", "config.schema.json"))["definitions"]
        for part in ("volume", "source", "create"):
            for key in schema[part]["properties"]:
                self.assertRegex(self.text, r'[`"]%s[`"]' % re.escape(key))

    def test_every_link_leads_somewhere(self):
        for target in re.findall(r"\]\(([^)#]+)\)", self.text):
            self.assertTrue(os.path.exists(os.path.join(lab.PROJECT, target)), target)
