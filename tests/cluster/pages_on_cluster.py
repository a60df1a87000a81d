#!/usr/bin/env python3
"""Runs the commands for a cluster (```bash) of how-to pages. How output is compared: tests/pages.py.
Usage: pages_on_cluster.py PAGE...   (kubectl in PATH reaches a cluster with Istio and the images of `make image`, as tests/cluster/run makes it; REGISTRY=localhost
unless it is set. The first page runs alone, the others side by side: each has a namespace of its own. Then the cluster must hold what it held after the first page.)
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import pages  # noqa: E402

SECONDS = 240
AT_ONCE = 6
# What pages make outside of their namespaces.
SHARED = "namespaces,seldondeployments.machinelearning.seldon.io,gateways.networking.istio.io,virtualservices.networking.istio.io,secrets,configmaps"


def kubectl(*command, given=None):
    return subprocess.run(["kubectl", *command], input=given, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def load_balancer(address):
    """The Service by which Istio's gateway is known to have an address; an installed Istio has it."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "istio-ingressgateway", "namespace": "istio-system"},
               "spec": {"type": "LoadBalancer", "ports": [{"name": "http2", "port": 80}, {"name": "https", "port": 443}]}}
    kubectl("apply", "-f", "-", given=json.dumps(service))
    # Proxy: kube-proxy leaves the address alone, which is the node's own.
    status = {"status": {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "Proxy"}]}}}
    kubectl("-n", "istio-system", "patch", "service", "istio-ingressgateway", "--subresource=status", "--type=merge", "-p", json.dumps(status))


def there():
    lines = kubectl("get", SHARED, "--all-namespaces", "--no-headers", "--ignore-not-found", "-o", "custom-columns=K:.kind,NS:.metadata.namespace,N:.metadata.name")
    return {" ".join(line.split()) for line in lines.splitlines()}


def run(page):
    """-> (seconds, "" or what went wrong)"""
    start = time.monotonic()
    found = pages.blocks(page.read_text(), "bash")
    if not found:
        return 0.0, "it has lost its commands"
    prelude = 'export PATH="%s:$PATH"\nhelm() { "%s" "$@"; }' % (ROOT / "build/release", os.environ["HELM"])
    with tempfile.TemporaryDirectory() as scratch:
        wrong = pages.run(found, pathlib.Path(scratch), ROOT, prelude, dict(os.environ, no_proxy="*"), SECONDS)
    return time.monotonic() - start, wrong


def report(page, seconds, wrong):
    print("%s: %s, %.0f s" % (page.name, "FAILED" if wrong else "passed", seconds), flush=True)
    if wrong:
        print("FAILED %s: %s" % (page.name, wrong), flush=True)
    return 1 if wrong else 0


def leftovers(before):
    """Namespaces take a while to go."""
    for _ in range(120):
        left = there() - before
        if not left:
            return ""
        time.sleep(1)
    return "the pages left %s" % ", ".join(sorted(left))


def main():
    named = [pathlib.Path(argument) for argument in sys.argv[1:]]
    if not named:
        sys.exit(__doc__)
    os.environ.setdefault("REGISTRY", "localhost")
    os.environ.setdefault("HELM", subprocess.run([str(ROOT / "tools/helm"), "--path"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
    if "GATEWAY_ADDRESS" in os.environ:
        load_balancer(os.environ["GATEWAY_ADDRESS"])
    first, others = named[0], named[1:]
    failed, passed = (1, 0) if report(first, *run(first)) else (0, 1)
    if others and passed:  # they stand on the first
        before = there()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            started = {pool.submit(run, page): page for page in others}
            for done in concurrent.futures.as_completed(started):
                wrong = report(started[done], *done.result())
                failed, passed = failed + wrong, passed + 1 - wrong
        left = leftovers(before)
        print("FAILED %s" % left if left else "the cluster is as it was")
        failed, passed = failed + bool(left), passed + (not left)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
