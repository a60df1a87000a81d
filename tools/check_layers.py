#!/usr/bin/env python3
"""Every #include "room/..." under src/ against tools/layers.txt, and that file against the USES of src/rooms.cmake."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z0-9_]+)/[^"]+"', re.MULTILINE)
ROOM = re.compile(r"^sluice_room\((\w+)(?:\s+USES((?:\s+[a-z]+)+))?", re.MULTILINE)


def read_layers(text):
    layers = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            room, _, uses = line.partition(":")
            layers[room.strip()] = set(uses.split())
    return layers


def closure(room, direct, seen=None):
    """What a room may see through the USES of the rooms that it uses."""
    seen = set() if seen is None else seen
    for used in direct.get(room, ()):
        if used not in seen:
            seen.add(used)
            closure(used, direct, seen)
    return seen


def check(root):
    problems = []
    layers = read_layers((root / "tools/layers.txt").read_text())
    uses = {room: set((words or "").split()) for room, words in ROOM.findall((root / "src/rooms.cmake").read_text())}
    for room in sorted(set(uses) | set(layers)):
        if room not in layers:
            problems.append("tools/layers.txt: room %s of src/rooms.cmake is missing" % room)
        elif room not in uses:
            problems.append("src/rooms.cmake: room %s of tools/layers.txt is missing" % room)
        else:
            for extra in sorted(uses[room] - layers[room]):
                problems.append("src/rooms.cmake: %s USES %s, which tools/layers.txt does not allow" % (room, extra))
            for lacking in sorted(layers[room] - closure(room, uses)):
                problems.append("src/rooms.cmake: %s cannot see %s, which tools/layers.txt allows" % (room, lacking))
    for path in sorted((root / "src").glob("*/*")):
        if path.suffix not in (".h", ".cc"):
            continue
        room = path.parent.name
        if room not in layers:
            problems.append("%s: room %s is not in tools/layers.txt" % (path.relative_to(root), room))
            continue
        for match in INCLUDE.finditer(path.read_text()):
            other = match.group(1)
            if other in layers and other != room and other not in layers[room]:
                problems.append('%s: includes "%s/...", but tools/layers.txt lets %s use only: %s' % (
                    path.relative_to(root), other, room, " ".join(sorted(layers[room])) or "nothing"))
    return problems


def main():
    problems = check(ROOT)
    print("\n".join(problems) if problems else "layers: every include goes the allowed way")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
