# SPDX-License-Identifier: Apache-2.0
"""Checks of C source: who includes whom, how long things are, what is called."""

import ast
import os
import re

import csource
from project import Finding

FILE_LINES = 400
MAIN_LINES = 150
FUNCTION_LINES = 60
PARAMETERS = 5
REASON = "than the house's measure because"

# What is never called, and what to take instead.
BANNED = {
    "system": "a shell: use process_run()",
    "popen": "a shell: use process_run()",
    "sprintf": "unbounded: use snprintf()",
    "vsprintf": "unbounded: use vsnprintf()",
    "strcpy": "unbounded: use snprintf()",
    "strcat": "unbounded: use snprintf()",
    "strncpy": "leaves text without its NUL: use snprintf()",
    "strtok": "keeps state between calls: use strcspn()",
    "atoi": "takes anything for a number: use parse_u64()",
    "atol": "takes anything for a number: use parse_u64()",
    "atoll": "takes anything for a number: use parse_u64()",
    "atof": "takes anything for a number: use parse_u64()",
    "gets": "unbounded",
    "tmpnam": "a race: use mkostemp()",
    "tempnam": "a race: use mkostemp()",
    "mktemp": "a race: use mkostemp()",
    "alloca": "unbounded",
}
# Only in a binary's own file, in the command line's and in the log.
PRINTING = {"printf", "vprintf", "puts", "putchar", "perror", "exit", "err", "errx", "warn", "warnx"}
PRINTERS = ("bootstrap/base/cli", "bootstrap/base/log.c")
ENVIRONMENT = {"getenv", "secure_getenv", "setenv", "putenv"}
# What makes a descriptor that children would inherit unless it is told not to.
DESCRIPTORS = {"open", "open64", "openat", "openat2", "socket", "socketpair", "accept4", "memfd_create",
               "epoll_create1", "signalfd", "eventfd", "inotify_init1", "timerfd_create", "fanotify_init",
               "pipe2", "dup3", "mkostemp"}
OWNER = re.compile(r"^[ \t]+(?!#)[^=;{}()\n]*\bCLEANUP_[A-Z0-9_]+\b[^=;{}()\n]*;$", re.MULTILINE)
INHERITED = {"accept": "accept4", "pipe": "pipe2", "dup": "fcntl(F_DUPFD_CLOEXEC)", "creat": "open",
             "mkstemp": "mkostemp", "epoll_create": "epoll_create1", "inotify_init": "inotify_init1",
             "tmpfile": "memfd_create"}
FOPEN_MODE = re.compile(r',\s*"([^"]*)"\s*$')


def room_of(path, rooms):
    """The innermost room that a file is in, "" for none."""
    inside = [room for room in rooms if path.startswith(room + "/")]
    return max(inside, key=len, default="")


def layers(tree):
    """Includes go from the project's root, to the same room or to one below it, and never to a binary's file."""
    order = tree.layers()
    rooms = {room: level for level, peers in enumerate(order) for room in peers}
    for room in tree.make("ROOMS"):
        if room not in rooms:
            yield Finding("tests/lint/layers", 1, f"the Makefile's room '{room}' is missing here")
    for path in tree.sources(".c", ".h"):
        text = tree.text(path)
        own = room_of(path, rooms)
        if not own:
            yield Finding(path, 1, "is in no room of tests/lint/layers")
            continue
        if tree.is_product(path) and own not in tree.make("ROOMS") and not tree.is_main(path):
            yield Finding(path, 1, f"'{own}' is not among the Makefile's rooms, so nothing builds this")
        kept = csource.code_only(text, keep_strings=True)
        includes = list(csource.INCLUDE.finditer(kept))
        for match in includes:
            fault = include_fault(tree, rooms, own, match.group(1))
            if fault:
                yield Finding(path, csource.line_of(text, match.start(1)), fault)
        header = path[:-2] + ".h"
        if path.endswith(".c") and header in tree.files and (not includes or includes[0].group(1) != header):
            yield Finding(path, 1, f"the first include is not '{header}'")


def include_fault(tree, rooms, own, included):
    """What is wrong with a file of room @own including @included, None for nothing."""
    if included not in tree.files:
        return f"'{included}' is not a path from the project's root"
    if included.endswith(".c"):
        return f"'{included}' is a source file"
    other = room_of(included, rooms)
    if other == "tests" and own != "tests":
        return f"a binary can not stand on the tests: '{included}'"
    if other == own:
        return None
    if rooms[other] > rooms[own]:
        return f"{own} may not include {other}, which stands above it"
    if rooms[other] == rooms[own]:
        return f"{own} and {other} are peers and do not include each other"
    return None


def has_reason(*comments):
    """Whether a comment says why something is over the measure."""
    return any(REASON in comment for comment in comments)


def counted(parameters):
    """The parameters that count: not the struct err that every function that can fail takes last, nor "..."."""
    return [parameter for parameter in parameters if parameter not in ("struct err *err", "...")]


def declared_comment(tree, path, name):
    """The comment before the declaration of @name in the header beside @path."""
    header = path[:-2] + ".h"
    if header not in tree.files:
        return ""
    text = tree.text(header)
    match = re.search(rf"^[a-z][^\n;{{}}]*\b{name}\(", csource.code_only(text), re.MULTILINE)
    return csource.comment_before(text, match.start()) if match else ""


