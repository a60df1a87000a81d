#!/usr/bin/env python3
"""The commands of a how-to page on a real cluster.
Usage: page_on_cluster.py [PAGE]   (docs/how-to/install-on-kubernetes.md: install, gateway, upgrade, rollback, uninstall. kubectl in PATH reaches a cluster with Istio's definitions and the image localhost/sluice:VERSION;
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
    page = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    blocks = re.findall(r"^```bash\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    if len(blocks) < (4 if page == PAGE else 1):
        sys.exit("page_on_cluster: %s has lost its commands" % page.name)
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
