"""The pipeline on a table of forty rows; a starting point for tests of your own data and model."""

from pathlib import Path

import pandas as pd
import pytest

from src.{{ cookiecutter.__package }}.featurize import FeatureSpec, learn_spec, transform
from src.{{ cookiecutter.__package }}.predict import load_model, predict
from src.{{ cookiecutter.__package }}.prepare import DataError, clean, split
from src.{{ cookiecutter.__package }}.train import fit, save_model

RAW = pd.DataFrame(
    {
        "id": [f"c{i}" for i in range(40)],
        "age": [str(20 + i) for i in range(38)] + [" ", "unknown"],
        "plan": ["basic", "full"] * 20,
        "left": ["no", "no", "yes", "yes"] * 10,
    }
)


@pytest.fixture
def train() -> pd.DataFrame:
    frame = clean(RAW, "left", "classification", ["age"], ["plan"])
    train, test = split(frame, "left", "classification", test_size=0.25, seed=1)
    assert (len(train), len(test)) == (30, 10)
    return train


@pytest.fixture
def spec(train: pd.DataFrame) -> FeatureSpec:
    return learn_spec(train, "left", "classification", ["age"], ["plan"])


def test_a_prediction_needs_the_feature_columns_only(spec: FeatureSpec) -> None:
    shaped = transform(RAW, spec)
    assert list(shaped.columns) == ["age", "plan"]
    assert shaped["age"].isna().sum() == 2
    with pytest.raises(DataError, match="plan"):
        transform(RAW.drop(columns="plan"), spec)


def test_an_unknown_category_is_scored_as_a_missing_one(train: pd.DataFrame, spec: FeatureSpec) -> None:
    model = fit(train, spec, {}, seed=1)
    result = predict(model, spec, pd.DataFrame({"age": ["30", "30"], "plan": ["new", ""]}))
    assert result.loc[0].equals(result.loc[1].rename(0))


def test_training_twice_gives_the_same_bytes(train: pd.DataFrame, spec: FeatureSpec, tmp_path: Path) -> None:
    for name in ("first.skops", "second.skops"):
        save_model(fit(train, spec, {}, seed=1), tmp_path / name)
    assert (tmp_path / "first.skops").read_bytes() == (tmp_path / "second.skops").read_bytes()


def test_a_saved_model_gives_the_same_predictions(train: pd.DataFrame, spec: FeatureSpec, tmp_path: Path) -> None:
    model = fit(train, spec, {}, seed=1)
    save_model(model, tmp_path / "model.skops")
    expected = predict(model, spec, RAW)
    pd.testing.assert_frame_equal(predict(load_model(tmp_path / "model.skops"), spec, RAW), expected)
    assert list(expected.columns) == ["prediction", "probability_no", "probability_yes"]
