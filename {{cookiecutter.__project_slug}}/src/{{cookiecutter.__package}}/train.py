"""Train the model and save it: a safe format, and the same bytes for the same training."""

import argparse
import io
import json
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
from .prepare import read_params, read_table, run


# ---- REPLACE THE BODY WITH YOUR OWN MODEL ----------------------------------
def build_model(spec: FeatureSpec, params: dict[str, Any], seed: int) -> Pipeline:
    """Return the unfitted model; `params` is the section `train` of params.yaml.

    It is fitted on what `transform` returns. Any scikit-learn estimator will do that skops can save, whose randomness
    comes from `seed`, and that has `predict_proba` if it is a classifier.
    """
    numbers = [feature["name"] for feature in spec["features"] if feature["type"] != "category"]
    categories = {feature["name"]: feature["categories"] for feature in spec["features"] if feature.get("categories")}
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


def fit(frame: pd.DataFrame, spec: FeatureSpec, params: dict[str, Any], seed: int) -> Pipeline:
    """Return the model fitted on a table with features and target."""
    # One thread: with another number of cores BLAS sums in another order, and the model has other bytes.
    with threadpool_limits(limits=1):
        return build_model(spec, params, seed).fit(transform(frame, spec), labels(frame, spec))


def save_model(model: Any, path: Path) -> None:
    """Write a skops file that depends on the model alone, not on the time or the process that wrote it."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as saved:
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
