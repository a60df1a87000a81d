"""Requests through Istio's real ingress gateway to models that the operator wired. Run by tests/cluster/run inside the cluster's network."""

import collections
import http.client
import json
import math
import os
import ssl
import subprocess
import time

import pytest
from harness import ROOT, wait_for
from models import GATEWAY, NAMESPACE, VERSION, Load, apply, call, deployment, gateway, install, predictor, run, settled


@pytest.fixture(scope="module", autouse=True)
def installed():
    install()
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


def test_a_b_gets_halves_from_pods_of_their_own():
    settled(deployment("halves", predictor("one", 50), predictor("two", 50)))
    answers = collections.Counter(call("halves") for _ in range(400))
    assert set(answers) == {(200, "v1"), (200, "v2")}, answers
    assert abs(answers[(200, "v1")] - 200) < 5 * math.sqrt(400 * 0.25)


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


def test_its_own_gateway_in_another_namespace():
    apply(gateway("other", "istio-system", 8086))
    settled(deployment("far", predictor("one"), istio_gateway="istio-system/other"))
    wait_for(lambda: answers_on(8086, "far"), 20, "port 8086")
    assert call("far") == (404, None)


# Answers 200 or, seven times of ten, 503: sluice itself, with a fault before an answer of its own.
UNSTEADY = """
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: model, namespace: istio-system},
 spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 9000, name: model, protocol: HTTP}, hosts: ["*"]}]}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: answer, namespace: istio-system},
 spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 9001, name: answer, protocol: HTTP}, hosts: ["*"]}]}}
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: answer, namespace: default},
 spec: {hosts: [answer.local], resolution: STATIC, ports: [{number: 9001, name: http, protocol: HTTP}], endpoints: [{address: 127.0.0.1}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: model, namespace: default},
 spec: {hosts: ["*"], gateways: [istio-system/model], http: [{fault: {abort: {httpStatus: 503, percentage: {value: 70}}},
   route: [{destination: {host: answer.local, port: {number: 9001}}}]}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: answer, namespace: default},
 spec: {hosts: ["*"], gateways: [istio-system/answer], http: [{directResponse: {status: 200, body: {string: '{"data":{"ndarray":[[0.1]]}}'}}}]}}
"""


def test_retries_hide_a_model_that_often_fails():
    apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unsteady", "namespace": NAMESPACE}, "data": {"unsteady.yaml": UNSTEADY}})
    container = {"name": "classifier", "image": "localhost/sluice:" + VERSION, "imagePullPolicy": "Never",
                 "args": ["serve", "-f", "/config/unsteady.yaml", "--admin", "off"], "volumeMounts": [{"name": "config", "mountPath": "/config"}]}
    unsteady = {"name": "one", "graph": {"name": "classifier", "type": "MODEL"}, "annotations": {"seldon.io/no-engine": "true"},
                "componentSpecs": [{"spec": {"containers": [container], "volumes": [{"name": "config", "configMap": {"name": "unsteady"}}]}}]}
    settled(deployment("unsteady", unsteady, istio_retries="0"))
    assert {status for status, _ in (call("unsteady") for _ in range(60))} == {200, 503}
    settled(deployment("unsteady", unsteady, istio_retries="50", istio_retries_timeout="2"))
    assert {status for status, _ in (call("unsteady", timeout=60) for _ in range(30))} == {200}


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


def test_tls_with_a_secret_that_is_rotated_and_the_seldon_client(tmp_path):
    first = certificate(tmp_path, "first", "models.example.com")
    apply(gateway("secure", "istio-system", 443, "HTTPS", mode="SIMPLE", credentialName="models-cert"))
    settled(deployment("secret", predictor("one"), istio_gateway="istio-system/seldon-gateway,istio-system/secure"))
    wait_for(lambda: answers_on(443, "secret", first), 20, "port 443")
    second = certificate(tmp_path, "second", "models.example.com")
    wait_for(lambda: answers_on(443, "secret", second), 20, "the second certificate")
    with pytest.raises(ssl.SSLError):
        call("secret", 443, first)
    # gateway="istio", over HTTP and HTTPS, as its users call it.
    said = json.loads(run(os.environ["SELDON_PYTHON"], ROOT / "tests/e2e/seldon_client.py", GATEWAY + ":80", GATEWAY + ":443", tmp_path / "second.crt",
                          "secret", NAMESPACE))
    for form in ("tensor", "ndarray", "https"):
        assert said[form]["success"], said
    assert not said["unknown"]["success"]


def test_a_shadow_gets_copies_and_answers_nobody():
    settled(deployment("shadowed", predictor("one", 100), predictor("two", 100, shadow=True)))
    run("kubectl", "-n", NAMESPACE, "rollout", "status", "deployment", "-l", "seldon-app=shadowed-two", "--timeout=60s")  # nobody waits for a shadow
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
        assert call("shadowed") == (200, "v1")  # Envoy hears of the shadow's pod a little later than we, and drops copies for nobody
        return sum(counts) >= 40

    wait_for(copies, 20, "copies at the shadow")


def test_deleted_is_gone():
    settled(deployment("gone", predictor("one")))
    assert call("gone")[0] == 200
    run("kubectl", "-n", NAMESPACE, "delete", "sdep", "gone", "--wait=true")
    wait_for(lambda: call("gone")[0] == 404, 20, "a 404")
    wait_for(lambda: not run("kubectl", "-n", NAMESPACE, "get", "deployment,service,virtualservice,destinationrule", "-o", "name").strip(), 60,
             lambda: run("kubectl", "-n", NAMESPACE, "get", "deployment,service,virtualservice,destinationrule", "-o", "name"))
