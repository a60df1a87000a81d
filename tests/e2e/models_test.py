"""SeldonDeployments on one machine: processes that are killed, commands, shadows, ends."""

import os
import signal
import sys
import time

from harness import IRIS, Load, ROW, wait_for

DEPLOYMENT = """apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  name: %(name)s
  namespace: default
  annotations: {seldon.io/istio-retries: "3", seldon.io/istio-retries-timeout: "5"}
spec:
  predictors:
%(predictors)s"""


def xgboost(name, version, traffic=100, replicas=1, extra=""):
    return """  - name: %s
    traffic: %d
    replicas: %d
%s    graph: {name: classifier, implementation: XGBOOST_SERVER, modelUri: "file://%s"}
""" % (name, traffic, replicas, extra, IRIS / "models" / version)


def deployment(name, *predictors):
    return DEPLOYMENT % {"name": name, "predictors": "".join(predictors)}


def served(sluice, name):
    return lambda: sluice.predict(name).status == 200


def model_processes(sluice):
    found = []
    for pid in sluice.children():
        try:
            command = open("/proc/%d/cmdline" % pid, "rb").read().split(b"\0")
        except OSError:
            continue
        if b"model" in command:
            found.append(pid)
    return found


def killed_under_load(sluice, kills):
    path = "/seldon/default/iris/api/v1.0/predictions"
    with Load(sluice.http, path, threads=4, body={"data": {"ndarray": [ROW]}}) as load:
        load.wait(100)
        for _ in range(kills):
            before = model_processes(sluice)
            os.kill(before[0], signal.SIGKILL)
            load.wait(200)
            wait_for(lambda: len(model_processes(sluice)) == len(before) and before[0] not in model_processes(sluice) and sluice.is_ready(), 15,
                     lambda: "the model is started again and ready: " + sluice.log()[-2000:])
        load.wait(100)
    return load


def test_kill_of_one_replica_under_load_fails_no_request(gateway, folder):
    folder.write("iris.yaml", deployment("iris", xgboost("main", "v1", replicas=2)))
    sluice = gateway(folder)
    wait_for(served(sluice, "iris"), 20, lambda: sluice.log())
    wait_for(lambda: len(model_processes(sluice)) == 2, 20, "two replicas run")
    load = killed_under_load(sluice, kills=3)
    assert load.failures == []


SERVER = '''
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with open(os.environ["SEEN"], "a") as seen:
            seen.write(self.path + "\\n")
        fail = os.environ.get("FAIL")
        text = json.dumps({"from": os.environ["NAME"], "env": os.environ.get("SELDON_DEPLOYMENT_ID")}).encode()
        self.send_response(503 if fail and sum(1 for _ in open(os.environ["SEEN"])) % 2 else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PREDICTIVE_UNIT_HTTP_SERVICE_PORT"])), Handler).serve_forever()
'''


def command(tmp_path, name, traffic=100, shadow=False, fail=False):
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    env = [("NAME", name), ("SEEN", tmp_path / ("seen-" + name))] + ([("FAIL", "1")] if fail else [])
    return """  - name: %s
    traffic: %d
%s    graph: {name: classifier, type: MODEL}
    componentSpecs:
    - spec:
        containers:
        - name: classifier
          image: example/classifier:1
          command: ["%s", "%s"]
          env:
%s""" % (name, traffic, "    shadow: true\n" if shadow else "", sys.executable, script,
         "".join('          - {name: %s, value: "%s"}\n' % pair for pair in env))


def seen(tmp_path, name):
    try:
        return (tmp_path / ("seen-" + name)).read_text().splitlines()
    except FileNotFoundError:
        return []


def test_a_command_runs_as_a_local_process_and_ends_with_sluice(gateway, folder, tmp_path):
    folder.write("d.yaml", deployment("d", command(tmp_path, "main")))
    sluice = gateway(folder)
    wait_for(served(sluice, "d"), 20, lambda: sluice.log())
    assert sluice.predict("d").json()["from"] == "main"
    assert set(seen(tmp_path, "main")) == {"/api/v1.0/predictions"}
    children = sluice.children()
    assert children
    sluice.terminate()
    for pid in children:
        assert not os.path.exists("/proc/%d" % pid), "a child outlives sluice"


def test_retries_hide_a_model_that_fails_half_the_time(gateway, folder, tmp_path):
    folder.write("d.yaml", deployment("d", command(tmp_path, "main", fail=True)))
    sluice = gateway(folder)
    wait_for(lambda: seen(tmp_path, "main") or sluice.predict("d").status == 200, 20, lambda: sluice.log())
    assert [sluice.predict("d").status for _ in range(20)] == [200] * 20
    assert len(seen(tmp_path, "main")) >= 40, "every other try fails"


def test_the_shadow_gets_copies_and_answers_nobody(gateway, folder, tmp_path):
    folder.write("d.yaml", deployment("d", command(tmp_path, "main"), command(tmp_path, "shadow", traffic=0, shadow=True)))
    sluice = gateway(folder)
    wait_for(served(sluice, "d"), 20, lambda: sluice.log())
    wait_for(lambda: sluice.predict("d") and seen(tmp_path, "shadow"), 20, lambda: "the shadow is up: " + sluice.log())
    time.sleep(0.3)
    live, shadow = len(seen(tmp_path, "main")), len(seen(tmp_path, "shadow"))
    for _ in range(30):
        assert sluice.predict("d").json()["from"] == "main"
    wait_for(lambda: len(seen(tmp_path, "shadow")) - shadow == 30, 10, lambda: "30 copies, not %d" % (len(seen(tmp_path, "shadow")) - shadow))
    assert len(seen(tmp_path, "main")) - live == 30


def test_a_new_version_takes_over_without_a_failed_request(gateway, folder):
    folder.write("iris.yaml", deployment("iris", xgboost("main", "v1")))
    sluice = gateway(folder)
    wait_for(served(sluice, "iris"), 20, lambda: sluice.log())
    before = sluice.predict("iris").json()["data"]["ndarray"]
    with Load(sluice.http, "/seldon/default/iris/api/v1.0/predictions", threads=3, body={"data": {"ndarray": [ROW]}}) as load:
        load.wait(50)
        folder.write("iris.yaml", deployment("iris", xgboost("main", "v2")))
        wait_for(lambda: sluice.predict("iris").json()["data"]["ndarray"] != before, 20, lambda: "v2 answers: " + sluice.log()[-2000:])
        load.wait(200)
        wait_for(lambda: len(model_processes(sluice)) == 1, 40, "the old model is gone")
        load.wait(50)
    assert load.failures == []


def test_what_cannot_be_is_refused_with_the_place(gateway, folder):
    folder.write("iris.yaml", deployment("iris", xgboost("main", "v1", 60), xgboost("canary", "v2", 30)))
    folder.write("good.yaml", deployment("good", xgboost("main", "v1")))
    sluice = gateway(folder)
    wait_for(served(sluice, "good"), 20, lambda: sluice.log())
    assert sluice.predict("iris").status == 404
    assert "iris.yaml" in sluice.log()
    assert "90" in sluice.log(), "the message says what the traffic adds up to"
