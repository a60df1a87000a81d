"""`kubectl sluice`: the verbs that read a cluster, against an API server that answers lists from documents."""

import http.server
import json
import os
import subprocess
import threading
import urllib.parse

import pytest
import yaml
from harness import IRIS, SLUICE, sluice

PLURALS = {"Secret": "secrets", "Service": "services", "ServiceEntry": "serviceentries", "Pod": "pods", "ConfigMap": "configmaps", "Gateway": "gateways"}
OWNER = {"apiVersion": "machinelearning.seldon.io/v1", "kind": "SeldonDeployment", "name": "iris", "uid": "u-1", "controller": True}


def plural(kind):
    return PLURALS.get(kind, kind.lower() + "s")


class Cluster:
    """Objects by collection path, and who may not read what."""

    def __init__(self, objects):
        self.objects, self.forbidden, self.asked = objects, set(), []

    def find(self, path, selector):
        parts = path.strip("/").split("/")
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else None
        kind, name = (rest[2], rest[3:]) if namespace else (rest[0], rest[1:])
        if kind in self.forbidden:
            return 403, {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "%s is forbidden: User \"dev\" cannot list" % kind}
        wanted = [pair.split("=") for pair in selector.split(",") if pair]
        found = [
            o for o in self.objects
            if plural(o["kind"]) == kind and (o["apiVersion"].split("/")[0] if "/" in o["apiVersion"] else "") == group
            and (namespace is None or o["metadata"].get("namespace", "default") == namespace)
            and all(o["metadata"].get("labels", {}).get(w[0]) is not None and (len(w) == 1 or o["metadata"]["labels"][w[0]] == w[1]) for w in wanted)
            and (not name or o["metadata"]["name"] == name[0])
        ]
        if name:
            return (200, found[0]) if found else (404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": "%s not found" % name[0]})
        return 200, {"kind": "List", "metadata": {"resourceVersion": "7"}, "items": found}


@pytest.fixture
def cluster(tmp_path):
    """The canary as it stands when the stable version runs and the canary's image can't be pulled."""
    deployment = next(d for d in yaml.safe_load_all((IRIS / "canary.yaml").read_text()) if d["kind"] == "SeldonDeployment")
    deployment["metadata"].update(namespace="seldon", generation=2)
    deployment["status"] = {"state": "Creating", "description": "iris-canary is not ready", "observedGeneration": 2}
    path = tmp_path / "iris.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in deployment.items() if k != "status"}))
    status, out, err = sluice("render", "-f", path, "-o", "json")
    assert status == 0, err
    world = [deployment, {"apiVersion": "networking.istio.io/v1beta1", "kind": "Gateway", "metadata": {"name": "seldon-gateway", "namespace": "istio-system"},
                          "spec": {"selector": {"istio": "ingressgateway"}, "servers": [{"hosts": ["*"], "port": {"name": "http", "number": 80, "protocol": "HTTP"}}]}}]
    for made in json.loads(out)["items"]:
        made["metadata"]["ownerReferences"] = [OWNER]
        stands = 0 if "canary" in made["metadata"]["name"] else 1
        if made["kind"] == "Deployment":
            made["status"] = {"readyReplicas": stands}
            if not stands:
                world.append({"apiVersion": "v1", "kind": "Pod",
                              "metadata": {"name": "canary-x", "namespace": "seldon", "labels": dict(made["spec"]["template"]["metadata"]["labels"], **{"seldon-deployment-id": "iris"})},
                              "status": {"containerStatuses": [{"name": "classifier", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]}})
        if made["kind"] == "Service" and stands:
            world.append({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                          "metadata": {"name": made["metadata"]["name"] + "-1", "namespace": "seldon", "labels": {"kubernetes.io/service-name": made["metadata"]["name"]}},
                          "endpoints": [{"addresses": ["127.0.0.9"], "conditions": {"ready": True}}],
                          "ports": [{"name": p["name"], "port": 9000, "protocol": "TCP"} for p in made["spec"]["ports"]]})
        world.append(made)
    served = Cluster(world)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):  # noqa: N802
            served.asked.append((self.command, self.path))
            url = urllib.parse.urlsplit(self.path)
            code, document = served.find(url.path, urllib.parse.parse_qs(url.query).get("labelSelector", [""])[0])
            body = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    config = tmp_path / "kubeconfig"
    config.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:%d" % server.server_address[1]}}],
        "users": [{"name": "u", "user": {"token": "t"}}], "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "seldon"}}]}))
    program = tmp_path / "kubectl-sluice"
    program.symlink_to(SLUICE)

    def run(*arguments):
        done = subprocess.run([program, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], "KUBECONFIG": str(config)})
        return done.returncode, done.stdout, done.stderr

    served.run, served.file = run, path
    yield served
    server.shutdown()
    server.server_close()
    assert {verb for verb, _ in served.asked} == {"GET"}, "it only reads"


