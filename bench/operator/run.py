#!/usr/bin/env python3
"""What `sluice operator` costs: N SeldonDeployments of two predictors (75/25, replicas 1) on a real API server whose pods are objects only
(tests/cluster/cluster plane), applied first, then the operator is started. `make bench-operator`; results go to bench/results/.

Times are taken by watches of this program, CPU from the kernel's counters. The API server, etcd, the controllers and the stand-in for the
kubelet share the machine's cores with the operator: wall time is mostly theirs, and their CPU is in the table.
"""

import argparse
import concurrent.futures
import datetime
import http.client
import json
import os
import pathlib
import platform
import re
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = str(ROOT / "tests/cluster/cluster")
SDEPS = "/apis/machinelearning.seldon.io/v1"
ISTIO = "/apis/networking.istio.io/v1beta1"
TICK = os.sysconf("SC_CLK_TCK")
# The bars of the project for 300 deployments; for more: nothing grows per deployment.
BARS = {"applied_s": 15, "cpu_applied_s": 3, "rss_peak_mib": 30, "change_own_ms": 20, "idle_cpu_ms": 50}


class Api:
    """Calls to the API server. One connection per thread."""

    def __init__(self, kubeconfig):
        text = pathlib.Path(kubeconfig).read_text()
        self.host, self.port = re.search(r'server: "?https://([\d.]+):(\d+)', text).groups()
        self.headers = {"Authorization": "Bearer " + re.search(r"token: ([^}\s]+)", text).group(1)}
        self.tls = ssl._create_unverified_context()
        self.local = threading.local()

    def connect(self, timeout=60):
        connection = http.client.HTTPSConnection(self.host, int(self.port), context=self.tls, timeout=timeout)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def call(self, method, path, body=None, kind="application/json"):
        connection, used = getattr(self.local, "kept", (None, 0))
        if connection is None or time.monotonic() - used > 30:  # the server closes what is idle
            connection = self.connect()
        self.local.kept = (connection, time.monotonic())
        connection.request(method, path, None if body is None else json.dumps(body), {**self.headers, "Content-Type": kind})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError("%s %s: %d %s" % (method, path, answer.status, data[:300]))
        return json.loads(data) if data[:1] == b"{" else data.decode()


class Watch:
    """Tells `seen(time, line)` of each event of a collection, on a thread of its own, from now on, until the end of the run."""

    def __init__(self, api, path, seen):
        version = api.call("GET", path + "?limit=1")["metadata"]["resourceVersion"]
        self.api, self.path, self.seen, self.version = api, path, seen, version
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        connection = self.api.connect(timeout=None)
        connection.request("GET", "%s?watch=1&resourceVersion=%s&timeoutSeconds=36000" % (self.path, self.version), headers=self.api.headers)
        answer = connection.getresponse()
        for line in iter(answer.readline, b""):
            self.seen(time.monotonic(), line)


class Process:
    """The kernel's account of a process."""

    def __init__(self, pid):
        self.pid = pid

    def cpu(self):
        fields = pathlib.Path("/proc/%d/stat" % self.pid).read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def mib(self, file, name):
        found = re.search(r"^%s:\s+(\d+) kB" % name, pathlib.Path("/proc/%d/%s" % (self.pid, file)).read_text(), re.MULTILINE)
        return int(found.group(1)) / 1024

    def peak(self):
        return self.mib("status", "VmHWM")

    def rss(self):
        return self.mib("status", "VmRSS")

    def pss(self):
        return self.mib("smaps_rollup", "Pss")

    def forget_peak(self):
        pathlib.Path("/proc/%d/clear_refs" % self.pid).write_text("5")

    def wait_until_quiet(self, seconds, most):
        """Until it has used next to no CPU for so many seconds; returns what it had used by then, or None."""
        end = time.monotonic() + most
        since, used = time.monotonic(), self.cpu()
        while time.monotonic() < end:
            time.sleep(0.5)
            now = self.cpu()
            if now - used > 0.01 * seconds:
                since, used = time.monotonic(), now
            elif time.monotonic() - since >= seconds:
                return now
        return None


