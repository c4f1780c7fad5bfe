# SPDX-License-Identifier: Apache-2.0
"""Checks of what was built: whose names the objects export."""

import os
import re

import project
from project import Finding

DEFINED = set("TDBRVWGSC")
NEEDED = re.compile(r"=> (/\S+) ")


def exported(tree, path, dynamic=False):
    """Names that an object or library defines for others."""
    kind = "-D" if dynamic else "-g"
    done = project.run_program(["nm", kind, "--defined-only", "--format=posix", path], tree.root)
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0].split("@")[0] for row in rows if len(row) > 1 and row[1] in DEFINED
            and not row[0].startswith(("__asan", "__odr_asan", "__ubsan"))}


def library_names(tree):
    """Names that the libraries define which the binaries are linked with: library -> names."""
    libraries = set()
    for binary in tree.make("binaries"):
        libraries.update(NEEDED.findall(project.run_program(["ldd", binary], tree.root).stdout))
    return {os.path.basename(library): exported(tree, library, dynamic=True) for library in sorted(libraries)}


def symbols(tree):
    """Every exported name begins with the stem of its file, no library has the same one, only binaries have main."""
    project.need_program("nm")
    libraries = library_names(tree)
    for source in tree.sources(".c"):
        if not tree.is_product(source):
            continue
        item = os.path.join(tree.build, "obj", source[:-2] + ".o")
        if not os.path.exists(item):
            yield Finding(source, 1, "is not built: run make first")
            continue
        yield from symbols_of(tree, source, exported(tree, item), libraries)


def symbols_of(tree, source, found, libraries):
    stem = os.path.basename(source)[:-2].replace("-", "_")
    if tree.is_main(source) != ("main" in found):
        yield Finding(source, 1, "is a binary's own and has no main()" if tree.is_main(source) else "has a main()")
    for name in sorted(found - {"main"}):
        if tree.is_main(source):
            yield Finding(source, 1, f"a binary's own file exports '{name}': make it static or give it a file")
        elif name != stem and not name.startswith(stem + "_"):
            yield Finding(source, 1, f"exports '{name}', which does not begin with '{stem}_'")
        for library, theirs in libraries.items():
            if name in theirs:
                yield Finding(source, 1, f"exports '{name}', which {library} has as well")
