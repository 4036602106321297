"""Projects that start from real tables of different kinds, and from a wild one, are trained as they were generated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML
from sklearn import datasets

from tests.conftest import ROOT, Generate, Generated
from tests.wild import HEADER, ROWS, write_wild

DATA = ROOT / "tests/data"
Pipeline = Callable[[Path, Path, Path], Path]
Train = Callable[..., dict[str, float]]


@pytest.fixture
def train(generate: Generate, pipeline: Pipeline, tmp_path: Path) -> Train:
    """Generate a project from a table, run its stages, and return the metrics."""

    def generate_and_train(path: Path, target: str, **answers: str) -> dict[str, float]:
        made = generate(data_csv=str(path), target=target, **answers)
        (raw,) = (file for file in (made.project / "data/raw").iterdir() if file.suffix in (".csv", ".parquet"))
        assert raw.read_bytes() == path.read_bytes()
        pipeline(raw, made.project / "params.yaml", tmp_path / "trained")
        return json.loads((tmp_path / "trained/reports/metrics.json").read_text())

    return generate_and_train


def params(folder: Path) -> Any:
    return YAML(typ="safe").load(folder / "work/customer-churn/params.yaml")


def from_sklearn(load: Callable[..., Any], folder: Path, suffix: str = ".csv") -> Path:
    """Write a table of scikit-learn's, with the names of the classes."""
    bunch = load(as_frame=True)
    frame = bunch.frame
    if "target_names" in bunch:
        frame["target"] = frame["target"].map(lambda number: str(bunch.target_names[number]))
    path = folder / f"table{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return path


def test_two_classes(train: Train, tmp_path: Path) -> None:
    metrics = train(from_sklearn(datasets.load_breast_cancer, tmp_path), "target")
    assert metrics["roc_auc"] > 0.97 and metrics["rows"] == 114
    found = params(tmp_path)
    assert (found["data"]["task"], len(found["features"]["numeric"]), found["features"]["categorical"]) == (
        "classification",
        30,
        [],
    )


@pytest.mark.parametrize(("load", "least"), [(datasets.load_wine, 0.9), (datasets.load_digits, 0.9)])
def test_many_classes(load: Callable[..., Any], least: float, train: Train, tmp_path: Path) -> None:
    """Of the digits some corners are always white: constant columns."""
    assert train(from_sklearn(load, tmp_path), "target")["accuracy"] > least
    assert params(tmp_path)["data"]["task"] == "classification"


def test_numbers(train: Train, tmp_path: Path) -> None:
    assert train(from_sklearn(datasets.load_diabetes, tmp_path), "target")["r2"] > 0.3
    assert params(tmp_path)["data"]["task"] == "regression"


def test_text_dates_ids_and_constants(train: Train, tmp_path: Path) -> None:
    assert train(DATA / "penguins-raw.csv", "Species")["accuracy"] > 0.9
    features = params(tmp_path)["features"]
    assert features["dates"] == {"Date Egg": "%Y-%m-%d"}
    assert {"studyName", "Island", "Sex"} <= set(features["categorical"])
    assert {"Culmen Length (mm)", "Body Mass (g)", "Delta 15 N (o/oo)"} <= set(features["numeric"])
    text = (tmp_path / "work/customer-churn/params.yaml").read_text("utf-8")
    for left_out in ("Region (the same in every row)", "Individual ID (text with more than 50 different values)"):
        assert f"  # left out: {left_out}\n" in text


def test_a_quantity_beside_text_and_dates(train: Train, tmp_path: Path) -> None:
    assert train(DATA / "penguins-raw.csv", "Body Mass (g)")["r2"] > 0.7


def test_dates_with_strokes(train: Train, tmp_path: Path) -> None:
    metrics = train(DATA / "seattle-weather.csv", "weather")
    assert metrics["accuracy"] > 0.65, "a day is rainy or sunny with 0.44 each"
    assert params(tmp_path)["features"]["dates"] == {"date": "%Y/%m/%d"}


