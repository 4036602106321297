"""Score a table with a saved model."""

import argparse
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from joblib import parallel_config
from threadpoolctl import threadpool_limits

from .featurize import FeatureSpec, read_spec, transform
from .prepare import DataError, read_table, run, write_table

# Loading a model file may call the types it names. skops knows the harmless ones; those that your model needs besides
# are added here once you know why they are not among them. For forests and gradient boosting that is
# "sklearn.tree._tree.Tree": a forged file with it can crash the process or read its memory, but run nothing.
# ---- REPLACE: TYPES THAT YOUR MODEL NEEDS ----------------------------------
TRUSTED = ("numpy.dtype",)
# ---- END OF REPLACE --------------------------------------------------------

# Rows are scored in blocks of this size, the last one filled up: for another number of rows BLAS adds in another order, and
# a row alone would differ in the last digit from the same row in a table.
BLOCK = 512


def load_model(path: Path) -> Any:
    """Return a saved model. Raises DataError for a file that is none, or that holds a type not trusted above."""
    try:
        untrusted = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no model file: {error}") from error
    if untrusted:
        raise DataError(
            f"{path} holds types that are not trusted: {', '.join(sorted(untrusted))}\n"
            "hint: only if you know this file and these types, add them to TRUSTED in predict.py"
        )
    return skops.io.load(path, trusted=TRUSTED)


def predict(model: Any, spec: FeatureSpec, frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each row of the table, in its order.

    Columns: `prediction`, and for a classification `probability_<class>` in the specification's order. Raises
    DataError for missing columns, or a model that is not the specification's.
    """
    classes = spec["classes"]
    features = transform(frame, spec)
    if features.empty:
        return pd.DataFrame(columns=["prediction", *(f"probability_{name}" for name in classes)])
    if spec["task"] == "regression":
        return pd.DataFrame({"prediction": _score(model, "predict", features)})
    if list(getattr(model, "classes_", [])) != classes:
        raise DataError(
            f"the model predicts {list(getattr(model, 'classes_', ['a number']))}, the feature specification says {classes}"
        )
    probabilities = _score(model, "predict_proba", features)
    result = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in classes])
    result.insert(0, "prediction", np.array(classes, dtype=object)[probabilities.argmax(axis=1)])
    return result


def _score(model: Any, method: str, features: pd.DataFrame) -> np.ndarray:
    """Return what the model says of each row: the same in every run, and alone or among others."""
    if not hasattr(model, method):
        raise DataError(f"the model has no {method}: it is not the one that the feature specification belongs to")
    wanted = getattr(model, "feature_names_in_", None)
    if wanted is not None and list(wanted) != list(features):
        raise DataError(
            f"the model was trained with {_differing(wanted, features)}, the feature specification says "
            f"{_differing(features, wanted)}: they belong to different releases"
        )
    places = np.minimum(np.arange(-(-len(features) // BLOCK) * BLOCK), len(features) - 1)
    # Neither threads of BLAS nor workers of the model's own: the order in which they end would decide the last digit.
    with threadpool_limits(limits=1), parallel_config(backend="sequential"):
        scores = [getattr(model, method)(features.iloc[block]) for block in places.reshape(-1, BLOCK)]
    result: np.ndarray = np.concatenate(scores)[: len(features)]
    return result


def _differing(names: Iterable[str], others: Iterable[str]) -> list[str]:
    known = set(others)
    return [name for name in names if name not in known] or list(names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "spec", "table", "predictions"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    spec = read_spec(args.spec)
    table = read_table(args.table, [feature["name"] for feature in spec["features"]])
    result = predict(load_model(args.model), spec, table)
    write_table(result, args.predictions)
    print(f"{len(result)} predictions to {args.predictions}")


if __name__ == "__main__":
    run(main)
