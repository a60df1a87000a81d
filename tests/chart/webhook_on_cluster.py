#!/usr/bin/env python3
"""The chart's webhook on a real cluster: refusals reach kubectl in our words, certificates change without a moment without answers, and
an operator that is down blocks nothing. Usage: webhook_on_cluster.py   (kubectl in PATH reaches a cluster with Istio's definitions
and the image localhost/sluice:VERSION; openssl. Writes to namespaces seldon-system and webhook-test.)
"""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPERATOR, NAMESPACE = "seldon-system", "webhook-test"
SECRET, CONFIGURATION = "seldon-webhook-server-cert", "seldon-validating-webhook-configuration-" + OPERATOR
HOST = "seldon-webhook-service.%s.svc" % OPERATOR
GOOD = """
apiVersion: machinelearning.seldon.io/VERSION
kind: SeldonDeployment
metadata: {name: NAME, namespace: webhook-test, labels: {LABELS}}
spec:
  predictors:
  - name: main
    replicas: 0
    traffic: TRAFFIC
    graph: {name: classifier, type: MODEL}
    componentSpecs: [{spec: {containers: [{name: classifier, image: "example.com/none:1"}]}}]
"""


def manifest(name, traffic=100, version="v1", labels=""):
    text = GOOD
    for key, value in (("NAME", name), ("TRAFFIC", traffic), ("VERSION", version), ("LABELS", labels)):
        text = text.replace(key, str(value))
    return text


def run(*command, given=None, fails=False):
    made = subprocess.run(command, input=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if made.returncode and not fails:
        raise RuntimeError("%s: %s" % (" ".join(command), made.stderr))
    return made.returncode, made.stdout, made.stderr


def kubectl(*arguments, given=None, fails=False):
    return run("kubectl", *arguments, given=given, fails=fails)


def helm(*arguments):
    run(str(ROOT / "tools/helm"), *arguments)


def until(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.5)
    return False


def create(text, *arguments):
    """Exit code and what kubectl said. A dry run asks the webhook, too."""
    code, _, said = kubectl("create", "--dry-run=server", *arguments, "-f", "-", given=text, fails=True)
    return code, said


def refuses():
    code, said = create(manifest("probe", 60))
    return code != 0 and "is invalid" in said


def secret():
    data = json.loads(kubectl("-n", OPERATOR, "get", "secret", SECRET, "-o", "json")[1]).get("data", {})
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def bundle():
    text = kubectl("get", "validatingwebhookconfiguration", CONFIGURATION, "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}")[1]
    return base64.b64decode(text).decode()


class Asking(threading.Thread):
    """Asks without a pause until it is told to stop; counts what was let through although it is wrong."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked, self.passed, self.ends = 0, 0, threading.Event()

    def run(self):
        while not self.ends.is_set():
            self.asked += 1
            self.passed += not refuses()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.ends.set()
        self.join(60)


AUTHORITIES = """
[ca]
default_ca = all
[all]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
unique_subject = no
policy = names
[names]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
[server]
subjectAltName = DNS:%s,DNS:%s
extendedKeyUsage = serverAuth
""" % (HOST, HOST[:-4])


def signed(folder, name, days_before, days_left, by=None):
    """An authority, or a server's certificate signed by `by`, that began and ends so many days from now: (certificate, key)."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)
    for file, text in (("config", AUTHORITIES), ("index", ""), ("serial", "%016x\n" % time.time_ns())):
        (folder / file).write_text(text)
    times = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400)) for days in (-days_before, days_left)]
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
    signer = ["-selfsign", "-keyfile", name + ".key"] if by is None else ["-cert", by + ".crt", "-keyfile", by + ".key"]
    openssl("ca", "-batch", "-config", "config", "-notext", *signer, "-in", name + ".csr", "-startdate", times[0], "-enddate", times[1],
            "-extensions", "server" if by else "authority", "-out", name + ".crt")
    return (folder / (name + ".crt")).read_text(), (folder / (name + ".key")).read_text()


def write_secret(data):
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    kubectl("-n", OPERATOR, "patch", "secret", SECRET, "--type=merge", "-p", json.dumps({"data": encoded}))


def check_words():
    code, said = create(manifest("wrong", 60))
    assert code != 0, "accepted"
    assert 'The SeldonDeployment "wrong" is invalid' in said, said
    assert "spec.predictors[0].traffic" in said and "100" in said, said
    by_cli = run(str(ROOT / "build/release/sluice"), "validate", "--cluster", "-f", "-", given=manifest("wrong", 60), fails=True)
    words = (by_cli[1] + by_cli[2]).split("traffic: ", 1)[1].split(" [", 1)[0].split(";")[0]
    assert words in said, (words, said)


def check_versions():
    for version in ("v1", "v1alpha2", "v1alpha3"):
        code, said = create(manifest("wrong", 60, version))
        assert code != 0 and "is invalid" in said, (version, said)
        code, said = create(manifest("right", 100, version))
        assert code == 0, (version, said)


def check_warnings():
    text = manifest("warned").replace("spec:\n", "spec:\n  oauth_key: x\n", 1)
    code, said = create(text)
    assert code == 0 and "Warning:" in said and "oauth_key" in said, said