def test_status_is_a_line_each(cluster):
    status, out, err = cluster.run("status", "-A")
    assert status == 1, "not all are Available: " + err
    head, line = out.strip().split("\n")
    assert head.split() == ["NAMESPACE", "NAME", "STATE", "READY", "TRAFFIC", "SAID"]
    assert line.split()[:4] == ["seldon", "iris", "Creating", "1/2"]


def test_status_of_one_says_what_keeps_it(cluster):
    status, out, err = cluster.run("status", "iris")
    assert status == 1
    assert "pod canary-x: classifier: ImagePullBackOff: no such image" in out, out + err
    lines = {line.split()[1]: line for line in out.split("\n") if line.startswith("  Service")}
    assert any("1 endpoint" in line for name, line in lines.items() if "canary" not in name)
    assert any("0 endpoints" in line and "503" in line for name, line in lines.items() if "canary" in name)


def test_status_says_why_a_new_version_does_not_start_while_the_old_one_serves(cluster):
    for made in cluster.objects:
        if made["kind"] == "Deployment" and "canary" in made["metadata"]["name"]:
            made["status"] = {"readyReplicas": 1, "replicas": 2, "updatedReplicas": 1, "unavailableReplicas": 1}
    _, out, err = cluster.run("status", "iris")
    line = next(line for line in out.splitlines() if "iris-canary" in line and "Deployment" in line)
    assert "1/1 ready" in line and "ImagePullBackOff: no such image" in line, out + err


def test_status_as_json(cluster):
    cluster.objects[0]["status"]["state"] = "Available"
    status, out, err = cluster.run("status", "iris", "-o", "json")
    assert status == 0, err
    (said,) = json.loads(out)
    assert (said["name"], said["state"], said["ready"]) == ("iris", "Available", "1/2")
    assert {"Deployment", "Service", "VirtualService"} <= {part["kind"] for part in said["parts"]}


def test_status_names_what_is_not_there(cluster):
    status, _, err = cluster.run("status", "iriss")
    assert status == 3
    assert "no SeldonDeployment iriss in namespace seldon" in err


def test_explain_follows_what_is_in_force(cluster):
    status, out, err = cluster.run("explain", "--", "http://any/seldon/seldon/iris/api/v1.0/predictions")
    assert status == 0, out + err
    assert "75" in out and "25" in out
    assert "SeldonDeployment seldon/iris" in out, "whose route it is"
    assert "127.0.0.9:9000" in out, "the endpoints are the cluster's"
    assert not [path for _, path in cluster.asked if "seldondeployments" in path], "routes come from Istio's objects"


def test_explain_names_what_is_wrong_with_a_gateway(cluster):
    gateway = next(each for each in cluster.objects if each["kind"] == "Gateway")
    gateway["spec"]["servers"] = [{"hosts": ["*"], "port": {"name": "https", "number": 443, "protocol": "HTTPS"}, "tls": {"mode": "SIMPLE", "credentialName": "edge"}}]
    status, out, err = cluster.run("explain", "--", "https://any/seldon/seldon/iris/api/v1.0/predictions")
    assert status == 1 and "Gateway istio-system/seldon-gateway: there is no Secret edge in namespace istio-system" in out, out + err
    gateway["spec"]["servers"] = [{"hosts": ["*"], "port": {"name": "http", "number": 80, "protocol": "HTTP"}}]
    gateway["metadata"]["name"] = "another"
    status, out, err = cluster.run("explain", "--", "http://any/seldon/seldon/iris/api/v1.0/predictions")
    assert status == 1 and "there is no Gateway istio-system/seldon-gateway" in out, out + err


