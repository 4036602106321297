"""CO04: code that the pipeline runs and does not declare."""

from __future__ import annotations

import pytest

from tests.versioning.checks.conftest import Change, Changes, Trial, codes, hints, refused_tag, said, swap
from tests.versioning.conftest import MODEL, Project
from versioning import judge
from versioning.git import Repository

PACKAGE = MODEL.replace("-", "_")
SRC = f"src/{PACKAGE}"
UTIL = f"{SRC}/util.py"
BODY = "x = 1\n"


def with_line(line: str) -> Change:
    """An edit of a module: one more import at its end."""
    return lambda text: f"{text}\n{line}\n"


def undeclared(path: str, through: str) -> str:
    return f"imports {path} (through {through}), which it does not declare: a change of it would retrain nothing"


LIES: dict[str, tuple[Changes, str, str]] = {
    "a new helper": (
        {f"{SRC}/train.py": with_line("from . import util"), UTIL: BODY}, "train", undeclared(UTIL, f"{SRC}/train.py")
    ),
    "a helper of a helper": (
        {f"{SRC}/featurize.py": with_line(f"from src.{PACKAGE} import util"), UTIL: BODY}, "evaluate",
        undeclared(UTIL, f"{SRC}/featurize.py"),
    ),
    "a helper that was taken off the list": (
        {"dvc.yaml": swap(f"      - {SRC}/train.py\n      - {SRC}/featurize.py\n", f"      - {SRC}/train.py\n")}, "train",
        undeclared(f"{SRC}/featurize.py", f"{SRC}/train.py"),
    ),
    "the module itself": (
        {"dvc.yaml": swap(f"      - {SRC}/train.py\n", "")}, "train",
        f"runs {SRC}/train.py, which it does not declare: a change of it would retrain nothing",
    ),
    "in a function": (
        {f"{SRC}/train.py": with_line("def late():\n    from .util import x"), UTIL: BODY}, "train", undeclared(UTIL, f"{SRC}/train.py")
    ),
    "the package's own file": (
        {f"{SRC}/__init__.py": BODY}, "train", f"runs {SRC}/__init__.py, which it does not declare"
    ),
    "of a stage in a loop": (
        {
            "dvc.yaml": swap(
                f"  train:\n    cmd: python -m src.{PACKAGE}.train",
                f"  more:\n    foreach: [a, b]\n    do:\n      cmd: python -m src.{PACKAGE}.more ${{item}}\n      deps: [{SRC}/train.py]\n"
                f"      outs: ['out-${{item}}']\n  train:\n    cmd: python -m src.{PACKAGE}.train",
            ),
            f"{SRC}/more.py": BODY,
        },
        "", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_co04_undeclared_code(trial: Trial, lie: str) -> None:
    changes, stage, says = LIES[lie]
    found = [it for it in trial.tagged(changes) if it.code == "CO04"]
    if not stage:  # a stage that is not behind the model
        assert not found, said(found)
        return
    (finding,) = [it for it in found if it.path == f"$.stages.{stage}.deps"]
    assert finding.file == "dvc.yaml" and finding.message.startswith(f"{stage} {says}"), said(found)
    assert finding.expected in finding.message and finding.expected not in finding.actual


def test_co04_a_stage_of_a_loop_is_named_as_it_is_written(trial: Trial) -> None:
    text = trial.read("dvc.yaml")
    start, end = text.index("  prepare:"), text.index("  featurize:")
    body = "".join(f"  {line}\n" for line in text[start:end].splitlines()[1:]).replace(f"        - {SRC}/prepare.py\n", "")
    changed = text[:start] + "  prepare:\n    foreach: [a]\n    do:\n" + body + text[end:]
    found = [it for it in trial.tagged({"dvc.yaml": changed}) if it.code == "CO04"]
    assert [(it.path, it.expected) for it in found] == [("$.stages.prepare.deps", f"{SRC}/prepare.py")], said(found)


def test_co04_the_hint_mends_it(project: Project) -> None:
    project.write(f"{SRC}/train.py", project.read(f"{SRC}/train.py") + "\nfrom . import other, util\n")
    for name in ("other", "util"):
        project.write(f"{SRC}/{name}.py", BODY)
    project.dvc("repro")
    project.commit("Train with helpers")
    output = refused_tag(project, f"dvc.yaml::$.stages.train.deps: CO04 train {undeclared(UTIL, f'{SRC}/train.py')}")
    hint = next(hint for hint in hints(output) if "under deps:" in hint)
    what, _, command = hint.partition(", then: ")
    assert what == f'add "- {SRC}/other.py" and "- {UTIL}" under deps: of train in dvc.yaml'
    project.replace("dvc.yaml", f"      - {SRC}/train.py\n", f"      - {SRC}/train.py\n      - {SRC}/other.py\n      - {UTIL}\n")
    assert project.sh(command).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_co04_work_in_progress_commits_freely(project: Project) -> None:
    project.write(f"{SRC}/train.py", project.read(f"{SRC}/train.py") + "\nfrom . import util\n")
    project.write(UTIL, BODY)
    project.edit_sidecar(lambda it: it.update(extra={"note": "trying"}))
    project.commit("Work in progress")


NEAR: dict[str, Changes] = {
    "a module that nothing imports": {UTIL: BODY},
    "an empty __init__": {f"{SRC}/__init__.py": "", "src/__init__.py": '"""Code."""\n'},
    "a test": {"tests/test_more.py": f"from src.{PACKAGE} import train\n"},
    "a type": {
        f"{SRC}/train.py": with_line("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import util"), UTIL: BODY
    },
    "no Python": {f"{SRC}/train.py": with_line("def (")},
    "a library": {f"{SRC}/train.py": with_line("import polars.dataframe"), "polars/README.md": "Notes.\n"},
    "a notebook": {"dvc.yaml": swap(f"python -m src.{PACKAGE}.train ", "papermill train.ipynb "), UTIL: BODY},
    "the folder": {
        "dvc.yaml": swap(f"      - {SRC}/train.py\n      - {SRC}/featurize.py\n      - {SRC}/prepare.py\n", "      - src\n"),
        f"{SRC}/train.py": with_line("from . import util"), UTIL: BODY,
    },
    "parameters in Python": {
        f"{SRC}/train.py": with_line("from . import util"), UTIL: BODY,
        "dvc.yaml": swap("      - seed\n      - train\n", f"      - seed\n      - train\n      - {UTIL}:\n          - x\n"),
    },
    "a frozen stage": {
        f"{SRC}/train.py": with_line("from . import util"), UTIL: BODY,
        "dvc.yaml": swap(f"  train:\n    cmd: python -m src.{PACKAGE}.train", f"  train:\n    frozen: true\n    cmd: python -m src.{PACKAGE}.train"),
    },
}  # fmt: skip


@pytest.mark.parametrize("near", NEAR)
def test_near_misses_pass(trial: Trial, near: str) -> None:
    found = trial.tagged(NEAR[near])
    assert "CO04" not in codes(found), said(found)


def test_on_disk_only_what_git_would_hold_counts(project: Project) -> None:
    project.write(f"{SRC}/train.py", project.read(f"{SRC}/train.py") + "\nfrom . import local, util\n")
    for name in ("local", "util"):
        project.write(f"{SRC}/{name}.py", BODY)
    project.write(".gitignore", project.read(".gitignore") + f"{SRC}/local.py\n")
    with Repository(project.path) as repository:
        found = [it for it in judge.release_on_disk(repository, "").findings if it.code == "CO04"]
    assert [it.expected for it in found] == [UTIL], said(found)
