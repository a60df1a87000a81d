"""Every command of the tutorial and of the how-to pages runs, in order, in one shell, with the release binary.

A ```sh block must end with status 0. A ```text block right after it: each of its lines must be part of a line of that
block's output, in this order. Ports 8080, 8443 and 8081 are replaced by free ones.
"""

import os
import re
import shutil
import signal
import subprocess

import pytest
from harness import ROOT, SLUICE, free_port

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text):
    """(commands, lines expected in their output)"""
    found = []
    last_end = None
    for match in BLOCK.finditer(text):
        kind, body = match.groups()
        if kind == "sh":
            found.append((body, []))
        elif kind == "text" and last_end is not None and text[last_end : match.start()].strip() == "":
            found[-1][1].extend(line.strip() for line in body.splitlines() if line.strip())
        last_end = match.end() if kind == "sh" else None
    return found


def pages():
    """Those with commands: a page may also be one of explanations and YAML alone."""
    every = sorted((ROOT / "docs" / "tutorial").glob("*.md")) + sorted((ROOT / "docs" / "how-to").glob("*.md"))
    return [page for page in every if blocks(page.read_text())]


def test_most_pages_have_commands():
    assert len(pages()) >= 11


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_page(page, tmp_path):
    found = blocks(page.read_text())
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "build" / "release").mkdir(parents=True)
    (tmp_path / "build" / "release" / "sluice").symlink_to(SLUICE)
    ports = {port: str(free_port()) for port in ("8080", "8443", "8081")}
    script = ["set -eu -o pipefail", "export PATH=%s:$PATH" % (tmp_path / "build" / "release")]
    for number, (commands, _) in enumerate(found):
        commands = re.sub(r"\b(8080|8443|8081)\b", lambda match: ports[match.group(0)], commands)
        # Not a subshell: functions, variables and background jobs live on from block to block.
        script.append("exec 3>&1 4>&2 >out.%d 2>&1\n%s\nexec >&3 2>&4 3>&- 4>&-" % (number, commands))
    (tmp_path / "page.sh").write_text("\n".join(script) + "\n")
    console = open(tmp_path / "console", "w+")
    shell = subprocess.Popen(["bash", "page.sh"], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
                             start_new_session=True, env=dict(os.environ, no_proxy="*"))
    try:
        status = shell.wait(90)
    except subprocess.TimeoutExpired:
        status = "over 90 s"
    finally:
        stop_session(shell.pid)
    outputs = "".join("--- block %d\n%s\n" % (n, (tmp_path / ("out.%d" % n)).read_text()) for n in range(len(found))
                      if (tmp_path / ("out.%d" % n)).exists())
    for log in (tmp_path / "build").glob("*.log"):
        outputs += "--- %s\n%s\n" % (log.name, log.read_text()[-3000:])
    assert status == 0, "%s: status %s\n%s" % (page.name, status, outputs)
    for number, (commands, expected) in enumerate(found):
        lines = iter((tmp_path / ("out.%d" % number)).read_text().splitlines())
        for want in expected:
            assert any(want in line for line in lines), "%s: no %r in the output of\n%s\n%s" % (page.name, want, commands, outputs)


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
