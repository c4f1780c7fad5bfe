# SPDX-License-Identifier: Apache-2.0
"""As much of C as the checks need: comments and strings apart from code, and where functions begin and end."""

import re
from typing import NamedTuple

TOKEN = re.compile(r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
                   re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
CALL = re.compile(r"\b([A-Za-z_]\w*)\s*\(")


def _blank(text):
    """As many blanks and lines as @text has."""
    return re.sub(r"[^\n]", " ", text)


def code_only(text, keep_strings=False):
    """@text with comments (and the insides of strings) blanked, every character still where it was."""
    def replace(match):
        found = match.group(0)
        if match.group("comment"):
            return _blank(found)
        return found if keep_strings else found[0] + _blank(found[1:-1]) + found[-1]
    return TOKEN.sub(replace, text)


def comments_only(text):
    """@text with everything but the comments blanked."""
    parts = []
    position = 0
    for match in TOKEN.finditer(text):
        parts.append(_blank(text[position:match.start()]))
        parts.append(match.group(0) if match.group("comment") else _blank(match.group(0)))
        position = match.end()
    return "".join(parts) + _blank(text[position:])


def without_directives(code):
    """@code with preprocessor lines, and the bodies of macros with them, blanked."""
    return DIRECTIVE.sub(lambda match: _blank(match.group(0)), code)


def line_of(text, position):
    """The number of the line that a position is in."""
    return text.count("\n", 0, position) + 1


def closing(code, position):
    """Where the bracket that opens at @position closes, len(code) if nowhere."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opening, end = code[position], pairs[code[position]]
    depth = 0
    for i in range(position, len(code)):
        depth += (code[i] == opening) - (code[i] == end)
        if depth == 0:
            return i
    return len(code)


def opening(code, position):
    """Where the round bracket that closes at @position opens, -1 if nowhere."""
    depth = 0
    for i in range(position, -1, -1):
        depth += (code[i] == ")") - (code[i] == "(")
        if depth == 0:
            return i
    return -1


def split_parameters(text):
    """The parameters in the text between the brackets of a function."""
    parts, depth, begin = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(text[begin:i])
            begin = i + 1
    parts.append(text[begin:])
    parts = [" ".join(part.split()) for part in parts]
    return [part for part in parts if part not in ("", "void")]


def parameter_name(parameter):
    """The name in "const char *name", "int (*name)(void *)" and "uint8_t name[16]"; "" for none."""
    pointer = re.search(r"\(\s*\*\s*(\w+)", parameter)
    if pointer:
        return pointer.group(1)
    plain = re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*$", parameter)
    return plain.group(1) if plain else ""


class Function(NamedTuple):
    name: str
    parameters: list
    begin: int
    end: int
    body: int


def functions(text):
    """The function definitions of a file. begin is where the first word stands, end is the closing brace."""
    code = without_directives(code_only(text))
    found = []
    position, begin = 0, 0
    while position < len(code):
        char = code[position]
        if char in ";}":
            begin = position + 1
        if char != "{":
            position += 1
            continue
        end = closing(code, position)
        head = code[begin:position].rstrip()
        bracket = opening(head, len(head) - 1) if head.endswith(")") else -1
        name = re.search(r"(\w+)\s*$", head[:bracket]) if bracket > 0 else None
        if name and "=" not in head:
            start = begin + len(code[begin:position]) - len(code[begin:position].lstrip())
            found.append(Function(name.group(1), split_parameters(head[bracket + 1:-1]), start, end, position))
            begin = end + 1
        position = end + 1
    return found


def comment_before(text, position):
    """The comment that ends right before @position, as one line of words; "" for none."""
    before = text[:position].rstrip()
    if not before.endswith("*/"):
        return ""
    begin = before.rfind("/*")
    return comment_words(before[begin:])


def head_comments(text):
    """The comments before the first line of code (includes count as code), as one line of words."""
    code = code_only(text)
    first = re.search(r"\S", code)
    return comment_words(comments_only(text)[:first.start() if first else len(text)])


def comment_words(comment):
    """A comment without its stars, as one line."""
    return " ".join(re.sub(r"^\s*(?:/\*+|\*+/|\*|//)|\*/", " ", comment, flags=re.MULTILINE).split())
