"""The recordings of tests/golden/operator through a real API server: `sluice operator --profile compat` gets each case's steps, and
what then stands there is compared: the objects with all that the server fills in, the stored SeldonDeployment, its status, its states,
its events, what is refused. Run by `make test-plane`: pods are objects only, and ready at once unless annotated.

A case agrees when nothing differs but what LEEWAY says. EXPECTED names those that differ, each with the reason: one that is not there and
differs fails, and so does one that is there and agrees.
"""

import base64
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "tests/golden/operator"
SLUICE = os.environ.get("SLUICE", str(ROOT / "build/release/sluice"))
SIDE_BY_SIDE = 12
SETTLE_SECONDS = 90     # a step's most
QUIET_SECONDS = 1.6     # nothing changed for that long: settled, as in the recordings

# Differences that are none, for all cases:
LEEWAY = """
- Words: what is refused or has failed says so in our own words; that it is, and the type and reason of its event, are compared.
- A DestinationRule that only an earlier step wanted is left behind by the reference and removed by us (F10).
- The annotation seldon.io/last-applied is not written: server-side apply needs no copy of the object.
- status.observedGeneration is written: without it a reader takes the state of before a change for that of after.
- States that lasted shorter than a watcher sees: the last one is compared, and whether Failed was among them.
- Events of objects that the reference wrote again and again (its steps that never settled), and where the recording says that they vary.
- Without our webhook a refused object is stored, and its state is Failed with the reason; nothing is made of it.
"""

# Case -> why it differs.
EXPECTED = {
    "named-ports": "the definition gives ports no protocol: a default would be stored, and then look like something that the user wrote",
    "replicas-zero": "no replicas wanted and none there is Available, with its routes (F24)",
    "retries-timeout-zero": "the DestinationRule is there when the VirtualService is refused: it is written first, make before break",
    "triton-server-seldon": "it is Creating until the API server refuses the Deployment; writes are answered later",
    "update-to-no-engine": "status.serviceStatus names the ports that the Service has now; the reference keeps those of the first time",
    "update-replicas": "another number of replicas is an UpdateDeployment event; the reference is silent about that one field",
}

KINDS = {"Deployment": "apis/apps/v1", "Service": "api/v1", "HorizontalPodAutoscaler": "apis/autoscaling/v2", "PodDisruptionBudget": "apis/policy/v1",
         "VirtualService": "apis/networking.istio.io/v1alpha3", "DestinationRule": "apis/networking.istio.io/v1alpha3"}
PLURALS = {"Deployment": "deployments", "Service": "services", "HorizontalPodAutoscaler": "horizontalpodautoscalers",
           "PodDisruptionBudget": "poddisruptionbudgets", "VirtualService": "virtualservices", "DestinationRule": "destinationrules"}
SELDON = "apis/machinelearning.seldon.io/%s/namespaces/%s/seldondeployments"


