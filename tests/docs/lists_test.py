"""Pages that list what a file holds are compared with that file."""

import os
import re
import subprocess

from harness import ROOT, SLUICE


def test_every_dependency_has_its_reason():
    script = (ROOT / "tools" / "install_deps").read_text()
    installed = set()
    for name in ("demo", "test", "bench", "cluster"):
        installed |= set(re.search(r'^%s="(.*?)"' % name, script, re.MULTILINE | re.DOTALL).group(1).split())
    page = (ROOT / "docs" / "reference" / "dependencies.md").read_text()
    documented = set()
    for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE):
        documented |= set(re.findall(r"`([^`]+)`", row))
    assert documented == installed
    for requirements in (ROOT / "tests").glob("requirements-*.txt"):
        for package in re.findall(r"^([A-Za-z0-9-]+)", requirements.read_text(), re.MULTILINE):
            assert "`%s`" % package in page or package == "setuptools", "%s is missing in dependencies.md" % package


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text()
    missing = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").glob("*/*.md") if "(%s/%s)" % (page.parent.name, page.name) not in index]
    assert not missing


def test_numbers_in_the_readme_name_their_file():
    """A line of the README with a measured unit must name a file of bench/results/ in its paragraph."""
    for paragraph in (ROOT / "README.md").read_text().split("\n\n"):
        if re.search(r"\d (us|µs|ms|requests/s)\b", paragraph):
            names = re.findall(r"bench/results/[\w.-]+", paragraph)
            assert names and all((ROOT / name).exists() for name in names), paragraph


def test_the_command_line_page_is_what_help_says():
    made = subprocess.run([str(ROOT / "tools" / "cli_page")], capture_output=True, text=True, check=True, env={**os.environ, "SLUICE": str(SLUICE)}).stdout
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == made, "run tools/cli_page --write"


def test_the_page_of_limits_has_those_of_the_code():
    header = (ROOT / "src" / "base" / "limits.h").read_text()
    page = (ROOT / "docs" / "reference" / "limits.md").read_text()
    written = {}
    for name, text in re.findall(r"constexpr [\w:]+ (k\w+) =\s*([^;]+);", header):
        numbers = [int(re.sub(r"\D", "", part)) for part in text.split("<<")]  # "64U << 20U", "100'000"
        written[name] = numbers[0] << (numbers[1] if len(numbers) > 1 else 0)
    told = {name: int(value) for name, value in re.findall(r"^\| `(k\w+)` \| (\d+) \|", page, re.MULTILINE)}
    assert told == written
