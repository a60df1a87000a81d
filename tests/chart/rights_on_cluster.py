#!/usr/bin/env python3
"""The chart's rights on a real cluster: with all of them models are wired and nothing is forbidden; without any one of them the
operator says which. Usage: rights_on_cluster.py [RESOURCE ...]   (kubectl in PATH reaches a cluster with Istio's definitions and the images
localhost/sluice:VERSION; nothing else may run there in seldon-system and rights-test. POD_LOGS=FOLDER: the kubelet's logs, where
kubectl logs can't reach them.)

Each rule of the roles is taken away in turn, the operator started again, a SeldonDeployment changed.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPERATOR, NAMESPACE = "seldon-system", "rights-test"
VERSION = yaml.safe_load((ROOT / "charts/sluice/Chart.yaml").read_text())["version"]
# Rules that this cluster does not need, and why they are there.
NOT_NEEDED_HERE = {
    "seldondeployments/finalizers": "asked for where OwnerReferencesPermissionEnforcement is on",
}
DEPLOYMENT = """
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: NAME, namespace: rights-test}
spec:
  predictors:
  - name: main
    annotations: {seldon.io/no-engine: "true"}
    graph: {name: classifier, type: MODEL}
    componentSpecs:
    - spec:
        terminationGracePeriodSeconds: 0
        containers:
        - name: classifier
          image: localhost/sluice:VERSION
          imagePullPolicy: Never
          args: [model, --address, 0.0.0.0, --model-uri, /model]
          volumeMounts: [{name: model, mountPath: /model}]
        volumes: [{name: model, configMap: {name: iris}}]
      hpaSpec: {minReplicas: 1, maxReplicas: 2}
      pdbSpec: {maxUnavailable: 1}
""".replace("VERSION", VERSION)

# Whose pods the operator asks which routes they use, where the cluster has any.
GATEWAY = """
apiVersion: networking.istio.io/v1beta1
kind: Gateway
metadata: {name: seldon-gateway, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""


def kubectl(*arguments, given=None, fails=False):
    made = subprocess.run(["kubectl", *arguments], input=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if made.returncode and not fails:
        raise RuntimeError("kubectl %s: %s" % (" ".join(arguments), made.stderr))
    return made.stdout if made.returncode == 0 else ""


def helm(*arguments):
    subprocess.run([str(ROOT / "tools/helm"), *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT, timeout=300)


def status_of_operator():
    """What /status and /readyz of the operator's pod say; "" while there is none."""
    address = kubectl("-n", OPERATOR, "get", "pod", "-l", "app.kubernetes.io/component=operator", "--field-selector=status.phase=Running",
                      "-o", "jsonpath={.items[0].status.podIP}", fails=True)
    if not address:
        return ""
    return subprocess.run(["curl", "-s", "-m", "2", "http://%s:8080/status" % address], text=True, stdout=subprocess.PIPE).stdout


def status_of_deployment(name):
    return kubectl("-n", NAMESPACE, "get", "sdep", name, "-o", "jsonpath={.status}", fails=True)


def until(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.5)
    return False


def restart():
    kubectl("-n", OPERATOR, "delete", "pod", "-l", "app.kubernetes.io/component=operator", "--grace-period=1")


def told(plural, name):
    """Whether the operator's status, or that of the SeldonDeployment, or an event, names the kind that is forbidden."""
    words = status_of_operator() + status_of_deployment(name)
    return "forbidden" in words and plural in words


def without(role, index):
    """The role as it is, less one rule; and what that rule was about."""
    lesser = json.loads(json.dumps(role))
    rule = lesser["rules"].pop(index)
    for field in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
        lesser["metadata"].pop(field, None)
    return lesser, rule


def try_without(role, index, number):
    lesser, rule = without(role, index)
    resources = rule["resources"]
    kubectl("replace", "-f", "-", given=json.dumps(lesser))
    name = "without-%d" % number
    try:
        kubectl("apply", "-f", "-", given=DEPLOYMENT.replace("NAME", name))
        if resources == ["leases"]:
            kubectl("-n", OPERATOR, "delete", "leases", "--all")  # making one is a right of its own
        restart()
        needed = [resource for resource in resources if resource not in NOT_NEEDED_HERE]
        if not needed:
            works = until(90, lambda: '"state":"Available"' in status_of_deployment(name))
            return "" if works else "%s: should not be needed here; %s" % (resources, status_of_deployment(name))
        if resources in (["leases"], ["events"]):
            said = until(40, lambda: "forbidden" in logs() and resources[0] in logs())
        else:
            said = until(60, lambda: any(told(resource.split("/")[0], name) or (resource.split("/")[0] in logs() and "forbidden" in logs())
                                         for resource in needed))
        return "" if said else "%s: nothing says that it is forbidden\n%s\n%s" % (resources, status_of_operator(), status_of_deployment(name))
    finally:
        kubectl("-n", NAMESPACE, "delete", "sdep", name, "--wait=false")
        whole = json.loads(json.dumps(role))
        for field in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
            whole["metadata"].pop(field, None)
        kubectl("replace", "-f", "-", given=json.dumps(whole))


def logs():
    """Of the operator that runs now."""
    folder = os.environ.get("POD_LOGS")
    if not folder:
        return kubectl("-n", OPERATOR, "logs", "-l", "app.kubernetes.io/component=operator", "--tail=200", fails=True)
    files = list(pathlib.Path(folder).glob("%s_sluice-operator-*/*/*.log" % OPERATOR))
    return max(files, key=lambda path: path.stat().st_mtime).read_text() if files else ""


def main():
    problems, passed = [], 0
    helm("upgrade", "--install", "sluice", "charts/sluice", "--namespace", OPERATOR, "--create-namespace", "--wait", "--timeout", "90s",
         "--set", "istio.enabled=true,keda.enabled=true")
    kubectl("create", "namespace", NAMESPACE, fails=True)
    kubectl("-n", NAMESPACE, "create", "configmap", "iris", "--from-file=%s" % (ROOT / "examples/iris/models/v1"), fails=True)
    kubectl("apply", "-f", "-", given=GATEWAY)
    kubectl("apply", "-f", "-", given=DEPLOYMENT.replace("NAME", "whole"))
    restart()
    if until(90, lambda: '"state":"Available"' in status_of_deployment("whole")) and "forbidden" not in logs():
        passed += 1
    else:
        problems.append("with all rights: %s\n%s" % (status_of_deployment("whole"), logs()))
    roles = [json.loads(kubectl("get", "clusterrole", "sluice-operator-" + OPERATOR, "-o", "json")),
             json.loads(kubectl("-n", OPERATOR, "get", "role", "sluice-operator-own", "-o", "json")),
             json.loads(kubectl("-n", OPERATOR, "get", "role", "sluice-operator-webhook", "-o", "json")),
             json.loads(kubectl("get", "clusterrole", "sluice-operator-webhook-" + OPERATOR, "-o", "json"))]
    number = 0
    for role in roles:
        for index in range(len(role["rules"])):
            if sys.argv[1:] and not set(sys.argv[1:]) & set(role["rules"][index]["resources"]):
                continue
            number += 1
            problem = try_without(role, index, number)
            print("%s %s" % ("FAILED" if problem else "ok", role["rules"][index]["resources"]), flush=True)
            if problem:
                problems.append(problem)
            else:
                passed += 1
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    for problem in problems:
        print("FAILED " + problem)
    print("%d passed, %d failed" % (passed, len(problems)))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
