"""Learn the feature specification from the train split, and shape tables by it: in training and for predictions alike."""

import argparse
import json
import sys
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Literal, NotRequired, TypedDict

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from .prepare import DataError, as_dates, as_numbers, as_text, read_columns, read_table, run, write_table

SCHEMA_VERSION = 1
ROWS_TRIED = 20_000  # of a larger table, in halves: does own_features give them what it gives them in the whole?

# Columns under `features: categorical` that hold sentences: their text is passed on as it is, not compared with the values
# that train has. The model in train.py has to make something of them (TfidfVectorizer, HashingVectorizer).
# ---- REPLACE: FREE TEXT ----------------------------------------------------
FREE_TEXT: tuple[str, ...] = ()
# ---- END OF REPLACE --------------------------------------------------------


class Feature(TypedDict):
    name: str
    type: Literal["number", "category", "text", "date"]
    categories: NotRequired[list[str]]  # sorted, as seen in train
    decimal: NotRequired[str]  # the mark in texts that hold a number, where it is no point
    format: NotRequired[str]  # of a date; the model gets the days since 1970-01-01


class Derived(TypedDict):
    name: str
    type: Literal["number", "text"]


class FeatureSpec(TypedDict):
    """What a model takes and gives; written beside it, and all that `predict` needs to know."""

    schema_version: int
    task: str  # classification | regression
    target: str
    classes: list[str]  # sorted; empty for a regression
    positive: NotRequired[str]  # of two classes, the one that f1, roc_auc, brier and the calibration are about; else the last
    features: list[Feature]
    derived: NotRequired[list[Derived]]  # what own_features adds to them


def own_features(inputs: pd.DataFrame) -> pd.DataFrame:
    """Return columns to add to the inputs, for the model to learn from; as it stands, none.

    `inputs` has a row for each row of the table, and the columns that params.yaml names: numbers as float64 (NaN where
    missing), everything else as text ("" where missing). What you return has

    - the same rows in the same order (the same index), and the new columns only, with names that no input has;
    - numbers or text; infinite numbers count as missing;
    - in each row what follows from that row of the inputs alone: one row must give the same alone as among others. What is
      learned from many rows (a mean, a rank, a vocabulary) belongs into the model, see build_model in train.py.

    Training, evaluation and predictions all come through here, so they cannot differ. A broken promise is named when `dvc repro`
    runs: it tries single rows, and halves of the table backwards. A model that was trained with other columns than these is
    refused when it is used.
    """
    # ---- REPLACE: YOUR OWN FEATURES --------------------------------------------
    return pd.DataFrame(index=inputs.index)
    # ---- END OF REPLACE --------------------------------------------------------


def learn_spec(
    train: pd.DataFrame,
    target: str,
    task: str,
    numeric: list[str],
    categorical: list[str],
    dates: Mapping[str, str] | None = None,
    decimal: str = ".",
    positive: str | None = None,
) -> FeatureSpec:
    """Return the specification of the train split; the test split must not teach it anything.

    Raises DataError for a positive class where there are not two, or not this one.
    """
    features: list[Feature] = [{"name": name, "type": "number"} for name in numeric]
    if decimal != ".":
        features = [{**feature, "decimal": decimal} for feature in features]
    for name in categorical:
        if name in FREE_TEXT:
            features.append({"name": name, "type": "text"})
        else:
            features.append({"name": name, "type": "category", "categories": _values(train[name])})
    features += [{"name": name, "type": "date", "format": form} for name, form in (dates or {}).items()]
    classes = _values(train[target]) if task == "classification" else []
    spec: FeatureSpec = {
        "schema_version": SCHEMA_VERSION,
        "task": task,
        "target": target,
        "classes": classes,
        "features": features,
    }
    if positive is not None:
        spec["positive"] = _checked_positive(positive, spec)
    if derived := _learn_derived(_inputs(train, spec), target):
        spec["derived"] = derived
    return spec


def _checked_positive(positive: str, spec: FeatureSpec) -> str:
    classes, target = spec["classes"], spec["target"]
    if len(classes) != 2:
        found = f"has {len(classes)} classes" if classes else "is a number"
        raise DataError(f"features.positive is {positive!r}, and the target {target!r} {found}: it is for two; take the line out")
    if positive not in classes:
        written = " or ".join(json.dumps(name, ensure_ascii=False) for name in classes)
        raise DataError(f"features.positive is {positive!r}, which is no class of the target {target!r}: write {written}")
    return positive


def _learn_derived(inputs: pd.DataFrame, target: str) -> list[Derived]:
    """Return names and types of what own_features adds. Raises DataError where it breaks a promise."""
    added = _add(inputs)
    known = {*inputs.columns, target}
    if wrong := [name for name in added if not isinstance(name, str) or name in known or list(added.columns).count(name) > 1]:
        raise DataError(f"own_features in featurize.py returns {wrong}: new columns only, each with a name of its own")
    derived: list[Derived] = [
        {"name": str(name), "type": "number" if is_numeric_dtype(column) else "text"} for name, column in added.items()
    ]
    if derived:
        _try_elsewhere(inputs, _shape_derived(added, derived), derived)
    return derived