def test_parquet_gives_the_model_that_a_csv_gives(generate: Generate, pipeline: Pipeline, tmp_path: Path) -> None:
    frame = pd.read_csv(DATA / "penguins-raw.csv", na_values="NA")
    frame["Date Egg"] = pd.to_datetime(frame["Date Egg"])
    frame["Big"] = frame["Body Mass (g)"] > 4200
    frame["Short"] = frame["Culmen Depth (mm)"].astype("float32") / 3
    frame["Stage"] = frame["Island"].astype("category")
    frame["Pair"] = [[1, 2]] * len(frame)
    frame.drop(columns="Pair").to_csv(tmp_path / "birds.csv", index=False)
    frame.to_parquet(tmp_path / "birds.parquet")
    made = {}
    for suffix in ("csv", "parquet"):
        run = generate(tmp_path / suffix, data_csv=str(tmp_path / f"birds.{suffix}"), target="Species", project_name="birds")
        pipeline(run.project / f"data/raw/birds.{suffix}", run.project / "params.yaml", tmp_path / f"trained-{suffix}")
        made[suffix] = run
    found = {suffix: YAML(typ="safe").load(run.project / "params.yaml") for suffix, run in made.items()}
    assert found["csv"]["features"] == found["parquet"]["features"]
    assert {"Big", "Stage"} <= set(found["csv"]["features"]["categorical"])
    for file in ("data/prepared/train.csv", "models/churn.skops", "models/churn.features.json", "reports/metrics.json"):
        assert (tmp_path / "trained-csv" / file).read_bytes() == (tmp_path / "trained-parquet" / file).read_bytes()
    assert_parquet_project(made["parquet"])
    assert "pyarrow" not in (made["csv"].project / "requirements.lock").read_text()
    assert "pyarrow" not in (made["csv"].project / "pyproject.toml").read_text()


def assert_parquet_project(made: Generated) -> None:
    assert "  left out: Pair (nested: list<element: int64>)\n" in made.output
    assert "\npyarrow==" in (made.project / "requirements.lock").read_text()
    assert '    "pyarrow",' in (made.project / "pyproject.toml").read_text()
    assert made.git("ls-files", "requirements*").splitlines() == ["requirements-dev.lock", "requirements.lock"]
    assert "data/raw/birds.parquet" in (made.project / "dvc.yaml").read_text()


def test_a_thousand_columns(train: Train, tmp_path: Path) -> None:
    bunch = datasets.make_classification(300, 1000, n_informative=20, class_sep=2, random_state=1)
    frame = pd.DataFrame(bunch[0], columns=[f"measure {number}" for number in range(1000)]).round(4)
    frame = frame.assign(**{f"empty {number}": "" for number in range(100)}, y=bunch[1])
    frame.to_csv(tmp_path / "wide.csv", index=False)
    assert train(tmp_path / "wide.csv", "y")["accuracy"] > 0.6
    text = (tmp_path / "work/customer-churn/params.yaml").read_text("utf-8")
    assert "  # left out: empty 0, empty 1, empty 2, empty 3, empty 4 and 95 more (empty)\n" in text
    assert params(tmp_path)["split"]["max_rows"] == 50_000, "what a small machine can hold"


def test_the_wild_table(train: Train, run: Callable[..., None], modules: Any, tmp_path: Path) -> None:
    wild = write_wild(tmp_path / "Wild & Söhne (2).csv")
    assert train(wild, "Klasse")["accuracy"] > 0.75
    features = params(tmp_path)["features"]
    assert features == {
        "decimal": ",",
        "numeric": ["null", "1e3", "2020", "Größe, m²", "Umsatz: €", "riesig", "größter"],
        "categorical": ["yes", "Stadt", 'it\'s "ja"'],
        "dates": {"seit": "%d.%m.%Y", "zuletzt": "iso"},
    }
    text = (tmp_path / "work/customer-churn/params.yaml").read_text("utf-8")
    for name in ("(no name)", "Kunden-ID", "#Notiz", "gemischt", "Tag/Monat", "leer", "Land"):
        assert f"  # left out: {name} (" in text
    assert len(HEADER) == 20
    models = tmp_path / "trained/models"
    run("predict", models / "churn.skops", models / "churn.features.json", wild, tmp_path / "predictions.csv")
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert len(predictions) == ROWS and set(predictions["prediction"]) <= {"gekündigt", 'bleibt, "gern"', "einmalig"}
    prepared = pd.read_csv(tmp_path / "trained/data/prepared/train.csv")
    assert len(prepared) == 239 and set(prepared["Stadt"]) >= {"München\nOst", "東京"}
    assert prepared["riesig"].abs().max() == 5, "1e308 stands for a missing number"
