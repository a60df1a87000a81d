#!/usr/bin/env python3
"""What an author of SeldonDeployments can't reach, on a real cluster: docs/explanation/what-authors-can-reach.md.
Usage: reach_on_cluster.py   (kubectl in PATH reaches a cluster with Istio's definitions and the image localhost/sluice:VERSION.
Writes to namespaces seldon-system, reach-test and reach-other.)
"""

import json
import sys
import time

from webhook_on_cluster import OPERATOR, helm, kubectl, until

NAMESPACE, OTHER = "reach-test", "reach-other"
DEPLOYMENT = """
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: NAME, namespace: reach-test}
spec:
  annotations: {ANNOTATIONS}
  predictors:
  - name: main
    annotations: {seldon.io/no-engine: "true"}
    graph: {name: m, type: MODEL}
    componentSpecs:
    - spec:
        containers: [{name: m, image: "localhost/none:1", imagePullPolicy: Never, env: [ENV]}]
        volumes: [VOLUMES]
"""


def manifest(name, annotations="", env="", volumes=""):
    text = DEPLOYMENT
    for key, value in (("NAME", name), ("ANNOTATIONS", annotations), ("ENV", env), ("VOLUMES", volumes)):
        text = text.replace(key, value)
    return text


def conditions(name):
    text = kubectl("-n", NAMESPACE, "get", "sdep", name, "-o", "jsonpath={.status.conditions}", fails=True)[1]
    return json.loads(text) if text else []


def pods(name):
    found = kubectl("-n", NAMESPACE, "get", "pods", "-l", "seldon-deployment-id=" + name, "-o", "json")[1]
    return json.loads(found)["items"]


def replica_sets(name):
    return json.loads(kubectl("-n", NAMESPACE, "get", "replicasets", "-l", "seldon-deployment-id=" + name, "-o", "json")[1])["items"]


def check_host_path():
    """Pod Security admission judges the pod, whoever made the Deployment."""
    kubectl("apply", "-f", "-", given=manifest("hostpath", volumes="{name: root, hostPath: {path: /}}"))
    assert until(60, lambda: any(each["type"] == "ReplicaFailure" and "hostPath" in each.get("message", "")
                                 for made in replica_sets("hostpath") for each in made.get("status", {}).get("conditions", []))), replica_sets("hostpath")
    assert not pods("hostpath")
    assert not [each for each in conditions("hostpath") if each["type"] == "Ready" and each["status"] == "True"]


def check_secret_of_another():
    """A Secret is looked for in the pod's namespace alone: the container never starts."""
    kubectl("-n", OTHER, "create", "secret", "generic", "theirs", "--from-literal=key=value", fails=True)
    kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce-")
    kubectl("apply", "-f", "-", given=manifest("secret", env="{name: K, valueFrom: {secretKeyRef: {name: theirs, key: key}}}"))

    def waits():
        states = [status.get("state", {}).get("waiting", {}) for pod in pods("secret")
                  for status in pod["status"].get("containerStatuses", [])]
        return any(each.get("reason") in ("CreateContainerConfigError", "ErrImageNeverPull") for each in states)
    assert until(60, waits), pods("secret")
    named = {(each["kind"], each["metadata"]["namespace"]) for each in json.loads(kubectl(
        "get", "deployments,services,virtualservices,destinationrules", "-A", "-o", "json")[1])["items"]
        if any(owner["kind"] == "SeldonDeployment" for owner in each["metadata"].get("ownerReferences", []))}
    assert {namespace for _, namespace in named} <= {NAMESPACE}, named


def check_gateway_not_allowed():
    code, _, said = kubectl("apply", "-f", "-", given=manifest("gateway", 'seldon.io/istio-gateway: "reach-other/theirs"'), fails=True)
    assert code != 0 and "gateway reach-other/theirs is not one that SeldonDeployments of reach-test may use" in said, said
    code, _, said = kubectl("apply", "-f", "-", given=manifest("gateway", 'seldon.io/istio-gateway: "mesh"'), fails=True)
    assert code != 0 and "gateway mesh" in said, said


def check_gateway_not_found():
    kubectl("apply", "-f", "-", given=manifest("lost", 'seldon.io/istio-gateway: "nowhere"'))
    assert until(60, lambda: any(each["type"] == "GatewayNotFound" and "reach-test/nowhere" in each["message"] for each in conditions("lost"))), conditions("lost")
    events = json.loads(kubectl("-n", NAMESPACE, "get", "events", "-o", "json")[1])["items"]
    assert [each for each in events if each["reason"] == "GatewayNotFound" and each["involvedObject"]["name"] == "lost"]
    kubectl("apply", "-f", "-", given="apiVersion: networking.istio.io/v1beta1\nkind: Gateway\nmetadata: {name: nowhere, namespace: reach-test}\n"
            "spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['lost.example.com']}]}\n")
    assert until(60, lambda: not any(each["type"] == "GatewayNotFound" for each in conditions("lost"))), conditions("lost")


def check_object_of_another():
    kubectl("-n", NAMESPACE, "create", "service", "clusterip", "taken-main", "--tcp=80:80")
    kubectl("apply", "-f", "-", given=manifest("taken"))
    assert until(60, lambda: any(each["type"] == "NameConflict" for each in conditions("taken"))), conditions("taken")
    owners = kubectl("-n", NAMESPACE, "get", "service", "taken-main", "-o", "jsonpath={.metadata.ownerReferences}")[1]
    assert owners == "", owners


def main():
    helm("upgrade", "--install", "sluice", "charts/sluice", "--namespace", OPERATOR, "--create-namespace", "--wait", "--timeout", "90s",
         "--set", "istio.enabled=true,istio.allowedGateways={shared/public}")
    for namespace in (NAMESPACE, OTHER):
        kubectl("create", "namespace", namespace, fails=True)
    kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=baseline", "--overwrite")
    checks = [check_host_path, check_secret_of_another, check_gateway_not_allowed, check_gateway_not_found, check_object_of_another]
    failed = []
    try:
        # Until the API server knows the webhook's certificate, nothing is refused.
        until(60, lambda: kubectl("create", "--dry-run=server", "-f", "-", given=manifest("p", 'seldon.io/istio-gateway: "mesh"'), fails=True)[0] != 0)
        for check in checks:
            start = time.monotonic()
            try:
                check()
                print("ok %s (%.1f s)" % (check.__name__, time.monotonic() - start), flush=True)
            except (AssertionError, RuntimeError, KeyError, IndexError) as error:
                failed.append(check.__name__)
                print("FAILED %s: %s" % (check.__name__, error), flush=True)
    finally:
        for namespace in (NAMESPACE, OTHER):
            kubectl("delete", "namespace", namespace, "--wait=false")
        helm("upgrade", "sluice", "charts/sluice", "--namespace", OPERATOR, "--reset-values", "--set", "istio.enabled=true", "--wait", "--timeout", "90s")
    print("%d passed, %d failed" % (len(checks) - len(failed), len(failed)))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
