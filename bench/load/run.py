#!/usr/bin/env python3
"""`make bench`: one load against sluice, a bare relay of bytes, nginx, HAProxy and Envoy, side by side, in turns.

Per proxy: CPU time per request (of all its processes and threads, from the kernel's scheduler), user and system parts (clock
ticks), latency, requests per second, resident memory; median over the rounds, with the spread. Results go to bench/results/.
"""

import argparse
import datetime
import http.client
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
import peers  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
BARS = [("one", "relay", 1.3), ("one", "nginx", 0.9), ("one", "envoy", 0.27)]  # CPU per request, at most so many times the peer's
USER_BAR_US = 2.0
MANY_BAR = 1.05  # cost at many deployments, at most so many times the cost at one


class Process:
    def __init__(self, peer, log):
        self.peer = peer
        self.log = open(log, "wb")
        self.popen = subprocess.Popen(peer.command, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                      start_new_session=True)

    def pids(self):
        """Every process of the session that was started: workers too."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    fields = pathlib.Path("/proc/%s/stat" % entry).read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self.popen.pid:  # session
                    found.append(int(entry))
        return found

    def cpu(self):
        """(seconds on a CPU, user ticks, system ticks) of all its threads."""
        total = user = system = 0
        for pid in self.pids():
            fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
            user, system = user + int(fields[11]), system + int(fields[12])
            for task in pathlib.Path("/proc/%d/task" % pid).iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9, user, system

    def resident(self):
        return sum(int(pathlib.Path("/proc/%d/statm" % pid).read_text().split()[1]) * PAGE for pid in self.pids())

    def stop(self):
        if self.popen.poll() is None:
            try:
                os.killpg(self.popen.pid, signal.SIGTERM)
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.popen.pid, signal.SIGKILL)
                self.popen.wait()
        self.log.close()


def answers(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("POST", path, '{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}', {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until_ready(process, path):
    start = time.monotonic()
    while time.monotonic() - start < process.peer.start_seconds:
        if process.popen.poll() is not None:
            return None
        if answers(process.peer.plain, path):
            return time.monotonic() - start
        time.sleep(0.02)
    return None


def wrk(url, connections, seconds, random_count):
    env = dict(os.environ, BENCH_RANDOM=str(random_count))
    out = subprocess.run(["wrk", "-t", "1", "-c", str(connections), "-d", "%ds" % seconds, "--timeout", "10s", "-s",
                          str(HERE / "report.lua"), url], env=env, stdout=subprocess.PIPE, text=True, check=True, stdin=subprocess.DEVNULL)
    return json.loads(out.stdout.strip().splitlines()[-1])


def measure(process, tls, path, args, random_count):
    if process.peer.one_route:
        path, random_count = one_path(), 0
    port = process.peer.tls if tls else process.peer.plain
    url = "%s://127.0.0.1:%d%s" % ("https" if tls else "http", port, path)
    wrk(url, args.connections, 1, random_count)  # connections and caches warm
    before = process.cpu()
    load = wrk(url, args.connections, args.seconds, random_count)
    after = process.cpu()
    if load["statuses"] or load["errors"] or not load["requests"]:
        return {"failed": "%d answers of 400 and above, %d errors, of %d" % (load["statuses"], load["errors"], load["requests"])}
    return {"cpu_us": (after[0] - before[0]) * 1e6 / load["requests"], "per_second": load["requests"] / load["seconds"],
            "p50_us": load["p50_us"], "p99_us": load["p99_us"], "user_ticks": after[1] - before[1], "system_ticks": after[2] - before[2]}


def middle(samples):
    """The median of each figure, and the spread of CPU: (largest - smallest) / median."""
    good = [sample for sample in samples if "failed" not in sample]
    if not good:
        return {"failed": samples[0]["failed"] if samples else "not measured"}
    row = {key: statistics.median(sample[key] for sample in good) for key in good[0]}
    cpu = [sample["cpu_us"] for sample in good]
    row["spread"] = (max(cpu) - min(cpu)) / row["cpu_us"]
    # One round has few clock ticks: the parts come from those of all rounds.
    user, system = sum(sample["user_ticks"] for sample in good), sum(sample["system_ticks"] for sample in good)
    row["user_us"] = row["cpu_us"] * user / max(1, user + system)
    row["system_us"] = row["cpu_us"] - row["user_us"]
    row["rounds"] = len(good)
    failed = [sample["failed"] for sample in samples if "failed" in sample]
    if failed:
        row["failed_rounds"] = failed
    return row


def make_pki(folder):
    folder.mkdir(parents=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "tls.key"),
                    "-out", str(folder / "tls.crt")], check=True, capture_output=True)
    return folder


def one_path():
    return "/seldon/seldon/%s/api/v1.0/predictions" % peers.names(1)[-1]


def setting(args, folder, count, scenarios, results):
    """Starts every proxy with `count` deployments and runs the scenarios over them in turns."""
    folder.mkdir(parents=True)
    pki = make_pki(folder / "pki")
    base = args.port
    backends = [base, base + 1]
    last = peers.names(count)[-1]
    path = "/seldon/seldon/%s/api/v1.0/predictions" % last
    makers = {
        "sluice": lambda: peers.sluice(folder, args.sluice, base + 10, backends, count, pki),
        "relay": lambda: peers.relay(args.bin / "bench_relay", base + 20, backends),
        "nginx": lambda: peers.nginx(folder, base + 30, backends, count, pki),
        "haproxy": lambda: peers.haproxy(folder, base + 40, backends, count, pki),
        "envoy": lambda: peers.envoy(folder, args.envoy, base + 50, backends, count, pki),
    }
    wanted = [name for name in args.only if name != "relay" or count == 1]
    if count > 1 and "sluice" in wanted:
        # The same program with one deployment, in turns with the others: what many cost is compared in the same minute.
        (folder / "one").mkdir()
        makers["sluice (1)"] = lambda: peers.sluice(folder / "one", args.sluice, base + 13, backends, 1, pki, name="sluice (1)")
        wanted.insert(wanted.index("sluice") + 1, "sluice (1)")
    running = []
    backend = Process(peers.Peer("backend", base, 0, [str(args.bin / "bench_backend"), *map(str, backends)]), folder / "backend.log")
    try:
        if wait_until_ready(backend, "/") is None:
            sys.exit("bench: the backend does not answer; is port %d taken?" % base)
        for name in wanted:
            process = Process(makers[name](), folder / (name + ".log"))
            running.append(process)
            ready = wait_until_ready(process, one_path() if process.peer.one_route else path)
            if ready is None:
                print("bench: %s does not answer: %s" % (name, (folder / (name + ".log")).read_text(errors="replace")[-400:]), flush=True)
                for scenario in scenarios:
                    results.setdefault(scenario[0], {})[name] = [{"failed": "did not answer when started"}]
                process.stop()
                running.remove(process)
            else:
                print("   %s ready after %.2f s, %.1f MiB" % (name, ready, process.resident() / 2**20), flush=True)
        for scenario, tls, random in scenarios:
            for turn in range(args.rounds):
                for process in running:
                    if tls and not process.peer.tls:
                        continue
                    sample = measure(process, tls, path, args, count if random else 0)
                    sample["rss_mib"] = process.resident() / 2**20
                    results.setdefault(scenario, {}).setdefault(process.peer.name, []).append(sample)
                    print("   %-7s round %d %-8s %s" % (scenario, turn + 1, process.peer.name, sample.get("failed") or
                          "%6.2f us/request, p99 %5d us, %7.0f/s" % (sample["cpu_us"], sample["p99_us"], sample["per_second"])), flush=True)
    finally:
        for process in [*running, backend]:
            process.stop()


def verdicts(rows):
    """(text, holds or None when a side is missing) for each bar."""
    def cpu(scenario, name):
        return rows.get(scenario, {}).get(name, {}).get("cpu_us")

    out = []
    for scenario, peer, bar in BARS:
        mine, theirs = cpu(scenario, "sluice"), cpu(scenario, peer)
        if mine and theirs:
            out.append(("CPU, sluice / %s: %.2f (bar: at most %.2f)" % (peer, mine / theirs, bar), mine / theirs <= bar))
        else:
            out.append(("CPU, sluice / %s: not measured (bar: at most %.2f)" % (peer, bar), None))
    mine, theirs = cpu("one", "sluice"), cpu("one", "haproxy")
    if mine and theirs:
        out.append(("CPU, sluice / haproxy: %.2f" % (mine / theirs), None))
    user = rows.get("one", {}).get("sluice", {}).get("user_us")
    if user is not None:
        out.append(("user CPU of sluice: %.2f us (bar: at most %.1f)" % (user, USER_BAR_US), user <= USER_BAR_US))
    for scenario in ("last", "random"):
        if cpu(scenario, "sluice (1)") and cpu(scenario, "sluice"):
            ratio = cpu(scenario, "sluice") / cpu(scenario, "sluice (1)")
            out.append(("CPU of sluice, many deployments (%s) / one: %.2f (bar: at most %.2f)" % (scenario, ratio, MANY_BAR), ratio <= MANY_BAR))
    return out


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load_before": os.getloadavg()[0]}


def instructions():
    """Whether this machine counts instructions; many virtual machines do not."""
    if not shutil.which("perf"):
        return "not counted: no perf here"
    out = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", "true"], capture_output=True, text=True).stderr
    return "not counted: this machine has no such counter" if "not supported" in out else "available"


TITLES = {"one": "1 deployment", "tls": "1 deployment, TLS", "last": "%d deployments, the last", "random": "%d deployments, random"}


def markdown(report):
    lines = ["# Load: %s" % report["when"], "", "Commit %s. %s, %d cores, kernel %s, load before the run %.1f. Command: `%s`." % (
        report["commit"], report["machine"]["cpu"], report["machine"]["cores"], report["machine"]["kernel"],
        report["machine"]["load_before"], report["command"]),
        "Median of %d rounds of %d s in turns, %d connections, one worker each. Instructions: %s." % (
        report["rounds"], report["seconds"], report["connections"], report["instructions"]), ""]
    for scenario, title in TITLES.items():
        rows = report["rows"].get(scenario)
        if not rows:
            continue
        lines += ["## " + (title % report["deployments"] if "%d" in title else title), "",
                  "| | CPU us/request | user | system | spread | requests/s | p50 us | p99 us | RSS MiB |",
                  "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
        for name, row in rows.items():
            if "failed" in row:
                lines.append("| %s | %s | | | | | | | |" % (name, row["failed"]))
            else:
                lines.append("| %s | %.2f | %.2f | %.2f | %.0f %% | %.0f | %d | %d | %.1f |" % (
                    name, row["cpu_us"], row["user_us"], row["system_us"], row["spread"] * 100, row["per_second"], row["p50_us"],
                    row["p99_us"], row["rss_mib"]))
        lines.append("")
    lines += ["## Bars", ""] + ["- %s%s" % (text, {True: ": holds", False: ": **missed**", None: ""}[holds]) for text, holds in report["bars"]]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bench")
    parser.add_argument("--sluice", type=pathlib.Path, default=ROOT / "build/release/sluice")
    parser.add_argument("--envoy", type=pathlib.Path, help="Envoy's binary")
    parser.add_argument("--port", type=int, default=25000, help="first of 60 ports")
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--deployments", type=int, default=10000)
    parser.add_argument("--scenarios", default="one,tls,last,random")
    parser.add_argument("--only", default="sluice,relay,nginx,haproxy,envoy", type=lambda text: text.split(","))
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "bench/results")
    args = parser.parse_args()
    wanted = args.scenarios.split(",")
    before = machine()
    results = {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as scratch:
        scratch = pathlib.Path(scratch)
        scratch.chmod(0o755)
        few = [s for s in (("one", False, False), ("tls", True, False)) if s[0] in wanted]
        many = [s for s in (("last", False, False), ("random", False, True)) if s[0] in wanted]
        if few:
            setting(args, scratch / "one", 1, few, results)
        if many:
            setting(args, scratch / "many", args.deployments, many, results)
    rows = {scenario: {name: middle(samples) for name, samples in by_name.items()} for scenario, by_name in results.items()}
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    report = {"when": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), "commit": commit, "machine": before,
              "command": os.environ.get("BENCH_COMMAND", "bench/load/run.py"),
              "seconds": args.seconds, "rounds": args.rounds, "connections": args.connections, "deployments": args.deployments,
              "instructions": instructions(), "rows": rows, "bars": verdicts(rows), "samples": results}
    args.results.mkdir(parents=True, exist_ok=True)
    stem = args.results / datetime.datetime.now().strftime("load-%Y%m%d-%H%M")
    stem.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
    text = markdown(report)
    stem.with_suffix(".md").write_text(text)
    print("\n" + text + "\nwritten: %s.md, .json" % stem)
    # A bar that is missed is told, not an error of the tool; a proxy that failed its requests is one.
    sys.exit(1 if any("failed" in row for by_name in rows.values() for row in by_name.values()) else 0)


if __name__ == "__main__":
    main()
