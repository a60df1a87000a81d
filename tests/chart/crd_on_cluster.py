#!/usr/bin/env python3
"""The CRD on a real API server: every recorded SeldonDeployment is accepted, or refused, as Seldon's own CRD did, and is
stored whole. Usage: crd_on_cluster.py KUBECTL [ARGUMENT ...]   (a command that reaches a cluster; it may write to it)

Applies charts/sluice/crds-source by server-side apply. Objects are created as dry runs only. Refusals of Seldon's webhook
are not the schema's: these must be accepted here.
"""

import json
import pathlib
import subprocess
import sys
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CRD = ROOT / "charts/sluice/crds-source/seldondeployments.yaml"
CASES = ROOT / "tests/golden/operator"
NAME = "seldondeployments.machinelearning.seldon.io"


def run(kubectl, *arguments, document=None):
    return subprocess.run([*kubectl, *arguments], input=json.dumps(document) if document else None, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


def is_within(part, whole, path=""):
    """Where `part` has something that `whole` has not; "" when nowhere."""
    if isinstance(part, dict) and isinstance(whole, dict):
        for key, value in part.items():
            if key not in whole:
                return "%s.%s" % (path, key)
            found = is_within(value, whole[key], "%s.%s" % (path, key))
            if found:
                return found
        return ""
    if isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        for index, (one, other) in enumerate(zip(part, whole)):
            found = is_within(one, other, "%s[%d]" % (path, index))
            if found:
                return found
        return ""
    return "" if part == whole else path


def recorded():
    """(name, document, what the recording says: "", or why the schema refused it)"""
    for folder in sorted(path for path in CASES.iterdir() if (path / "in.yaml").exists()):
        steps = iter(yaml.safe_load((folder / "out.yaml").read_text())["steps"])
        for document in yaml.safe_load_all((folder / "in.yaml").read_text()):
            if not document or document["kind"] == "OperatorEnv":
                continue
            step = next(steps)
            if document["kind"] != "SeldonDeployment":
                continue
            response = step["response"]
            by_webhook = "admission webhook" in response.get("message", "")
            yield folder.name, document, "" if response["accepted"] or by_webhook else response["message"]


def deep(levels):
    node = {"name": "n%d" % levels}
    for level in reversed(range(levels)):
        node = {"name": "n%d" % level, "type": "TRANSFORMER", "children": [node]}
    return {"apiVersion": "machinelearning.seldon.io/v1", "kind": "SeldonDeployment",
            "metadata": {"name": "deep", "namespace": "default"}, "spec": {"predictors": [{"name": "main", "graph": node}]}}


def create(kubectl, document):
    namespace = document["metadata"].setdefault("namespace", "default")
    made = run(kubectl, "create", "--dry-run=server", "--validate=ignore", "-o", "json", "-n", namespace, "-f", "-", document=document)
    return (json.loads(made.stdout), "") if made.returncode == 0 else (None, made.stderr.strip())


def main():
    kubectl = sys.argv[1:]
    if not kubectl:
        sys.exit(__doc__)
    problems, passed = [], 0
    applied = subprocess.run([*kubectl, "apply", "--server-side", "-f", str(CRD)], text=True, stderr=subprocess.PIPE)
    if applied.returncode:
        sys.exit("the CRD is refused: " + applied.stderr)
    conditions = {}
    for _ in range(120):  # kubectl wait gives up on a definition that has no conditions yet
        crd = json.loads(run(kubectl, "get", "crd", NAME, "-o", "json").stdout)
        conditions = {c["type"]: c for c in crd.get("status", {}).get("conditions") or []}
        if conditions.get("Established", {}).get("status") == "True":
            break
        time.sleep(0.5)
    if conditions.get("NonStructuralSchema", {}).get("status") == "True" or conditions.get("Established", {}).get("status") != "True":
        problems.append("conditions of the CRD: %s" % conditions)
    documents = list(recorded()) + [("deep graph", deep(15), "")]
    for version in ("v1alpha2", "v1alpha3"):
        document = deep(1)
        document["apiVersion"] = "machinelearning.seldon.io/" + version
        documents.append((version, document, ""))
    for namespace in {document["metadata"].get("namespace", "default") for _, document, _ in documents}:
        run(kubectl, "create", "namespace", namespace)
    for name, document, refusal in documents:
        stored, error = create(kubectl, document)
        if bool(error) != bool(refusal):
            problems.append("%s: recorded %s, here %s" % (name, refusal or "accepted", error or "accepted"))
        elif stored and is_within(document["spec"], stored["spec"]):
            problems.append("%s: dropped or changed: %s" % (name, is_within(document["spec"], stored["spec"])))
        else:
            passed += 1
    for problem in problems:
        print("FAILED " + problem)
    print("%d passed, %d failed" % (passed, len(problems)))
    sys.exit(1 if problems or not passed else 0)


if __name__ == "__main__":
    main()
