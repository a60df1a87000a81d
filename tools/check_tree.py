#!/usr/bin/env python3
"""Small rules of the tree. Usage: tools/check_tree.py readmes|calls|links|words|lengths

A line that needs an exception says `tree-check: allow REASON` itself.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOW = "tree-check: allow"

# pattern, rooms where it is allowed, what to use instead
CALLS = [
    (r"(system|steady|high_resolution)_clock::now", {"base", "net"}, "base/clock.h: a clock is handed in, so that tests own time"),
    (r"#include <regex>|std::regex", set(), "RE2 (route/) or plain text functions: std::regex recurses and is slow"),
    (r"#include <iostream>|std::cout|std::cerr", set(), "fmt or base/log.h"),
    (r"\b(rand|srand|strtok|gmtime|localtime)\(", set(), "base/random.h or the _r form: not safe with threads"),
    (r"std::random_device", {"base"}, "base/random.h: a test must be able to fix the seed"),
    (r"(?<![\w.:>])::socket\(", {"net"}, "net/: the only room that opens a socket"),
    (r"using namespace std", set(), "names with std::"),
]
HEADER_ONLY = [
    (r"#include <(filesystem|ranges|iostream|sstream|fstream)>", set(), "in .cc files only: they are dear to compile"),
    (r"#include <(openssl|boost|yaml\.h|xgboost|CLI)", set(), "in .cc files only: heavy libraries stay out of headers"),
]
PATHS = re.compile(r"(?<![\w.])/(work|root|home|Users)/\w")
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FUNCTION_MAX, FILE_MAX = 120, 900  # beyond these a file or function surely holds two ideas


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT,
                            stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def readmes(root):
    for room in sorted(path for path in (root / "src").iterdir() if path.is_dir()):
        readme = room / "README.md"
        if not readme.exists():
            yield "src/%s: has no README.md" % room.name
        elif len(readme.read_text().split()) < 15:
            yield "src/%s/README.md: says too little: what it is for, what to read first, what it may use" % room.name


def call_problems(name, room, text):
    rules = CALLS + (HEADER_ONLY if name.endswith(".h") else [])
    for number, line in enumerate(text.split("\n"), 1):
        code = line.split("//")[0]
        if ALLOW in line:
            continue
        for pattern, rooms, instead in rules:
            if room not in rooms and re.search(pattern, code):
                yield "%s:%d: %s; use %s" % (name, number, line.strip(), instead)


def calls(root):
    for path in sorted((root / "src").glob("*/*")):
        # Tests may read clocks and make sockets: they stand outside of the program.
        if path.suffix in (".h", ".cc") and not path.name.endswith("_test.cc"):
            yield from call_problems(str(path.relative_to(root)), path.parent.name, path.read_text())


def anchors(text):
    for heading in re.findall(r"^#+\s+(.*)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links(root):
    for path in tracked("*.md"):
        text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            to = (path.parent / file) if file else path
            if not to.exists():
                yield "%s: link to %s, which is not there" % (path.relative_to(root), target)
            elif anchor and to.suffix == ".md" and anchor not in anchors(to.read_text()):
                yield "%s: link to %s: no such heading" % (path.relative_to(root), target)


def words(root):
    for path in tracked():
        if path.name in ("LICENSE", "check_tree.py", "checks_test.py"):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if ALLOW in line:
                continue
            where = "%s:%d" % (path.relative_to(root), number)
            if PATHS.search(line):
                yield "%s: a path of one machine: %s" % (where, line.strip()[:100])
            if path.suffix in (".cc", ".h", ".py", ".cmake") and TODO.search(line):
                yield "%s: a TODO needs its issue, TODO(#12): %s" % (where, line.strip()[:100])


def lengths(root):
    for path in sorted((root / "src").glob("*/*")):
        if path.suffix not in (".h", ".cc"):
            continue
        lines = path.read_text().split("\n")
        if any("Do not edit" in line for line in lines[:5]):
            continue
        if len(lines) > FILE_MAX and ALLOW not in lines[0]:
            yield "%s: %d lines; what second thing moved in?" % (path.relative_to(root), len(lines))
        begin = None
        for number, line in enumerate(lines, 1):
            if re.match(r"[A-Za-z].*\)( const)?( noexcept)?( override)? \{$", line):
                begin = number
            elif line == "}" and begin is not None:
                if number - begin > FUNCTION_MAX and ALLOW not in lines[begin - 2]:
                    yield "%s:%d: a function of %d lines" % (path.relative_to(root), begin, number - begin)
                begin = None


CHECKS = {"readmes": readmes, "calls": calls, "links": links, "words": words, "lengths": lengths}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        sys.exit(__doc__)
    problems = list(CHECKS[sys.argv[1]](ROOT))
    print("\n".join(problems) if problems else "%s: nothing to say" % sys.argv[1])
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
