"""Named stages in order, each timed, with the counts of the JUnit files it wrote. Used by tools/run_tests and tools/run_checks.

The last line printed is `N passed, N failed`, which continuous integration reads. A test that did not run is named
with its reason; with CI=true it counts as failed.
"""

import glob
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent


def in_ci():
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def counts_of(pattern):
    """(passed, failures as text, not run as text) of the JUnit files that match."""
    passed, failures, not_run = 0, [], []
    for path in sorted(glob.glob(pattern)):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = "%s.%s" % (case.get("classname", ""), case.get("name", ""))
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                failures.append(name)
            elif skipped is not None or case.get("status") == "notrun":
                if case.get("status") != "notrun" or "DISABLED" in name:
                    said = (skipped.get("message") or "") if skipped is not None else "disabled"
                    # GoogleTest writes the place in the first line and the reason below.
                    lines = [line for line in said.strip().splitlines() if line.strip()]
                    not_run.append("%s: %s" % (name, lines[-1].strip() if lines else "no reason given"))
            else:
                passed += 1
    return passed, failures, not_run


class Stages:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.lines = []
        self.not_run = []

    def run(self, name, command, report=None, seconds=3600, env=None):
        """Runs one stage. With `report` (a pattern of JUnit files) its tests are counted, otherwise the stage itself.
        Returns whether it succeeded."""
        print("== %s" % name, flush=True)
        if report:
            for old in glob.glob(report):
                os.unlink(old)
        start = time.monotonic()
        merged = dict(os.environ, **(env or {}))
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, env=merged, start_new_session=True)
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = "over %d s" % seconds
        finally:  # asked to end, too
            if process.poll() is None:
                os.killpg(process.pid, 9)
                process.wait()
        took = time.monotonic() - start
        passed, failures, not_run = counts_of(report) if report else (0, [], [])
        if report and passed + len(failures) == 0:
            failures.append("%s: no test ran" % name)
        elif status != 0 and not failures:
            failures.append("%s: ended with %s" % (name, status))
        if not report and status == 0:
            passed = 1
        self.count(name, passed, failures, not_run, took)
        return status == 0

    def count(self, name, passed, failures, not_run, took):
        self.passed += passed
        self.failed += len(failures)
        self.not_run += not_run
        self.lines.append("%-34s %6.1f s  %4d passed, %d failed%s" % (
            name, took, passed, len(failures), ", %d not run" % len(not_run) if not_run else ""))
        self.lines += ["    FAILED " + failure for failure in failures]
        print("== %s: %d passed, %d failed, %.1f s" % (name, passed, len(failures), took), flush=True)

    def cannot_run(self, name, reason):
        self.not_run.append("%s: %s" % (name, reason))

    def finish(self):
        print("\n" + "\n".join(self.lines))
        for line in self.not_run:
            print("    NOT RUN " + line)
        if self.not_run and in_ci():
            print("CI=true: what did not run counts as failed")
            self.failed += len(self.not_run)
        print("%d passed, %d failed" % (self.passed, self.failed), flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)
