"""Score a table with a saved model."""

import argparse
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from threadpoolctl import threadpool_limits

from .featurize import FeatureSpec, read_spec, transform
from .prepare import DataError, read_table, run, write_table

# Loading a model file may call the types it names. skops knows the harmless ones; those that your model needs besides
# are added here once you know why they are not among them. For forests and boosted trees that is
# "sklearn.tree._tree.Tree": a forged file with it can crash the process or read its memory, but run nothing.
TRUSTED = ("numpy.dtype",)


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
        with threadpool_limits(limits=1):
            return pd.DataFrame({"prediction": model.predict(features)})
    if list(model.classes_) != classes:
        raise DataError(f"the model predicts {list(model.classes_)}, the feature specification says {classes}")
    with threadpool_limits(limits=1):
        probabilities = model.predict_proba(features)
    result = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in classes])
    result.insert(0, "prediction", np.array(classes, dtype=object)[probabilities.argmax(axis=1)])
    return result


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
