"""The operator beside others on one cluster: operators of other namespaces and ids, gateways that come and go, whoever reads its events and numbers.
On a control plane whose pods are objects only: KUBECONFIG says which (`tests/cluster/cluster plane`), kubectl is in PATH."""

import http.server
import json
import re
import threading
import urllib.request

import pytest
from harness import wait_for
from plane import Operator, kubectl

MINE, THEIRS = "neighbours", "neighbours-blue"
DEPLOYMENT = """
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: iris, namespace: NAMESPACE, labels: {LABELS}}
spec:
  annotations: {ANNOTATIONS}
  predictors:
  - name: main
    graph: {name: m, type: MODEL}
    componentSpecs: [{spec: {containers: [{name: m, image: "a/b:TAG"}]}}]
"""


def manifest(namespace, labels="", annotations="", tag="1"):
    text = DEPLOYMENT
    for key, value in (("NAMESPACE", namespace), ("LABELS", labels), ("ANNOTATIONS", annotations), ("TAG", tag)):
        text = text.replace(key, value)
    return text


def get(namespace, kind, *arguments):
    return json.loads(kubectl("-n", namespace, "get", kind, "-o", "json", *arguments))


def state(namespace):
    return get(namespace, "sdep", "iris").get("status", {}).get("state", "")


def missing_gateways(namespace=MINE):
    return [each["message"] for each in get(namespace, "sdep", "iris").get("status", {}).get("conditions", []) if each["type"] == "GatewayNotFound"]


class Observed(Operator):
    """Its admin port is where the log says."""

    def __init__(self, folder, *arguments):
        super().__init__(folder, "--admin", "127.0.0.1:0", *arguments)

    def metrics(self):
        wait_for(lambda: "bound=" in self.path.read_text(), 30, "the admin port is open")
        bound = re.search(r"bound=(\S+)", self.path.read_text()).group(1)
        text = urllib.request.urlopen("http://%s/metrics" % bound, timeout=5).read().decode()
        return {name: float(value) for name, value in re.findall(r"^([^#\s]+) (\S+)$", text, re.MULTILINE)}


@pytest.fixture
def operator(tmp_path):
    """operator(ARGUMENT ...) -> a running one; all are stopped at the end, and what they made is gone."""
    running = []
    for namespace in (MINE, THEIRS):
        kubectl("create", "namespace", namespace, check=False)

    def start(*arguments):
        running.append(Observed(tmp_path, *arguments))
        return running[-1]

    yield start
    for each in running:
        each.stop()
    for namespace in (MINE, THEIRS):
        kubectl("-n", namespace, "delete", "sdep,deployments,services,virtualservices,destinationrules,gateways.networking.istio.io,events", "--all", "--timeout=30s")
        kubectl("label", "namespace", namespace, "seldon.io/controller-id-")


def test_a_labelled_namespace_is_left_alone_until_the_label_goes(operator):
    kubectl("label", "namespace", THEIRS, "seldon.io/controller-id=blue")
    for namespace in (MINE, THEIRS):
        kubectl("apply", "-f", "-", given=manifest(namespace))
    one = operator()
    wait_for(lambda: state(MINE) == "Available", 30, "ours is wired")
    assert not get(THEIRS, "deployments")["items"]
    assert state(THEIRS) == ""
    assert one.metrics()["sluice_operator_left_to_others"] == 1
    kubectl("label", "namespace", THEIRS, "seldon.io/controller-id-")
    wait_for(lambda: state(THEIRS) == "Available", 30, "theirs is ours now")
    assert one.metrics()["sluice_operator_left_to_others"] == 0


