"""Measure the model on the test split: metrics, tables for `dvc plots` and pictures of them."""

import argparse
import json
import math
from numbers import Integral, Real
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics

from .featurize import FeatureSpec, labels, read_spec
from .predict import load_model, predict
from .prepare import DataError, read_table, run, write_table


def classification_metrics(
    actual: np.ndarray, probabilities: np.ndarray, classes: list[str], positive: str | None = None
) -> dict[str, float]:
    """Return the metrics of `probabilities`, an array of rows x classes.

    With two classes f1, roc_auc and brier are those of the positive one, else the last; with more, f1 and roc_auc are the
    mean over the classes that the test split has, each against the rest, and brier is the sum over the classes.
    """
    predicted = np.array(classes)[probabilities.argmax(axis=1)]
    truth = actual[:, None] == np.array(classes)[None, :]
    judged = [_place(classes, positive)] if len(classes) == 2 else range(len(classes))
    aucs = [metrics.roc_auc_score(truth[:, i], probabilities[:, i]) for i in judged if 0 < truth[:, i].mean() < 1]
    if not aucs:
        raise DataError(f"all test rows have the class {actual.tolist()[0]!r}: roc_auc needs a larger split.test_size")
    squares = ((probabilities - truth) ** 2).sum(axis=1).mean()
    f1 = metrics.f1_score(
        actual,
        predicted,
        labels=[classes[i] for i in judged if truth[:, i].any()],
        average="macro",
        zero_division=0,
    )
    return {
        "accuracy": float((predicted == actual).mean()),
        "brier": float(squares / 2 if len(classes) == 2 else squares),
        "f1": float(f1),
        "log_loss": float(metrics.log_loss(actual, probabilities, labels=classes)),
        "roc_auc": float(np.mean(aucs)),
    }


def regression_metrics(actual: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return rmse and mae in the unit of the target, and r2 (at most 1)."""
    return {
        "mae": float(metrics.mean_absolute_error(actual, predicted)),
        "r2": float(metrics.r2_score(actual, predicted)),
        "rmse": float(metrics.root_mean_squared_error(actual, predicted)),
    }


def own_metrics(actual: np.ndarray, predictions: pd.DataFrame, spec: FeatureSpec) -> dict[str, float]:
    """Return metrics to add to those above, by name; as it stands, none.

    `actual` has the target of each test row: text for a classification, else float64. `predictions` has a row for each of
    them in the same order, with the columns that `predict` in predict.py returns: `prediction`, and for a classification
    `probability_<class>` for each of spec["classes"]. What you return has names of its own and finite numbers; they enter
    the metrics file and the sidecar, and versioning.yaml can set a threshold for each.
    """
    # ---- REPLACE: YOUR OWN METRICS ---------------------------------------------
    return {}
    # ---- END OF REPLACE --------------------------------------------------------


def _place(classes: list[str], positive: str | None) -> int:
    """Return where the positive one of two classes stands."""
    return 1 if positive is None else classes.index(positive)


def calibration(actual: np.ndarray, probabilities: np.ndarray, classes: list[str], positive: str | None = None) -> pd.DataFrame:
    """Return `predicted` and `observed` rates and the `rows` of up to ten bins of predicted probability.

    With two classes of the positive one, else the last; with more, of whichever class was predicted.
    """
    if len(classes) == 2:
        place = _place(classes, positive)
        score, hit = probabilities[:, place], actual == classes[place]
    else:
        score, hit = probabilities.max(axis=1), actual == np.array(classes)[probabilities.argmax(axis=1)]
    bins = np.minimum((score * 10).astype(int), 9)
    table = pd.DataFrame({"predicted": score, "observed": hit.astype(float), "rows": 1})
    return table.groupby(bins).agg({"predicted": "mean", "observed": "mean", "rows": "sum"}).round(6)


def draw_confusion(actual: np.ndarray, predicted: np.ndarray, classes: list[str]) -> Figure:
    figure = Figure(figsize=(5, 5), layout="constrained")
    metrics.ConfusionMatrixDisplay.from_predictions(
        actual, predicted, labels=classes, ax=figure.subplots(), colorbar=False, xticks_rotation="vertical"
    )
    return figure


def draw_curve(table: pd.DataFrame, x: str, y: str) -> Figure:
    """Return y over x, with the diagonal on which a perfect model lies."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.axline((float(table[x].mean()), float(table[x].mean())), slope=1, color="grey", linestyle="--")
    axes.plot(table[x], table[y], "o", markersize=4)
    axes.set(xlabel=x, ylabel=y)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG with the same bytes every time: no version of matplotlib in it, no settings of the user's."""
    figure.savefig(path, format="png", metadata={"Software": None})


def write_metrics(values: dict[str, float], path: Path) -> None:
    """Write JSON with six digits. Raises DataError for a value that is no number, or not finite."""
    if wrong := {name: value for name, value in values.items() if isinstance(value, bool) or not isinstance(value, Real)}:
        raise DataError(f"metrics that are no numbers: {wrong}")
    if wrong := {name: value for name, value in values.items() if not math.isfinite(value)}:
        raise DataError(f"metrics that are not finite: {wrong}")
    rounded = {name: int(value) if isinstance(value, Integral) else round(float(value), 6) for name, value in values.items()}
    path.write_text(json.dumps(rounded, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


def evaluate(predictions: pd.DataFrame, actual: np.ndarray, spec: FeatureSpec, reports: Path) -> dict[str, float]:
    """Write the reports of the specification's task, and return the metrics."""
    reports.mkdir(parents=True, exist_ok=True)
    mpl.rcdefaults()
    table = pd.DataFrame({"actual": actual, "predicted": predictions["prediction"]})
    if spec["task"] == "regression":
        values = regression_metrics(actual, predictions["prediction"].to_numpy())
        write_table(table.assign(residual=table["actual"] - table["predicted"]), reports / "residuals.csv")
        save_figure(draw_curve(table, "actual", "predicted"), reports / "residuals.png")
    else:
        probabilities = predictions.drop(columns="prediction").to_numpy(dtype=float)
        values = classification_metrics(actual, probabilities, spec["classes"], spec.get("positive"))
        curve = calibration(actual, probabilities, spec["classes"], spec.get("positive"))
        write_table(table, reports / "confusion_matrix.csv")
        write_table(curve, reports / "calibration.csv")
        save_figure(draw_confusion(actual, table["predicted"], spec["classes"]), reports / "confusion_matrix.png")
        save_figure(draw_curve(curve, "predicted", "observed"), reports / "calibration.png")
    values["rows"] = len(actual)
    own = own_metrics(actual, predictions, spec)
    if not isinstance(own, dict):
        raise DataError(f"own_metrics in evaluate.py returns {type(own).__name__}: a dict of numbers by name")
    if taken := sorted(values.keys() & own.keys()):
        raise DataError(f"own_metrics in evaluate.py returns {taken}, which are there already: other names")
    values |= own
    write_metrics(values, reports / "metrics.json")
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "spec", "test", "reports"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    spec = read_spec(args.spec)
    table = read_table(args.test)
    values = evaluate(predict(load_model(args.model), spec, table), labels(table, spec), spec, args.reports)
    print("  ".join(f"{name} {value:.4g}" for name, value in sorted(values.items())))
    if len(spec["classes"]) == 2:
        print(
            f"f1, roc_auc, brier and the calibration are about {spec.get('positive', spec['classes'][1])!r} (features.positive)"
        )


if __name__ == "__main__":
    run(main)
