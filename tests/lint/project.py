# SPDX-License-Identifier: Apache-2.0
"""What there is to check: the files of the tree, and what the Makefile knows about them."""

import os
import shlex
import shutil
import subprocess
from typing import NamedTuple

SKIPPED_FOLDERS = {".git", "__pycache__"}


class Missing(Exception):
    """A check cannot run here, with the reason."""


class Finding(NamedTuple):
    path: str
    line: int
    text: str

    def order(self):
        return (self.path, self.line, self.text)

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def need_program(name):
    """The path of a program, or Missing."""
    path = shutil.which(name)
    if not path:
        raise Missing(f"{name} is not installed")
    return path


def run_program(arguments, cwd, env=None):
    """Runs to the end with output of both kinds as one text."""
    return subprocess.run(arguments, cwd=cwd, env=env, text=True, errors="replace", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


class Project:
    """The tree below root. Paths are relative to it, with slashes."""

    def __init__(self, root, files=None):
        self.root = root
        self.build = os.path.abspath(os.path.join(root, os.environ.get("B") or "build"))
        self._text = dict(files or {})
        self.files = sorted(files) if files is not None else sorted(self._walk())
        self._make = None

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not self._is_skipped(folder, name)]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root).replace(os.sep, "/")

    def _is_skipped(self, folder, name):
        at_top = folder == self.root
        path = os.path.join(folder, name)
        return name in SKIPPED_FOLDERS or path == self.build or (at_top and name.startswith("build"))

    def text(self, path):
        """The text of a file, "" for what is not text."""
        if path not in self._text:
            with open(os.path.join(self.root, path), "rb") as file:
                data = file.read()
            self._text[path] = "" if b"\0" in data else data.decode("utf-8", "replace")
        return self._text[path]

    def is_binary(self, path):
        """Whether the file is no text: corpora and the like."""
        with open(os.path.join(self.root, path), "rb") as file:
            return b"\0" in file.read(65536)

    def interpreter(self, path):
        """The program that a script names in its first line, without its folder; "" for other files."""
        first = self.text(path).split("\n", 1)[0]
        if not first.startswith("#!"):
            return ""
        words = first[2:].split()
        name = os.path.basename(words[0]) if words else ""
        return os.path.basename(words[1]) if name == "env" and len(words) > 1 else name

    def sources(self, *endings):
        """The files with one of these endings."""
        return [path for path in self.files if path.endswith(endings)]

    def layers(self):
        """The rooms in their order: a list of lists of peers."""
        lines = (line.split("#")[0].strip() for line in self.text("tests/lint/layers").splitlines())
        return [[room.strip() for room in line.split("|")] for line in lines if line]

    def make(self, variable):
        """The words of one of the Makefile's variables."""
        if self._make is None:
            names = ("ROOMS", "mains", "pages", "binaries", "shims", "CPPFLAGS_ALL")
            rule = "lint-print:;@:" + "".join(f"$(info {name}={'$'}({name}))" for name in names)
            environment = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
            done = run_program(["make", "-s", "--no-print-directory", f"--eval={rule}", "lint-print",
                                f"B={self.build}"], self.root, environment)
            if done.returncode:
                raise Missing(f"make does not print its variables: {done.stdout.strip()}")
            pairs = (line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
            self._make = {name: shlex.split(words) for name, words in pairs}
        return self._make[variable]

    def is_main(self, path):
        """Whether a file is a binary's own."""
        return path in self.make("mains")

    def is_product(self, path):
        """Whether a file is part of the binaries, not of their tests."""
        return path.split("/")[0] != "tests"
