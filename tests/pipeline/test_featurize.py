import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

TRAIN = pd.DataFrame({"plan": ["full", "basic", None, "full"], "age": [30.0, None, 50.0, 20.0], "y": ["no", "yes"] * 2})


@pytest.fixture
def spec(modules: Any) -> Any:
    return modules.featurize.learn_spec(TRAIN, "y", "classification", ["age"], ["plan"])


def test_the_specification_has_names_types_categories_and_classes(spec: Any) -> None:
    assert spec == {
        "schema_version": 1,
        "task": "classification",
        "target": "y",
        "classes": ["no", "yes"],
        "features": [
            {"name": "age", "type": "number"},
            {"name": "plan", "type": "category", "categories": ["basic", "full"]},
        ],
    }


def test_the_specification_is_learned_from_train_only(sample: Path, modules: Any) -> None:
    """Rows that only the test split has must not reach it: neither a category nor a class."""
    spec = modules.featurize.read_spec(sample / "models" / "churn.features.json")
    train = modules.prepare.read_table(sample / "data" / "prepared" / "train.csv")
    for feature in spec["features"]:
        if feature["type"] == "category":
            assert feature["categories"] == sorted(set(train[feature["name"]]) - {""})


def test_transform_orders_columns_and_ignores_others(modules: Any, spec: Any) -> None:
    frame = pd.DataFrame({"other": ["x"], "plan": [" full "], "age": ["41"]})
    assert modules.featurize.transform(frame, spec).to_dict("list") == {"age": [41.0], "plan": ["full"]}


def test_unknown_and_missing_values_are_told_apart_from_known_ones_only(modules: Any, spec: Any) -> None:
    frame = pd.DataFrame({"plan": ["new", "", None, "NA"], "age": ["old", "", None, "inf"]})
    shaped = modules.featurize.transform(frame, spec)
    assert shaped["plan"].tolist() == [""] * 4
    assert shaped["age"].isna().all()
    assert shaped["age"].dtype == "float64"


def test_transforming_twice_changes_nothing(modules: Any, spec: Any) -> None:
    once = modules.featurize.transform(TRAIN, spec)
    pd.testing.assert_frame_equal(modules.featurize.transform(once, spec), once)


def test_missing_columns_are_all_named(modules: Any, spec: Any) -> None:
    with pytest.raises(modules.prepare.DataError, match=r"no column \['age', 'plan'\]"):
        modules.featurize.transform(pd.DataFrame({"y": ["no"]}), spec)


def test_a_class_that_train_did_not_have_is_refused(modules: Any, spec: Any) -> None:
    with pytest.raises(modules.prepare.DataError, match=r"unknown values: \['maybe'\]"):
        modules.featurize.labels(pd.DataFrame({"y": ["no", "maybe"]}), spec)


def test_a_written_specification_is_read_again(modules: Any, spec: Any, tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    modules.featurize.write_spec(spec, path)
    assert modules.featurize.read_spec(path) == spec
    path.write_text(json.dumps({**spec, "schema_version": 2}))
    with pytest.raises(modules.prepare.DataError, match="schema_version 2, this code reads 1"):
        modules.featurize.read_spec(path)
    path.write_text("[]")
    with pytest.raises(modules.prepare.DataError, match="is no feature specification"):
        modules.featurize.read_spec(path)
    path.write_text(json.dumps({"schema_version": 1, "model_name": "churn", "features": {"path": "models/churn.features.json"}}))
    with pytest.raises(modules.prepare.DataError, match="is no feature specification: it has no classes, target, task"):
        modules.featurize.read_spec(path)
