# SPDX-License-Identifier: Apache-2.0
"""tests/run itself: what counts as passed, failed and skipped, and that nothing which dies is forgotten."""
import json
import os
import sys

import lab

RUN = os.path.join(lab.PROJECT, "tests", "run")
PYTHON_TESTS = """
import unittest
class T(unittest.TestCase):
    def test_a(self): pass
    def test_b(self): self.fail("because")
    def test_c(self): self.skipTest("no such thing")
    def test_d(self):
        with self.subTest(row=1): self.fail("row one")
        with self.subTest(row=2): pass
class Broken(unittest.TestCase):
    def setUpClass(): raise OSError("gone")
    def test_e(self): pass
"""


class Runner(lab.Case):
    def run_with(self, *words, must_run=None, **programs):
        """tests/run over unit test binaries that are shell scripts: name -> text."""
        folder = os.path.join(self.tmp, "build", "tests", "unit")
        os.makedirs(folder, exist_ok=True)
        for name, text in programs.items():
            path = os.path.join(folder, "test-" + name)
            with open(path, "w") as file:
                file.write("#!/bin/sh\n" + text)
            os.chmod(path, 0o755)
        env = lab.environment({"B": os.path.join(self.tmp, "build"), "MUST_RUN": must_run})
        return lab.run([sys.executable, RUN] + list(words or ["tests/unit"]), env)

    def assert_counts(self, result, passed, failed, skipped):
        counts = "%d passed, %d failed, %d skipped" % (passed, failed, skipped)
        self.assertEqual(result.out.splitlines()[-1], counts, result)
        self.assertEqual(result.status, 1 if failed else 0, result)

    def test_tap_is_counted(self):
        result = self.run_with(a="echo 1..3; echo 'ok 1 - works'; echo 'not ok 2 - breaks'; echo '# 1 != 2'\n"
                               "echo 'not ok 3 # SKIP waits'; exit 1", b="echo 1..1; echo 'ok 1 - also works'")
        self.assert_counts(result, 2, 1, 1)
        self.assertIn("FAIL unit/test-a: breaks\n", result.out)
        self.assertIn("==== unit/test-a: breaks\n# 1 != 2\n", result.out)

    def test_a_program_that_dies_is_one_failure_more(self):
        result = self.run_with(a="echo 1..2; echo 'ok 1 - works'; echo last words >&2; kill -SEGV $$")
        self.assert_counts(result, 1, 1, 0)
        self.assertIn("was killed by SIGSEGV after 1 of 2 tests", result.out)
        self.assertIn("last words", result.out)
        for text in ("exit 0", "echo 1..1; echo 'ok 1 - works'; exit 99", "echo 1..2; echo 'ok 1 - works'"):
            with self.subTest(text=text):
                self.assertEqual(self.run_with(a=text).status, 1)

    def test_a_skip_is_a_failure_where_all_must_run(self):
        self.assert_counts(self.run_with(a="echo 1..1; echo 'not ok 1 # SKIP waits'"), 0, 0, 1)
        self.assert_counts(self.run_with(a="echo 1..1; echo 'not ok 1 # SKIP waits'", must_run="1"), 0, 1, 0)

    def test_no_tests_are_a_failure(self):
        self.assert_counts(self.run_with(), 0, 1, 0)

    def test_every_outcome_of_a_python_file_is_recorded(self):
        path = os.path.join(self.tmp, "test_rows.py")
        with open(path, "w") as file:
            file.write(PYTHON_TESTS)
        result = lab.run([sys.executable, RUN, "--file", path], lab.environment({"TMPDIR": self.tmp}))
        self.assertEqual(result.status, 0, result)
        with open(os.path.join(self.tmp, "outcomes.jsonl")) as file:
            rows = [json.loads(line) for line in file]
        self.assertEqual([row.get("verdict") for row in rows], ["FAIL", "ok", "FAIL", "skip", "FAIL", None])
        self.assertIn("because", rows[2]["detail"])
        self.assertEqual(rows[3]["detail"], "no such thing")
        self.assertIn("row=1", rows[4]["detail"])
        self.assertTrue(rows[5]["complete"])