class Api:
    """The API server by its HTTP. Thread: any; each has a connection of its own."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(pathlib.Path(kubeconfig).read_text())
        self.address = config["clusters"][0]["cluster"]["server"].split("://")[1]
        self.token = config["users"][0]["user"]["token"]
        self.context = ssl._create_unverified_context()
        self.local = threading.local()

    def connect(self, timeout=30):
        return http.client.HTTPSConnection(self.address, context=self.context, timeout=timeout)

    def call(self, method, path, body=None):
        """(code, document)"""
        for attempt in (1, 2):
            if not hasattr(self.local, "connection"):
                self.local.connection = self.connect()
            connection = self.local.connection
            try:
                connection.request(method, "/" + path, json.dumps(body) if body is not None else None, self.headers())
                response = connection.getresponse()
                return response.status, json.loads(response.read() or b"{}")
            except (OSError, http.client.HTTPException):
                del self.local.connection
                if attempt == 2:
                    raise

    def headers(self):
        return {"Authorization": "Bearer " + self.token, "Content-Type": "application/json", "Accept": "application/json"}

    def get(self, path):
        code, document = self.call("GET", path)
        return document if code == 200 else None


class Watcher:
    """Of all SeldonDeployments: the states each went through, and when it last changed."""

    def __init__(self, api):
        self.api, self.lock = api, threading.Lock()
        self.states, self.changed = collections.defaultdict(list), {}
        self.version = api.get("apis/machinelearning.seldon.io/v1/seldondeployments")["metadata"]["resourceVersion"]
        self.stopping = False
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.stopping:
            connection = self.api.connect(60)
            try:
                connection.request("GET", "/apis/machinelearning.seldon.io/v1/seldondeployments?watch=1&resourceVersion=" + self.version, None, self.api.headers())
                for line in connection.getresponse():
                    self.take(json.loads(line))
            except (OSError, ValueError):
                pass
            finally:
                connection.close()

    def take(self, event):
        object = event["object"]
        if event["type"] == "ERROR" or self.stopping:
            return
        self.version = object["metadata"]["resourceVersion"]
        key = (object["metadata"]["namespace"], object["metadata"]["name"])
        state = object.get("status", {}).get("state")
        with self.lock:
            self.changed[key] = time.monotonic()
            if state and (not self.states[key] or self.states[key][-1] != state):
                self.states[key].append(state)

    def begin_step(self, key):
        with self.lock:
            self.states[key] = self.states[key][-1:]
            self.changed[key] = time.monotonic()

    def seen(self, key):
        with self.lock:
            return list(self.states[key]), self.changed.get(key, 0)


class Operator:
    def __init__(self, kubeconfig, environment, log):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = open(log, "wb")
        settings = {"ISTIO_ENABLED": "true", "ISTIO_GATEWAY": "istio-system/seldon-gateway", "DEFAULT_USER_ID": "8888", **environment}
        self.process = subprocess.Popen([SLUICE, "operator", "--profile", "compat", "--kubeconfig", kubeconfig, "--settle-ms", "100",
                                         "--admin", "127.0.0.1:%d" % self.port], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=dict(os.environ, **settings))
        end = time.monotonic() + 30
        while not self.status().get("leading"):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                pytest.fail("the operator does not start: %s" % pathlib.Path(log).read_text())
            time.sleep(0.05)

    def status(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/status")
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError):
            return {}
        finally:
            connection.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


# --- What is compared.

OF_THE_SERVER = ("uid", "resourceVersion", "generation", "managedFields", "selfLink", "creationTimestamp")
OF_THE_SERVICE = ("clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")


def cleaned(object):
    """As the recordings are: README.md there, "What was taken out"."""
    made = json.loads(json.dumps(object))
    for field in OF_THE_SERVER:
        made["metadata"].pop(field, None)
    annotations = made["metadata"].get("annotations", {})
    for name in ("deployment.kubernetes.io/revision", "seldon.io/last-applied"):
        annotations.pop(name, None)
    if not annotations:
        made["metadata"].pop("annotations", None)
    for owner in made["metadata"].get("ownerReferences", []):
        owner.pop("uid", None)
    made.pop("status", None)
    spec = made.get("spec", {})
    if made.get("kind") == "Service":
        for field in OF_THE_SERVICE:
            spec.pop(field, None)
        if spec.get("clusterIP") != "None":
            spec.pop("clusterIP", None)
    return without_times(engine_predictor(made))


def without_times(thing):
    if isinstance(thing, dict):
        return {key: without_times(value) for key, value in thing.items() if key != "creationTimestamp"}
    return [without_times(value) for value in thing] if isinstance(thing, list) else thing


def engine_predictor(thing):
    if isinstance(thing, dict):
        if thing.get("name") == "ENGINE_PREDICTOR" and "value" in thing:
            return {"name": "ENGINE_PREDICTOR", "valueDecoded": json.loads(base64.b64decode(thing["value"]))}
        return {key: engine_predictor(value) for key, value in thing.items()}
    return [engine_predictor(value) for value in thing] if isinstance(thing, list) else thing


def differences(ours, theirs, path):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(set(ours) | set(theirs)):
            at = "%s.%s" % (path, key) if path else key
            if key not in theirs:
                yield "%s: only ours: %s" % (at, json.dumps(ours[key])[:160])
            elif key not in ours:
                yield "%s: missing: %s" % (at, json.dumps(theirs[key])[:160])
            else:
                yield from differences(ours[key], theirs[key], at)
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            yield "%s: %d entries, reference %d" % (path, len(ours), len(theirs))
        for index, (left, right) in enumerate(zip(ours, theirs)):
            yield from differences(left, right, "%s[%d]" % (path, index))
    elif isinstance(ours, bool) != isinstance(theirs, bool) or ours != theirs:
        yield "%s: ours %s, reference %s" % (path, json.dumps(ours)[:120], json.dumps(theirs)[:120])


def status_without_words(status):
    made = json.loads(json.dumps(status or {}))
    made.pop("observedGeneration", None)
    for condition in made.get("conditions", []):
        condition.pop("lastTransitionTime", None)
    if "conditions" in made:
        made["conditions"] = {condition.pop("type"): condition for condition in made["conditions"]}
    if made.get("description"):
        made["description"] = "(words)"
    return made


def events_without_words(events):
    """As a set: how often an event was repeated is chance. What a warning says is in words of our own."""
    return {(event["type"], event["reason"], "(words)" if event["type"] == "Warning" else event["message"]) for event in events or []}


class Case:
    def __init__(self, name):
        self.name = name
        self.documents = [each for each in yaml.safe_load_all((CASES / name / "in.yaml").read_text()) if each]
        self.environment = {}
        if self.documents[0]["kind"] == "OperatorEnv":
            self.environment = {key: str(value) for key, value in self.documents.pop(0)["env"].items()}
        self.recorded = yaml.safe_load((CASES / name / "out.yaml").read_text())
        self.keys = [self.key_of(document) for document in self.documents]
        self.namespaces = sorted({namespace for namespace, _ in self.keys})
        # Two cases that name the same object wait for each other.
        self.names = set(self.keys)
        for step in self.recorded["steps"]:
            for objects in (step.get("objects") or {}).values():
                self.names |= {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in objects}

    @staticmethod
    def key_of(document):
        return document["metadata"].get("namespace", "default"), document["metadata"]["name"]

    def run(self, api, watcher, operator):
        try:
            found = []
            before = {}
            for number, (document, step) in enumerate(zip(self.documents, self.recorded["steps"])):
                where = "step %d: " % (number + 1) if len(self.documents) > 1 else ""
                found += [where + line for line in self.step(api, watcher, operator, number, document, step, before)]
                before = self.objects(step)
            return found
        except (OSError, ValueError, KeyError) as error:
            return ["%s: %s" % (type(error).__name__, error)]
        finally:
            self.remove(api)

    def remove(self, api):
        for (namespace, name), document in dict(zip(self.keys, self.documents)).items():
            api.call("DELETE", SELDON % ("v1", namespace) + "/" + name)
        end = time.monotonic() + 30
        while time.monotonic() < end and any(self.present(api)):
            time.sleep(0.1)

    def present(self, api):
        for key, object in self.found(api).items():
            if any(owner["kind"] == "SeldonDeployment" and (key[1], owner["name"]) in self.keys for owner in object["metadata"].get("ownerReferences", [])):
                yield key

    @staticmethod
    def objects(step):
        return {(kind, each["metadata"]["namespace"], each["metadata"]["name"]): each for kind, objects in (step.get("objects") or {}).items() for each in objects}

    def found(self, api):
        """The case's objects as they stand: those of its SeldonDeployments, and those that the recording names."""
        made = {}
        for namespace in self.namespaces:
            for kind, root in KINDS.items():
                for each in api.get("%s/namespaces/%s/%s" % (root, namespace, PLURALS[kind]))["items"]:
                    owners = each["metadata"].get("ownerReferences", [])
                    if any(owner["kind"] == "SeldonDeployment" and (namespace, owner["name"]) in self.keys for owner in owners):
                        made[kind, namespace, each["metadata"]["name"]] = dict(each, kind=kind, apiVersion=root.split("/", 1)[1])
        return made

    def write(self, api, document, step):
        """(code, answer), as the recording's harness did it: POST, later PUT."""
        namespace, name = self.key_of(document)
        path = SELDON % (document["apiVersion"].split("/")[1], namespace)
        have = api.get(path + "/" + name)
        if have is None:
            return api.call("POST", path, document)
        body = json.loads(json.dumps(document))
        body["metadata"]["resourceVersion"] = have["metadata"]["resourceVersion"]
        return api.call("PUT", path + "/" + name, body)

    def step(self, api, watcher, operator, number, document, step, before):
        key = self.keys[number]
        path = SELDON % ("v1", key[0]) + "/" + key[1]
        watcher.begin_step(key)
        known = {event["metadata"]["resourceVersion"] for event in self.events(api, key)}  # a repeated one is counted up
        if document["kind"] == "Delete":
            api.call("DELETE", path)
            end = time.monotonic() + SETTLE_SECONDS
            while time.monotonic() < end and set(self.found(api)) != set(self.objects(step)):
                time.sleep(0.1)
            yield from self.compare_objects(api, step, before)
            return
        code, answer = self.write(api, document, step)
        expected = step["response"]
        refused_by_webhook = not expected["accepted"] and "admission webhook" in expected.get("message", "")
        if expected["accepted"] != (code in (200, 201)) and not refused_by_webhook:
            yield "response: ours %d %s; reference %d %s" % (code, answer.get("message", ""), expected["code"], expected.get("message", ""))
            return
        if code not in (200, 201):
            if code != expected["code"]:
                yield "response: code %d, reference %d" % (code, expected["code"])
            return
        wanted = "Failed" if refused_by_webhook else (step.get("status") or {}).get("state")
        self.wait(watcher, operator, key, wanted)
        stored = api.get(path) or {}
        status = stored.get("status", {})
        if refused_by_webhook:  # stored, as there is no webhook here: nothing may come of it
            if status.get("state") != "Failed" or not status.get("description"):
                yield "not refused: %s" % json.dumps(status)[:200]
            yield from self.compare_objects(api, step, before)
            return
        yield from self.compare_objects(api, step, before)
        yield from differences(cleaned(stored), cleaned(step["stored"]), "stored")
        yield from differences(status_without_words(status), status_without_words(step.get("status")), "status")
        yield from self.compare_states(watcher.seen(key)[0], step.get("states") or [])
        if "events" not in self.recorded.get("variesBetweenRuns", []) and step.get("settled", True):
            new = [event for event in self.events(api, key) if event["metadata"]["resourceVersion"] not in known]
            ours, theirs = events_without_words(new), events_without_words(step.get("events"))
            for event in sorted(ours - theirs):
                yield "event only ours: %s" % (event,)
            for event in sorted(theirs - ours):
                yield "event missing: %s" % (event,)

    @staticmethod
    def compare_states(ours, theirs):
        if ours[-1:] != theirs[-1:] or ("Failed" in ours) != ("Failed" in theirs):
            yield "states: ours %s, reference %s" % (ours, theirs)

    @staticmethod
    def wait(watcher, operator, key, wanted):
        """Until the wanted state is there and nothing changes any more."""
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            states, changed = watcher.seen(key)
            quiet = time.monotonic() - changed
            if quiet > QUIET_SECONDS and (states[-1:] == [wanted] or (wanted is None and not states) or quiet > 20):
                if operator.status().get("writesPending") == 0:
                    return
            time.sleep(0.1)

    def compare_objects(self, api, step, before):
        ours, theirs = self.found(api), self.objects(step)
        for key in sorted(set(ours) | set(theirs)):
            name = "/".join(key)
            if key not in theirs:
                yield "%s: only ours" % name
            elif key not in ours:
                if not (key[0] == "DestinationRule" and key in before):  # F10
                    yield "%s: missing" % name
            else:
                for line in differences(cleaned(ours[key]), cleaned(theirs[key]), ""):
                    yield "%s: %s" % (name, line)

    def events(self, api, key):
        found = api.get("api/v1/namespaces/%s/events?fieldSelector=involvedObject.kind=SeldonDeployment,involvedObject.name=%s" % key)
        return [event for event in found["items"] if "the object has been modified" not in event["message"]]


