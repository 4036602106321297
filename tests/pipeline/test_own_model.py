"""What a data scientist replaces: only what stands between the fences is edited here, in the files that are generated."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.utils import all_estimators

from tests import fences
from tests.pipeline.conftest import MODULES, TEMPLATE

SOURCE = TEMPLATE / "src" / "{{cookiecutter.__package}}"
HOW_TO = Path(__file__).parents[2] / "docs/own-model.md"
TREES = "sklearn.tree._tree.Tree"

Swap = Callable[..., Any]


@pytest.fixture
def swap(tmp_path: Path) -> Iterator[Swap]:
    """Return the modules with other contents of fences: `swap(YOUR_OWN_MODEL=...)`, imported as the package `<name>`."""
    made: list[str] = []

    def swapped(name: str = "own", **contents: str) -> Any:
        package = tmp_path / name
        shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
        for fence, content in contents.items():
            indent = "" if fence in ("FREE_TEXT", "TYPES_THAT_YOUR_MODEL_NEEDS") else "    "
            fences.fill(package, fence.replace("_", " "), textwrap.indent(textwrap.dedent(content).strip("\n") + "\n", indent))
        made.append(name)
        return SimpleNamespace(**{module: importlib.import_module(f"{name}.{module}") for module in MODULES})

    sys.path.insert(0, str(tmp_path))
    yield swapped
    sys.path.remove(str(tmp_path))
    for name in [key for key in sys.modules if key.partition(".")[0] in made]:
        del sys.modules[name]


def table(rows: int = 120, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.uniform(1, 9, rows), "b": rng.uniform(0, 4, rows), "kind": rng.choice(["x", "y", "z"], rows)})
    frame.loc[5:9, "a"] = np.nan
    frame.loc[20:22, "kind"] = ""
    ratio = (frame["b"] / frame["a"]).fillna(0)
    return frame.assign(left=np.where(ratio + rng.normal(0, 0.1, rows) > 0.4, "yes", "no"), price=ratio * 100)


def learn(modules: Any, frame: pd.DataFrame, task: str = "classification", text: tuple[str, ...] = ()) -> Any:
    target = "left" if task == "classification" else "price"
    return modules.featurize.learn_spec(frame, target, task, ["a", "b"], ["kind", *text])


def through_a_file(modules: Any, model: Any, path: Path) -> Any:
    modules.train.save_model(model, path)
    return modules.predict.load_model(path)


MODEL_WITH = """
from {module} import {name}

numbers = list(features.select_dtypes("number"))
others = [name for name in features if name not in numbers]
encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
columns = ColumnTransformer([("numbers", SimpleImputer(), numbers), ("others", encode, others)])
return Pipeline([("columns", columns), ("model", {call})])
"""


def model_with(name: str, call: str | None = None, module: str = "sklearn.ensemble") -> str:
    return MODEL_WITH.format(module=module, name=name, call=call or f"{name}(random_state=seed)")


# --- the fences themselves --------------------------------------------------------------------------------------------


def test_every_fence_is_in_its_file_and_has_its_contract_above() -> None:
    for file in {*fences.FILES.values()}:
        text = (SOURCE / file).read_text("utf-8")
        assert set(fences.found(text)) == {name for name, place in fences.FILES.items() if place == file}
        assert text.count("# ---- REPLACE: ") == text.count("# ---- END OF REPLACE ") == len(fences.found(text))
        for before in re.split(r"^ *# ---- REPLACE: .*\n", text, flags=re.MULTILINE)[:-1]:
            assert re.search(r'(?:"""\n|^#.*\n)\Z', before, re.MULTILINE), f"{file}: no contract above a fence"


def test_the_how_to_names_each_fence_with_its_file() -> None:
    page = HOW_TO.read_text("utf-8")
    assert dict(re.findall(r"^\| ([A-Z ]+) \| `(\w+\.py)` \|", page, re.MULTILINE)) == fences.FILES


# --- other estimators -------------------------------------------------------------------------------------------------

