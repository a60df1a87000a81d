"""SHARD=1/3 runs every third test from the first on: rollouts are mostly waiting, so several processes share one cluster."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))


def pytest_collection_modifyitems(config, items):
    which, _, count = os.environ.get("SHARD", "1/1").partition("/")
    kept = items[int(which) - 1::int(count)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