def run_all(cases, api, watcher, operator):
    """Side by side, those that name the same objects one after the other; {name: differences}."""
    results, waiting, busy, running = {}, list(cases), set(), {}
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        while waiting or running:
            for case in list(waiting):
                if len(running) < SIDE_BY_SIDE and not case.names & busy:
                    waiting.remove(case)
                    busy |= case.names
                    running[pool.submit(case.run, api, watcher, operator)] = case
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for each in done:
                case = running.pop(each)
                busy -= case.names
                results[case.name] = each.result()
    return results


def compare(kubeconfig, cases, logs):
    api = Api(kubeconfig)
    for namespace in sorted({namespace for case in cases for namespace in case.namespaces} | {"models"}):
        api.call("POST", "api/v1/namespaces", {"metadata": {"name": namespace}})
    for account in ("reader", "librarian"):
        api.call("POST", "api/v1/namespaces/models/serviceaccounts", {"metadata": {"name": account}})
    results = {}
    groups = collections.defaultdict(list)
    for case in cases:
        groups[tuple(sorted(case.environment.items()))].append(case)
    watcher = Watcher(api)
    for number, (environment, group) in enumerate(groups.items()):
        operator = Operator(kubeconfig, dict(environment), str(logs / ("operator-%d.log" % number)))
        try:
            results.update(run_all(group, api, watcher, operator))
        finally:
            operator.stop()
    watcher.stopping = True
    return results


NAMES = sorted(folder.name for folder in CASES.iterdir() if (folder / "in.yaml").exists())


@pytest.fixture(scope="module")
def results(request, tmp_path_factory):
    """Differences of each case that is asked for. They run side by side: a case is mostly waiting until nothing changes."""
    asked = {item.callspec.params["name"] for item in request.session.items
             if getattr(item, "module", None) is request.module and hasattr(item, "callspec")}
    return compare(os.environ["KUBECONFIG"], [Case(name) for name in NAMES if name in asked], tmp_path_factory.mktemp("operators"))


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_the_recording(name, results):
    found = results[name]
    if name in EXPECTED:
        assert found, "agrees now; take it off EXPECTED: " + EXPECTED[name]
    else:
        assert not found, "\n" + "\n".join(found)


def test_all_recordings_are_there():
    assert len(NAMES) == 138 and set(EXPECTED) <= set(NAMES)