class Bed:
    """A control plane of its own."""

    def __init__(self, folder):
        self.folder = folder
        definition = str(ROOT / "charts/sluice/crds-source/seldondeployments.yaml")
        made = subprocess.run([CLUSTER, "plane", str(folder), definition], stdout=subprocess.PIPE, text=True)
        if made.returncode:
            self.down()
            sys.exit("the control plane did not come up")
        self.kubeconfig = made.stdout.strip().splitlines()[-1]
        self.api = Api(self.kubeconfig)

    def cpu(self):
        return {pid.stem: Process(int(pid.read_text())).cpu() for pid in sorted(self.folder.glob("*.pid"))}

    def rss(self):
        return {pid.stem: Process(int(pid.read_text())).rss() for pid in sorted(self.folder.glob("*.pid"))}

    def down(self):
        subprocess.run([CLUSTER, "down", str(self.folder)], check=True)


class Operator:
    def __init__(self, sluice, bed, log):
        self.port = free_port()
        self.log = open(log, "ab")
        self.begun = time.monotonic()
        self.child = subprocess.Popen([str(sluice), "operator", "--kubeconfig", bed.kubeconfig, "--admin", "127.0.0.1:%d" % self.port],
                                      stderr=self.log, stdin=subprocess.DEVNULL)
        self.process = Process(self.child.pid)

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        return {name: float(value) for name, value in re.findall(r"^(sluice_\S+) (\S+)$", text, re.MULTILINE)}

    def calls(self):
        """By what was asked for: {"apply Deployment": 600, ...}; watches and leases too."""
        made = {}
        for name, value in self.metrics().items():
            found = re.match(r'sluice_kube_calls_total\{verb="([^"]+)",kind="([^"]*)"\}', name)
            if found:
                made[" ".join(found.groups())] = int(value)
        return made

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(30)
        self.log.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def since(before, after):
    return {name: count - before.get(name, 0) for name, count in sorted(after.items()) if count != before.get(name, 0)}


def is_write(call):
    return call.split()[0] not in ("get", "list", "watch")


def deployment(number, namespace, main=75):
    def predictor(name, traffic):
        return {"name": name, "replicas": 1, "traffic": traffic,
                "graph": {"name": "classifier", "implementation": "SKLEARN_SERVER", "modelUri": "gs://seldon-models/v1.19.0/sklearn/iris"}}
    return {"apiVersion": "machinelearning.seldon.io/v1", "kind": "SeldonDeployment",
            "metadata": {"name": "iris-%05d" % number, "namespace": namespace},
            "spec": {"predictors": [predictor("main", main), predictor("canary", 100 - main)]}}


def namespace_of(number):
    return "models-%02d" % (number % 10)


ONE = "%s/namespaces/%s/seldondeployments/iris-%05d" % (SDEPS, namespace_of(7), 7)


def fill(api, count):
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": "istio-system"}})
    api.call("POST", ISTIO + "/namespaces/istio-system/gateways", {
        "apiVersion": "networking.istio.io/v1beta1", "kind": "Gateway", "metadata": {"name": "seldon-gateway", "namespace": "istio-system"},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}})
    for number in range(10):
        api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace_of(number)}})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: api.call("POST", "%s/namespaces/%s/seldondeployments" % (SDEPS, namespace_of(number)),
                                              deployment(number, namespace_of(number))), range(count)))


