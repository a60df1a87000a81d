"""The Helm chart: what it renders, what it refuses, that its variables are those that sluice reads.

Rendered output is compared with tests/chart/golden/; `make chart-golden` writes it anew.
"""

import os
import re
import subprocess
import sys

import pytest
import yaml
from harness import ROOT, SLUICE

CHART = ROOT / "charts/sluice"
GOLDEN = ROOT / "tests/chart/golden"
CASES = {
    "webhook-cert-manager": ["--set", "certManager.enabled=true,webhook.failurePolicy=Fail,controllerId=team-b,kubeflow=true,usageMetrics.enabled=true,usageMetrics.url=https://usage.example.com/in"],
    "default": [],
    "istio-own-gateway": ["--set", "istio.enabled=true,istio.gateway=models/public,istio.tlsMode=ISTIO_MUTUAL"],
    "single-namespace": ["--set", "singleNamespace=true,controllerId=team-a,keda.enabled=true,manager.replicas=2,"
                         "networkPolicy.enabled=true,serviceMonitor.enabled=true,manager.logLevel=DEBUG"],
}


@pytest.fixture(scope="session")
def helm():
    """helm(ARGUMENT ...) -> what the process printed; builds Helm once when it is not there."""
    found = subprocess.run([str(ROOT / "tools/helm"), "--path"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=1200)
    if found.returncode == 3:
        pytest.skip(found.stderr.strip().splitlines()[-1])
    assert found.returncode == 0, found.stderr

    def run(*arguments, fails=False):
        made = subprocess.run([found.stdout.strip(), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        assert (made.returncode != 0) == fails, made.stderr + made.stdout
        return made.stderr if fails else made.stdout

    return run


def template(helm, *arguments, crd=False, fails=False):
    return helm("template", "sluice", CHART, "--namespace", "seldon-system", "--kube-version", "1.34.0",
                "--set", "crd.create=%s" % str(crd).lower(), *arguments, fails=fails)


def rendered(helm, *arguments, **options):
    return [document for document in yaml.safe_load_all(template(helm, *arguments, **options)) if document]


def operator(documents):
    deployment = next(document for document in documents if document["kind"] == "Deployment")
    return deployment["spec"]["template"]["spec"]


def environment(documents):
    return {each["name"]: each.get("value") for each in operator(documents)["containers"][0]["env"]}


def test_lint_finds_nothing(helm):
    helm("lint", "--strict", "--kube-version", "1.34.0", CHART)


@pytest.mark.parametrize("case", CASES)
def test_rendered_as_recorded(helm, case):
    text = template(helm, *CASES[case])
    path = GOLDEN / (case + ".yaml")
    if os.environ.get("SLUICE_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text(), "make chart-golden writes it anew; look at what changed"


def test_schema_and_page_are_those_of_the_values():
    made = subprocess.run([sys.executable, str(ROOT / "tools/helm_values"), "--check"], stdout=subprocess.PIPE, text=True)
    assert made.returncode == 0, made.stdout


@pytest.mark.parametrize("values, said", [
    ("istio.enabeld=true", "enabeld"),
    ("istio.enabled=yes-please", "/istio/enabled"),
    ("istio.tlsMode=ON", "/istio/tlsMode"),
    ("profile=compatible", "/profile"),
    ("executor.port=99999", "/executor/port"),
    ("managerUserID=0", "/managerUserID"),
    ("predictor_servers.MINE.protocols.v3.image=x", "v3"),
    ("ambassador.enabled=true", "sluice makes no objects of Ambassador"),
    ("managerCreateResources=true", "the operator makes nothing for itself"),
])
def test_refuses(helm, values, said):
    assert said in template(helm, "--set", values, fails=True)


def test_takes_names_of_seldons_chart_that_have_no_effect(helm):
    assert template(helm, "--set", "crd.forceV1=true,rbac.configmap.create=true,ambassador.singleNamespace=false") == template(helm)


def test_a_server_of_ones_own_joins_the_others(helm):
    documents = rendered(helm, "--set", "predictor_servers.MINE.protocols.v2.image=registry.example/mine")
    assert {"MINE", "SKLEARN_SERVER"} <= set(yaml.safe_load(config_map(documents)["predictor_servers"]))


def test_other_settings_are_other_pods(helm):
    def checksum(*arguments):
        deployment = next(d for d in rendered(helm, *arguments) if d["kind"] == "Deployment")
        return deployment["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    assert checksum() == checksum() != checksum("--set", "explainer.image=other")


def test_the_definition_is_the_generated_one(helm):
    source = yaml.safe_load((CHART / "crds-source/seldondeployments.yaml").read_text())
    kept = [d for d in rendered(helm, crd=True) if d["kind"] == "CustomResourceDefinition"]
    assert len(kept) == 1
    assert kept[0]["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert kept[0] == source
    plain = [d for d in rendered(helm, "--set", "crd.keep=false", crd=True) if d["kind"] == "CustomResourceDefinition"]
    assert plain == [source]
    assert not [d for d in rendered(helm) if d["kind"] == "CustomResourceDefinition"]


def test_runs_with_no_rights_on_its_node(helm):
    pod = operator(rendered(helm))
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    container = pod["containers"][0]["securityContext"]
    assert container["readOnlyRootFilesystem"] is True
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert [list(volume) for volume in pod["volumes"]] == [["name", "configMap"]] and "hostNetwork" not in pod


def test_rights_name_every_verb_and_resource(helm):
    roles = [d for d in rendered(helm, "--set", "istio.enabled=true,keda.enabled=true") if d["kind"] in ("ClusterRole", "Role")]
    assert len(roles) == 4
    for role in roles:
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"], rule
            if "resourceNames" not in rule:
                assert not {"secrets", "configmaps", "pods", "pods/exec", "validatingwebhookconfigurations"} & set(rule["resources"])


def test_the_webhook_may_touch_its_own_objects_only(helm):
    documents = rendered(helm)
    named = {rule["resources"][0]: (role["kind"], rule["resourceNames"], rule["verbs"])
             for role in documents if role["kind"] in ("ClusterRole", "Role") for rule in role["rules"]
             if "resourceNames" in rule and rule["resources"] != ["leases"]}
    configuration = next(d for d in documents if d["kind"] == "ValidatingWebhookConfiguration")
    assert named == {"secrets": ("Role", ["seldon-webhook-server-cert"], ["get", "update"]),
                     "validatingwebhookconfigurations": ("ClusterRole", [configuration["metadata"]["name"]], ["get", "patch"])}
    # What the operator writes is in no manifest: Helm leaves it alone when it upgrades.
    assert "caBundle" not in configuration["webhooks"][0]["clientConfig"]
    assert "data" not in next(d for d in documents if d["kind"] == "Secret")


def test_with_cert_manager_the_operator_keeps_no_certificates(helm):
    documents = rendered(helm, "--set", "certManager.enabled=true")
    assert not [d for d in documents if d["kind"] == "Secret"]
    assert len([d for d in documents if d["kind"] in ("ClusterRole", "Role")]) == 2
    arguments = operator(documents)["containers"][0]["args"]
    assert "--webhook-certificates=/etc/sluice/webhook" in arguments
    assert not [each for each in arguments if each.startswith("--webhook-configuration")]


def test_a_single_namespace_has_nothing_of_the_whole_cluster(helm):
    with_webhook = rendered(helm, "--set", "singleNamespace=true")
    assert {d["kind"] for d in with_webhook if "namespace" not in d["metadata"]} == {
        "ValidatingWebhookConfiguration", "ClusterRole", "ClusterRoleBinding"}
    documents = rendered(helm, "--set", "singleNamespace=true,webhook.enabled=false")
    assert not [d["kind"] for d in documents if d["kind"].startswith("Cluster")]
    assert {d["metadata"]["namespace"] for d in documents} == {"seldon-system"}
    assert "--namespace=seldon-system" in operator(documents)["containers"][0]["args"]


def test_operators_of_two_namespaces_share_no_object(helm):
    def names(namespace):
        return {(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"])
                for d in rendered(helm, "--set", "namespaceOverride=" + namespace)}

    assert not names("a") & names("b")


# Settings that `render` doesn't need and the operator reads itself.
OPERATORS_OWN = {"POD_NAME", "POD_NAMESPACE", "LEADER_ELECTION_ID"}


def test_every_variable_is_one_that_sluice_reads(helm):
    sources = "\n".join(path.read_text() for path in (ROOT / "src").glob("*/*.cc") if not path.name.endswith("_test.cc"))
    names = set(environment(rendered(helm))) - OPERATORS_OWN
    assert len(names) > 20
    assert not [name for name in names if '"%s"' % name not in sources]


def config_map(documents):
    return next(document for document in documents if document["kind"] == "ConfigMap")["data"]


def render_with(variables, profile, path, *more):
    made = subprocess.run([str(SLUICE), "render", "--profile", profile, "-f", str(path), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env={**{k: v for k, v in variables.items() if v is not None}, "PATH": os.environ["PATH"]})
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.mark.parametrize("profile", ["default", "compat"])
@pytest.mark.parametrize("case", ["canary-90-10", "engine-separate-pod", "logger", "explainer", "sklearn-server", "mlflow-server-v2"])
def test_default_values_are_the_settings_that_sluice_has_by_itself(helm, profile, case, tmp_path):
    """Names, spelling and units of variables and config: with the chart's the same objects come out as with none at all."""
    path = ROOT / "tests/golden/operator" / case / "in.yaml"
    documents = rendered(helm, "--set", "istio.enabled=true")
    for key, text in config_map(documents).items():
        (tmp_path / key).write_text(text)
    assert render_with(environment(documents), profile, path, "--config", str(tmp_path)) == render_with({}, profile, path)


def test_servers_and_images_of_the_values_reach_what_is_rendered(helm, tmp_path):
    documents = rendered(helm, "--set", "predictor_servers.SKLEARN_SERVER.protocols.seldon.image=registry.example/sk", "--set",
                         "storageInitializer.image=registry.example/fetch:9,storageInitializer.cpuLimit=2")
    for key, text in config_map(documents).items():
        (tmp_path / key).write_text(text)
    text = render_with({}, "default", ROOT / "tests/golden/operator/sklearn-server/in.yaml", "--config", str(tmp_path))
    assert "registry.example/sk:1.18.2" in text and "registry.example/fetch:9" in text


def test_values_reach_what_is_rendered(helm):
    path = ROOT / "tests/golden/operator/canary-90-10/in.yaml"
    text = render_with(environment(rendered(helm, *CASES["istio-own-gateway"], "--set", "executor.port=8100,executor.image.registry=registry.example")),
                       "default", path)
    assert "models/public" in text and "ISTIO_MUTUAL" in text and "registry.example/seldonio/seldon-core-executor:1.18.2" in text
    assert re.search(r"number: 8100\b", text)


def test_the_program_and_the_chart_have_one_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    said = subprocess.run([str(SLUICE), "--version"], stdout=subprocess.PIPE, text=True).stdout
    assert chart["appVersion"] in said.split()
    assert chart["version"] == chart["appVersion"]
