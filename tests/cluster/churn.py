#!/usr/bin/env python3
"""Rollouts under constant load through Istio's gateway: what each cost its callers. Usage: churn.py ROLLOUTS [REPORT.md]
Run by tests/cluster/run inside the cluster's network; `make churn` makes 50 and keeps the report.

Lanes side by side, each a SeldonDeployment with callers of its own that never pause; a lane's rollouts follow each other. A request fails
that gets no answer in 10 s or another than 200. After CHURN_SECONDS (1800) no rollout is begun any more. Prints a line for each rollout; the last line is `N passed, N failed`, in rollouts.
"""

import collections
import datetime
import http.client
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

from harness import ROOT  # noqa: E402
from models import NAMESPACE, call, deployment, install, apply, predictor, run, settled  # noqa: E402

CALLERS = 2             # of each lane
PAUSE_SECONDS = 0.02    # of a caller between two requests
AFTER_SECONDS = 2       # a rollout is watched for that long after it is Available
BROKEN_SECONDS = 12     # how long a version that never gets ready stands before it is taken back
ROLLOUT_SECONDS = 240   # its most; settled() gives up before
END = time.monotonic() + float(os.environ.get("CHURN_SECONDS", "1800"))
# A lane begins with one predictor. Each list ends with one, too.
COURSES = (["new version", "canary", "weights", "promotion"],
           ["broken version, aborted", "canary, operator killed", "weights", "removal"],
           ["new version, operator killed", "renamed"])


class Callers:
    def __init__(self, name):
        self.name, self.stopping, self.lock = name, False, threading.Lock()
        self.total, self.failures, self.answers = 0, [], collections.Counter()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while not self.stopping:
            began = time.time()
            try:
                status, version = call(self.name)
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                status, version = "%s: %s" % (type(error).__name__, error), None
            with self.lock:
                self.total += 1
                self.answers[version] += 1
                if status != 200:
                    self.failures.append((began, time.time() - began, status))
            time.sleep(PAUSE_SECONDS)

    def counts(self):
        with self.lock:
            return self.total, len(self.failures)

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(15)


KILLING = threading.Lock()


def kill_operator():
    """One at a time, and never one that only starts: kubelet 1.34.1 crashes on a pod that is forced away while its container is made."""
    with KILLING:
        run("kubectl", "-n", "seldon-system", "delete", "pod", "-l", "app.kubernetes.io/component=operator", "--grace-period=0", "--force")
        time.sleep(1)
        run("kubectl", "-n", "seldon-system", "rollout", "status", "deployment/sluice-operator", "--timeout=90s")


