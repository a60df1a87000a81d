"""An installation of Seldon Core taken over: its recorded objects (tests/golden/operator), written as its operator writes them (by update, as `manager`), then
`sluice operator --profile compat` beside them. No pod may start anew, no address may change; what the user removes later must go, although somebody else wrote it.
On a control plane whose pods are objects only: KUBECONFIG says which (`tests/cluster/cluster plane`), kubectl is in PATH."""

import base64
import copy
import difflib
import json

import pytest
import yaml
from harness import ROOT, wait_for
from plane import Operator, kubectl

GOLDEN = ROOT / "tests/golden/operator"
NAMESPACE = "models"
# Each is wired in another way.
CASES = ["canary-90-10", "shadow-30-percent", "gateway-prefixed", "explainer-own-container", "pdb-min-available", "engine-separate-pod", "separate-pods",
         "sklearn-server", "no-engine", "nested-graph"]


def get(kind, *arguments):
    return json.loads(kubectl("-n", NAMESPACE, "get", kind, "-o", "json", *arguments))


def with_predictor_encoded(value):
    """The recording shows ENGINE_PREDICTOR decoded. Go writes no blanks, and < > & as escapes."""
    if isinstance(value, list):
        return [with_predictor_encoded(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "valueDecoded" in value:
        text = json.dumps(value["valueDecoded"], separators=(",", ":"), ensure_ascii=False)
        for character in "<>&":
            text = text.replace(character, "\\u%04x" % ord(character))
        return {"name": value["name"], "value": base64.b64encode(text.encode()).decode()}
    return {key: with_predictor_encoded(each) for key, each in value.items()}


def operator_of(folder):
    return Operator(folder, "--profile", "compat", "--admin", "off")


@pytest.fixture(params=CASES)
def installed(request, tmp_path):
    """The SeldonDeployment and what the reference made of it, running; no operator."""
    kubectl("create", "namespace", NAMESPACE, check=False)
    step = yaml.safe_load((GOLDEN / request.param / "out.yaml").read_text())["steps"][-1]
    if request.param == "no-engine":  # the recording has no variable of the user's
        colour = {"name": "COLOUR", "value": "teal"}
        step["stored"]["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"] = [colour]
        step["objects"]["Deployment"][0]["spec"]["template"]["spec"]["containers"][0]["env"].insert(0, colour)
    deployment = step["stored"]
    deployment.pop("status", None)
    made = json.loads(kubectl("create", "-f", "-", "-o", "json", given=json.dumps(deployment)))
    for objects in step["objects"].values():
        for each in copy.deepcopy(objects):
            each["metadata"]["annotations"] = {k: "x" if k == "seldon.io/last-applied" else v for k, v in each["metadata"].get("annotations", {}).items()}
            for owner in each["metadata"].get("ownerReferences", []):
                owner["uid"] = made["metadata"]["uid"]
            kubectl("create", "--field-manager=manager", "-f", "-", given=json.dumps(with_predictor_encoded(each)))
    wanted = len(step["objects"]["Deployment"])
    wait_for(lambda: sum(d.get("status", {}).get("availableReplicas", 0) >= d["spec"]["replicas"] for d in get("deployments")["items"]) == wanted, 30, "pods run")
    yield made["metadata"]["name"], step
    kubectl("-n", NAMESPACE, "delete", "sdep", "--all", "--wait=false")
    wait_for(lambda: not get("deployments,services,virtualservices,destinationrules,pods")["items"], 60, "all is gone")


@pytest.fixture
def operator(installed, tmp_path):
    running = operator_of(tmp_path)
    yield running
    running.stop()


def all_specs():
    """Of what the reference would write again, if the installation were given back to it: the same is there, so nothing would happen."""
    return {(each["kind"], each["metadata"]["name"]): each["spec"] for each in get("deployments,services,virtualservices,destinationrules")["items"]}


def identities(kind):
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in get(kind)["items"]}


def state(name):
    status = get("sdep/" + name).get("status", {})
    return status.get("state"), status.get("observedGeneration")


def test_taken_over_without_a_restart(installed, tmp_path):
    name, step = installed
    before = {kind: identities(kind) for kind in ("pods", "replicasets", "deployments", "services", "virtualservices", "destinationrules")}
    specs = all_specs()
    running = operator_of(tmp_path)
    try:
        wait_for(lambda: state(name)[0] == "Available", 30, "Available")
        owners = [{entry["manager"] for entry in each["metadata"]["managedFields"] if "subresource" not in entry}
                  for each in get("services,virtualservices,destinationrules", "--show-managed-fields")["items"]]
        assert owners and all("sluice" in each and "manager" not in each for each in owners), owners
    finally:
        running.stop()
    after = all_specs()
    for key, spec in specs.items():
        before_lines, after_lines = (yaml.safe_dump(each, width=1000).splitlines() for each in (spec, after[key]))
        assert after[key] == spec, "what runs is what ran:\n" + "\n".join(difflib.unified_diff(before_lines, after_lines, lineterm="", n=6))
    assert {kind: identities(kind) for kind in before} == before


def replace(name, change):
    """As a user would; waits until the operator has followed."""
    wait_for(lambda: state(name)[0] == "Available", 30, "Available")
    deployment = get("sdep/" + name)
    deployment.pop("status", None)
    change(deployment)
    kubectl("replace", "-f", "-", given=json.dumps(deployment))
    generation = get("sdep/" + name)["metadata"]["generation"]
    wait_for(lambda: state(name) == ("Available", generation), 30, "Available again")


# The second one's pods have no orchestrator: its Deployment is written by server-side apply.
@pytest.mark.parametrize("installed", ["own-probes-and-env", "no-engine"], indirect=True)
def test_a_variable_that_is_removed_later_goes(installed, operator):
    """Another program wrote it."""

    def without_variables(deployment):
        for component in deployment["spec"]["predictors"][0]["componentSpecs"]:
            for container in component["spec"]["containers"]:
                container.pop("env")

    def variables():
        return {v["name"] for d in get("deployments")["items"] for c in d["spec"]["template"]["spec"]["containers"] for v in c.get("env", [])}

    assert "COLOUR" in variables()
    replace(installed[0], without_variables)
    assert "PREDICTIVE_UNIT_ID" in variables()
    assert "COLOUR" not in variables()
