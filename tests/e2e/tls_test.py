"""TLS at the gateway with certificates as users make them: a folder, a Secret, rotation, names."""

import base64
import shutil
import ssl

import pytest
from harness import Load, call, certificate, service_entry, to, trusting, virtual_service, wait_for

GATEWAY = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: default}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: edge}}
"""


def secret(name, crt, key):
    return "---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: istio-system}\ntype: kubernetes.io/tls\ndata:\n  tls.crt: %s\n  tls.key: %s\n" % (
        name, base64.b64encode(crt.read_bytes()).decode(), base64.b64encode(key.read_bytes()).decode())


@pytest.fixture
def routes(backend):
    b = backend("b")
    return GATEWAY + service_entry("b", b.port) + virtual_service("b", to("b"))


def test_certificate_from_a_folder(gateway, folder, routes, tmp_path):
    crt, key = certificate(tmp_path / "pki", "one")
    (folder.path / "edge").mkdir()
    shutil.copy(crt, folder.path / "edge" / "tls.crt")
    shutil.copy(key, folder.path / "edge" / "tls.key")
    folder.write("all.yaml", routes)
    answer = call(gateway(folder).https, "/", context=trusting(crt))
    assert (answer.status, answer.json()) == (200, {"backend": "b"})


def test_certificate_from_a_secret(gateway, folder, routes, tmp_path):
    crt, key = certificate(tmp_path / "pki", "one")
    folder.write("all.yaml", routes + secret("edge", crt, key))
    sluice = gateway(folder)
    assert call(sluice.https, "/", context=trusting(crt)).status == 200
    other, _ = certificate(tmp_path / "pki", "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        call(sluice.https, "/", context=trusting(other))


def test_rotation_closes_no_connection(gateway, folder, routes, tmp_path):
    old, old_key = certificate(tmp_path / "pki", "old")
    new, new_key = certificate(tmp_path / "pki", "new")
    folder.write("routes.yaml", routes)
    folder.write("secret.yaml", secret("edge", old, old_key))
    sluice = gateway(folder)

    def serves_new():
        try:
            return call(sluice.https, "/", context=trusting(new)).status == 200
        except ssl.SSLError:
            return False

    with Load(sluice.https, "/", threads=3, context=trusting(old)) as load:
        load.wait(30)
        folder.write("secret.yaml", secret("edge", new, new_key))
        wait_for(serves_new, 5, "new connections get the new certificate")
        load.wait(60)
    assert load.failures == []
    assert load.reconnects == 0, "connections of the old certificate go on"


def test_the_name_picks_the_certificate(gateway, folder, backend, tmp_path):
    b = backend("b")
    servers = ""
    secrets = ""
    trusted = {}
    for name in ("a.test", "b.test"):
        crt, key = certificate(tmp_path / "pki", name, common_name=name)
        trusted[name] = trusting(crt)
        secrets += secret("cert-" + name[0], crt, key)
        servers += "  - {port: {number: 443, name: https-%s, protocol: HTTPS}, hosts: [%s], tls: {mode: SIMPLE, credentialName: cert-%s}}\n" % (
            name[0], name, name[0])
    gateway_text = GATEWAY[:GATEWAY.index("  - {port")] + servers
    folder.write("all.yaml", gateway_text + service_entry("b", b.port) + virtual_service("b", to("b")) + secrets)
    sluice = gateway(folder)
    for name, context in trusted.items():
        assert call(sluice.https, "/", host=name, context=context).status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        call(sluice.https, "/", host="c.test", context=trusted["a.test"])