def check_others():
    code, said = create(manifest("wrong", 60, labels="seldon.io/controller-id: another"))
    assert code == 0, said


def check_update():
    kubectl("create", "-f", "-", given=manifest("stored"))
    code, _, said = kubectl("apply", "-f", "-", given=manifest("stored", 60), fails=True)
    assert code != 0 and "is invalid" in said, said
    kubectl("-n", NAMESPACE, "label", "sdep", "stored", "team=a")


def check_rotation():
    """Certificates as they are after most of a year, put beside ours one by one, each trusted before it is used, are renewed; meanwhile
    nobody is let through."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        old, old_key = signed(folder, "old", 300, 65)
        next_, next_key = signed(folder, "next", 10, 300)
        served_long, served_long_key = signed(folder, "long", 10, 60, by="old")
        served_due, served_due_key = signed(folder, "due", 70, 20, by="old")
    ours = secret()
    with Asking() as asking:
        write_secret({"ca.crt": ours["ca.crt"] + old})
        assert until(60, lambda: old in bundle()), "the old authority is not trusted"
        write_secret({"tls.crt": served_long, "tls.key": served_long_key})
        assert until(60, lambda: served() == "/CN=long"), served()
        # An authority with less than 120 days left: another is put in front of it, and nothing is signed anew by it.
        write_secret({"ca.crt": old, "ca.key": old_key})
        assert until(60, lambda: old in bundle() and bundle().count("BEGIN") == 2), "no new authority"
        assert secret()["tls.crt"] == served_long
        write_secret({"ca.crt": next_ + old, "ca.key": next_key})
        assert until(60, lambda: bundle() == next_ + old), "the next authority is not trusted"
        # A certificate with less than 30 days left, and an authority that everybody knows.
        write_secret({"tls.crt": served_due, "tls.key": served_due_key})
        assert until(60, lambda: served().startswith("/CN=seldon-webhook-service")), served()
        assert bundle() == next_ + old
    assert asking.asked > 20, "asked only %d times" % asking.asked
    assert asking.passed == 0, "%d of %d were let through" % (asking.passed, asking.asked)


def served():
    """Subject of the certificate that the Service's pod shows."""
    address = kubectl("-n", OPERATOR, "get", "service", "seldon-webhook-service", "-o", "jsonpath={.spec.clusterIP}")[1]
    shown = run("openssl", "s_client", "-connect", address + ":443", "-servername", HOST, given="", fails=True)[1]
    return run("openssl", "x509", "-noout", "-subject", "-nameopt", "compat", given=shown, fails=True)[1].strip().replace("subject=", "")


def check_restart():
    """A rolling restart of two replicas: somebody answers all the time."""
    helm("upgrade", "sluice", "charts/sluice", "--namespace", OPERATOR, "--reuse-values", "--set", "manager.replicas=2", "--wait", "--timeout", "90s")
    with Asking() as asking:
        kubectl("-n", OPERATOR, "rollout", "restart", "deployment/sluice-operator")
        kubectl("-n", OPERATOR, "rollout", "status", "deployment/sluice-operator", "--timeout=90s")
        time.sleep(5)
    assert asking.passed == 0, "%d of %d were let through" % (asking.passed, asking.asked)


def check_down():
    kubectl("-n", OPERATOR, "scale", "deployment/sluice-operator", "--replicas=0")
    kubectl("-n", OPERATOR, "wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component=operator", "--timeout=60s")
    kubectl("create", "-f", "-", given=manifest("meanwhile", 60))
    kubectl("create", "-f", "-", given=manifest("good-meanwhile"))
    kubectl("-n", OPERATOR, "scale", "deployment/sluice-operator", "--replicas=1")
    # The same words in the status, as the webhook was not there to say them.
    assert until(90, lambda: "100" in kubectl("-n", NAMESPACE, "get", "sdep", "meanwhile", "-o", "jsonpath={.status.description}")[1])
    # What was stored so can still be deleted, and labelled.
    kubectl("-n", NAMESPACE, "label", "sdep", "meanwhile", "team=a")
    kubectl("-n", NAMESPACE, "delete", "sdep", "meanwhile", "--timeout=60s")


def main():
    helm("upgrade", "--install", "sluice", "charts/sluice", "--namespace", OPERATOR, "--create-namespace", "--wait", "--timeout", "90s",
         "--set", "istio.enabled=true,manager.replicas=1")
    kubectl("create", "namespace", NAMESPACE, fails=True)
    failed = []
    checks = [check_words, check_versions, check_warnings, check_others, check_update, check_rotation, check_restart, check_down]
    try:
        if not until(60, refuses):
            failed.append("nothing is refused")
        for check in [] if failed else checks:
            start = time.monotonic()
            try:
                check()
                print("ok %s (%.1f s)" % (check.__name__, time.monotonic() - start), flush=True)
            except (AssertionError, RuntimeError, KeyError, IndexError) as error:
                failed.append("%s: %s" % (check.__name__, error))
                print("FAILED %s" % failed[-1], flush=True)
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    print("%d passed, %d failed" % (len(checks) - len(failed) if len(failed) < len(checks) else 0, len(failed)))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
