"""The small repository is an honest one: DVC, the gate and the generated project say so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.versioning import small
from tests.versioning.conftest import SIDECAR, Project
from versioning import judge
from versioning.documents import load_yaml
from versioning.findings import as_text
from versioning.git import Repository
from versioning.snapshot import CommitSnapshot


def test_dvc_finds_it_up_to_date(tmp_path: Path) -> None:
    made = small.build(tmp_path / "small")
    status = subprocess.run([sys.executable, "-m", "dvc", "status"], cwd=made.path, capture_output=True, text=True, check=True)
    assert "Data and pipelines are up to date." in status.stdout
    dirt = subprocess.run(["git", "status", "--porcelain"], cwd=made.path, capture_output=True, text=True, check=True)
    assert dirt.stdout == ""


def test_every_release_of_it_is_accepted(tmp_path: Path) -> None:
    made = small.build(tmp_path / "small", released=3)
    with Repository(made.path) as repository:
        tags = repository.run("tag").split()
        assert tags == ["v0.1.0", "v0.2.0", "v0.3.0"]
        for tag, commit in [*((tag, repository.resolve(tag)) for tag in tags), (made.version, made.commit)]:
            report = judge.tagged(repository, tag, str(commit))
            assert report is not None and not report.findings, as_text(report)


def test_it_is_the_same_everywhere(tmp_path: Path) -> None:
    one, other = small.build(tmp_path / "one"), small.build(tmp_path / "other")
    assert (one.commit, one.files) == (other.commit, other.files)
    subprocess.run(["git", "fsck", "--strict"], cwd=one.path, check=True, capture_output=True)


def test_a_forged_commit_holds_what_was_asked_for(tmp_path: Path) -> None:
    made = small.build(tmp_path / "small")
    commit = made.forge({"README.md": None, "a/b/c.txt": b"deep", "params.yaml": b"{}"})
    with Repository(made.path) as repository:
        forged = CommitSnapshot(repository, commit)
        assert set(forged.files()) == {*made.files, "a/b/c.txt"} - {"README.md"}
        assert (forged.read("a/b/c.txt"), forged.read("params.yaml")) == (b"deep", b"{}")
        assert repository.is_ancestor(made.commit, commit)
    subprocess.run(["git", "fsck", "--strict"], cwd=made.path, check=True, capture_output=True)


def test_it_is_laid_out_as_a_generated_project(project: Project) -> None:
    """The same stages over the same files, and a sidecar of the same fields."""
    generated = load_yaml(project.read("dvc.yaml").encode())
    assert _outline(small.PIPELINE) == _outline(generated)
    made = json.loads(small.build(project.path.with_name("small")).files[small.SIDECAR])
    assert small.SIDECAR == SIDECAR
    assert _fields(made) == _fields(project.sidecar())
    assert set(small.POLICY) >= {"model", "team", "stages", "paths"} and small.POLICY["paths"] == _policy(project)["paths"]


def _outline(pipeline: dict[str, Any]) -> dict[str, Any]:
    kinds = ("deps", "outs", "metrics", "plots", "params")
    named = {
        name: {kind: {next(iter(it)) if isinstance(it, dict) else it for it in stage.get(kind, [])} for kind in kinds}
        | {"cmd": " ".join(stage["cmd"].split())}
        for name, stage in pipeline["stages"].items()
    }
    return {"stages": named, "artifacts": pipeline["artifacts"]}


def _fields(sidecar: dict[str, Any]) -> dict[str, Any]:
    """The keys, two deep; those of hyperparameters and metrics are each project's own."""
    own = ("hyperparameters", "metrics")
    return {key: set(value) if isinstance(value, dict) and key not in own else type(value) for key, value in sidecar.items()}


def _policy(project: Project) -> dict[str, Any]:
    policy: dict[str, Any] = load_yaml(project.read("versioning.yaml").encode())
    return policy
