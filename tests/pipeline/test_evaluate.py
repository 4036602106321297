import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CLASSIFICATION = {"accuracy", "brier", "f1", "log_loss", "roc_auc", "rows"}


def test_the_sample_is_predicted_well(sample: Path) -> None:
    metrics = json.loads((sample / "reports" / "metrics.json").read_bytes())
    assert set(metrics) == CLASSIFICATION
    assert metrics["roc_auc"] >= 0.83
    assert metrics["rows"] == 1409
    assert metrics["brier"] < 0.15


def test_the_reports_agree_with_the_metrics(sample: Path) -> None:
    metrics = json.loads((sample / "reports" / "metrics.json").read_bytes())
    matrix = pd.read_csv(sample / "reports" / "confusion_matrix.csv")
    assert list(matrix.columns) == ["actual", "predicted"]
    assert (matrix["actual"] == matrix["predicted"]).mean() == pytest.approx(metrics["accuracy"], abs=1e-6)
    curve = pd.read_csv(sample / "reports" / "calibration.csv")
    assert list(curve.columns) == ["predicted", "observed", "rows"]
    assert curve["rows"].sum() == metrics["rows"]


def test_reports_have_the_same_bytes_again(sample: Path, run: Callable[..., None], tmp_path: Path) -> None:
    inputs = ("models/churn.skops", "models/churn.features.json", "data/features/test.csv")
    run("evaluate", *(sample / path for path in inputs), tmp_path)
    for path in sorted((sample / "reports").iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("classes", [2, 3])
def test_a_perfect_and_an_ignorant_model(modules: Any, classes: int) -> None:
    names = ["a", "b", "c"][:classes]
    actual = np.array(names * 4)
    perfect = np.eye(classes)[np.arange(len(actual)) % classes]
    assert modules.evaluate.classification_metrics(actual, perfect, names) == {
        "accuracy": 1.0, "brier": 0.0, "f1": 1.0, "log_loss": pytest.approx(0), "roc_auc": 1.0,
    }  # fmt: skip
    ignorant = modules.evaluate.classification_metrics(actual, np.full_like(perfect, 1 / classes), names)
    assert ignorant["roc_auc"] == 0.5
    assert ignorant["log_loss"] == pytest.approx(np.log(classes))
    assert ignorant["brier"] == pytest.approx({2: 0.25, 3: 2 / 3}[classes])


def test_a_class_that_the_test_split_lacks_leaves_the_metrics_finite(modules: Any) -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2]])
    values = modules.evaluate.classification_metrics(np.array(["a", "b", "a"]), probabilities, ["a", "b", "c"])
    assert all(np.isfinite(value) for value in values.values())
    assert values["roc_auc"] == values["f1"] == 1.0


def test_one_class_in_the_test_split_is_refused(modules: Any) -> None:
    with pytest.raises(modules.prepare.DataError, match="all test rows have the class 'a'"):
        modules.evaluate.classification_metrics(np.array(["a", "a"]), np.full((2, 2), 0.5), ["a", "b"])


def test_metrics_that_are_not_finite_are_refused(modules: Any, tmp_path: Path) -> None:
    with pytest.raises(modules.prepare.DataError, match=r"not finite: \{'r2': nan\}"):
        modules.evaluate.write_metrics({"r2": float("nan"), "rows": 1}, tmp_path / "metrics.json")


def test_metrics_are_rounded_and_sorted(modules: Any, tmp_path: Path) -> None:
    modules.evaluate.write_metrics({"rows": 3, "mae": 1 / 3}, tmp_path / "metrics.json")
    assert (tmp_path / "metrics.json").read_bytes() == b'{\n  "mae": 0.333333,\n  "rows": 3\n}\n'


