"""`docs/own-data.md`, word by word: from a table of one's own to a release, and on with the next export of it."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT

from .conftest import Project, shell_environment

HOW_TO = ROOT / "docs/own-data.md"
TABLE = ROOT / "tests/data/penguins-raw.csv"


def blocks(language: str) -> list[str]:
    """What the how-to says to write or to type."""
    return re.findall(rf"^```{language}\n(.*?)^```", HOW_TO.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path, home: Path, template: Path) -> Project:
    """A shell in the folder where the project will be made, with the table in it."""
    (tmp_path / "penguins.csv").write_bytes(TABLE.read_bytes())
    (home / "exports").mkdir()
    shell = Project(tmp_path, shell_environment(home, tmp_path / "penguins"))
    shell.environment["TEMPLATE"] = str(template)
    return shell


def typed(shell: Project, line: str) -> str:
    """Type a line; cookiecutter shall ask nothing and install nothing."""
    line = line.replace("cookiecutter <template>", f'"{sys.executable}" -m cookiecutter "$TEMPLATE" --no-input _install=no')
    done = shell.sh(line)
    assert done.status == 0, shell.story
    return done.output


def test_from_a_table_to_its_next_export(shell: Project, home: Path) -> None:
    start, export, release, score, *_ = blocks("sh")
    generate, _, _, *train = start.splitlines()
    said = typed(shell, generate)
    assert "classification of Species from 7 number, 5 category and 1 date columns" in said
    project = Project(shell.path / "penguins", shell.environment, shell.log)
    (project.path / ".venv").symlink_to(sys.prefix)
    shown = blocks("yaml")[0].splitlines()
    assert [line for line in shown if line not in project.read("params.yaml").splitlines()] == []
    for line in train:
        typed(project, line)
    project.assert_released("v0.1.0")
    first = json.loads(project.read("models/penguins.json"))
    assert first["metrics"]["accuracy"] > 0.9

    with TABLE.open(encoding="utf-8", newline="") as stream, (home / "exports/penguins.csv").open("w", encoding="utf-8") as out:
        header, *rows = csv.reader(stream)
        csv.writer(out, delimiter=";").writerows([header, *rows, *rows[::2]])
    for line in export.splitlines():
        typed(project, line)
    (new,) = re.findall(r"^  id: .*", blocks("yaml")[1], re.MULTILINE)
    (old,) = re.findall(r"^  id: .*", project.read("params.yaml"), re.MULTILINE)
    project.replace("params.yaml", old, new)
    for line in release.splitlines():
        typed(project, line)
    project.assert_released("v0.2.0")
    second = json.loads(project.read("models/penguins.json"))
    assert second["data_id"] == "penguins-2026-12-01" and second["data"]["md5"] != first["data"]["md5"]
    assert second["features"] != first["features"] or second["artifact"] != first["artifact"]
    typed(project, score.replace("\\\n", ""))
    assert len(pd.read_csv(project.path / "predictions.csv")) == 344 + 172
    (project.path / "predictions.csv").unlink()
    project.git("checkout", "-q", "v0.1.0")
    assert (project.path / "data/raw/penguins.csv").read_bytes() == TABLE.read_bytes()


def test_a_new_export_under_the_old_id_is_refused(shell: Project) -> None:
    start, *_ = blocks("sh")
    generate, _, _, *train = start.splitlines()
    typed(shell, generate)
    project = Project(shell.path / "penguins", shell.environment, shell.log)
    (project.path / ".venv").symlink_to(sys.prefix)
    for line in train:
        typed(project, line)
    lines = TABLE.read_text("utf-8").splitlines(keepends=True)
    project.write("data/raw/penguins.csv", "".join(lines[:-9]))
    for line in ("dvc add data/raw/penguins.csv", "dvc repro", 'git add -A && git commit -m "Train"'):
        typed(project, line)
    assert "DA02" in project.refused("model", "release", "minor")


def test_parquet(shell: Project) -> None:
    pd.read_csv(TABLE, na_values="NA").to_parquet(shell.path / "penguins.parquet")
    said = typed(shell, blocks("sh")[4])
    assert "data/raw/penguins.parquet: classification of Species" in said
    assert (shell.path / "birds/data/raw/penguins.parquet").read_bytes() == (shell.path / "penguins.parquet").read_bytes()


def test_the_measurement(shell: Project) -> None:
    """On a table of a few megabytes."""
    (line,) = blocks("sh")[5].splitlines()
    said = typed(
        shell, line.replace("python benchmarks/large_table.py 2", f'"{sys.executable}" "{ROOT}/benchmarks/large_table.py" 0.001')
    )
    assert re.findall(r"^(\w+) +\d+ s, ", said, re.MULTILINE) == ["cookiecutter", "prepare", "featurize", "train", "evaluate"]


def trained(shell: Project) -> Project:
    """The project of the page, up to its first release."""
    generate, _, _, *train = blocks("sh")[0].splitlines()
    typed(shell, generate)
    project = Project(shell.path / "penguins", shell.environment, shell.log)
    (project.path / ".venv").symlink_to(sys.prefix)
    for line in train:
        typed(project, line)
    return project


def edit(project: Project, path: str, pattern: str, new: str) -> None:
    """Put what the page shows in the place of what stands there."""
    text, count = re.subn(pattern, lambda _: new, project.read(path), flags=re.MULTILINE)
    assert count == 1, pattern
    project.write(path, text)


def test_another_target_of_the_same_task_and_another_task(shell: Project) -> None:
    project = trained(shell)
    project.replace("params.yaml", 'target: "Species"', 'target: "Sex"')
    project.replace("params.yaml", '    - "Sex"\n', '    - "Species"\n')
    said = typed(project, "dvc repro")
    assert "rows have no target and are left out" in said
    assert json.loads(project.read("models/penguins.features.json"))["target"] == "Sex"
    assert json.loads(project.read("reports/metrics.json"))["accuracy"] > 0.8
    project.git("checkout", "-q", ".")

    target, numeric, train, plots, deps, evaluation, thresholds = blocks("yaml")[2:]
    edit(project, "params.yaml", r"  target: .*\n  task: .*\n", target)
    edit(project, "params.yaml", r"  numeric:\n(    - .*\n)+", numeric)
    stopped = project.run("dvc", "repro")
    assert stopped.status and "unexpected keyword argument 'C'" in stopped.output and "; Ridge takes alpha, " in stopped.output
    edit(project, "params.yaml", r"^train:.*\n(  .*\n)+", train)
    stopped = project.run("dvc", "repro")
    assert stopped.status and "output 'reports/confusion_matrix.csv' does not exist" in " ".join(stopped.output.split())
    edit(project, "dvc.yaml", r"(?<=    plots:\n)(      .*\n)+", plots)
    edit(project, "dvc.yaml", r"(      - reports/(confusion_matrix|calibration)\.\w+\n)+(?=    params:)", deps)
    edit(project, "versioning.yaml", r"  evaluation:\n(    - .*\n)+", evaluation)
    edit(project, "versioning.yaml", r"^thresholds: \{\}\n", thresholds)
    for line in blocks("sh")[6].splitlines():
        typed(project, line)
    project.assert_released("v1.0.0")
    sidecar = json.loads(project.read("models/penguins.json"))
    assert sidecar["metrics"]["r2"] > 0.5 and {"r2", "rmse", "mae"} <= set(sidecar["metrics"])