def test_three_operators_share_a_cluster(operator):
    """Of one namespace, of an id, and the default one: each cares for its own, and for nothing else."""
    kubectl("label", "namespace", THEIRS, "seldon.io/controller-id=" + THEIRS)
    kubectl("apply", "-f", "-", given=manifest(THEIRS))
    kubectl("apply", "-f", "-", given=manifest(MINE))
    kubectl("apply", "-f", "-", given=manifest(MINE, "seldon.io/controller-id: red").replace("name: iris", "name: red"))
    default = operator()
    wait_for(lambda: state(MINE) == "Available", 30, "the default one")
    red = operator("--controller-id", "red")
    of_namespace = operator("--namespace", THEIRS)
    wait_for(lambda: get(MINE, "sdep", "red").get("status", {}).get("state") == "Available", 30, "the one with an id")
    wait_for(lambda: state(THEIRS) == "Available", 30, "the one of a namespace")
    assert default.metrics()["sluice_operator_left_to_others"] == 2
    assert red.metrics()["sluice_operator_left_to_others"] == 2
    assert of_namespace.metrics()["sluice_operator_left_to_others"] == 0


def test_a_gateway_that_is_not_there_is_said_until_it_is(operator):
    operator()
    kubectl("apply", "-f", "-", given=manifest(MINE, annotations="seldon.io/istio-gateway: nowhere"))
    wait_for(lambda: missing_gateways(), 30, "a condition")
    assert MINE + "/nowhere is not there" in missing_gateways()[0]
    events = [each for each in get(MINE, "events")["items"] if each["reason"] == "GatewayNotFound"]
    assert len(events) == 1 and events[0]["type"] == "Warning"
    kubectl("apply", "-f", "-", given="apiVersion: networking.istio.io/v1beta1\nkind: Gateway\nmetadata: {name: nowhere, namespace: %s}\n"
            "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n" % MINE)
    wait_for(lambda: not missing_gateways(), 30, "no condition")
    kubectl("-n", MINE, "delete", "gateways.networking.istio.io", "nowhere")
    wait_for(lambda: missing_gateways(), 30, "a condition again")


def test_the_same_event_again_is_counted_up(operator):
    operator()
    for tag in ("1", "2", "3"):
        kubectl("apply", "-f", "-", given=manifest(MINE, tag=tag))
        wait_for(lambda: get(MINE, "sdep", "iris")["metadata"]["generation"] == get(MINE, "sdep", "iris").get("status", {}).get("observedGeneration")
                 and state(MINE) == "Available", 30, "image " + tag)

    def counts():
        found = [each for each in get(MINE, "events")["items"] if each["message"] == "SeldonDeployment is Available"]
        return [each["count"] for each in found]
    wait_for(lambda: counts() == [3], 10, counts())


def test_usage_is_posted_to_the_address_given(operator):
    posted = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *unused):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        one = operator("--usage-metrics", "--usage-metrics-interval", "1s", "--usage-metrics-url", "http://127.0.0.1:%d/in" % server.server_address[1])
        kubectl("apply", "-f", "-", given=manifest(MINE))
        wait_for(lambda: posted and posted[-1][1]["states"].get("Available") == 1, 30, posted[-1:])
        path, document = posted[-1]
        assert path == "/in" and document["schema"] == "sluice-usage/1" and document["units"] == {"custom": 1}
        assert "iris" not in json.dumps(document) and MINE not in json.dumps(document)
        assert one.metrics()['sluice_usage_units{implementation="custom"}'] == 1
    finally:
        server.shutdown()


def test_the_leases_times_are_those_of_the_flags(operator):
    times = ["--leader-elect", "--lease-namespace", MINE, "--lease-duration", "2s", "--renew-deadline", "1s", "--retry-period", "200ms"]
    first = operator(*times)
    wait_for(lambda: first.metrics()["sluice_operator_leading"] == 1, 30, "a leader")
    assert get(MINE, "leases", "a33bd623.machinelearning.seldon.io")["spec"]["leaseDurationSeconds"] == 2
    second = operator(*times)
    first.process.kill()  # without a word: the lease must run out
    wait_for(lambda: second.metrics()["sluice_operator_leading"] == 1, 30, "another leader")
