"""The pipeline's modules, imported from a rendered copy in which the package is called `churn`."""

import importlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

TEMPLATE = Path(__file__).parents[2] / "{{cookiecutter.__project_slug}}"
MODULES = ("prepare", "featurize", "train", "predict", "evaluate")

Run = Callable[..., None]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source, the parameters and the raw table of the sample; tests write elsewhere."""
    folder = tmp_path_factory.mktemp("project")
    source = TEMPLATE / "src" / "{{cookiecutter.__package}}"
    (folder / "src" / "churn").mkdir(parents=True)
    for module in MODULES:
        shutil.copy(source / f"{module}.py", folder / "src" / "churn")
    shutil.copy(TEMPLATE / "params.yaml", folder)
    shutil.copy(TEMPLATE / "data" / "raw" / "telco-customer-churn.csv", folder / "raw.csv")
    return folder


@pytest.fixture(scope="session")
def modules(project: Path) -> Any:
    sys.path.insert(0, str(project))
    return SimpleNamespace(**{name: importlib.import_module(f"src.churn.{name}") for name in MODULES})


@pytest.fixture(scope="session")
def run(modules: Any) -> Run:
    """Run a stage with command line arguments, in this process: importing scikit-learn takes seconds."""

    def run_stage(stage: str, *args: object) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [stage, *map(str, args)])
            getattr(modules, stage).main()

    return run_stage


@pytest.fixture(scope="session")
def pipeline(run: Run) -> Callable[[Path, Path, Path], Path]:
    """Run all stages on a raw table into a folder, with the names that dvc.yaml uses."""

    def run_all(raw: Path, params: Path, to: Path) -> Path:
        prepared = [to / "data" / "prepared" / name for name in ("train.csv", "test.csv")]
        features = [to / "data" / "features" / name for name in ("train.csv", "test.csv")]
        model, spec = to / "models" / "churn.skops", to / "models" / "churn.features.json"
        run("prepare", raw, params, *prepared)
        run("featurize", params, *prepared, spec, *features)
        run("train", params, spec, features[0], model)
        run("evaluate", model, spec, features[1], to / "reports")
        return to

    return run_all


@pytest.fixture(scope="session")
def sample(project: Path, pipeline: Callable[[Path, Path, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pipeline makes of the sample."""
    return pipeline(project / "raw.csv", project / "params.yaml", tmp_path_factory.mktemp("sample"))


@pytest.fixture
def write_params(tmp_path: Path) -> Callable[..., Path]:
    """Write a params.yaml for a table of one's own."""

    def write(task: str, target: str, numeric: list[str], categorical: list[str], test_size: float = 0.25) -> Path:
        path = tmp_path / "params.yaml"
        path.write_text(
            f"seed: 1\ndata: {{target: {target}, task: {task}}}\nsplit: {{test_size: {test_size}}}\n"
            f"features: {{numeric: {numeric}, categorical: {categorical}}}\ntrain: {{}}\n"
        )
        return path

    return write
