"""Shared by every system test: the release binary, scratch folders, gateways and backends that are always stopped."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def binary():
    if not harness.SLUICE.exists():
        pytest.exit("%s is missing: make release" % harness.SLUICE, returncode=3)
    return harness.SLUICE


@pytest.fixture
def gateway(tmp_path):
    """make(*paths, **options) -> a running sluice that answers /readyz; all are stopped at the end."""
    running = []

    def make(*paths, **options):
        sluice = harness.Sluice(paths, log=tmp_path / ("sluice-%d.log" % len(running)), **options)
        running.append(sluice)
        sluice.start()
        return sluice

    yield make
    for sluice in running:
        sluice.kill()


@pytest.fixture
def backend():
    """make(name, **behaviour) -> a running HTTP server that remembers what it was sent."""
    running = []

    def make(name, **behaviour):
        server = harness.Backend(name, **behaviour)
        running.append(server)
        return server

    yield make
    for server in running:
        server.stop()


@pytest.fixture
def folder(tmp_path):
    """A folder to serve, written like careful tools write: to a temporary name, then renamed."""
    return harness.Folder(tmp_path / "config")
