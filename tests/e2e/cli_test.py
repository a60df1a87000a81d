"""The verbs that end by themselves: what they print, where, and their exit status."""

import json

import pytest
import yaml
from harness import GATEWAY, IRIS, service_entry, sluice, to, virtual_service

CANARY = IRIS / "canary.yaml"


@pytest.fixture
def wrong(tmp_path):
    """The canary with a misspelt field."""
    path = tmp_path / "wrong.yaml"
    path.write_text(CANARY.read_text().replace("modelUri: models/v1", "modelURI: models/v1"))
    return path


def test_render_prints_the_objects():
    status, out, err = sluice("render", "-f", CANARY, "--profile", "compat")
    assert status == 0, err
    kinds = [document["kind"] for document in yaml.safe_load_all(out)]
    assert kinds.count("Deployment") == 2
    assert kinds.count("VirtualService") == 1
    assert kinds.count("DestinationRule") == 2
    assert "Service" in kinds
    virtual = next(d for d in yaml.safe_load_all(out) if d["kind"] == "VirtualService")
    assert [route["weight"] for route in virtual["spec"]["http"][0]["route"]] == [75, 25]


def test_render_as_json_is_the_same():
    _, text, _ = sluice("render", "-f", CANARY)
    status, out, _ = sluice("render", "-f", CANARY, "-o", "json")
    assert status == 0
    printed = json.loads(out)
    items = printed["items"] if isinstance(printed, dict) else printed
    assert items == list(yaml.safe_load_all(text))


def test_render_reads_standard_input():
    status, out, err = sluice("render", "-f", "-", stdin=CANARY.read_text())
    assert status == 0, err
    assert "kind: VirtualService" in out


def test_render_of_a_refused_deployment_says_why_and_where(tmp_path):
    path = tmp_path / "sum.yaml"
    path.write_text(CANARY.read_text().replace("traffic: 25", "traffic: 20"))
    status, out, err = sluice("render", "-f", path)
    assert status == 1
    assert "kind: VirtualService" not in out
    line = 2 + path.read_text().split("\n").index("  predictors:")
    assert "sum.yaml:%d:3" % line in err, "where the list of predictors begins"
    assert "95" in err


def test_validate(wrong):
    status, out, err = sluice("validate", "-f", IRIS / "gateway.yaml", "-f", CANARY)
    assert status == 0, out + err
    status, out, err = sluice("validate", "-f", wrong)
    assert status == 1
    line = 1 + wrong.read_text().split("\n").index("      modelURI: models/v1")
    assert "wrong.yaml:%d:7" % line in out + err
    assert "modelUri" in out + err, "what was probably meant"


def test_validate_as_json(wrong):
    status, out, _ = sluice("validate", "-f", wrong, "-o", "json")
    assert status == 1
    assert json.loads(out)


def test_routes_in_order():
    status, out, err = sluice("routes", "-f", IRIS)
    assert status == 0, err
    for name in ("iris", "iris-abtest", "iris-bluegreen", "iris-shadow", "iris-retries", "iris-v2"):
        assert "/seldon/seldon/%s/" % name in out
    status, out, _ = sluice("routes", "-f", IRIS, "-o", "json")
    rows = json.loads(out)
    assert {row["port"] for row in rows} == {80}, "443 waits for its certificate"
    assert any(row["host"] == "iris.example.com" for row in rows)


def test_explain_a_hit():
    status, out, err = sluice("explain", "-f", IRIS, "--", "-X", "POST", "http://localhost/seldon/seldon/iris/api/v1.0/predictions")
    assert status == 0, err
    for word in ("75", "25", "/seldon/seldon/iris/", "/api/v1.0/predictions"):
        assert word in out, out


def test_explain_a_miss_names_the_nearest():
    status, out, _ = sluice("explain", "-f", IRIS, "--", "http://localhost/seldon/seldon/irys/api/v1.0/predictions")
    assert status == 1
    assert "404" in out
    assert "/seldon/seldon/iris/" in out


def test_explain_as_json(tmp_path):
    path = tmp_path / "all.yaml"
    path.write_text(GATEWAY + service_entry("b", 1) + virtual_service("b", to("b", "timeout: 3s"), hosts="b.test"))
    status, out, err = sluice("explain", "-f", path, "-o", "json", "--", "http://b.test/x", "-H", "x-a: 1")
    assert status == 0, err
    assert isinstance(json.loads(out), dict)
    status, out, _ = sluice("explain", "-f", path, "-o", "json", "--", "http://c.test/x")
    assert status == 1
    assert isinstance(json.loads(out), dict)


def test_what_serve_does_explain_says(gateway, backend, folder):
    """One table: the routes that explain names are those that answer."""
    b = backend("b")
    folder.write("all.yaml", GATEWAY + service_entry("b", b.port) + virtual_service(
        "b", "  - {match: [{uri: {regex: \"/v[12]/.*\"}, headers: {x-key: {exact: k}}}], route: [{destination: {host: b.test, port: {number: 8000}}}]}"))
    running = gateway(folder)
    for path, headers in (("/v1/x", {"x-key": "k"}), ("/v3/x", {"x-key": "k"}), ("/v1/x", {}), ("/v2/", {"x-key": "kk"})):
        arguments = [word for name, value in headers.items() for word in ("-H", "%s: %s" % (name, value))]
        status, _, _ = sluice("explain", "-f", folder, "--", "http://localhost" + path, *arguments)
        assert (running.call(path, headers=headers).status == 200) == (status == 0), (path, headers)


def test_version_help_and_a_wrong_command_line():
    status, out, _ = sluice("version")
    assert (status, out.split()[0]) == (0, "sluice")
    assert json.loads(sluice("version", "-o", "json")[1])["version"] in out
    assert sluice("--help")[0] == 0
    assert sluice("serve")[0] == 2
    assert sluice("render", "-f", CANARY, "--profile", "nonsense")[0] == 2
    assert sluice("serve", "-f", CANARY, "--bind", "eighty=8080")[0] == 2
    status, _, err = sluice("validate", "-f", "no-such-file.yaml")
    assert status != 0
    assert "no-such-file.yaml" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    status, out, _ = sluice("completion", shell)
    assert status == 0
    assert "validate" in out