CLASSIFIERS = {
    "forest": (
        model_with("RandomForestClassifier", "RandomForestClassifier(20, max_depth=4, n_jobs=2, random_state=seed)"),
        TREES,
    ),
    "forest without a seed": (model_with("RandomForestClassifier", "RandomForestClassifier(9)"), TREES),
    "boosting": (model_with("GradientBoostingClassifier"), TREES),
    "histogram": (
        model_with("HistGradientBoostingClassifier"),
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    ),
    "network": (
        model_with(
            "MLPClassifier", "MLPClassifier((5,), learning_rate_init=0.1, tol=0.01, random_state=seed)", "sklearn.neural_network"
        ),
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    ),
    "neighbours": (
        model_with("KNeighborsClassifier", "KNeighborsClassifier()", "sklearn.neighbors"),
        "sklearn.metrics._dist_metrics.EuclideanDistance64 sklearn.neighbors._kd_tree.KDTree",
    ),
    "vectors": (
        model_with("SVC", "CalibratedClassifierCV(SVC(), ensemble=False)", "sklearn.svm").replace(
            "\n", "\nfrom sklearn.calibration import CalibratedClassifierCV\n", 1
        ),
        "sklearn.calibration._CalibratedClassifier sklearn.calibration._SigmoidCalibration",
    ),
}


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_another_classifier(swap: Swap, kind: str, tmp_path: Path) -> None:
    model, types = CLASSIFIERS[kind]
    modules = swap(YOUR_OWN_MODEL=model, TYPES_THAT_YOUR_MODEL_NEEDS=f"TRUSTED = {('numpy.dtype', *types.split())!r}")
    frame = table()
    spec = learn(modules, frame)
    for name in ("first", "again"):
        modules.train.save_model(modules.train.fit(frame, spec, {}, 3), tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()
    loaded = modules.predict.load_model(tmp_path / "first")
    scored = modules.predict.predict(loaded, spec, frame)
    assert (scored["prediction"] == frame["left"]).mean() > 0.7
    values = modules.evaluate.evaluate(scored, modules.featurize.labels(frame, spec), spec, tmp_path / "reports")
    assert values["roc_auc"] > 0.7
    alone = pd.concat([modules.predict.predict(loaded, spec, frame.iloc[[place]]) for place in range(0, 120, 7)])
    pd.testing.assert_frame_equal(alone.reset_index(drop=True), scored.iloc[::7].reset_index(drop=True), check_exact=True)


def test_another_classifier_has_the_same_bytes_in_every_process(swap: Swap, tmp_path: Path) -> None:
    """Also one that draws numbers of its own: what was not given the seed takes it from the stage."""
    model, types = CLASSIFIERS["forest without a seed"]
    swap("seedless", YOUR_OWN_MODEL=model, TYPES_THAT_YOUR_MODEL_NEEDS=f"TRUSTED = ('numpy.dtype', {types!r})")
    table().to_csv(tmp_path / "train.csv", index=False)
    program = (
        "import json, pathlib, sys; from seedless import featurize, prepare, train; frame = prepare.read_table(pathlib.Path('train.csv'))\n"
        "spec = featurize.learn_spec(frame, 'left', 'classification', ['a', 'b'], ['kind'])\n"
        "train.save_model(train.fit(frame, spec, {}, 3), pathlib.Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(tmp_path)}
        subprocess.run([sys.executable, "-c", program, seed], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_a_regressor(swap: Swap, tmp_path: Path) -> None:
    model = model_with("RandomForestRegressor", "RandomForestRegressor(20, n_jobs=2, random_state=seed)")
    modules = swap(YOUR_OWN_MODEL=model, TYPES_THAT_YOUR_MODEL_NEEDS=f"TRUSTED = ('numpy.dtype', {TREES!r})")
    frame = table()
    spec = learn(modules, frame, "regression")
    loaded = through_a_file(modules, modules.train.fit(frame, spec, {}, 3), tmp_path / "model")
    scored = modules.predict.predict(loaded, spec, frame)
    values = modules.evaluate.evaluate(scored, modules.featurize.labels(frame, spec), spec, tmp_path / "reports")
    assert values["r2"] > 0.8
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["metrics.json", "residuals.csv", "residuals.png"]


@pytest.mark.parametrize(
    "row", re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (nothing|(?:`[\w.]+` ?)+) \|$", HOW_TO.read_text(), re.MULTILINE)
)
def test_what_the_how_to_says_that_skops_does_not_trust(row: tuple[str, str]) -> None:
    known = dict(all_estimators())
    rng = np.random.default_rng(0)
    matrix, y, texts = rng.uniform(size=(60, 4)), np.arange(60) % 2, [f"word{i % 9} and word{i % 7}" for i in range(60)]
    for name in re.findall(r"`(\w+)`", row[0]):
        kind = known[name]
        if name in ("VotingClassifier", "StackingClassifier"):
            model = kind([("one", known["LogisticRegression"]()), ("two", known["GaussianNB"]())])
        elif name == "CalibratedClassifierCV":
            model = kind(known["SVC"](), ensemble=False)
        else:
            model = kind(tol=1) if name.startswith("MLP") else kind()
        model.fit(texts if name.endswith("Vectorizer") else matrix, y)
        assert {*skops.io.get_untrusted_types(data=skops.io.dumps(model))} == {*re.findall(r"`([\w.]+)`", row[1])}, name


# --- models that break the contract -----------------------------------------------------------------------------------


def refused(modules: Any, path: Path, params: dict[str, Any] | None = None) -> str:
    frame = table()
    with pytest.raises(modules.prepare.DataError) as caught:
        modules.train.save_model(modules.train.fit(frame, learn(modules, frame), params or {}, 3), path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_classifier_without_probabilities(swap: Swap, tmp_path: Path) -> None:
    modules = swap(YOUR_OWN_MODEL=model_with("SVC", "SVC(random_state=seed)", "sklearn.svm"))
    assert refused(modules, tmp_path / "model") == (
        "SVC has no predict_proba: build_model in train.py returns a classifier that gives probabilities, as "
        "CalibratedClassifierCV(model, ensemble=False) does around any other"
    )


@pytest.mark.parametrize(("body", "shown"), [("return None", "None"), ("return LogisticRegression", "class"), ("return 3", "3")])
def test_no_estimator(swap: Swap, tmp_path: Path, body: str, shown: str) -> None:
    said = refused(swap(YOUR_OWN_MODEL=body), tmp_path / "model")
    assert (
        said.startswith("build_model in train.py returns ")
        and said.endswith("an estimator with fit and predict")
        and shown in said
    )


def test_arguments_of_the_model_before(swap: Swap, tmp_path: Path) -> None:
    modules = swap(YOUR_OWN_MODEL=model_with("RandomForestClassifier", "RandomForestClassifier(**params)"))
    said = refused(modules, tmp_path / "model", {"C": 1.0})
    assert "unexpected keyword argument 'C': the section train of params.yaml" in said
    assert "; RandomForestClassifier takes n_estimators, criterion, max_depth, " in said


def test_a_regressor_for_classes(swap: Swap, tmp_path: Path) -> None:
    modules = swap(YOUR_OWN_MODEL="from sklearn.dummy import DummyRegressor\n\nreturn DummyRegressor()")
    assert "DummyRegressor has no predict_proba" in refused(modules, tmp_path / "model")


FUNCTIONS = {
    "a lambda": "return Pipeline([('own', FunctionTransformer(lambda X: X)), ('model', LogisticRegression())])",
    "a function of train.py, which runs as a program": "def own(X):\n    return X\n\nown.__module__ = '__main__'\n"
    "return Pipeline([('own', FunctionTransformer(own)), ('model', LogisticRegression())])",
    "an inner function": "def own(X):\n    return X\n\nreturn Pipeline([('own', FunctionTransformer(own)), ('model', LogisticRegression())])",
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_function_that_no_other_program_finds(swap: Swap, tmp_path: Path, kind: str) -> None:
    body = f"from sklearn.preprocessing import FunctionTransformer\n\n{FUNCTIONS[kind]}"
    modules = swap(YOUR_OWN_MODEL=body)
    frame = table().drop(columns="kind").fillna(0)
    spec = modules.featurize.learn_spec(frame, "left", "classification", ["a", "b"], [])
    model = modules.train.fit(frame, spec, {}, 3)
    with pytest.raises(
        modules.prepare.DataError,
        match=r"^skops cannot save LogisticRegression so that it can be loaded again: .* own_features in featurize\.py$",
    ):
        modules.train.save_model(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_type_that_is_not_trusted_yet(swap: Swap, tmp_path: Path) -> None:
    modules = swap(YOUR_OWN_MODEL=CLASSIFIERS["forest"][0])
    frame = table()
    with pytest.raises(
        modules.prepare.DataError, match=r"sklearn\.tree\._tree\.Tree\nhint: .* add them to TRUSTED in predict\.py"
    ):
        through_a_file(modules, modules.train.fit(frame, learn(modules, frame), {}, 3), tmp_path / "model")


# --- features ---------------------------------------------------------------------------------------------------------

RATIO = 'return pd.DataFrame({"ratio": inputs["b"] / inputs["a"], "first": inputs["kind"].str[:1]})'


def test_derived_columns_are_the_same_in_training_and_for_predictions(swap: Swap, tmp_path: Path) -> None:
    plain, modules = swap("plain"), swap(YOUR_OWN_FEATURES=RATIO)
    frame = table(600)
    spec = learn(modules, frame)
    assert spec["derived"] == [{"name": "ratio", "type": "number"}, {"name": "first", "type": "text"}]
    assert spec["features"] == learn(plain, frame)["features"], "callers send what they sent before"
    shaped = modules.featurize.transform(frame, spec)
    assert list(shaped) == ["a", "b", "kind", "ratio", "first"]
    assert shaped["first"].tolist() == frame["kind"].str[:1].tolist()
    pd.testing.assert_frame_equal(modules.featurize.transform(shaped, spec), shaped)
    modules.prepare.write_table(shaped, tmp_path / "shaped.csv")
    again = modules.featurize.transform(modules.prepare.read_table(tmp_path / "shaped.csv"), spec)
    pd.testing.assert_frame_equal(again, shaped, check_exact=True)
    loaded = through_a_file(modules, modules.train.fit(frame, spec, {}, 1), tmp_path / "model")
    with_ratio = modules.predict.predict(loaded, spec, frame[["kind", "b", "a"]])
    assert (with_ratio["prediction"] == frame["left"]).mean() > 0.85
    alone = modules.predict.predict(loaded, spec, frame.iloc[[7]])
    pd.testing.assert_frame_equal(alone, with_ratio.iloc[[7]].reset_index(drop=True), check_exact=True)
    assert list(modules.predict.predict(loaded, spec, frame.head(0))) == list(with_ratio)


BROKEN = {
    "a mean": ('return pd.DataFrame({"c": inputs["a"] - inputs["a"].mean()})', r"gives \['c'\] another value when row 1 is alone"),
    "a median where missing": (
        'return pd.DataFrame({"c": inputs["a"].fillna(inputs["a"].median())})', r"gives \['c'\] another value when row 6 is alone",
    ),
    "a rank": ('return pd.DataFrame({"c": inputs["a"].rank()})', "another value when row"),
    "codes of categories": ('return pd.DataFrame({"c": inputs["kind"].astype("category").cat.codes})', "another value when row"),
    "rows left out": ('return pd.DataFrame({"c": inputs["a"].dropna()})', "returns 115 rows: a DataFrame with the index of its 120"),
    "another index": ('return pd.DataFrame({"c": range(1, len(inputs) + 1)}, index=range(1, len(inputs) + 1))', "returns 120 rows"),
    "a column that is no input": ('return pd.DataFrame({"c": inputs["age"]})', r"asks for 'age', which is not among the inputs"),
    "an array": ('return inputs["a"].to_numpy()', "returns ndarray: a DataFrame"),
    "the inputs": ('inputs["c"] = inputs["a"]\nreturn inputs', r"returns \['a', 'b', 'kind'\]: new columns only"),
    "the target": ('return pd.DataFrame({"left": inputs["a"]})', r"returns \['left'\]: new columns only"),
    "a column twice": ('return pd.concat([inputs["a"].rename("c")] * 2, axis=1)', r"returns \['c', 'c'\]: new columns only"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_features_that_break_their_contract(swap: Swap, kind: str) -> None:
    body, said = BROKEN[kind]
    modules = swap(YOUR_OWN_FEATURES=body)
    with pytest.raises(modules.prepare.DataError, match=f"own_features in featurize.py {said}|own_features .*{said}") as caught:
        learn(modules, table())
    assert "\n" not in str(caught.value)


def test_honest_features_pass(swap: Swap) -> None:
    """Sums that differ in the last digit, infinities, numbers in other types, a constant, and a change of the copy."""
    modules = swap(
        YOUR_OWN_FEATURES="""
        inputs["a"] = inputs["a"].fillna(0)
        return pd.DataFrame({
            "sum": inputs[["a", "b"]].sum(axis=1) / 3,
            "infinite": 1 / (inputs["a"] * 0),
            "flag": inputs["kind"] == "x",
            "small": inputs["b"].astype("float32"),
            "one": 1,
        }, index=inputs.index)
        """
    )
    frame = table()
    spec = learn(modules, frame)
    shaped = modules.featurize.transform(frame, spec)
    assert shaped["a"].isna().sum() == 5
    assert shaped["infinite"].isna().all()
    assert (shaped["flag"] == (frame["kind"] == "x")).all()
    assert {str(shaped[name].dtype) for name in ("sum", "infinite", "flag", "small", "one")} == {"float64"}


ACROSS_ROWS = {
    "a quantile": 'return pd.DataFrame({"c": inputs["b"].clip(upper=inputs["b"].quantile(0.99))})',
    "outliers": 'return pd.DataFrame({"c": inputs["b"] > inputs["b"].mean() + 1.7 * inputs["b"].std()})',
    "rows alike": 'return pd.DataFrame({"c": inputs.duplicated()})',
    "rows alike but the last": 'return pd.DataFrame({"c": inputs.duplicated(keep="last")})',
    "rare categories": """
        share = inputs["kind"].map(inputs["kind"].value_counts(normalize=True))
        return pd.DataFrame({"c": inputs["kind"].where(share > 0.05, "other")})
        """,
    "the place in the table": 'return pd.DataFrame({"c": (inputs.index == 57) * 1.0})',
    "the row before": 'return pd.DataFrame({"c": inputs["n"].shift(fill_value=0) == 1})',
    "sorted or not": 'return pd.DataFrame({"c": float(inputs["n"].is_monotonic_increasing)}, index=inputs.index)',
    "a scale": 'return pd.DataFrame({"c": (inputs["b"] / inputs["b"].max()).where(inputs["b"] > 0.1, 1)})',
    "a mean that the module keeps": """
        globals().setdefault("KEPT", inputs["b"].mean())
        return pd.DataFrame({"c": inputs["b"] - globals()["KEPT"]})
        """,
    "a mean that is kept of many rows": """
        if len(inputs) > 5:
            own_features.mean = inputs["b"].mean()
        return pd.DataFrame({"c": inputs["b"] > own_features.mean})
        """,
    "an error of two lines": """
        if len(inputs) == 1:
            raise ValueError("one\\nrow")
        return pd.DataFrame({"c": inputs["b"] * 2})
        """,
    "a sixth row": 'return pd.DataFrame({"c": float(inputs["n"].iloc[5])}, index=inputs.index)',
}


@pytest.mark.parametrize("kind", ACROSS_ROWS)
def test_features_that_look_at_other_rows(swap: Swap, kind: str) -> None:
    modules = swap(YOUR_OWN_FEATURES=ACROSS_ROWS[kind])
    frame = table(600).assign(n=[float(number) for number in range(600)])
    frame.loc[431, "kind"] = "rare"
    frame.loc[343] = frame.loc[342]
    frame.loc[578] = frame.loc[77]
    with pytest.raises(
        modules.prepare.DataError, match=r"own_features in featurize\.py (gives \['c'\] another value|fails) when"
    ) as caught:
        modules.featurize.learn_spec(frame, "left", "classification", ["a", "b", "n"] * (kind != "rows alike"), ["kind"])
    assert "\n" not in str(caught.value)


def test_features_that_look_at_one_row(swap: Swap) -> None:
    modules = swap(
        YOUR_OWN_FEATURES="""
        a, kind, day = inputs["a"], inputs["kind"], inputs["day"]
        from dataclasses import dataclass

        @dataclass
        class Stays:
            x: "float" = 1.0

        stays = {"x": Stays().x, "y": 2.0}
        worth = pd.Series({"x": 10, "z": 30})
        if not hasattr(own_features, "seen"):
            own_features.seen = {}
        seen = [own_features.seen.setdefault(text, len(text)) for text in kind]
        return pd.DataFrame({
            "ratio": a / inputs["b"],
            "log": np.log1p(a), "exp": np.exp(a * 7.3), "sine": np.sin(a) ** 0.3, "root": np.sqrt(a).round(3),
            "mean": inputs[["a", "b"]].mean(axis=1), "highest": inputs[["a", "b"]].max(axis=1), "dot": inputs[["a", "b"]] @ [0.1, 0.7],
            "length": kind.str.len(), "upper": kind.str.upper(), "both": kind + "-" + a.round().astype("Int64").astype(str),
            "days": 20000 - day, "month": pd.to_datetime(day, unit="D").dt.month, "weekday": pd.to_datetime(day, unit="D").dt.day_name(),
            "clipped": a.clip(2, 8), "chosen": np.where(a > 5, "much", "little"), "where": a.where(a > 3, -1.0),
            "looked_up": kind.map(stays), "table": kind.map(worth).fillna(0), "seen": seen,
            "label": pd.cut(a, [0, 3, 6, 9], labels=["low", "mid", "high"]),
            "rowwise": inputs.apply(lambda row: row["a"] if row["kind"] == "x" else row["b"], axis=1),
            "known": kind.isin(["x", "y"]), "empty": kind.replace("", None), "one": 1,
        })
        """
    )
    frame = table(601).assign(day=[str(20 + number) for number in range(601)])
    frame.loc[11, "day"] = ""
    names = ("left", "classification", ["a", "b"], ["kind"], {"day": "iso"})
    for rows in (601, 3, 2, 1):
        assert len(modules.featurize.learn_spec(frame.head(rows), *names)["derived"]) == 25


def test_a_large_table_is_tried_in_part(swap: Swap) -> None:
    """And from each column, also of many, the rows that tell most."""
    modules = swap(YOUR_OWN_FEATURES='ROWS.append(len(inputs))\nreturn inputs[["b"]].rename(columns={"b": "c"})')
    rows: list[int] = []
    importing = modules.featurize._imported_anew

    def counting() -> Any:
        module = importing()
        module.ROWS = rows
        return module

    modules.featurize._imported_anew, modules.featurize.ROWS = counting, rows
    frame = table(30_000).assign(**{f"n{number}": np.arange(30_000.0) * (-1) ** number for number in range(90)})
    modules.featurize.learn_spec(frame, "left", "classification", ["a", "b", *(f"n{number}" for number in range(90))], ["kind"])
    assert sorted(rows)[-3:] == [10_000, 10_000, 30_000]
    assert 15 < len(rows) <= 63 and set(rows[1:-2]) == {1}


def test_a_model_is_not_scored_with_features_of_another_code(swap: Swap, tmp_path: Path) -> None:
    plain, modules, later = (
        swap("plain"),
        swap("then", YOUR_OWN_FEATURES=RATIO),
        swap("now", YOUR_OWN_FEATURES=RATIO.replace("first", "other")),
    )
    frame = table()
    spec = learn(modules, frame)
    modules.train.save_model(modules.train.fit(frame, spec, {}, 1), tmp_path / "model")
    for code, has in ((plain, r"\[\]"), (later, r"\['ratio', 'other'\]")):
        with pytest.raises(
            code.prepare.DataError, match=rf"adds {has}, the model was trained with \['ratio', 'first'\]: use the code"
        ):
            code.predict.predict(code.predict.load_model(tmp_path / "model"), spec, frame)
    bare = learn(plain, frame)
    with pytest.raises(modules.prepare.DataError, match=r"adds \['ratio', 'first'\], the model was trained with \[\]"):
        modules.predict.predict(modules.predict.load_model(tmp_path / "model"), bare, frame)


def test_a_column_of_sentences(swap: Swap, tmp_path: Path) -> None:
    model = """
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

    return Pipeline([
        ("columns", ColumnTransformer([("words", TfidfVectorizer(), "said"), ("hashes", HashingVectorizer(n_features=32), "said")])),
        ("model", LogisticRegression(random_state=seed)),
    ])
    """
    modules = swap(YOUR_OWN_MODEL=model, FREE_TEXT='FREE_TEXT: tuple[str, ...] = ("said",)')
    good, bad = ["great service", "very good", "I am happy"], ["awful service", "very bad", "I am angry, ümlaut"]
    frame = table(90).assign(
        said=[(good if i % 2 else bad)[i % 3] + f" {i}" for i in range(90)], left=["yes" if i % 2 else "no" for i in range(90)]
    )
    spec = learn(modules, frame, text=("said",))
    assert spec["features"][-1] == {"name": "said", "type": "text"}
    loaded = through_a_file(modules, modules.train.fit(frame, spec, {}, 1), tmp_path / "model")
    new = table(3).assign(said=["really great, happy", "angry and bad", ""])
    assert modules.predict.predict(loaded, spec, new)["prediction"].tolist()[:2] == ["yes", "no"]


# --- metrics ----------------------------------------------------------------------------------------------------------


def judged(modules: Any, path: Path) -> Any:
    frame = table()
    spec = learn(modules, frame)
    scored = modules.predict.predict(modules.train.fit(frame, spec, {}, 1), spec, frame)
    return modules.evaluate.evaluate(scored, modules.featurize.labels(frame, spec), spec, path)


def test_own_metrics_enter_the_metrics_file(swap: Swap, tmp_path: Path) -> None:
    body = """
    return {
        "recall": np.float32((predictions["prediction"][actual == "yes"] == "yes").mean()),
        "found": (predictions["prediction"] == "yes").sum(),
    }
    """
    judged(swap(YOUR_OWN_METRICS=body), tmp_path)
    written = (tmp_path / "metrics.json").read_text()
    assert re.search(r'"recall": 0\.\d{1,6}\n?,', written) and re.search(r'"found": \d+,', written)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('return {"accuracy": 1.0}', r"own_metrics in evaluate.py returns \['accuracy'\], which are there already"),
        ('return {"mine": float("nan")}', r"metrics that are not finite: \{'mine': nan\}"),
        ('return {"mine": "good"}', r"metrics that are no numbers: \{'mine': 'good'\}"),
        ('return {"mine": True}', r"metrics that are no numbers: \{'mine': True\}"),
        ("return 0.5", r"own_metrics in evaluate.py returns float: a dict"),
    ],
)
def test_metrics_that_break_their_contract(swap: Swap, tmp_path: Path, body: str, said: str) -> None:
    modules = swap(YOUR_OWN_METRICS=body)
    with pytest.raises(modules.prepare.DataError, match=said):
        judged(modules, tmp_path)
    assert not (tmp_path / "metrics.json").exists()


# --- cleaning ---------------------------------------------------------------------------------------------------------


def cleaned(modules: Any, frame: pd.DataFrame) -> Any:
    return modules.prepare.clean(frame, "left", "classification", ["a"], ["kind"])


def test_own_cleaning_chooses_the_rows_to_learn_from(swap: Swap) -> None:
    raw = table().astype(str)
    left = cleaned(swap(YOUR_OWN_CLEANING='return raw[raw["kind"] != "z"]'), raw)
    assert set(left["kind"].dropna()) == {"x", "y"}
    assert len(left) == (raw["kind"] != "z").sum()
    assert left.equals(cleaned(swap("plain"), raw[raw["kind"] != "z"]))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('return raw[["kind"]]', r"own_cleaning in prepare.py returns \['kind'\]: a DataFrame with the columns"),
        ("return None", r"own_cleaning in prepare.py returns NoneType: a DataFrame"),
        ("return pd.concat([raw, raw])", "rows that it was not given, or one twice: keep the index"),
        ("return raw.set_axis(raw.index + 1000)", "rows that it was not given, or one twice: keep the index"),
    ],
)
def test_cleaning_that_breaks_its_contract(swap: Swap, body: str, said: str) -> None:
    modules = swap(YOUR_OWN_CLEANING=body)
    with pytest.raises(modules.prepare.DataError, match=said):
        cleaned(modules, table().astype(str))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('raw["a"] = pd.to_numeric(raw["a"]) * 100\nreturn raw', r"changes 'a', '6\.09[^']*' to 609\.\d+: it chooses rows"),
        ('raw["a"] = raw["a"].fillna("0")\nreturn raw', r"changes 'a', nan to '0': .* own_features in featurize\.py$"),
        ('raw["kind"] = raw["kind"].replace("z", "x")\nreturn raw[raw["b"] > "1"]', r"changes 'kind', 'z' to 'x'"),
        ('raw["kind"] = raw["kind"].replace("", "none")\nreturn raw', r"changes 'kind', '' to 'none'"),
        ('raw["kind"] = raw["kind"].where(raw["kind"] != "z")\nreturn raw', r"changes 'kind', 'z' to nan"),
        ('raw["day"] = "2020-01-01"\nreturn raw', r"changes 'day', '2024-05-06' to '2020-01-01'"),
        ("return raw.set_axis(raw.index[::-1])", r"changes 'a', "),
    ],
)
def test_cleaning_chooses_rows_and_changes_no_value(swap: Swap, body: str, said: str) -> None:
    modules = swap(YOUR_OWN_CLEANING=body)
    raw = table().astype(str).assign(day="2024-05-06")
    with pytest.raises(modules.prepare.DataError, match=said):
        modules.prepare.clean(raw, "left", "classification", ["a"], ["kind"], {"day": "iso"})


@pytest.mark.parametrize(
    "body",
    [
        'raw["a"] = pd.to_numeric(raw["a"], errors="coerce")\nreturn raw[raw["a"].isna() | (raw["a"] > 2)]',
        'raw["kind"] = raw["kind"].str.strip().astype("category")\nreturn raw[raw["a"].map(float).fillna(9) > 2]',
        'raw["unused"] = 1\nreturn raw[raw["a"].map(float).fillna(9) > 2]',
        'raw["day"] = pd.to_datetime(raw["day"])\nreturn raw[raw["a"].map(float).fillna(9) > 2]',
    ],
)
def test_cleaning_may_read_a_column_as_what_it_is(swap: Swap, body: str) -> None:
    raw = table().astype(str).assign(unused="", day="2024-05-06")
    raw["kind"] = raw["kind"].where(raw["kind"] == "", " " + raw["kind"])
    modules, plain = swap(YOUR_OWN_CLEANING=body), swap("plain")
    chosen = raw[raw["a"].map(float).fillna(9) > 2]
    names = ("left", "classification", ["a"], ["kind"], {"day": "iso"})
    pd.testing.assert_frame_equal(modules.prepare.clean(raw, *names), plain.prepare.clean(chosen, *names), check_exact=True)


def test_cleaning_of_a_typed_table(swap: Swap) -> None:
    raw = table().assign(a=lambda frame: frame["a"].astype("float32"), n=range(120))
    modules = swap(YOUR_OWN_CLEANING='return raw[raw["n"] > 10].astype({"n": float})')
    left = modules.prepare.clean(raw, "left", "classification", ["a", "n"], ["kind"])
    assert left["n"].tolist() == [*range(11, 120)]


def test_cleaning_may_mend_labels(swap: Swap) -> None:
    modules = swap(YOUR_OWN_CLEANING='raw["left"] = raw["left"].replace("maybe", "no")\nreturn raw')
    raw = table().astype(str)
    raw.loc[3, "left"] = "maybe"
    assert cleaned(modules, raw)["left"].tolist()[3] == "no"
