"""PyPI's SeldonClient with gateway="istio" against sluice, over HTTP and HTTPS."""

import json
import pathlib
import shutil
import subprocess

import pytest
from harness import IRIS, ROOT, certificate, wait_for

MANIFEST = """apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: iris, namespace: seldon}
spec:
  predictors:
  - name: main
    graph: {name: classifier, implementation: XGBOOST_SERVER, modelUri: "file://%s"}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: seldon-gateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: edge}}
""" % (IRIS / "models" / "v1")


@pytest.fixture(scope="module")
def python():
    done = subprocess.run([str(ROOT / "tools" / "python_env"), "seldon"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_seldon_client(python, gateway, folder, tmp_path):
    crt, key = certificate(tmp_path / "pki", "edge")
    (folder.path / "edge").mkdir()
    shutil.copy(crt, folder.path / "edge" / "tls.crt")
    shutil.copy(key, folder.path / "edge" / "tls.key")
    folder.write("all.yaml", MANIFEST)
    sluice = gateway(folder)
    wait_for(lambda: sluice.predict("iris", "seldon").status == 200, 20, lambda: sluice.log())
    script = pathlib.Path(__file__).parent / "seldon_client.py"
    done = subprocess.run([python, str(script), "localhost:%d" % sluice.http, "localhost:%d" % sluice.https, str(crt), "iris", "seldon"],
                          capture_output=True, text=True, timeout=120, env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    out = json.loads(done.stdout.strip().splitlines()[-1])
    for call in ("tensor", "ndarray", "https"):
        assert out[call]["success"], out[call]
    assert out["tensor"]["response"]["data"]["tensor"]["shape"] == [1, 3]
    assert out["https"]["response"]["data"]["tensor"]["values"] == out["tensor"]["response"]["data"]["tensor"]["values"]
    assert len(out["ndarray"]["response"]["data"]["ndarray"][0]) == 3
    assert not out["unknown"]["success"]
    assert out["unknown"]["msg"].startswith("404")