def test_three_classes(pipeline: Callable[..., Path], write_params: Callable[..., Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 3, 150)
    table = pd.DataFrame({"size": kind * 2.0 + rng.normal(size=150), "colour": rng.choice(["red", "blue"], 150)})
    table.assign(kind=np.array(["10", "9", "é"])[kind]).to_csv(tmp_path / "raw.csv", index=False)
    params = write_params("classification", "kind", ["size"], ["colour"])
    reports = pipeline(tmp_path / "raw.csv", params, tmp_path) / "reports"
    metrics = json.loads((reports / "metrics.json").read_bytes())
    assert set(metrics) == CLASSIFICATION
    assert metrics["roc_auc"] > 0.8
    assert set(pd.read_csv(reports / "confusion_matrix.csv", dtype=str)["actual"]) == {"10", "9", "é"}


def test_regression(pipeline: Callable[..., Path], write_params: Callable[..., Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"area": rng.uniform(20, 200, 200), "town": rng.choice(["A", "B"], 200)})
    table["price"] = table["area"] * 3 + (table["town"] == "B") * 50 + rng.normal(size=200)
    table.to_csv(tmp_path / "raw.csv", index=False)
    reports = pipeline(tmp_path / "raw.csv", write_params("regression", "price", ["area"], ["town"]), tmp_path) / "reports"
    assert sorted(path.name for path in reports.iterdir()) == ["metrics.json", "residuals.csv", "residuals.png"]
    metrics = json.loads((reports / "metrics.json").read_bytes())
    assert set(metrics) == {"mae", "r2", "rmse", "rows"}
    assert metrics["r2"] > 0.99
    residuals = pd.read_csv(reports / "residuals.csv")
    assert list(residuals.columns) == ["actual", "predicted", "residual"]
    assert np.sqrt((residuals["residual"] ** 2).mean()) == pytest.approx(metrics["rmse"], abs=1e-6)


@pytest.fixture
def leavers(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    leaves = rng.random(400) < 0.2
    table = pd.DataFrame({"size": leaves * 1.0 + rng.normal(size=400), "left": np.where(leaves, "ja", "nein")})
    table.to_csv(tmp_path / "raw.csv", index=False)
    return tmp_path / "raw.csv"


def test_the_metrics_of_two_classes_are_about_the_positive_one(
    leavers: Path, pipeline: Callable[..., Path], write_params: Callable[..., Path], tmp_path: Path, capsys: Any
) -> None:
    params = write_params("classification", "left", ["size"], [])
    plain = params.read_text()
    found, models, said = {}, {}, {}
    for positive in ("", "ja", "nein"):
        params.write_text(plain.replace("categorical: []", f"categorical: [], positive: {positive}"))
        made = pipeline(leavers, params, tmp_path / f"trained-{positive}")
        found[positive] = json.loads((made / "reports/metrics.json").read_bytes())
        models[positive] = (made / "models/churn.skops").read_bytes()
        said[positive] = capsys.readouterr().out
        spec = json.loads((made / "models/churn.features.json").read_bytes())
        assert spec.get("positive", "") == positive
        predicted = pd.read_csv(made / "reports/confusion_matrix.csv")
        for name in filter(None, [positive]):
            hits = ((predicted["actual"] == name) & (predicted["predicted"] == name)).sum()
            f1 = 2 * hits / ((predicted["actual"] == name).sum() + (predicted["predicted"] == name).sum())
            assert found[positive]["f1"] == pytest.approx(f1, abs=1e-6)
            curve = pd.read_csv(made / "reports/calibration.csv")
            rate = (curve["observed"] * curve["rows"]).sum() / curve["rows"].sum()
            assert rate == pytest.approx((predicted["actual"] == name).mean(), abs=1e-4)
    assert found[""] == found["nein"] and models[""] == models["ja"] == models["nein"]
    assert found["ja"]["f1"] < 0.6 < found["nein"]["f1"]
    assert found["ja"]["roc_auc"] == pytest.approx(found["nein"]["roc_auc"])
    assert "the calibration are about 'ja' (features.positive)" in said["ja"]
    assert "the calibration are about 'nein' (features.positive)" in said[""]


@pytest.mark.parametrize(
    ("task", "target", "message"),
    [
        ("classification", "left", "features.positive is 'Ja', which is no class of the target 'left': write \"ja\" or \"nein\""),
        (
            "classification",
            "three",
            "features.positive is 'Ja', and the target 'three' has 3 classes: it is for two; take the line out",
        ),
        ("regression", "size", "features.positive is 'Ja', and the target 'size' is a number: it is for two; take the line out"),
    ],
)
def test_a_wrong_positive_class_is_named(
    leavers: Path, pipeline: Callable[..., Path], write_params: Callable[..., Path], modules: Any, tmp_path: Path, task: str,
    target: str, message: str,
) -> None:  # fmt: skip
    table = pd.read_csv(leavers).assign(three=["a", "b", "c", "c"] * 100, other=[1, 2] * 200)
    table.to_csv(leavers, index=False)
    params = write_params(task, target, ["other"], [])
    params.write_text(params.read_text().replace("categorical: []", "categorical: [], positive: Ja"))
    with pytest.raises(modules.prepare.DataError) as refused:
        pipeline(leavers, params, tmp_path / "trained")
    assert str(refused.value) == message
