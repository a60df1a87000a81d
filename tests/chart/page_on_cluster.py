#!/usr/bin/env python3
"""The commands of docs/how-to/install-on-kubernetes.md on a real cluster: install, gateway, upgrade, rollback, uninstall.
Usage: page_on_cluster.py   (kubectl in PATH reaches a cluster with Istio's definitions and the image localhost/sluice:VERSION;
REGISTRY=localhost is set unless it is there. Writes to namespaces seldon-system and istio-system.)
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/install-on-kubernetes.md"


def main():
    helm = subprocess.run([str(ROOT / "tools/helm"), "--path"], stdout=subprocess.PIPE, text=True)
    if helm.returncode:
        sys.exit(helm.returncode)
    blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    if len(blocks) < 4:
        sys.exit("page_on_cluster: the page has lost its commands")
    prelude = 'set -eu\nhelm() { "%s" "$@"; }\n' % helm.stdout.strip()
    environment = dict({"REGISTRY": "localhost"}, **os.environ)
    failed = 0
    for number, block in enumerate(blocks, 1):
        print("== block %d" % number, flush=True)
        status = subprocess.run(["bash", "-c", prelude + block.replace("--wait", "--wait --timeout 90s")], cwd=ROOT, env=environment,
                                stdin=subprocess.DEVNULL, timeout=600).returncode
        if status:
            print("FAILED block %d with %d:\n%s" % (number, status, block), flush=True)
            failed += 1
            break  # the next ones stand on it
    print("%d passed, %d failed" % (number - failed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
