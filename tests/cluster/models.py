"""SeldonDeployments of iris models on the real cluster, requests to them through Istio's gateway, and load that counts. Used by the tests
and the churn beside this file, all inside the cluster's network.

The pods are the built-in model server behind sluice's own executor. The two versions of the iris model answer the same row with
different numbers, so an answer tells which version gave it.
"""

import collections
import fcntl
import http.client
import json
import os
import subprocess
import threading

import yaml
from harness import ROOT, ROW, wait_for

GATEWAY = "192.0.2.10"
NAMESPACE = os.environ.get("MODELS_NAMESPACE", "routes-test")
VERSION = yaml.safe_load((ROOT / "charts/sluice/Chart.yaml").read_text())["version"]
EXECUTOR = "executor.image.registry=localhost,executor.image.repository=sluice-executor,executor.image.tag=" + VERSION


def run(*command, given=None, timeout=120):
    made = subprocess.run([str(word) for word in command], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
    assert made.returncode == 0, "%s: %s" % (" ".join(map(str, command)), made.stderr)
    return made.stdout


def apply(*documents):
    run("kubectl", "apply", "-f", "-", given=yaml.safe_dump_all(documents))


def gateway(name, namespace, port, protocol="HTTP", **tls):
    server = {"port": {"number": port, "name": "port-%d" % port, "protocol": protocol}, "hosts": ["*"]}
    if tls:
        server["tls"] = tls
    return {"apiVersion": "networking.istio.io/v1beta1", "kind": "Gateway", "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": [server]}}


def predictor(name, traffic=None, version=None, **more):
    version = version or {"two": "v2"}.get(name, "v1")
    container = {"name": "classifier", "image": "localhost/sluice:" + VERSION, "imagePullPolicy": "Never",
                 "args": ["model", "--address", "0.0.0.0", "--model-uri", "/model"],
                 "resources": {"requests": {"cpu": "10m"}}, "volumeMounts": [{"name": "model", "mountPath": "/model"}]}
    made = {"name": name, "graph": {"name": "classifier", "type": "MODEL"}, "replicas": 1,
            "svcOrchSpec": {"resources": {"requests": {"cpu": "10m"}}},
            "componentSpecs": [{"spec": {"containers": [container], "volumes": [{"name": "model", "configMap": {"name": "iris-" + version}}]}}]}
    if traffic is not None:
        made["traffic"] = traffic
    return {**made, **more}


def bare(name, traffic=None, port=None, revision=None, container="classifier", **more):
    """A predictor without an orchestrator: Service and route lead to the model's own port. Its pods are ready soon."""
    made = predictor(name, traffic, **more)
    made["annotations"] = {"seldon.io/no-engine": "true"}
    made["graph"]["name"] = container
    model = made["componentSpecs"][0]["spec"]["containers"][0]
    model.update(name=container, readinessProbe={"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1})
    if port:
        model["ports"] = [{"name": "http", "containerPort": port}]
    if revision:
        model["env"] = [{"name": "REVISION", "value": str(revision)}]
    return made


def deployment(name, *predictors, **annotations):
    return {"apiVersion": "machinelearning.seldon.io/v1", "kind": "SeldonDeployment", "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"predictors": list(predictors), "annotations": {"seldon.io/" + key.replace("_", "-"): value for key, value in annotations.items()}}}


def settled(document):
    """Applies it and waits until the operator calls the generation that was written Available."""
    apply(document)
    name = document["metadata"]["name"]

    def status():
        return json.loads(run("kubectl", "-n", NAMESPACE, "get", "sdep", name, "-o", "json"))

    def there():
        found = status()
        said = found.get("status", {})
        return said if said.get("state") == "Available" and said.get("observedGeneration") == found["metadata"]["generation"] else None

    return wait_for(there, 150, lambda: json.dumps(status().get("status"), indent=1))


def call(name, port=80, context=None, timeout=10):
    """(status, version that answered or None)"""
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    connection = kind(GATEWAY, port, timeout=timeout, **({"context": context} if context else {}))
    try:
        connection.request("POST", "/seldon/%s/%s/api/v1.0/predictions" % (NAMESPACE, name), json.dumps({"data": {"ndarray": [ROW]}}),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            return response.status, None
        return 200, "v2" if json.loads(body)["data"]["ndarray"][0][0] > 0.9 else "v1"
    finally:
        connection.close()


class Load:
    """Requests without pause from a few threads; what they got."""

    def __init__(self, name, threads=3):
        self.name, self.results, self.stopping = name, collections.Counter(), False
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]

    def work(self):
        while not self.stopping:
            try:
                self.results[call(self.name)] += 1
            except OSError as error:
                self.results[(type(error).__name__, None)] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def failed(self):
        return {result: count for result, count in self.results.items() if result[0] != 200}


def install():
    """The chart, with sluice's own executor; the namespace, the two models, the gateway. Safe to call from several processes."""
    with open(ROOT / "build/install.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(ROOT / "tools/helm", "upgrade", "--install", "sluice", ROOT / "charts/sluice", "--namespace", "seldon-system", "--create-namespace",
            "--set", "istio.enabled=true," + EXECUTOR, "--wait", "--timeout", "90s")
    # One that an earlier file of tests left goes first: nothing can be made in it any more.
    if "Terminating" in subprocess.run(["kubectl", "get", "namespace", NAMESPACE], capture_output=True, text=True).stdout:
        run("kubectl", "wait", "--for=delete", "namespace/" + NAMESPACE, "--timeout=100s")
    subprocess.run(["kubectl", "create", "namespace", NAMESPACE], stderr=subprocess.DEVNULL)
    for version in ("v1", "v2"):
        made = run("kubectl", "-n", NAMESPACE, "create", "configmap", "iris-" + version, "--from-file=%s" % (ROOT / "examples/iris/models" / version),
                   "--dry-run=client", "-o", "yaml")
        run("kubectl", "apply", "-f", "-", given=made)
    apply(gateway("seldon-gateway", "istio-system", 80))