class Progress:
    """When the VirtualServices came to be there, and the SeldonDeployments Available."""

    def __init__(self, api):
        self.routes, self.available = {}, {}
        self.changes = []  # (time, name, first weight) of VirtualServices
        self.lock = threading.Condition()
        Watch(api, ISTIO + "/virtualservices", self.on_route)
        Watch(api, SDEPS + "/seldondeployments", self.on_deployment)

    @staticmethod
    def name_in(line):
        return re.search(rb'"metadata":\{.*?"name":"(iris-\d+)"', line)

    def on_route(self, now, line):
        name = self.name_in(line)
        if name is None:
            return
        weights = re.findall(rb'"weight":(\d+)', line)
        with self.lock:
            self.routes.setdefault(name.group(1), now)
            self.changes.append((now, name.group(1).decode(), int(weights[0]) if weights else None))
            self.lock.notify_all()

    def on_deployment(self, now, line):
        name = self.name_in(line)
        if name is not None and b'"state":"Available"' in line:
            with self.lock:
                self.available.setdefault(name.group(1), now)
                self.lock.notify_all()

    def wait(self, what, count, most):
        with self.lock:
            if not self.lock.wait_for(lambda: len(what) >= count, most):
                raise RuntimeError("only %d of %d after %d s" % (len(what), count, most))
            return max(what.values())

    def wait_for_weight(self, name, weight, since, most=20):
        def found():
            return next((now for now, who, first in reversed(self.changes) if who == name and first == weight and now >= since), None)
        with self.lock:
            self.lock.wait_for(lambda: found() is not None, most)
            return found()


def until_settled(operator, progress, bed, count, args, row):
    begun = operator.begun
    planes = bed.cpu()
    row["applied_s"] = progress.wait(progress.routes, count, args.most) - begun
    row["cpu_applied_s"] = operator.process.cpu()
    row["available_s"] = progress.wait(progress.available, count, args.most) - begun
    row["cpu_settled_s"] = operator.process.wait_until_quiet(4, args.most)
    row["plane_cpu_s"] = since(planes, bed.cpu())
    row["rss_peak_mib"] = operator.process.peak()
    row["rss_mib"], row["pss_mib"] = operator.process.rss(), operator.process.pss()
    row["calls"] = operator.calls()
    row["objects"] = operator.metrics().get("sluice_operator_cached_objects")


def one_change(bed, operator, progress, args, row):
    """The weight of one deployment changed: until a watch shows its VirtualService changed."""
    api, samples = bed.api, []
    before, cpu = operator.calls(), operator.process.cpu()
    for turn in range(args.changes):
        weight = 60 + turn % 2
        begun = time.monotonic()
        api.call("PATCH", ONE, {"spec": {"predictors": deployment(7, namespace_of(7), weight)["spec"]["predictors"]}}, "application/merge-patch+json")
        accepted = time.monotonic()
        changed = progress.wait_for_weight("iris-00007", weight, begun)
        if changed is None:
            raise RuntimeError("the VirtualService did not change")
        samples.append((changed - accepted) * 1000)
        time.sleep(0.3)
    time.sleep(8)  # the gateway's time, and the last status
    row["change_cpu_ms"] = (operator.process.cpu() - cpu) / args.changes * 1000
    row["change_calls"] = {name: made / args.changes for name, made in since(before, operator.calls()).items()}
    row["change_ms"], row["change_worst_ms"] = statistics.median(samples), max(samples)


def bare_change(bed, progress, args, row):
    """The same two steps without an operator, a write of each object until a watch shows it: the API server's own time."""
    api, own, sdeps, seen = bed.api, [], [], threading.Condition()

    def on_sdep(now, line):
        if b'"type":"MODIFIED"' in line:
            with seen:
                sdeps.append((now, line))
                seen.notify_all()

    route = "%s/namespaces/%s/virtualservices/iris-%05d" % (ISTIO, namespace_of(7), 7)
    Watch(api, SDEPS + "/namespaces/%s/seldondeployments" % namespace_of(7), on_sdep)
    virtual_service = api.call("GET", route)
    for noise in ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"):
        virtual_service["metadata"].pop(noise, None)
    for turn in range(args.changes):
        with seen:
            sdeps.clear()
        weight = 70 + turn % 2
        api.call("PATCH", ONE, {"spec": {"predictors": deployment(7, namespace_of(7), weight)["spec"]["predictors"]}}, "application/merge-patch+json")
        accepted = time.monotonic()
        with seen:
            seen.wait_for(lambda: sdeps, 20)
            told = (sdeps[0][0] - accepted) * 1000
        text = json.dumps(virtual_service)
        text = re.sub(r'"weight": \d+', '"weight": %d' % weight, text, count=1)
        begun = time.monotonic()
        api.call("PATCH", route + "?fieldManager=sluice&force=true", json.loads(text), "application/apply-patch+yaml")
        own.append(max(0, told) + (progress.wait_for_weight("iris-00007", weight, begun) - begun) * 1000)
        time.sleep(0.3)
    row["api_ms"] = statistics.median(own)
    row["change_own_ms"] = row["change_ms"] - row["api_ms"]


