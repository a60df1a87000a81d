#!/usr/bin/env python3
"""Compares what PyYAML and kubectl's reader make of strings.yaml with strings.json."""
import json
import pathlib
import subprocess
import sys

import yaml

folder = pathlib.Path(__file__).resolve().parent
golden = folder.parent.parent / "tests" / "golden" / "yaml"
text = (golden / "strings.yaml").read_text(encoding="utf-8")
meant = json.loads((golden / "strings.json").read_text(encoding="utf-8"))
by_go = subprocess.run(["go", "run", "."], cwd=folder, input=json.dumps(text) + "\n", capture_output=True, text=True, check=True)
readers = {"PyYAML": yaml.safe_load(text), "kubectl": json.loads(by_go.stdout.split("\t", 1)[1])}
wrong = 0
for reader, found in readers.items():
    for key, value in meant.items():
        if found.get(key) != value or type(found.get(key)) is not type(value):
            wrong += 1
            print(f"{reader}: {key!r}: {found.get(key)!r} in place of {value!r}")
sys.exit(1 if wrong else 0)
