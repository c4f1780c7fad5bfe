# SPDX-License-Identifier: Apache-2.0
"""Checks that other programs make: both compilers, cppcheck, clang-tidy, shellcheck, Python's own."""

import concurrent.futures
import hashlib
import os
import re
import warnings

import csource
import project
from project import Finding

# gcc, clang and cppcheck write "path:line:column: warning: text".
DIAGNOSTIC = re.compile(r"^(?:\./)?([^:\s]+):(\d+):(?:\d+:)? (?:fatal )?(?:warning|error): (.*)$")
MAKE_ERROR = re.compile(r"^make[^:]*: \*\*\*")


def processors():
    return len(os.sched_getaffinity(0))


def diagnostics(output):
    for line in output.splitlines():
        match = DIAGNOSTIC.match(line)
        if match:
            yield Finding(match.group(1), int(match.group(2)), match.group(3))


def built_from(tree, folder, path):
    """What the Makefile makes of a source file: the lab's have rules of their own."""
    if path in tree.make("shims"):
        return f"{folder}/{path[:-2]}.so"
    return f"{folder}/{path[:-2]}" if path.startswith("tests/lab/") else f"{folder}/obj/{path[:-2]}.o"


def builds(tree):
    """gcc and clang compile every C file of the tree and have nothing to say. What is unchanged is not built again."""
    missing = []
    for compiler in ("gcc", "clang"):
        try:
            project.need_program(compiler)
        except project.Missing as reason:
            missing.append(str(reason))
            continue
        folder = os.path.join(tree.build, "lint", compiler)
        targets = [built_from(tree, folder, path) for path in tree.sources(".c")]
        if not targets:
            continue
        environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "CFLAGS")}
        done = project.run_program(["make", "-k", "-s", "--no-print-directory", f"-j{processors()}", f"B={folder}",
                                    f"CC={compiler}", "WERROR=1", "D=", *targets], tree.root, environment)
        found = list(diagnostics(done.stdout))
        yield from (Finding(item.path, item.line, f"{compiler}: {item.text}") for item in found)
        if done.returncode and not found:
            said = [line for line in done.stdout.splitlines() if MAKE_ERROR.match(line)] or [done.stdout.strip()]
            yield Finding("Makefile", 1, f"{compiler}: {said[0]}")
    if missing:
        raise project.Missing(", ".join(missing))


def cppcheck(tree):
    """cppcheck finds nothing but what tests/lint/cppcheck.txt lets pass, each with its reason."""
    program = project.need_program("cppcheck")
    folder = os.path.join(tree.build, "lint", "cppcheck")
    os.makedirs(folder, exist_ok=True)
    done = project.run_program(
        [program, "--quiet", f"-j{processors()}", "--std=c11", "--enable=warning,performance,portability",
         "--inline-suppr", f"--cppcheck-build-dir={folder}", "--suppressions-list=tests/lint/cppcheck.txt",
         "--template={file}:{line}: warning: cppcheck: {message} [{id}]", "-I.", "-D_GNU_SOURCE", "-D__linux__",
         '-DNODEVOL_VERSION=""', *tree.sources(".c")], tree.root)
    yield from diagnostics(done.stdout)


def tidy(tree):
    """clang-tidy with the checks of .clang-tidy has nothing to say. What was clean and is unchanged is not asked."""
    program = project.need_program("clang-tidy")
    flags = tree.make("CPPFLAGS_ALL")
    stamps = os.path.join(tree.build, "lint", "tidy")
    os.makedirs(stamps, exist_ok=True)

    def check(path):
        stamp = os.path.join(stamps, fingerprint(tree, path, flags))
        if os.path.exists(stamp):
            return []
        output = project.run_program([program, "--quiet", path, "--", "-std=gnu11", *flags], tree.root).stdout
        found = [Finding(os.path.relpath(item.path, tree.root), item.line, item.text) for item in diagnostics(output)]
        if not found:
            with open(stamp, "w", encoding="ascii"):
                pass
        return found

    with concurrent.futures.ThreadPoolExecutor(processors()) as pool:
        for found in pool.map(check, tree.sources(".c")):
            yield from found


def fingerprint(tree, path, flags):
    """A name for the state of a source file: its text, that of all our headers it stands on, and how it is checked."""
    seen = []
    wanted = [path]
    while wanted:
        name = wanted.pop()
        if name in seen or name not in tree.files:
            continue
        seen.append(name)
        wanted += csource.INCLUDE.findall(tree.text(name))
    texts = [tree.text(name) for name in sorted(seen)] + [path, tree.text(".clang-tidy"), *flags]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def scripts(tree):
    """shellcheck is content with every script, told by its first line."""
    paths = [path for path in tree.files if tree.interpreter(path) in ("sh", "bash")]
    if not paths:
        return
    program = project.need_program("shellcheck")
    done = project.run_program([program, "--format=gcc", "--external-sources", *paths], tree.root)
    for line in done.stdout.splitlines():
        match = re.match(r"([^:]+):(\d+):\d+: (?:warning|error|note): (.*)", line)
        if match:
            yield Finding(match.group(1), int(match.group(2)), match.group(3))


def python(tree):
    """Every Python file compiles, without a warning; nothing is written beside it."""
    for path in tree.files:
        if not path.endswith(".py") and tree.interpreter(path) != "python3":
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                compile(tree.text(path), path, "exec", dont_inherit=True)
            except (SyntaxError, SyntaxWarning, DeprecationWarning) as fault:
                yield Finding(path, getattr(fault, "lineno", None) or 1, str(fault))