class Lane:
    def __init__(self, number, courses):
        self.name = "churn-%d" % number
        self.kinds = [kind for course in courses for kind in course]
        self.serial, self.live, self.other = 0, "one", None  # names of predictors; other: the canary
        self.rollouts, self.problems = [], []
        self.thread = threading.Thread(target=self.work)

    def one(self, name, traffic=None, serial=None, broken=False):
        made = predictor(name, traffic, version="v1" if name in ("one", "three") else "v2")
        container = made["componentSpecs"][0]["spec"]["containers"][0]
        container["env"] = [{"name": "SERIAL", "value": str(serial or 0)}]
        if broken:
            container["args"][-1] = "/nowhere"
        return made

    def two(self, live, other):
        return deployment(self.name, self.one(self.live, live, self.serial), self.one(self.other, other))

    def alone(self):
        return deployment(self.name, self.one(self.live, None, self.serial))

    def rollout(self, kind):
        kills = kind.endswith("operator killed")
        if kind.startswith("new version"):
            self.serial += 1
            wanted = self.alone()
        elif kind.startswith("canary"):
            self.other = "two" if self.live != "two" else "one"
            wanted = self.two(80, 20)
        elif kind == "weights":
            wanted = self.two(35, 65)
        elif kind == "promotion":
            self.live, self.other, self.serial = self.other, None, 0
            wanted = self.alone()
        elif kind == "removal":
            self.other = None
            wanted = self.alone()
        elif kind == "renamed":
            self.live, self.serial = "three" if self.live == "one" else "one", 0
            wanted = self.alone()
        else:
            assert kind == "broken version, aborted", kind
            apply(deployment(self.name, self.one(self.live, 50, self.serial), self.one("broken", 50, broken=True)))
            time.sleep(BROKEN_SECONDS)
            wanted = self.alone()
        if kills:
            apply(wanted)
            time.sleep(2)
            kill_operator()
        settled(wanted)
        time.sleep(AFTER_SECONDS)

    def work(self):
        callers = None
        try:
            settled(self.alone())
            callers = Callers(self.name)
            time.sleep(1)
            for kind in self.kinds:
                if time.monotonic() > END:
                    break
                total, failed = callers.counts()
                began = time.time()
                self.rollout(kind)
                after = callers.counts()
                self.rollouts.append({"lane": self.name, "kind": kind, "began": began, "seconds": time.time() - began,
                                      "requests": after[0] - total, "failed": after[1] - failed})
                print(line(self.rollouts[-1]), flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            self.problems.append("%s: %s" % (self.name, str(error)[:2000]))
        finally:
            if callers is not None:
                callers.stop()
                self.failures = callers.failures
            else:
                self.failures = []


def line(rollout):
    return "%-8s %-30s %6.1f s %7d requests %4d failed" % (rollout["lane"], rollout["kind"], rollout["seconds"], rollout["requests"], rollout["failed"])


def lanes_for(count):
    """Lanes whose rollouts are `count` together: two for a short run, five for a long one."""
    number = 2 if count <= 10 else 5
    lanes = []
    for index in range(number):
        share = count // number + (index < count % number)
        courses, which = [], index
        while sum(map(len, courses)) < share:
            courses.append(COURSES[which % len(COURSES)])
            which += 1
        lane = Lane(index + 1, courses)
        lane.kinds = lane.kinds[:share]
        lanes.append(lane)
    return lanes


def report(lanes, path, count):
    rollouts = sorted((each for lane in lanes for each in lane.rollouts), key=lambda each: each["began"])
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
    processor = next((words.split(":")[1].strip() for words in open("/proc/cpuinfo") if words.startswith("model name")), "?")
    began = rollouts[0]["began"] if rollouts else 0
    text = ["# %d rollouts under load through Istio's gateway" % len(rollouts), "",
            "`make churn ROLLOUTS=%d` at %s, %s; %d processors (%s). One node, real pods, Envoy as the gateway; %d SeldonDeployments side by side, %d callers each, "
            "a connection for each request, %d ms between two." % (count, commit, datetime.date.today(), os.cpu_count(), processor, len(lanes), CALLERS, PAUSE_SECONDS * 1000), "",
            "Together: %d requests, %d failed." % (sum(each["requests"] for each in rollouts), sum(each["failed"] for each in rollouts)), "",
            "| at | deployment | rollout | seconds | requests | failed |", "| ---: | --- | --- | ---: | ---: | ---: |"]
    text += ["| %.0f s | %s | %s | %.1f | %d | %d |" % (each["began"] - began, each["lane"], each["kind"], each["seconds"], each["requests"], each["failed"])
             for each in rollouts]
    pathlib.Path(path).write_text("\n".join(text) + "\n")


def main():
    count = int(sys.argv[1])
    install()
    lanes = lanes_for(count)
    try:
        for lane in lanes:
            lane.thread.start()
        for lane in lanes:
            lane.thread.join(max(0, END - time.monotonic()) + 2 * ROLLOUT_SECONDS)
    finally:
        run("kubectl", "delete", "namespace", NAMESPACE, "--wait=false")
    made = [each for lane in lanes for each in lane.rollouts]
    problems = [problem for lane in lanes for problem in lane.problems]
    for lane in lanes:
        for began, seconds, status in lane.failures[:50]:
            print("    %s failed at %s after %.2f s: %s" % (lane.name, datetime.datetime.fromtimestamp(began).time().isoformat("milliseconds"), seconds, status))
    for problem in problems:
        print("FAILED " + problem)
    if len(sys.argv) > 2:
        report(lanes, sys.argv[2], count)
    bad = [each for each in made if each["failed"] or not each["requests"]]
    for each in bad:
        print("FAILED " + line(each))
    print("%d requests, %d failed" % (sum(each["requests"] for each in made), sum(each["failed"] for each in made)))
    if len(made) != count:
        problems.append("%d rollouts of %d were made" % (len(made), count))
        print("FAILED " + problems[-1])
    failed = len(bad) + len(problems)
    print("%d passed, %d failed" % (len(made) - len(bad), failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