def _try_elsewhere(inputs: pd.DataFrame, together: pd.DataFrame, derived: list[Derived]) -> None:
    """Raise DataError where a row gets another value alone, among others or in another order than in the whole table."""
    anew = _imported_anew()
    trials = [([place], f"row {place + 1} is alone") for place in _telling_rows(inputs)]
    # Each half runs backwards: of two rows alike, either they part or the second comes first.
    drawn = np.random.default_rng(0).permutation(len(inputs))[:ROWS_TRIED]
    halves = (sorted(half.tolist(), reverse=True) for half in (drawn[::2], drawn[1::2]))
    trials += [(half, "half of the rows are computed without the others") for half in halves if half]
    for places, when in trials:
        part = inputs.iloc[places].reset_index(drop=True)
        try:
            apart = _shape_derived(anew._add(part), derived)
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise DataError(f"own_features in featurize.py fails when {when}: {said}") from error
        if differs := [name for name in together if not _same(apart[name], together[name].iloc[places])]:
            raise DataError(
                f"own_features in featurize.py gives {differs} another value when {when}: a prediction for one "
                "row would not be what was trained. What is learned from many rows belongs into build_model in train.py"
            )


def _imported_anew() -> ModuleType:
    """Return this module without what own_features has kept in it: what is kept of one table would be missing for another."""
    loader = SourceFileLoader(f"{__package__}.featurize_anew", __file__)
    module = ModuleType(loader.name)
    module.__dict__.update(__package__=__package__, __file__=__file__)
    sys.modules[loader.name] = module  # a dataclass looks itself up there
    loader.exec_module(module)
    return module


def _telling_rows(inputs: pd.DataFrame) -> list[int]:
    """Return up to sixty places: ten over the whole table, and from each column where it is extreme, rare or missing."""
    spread = np.linspace(0, len(inputs) - 1, num=10).astype(int)
    telling = list(dict.fromkeys(place for name in inputs for place in _telling_values(inputs[name])))
    some = np.linspace(0, len(telling) - 1, num=min(50, len(telling))).astype(int)
    return sorted({*spread.tolist(), *(telling[number] for number in some)})


def _telling_values(column: pd.Series) -> list[int]:
    """Return the first places of a column's lowest and highest number or rarest text, and of a missing value."""
    missing = (column.isna() | column.eq("")).to_numpy()
    places = [int(missing.argmax())] if missing.any() else []
    if missing.all():
        return places
    if is_numeric_dtype(column):
        return [*places, int(np.nanargmin(column)), int(np.nanargmax(column))]
    codes, _ = pd.factorize(column)
    often = np.bincount(codes)[codes]
    return [*places, int(np.where(missing, len(column) + 1, often).argmin())]


def _same(one: pd.Series, other: pd.Series) -> bool:
    if is_numeric_dtype(one):  # a sum over columns may differ in the last digit
        return bool(np.isclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True).all())
    return bool((one.to_numpy() == other.to_numpy()).all())


def _values(column: pd.Series) -> list[str]:
    return sorted(as_text(column).dropna().unique())


def transform(frame: pd.DataFrame, spec: FeatureSpec) -> pd.DataFrame:
    """Return the features in the specification's order, then those derived from them.

    Numbers and dates are float64, others text. Missing and unparsable numbers and dates become NaN, missing texts and unknown
    categories "". Other columns are ignored, so a result can be transformed again and stays the same. Raises DataError for
    columns that are not there.
    """
    inputs = _inputs(frame, spec)
    derived = spec.get("derived", [])
    return pd.concat([inputs, _shape_derived(_add(inputs), derived)], axis=1)


def _inputs(frame: pd.DataFrame, spec: FeatureSpec) -> pd.DataFrame:
    if absent := [feature["name"] for feature in spec["features"] if feature["name"] not in frame.columns]:
        raise DataError(f"the table has no column {absent}; the model needs them, values may be missing")
    return pd.DataFrame({feature["name"]: _shape(frame[feature["name"]], feature) for feature in spec["features"]})


def _add(inputs: pd.DataFrame) -> pd.DataFrame:
    """Return what own_features adds. It gets a copy: the inputs stay what they are."""
    if inputs.empty:
        return pd.DataFrame(index=inputs.index)
    try:
        added = own_features(inputs.copy())
    except KeyError as error:
        raise DataError(f"own_features in featurize.py asks for {error}, which is not among the inputs {list(inputs)}") from error
    if not isinstance(added, pd.DataFrame) or not added.index.equals(inputs.index):
        got = f"{len(added)} rows" if isinstance(added, pd.DataFrame) else type(added).__name__
        raise DataError(f"own_features in featurize.py returns {got}: a DataFrame with the index of its {len(inputs)} inputs")
    return added


def _shape_derived(added: pd.DataFrame, derived: list[Derived]) -> pd.DataFrame:
    """Return the derived columns as the specification has them; of no rows, it says what columns there are."""
    wanted = [feature["name"] for feature in derived]
    if len(added) and sorted(map(str, added.columns)) != sorted(wanted):
        raise DataError(
            f"own_features in featurize.py adds {list(added.columns)}, the model was trained with {wanted}: use the code of its "
            "release (git checkout VERSION), or train again (dvc repro)"
        )
    if not len(added):
        added = added.reindex(columns=wanted)
    kinds = {"number": as_numbers, "text": lambda column: as_text(column).fillna("")}
    return pd.DataFrame({one["name"]: kinds[one["type"]](added[one["name"]]) for one in derived}, index=added.index)


def _shape(column: pd.Series, feature: Feature) -> pd.Series:
    if feature["type"] == "number":
        return as_numbers(column, feature.get("decimal", "."))
    if feature["type"] == "date":
        return as_dates(column, feature["format"])
    text = as_text(column).fillna("")
    return text if feature["type"] == "text" else text.where(text.isin(feature["categories"]), "")


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
    if lacking := sorted(FeatureSpec.__required_keys__ - spec.keys()):  # a sidecar has a schema_version too
        raise DataError(f"{path} is no feature specification: it has no {', '.join(lacking)}")
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
