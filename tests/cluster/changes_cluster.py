"""Changes under load through Istio's real ingress gateway, of which none may lose a request. Run by tests/cluster/run inside the cluster's network."""

import http.client
import json
import time

import pytest
from harness import wait_for
from models import NAMESPACE, Load, apply, bare, deployment, install, run, settled


@pytest.fixture(scope="module", autouse=True)
def installed():
    install()
    yield
    run("kubectl", "delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(autouse=True)
def clean():
    yield
    run("kubectl", "-n", NAMESPACE, "delete", "sdep", "--all", "--wait=true")


def ports_of(service):
    ports = json.loads(run("kubectl", "-n", NAMESPACE, "get", "service", service, "-o", "json"))["spec"]["ports"]
    return [(port["name"], port["port"], port["targetPort"]) for port in ports]


def test_a_port_that_moves():
    settled(deployment("moving", bare("one")))
    with Load("moving") as load:
        for port in (8081, 8082, None):
            settled(deployment("moving", bare("one", port=port)))
        time.sleep(1)
    assert load.failed() == {} and sum(load.results.values()) > 100
    wait_for(lambda: ports_of("moving-one") == [("http", 9000, 9000), ("grpc", 9500, 9500)], 20, lambda: ports_of("moving-one"))


def test_the_first_predictor_is_removed_and_comes_back():
    both = deployment("order", bare("one", 50, container="first"), bare("two", 50, container="second"))
    settled(both)
    with Load("order") as load:
        settled(deployment("order", bare("two", container="second")))
        settled(both)
        time.sleep(1)
    assert load.failed() == {} and {(200, "v1"), (200, "v2")} == set(load.results)


def test_rolling_updates_in_place():
    """Another variable, another version label, fewer pods, an attempt that fails and is taken back."""
    second = {"replicas": 1, "labels": {"version": "second"}}
    settled(deployment("rolling", bare("one", replicas=2)))
    with Load("rolling") as load:
        settled(deployment("rolling", bare("one", revision=2, replicas=2)))
        settled(deployment("rolling", bare("one", revision=2, replicas=2, labels={"version": "second"})))
        settled(deployment("rolling", bare("one", revision=2, **second)))
        broken = bare("one", revision=3, port=8083, replicas=1, labels={"version": "third"})
        broken["componentSpecs"][0]["spec"]["containers"][0]["args"][-1] = "/nowhere"
        apply(deployment("rolling", broken))
        time.sleep(5)
        settled(deployment("rolling", bare("one", revision=2, **second)))
        time.sleep(1)
    assert load.failed() == {} and sum(load.results.values()) > 100


def test_twenty_five_rollouts():
    settled(deployment("churn", bare("one")))
    with Load("churn") as load:
        for turn in range(1, 6):
            old, new = ("one", "two") if turn % 2 else ("two", "one")
            settled(deployment("churn", bare(old, 80), bare(new, 20)))
            settled(deployment("churn", bare(old, 20), bare(new, 80)))
            settled(deployment("churn", bare(new)))
            settled(deployment("churn", bare(new, revision=turn)))
            settled(deployment("churn", bare(new)))
        time.sleep(1)
    print("%d requests" % sum(load.results.values()))
    assert load.failed() == {} and {(200, "v1"), (200, "v2")} == set(load.results)


def metrics():
    address = run("kubectl", "-n", "seldon-system", "get", "pod", "-l", "app.kubernetes.io/component=operator", "-o", "jsonpath={.items[0].status.podIP}")
    connection = http.client.HTTPConnection(address, 8080, timeout=5)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_the_gateway_itself_says_that_it_uses_a_route():
    settled(deployment("asked", bare("one")))
    settled(deployment("asked", bare("one", 50), bare("two", 50)))
    # Not a difference: another test may have killed the operator meanwhile, and its counts begin anew.
    wait_for(lambda: float(metrics()['sluice_gateway_questions_total{answer="seen"}']) > 0, 20, "an answer of the gateway")
    barriers = run("kubectl", "-n", "seldon-system", "get", "virtualservice", "-o", "name").split()
    assert [name for name in barriers if name.endswith("sluice-probe.istio-system.seldon-gateway")]
