"""The commands of a page and the output that it promises. tests/docs runs those of one machine (```sh), tests/cluster those of a cluster (```bash).

A block must end with status 0. A ```text block right after it: each of its lines must be part of a line of that block's output, in this order.
"""

import os
import re
import signal
import subprocess

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text, kind):
    """[(commands, lines expected in their output)] of one kind of block"""
    found = []
    last_end = None
    for match in BLOCK.finditer(text):
        language, body = match.groups()
        if language == kind:
            found.append((body, []))
        elif language == "text" and last_end is not None and text[last_end : match.start()].strip() == "":
            found[-1][1].extend(line.strip() for line in body.splitlines() if line.strip())
        last_end = match.end() if language == kind else None
    return found


def run(found, scratch, folder, prelude, environment, seconds):
    """Runs the blocks in one shell in `folder`: functions, variables and background jobs live on from block to block.
    `scratch` is an empty folder for their outputs. What the page left running is ended. -> "" or what went wrong, with all output."""
    script = ["set -eu -o pipefail", prelude]
    for number, (commands, _) in enumerate(found):
        script.append("exec 3>&1 4>&2 >'%s/out.%d' 2>&1\n%s\nexec >&3 2>&4 3>&- 4>&-" % (scratch, number, commands))
    (scratch / "page.sh").write_text("\n".join(script) + "\n")
    with open(scratch / "console", "w") as console:
        shell = subprocess.Popen(["bash", str(scratch / "page.sh")], cwd=folder, stdin=subprocess.DEVNULL, stdout=console,
                                 stderr=subprocess.STDOUT, start_new_session=True, env=environment)
        try:
            status = shell.wait(seconds)
        except subprocess.TimeoutExpired:
            status = "over %d s" % seconds
        finally:
            stop_session(shell.pid)
    texts = [(scratch / ("out.%d" % number)) for number in range(len(found))]
    outputs = [path.read_text() if path.exists() else None for path in texts]
    listed = "".join("--- block %d\n%s\n" % (number, text) for number, text in enumerate(outputs) if text is not None)
    if status != 0:
        last = max((number for number, text in enumerate(outputs) if text is not None), default=0)
        return "status %s in\n%s\n%s" % (status, found[last][0], listed)
    for (commands, expected), text in zip(found, outputs):
        lines = iter(text.splitlines())
        for want in expected:
            if not any(want in line for line in lines):
                return "no %r in the output of\n%s\n%s" % (want, commands, listed)
    return ""


def stop_session(leader):
    """Ends what the page left running: SIGTERM to sluice drains its models too, SIGKILL to what stays."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(leader, number)
        except ProcessLookupError:
            return
        for _ in range(100):
            listed = subprocess.run(["ps", "-o", "pid=", "-g", str(leader)], capture_output=True, text=True).stdout.split()
            if not listed:
                return
            subprocess.run(["sleep", "0.1"])
