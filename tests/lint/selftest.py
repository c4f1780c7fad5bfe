# SPDX-License-Identifier: Apache-2.0
"""The checks, checked: each is shown small trees with one fault, and has to find that and nothing else."""

import csource_checks
import doc_checks
import text_checks
from project import Project

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
LAYERS = "# SPDX-License-Identifier: Apache-2.0\nbase\nleft | right\ntop\ntests\n"
LONG = "int long_one(void)\n{\n" + "\ta();\n" * 60 + "}\n"
REASON = "/* This is longer than the\n * house's measure because it is a table. */\n"
SEVEN = "int f(int a, int b, int c, int d, int e, int (*g)(int, int), struct err *err)\n{\n}\n"

# check, name and text of a file, what is to be found in the finding ("" for: nothing is found)
ROWS = (
    (csource_checks.layers, "left/a.c", '#include "base/base.h"\n', ""),
    (csource_checks.layers, "left/a.c", '#include "right/right.h"\n', "peers"),
    (csource_checks.layers, "base/a.c", '#include "left/left.h"\n', "stands above"),
    (csource_checks.layers, "top/a.c", '#include "left/left.h"\n', ""),
    (csource_checks.layers, "left/a.c", '/* #include "right/right.h" */\n', ""),
    (csource_checks.layers, "left/a.c", '#include "left.h"\n', "project's root"),
    (csource_checks.layers, "left/a.c", '#include "left/left.c"\n', "source file"),
    (csource_checks.layers, "top/a.c", '#include "tests/tests.h"\n', "stand on the tests"),
    (csource_checks.layers, "tests/a.c", '#include "top/top.h"\n', ""),
    (csource_checks.layers, "base/base.c", "#include <stdio.h>\n", "first include"),
    (csource_checks.layers, "tool/a.c", "", "in no room"),
    (csource_checks.sizes, "base/a.c", LONG, "63 lines"),
    (csource_checks.sizes, "base/a.c", REASON + LONG, ""),
    (csource_checks.sizes, "base/base.c", LONG.replace("long_one", "base_long"), ""),
    (csource_checks.sizes, "base/a.c", SEVEN, "6 parameters"),
    (csource_checks.sizes, "base/a.c", SEVEN.replace("int a, ", ""), ""),
    (csource_checks.sizes, "base/a.c", "\n" * 400, "401 lines"),
    (csource_checks.sizes, "base/a.c", REASON + "\n" * 400, ""),
    (csource_checks.sizes, "top/main.c", REASON + "\n" * 150, "measure is 150"),
    (csource_checks.sizes, "tests/a.py", "def f():\n" + "    a()\n" * 61, "62 lines"),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\treturn system(s);\n}\n", "a shell"),
    (csource_checks.calls, "base/a.c", '/* system() */\nchar *s = "system()";\n', ""),
    (csource_checks.calls, "tests/a.c", "int f(void)\n{\n\treturn atoi(s);\n}\n", "parse_u64"),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\tprintf(s);\n}\n", "below main"),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\tfputs(s, stderr);\n}\n", "stderr below main"),
    (csource_checks.calls, "top/main.c", "int main(void)\n{\n\tprintf(s);\n}\n", ""),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\treturn getenv(s);\n}\n", "below main"),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\treturn open(s, O_RDONLY);\n}\n", "close-on-exec"),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\treturn open(s, O_RDONLY |\n\t\t O_CLOEXEC);\n}\n", ""),
    (csource_checks.calls, "base/a.c", "#define W (O_RDWR | O_CLOEXEC)\nint f(void)\n{\n\topen(s, W);\n}\n", ""),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\treturn dup(fd);\n}\n", "F_DUPFD_CLOEXEC"),
    (csource_checks.calls, "base/a.c", 'int f(void)\n{\n\treturn fopen(s, "r");\n}\n', 'without "e"'),
    (csource_checks.calls, "base/a.c", 'int f(void)\n{\n\treturn fopen(s, "re");\n}\n', ""),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\tCLEANUP_FREE char *a;\n}\n", "initialised"),
    (csource_checks.calls, "base/a.c", "int f(void)\n{\n\tCLEANUP_FREE char *a = NULL;\n}\n", ""),
    (text_checks.text, "base/a.c", "int a; \n", "end of the line"),
    (text_checks.text, "base/a.c", "/* TO" "DO */\n", "finish it"),
    (text_checks.text, "base/a.c", "int f(void)\n{\n        a();\n}\n", "indented with blanks"),
    (text_checks.text, "base/a.c", "int f(void)\n{\n\ta(b,\n\t  c);\n}\n", ""),
    (text_checks.text, "base/a.c", "int a;", "no newline"),
    (text_checks.text, "base/a.c", "int " + "a" * 128 + ";\n", "133 columns"),
    (text_checks.text, "base/a.py", "a = 1\n", "SPDX"),
    (text_checks.names, "base/utils.c", "", "drawer"),
    (text_checks.names, "base/json.c", "", "library"),
    (text_checks.names, "tools/a.c", "", "not on the map"),
    (doc_checks.headers, "base/a.h", "int a_one(void);\n", "has no comment"),
    (doc_checks.headers, "base/a.h", "/* Undone by a_done(). */\nint a_one(void);\n\nvoid a_done(void);\n", ""),
    (doc_checks.headers, "base/a.h", "/* Both. */\nint a_one(void);\nint a_two(void);\n", ""),
    (doc_checks.headers, "base/a.h", "/**\n * a_one - it\n * @b: one\n */\nint a_one(void);\n", "names 'b'"),
    (doc_checks.headers, "base/a.h", "/**\n * a_one - it\n * @b: b\n */\nint a_one(int b, int c);\n", "nothing of 'c'"),
    (doc_checks.headers, "base/a.h", "/**\n * a_one - it\n * @b: one\n */\nint a_two(int b);\n", "does not follow"),
)


class Sample(Project):
    """A tree in memory with one file under test among some that are right."""

    def __init__(self, path, text):
        if path.endswith(".c"):
            text = SPDX + text
        elif path.endswith(".h"):
            guard = "NODEVOL_" + path.upper().replace("/", "_").replace(".", "_")
            text = f"{SPDX}/**\n * DOC: it\n */\n#ifndef {guard}\n#define {guard}\n\n{text}\n#endif\n"
        files = {room + "/README.md": "" for room in ("base", "left", "right", "top", "tests")}
        files |= {f"{room}/{room}.h": SPDX + "\n/* " + REASON[3:-4] + " */\nint base_long(void);\n"
                  for room in ("left", "right", "top", "tests", "base")}
        super().__init__("/", files | {"left/left.c": SPDX, "tests/lint/layers": LAYERS, "tests/lint/README.md": "",
                                       path: text})
        self.subject = path

    def make(self, variable):
        return {"ROOMS": ["base", "left", "right", "top"], "mains": ["top/main.c"]}.get(variable, [])

    def is_binary(self, path):
        return False


def run():
    """Returns how many checks do not do what they are for, after saying which."""
    wrong = 0
    for check, path, text, expected in ROWS:
        tree = Sample(path, text)
        findings = [item for item in check(tree) if item.path in (path, path.split("/")[0])]
        right = len(findings) == 1 and expected in findings[0].text if expected else not findings
        if not right:
            wrong += 1
            print(f"tests/lint/selftest.py:1: {check.__name__} on {text[:200]!r}: expected '{expected}', "
                  f"found {[item.text for item in findings]}")
    return wrong
