# SPDX-License-Identifier: Apache-2.0
"""Checks of plain text and of names."""

import os
import re

import csource
from project import Finding

COLUMNS = 128
LICENSE_LINE = "SPDX-License-Identifier: Apache-2.0"
CODE = (".c", ".h", ".py")
# These have no comments, or are read by people only, or are data that somebody else's program gave its form.
WITHOUT_LICENSE_LINE = (".md", ".json", ".txt", ".rst", ".xml", ".pem")
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
DRAWERS = {"util", "utils", "misc", "common", "helper", "helpers", "stuff", "lib"}
# Prefixes of the libraries that are linked: a stem that is one of them makes names look like theirs.
LIBRARY_STEMS = {"json", "curl", "mnt", "blkid", "ext2fs", "nvme", "error", "uuid"}


def is_code(tree, path):
    return path.endswith(CODE) or bool(tree.interpreter(path)) or os.path.basename(path) == "Makefile"


def is_data(tree, path):
    """Seeds of fuzzers, recorded answers and the like: their bytes are not ours to choose."""
    return "/corpus/" in path or "/data/" in path or tree.is_binary(path)


def text(tree):
    """Licence line, tabs, blanks, line length, words that mean unfinished."""
    for path in tree.files:
        if is_data(tree, path):
            continue
        content = tree.text(path)
        lines = content.split("\n")
        yield from license_line(tree, path, lines)
        if content and not content.endswith("\n"):
            yield Finding(path, len(lines), "no newline at the end of the file")
        if content.endswith("\n\n"):
            yield Finding(path, len(lines) - 1, "blank lines at the end of the file")
        for number, line in enumerate(lines, 1):
            fault = line_fault(tree, path, line)
            if fault:
                yield Finding(path, number, fault)
        if path.endswith((".c", ".h")):
            yield from indentation(path, content)


def license_line(tree, path, lines):
    name = os.path.basename(path)
    if path.endswith(WITHOUT_LICENSE_LINE) or name in ("LICENSE", ".gitignore", "layers.txt") or not any(lines):
        return
    at = 1 if lines[0].startswith("#!") else 0
    if LICENSE_LINE not in (lines[at] if at < len(lines) else ""):
        yield Finding(path, at + 1, f"the line is not '{LICENSE_LINE}' in a comment")


def line_fault(tree, path, line):
    """What is wrong with one line, None for nothing."""
    if line.endswith((" ", "\t", "\r")):
        return "blanks at the end of the line"
    match = UNFINISHED.search(line)
    if match:
        return f"'{match.group(1)}': finish it, or take it out"
    if is_code(tree, path) and len(line.expandtabs(8)) > COLUMNS:
        return f"{len(line.expandtabs(8))} columns, the measure is {COLUMNS}"
    if path.endswith(".py") and line.startswith((" ", "\t")) and "\t" in line[:len(line) - len(line.lstrip())]:
        return "a tab in Python's indentation"
    return None


def indentation(path, content):
    """C is indented with tabs; blanks only follow them, and only where a line goes on."""
    code = csource.code_only(content, keep_strings=True).split("\n")
    for number, line in enumerate(code, 1):
        if not line.strip():
            continue
        if line.startswith(" ") and not content.split("\n")[number - 1].lstrip().startswith(("*", "/*")):
            yield Finding(path, number, "indented with blanks")
        elif re.match(r"\t* +\t", line):
            yield Finding(path, number, "a blank before a tab")


def names(tree):
    """Files are named for a subject, folders are those of the map, every room has its README."""
    rooms = [room for peers in tree.layers() for room in peers]
    tops = {room.split("/")[0] for room in rooms}
    for top in sorted({path.split("/")[0] for path in tree.files if "/" in path}):
        if top not in tops and not top.startswith("."):
            yield Finding(top, 1, "a top-level folder that is not on the map (tests/lint/layers)")
    for top in sorted(tops):
        if not any(path.startswith(top + "/") for path in tree.files):
            yield Finding(top, 1, "a top-level folder of the map (tests/lint/layers) is missing")
    for path in tree.files:
        stem = os.path.splitext(os.path.basename(path))[0]
        if stem.lower() in DRAWERS:
            yield Finding(path, 1, "a drawer: name the file for its subject")
        if stem in LIBRARY_STEMS and path.endswith((".c", ".h")) and tree.is_product(path):
            yield Finding(path, 1, f"'{stem}' is the prefix of a library that is linked")
    folders = set(rooms) | {"/".join(path.split("/")[:2]) for path in tree.files if path.startswith("tests/")
                            and path.count("/") >= 2}
    for folder in sorted(folders):
        inside = [path for path in tree.files if path.startswith(folder + "/")]
        if inside and folder + "/README.md" not in tree.files:
            yield Finding(folder, 1, "a room without README.md")
