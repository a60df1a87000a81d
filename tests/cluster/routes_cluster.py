"""Requests through Istio's real ingress gateway to models that the operator wired. Run by tests/cluster/run inside the cluster's network.

The pods are the built-in model server behind sluice's own executor. The two versions of the iris model answer the same row with
different numbers, so an answer tells which version gave it.
"""

import collections
import http.client
import json
import math
import ssl
import subprocess
import threading
import time

import pytest
import yaml
from harness import ROOT, ROW, wait_for

GATEWAY = "192.0.2.10"
NAMESPACE = "routes-test"
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


@pytest.fixture(scope="module", autouse=True)
def installed():
    run(ROOT / "tools/helm", "upgrade", "--install", "sluice", ROOT / "charts/sluice", "--namespace", "seldon-system", "--create-namespace",
        "--set", "istio.enabled=true," + EXECUTOR, "--wait", "--timeout", "90s")
    subprocess.run(["kubectl", "create", "namespace", NAMESPACE], stderr=subprocess.DEVNULL)
    for version in ("v1", "v2"):
        made = run("kubectl", "-n", NAMESPACE, "create", "configmap", "iris-" + version, "--from-file=%s" % (ROOT / "examples/iris/models" / version),
                   "--dry-run=client", "-o", "yaml")
        run("kubectl", "apply", "-f", "-", given=made)
    apply(gateway("seldon-gateway", "istio-system", 80))
    yield
    run("kubectl", "delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(autouse=True)
def clean():
    yield
    run("kubectl", "-n", NAMESPACE, "delete", "sdep", "--all", "--wait=true")


def test_canary_gets_its_share():
    status = settled(deployment("canary", predictor("one", 75), predictor("two", 25)))
    assert status["traffic"] == "one 75, two 25"
    answers = collections.Counter(call("canary") for _ in range(400))
    assert set(answers) == {(200, "v1"), (200, "v2")}, answers
    assert abs(answers[(200, "v2")] - 100) < 5 * math.sqrt(400 * 0.25 * 0.75)


def test_blue_green_switch_loses_nothing():
    settled(deployment("colours", predictor("one", 100), predictor("two", 0)))
    assert {call("colours") for _ in range(50)} == {(200, "v1")}
    with Load("colours") as load:
        settled(deployment("colours", predictor("one", 0), predictor("two", 100)))
        time.sleep(1)
    assert load.failed() == {} and sum(load.results.values()) > 50
    assert {call("colours") for _ in range(50)} == {(200, "v2")}


def test_a_canary_comes_and_is_promoted_without_a_lost_request():
    settled(deployment("rollout", predictor("one")))
    with Load("rollout") as load:
        settled(deployment("rollout", predictor("one", 80), predictor("two", 20)))
        settled(deployment("rollout", predictor("two")))
        time.sleep(1)
    assert load.failed() == {}
    assert {(200, "v1"), (200, "v2")} == set(load.results)
    assert {call("rollout") for _ in range(20)} == {(200, "v2")}
    left = run("kubectl", "-n", NAMESPACE, "get", "deployment,service,destinationrule", "-o", "name").split()
    assert not [name for name in left if "rollout-one" in name]


def test_a_new_version_that_never_is_ready_takes_no_request():
    settled(deployment("careful", predictor("one")))
    broken = predictor("two", 50, version="v2")
    broken["componentSpecs"][0]["spec"]["containers"][0]["args"][-1] = "/nowhere"
    with Load("careful", threads=1) as load:
        apply(deployment("careful", predictor("one", 50), broken))
        time.sleep(12)
    assert set(load.results) == {(200, "v1")}


def test_the_operator_dies_in_the_middle():
    with_two = deployment("killed", predictor("one", 50), predictor("two", 50))
    settled(deployment("killed", predictor("one")))
    with Load("killed") as load:
        apply(with_two)
        time.sleep(2)
        run("kubectl", "-n", "seldon-system", "delete", "pod", "-l", "app.kubernetes.io/component=operator", "--grace-period=0", "--force")
        settled(with_two)
    assert load.failed() == {}
    assert {call("killed") for _ in range(60)} == {(200, "v1"), (200, "v2")}


def test_its_own_gateway_and_no_other():
    apply(gateway("public", NAMESPACE, 8085))
    settled(deployment("own", predictor("one"), istio_gateway="public"))
    wait_for(lambda: answers_on(8085, "own"), 20, "port 8085")
    assert call("own") == (404, None)


def answers_on(port, name, context=None):
    try:
        return call(name, port, context)[0] == 200
    except OSError:
        return False


def certificate(folder, name, host):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + host, "-addext", "subjectAltName=IP:" + GATEWAY,
        "-keyout", folder / (name + ".key"), "-out", folder / (name + ".crt"))
    made = run("kubectl", "-n", "istio-system", "create", "secret", "tls", "models-cert", "--key", folder / (name + ".key"), "--cert", folder / (name + ".crt"),
               "--dry-run=client", "-o", "yaml")
    run("kubectl", "apply", "-f", "-", given=made)
    return ssl.create_default_context(cafile=str(folder / (name + ".crt")))


def test_tls_with_a_secret_that_is_rotated(tmp_path):
    first = certificate(tmp_path, "first", "models.example.com")
    apply(gateway("secure", "istio-system", 443, "HTTPS", mode="SIMPLE", credentialName="models-cert"))
    settled(deployment("secret", predictor("one"), istio_gateway="istio-system/secure"))
    wait_for(lambda: answers_on(443, "secret", first), 20, "port 443")
    second = certificate(tmp_path, "second", "models.example.com")
    wait_for(lambda: answers_on(443, "secret", second), 20, "the second certificate")
    with pytest.raises(ssl.SSLError):
        call("secret", 443, first)


def test_a_shadow_gets_copies_and_answers_nobody():
    settled(deployment("shadowed", predictor("one", 100), predictor("two", 100, shadow=True)))
    assert {call("shadowed") for _ in range(40)} == {(200, "v1")}
    rule = json.loads(run("kubectl", "-n", NAMESPACE, "get", "virtualservice", "shadowed", "-o", "json"))
    assert rule["spec"]["http"][0]["mirror"]["host"].startswith("shadowed-two.")
    pod = run("kubectl", "-n", NAMESPACE, "get", "pod", "-l", "seldon-app=shadowed-two", "-o", "jsonpath={.items[0].status.podIP}")

    def copies():
        connection = http.client.HTTPConnection(pod, 8000, timeout=5)
        connection.request("GET", "/prometheus")
        text = connection.getresponse().read().decode()
        connection.close()
        counts = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("seldon_api_executor_server_requests_seconds_count")]
        return sum(counts) >= 40

    wait_for(copies, 10, "copies at the shadow")


def test_deleted_is_gone():
    settled(deployment("gone", predictor("one")))
    assert call("gone")[0] == 200
    run("kubectl", "-n", NAMESPACE, "delete", "sdep", "gone", "--wait=true")
    wait_for(lambda: call("gone")[0] == 404, 20, "a 404")
    wait_for(lambda: not run("kubectl", "-n", NAMESPACE, "get", "deployment,service,virtualservice,destinationrule", "-o", "name").strip(), 60,
             lambda: run("kubectl", "-n", NAMESPACE, "get", "deployment,service,virtualservice,destinationrule", "-o", "name"))
