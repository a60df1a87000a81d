"""What tests on a control plane share: kubectl, an operator beside it. KUBECONFIG says which plane; kubectl is in PATH."""

import os
import signal
import subprocess
import time

from harness import SLUICE


def kubectl(*arguments, given=None, check=True):
    done = subprocess.run(["kubectl", *arguments], input=given, stdin=None if given else subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if check and done.returncode:
        raise AssertionError("kubectl %s: %s" % (" ".join(arguments), done.stderr))
    return done.stdout


class Operator:
    """A running `sluice operator`; its log is at `path`."""

    def __init__(self, folder, *arguments):
        self.path = folder / ("operator-%d.log" % time.monotonic_ns())
        self.log = open(self.path, "w")
        self.process = subprocess.Popen([SLUICE, "operator", "--settle-ms", "200", *arguments], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT, env=dict(os.environ, ISTIO_ENABLED="true"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
