"""Every manifest of examples/iris is served, answers what the training script recorded, and splits as it says."""

import collections
import json
import re
import shutil

import pytest
import yaml
from harness import IRIS, Sluice, call, certificate, share_is, trusting, wait_for

EXPECTED = json.loads((IRIS / "expected.json").read_text())
ROW = EXPECTED["rows"][0]


def deployments():
    found = []
    for path in sorted(IRIS.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document and document["kind"] == "SeldonDeployment":
                found.append(document)
    return found


def versions(document):
    """Version of the model -> share, of the predictors that answer."""
    shares = collections.Counter()
    live = [predictor for predictor in document["spec"]["predictors"] if not predictor.get("shadow")]
    for predictor in live:
        version = "v2" if "v2" in predictor["graph"]["modelUri"] else "v1"
        shares[version] += predictor.get("traffic", 100 if len(live) == 1 else 0) / 100
    return shares


def annotations(document):
    return {**document["metadata"].get("annotations", {}), **document["spec"].get("annotations", {})}


def host_of(document):
    host = annotations(document).get("seldon.io/istio-host", "localhost").split(",")[0].strip()
    return "localhost" if host == "*" else host


def path_of(document):
    what = "v2/models/classifier/infer" if document["spec"].get("protocol") == "v2" else "api/v1.0/predictions"
    return "/seldon/%s/%s/%s" % (document["metadata"]["namespace"], document["metadata"]["name"], what)


def body_of(document, rows):
    if document["spec"].get("protocol") == "v2":
        return {"inputs": [{"name": "x", "shape": [len(rows), 4], "datatype": "FP32", "data": [cell for row in rows for cell in row]}]}
    return {"data": {"ndarray": rows}}


def probabilities(document, answer):
    """The rows of the answer, whatever the protocol."""
    if document["spec"].get("protocol") == "v2":
        output = answer["outputs"][0]
        width = output["shape"][-1]
        return [output["data"][at : at + width] for at in range(0, len(output["data"]), width)]
    return answer["data"]["ndarray"]


def version_of(values):
    """Which model gave these probabilities."""
    near = [version for version, rows in EXPECTED["predictions"].items() if max(abs(a - b) for a, b in zip(rows[0], values)) < 1e-4]
    assert len(near) == 1, (values, near)
    return near[0]


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """ask(document, rows) -> the answer, from one sluice that serves the whole folder."""
    work = tmp_path_factory.mktemp("examples")
    folder = work / "iris"
    shutil.copytree(IRIS, folder)
    names = set(re.findall(r"credentialName: ([\w-]+)", "".join(path.read_text() for path in IRIS.glob("*.yaml"))))
    crt, key = certificate(work / "pki", "edge", names=("localhost", "secure.example.com"))
    for name in names:
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(crt, folder / name / "tls.crt")
        shutil.copy(key, folder / name / "tls.key")
    sluice = Sluice([folder], log=work / "sluice.log")
    sluice.start(ready_seconds=60)

    def ask(document, rows, https=None):
        host = host_of(document)
        https = host == "secure.example.com" if https is None else https
        return call(sluice.https if https else sluice.http, path_of(document), body_of(document, rows), host=host,
                    context=trusting(crt) if https else None)

    ask.sluice = sluice
    yield ask
    sluice.kill()


@pytest.mark.parametrize("document", deployments(), ids=lambda d: d["metadata"]["name"])
def test_example_answers_and_splits(ask, document):
    wait_for(lambda: ask(document, [ROW]).status == 200, 30, lambda: "%s answers: %r\n%s" % (
        document["metadata"]["name"], ask(document, [ROW]).body, ask.sluice.log()[-3000:]))
    shares = versions(document)
    total = 400
    got = collections.Counter()
    for _ in range(total):
        answer = ask(document, [ROW])
        assert answer.status == 200, answer.body
        got[version_of(probabilities(document, answer.json())[0])] += 1
    for version, share in shares.items():
        assert share_is(got[version], total, share), (got, shares)
    assert set(got) <= {version for version, share in shares.items() if share > 0}


def test_https_of_the_default_gateway(ask):
    document = next(d for d in deployments() if d["metadata"]["name"] == "iris")
    answer = ask(document, [ROW], https=True)
    assert answer.status == 200
    assert version_of(answer.json()["data"]["ndarray"][0]) in ("v1", "v2")


def test_http_of_the_tls_example_is_redirected(ask):
    document = next(d for d in deployments() if d["metadata"]["name"] == "iris-tls")
    answer = ask(document, [ROW], https=False)
    assert answer.status == 301
    assert answer.headers["location"] == "https://secure.example.com" + path_of(document)


@pytest.mark.parametrize("name", ["iris-own", "iris-v2"])
def test_all_recorded_rows_in_one_batch(ask, name):
    """The numbers of a whole matrix are those of the library that trained the model."""
    document = next(d for d in deployments() if d["metadata"]["name"] == name)
    version = next(iter(versions(document)))
    known = [number for number, row in enumerate(EXPECTED["rows"]) if None not in row]
    got = probabilities(document, ask(document, [EXPECTED["rows"][number] for number in known]).json())
    assert len(got) == len(known)
    for values, number in zip(got, known):
        assert max(abs(a - b) for a, b in zip(values, EXPECTED["predictions"][version][number])) < 1e-4


def test_the_folder_has_what_its_readme_promises():
    readme = (IRIS / "README.md").read_text()
    assert len(deployments()) >= 8
    for document in deployments():
        assert "`%s`" % document["metadata"]["name"] in readme
