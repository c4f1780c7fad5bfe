# SPDX-License-Identifier: Apache-2.0
"""Checks of documentation: man pages against option tables, comments in headers."""

import os
import re

import csource
import project
from project import Finding

HELP_COLUMNS = 80
HELP_OPTION = re.compile(r"^  --([a-z][a-z0-9-]*)", re.MULTILINE)
PAGE_FLAG = re.compile(r"\bFl (?:Fl |-|\\-)([a-z][a-z0-9-]*)")
PAGE_ITEM = re.compile(r"^\.It\b.*\bFl\b", re.MULTILINE)
SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES")
DECLARATION = re.compile(r"^(?!typedef|return|else)[a-z_][\w \t]*[ \t*]+(\w+)\(", re.MULTILINE)
KERNEL_DOC = re.compile(r"/\*\*\n \* (?:(struct|enum|union) )?(\w+) - .*?\*/\n", re.DOTALL)
DOC_NAME = re.compile(r"^ \* @(\w+|\.\.\.):", re.MULTILINE)


def pages(tree):
    """Every binary has a page, every page a binary; options stand in both; mandoc has nothing to say."""
    listed = {os.path.basename(path)[:-2]: path for path in tree.make("pages")}
    for path in tree.make("mains"):
        name = os.path.basename(path)[:-2]
        page = path[:-2] + ".8"
        if page not in tree.files:
            yield Finding(path, 1, f"has no man page '{page}'")
        binary = os.path.join(tree.build, name)
        if not os.path.exists(binary):
            yield Finding(path, 1, "is not built: run make first")
            continue
        done = project.run_program([binary, "--help"], tree.root)
        if done.returncode:
            yield Finding(path, 1, f"--help ends with status {done.returncode}")
            continue
        yield from help_columns(path, done.stdout)
        if page in tree.files:
            yield from page_faults(page, tree.text(page), name, done.stdout)
    for name, page in listed.items():
        if page[:-2] + ".c" not in tree.make("mains"):
            yield Finding(page, 1, f"the page of no binary: there is no '{name}'")
    yield from mandoc(tree, list(listed.values()))


def help_columns(path, text):
    for line in text.splitlines():
        if len(line) > HELP_COLUMNS:
            yield Finding(path, 1, f"--help has a line of {len(line)} columns: '{line.strip()}'")


def page_faults(page, text, name, help_text):
    """What differs between a page and the --help of its binary, and what a page lacks."""
    wanted = set(HELP_OPTION.findall(help_text))
    items = {}
    for number, line in enumerate(text.splitlines(), 1):
        if PAGE_ITEM.match(line):
            items.update((option, number) for option in PAGE_FLAG.findall(line))
    used = {option: csource.line_of(text, match.start()) for match in PAGE_FLAG.finditer(synopsis(text))
            for option in [match.group(1)]}
    for option in sorted(wanted - set(items)):
        yield Finding(page, 1, f"has no item for --{option}, which {name} --help lists")
    for option in sorted((set(items) | set(used)) - wanted):
        yield Finding(page, items.get(option) or used[option], f"--{option} is no option of {name}")
    if not re.search(rf"^\.Nm {re.escape(name)}$", text, re.MULTILINE):
        yield Finding(page, 1, f"does not name '{name}'")
    for section in SECTIONS:
        if not re.search(rf"^\.Sh {section}$", text, re.MULTILINE):
            yield Finding(page, 1, f"has no section {section}")


def synopsis(text):
    """A page with everything but its SYNOPSIS taken out, lines kept."""
    begin = text.find(".Sh SYNOPSIS")
    end = text.find("\n.Sh ", begin + 1)
    if begin < 0:
        return ""
    return "\n" * text.count("\n", 0, begin) + text[begin:end if end > 0 else len(text)]


def mandoc(tree, listed):
    if not listed:
        return
    program = project.need_program("mandoc")
    done = project.run_program([program, "-Tlint", "-Wwarning", *listed], tree.root)
    for line in done.stdout.splitlines():
        match = re.match(r"mandoc: ([^:]+):(\d+):\d+: (.*)", line)
        if match:
            yield Finding(match.group(1), int(match.group(2)), match.group(3))


def headers(tree):
    """A header's guard is its path, its functions have comments, and comments name the parameters there are."""
    for path in tree.sources(".h"):
        if not tree.is_product(path):
            continue
        text = tree.text(path)
        parts = [re.sub(r"\W", "_", part).upper() for part in path.split("/")[-2:]]
        guard = "NODEVOL_" + "_".join(parts)
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            yield Finding(path, 1, f"the include guard is not {guard}")
        if "/**\n * DOC: " not in text:
            yield Finding(path, 1, 'no "DOC:" comment says what the header is for')
        yield from undocumented(path, text)
        yield from doc_names(path, text)


def undocumented(path, text):
    """Functions without a comment before them, or before the group of lines they stand in, or that names them."""
    code = csource.without_directives(csource.code_only(text))
    comments = csource.comments_only(text)
    for match in DECLARATION.finditer(code):
        begin = text.rfind("\n\n", 0, match.start())
        group = text[begin + 2 if begin >= 0 else 0:match.start()]
        named = match.group(1) + "()" in comments
        if "*/" not in group and not named and "static inline" not in match.group(0):
            yield Finding(path, csource.line_of(code, match.start()), f"{match.group(1)}() has no comment")


def doc_names(path, text):
    """@names of a kernel-doc comment that are not in what follows, and parameters that it leaves out."""
    code = csource.code_only(text)
    for match in KERNEL_DOC.finditer(text):
        kind, name = match.group(1), match.group(2)
        line = csource.line_of(text, match.start())
        end = re.compile(r"\n\}" if kind else r";").search(code, match.end())
        following = code[match.end():end.start() if end else len(code)]
        if not re.search(rf"\b{name}\b", following):
            yield Finding(path, line, f"the comment is about '{name}', which does not follow")
            continue
        said = DOC_NAME.findall(match.group(0))
        for word in said:
            if word != "..." and not re.search(rf"\b{word}\b", following):
                yield Finding(path, line, f"the comment of '{name}' names '{word}', which is not there")
        if kind:
            continue
        bracket = following.index("(", following.index(name))
        parameters = csource.split_parameters(following[bracket + 1:csource.closing(following, bracket)])
        for parameter in map(csource.parameter_name, parameters):
            if parameter and parameter not in said:
                yield Finding(path, line, f"the comment of {name}() says nothing of '{parameter}'")