def restart(bed, args, log, row):
    """Over a world that is as it should be."""
    operator = Operator(args.sluice, bed, log)
    cpu = operator.process.wait_until_quiet(8, args.most)
    row["restart_cpu_s"] = cpu
    row["restart_rss_peak_mib"] = operator.process.peak()
    row["restart_rss_mib"], row["restart_pss_mib"] = operator.process.rss(), operator.process.pss()
    row["restart_calls"] = operator.calls()
    row["restart_writes"] = sum(made for name, made in row["restart_calls"].items() if is_write(name))
    return operator


def idle(operator, args, row):
    before = operator.process.cpu()
    time.sleep(args.idle)
    row["idle_cpu_ms"] = (operator.process.cpu() - before) * 1000 * 60 / args.idle


def measure(count, args, scratch):
    row = {"deployments": count, "load_before": os.getloadavg()[0]}
    log = scratch / "operator.log"
    bed = Bed(scratch / "bed")
    operator = None
    try:
        began = time.monotonic()
        fill(bed.api, count)
        row["fill_s"] = time.monotonic() - began
        progress = Progress(bed.api)
        operator = Operator(args.sluice, bed, log)
        until_settled(operator, progress, bed, count, args, row)
        print("%d: applied %.1f s, CPU %.2f s, peak %.1f MiB" % (count, row["applied_s"], row["cpu_applied_s"], row["rss_peak_mib"]), flush=True)
        if args.idle:
            idle(operator, args, row)
        row["plane_rss_mib"] = bed.rss()
        one_change(bed, operator, progress, args, row)
        operator.stop()
        operator = restart(bed, args, log, row)
        operator.stop()
        operator = None
        bare_change(bed, progress, args, row)
    finally:
        if operator is not None and operator.child.poll() is None:
            operator.child.kill()
        bed.down()
    errors = [line for line in log.read_text().splitlines() if "level=error" in line]
    row["errors"] = len(errors)
    for line in errors[:5]:
        print("  " + line)
    return row


def machine():
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {"cpu": model.group(1) if model else "unknown", "cores": os.cpu_count(), "kernel": platform.release()}


LINES = (
    ("all VirtualServices applied", "applied_s", "%.1f s"),
    ("CPU until then", "cpu_applied_s", "%.2f s"),
    ("all Available (5 s of it: the gateway's time)", "available_s", "%.1f s"),
    ("CPU until settled", "cpu_settled_s", "%.2f s"),
    ("resident memory: peak", "rss_peak_mib", "%.1f MiB"),
    ("resident memory: at rest", "rss_mib", "%.1f MiB"),
    ("of it shared with nobody or in part (PSS)", "pss_mib", "%.1f MiB"),
    ("objects known", "objects", "%d"),
    ("idle: CPU a minute", "idle_cpu_ms", "%.0f ms"),
    ("one change, median", "change_ms", "%.1f ms"),
    ("one change, worst", "change_worst_ms", "%.1f ms"),
    ("of the median: the API server's own time", "api_ms", "%.1f ms"),
    ("of the median: the operator's", "change_own_ms", "%.1f ms"),
    ("one change: CPU", "change_cpu_ms", "%.1f ms"),
    ("restart: writes", "restart_writes", "%d"),
    ("restart: CPU until settled", "restart_cpu_s", "%.2f s"),
    ("restart: resident memory, peak", "restart_rss_peak_mib", "%.1f MiB"),
    ("restart: resident memory, at rest", "restart_rss_mib", "%.1f MiB"),
    ("errors logged", "errors", "%d"),
    ("load before", "load_before", "%.1f"),
)


