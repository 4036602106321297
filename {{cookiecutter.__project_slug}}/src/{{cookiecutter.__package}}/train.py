"""Train the model and save it: a safe format, and the same bytes for the same training."""

import argparse
import inspect
import io
import json
import pickle
import random
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from .featurize import FeatureSpec, labels, read_spec, transform
from .prepare import DataError, read_params, read_table, run


def build_model(features: pd.DataFrame, spec: FeatureSpec, params: dict[str, Any], seed: int) -> Any:
    """Return the model, not fitted yet.

    `features` is what it will be fitted on: the columns of `spec`, then those of own_features in featurize.py; numbers as
    float64 with NaN where one is missing, everything else as text with "" where missing or unknown. `params` is the section
    `train` of params.yaml. What you return

    - has `fit` and `predict`, as scikit-learn's estimators do, and takes a table with these columns: imputing, scaling and
      encoding are parts of it (a Pipeline), or they would be missing where the model is used;
    - has `predict_proba` if spec["task"] is "classification"; the labels are text;
    - gives the same for the same seed, and for a row the same alone as among others;
    - can be saved by skops: classes of scikit-learn, no functions of your own (those are for own_features). The types that
      are more than plain data are named under TRUSTED in predict.py; a missing one is named when `dvc repro` evaluates.
    """
    # ---- REPLACE: YOUR OWN MODEL -----------------------------------------------
    numbers = list(features.select_dtypes("number"))
    learned = {feature["name"]: feature["categories"] for feature in spec["features"] if "categories" in feature}
    texts = {name: learned.get(name) or sorted(set(features[name]) - {""}) for name in features if name not in numbers}
    categories = {name: values for name, values in texts.items() if values}
    known = [np.array(values, dtype=object) for values in categories.values()]
    scale = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    encode = OneHotEncoder(categories=known, handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("numbers", scale, numbers), ("categories", encode, list(categories))])
    if spec["task"] == "classification":
        model = LogisticRegression(**params, random_state=seed)
    else:
        model = Ridge(**params, random_state=seed)
    return Pipeline([("columns", columns), ("model", model)])
    # ---- END OF REPLACE --------------------------------------------------------


def fit(frame: pd.DataFrame, spec: FeatureSpec, params: dict[str, Any], seed: int) -> Any:
    """Return the model fitted on a table with features and target.

    Raises DataError for a model that does not keep what build_model promises.
    """
    features, target = transform(frame, spec), labels(frame, spec)
    # A model that was not given the seed takes its numbers from here.
    random.seed(seed)
    np.random.seed(seed)
    # One thread: with another number of cores BLAS sums in another order, and the model has other bytes.
    with threadpool_limits(limits=1):
        model = _build(features, spec, params, seed)
        model.fit(features, target)
    classes = list(getattr(model, "classes_", []))
    if spec["classes"] and classes != spec["classes"]:
        raise DataError(f"{_named(model)} has the classes {classes}, train has {spec['classes']}: it is fitted on other labels")
    return model


def _build(features: pd.DataFrame, spec: FeatureSpec, params: dict[str, Any], seed: int) -> Any:
    try:
        model = build_model(features, spec, params, seed)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise DataError(
            f"{error}: the section train of params.yaml holds arguments of the model in train.py{_arguments(error)}"
        ) from error
    wanted = ["fit", "predict", *(["predict_proba"] if spec["task"] == "classification" else [])]
    if isinstance(model, type) or not all(hasattr(model, name) for name in wanted[:2]):
        raise DataError(f"build_model in train.py returns {model!r}: an estimator with fit and predict")
    if not hasattr(model, wanted[-1]):
        raise DataError(
            f"{_named(model)} has no predict_proba: build_model in train.py returns a classifier that gives probabilities, as "
            "CalibratedClassifierCV(model, ensemble=False) does around any other"
        )
    return model


def _arguments(error: TypeError) -> str:
    """Return what the class that refused an argument takes, where its name leads to it."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    name = str(error).partition(".")[0].partition("(")[0]
    known = {**trace.tb_frame.f_globals, **trace.tb_frame.f_locals} if trace else {}
    if not isinstance(known.get(name), type):
        return ""
    return f"; {name} takes {', '.join(inspect.signature(known[name]).parameters)}"


def _named(model: Any) -> str:
    """Return the class of an estimator, of a pipeline that of its last step."""
    return type(model.steps[-1][1] if isinstance(model, Pipeline) else model).__name__


def save_model(model: Any, path: Path) -> None:
    """Write a skops file that depends on the model alone, not on the time or the process that wrote it.

    Raises DataError for a model that holds something which could not be loaded again.
    """
    content = _dump(model)
    with zipfile.ZipFile(io.BytesIO(content)) as saved:
        members = {name: saved.read(name) for name in saved.namelist()}
    schema = json.loads(members["schema.json"])
    # skops names objects and members by memory address or at random: number them as they appear. Equal addresses
    # get equal numbers, since they say which objects are one.
    numbers: dict[Any, int] = {}
    renamed: dict[str, bytes] = {}
    for node in _nodes(schema):
        if node["__loader__"] == "JsonNode":
            node.pop("__id__", None)  # whether two equal strings are one object is the interpreter's affair
        elif "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        for key in ("file", "content"):
            old = node.get(key)
            if isinstance(old, str) and old in members:
                suffix = Path(old).suffix
                node[key] = f"{numbers.setdefault(old, len(numbers) + 1)}{suffix}"
                renamed[node[key]] = _same_zip(members[old]) if suffix == ".npz" else members[old]
    renamed["schema.json"] = json.dumps(schema, separators=(",", ":")).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_zip(renamed))


def _dump(model: Any) -> bytes:
    """Return what skops writes, once it was read again: by this process, which made it and so trusts it."""
    try:
        content: bytes = skops.io.dumps(model)
        types = skops.io.get_untrusted_types(data=content)
        if own := [name for name in types if name.startswith("__main__.")]:
            raise AttributeError(f"no other program finds {', '.join(own)}")
        skops.io.loads(content, trusted=types)
    except (AttributeError, ImportError, NotImplementedError, TypeError, ValueError, pickle.PicklingError) as error:
        raise DataError(
            f"skops cannot save {_named(model)} so that it can be loaded again: {' '.join(str(error).split())}. What a function "
            "of your own computes belongs into own_features in featurize.py"
        ) from error
    return content


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a skops schema in their order, and set the order of sets, which is the hash seed's."""
    if isinstance(value, dict):
        if "__loader__" in value:
            yield value
            if value["__loader__"] == "SetNode":
                value["content"].sort(key=lambda node: re.sub(r'"__id__": \d+', "", json.dumps(node)))
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _same_zip(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _zip({name: archive.read(name) for name in archive.namelist()})


def _zip(members: dict[str, bytes]) -> bytes:
    """Return an archive without dates, and stored: compressed bytes would be those of one zlib version."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3  # else the operating system's
            archive.writestr(entry, content)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("params", "spec", "train", "model"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    params, seed = read_params(args.params, "train", "seed")
    table = read_table(args.train)
    save_model(fit(table, read_spec(args.spec), params or {}, seed), args.model)
    print(f"trained on {len(table)} rows, saved as {args.model}")


if __name__ == "__main__":
    run(main)
