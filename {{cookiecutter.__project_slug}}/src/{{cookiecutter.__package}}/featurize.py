"""Learn the feature specification from the train split, and shape tables by it."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

import numpy as np
import pandas as pd

from .prepare import DataError, as_dates, as_numbers, as_text, read_columns, read_table, run, write_table

SCHEMA_VERSION = 1


class Feature(TypedDict):
    name: str
    type: Literal["number", "category", "date"]
    categories: NotRequired[list[str]]  # sorted, as seen in train
    decimal: NotRequired[str]  # the mark in texts that hold a number, where it is no point
    format: NotRequired[str]  # of a date; the model gets the days since 1970-01-01


class FeatureSpec(TypedDict):
    """What a model takes and gives; written beside it, and all that `predict` needs to know."""

    schema_version: int
    task: str  # classification | regression
    target: str
    classes: list[str]  # sorted; of two classes the last is the positive one; empty for a regression
    features: list[Feature]


def learn_spec(
    train: pd.DataFrame,
    target: str,
    task: str,
    numeric: list[str],
    categorical: list[str],
    dates: Mapping[str, str] | None = None,
    decimal: str = ".",
) -> FeatureSpec:
    """Return the specification of the train split; the test split must not teach it anything."""
    features: list[Feature] = [{"name": name, "type": "number"} for name in numeric]
    if decimal != ".":
        features = [{**feature, "decimal": decimal} for feature in features]
    features += [{"name": name, "type": "category", "categories": _values(train[name])} for name in categorical]
    features += [{"name": name, "type": "date", "format": form} for name, form in (dates or {}).items()]
    classes = _values(train[target]) if task == "classification" else []
    return {
        "schema_version": SCHEMA_VERSION,
        "task": task,
        "target": target,
        "classes": classes,
        "features": features,
    }


def _values(column: pd.Series) -> list[str]:
    return sorted(as_text(column).dropna().unique())


def transform(frame: pd.DataFrame, spec: FeatureSpec) -> pd.DataFrame:
    """Return the features in the specification's order: numbers and dates as float64, categories as text.

    Missing and unparsable numbers and dates become NaN; missing and unknown categories become "". Other columns are ignored, so
    a result can be transformed again and stays the same. Raises DataError for columns that are not there.
    """
    if absent := [feature["name"] for feature in spec["features"] if feature["name"] not in frame.columns]:
        raise DataError(f"the table has no column {absent}; the model needs them, values may be missing")
    return pd.DataFrame({feature["name"]: _shape(frame[feature["name"]], feature) for feature in spec["features"]})


def _shape(column: pd.Series, feature: Feature) -> pd.Series:
    if feature["type"] == "number":
        return as_numbers(column, feature.get("decimal", "."))
    if feature["type"] == "date":
        return as_dates(column, feature["format"])
    text = as_text(column)
    return text.where(text.isin(feature["categories"]), "")


def labels(frame: pd.DataFrame, spec: FeatureSpec) -> np.ndarray:
    """Return the target of each row: text for a classification, float64 for a regression.

    Raises DataError where a row has none, or a class that the train split did not have.
    """
    if spec["target"] not in frame.columns:
        raise DataError(f"the table has no column {spec['target']!r}, the target")
    column = frame[spec["target"]]
    values = as_text(column) if spec["task"] == "classification" else as_numbers(column)
    good = values.isin(spec["classes"]) if spec["task"] == "classification" else values.notna()
    if not good.all():
        raise DataError(f"the target {spec['target']!r} has unknown values: {sorted(set(column[~good].map(str)))[:5]}")
    result: np.ndarray = values.to_numpy(dtype=str if spec["task"] == "classification" else float)
    return result


def write_spec(spec: FeatureSpec, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(spec, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def read_spec(path: Path) -> FeatureSpec:
    """Return a written specification. Raises DataError for a file of another form."""
    try:
        spec: FeatureSpec = json.loads(path.read_text(encoding="utf-8"))
        version = spec["schema_version"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is no feature specification: {error!r}") from error
    if version != SCHEMA_VERSION:
        raise DataError(f"{path} has schema_version {version!r}, this code reads {SCHEMA_VERSION}")
    return spec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("params", "train", "test", "spec", "train_features", "test_features"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    spec = learn_spec(read_table(args.train), *read_columns(args.params))
    for source, shaped in ((args.train, args.train_features), (args.test, args.test_features)):
        table = read_table(source)
        write_table(transform(table, spec).assign(**{spec["target"]: labels(table, spec)}), shaped)
    write_spec(spec, args.spec)
    print(f"{len(spec['features'])} features to {args.spec}")


if __name__ == "__main__":
    run(main)