def sizes(tree):
    """Files, functions and parameter lists within the measure, or with a reason in their head comment."""
    for path in tree.sources(".c", ".h"):
        text = tree.text(path)
        lines = text.count("\n")
        measure = MAIN_LINES if tree.is_main(path) else FILE_LINES
        if lines > measure and (tree.is_main(path) or not has_reason(csource.head_comments(text))):
            yield Finding(path, 1, f"{lines} lines, the measure is {measure}")
        for function in csource.functions(text):
            yield from function_sizes(tree, path, text, function)
    for path in tree.files:
        if path.endswith(".py") or tree.interpreter(path) in ("python3", "sh", "bash"):
            yield from script_sizes(tree, path)


def function_sizes(tree, path, text, function):
    line = csource.line_of(text, function.begin)
    lines = csource.line_of(text, function.end) - line + 1
    parameters = len(counted(function.parameters))
    if lines <= FUNCTION_LINES and parameters <= PARAMETERS:
        return
    if has_reason(csource.comment_before(text, function.begin), declared_comment(tree, path, function.name)):
        return
    if lines > FUNCTION_LINES:
        yield Finding(path, line, f"{function.name}() has {lines} lines, the measure is {FUNCTION_LINES}")
    if parameters > PARAMETERS:
        yield Finding(path, line, f"{function.name}() has {parameters} parameters (err not counted), the measure is "
                      f"{PARAMETERS}")


def script_sizes(tree, path):
    text = tree.text(path)
    lines = text.count("\n")
    head = " ".join(text[:2000].replace("#", " ").split())
    if lines > FILE_LINES and not has_reason(head):
        yield Finding(path, 1, f"{lines} lines, the measure is {FILE_LINES}")
    if not path.endswith(".py") and tree.interpreter(path) != "python3":
        return
    try:
        module = ast.parse(text)
    except SyntaxError:
        return  # the check "python" says it
    for node in ast.walk(module):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        lines = node.end_lineno - node.lineno + 1
        if lines > FUNCTION_LINES and not has_reason(" ".join((ast.get_docstring(node) or "").split())):
            yield Finding(path, node.lineno, f"{node.name}() has {lines} lines, the measure is {FUNCTION_LINES}")


def reads_environment(tree, path):
    """Binaries read settings and hand them down; one file per room may do it for them, and is named for it."""
    return tree.is_main(path) or os.path.basename(path) == "settings.c"


def calls(tree):
    """No call that is banned, no printing and no environment below main, every descriptor close-on-exec."""
    for path in tree.sources(".c", ".h"):
        text = tree.text(path)
        code = csource.without_directives(csource.code_only(text))
        for match in csource.CALL.finditer(code):
            name = match.group(1)
            if name in BANNED and not code[:match.start()].rstrip().endswith((".", "->")):
                yield Finding(path, csource.line_of(text, match.start()), f"{name}(): {BANNED[name]}")
            elif tree.is_product(path):
                fault = product_call_fault(tree, path, code, match)
                if fault:
                    yield Finding(path, csource.line_of(text, match.start()), fault)
        for match in OWNER.finditer(code) if tree.is_product(path) else ():
            yield Finding(path, csource.line_of(text, match.end()),
                          "what cleans up after itself is initialised where it is declared")
        if tree.is_product(path) and not tree.is_main(path) and not path.startswith(PRINTERS):
            for match in re.finditer(r"\b(stdout|stderr)\b", code):
                yield Finding(path, csource.line_of(text, match.start()), f"{match.group(1)} below main")


def says_close_on_exec(text, arguments):
    """Whether the flag is among the arguments, or in what the file makes one of them from."""
    names = re.findall(r"[A-Za-z_]\w*", arguments)
    return "CLOEXEC" in arguments or any(re.search(rf"\b{name}\b(?: =|[ \t]+\()[^;\n]*CLOEXEC", text) for name in names)


def product_call_fault(tree, path, code, match):
    """What is wrong with one call in a file of the product, None for nothing."""
    name = match.group(1)
    before = code[:match.start()].rstrip()
    if before.endswith((".", "->", "struct")) or re.search(r"\b(?:int|void|char|struct \w+)[\s*]*$", before):
        return None  # a field, or a declaration of that name
    if name in PRINTING and not tree.is_main(path) and not path.startswith(PRINTERS):
        return f"{name}() below main"
    if name in ENVIRONMENT and not reads_environment(tree, path):
        return f"{name}() below main"
    if name in INHERITED:
        return f"{name}() leaves its descriptor to children: use {INHERITED[name]}"
    bracket = match.end() - 1
    end = csource.closing(code, bracket)
    if name in DESCRIPTORS and not says_close_on_exec(tree.text(path), code[bracket:end]):
        return f"{name}() without close-on-exec"
    if name in ("fopen", "fdopen", "freopen"):
        mode = FOPEN_MODE.search(csource.code_only(tree.text(path), keep_strings=True)[bracket:end])
        if name != "fdopen" and mode and "e" not in mode.group(1):
            return f'{name}() without "e"'
    return None
