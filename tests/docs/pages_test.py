"""Every command for one machine (```sh) of the tutorial and of the how-to pages runs, in order, in one shell, with the release binary.

How output is compared: tests/pages.py. Ports 8080, 8443 and 8081 are replaced by free ones. The commands for a cluster (```bash) run in
tests/cluster/pages_on_cluster.py.
"""

import os
import re
import shutil

import pages as commands
import pytest
from harness import ROOT, SLUICE, free_port


def pages():
    """Those with commands: a page may also be one of explanations and YAML alone."""
    every = sorted((ROOT / "docs" / "tutorial").glob("*.md")) + sorted((ROOT / "docs" / "how-to").glob("*.md"))
    return [page for page in every if commands.blocks(page.read_text(), "sh")]


def test_most_pages_have_commands():
    assert len(pages()) >= 11


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_page(page, tmp_path):
    folder, scratch = tmp_path / "repository", tmp_path / "scratch"
    scratch.mkdir()
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "build" / "release").mkdir(parents=True)
    (folder / "build" / "release" / "sluice").symlink_to(SLUICE)
    ports = {port: str(free_port()) for port in ("8080", "8443", "8081")}
    found = [(re.sub(r"\b(8080|8443|8081)\b", lambda match: ports[match.group(0)], block), expected)
             for block, expected in commands.blocks(page.read_text(), "sh")]
    wrong = commands.run(found, scratch, folder, "export PATH=%s:$PATH" % (folder / "build" / "release"), dict(os.environ, no_proxy="*"), 90)
    logs = "".join("--- %s\n%s\n" % (log.name, log.read_text()[-3000:]) for log in (folder / "build").glob("*.log"))
    assert not wrong, "%s: %s\n%s" % (page.name, wrong, logs)
