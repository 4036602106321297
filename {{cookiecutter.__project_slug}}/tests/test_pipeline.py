"""What holds for any model and any features, on some rows of the project's own table; a starting point for tests of your own."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from src.{{ cookiecutter.__package }}.featurize import FeatureSpec, learn_spec, transform
from src.{{ cookiecutter.__package }}.predict import load_model, predict
from src.{{ cookiecutter.__package }}.prepare import DataError, read_columns, read_params, read_table
from src.{{ cookiecutter.__package }}.train import fit, save_model

ROOT = Path(__file__).parents[1]
PARAMS = ROOT / "params.yaml"
TABLE = ROOT / "data" / "prepared" / "train.csv"


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Up to a thousand rows to learn from; of a classification, some of each class."""
    if not TABLE.exists():
        pytest.skip("no prepared table here: dvc pull, or dvc repro")
    table = read_table(TABLE)
    target, task, *_ = read_columns(PARAMS)
    return (table.groupby(target).head(200) if task == "classification" else table).head(1000).reset_index(drop=True)


@pytest.fixture(scope="module")
def spec(rows: pd.DataFrame) -> FeatureSpec:
    return learn_spec(rows, *read_columns(PARAMS))


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame, spec: FeatureSpec) -> Any:
    return train(rows, spec)


def train(rows: pd.DataFrame, spec: FeatureSpec) -> Any:
    params, seed = read_params(PARAMS, "train", "seed")
    return fit(rows, spec, params or {}, seed)


def test_a_prediction_needs_the_inputs_only_in_any_order(rows: pd.DataFrame, spec: FeatureSpec) -> None:
    inputs = [feature["name"] for feature in spec["features"]]
    pd.testing.assert_frame_equal(transform(rows[inputs[::-1]].assign(other=""), spec), transform(rows, spec))
    with pytest.raises(DataError, match="the table has no column"):
        transform(rows.drop(columns=inputs[0]), spec)


def test_features_stay_the_same_when_they_are_written_and_read(rows: pd.DataFrame, spec: FeatureSpec) -> None:
    once = transform(rows, spec)
    pd.testing.assert_frame_equal(transform(once, spec), once)


def test_a_row_gets_the_same_answer_alone_as_among_others(rows: pd.DataFrame, spec: FeatureSpec, model: Any) -> None:
    together = predict(model, spec, rows)
    for place in (0, len(rows) // 2, len(rows) - 1):
        alone = predict(model, spec, rows.iloc[[place]])
        pd.testing.assert_frame_equal(alone, together.iloc[[place]].reset_index(drop=True), check_exact=True)
    assert list(predict(model, spec, rows.head(0))) == list(together)


def test_missing_and_unknown_values_are_scored(rows: pd.DataFrame, spec: FeatureSpec, model: Any) -> None:
    for feature in spec["features"]:
        frames = [rows.head(1).assign(**{feature["name"]: value}) for value in ("", "never seen before")]
        missing, unknown = (predict(model, spec, frame) for frame in frames)
        if feature["type"] in ("number", "category"):
            pd.testing.assert_frame_equal(missing, unknown)


def test_training_twice_gives_the_same_bytes(rows: pd.DataFrame, spec: FeatureSpec, model: Any, tmp_path: Path) -> None:
    for name, one in (("first.skops", model), ("second.skops", train(rows, spec))):
        save_model(one, tmp_path / name)
    assert (tmp_path / "first.skops").read_bytes() == (tmp_path / "second.skops").read_bytes()


def test_a_saved_model_gives_the_same_predictions(rows: pd.DataFrame, spec: FeatureSpec, model: Any, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model.skops")
    loaded = load_model(tmp_path / "model.skops")
    pd.testing.assert_frame_equal(predict(loaded, spec, rows), predict(model, spec, rows), check_exact=True)