def test_explain_of_a_file_as_if_it_were_applied(cluster):
    cluster.file.write_text(cluster.file.read_text().replace("traffic: 75", "traffic: 40").replace("traffic: 25", "traffic: 60"))
    status, out, err = cluster.run("explain", "-f", cluster.file, "--", "http://any/seldon/seldon/iris/api/v1.0/predictions")
    assert status == 0, out + err
    assert "40" in out and "60" in out and "75" not in out
    assert "127.0.0.9:9000" in out, "what stays keeps its endpoints"


def test_what_is_not_applied_yet_is_newer_than_all_that_is_there(cluster):
    """Of two VirtualServices that want the same requests Istio takes the older one."""
    for each in cluster.objects:
        each["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    cluster.file.write_text(yaml.safe_dump({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a-name-that-sorts-first", "namespace": "seldon"},
        "spec": {"hosts": ["*"], "gateways": ["istio-system/seldon-gateway"],
                 "http": [{"match": [{"uri": {"prefix": "/seldon/seldon/iris/"}}], "directResponse": {"status": 418}}]}}))
    _, _, err = cluster.run("validate", "-f", cluster.file)
    assert "VirtualService seldon/iris http[0].match[0] is older" in err and "[claimed-twice]" in err, err
    _, out, _ = cluster.run("explain", "-f", cluster.file, "--", "http://any/seldon/seldon/iris/api/v1.0/predictions")
    assert "VirtualService seldon/iris" in out and "418" not in out, out


def test_validate_finds_a_gateway_that_is_missing(cluster):
    status, _, err = cluster.run("validate", "-f", cluster.file)
    assert status == 0, err
    assert "seldon-gateway" not in err
    cluster.objects = [o for o in cluster.objects if o["kind"] != "Gateway"]
    _, _, err = cluster.run("validate", "-f", cluster.file)
    assert "istio-system/seldon-gateway" in err


def test_render_uses_the_settings_of_the_installed_operator(cluster):
    cluster.objects.append({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "sluice-operator", "namespace": "seldon-system", "labels": {"app.kubernetes.io/name": "sluice", "app.kubernetes.io/component": "operator"}},
        "spec": {"template": {"spec": {"containers": [{"name": "manager", "args": ["operator"], "env": [
            {"name": "ISTIO_ENABLED", "value": "true"}, {"name": "ISTIO_GATEWAY", "value": "edge/models"}]}]}}}})
    status, out, err = cluster.run("render", "iris")
    assert status == 0, err
    virtual = next(d for d in yaml.safe_load_all(out) if d["kind"] == "VirtualService")
    assert virtual["spec"]["gateways"] == ["edge/models"]
    assert "no sluice operator" not in err


def test_without_an_operator_it_says_whose_settings_it_took(cluster):
    status, _, err = cluster.run("render", "iris")
    assert status == 0
    assert "no sluice operator is installed" in err


def test_what_may_not_be_read_is_said_in_the_servers_words(cluster):
    cluster.forbidden.add("virtualservices")
    status, _, err = cluster.run("explain", "--", "http://any/seldon/seldon/iris")
    assert status == 3
    assert "virtualservices is forbidden" in err


def test_help_names_the_plugin(cluster):
    status, out, _ = cluster.run("--help")
    assert status == 0
    assert "kubectl sluice status" in out and "serve " not in out
    cluster.run("status")  # the fixture wants to see that something was asked


def test_status_without_a_cluster_says_what_to_do():
    status, _, err = sluice("status")
    assert status == 2
    assert "kubectl-sluice" in err
