"""Edits at random under load: whatever the order, no request fails. SOAK_SEED and SOAK_EDITS repeat or lengthen a run."""

import os
import random
import time

from harness import IRIS, ROW, Load

SEED = int(os.environ.get("SOAK_SEED", "1"))
EDITS = int(os.environ.get("SOAK_EDITS", "40"))


def manifest(predictors):
    text = "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {name: iris}\nspec:\n  predictors:\n"
    for name, traffic, replicas, unit, model in predictors:
        text += ("  - {name: %s, traffic: %d, replicas: %d, graph: {name: %s, implementation: XGBOOST_SERVER, modelUri: \"file://%s/models/%s\"}}\n"
                 % (name, traffic, replicas, unit, IRIS, model))
    return text


def random_predictors(chance):
    names = chance.sample(["main", "canary", "next", "other"], chance.choice([1, 2, 3]))
    traffic = [0] * len(names)
    for _ in range(100):
        traffic[chance.randrange(len(names))] += 1
    return [(name, share, chance.choice([1, 1, 2]), chance.choice(["classifier", "second"]), chance.choice(["v1", "v2"]))
            for name, share in zip(names, traffic)]


def test_random_edits_fail_no_request(gateway, folder):
    folder.write("iris.yaml", manifest([("main", 100, 1, "classifier", "v1")]))
    sluice = gateway(folder, ports=(80,))
    chance, file = random.Random(SEED), "iris.yaml"
    with Load(sluice.http, "/seldon/default/iris/api/v1.0/predictions", threads=2, body={"data": {"ndarray": [ROW]}}) as load:
        load.wait(50)
        for edit in range(EDITS):
            folder.write(file, manifest(random_predictors(chance)))
            time.sleep(chance.choice([0, 0.01, 0.05, 0.2, 0.7]))
            if edit % 10 == 9:  # the file gets another name
                other = "a%d.yaml" % edit
                os.rename(folder.path / file, folder.path / other)
                file = other
        folder.write(file, manifest([("final", 100, 1, "classifier", "v2")]))
        time.sleep(3)
    assert load.failures == [], "SOAK_SEED=%d: %d of %d requests failed" % (SEED, len(load.failures), load.total())
    assert load.reconnects == 0
    assert load.total() > 500
