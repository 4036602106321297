"""Clean the raw table and split it into a train and a test part."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from sklearn.model_selection import train_test_split

MISSING = {"", "NA", "N/A", "NaN", "nan", "NULL", "null"}


class DataError(ValueError):
    """A fault in what the pipeline was given: parameters, a table or a model file."""


def read_params(path: Path, *keys: str) -> list[Any]:
    """Return the values of dotted keys such as `split.test_size`.

    Raises DataError for a key that the file does not have.
    """
    # YAML 1.2, which DVC reads too: for PyYAML `1e-3` is a string.
    document = YAML(typ="safe").load(path)
    values = []
    for key in keys:
        value = document
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                raise DataError(f"{path} has no {key!r}")
            value = value[part]
        values.append(value)
    return values


def read_columns(path: Path) -> tuple[str, str, list[str], list[str]]:
    """Return target, task, numeric and categorical features, as params.yaml names them."""
    keys = ("data.target", "data.task", "features.numeric", "features.categorical")
    target, task, numeric, categorical = read_params(path, *keys)
    # For YAML a column named 2020 is a number, and a list without entries is nothing.
    return str(target), str(task), [str(name) for name in numeric or []], [str(name) for name in categorical or []]


def read_table(path: Path) -> pd.DataFrame:
    """Return a CSV file with text in every column, so that `007` keeps its zeros.

    Raises DataError for a file that is no such table.
    """
    try:
        # index_col: else one comma too many in each row makes the first column an index, and shifts all others.
        return pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path} cannot be read as a table: {error}") from error


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV with the same bytes on every platform; floats keep every digit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def as_text(column: pd.Series) -> pd.Series:
    """Return stripped text, None where missing; `1`, `1.0` from a typed table and "1" from a CSV are the same."""
    return _convert(column, _text)


def as_numbers(column: pd.Series) -> pd.Series:
    """Return float64, NaN where the value is missing, infinite or no number."""
    return _convert(column, _number).astype("float64")


def _convert(column: pd.Series, convert: Callable[[Any], Any]) -> pd.Series:
    codes, unique = pd.factorize(column)  # each distinct value once; missing values have the code -1
    converted = np.array([*map(convert, unique), convert(None)], dtype=object)
    return pd.Series(converted[codes], index=column.index, name=column.name, dtype=object)


def _text(value: Any) -> str | None:
    if isinstance(value, (float, np.floating)) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value).strip()
    return None if text in MISSING else text


def _number(value: Any) -> float:
    try:
        number = float(value)  # exact, unlike pandas.to_numeric: written and read again it is the same number
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def clean(raw: pd.DataFrame, target: str, task: str, numeric: list[str], categorical: list[str]) -> pd.DataFrame:
    """Return features and target, one row for each raw row that has a label.

    Raises DataError for an unknown column or task, a target among the features, or a column without any usable value.
    """
    features = [*numeric, *categorical]
    if task not in ("classification", "regression"):
        raise DataError(f"data.task is {task!r}, not 'classification' or 'regression'")
    if unknown := [name for name in [*features, target] if name not in raw.columns]:
        raise DataError(f"the table has no column {unknown}; it has {list(raw.columns)}")
    if not features or target in features or len(set(features)) < len(features):
        raise DataError(f"features must be one or more distinct columns without the target {target!r}: {features}")
    numbers = [*numeric, target] if task == "regression" else numeric
    frame = pd.DataFrame({name: (as_numbers if name in numbers else as_text)(raw[name]) for name in [*features, target]})
    frame = frame[frame[target].notna()].reset_index(drop=True)
    if empty := [name for name in [*features, target] if frame[name].isna().all()]:
        raise DataError(f"no usable value in column {empty}: is it in the right list of features?")
    return frame


def split(frame: pd.DataFrame, target: str, task: str, test_size: float, seed: int) -> list[pd.DataFrame]:
    """Return the train and the test rows in the table's order; the classes of a classification in equal shares.

    A class with a single row can't be shared and stays in train. Raises DataError where a part would be too small.
    """
    counts = frame[target].map(frame[target].value_counts())
    shared = frame[counts > 1] if task == "classification" else frame
    classes = shared[target].nunique() if task == "classification" else 1
    if task == "classification" and frame[target].nunique() < 2:
        raise DataError(f"the target {target!r} has one class only, {frame[target].iloc[0]!r}: nothing to learn")
    test_rows = max(math.ceil(len(frame) * test_size), classes)
    if not 0 < test_size < 1 or len(shared) - test_rows < classes:
        raise DataError(f"split.test_size {test_size} of {len(frame)} rows leaves too few in train or test")
    stratify = shared[target] if task == "classification" else None
    _, test = train_test_split(shared.index, test_size=test_rows, random_state=seed, stratify=stratify)
    is_test = frame.index.isin(test)
    return [frame[~is_test], frame[is_test]]


def run(stage: Callable[[], None]) -> None:
    """Run a stage from the command line: a DataError ends it with one line instead of a traceback."""
    try:
        stage()
    except DataError as error:
        raise SystemExit(f"error: {error}") from error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("raw", "params", "train", "test"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    target, task, numeric, categorical = read_columns(args.params)
    test_size, seed = read_params(args.params, "split.test_size", "seed")
    frame = clean(read_table(args.raw), target, task, numeric, categorical)
    train, test = split(frame, target, task, test_size, seed)
    write_table(train, args.train)
    write_table(test, args.test)
    print(f"{len(train)} rows to {args.train}, {len(test)} rows to {args.test}")


if __name__ == "__main__":
    run(main)
