import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer


def test_raw_rows_are_scored_as_evaluate_judged_them(sample: Path, project: Path, modules: Any, tmp_path: Path) -> None:
    raw = modules.prepare.read_table(project / "raw.csv")
    columns = modules.prepare.read_columns(project / "params.yaml")
    cleaned = modules.prepare.clean(raw, columns.target, columns.task, columns.numeric, columns.categorical)
    _, test = modules.prepare.split(cleaned, "Churn", "classification", 0.2, 42)
    modules.prepare.write_table(raw.loc[test.index].drop(columns="Churn"), tmp_path / "in.csv")
    model, spec = sample / "models" / "churn.skops", sample / "models" / "churn.features.json"
    paths = [model, spec, tmp_path / "in.csv", tmp_path / "out.csv"]
    subprocess.run([sys.executable, "-m", "src.churn.predict", *paths], cwd=project, check=True)
    features = modules.prepare.read_table(sample / "data" / "features" / "test.csv")
    judged = modules.predict.predict(modules.predict.load_model(model), modules.featurize.read_spec(spec), features)
    modules.prepare.write_table(judged, tmp_path / "judged.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "judged.csv").read_bytes()
    assert list(judged.columns) == ["prediction", "probability_No", "probability_Yes"]


def test_one_row_none_and_an_unknown_category(sample: Path, project: Path, modules: Any) -> None:
    model = modules.predict.load_model(sample / "models" / "churn.skops")
    spec = modules.featurize.read_spec(sample / "models" / "churn.features.json")
    raw = modules.prepare.read_table(project / "raw.csv")
    one = modules.predict.predict(model, spec, raw.head(1))
    assert one["prediction"].tolist() == ["Yes"]
    assert one[["probability_No", "probability_Yes"]].sum(axis=1).tolist() == pytest.approx([1])
    pd.testing.assert_frame_equal(one, modules.predict.predict(model, spec, raw.head(50)).head(1))
    assert list(modules.predict.predict(model, spec, raw.head(0)).columns) == list(one.columns)
    unknown = [modules.predict.predict(model, spec, raw.head(1).assign(Contract=value)) for value in ("Weekly", "")]
    pd.testing.assert_frame_equal(*unknown)


def test_thousands_of_rows_at_once_and_a_row_at_a_time_have_equal_answers(sample: Path, project: Path, modules: Any) -> None:
    """To the last digit: BLAS adds in another order for another number of rows."""
    model = modules.predict.load_model(sample / "models" / "churn.skops")
    spec = modules.featurize.read_spec(sample / "models" / "churn.features.json")
    raw = modules.prepare.read_table(project / "raw.csv")
    whole = modules.predict.predict(model, spec, raw)
    for start, stop in ((0, 1), (5, 300), (511, 513), (3000, 3512), (1, 7043)):
        part = modules.predict.predict(model, spec, raw.iloc[start:stop])
        pd.testing.assert_frame_equal(part, whole.iloc[start:stop].reset_index(drop=True), check_exact=True)
    for place in range(0, 7043, 97):
        alone = modules.predict.predict(model, spec, raw.iloc[[place]])
        pd.testing.assert_frame_equal(alone, whole.iloc[[place]].reset_index(drop=True), check_exact=True)


def test_a_model_and_a_specification_of_different_releases_are_told_apart(sample: Path, project: Path, modules: Any) -> None:
    model = modules.predict.load_model(sample / "models" / "churn.skops")
    spec = modules.featurize.read_spec(sample / "models" / "churn.features.json")
    raw = modules.prepare.read_table(project / "raw.csv").head()
    fewer = {**spec, "features": spec["features"][1:]}
    with pytest.raises(
        modules.prepare.DataError, match=r"the model was trained with \['tenure'\].* belong to different releases"
    ):
        modules.predict.predict(model, fewer, raw)
    with pytest.raises(modules.prepare.DataError, match="they belong to different releases"):
        modules.predict.predict(model, {**spec, "features": spec["features"][::-1]}, raw)
    with pytest.raises(modules.prepare.DataError, match="the feature specification says"):
        modules.predict.predict(FunctionTransformer(), spec, raw)
    with pytest.raises(modules.prepare.DataError, match="the model has no predict:"):
        modules.predict.predict(FunctionTransformer(), {**spec, "task": "regression", "classes": []}, raw)


def test_a_model_of_another_specification_is_refused(sample: Path, project: Path, modules: Any) -> None:
    model = modules.predict.load_model(sample / "models" / "churn.skops")
    spec = modules.featurize.read_spec(sample / "models" / "churn.features.json")
    raw = modules.prepare.read_table(project / "raw.csv")
    with pytest.raises(modules.prepare.DataError, match="the feature specification says"):
        modules.predict.predict(model, {**spec, "classes": ["a", "b"]}, raw)


def test_a_model_file_that_would_run_code_is_refused(modules: Any, tmp_path: Path) -> None:
    path = tmp_path / "evil.skops"
    skops.io.dump(FunctionTransformer(func=os.system), path)
    with pytest.raises(modules.prepare.DataError, match=r"evil\.skops holds types that are not trusted: posix\.system\nhint:"):
        modules.predict.load_model(path)


def test_a_file_that_is_no_model_is_named(modules: Any, tmp_path: Path) -> None:
    (tmp_path / "text.skops").write_text("not a zip")
    for name in ("text.skops", "gone.skops"):
        with pytest.raises(modules.prepare.DataError, match=f"{name} is no model file"):
            modules.predict.load_model(tmp_path / name)
