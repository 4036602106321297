"""dvc.yaml declares what the stages read: DVC would call a stage up to date although something else changed."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, StrictUndefined
from ruamel.yaml import YAML

TEMPLATE = Path(__file__).parents[2] / "{{cookiecutter.__project_slug}}"
SOURCE = TEMPLATE / "src" / "{{cookiecutter.__package}}"


def dvc_yaml(task: str, model: str = "churn") -> Any:
    names = {"__package": "churn", "__model": model, "__task": task, "__data_file": "raw.csv"}
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string((TEMPLATE / "dvc.yaml").read_text())  # noqa: S701
    return YAML(typ="safe").load(template.render(cookiecutter=names))


def imported(module: str) -> set[str]:
    """The module's file and those that it imports, directly or not."""
    tree = ast.parse((SOURCE / f"{module}.py").read_text())
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1]
    return {f"src/churn/{module}.py"}.union(*(imported(name) for name in names if name))


@pytest.mark.parametrize("stage", ["prepare", "featurize", "train", "evaluate"])
def test_a_stage_declares_each_module_that_it_imports(stage: str) -> None:
    declared = {path for path in dvc_yaml("classification")["stages"][stage]["deps"] if path.startswith("src/")}
    assert declared == imported(stage)


@pytest.mark.parametrize("stage", ["prepare", "featurize", "train", "evaluate"])
def test_a_stage_reads_no_parameter_that_it_does_not_declare(
    stage: str, sample: Path, project: Path, run: Callable[..., None], tmp_path: Path
) -> None:
    description = dvc_yaml("classification")["stages"][stage]
    everything = YAML(typ="safe").load(project / "params.yaml")
    declared: dict[str, Any] = {}
    for key in description.get("params", []):
        section, _, name = key.partition(".")
        if name:
            declared.setdefault(section, {})[name] = everything[section][name]
        else:
            declared[section] = everything[section]
    params = tmp_path / "params.yaml"
    YAML(typ="safe").dump(declared, params)
    inputs = [path for path in description["deps"] if path.startswith(("data/", "models/"))]
    outputs = [path if isinstance(path, str) else next(iter(path)) for path in description.get("outs", ["reports"])]
    places = {path: sample / path for path in inputs} | {path: tmp_path / path for path in outputs}
    places |= {"data/raw/raw.csv": project / "raw.csv", "params.yaml": params}
    words = description["cmd"].split()
    assert words[:3] == ["python", "-m", f"src.churn.{stage}"]
    run(stage, *(places[word] for word in words[3:]))
    for path in outputs:
        if path != "reports":
            assert (tmp_path / path).read_bytes() == (sample / path).read_bytes()


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_sidecar_stage_depends_on_each_report_and_has_no_outputs(task: str) -> None:
    stages = dvc_yaml(task)["stages"]
    plots = {path if isinstance(path, str) else next(iter(path)) for path in stages["evaluate"]["plots"]}
    sidecar = stages["sidecar"]
    assert {path for path in sidecar["deps"] if path.startswith("reports/")} == {"reports/metrics.json", *plots}
    assert sidecar["params"] == ["version", "data.id"]
    assert "outs" not in sidecar


def test_evaluate_names_the_reports_that_it_writes(sample: Path) -> None:
    plots = dvc_yaml("classification")["stages"]["evaluate"]["plots"]
    named = {path if isinstance(path, str) else next(iter(path)) for path in plots} | {"reports/metrics.json"}
    assert named == {f"reports/{path.name}" for path in (sample / "reports").iterdir()}


@pytest.mark.parametrize("model", ["123", "true", "2024-01-01", "1e3"])
def test_a_model_name_that_yaml_would_read_as_something_else(model: str) -> None:
    assert dvc_yaml("classification", model)["artifacts"] == {
        model: {"path": f"models/{model}.skops", "type": "model", "desc": "scikit-learn pipeline in the skops format"}
    }
