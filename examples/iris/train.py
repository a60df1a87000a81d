#!/usr/bin/env python3
"""Trains the two models of this folder on the iris data and records what they predict.

Needed only to make the models anew; serving them needs no Python.

    python3 -m venv /tmp/iris && /tmp/iris/bin/pip install -r requirements.txt && /tmp/iris/bin/python train.py

Both models give the probabilities of the three species (objective multi:softprob). One thread and the
exact tree method make the files the same on every run of the same versions.
"""

import json
import pathlib

import numpy
import xgboost
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]  # centimetres

# Version, file, rounds of boosting, depth of a tree: v1 is small, v2 has more and deeper trees.
MODELS = [("v1", "model.json", 2, 2), ("v2", "model.ubj", 12, 3)]


def main():
    iris = load_iris()
    train_x, test_x, train_y, test_y = train_test_split(
        iris.data, iris.target, test_size=0.4, random_state=3, stratify=iris.target
    )
    train = xgboost.DMatrix(train_x, label=train_y, feature_names=NAMES)
    rows = numpy.vstack([test_x[:9], [[5.1, numpy.nan, 1.4, 0.2], [7.0, 3.2, numpy.nan, numpy.nan]]])
    expected = {
        "feature_names": NAMES,
        "rows": [[None if numpy.isnan(cell) else float(cell) for cell in row] for row in rows],
        "predictions": {},
    }
    for version, file_name, rounds, depth in MODELS:
        parameters = {
            "objective": "multi:softprob",
            "num_class": 3,
            "max_depth": depth,
            "eta": 0.4,
            "tree_method": "exact",
            "nthread": 1,
            "seed": 7,
        }
        booster = xgboost.train(parameters, train, num_boost_round=rounds)
        path = HERE / "models" / version / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        booster.save_model(path)
        correct = booster.predict(xgboost.DMatrix(test_x, feature_names=NAMES)).argmax(axis=1) == test_y
        print(f"{version}: {rounds} rounds, depth {depth}: {correct.mean():.1%} of {len(test_y)} held-out flowers right")
        predictions = booster.predict(xgboost.DMatrix(rows, feature_names=NAMES))
        expected["predictions"][version] = [[float(value) for value in row] for row in predictions]
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
