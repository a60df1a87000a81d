"""Every recorded case of Istio's ingress against `sluice serve`; the outcome must be the one that expected.txt lists.

`agrees`: every request as recorded. `http1`: so without its HTTP/2 requests, which sluice does not speak yet.
`differs`: not as recorded, with the reason. `empty`: the case has no request; what it checks is admission, which other tests do.
To see the differences of one case: pytest tests/ingress -k NAME -s; to write the list anew: WRITE_EXPECTED=1.
"""

import asyncio
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import harness  # noqa: E402
import runner  # noqa: E402

EXPECTED = HERE / "expected.txt"
CASES = sorted(path.parent for path in (HERE / "cases").glob("*/case.json"))


def read_expected():
    """name -> (outcome, reason)"""
    found = {}
    for line in EXPECTED.read_text().splitlines() if EXPECTED.exists() else []:
        if line and not line.startswith("#"):
            name, outcome, *reason = line.split(None, 2)
            found[name] = (outcome, reason[0] if reason else "")
    return found


@pytest.fixture(scope="module")
def under_test(tmp_path_factory):
    work = tmp_path_factory.mktemp("ingress")
    config = work / "config"
    config.mkdir()
    sluice = harness.Sluice([config], log=work / "sluice.log", ports=(80, 443, 8080, 8443, 9000, 9001, 9443, 15999), workers=1)
    sluice.start()
    gateway = runner.Gateway({"config_dir": str(config), "ports": {str(k): v for k, v in sluice.ports.items()}, "settle": 0.05})
    yield gateway, runner.Runner(work, runner.Pki(work / "pki"), 28400)
    alive = sluice.process.poll() is None
    sluice.kill()
    assert alive, "sluice died: " + sluice.log()[-2000:]


def outcome_of(gateway, run, case):
    """(outcome, differences that explain it)"""
    requests, differences = asyncio.run(runner.check(gateway, run, case))
    if requests == 0:
        return "empty", []
    if not differences:
        return "agrees", []
    requests_1, differences_1 = asyncio.run(runner.check(gateway, run, case, http2=False))
    if requests_1 and requests_1 < requests and not differences_1:
        return "http1", differences
    return "differs", differences_1 if requests_1 else differences


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(under_test, case):
    gateway, run = under_test
    outcome, differences = outcome_of(gateway, run, case)
    expected, reason = read_expected().get(case.name, ("agrees", ""))
    if os.environ.get("WRITE_EXPECTED"):
        with open(HERE / "expected.new.txt", "a") as out:
            why = reason or ("; ".join(differences[:2])[:150] if outcome == "differs" else "")
            out.write(("%-30s %-8s %s" % (case.name, outcome, why)).rstrip() + "\n")
        return
    text = "\n".join(differences)
    if expected == "differs":
        assert reason, "expected.txt must say why %s differs" % case.name
    assert outcome == expected, "%s: %s, but expected.txt says %s (%s)\n%s" % (case.name, outcome, expected, reason, text)


def test_the_list_is_complete():
    assert sorted(read_expected()) == [case.name for case in CASES]
