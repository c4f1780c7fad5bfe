# SPDX-License-Identifier: Apache-2.0
"""What every binary does alike: its command line, its exit statuses, its standard output, its deadline."""

import functools
import json
import os
import re
import signal
import socket
import subprocess

import lab

COMMON = ("--json", "--quiet", "--verbose", "--dry-run", "--deadline", "--root", "--help", "--version")


def tools():
    """The binaries that were built."""
    names = sorted(os.listdir(lab.BUILD))
    paths = [os.path.join(lab.BUILD, name) for name in names]
    return [name for name, path in zip(names, paths) if os.path.isfile(path) and os.access(path, os.X_OK)]


def operands(help_text):
    """The operands that a tool cannot do without, from its usage: what no kind of bracket is around."""
    usage = re.search(r"^usage: \S+ (.*)$", help_text, re.MULTILINE).group(1)
    while re.search(r"[\[(][^][()]*[])]", usage):
        usage = re.sub(r"[\[(][^][()]*[])](?:\.\.\.)?", "", usage)
    return re.sub(r"--\S+(?: [A-Z]\S*)?", "", usage).split()


def with_every_tool(test):
    """Runs a test once for each binary."""
    @functools.wraps(test)
    def run(self):
        found = tools()
        self.assertTrue(found, "nothing was built in " + lab.BUILD)
        for name in found:
            with self.subTest(tool=name):
                test(self, name)
    return run


class EveryTool(lab.Case):
    def assert_usage(self, result, *texts):
        """Exit status 2, one line of error that begins with the tool's name, and nothing else."""
        self.assertEqual(result.status, 2, result)
        self.assertEqual(result.err.count("\n"), 1, result)
        self.assertTrue(result.err.startswith(os.path.basename(result.argv[0]) + ": "), result)
        for text in texts:
            self.assertIn(text, result.err)

    @with_every_tool
    def test_help_fits_a_terminal_and_names_every_common_option(self, name):
        result = self.run_tool(name, "--help")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertTrue(result.out.startswith(name + " - "), result)
        for line in result.out.splitlines():
            self.assertLessEqual(len(line), 80, line)
        for option in COMMON:
            self.assertIn("\n  " + option, result.out)

    @with_every_tool
    def test_version_is_the_name_and_a_number(self, name):
        result = self.run_tool(name, "--version")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, r"\A" + name + r" \d+\.\d+\.\d+\n\Z")

    @with_every_tool
    def test_an_unknown_option_is_a_usage_error_and_nothing_is_printed(self, name):
        for option in ("--bogus", "--bogus=1", "-z", "--force"):
            result = self.run_tool(name, option)
            self.assert_usage(result, option, name + " --help")
            self.assertEqual(result.out, "")

    @with_every_tool
    def test_a_missing_operand_is_a_usage_error(self, name):
        if operands(self.run_tool(name, "--help").out):
            self.assert_usage(self.run_tool(name), "operand is missing")

    @with_every_tool
    def test_an_operand_too_many_is_a_usage_error(self, name):
        if "..." not in self.run_tool(name, "--help").out.split("\nOptions:")[0].replace("[OPTION...]", ""):
            self.assert_usage(self.run_tool(name, *"abcdef"), "operand too many")

    @with_every_tool
    def test_a_deadline_is_a_number_of_seconds_within_a_week(self, name):
        for value in ("0", "604801", "-1", "5s", "", "99999999999999999999"):
            self.assert_usage(self.run_tool(name, "--deadline=" + value), "--deadline: '%s' is not a number" % value)

    @with_every_tool
    def test_an_option_without_its_value_is_a_usage_error(self, name):
        self.assert_usage(self.run_tool(name, "--root"), "--root needs a value")

    @with_every_tool
    def test_a_root_is_an_absolute_path(self, name):
        words = operands(self.run_tool(name, "--help").out)
        self.assert_usage(self.run_tool(name, "--root", "here", *words), "'here' is not an absolute path")

    @with_every_tool
    def test_with_json_a_usage_error_is_an_object_too(self, name):
        result = self.run_tool(name, "--json", "--bogus")
        self.assert_usage(result, "--bogus")
        self.assertEqual(result.json["exit-status"], 2)
        self.assertEqual(name + ": " + result.json["error"] + "\n", result.err)

    @with_every_tool
    def test_output_to_a_full_disk_is_a_failure(self, name):
        for option in ("--help", "--version"):
            with open("/dev/full", "wb") as full:
                result = self.run_tool(name, option, stdout=full)
            self.assertEqual(result.status, 1, result)
            self.assertIn("No space left on device", result.err)


class Results(lab.Case):
    def test_results_that_meet_a_full_disk_are_a_failure(self):
        with lab.Cloud() as cloud:
            for options in ([], ["--json"]):
                with open("/dev/full", "wb") as full:
                    result = self.run_tool("imds-get", *options, "meta-data/instance-id", env=cloud.env, stdout=full)
                self.assertEqual(result.status, 1, result)
                self.assertIn("write to standard output: No space left on device", result.err)


    def test_results_that_nobody_takes_are_a_failure_and_land_nowhere_else(self):
        for closed in ((1,), (0, 1), (0, 1, 2)):
            with self.subTest(closed=closed), lab.Cloud() as cloud, \
                    open(os.path.join(self.tmp, "err"), "w+", encoding="utf-8") as error:
                tool = subprocess.run(
                    [self.tool("imds-get"), "meta-data/instance-id"], stderr=error, check=False, timeout=60,
                    env=lab.environment(cloud.env), preexec_fn=lambda: [os.close(fd) for fd in closed])
                error.seek(0)
                self.assertEqual(tool.returncode, 1)
                if 2 not in closed:
                    self.assertEqual(error.read(), "imds-get: write to standard output: Bad file descriptor\n")


class Deadline(lab.Case):
    """An IMDS that takes connections and never answers."""

    def setUp(self):
        super().setUp()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.server.close)
        self.env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:%d" % self.server.getsockname()[1]}

    def test_a_deadline_is_kept_and_a_later_try_may_succeed(self):
        result = self.run_tool("imds-get", "--deadline=1", "meta-data/instance-id", env=self.env)
        self.assertEqual((result.status, result.out), (75, ""), result)
        self.assertRegex(result.err, r"\Aimds-get: .*deadline.*\n\Z")

    def test_with_json_a_passed_deadline_is_an_object(self):
        result = self.run_tool("imds-get", "--deadline=1", "--json", "meta-data/instance-id", env=self.env)
        self.assertEqual(result.status, 75, result)
        self.assertEqual(result.json["exit-status"], 75)

    def stopped_by(self, number):
        """The status and error of a tool that gets a signal while it waits for IMDS."""
        with open(os.path.join(self.tmp, "err"), "w+") as error:
            tool = subprocess.Popen([self.tool("imds-get"), "--json", "meta-data/instance-id"], stdout=subprocess.PIPE,
                                    stderr=error, text=True, env=lab.environment(self.env))
            self.addCleanup(tool.stdout.close)
            self.addCleanup(tool.kill)
            self.server.settimeout(60)
            connection, _ = self.server.accept()
            with connection:
                tool.send_signal(number)
                status = tool.wait(60)
            error.seek(0)
            return status, tool.stdout.read(), error.read()

    def test_a_signal_ends_it_with_the_status_that_asks_for_another_try(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number.name):
                status, out, error = self.stopped_by(number)
                self.assertEqual(status, 75, error)
                self.assertIn("stopped by " + number.name, error)
                self.assertEqual(json.loads(out)["exit-status"], 75)
