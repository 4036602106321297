import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from scipy.sparse import csr_matrix
from sklearn.preprocessing import FunctionTransformer

# Each kind differs in what skops has to save: arrays, trees, random states, sparse matrices, bytes, sets.
TRAIN_ALL_KINDS = """
import hashlib, pathlib, sys
import numpy as np
import skops.io
from scipy.sparse import csr_matrix
from sklearn.ensemble import (GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier,
                              VotingClassifier)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from src.churn.train import save_model

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
y = np.where(X[:, 0] + X[:, 1] ** 2 > 0.5, "yes", "no")
shared = rng.normal(size=4)
noise = {"sets": {"one", "two", "three", ("a", 1), ("b", 2)}, "bytes": b"123", "first": shared, "second": shared}
kinds = {
    "logistic": LogisticRegression(),
    "forest": RandomForestClassifier(20, random_state=1),
    "boosting": GradientBoostingClassifier(n_estimators=10, random_state=1),
    "histogram": HistGradientBoostingClassifier(max_iter=5, random_state=1),
    "ridge": Ridge(),
    "svc": SVC(probability=False, random_state=1),
    "network": MLPClassifier((5,), max_iter=20, random_state=1),
    "neighbours": KNeighborsClassifier(),
    "voting": VotingClassifier([("a", LogisticRegression()), ("b", SVC(random_state=1))]),
    "shared": make_pipeline(FunctionTransformer(kw_args=noise), Ridge()),
}
for name, model in kinds.items():
    data = csr_matrix(X) if name == "neighbours" else X
    if name == "shared":
        model[-1].fit(X, X[:, 0])
        model[-1].again = model[-1].coef_
    else:
        model.fit(data, X[:, 0] if name == "ridge" else y)
    path = pathlib.Path(sys.argv[1], name)
    save_model(model, path)
    print(name, hashlib.sha256(path.read_bytes()).hexdigest())
    loaded = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    if name == "shared":
        assert loaded[-1].again is loaded[-1].coef_
        assert loaded[0].kw_args["sets"] == noise["sets"]
        assert loaded[0].kw_args["first"] is loaded[0].kw_args["second"]
    else:
        assert (loaded.predict(data) == model.predict(data)).all()
"""


def test_every_kind_of_model_has_the_same_bytes_in_every_process(project: Path, tmp_path: Path) -> None:
    processes = []
    for seed in ("1", "2", "random"):
        (tmp_path / seed).mkdir()
        processes.append(
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", TRAIN_ALL_KINDS, str(tmp_path / seed)],
                cwd=project,
                env={**os.environ, "PYTHONHASHSEED": seed},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    printed = [process.communicate()[0].split("\n") for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(printed[0]) == 11
    assert printed[0] == printed[1] == printed[2]


def test_the_sample_trains_to_the_same_bytes_in_another_process(sample: Path, project: Path, tmp_path: Path) -> None:
    args = [
        project / "params.yaml",
        sample / "models" / "churn.features.json",
        sample / "data" / "features" / "train.csv",
    ]
    again = tmp_path / "again.skops"
    subprocess.run([sys.executable, "-m", "src.churn.train", *args, again], cwd=project, check=True)
    assert again.read_bytes() == (sample / "models" / "churn.skops").read_bytes()


def test_another_seed_or_parameter_gives_another_model(
    sample: Path, run: Callable[..., None], write_params: Callable[..., Path], tmp_path: Path
) -> None:
    params = write_params("classification", "Churn", [], [])
    params.write_text(params.read_text().replace("train: {}", "train: {C: 0.5, max_iter: 1000}"))
    inputs = sample / "models" / "churn.features.json", sample / "data" / "features" / "train.csv"
    run("train", params, *inputs, tmp_path / "other.skops")
    assert (tmp_path / "other.skops").read_bytes() != (sample / "models" / "churn.skops").read_bytes()


def test_a_model_file_has_no_dates_addresses_or_compression(sample: Path) -> None:
    with zipfile.ZipFile(sample / "models" / "churn.skops") as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.compress_type == zipfile.ZIP_STORED
            assert entry.filename == "schema.json" or int(Path(entry.filename).stem) < 1000


def test_equal_arrays_stay_two_and_one_array_stays_one(modules: Any, tmp_path: Path) -> None:
    one, equal = np.arange(3.0), np.arange(3.0)
    modules.train.save_model(FunctionTransformer(kw_args={"a": one, "b": one, "c": equal}), tmp_path / "m.skops")
    args = modules.predict.load_model(tmp_path / "m.skops").kw_args
    assert args["a"] is args["b"]
    assert args["a"] is not args["c"]


def test_a_sparse_matrix_is_stored_without_compression(modules: Any, tmp_path: Path) -> None:
    """A compressor of another version would give other bytes."""
    matrix = csr_matrix(np.eye(50))
    modules.train.save_model(FunctionTransformer(kw_args={"matrix": matrix}), tmp_path / "m.skops")
    with zipfile.ZipFile(tmp_path / "m.skops") as archive:
        name = next(name for name in archive.namelist() if name.endswith(".npz"))
        with zipfile.ZipFile(io.BytesIO(archive.read(name))) as inner:
            assert {entry.compress_type for entry in inner.infolist()} == {zipfile.ZIP_STORED}
    loaded = skops.io.load(tmp_path / "m.skops", trusted=[csr_matrix])
    assert (loaded.kw_args["matrix"] != matrix).nnz == 0


@pytest.mark.parametrize("column", ["numbers", "categories"])
def test_a_model_needs_features_of_one_type_only(modules: Any, column: str) -> None:
    feature = {"name": "f", "type": "number"} if column == "numbers" else {"name": "f", "type": "category"}
    if column == "categories":
        feature["categories"] = ["1", "2"]  # type: ignore[assignment]
    spec = {"schema_version": 1, "task": "regression", "target": "y", "classes": [], "features": [feature]}
    frame = modules.prepare.pd.DataFrame({"f": ["1", "2", "1"], "y": ["10", "20", "10"]})
    model = modules.train.fit(frame, spec, {"alpha": 1e-9}, seed=1)
    assert modules.predict.predict(model, spec, frame)["prediction"].round(3).tolist() == [10.0, 20.0, 10.0]
