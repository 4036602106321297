"""Pipelines in folders below: their outputs may be what the model is made from, so their stages are judged with the others."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.versioning.test_pipeline import append, build, committed, copied, on_disk, remove, replace, write
from versioning import pipeline as dvc
from versioning.errors import Malformed
from versioning.git import Repository
from versioning.snapshot import CommitSnapshot, DiskSnapshot

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

FILES = {
    "dvc.yaml": """\
stages:
  train:
    cmd: cat data/clean.csv notes/kept.txt > model.txt
    deps: [data/clean.csv, notes/kept.txt]
    outs: [model.txt]
artifacts:
  m: {path: model.txt, type: model}
""",
    "data/dvc.yaml": """\
stages:
  clean:
    cmd: cp raw.csv clean.csv
    deps: [raw.csv]
    params: [rows, ../params.yaml: [seed]]
    outs: [clean.csv]
""",
    "notes/dvc.yaml": """\
vars: [own.yaml]
stages:
  keep:
    foreach: [kept]
    do:
      wdir: ${where}
      cmd: cp ../../data/raw.csv ../${item}.txt
      deps: [../../data/raw.csv]
      outs:
        - ../${item}.txt: {cache: false}
""",
    "notes/own.yaml": "where: in\n",
    "notes/in/.keep": "",
    "data/raw.csv": "1,2\n",
    "data/params.yaml": "rows: 3\n",
    "params.yaml": "seed: 1\n",
    ".gitignore": "",
}
CLEAN, KEEP = "data/dvc.yaml:clean", "notes/dvc.yaml:keep@kept"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("below") / "repo", FILES)


@pytest.fixture
def below(once: Path, tmp_path: Path) -> Path:
    return copied(once, tmp_path / "repo")


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "nothing": (lambda folder: None, set()),
    "what all are made from": (write("data/raw.csv", "3,4\n"), {CLEAN, KEEP}),
    "a parameter of a folder": (write("data/params.yaml", "rows: 4\n"), {CLEAN}),
    "a parameter of the top": (write("params.yaml", "seed: 2\n"), {CLEAN}),
    "an output that Git keeps": (write("notes/kept.txt", "9\n"), {"train", KEEP}),
    "a command": (replace("data/dvc.yaml", "cp raw.csv", "cp -f raw.csv"), {CLEAN}),
    "no lock": (remove("data/dvc.lock"), {CLEAN}),
    "another pipeline that never ran": (write("more/dvc.yaml", "stages: {a: {cmd: echo}}\n"), {"more/dvc.yaml:a"}),
    "one that .dvcignore hides": (lambda folder: (write("more/dvc.yaml", "stages: [1\n")(folder), write(".dvcignore", "more/\n")(folder)), set()),
    "one of a project inside": (lambda folder: (write("more/dvc.yaml", "stages: [1\n")(folder), write("more/.dvc/config", "")(folder)), set()),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_the_verdict_is_that_of_dvc(below: Path, name: str) -> None:
    from dvc.repo import Repo

    change, expected = CHANGES[name]
    change(below)
    with Repo(str(below)) as repo:
        said = set(repo.status())
    assert _from_the_top(said, below) == on_disk(below) == committed(below) == expected


def _from_the_top(said: set[str], folder: Path) -> set[str]:
    """DVC names stages as seen from where it runs."""
    here = os.path.relpath(folder)
    return {stage.removeprefix(f"{here}/").removeprefix("dvc.yaml:") for stage in said}


def test_the_stages_behind_a_model_are_found_across_folders(below: Path) -> None:
    with Repository(below) as repository:
        pipeline = dvc.load(DiskSnapshot(repository))
    assert pipeline.upstream("model.txt") == ["train", CLEAN, KEEP]
    assert pipeline.recorded_params([CLEAN]) == {"data/params.yaml": {"rows": 3}, "seed": 1}
    assert pipeline.stages[CLEAN].lock == "data/dvc.lock"


def test_a_broken_file_is_named(below: Path) -> None:
    append("data/dvc.yaml", "- \n")(below)
    subprocess.run(["git", "commit", "-q", "-am", "Break"], cwd=below, check=True)
    with Repository(below) as repository, pytest.raises(Malformed, match=r"^data/dvc\.yaml is not YAML"):
        dvc.load(CommitSnapshot(repository, repository.head() or ""))