def markdown(report):
    rows = report["rows"]
    lines = ["# Operator: %s" % report["when"], "", "Commit %s. %s, %d cores, kernel %s. Command: `%s`." % (
        report["commit"], report["machine"]["cpu"], report["machine"]["cores"], report["machine"]["kernel"], report["command"]),
        "SeldonDeployments of two predictors (75/25, replicas 1, scikit-learn server), applied first, then the operator was started. Kubernetes 1.34's API",
        "server, etcd and controllers on the same cores; pods are objects, ready at once. One change: a weight, %d times." % report["changes"], "",
        "| | " + " | ".join("%d" % row["deployments"] for row in rows) + " |", "| --- |" + " --- |" * len(rows)]
    for title, key, form in LINES:
        lines.append("| %s | %s |" % (title, " | ".join(form % row[key] if row.get(key) is not None else "" for row in rows)))
    for title, key in (("CPU meanwhile: ", "plane_cpu_s"), ("memory: ", "plane_rss_mib")):
        for name in sorted({name for row in rows for name in row.get(key, {})}):
            unit = "%.0f s" if key == "plane_cpu_s" else "%.0f MiB"
            lines.append("| %s%s | %s |" % (title, name, " | ".join(unit % row[key].get(name, 0) for row in rows)))
    lines += ["", "## Calls", "", "| | " + " | ".join("%d: all, one change, restart" % row["deployments"] for row in rows) + " |", "| --- |" + " --- |" * len(rows)]
    names = sorted({name for row in rows for key in ("calls", "change_calls", "restart_calls") for name in row.get(key, {})})
    for name in names:
        lines.append("| %s | %s |" % (name, " | ".join("%d, %.1f, %d" % (
            row["calls"].get(name, 0), row["change_calls"].get(name, 0), row["restart_calls"].get(name, 0)) for row in rows)))
    lines += ["", "## Bars", ""] + ["- %s: %s" % (text, "holds" if holds else "**missed**") for text, holds in bars(rows)]
    return "\n".join(lines) + "\n"


def bars(rows):
    first, out = rows[0], []
    for title, key, form in LINES:
        if key in BARS and first.get(key) is not None:
            out.append(("%d: %s %s (at most %s)" % (first["deployments"], title, form % first[key], form % BARS[key]), first[key] <= BARS[key]))
    out.append(("%d: writes of a restart %d (none)" % (first["deployments"], first["restart_writes"]), first["restart_writes"] == 0))
    for row in rows[1:]:
        for title, key, unit in (("CPU until settled", "cpu_settled_s", "ms"), ("memory at rest", "rss_mib", "KiB")):
            small, large = first[key] / first["deployments"], row[key] / row["deployments"]
            scale = 1000 if unit == "ms" else 1024
            out.append(("%d: %s, each %.2f %s (with %d: %.2f)" % (row["deployments"], title, large * scale, unit, first["deployments"], small * scale), large <= small * 1.1))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deployments", default="300,1000", type=lambda text: [int(each) for each in text.split(",")], help="also 10000: some 20 minutes, 12 GB")
    parser.add_argument("--sluice", type=pathlib.Path, default=ROOT / "build/release/sluice")
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--idle", type=int, default=60, help="seconds; 0: not measured")
    parser.add_argument("--most", type=int, default=1800, help="seconds that one step may take")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "bench/results", help="\"-\": only printed")
    args = parser.parse_args()
    rows = []
    for count in args.deployments:
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as scratch:
            rows.append(measure(count, args, pathlib.Path(scratch)))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    report = {"when": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), "commit": commit, "machine": machine(), "changes": args.changes,
              "command": os.environ.get("BENCH_COMMAND", "bench/operator/run.py " + " ".join(sys.argv[1:])).strip(), "rows": rows}
    text = markdown(report)
    print("\n" + text)
    if str(args.results) != "-":
        args.results.mkdir(parents=True, exist_ok=True)
        stem = args.results / datetime.datetime.now().strftime("operator-%Y%m%d-%H%M")
        stem.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
        stem.with_suffix(".md").write_text(text)
        print("written: %s.md, .json" % stem)


if __name__ == "__main__":
    main()
