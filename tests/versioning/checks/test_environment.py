"""EN: another environment than the one that trained."""

from __future__ import annotations

import hashlib

from tests.versioning.checks.conftest import Trial, codes, hints, put, refused_tag, said, swap
from tests.versioning.conftest import SIDECAR, Project

LOCK = "requirements.lock"


def test_en01_another_runtime_lock(project: Project) -> None:
    project.write(LOCK, project.read(LOCK) + "# a comment is another lock: uv writes none by itself\n")
    project.commit("Newer packages")
    here = hashlib.md5(project.read(LOCK).encode(), usedforsecurity=False).hexdigest()
    output = refused_tag(project, f"{LOCK}: EN01 is not the lock trained with: dvc.lock says", f"here it is {here[:10]}…")
    assert f"{SIDECAR}::$.environment.lock_sha256: EN01 says" in output
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_en01_named_by_the_sidecar_as_if_it_had_trained(trial: Trial) -> None:
    newer = trial.read(LOCK) + "# newer\n"
    claimed = put(hashlib.sha256(newer.encode()).hexdigest(), "environment", "lock_sha256")
    found = trial.tagged({LOCK: newer, SIDECAR: claimed})
    assert f"{LOCK}: EN01 is not the lock trained with" in said(found)


def test_en01_no_lock(trial: Trial) -> None:
    assert f"EN01 names a runtime lock, and {LOCK} is not there" in said(trial.tagged({LOCK: None}))
    assert "EN01 does not say which runtime lock" in said(trial.tagged({SIDECAR: put(None, "environment")}))
    found = trial.tagged({"dvc.yaml": swap("      - requirements.lock\n", "")})  # of train; the sidecar's trains nothing
    assert codes(found) == {"EN01"} and "is a dependency of no stage in dvc.lock" in said(found), said(found)


def test_en01_tools_force_no_training(project: Project) -> None:
    project.write("requirements-dev.lock", project.read("requirements-dev.lock") + "# newer tools\n")
    project.commit("Newer tools")
    project.tag("v0.1.0")


def test_en01_is_not_asked_at_a_commit(project: Project) -> None:
    project.write(LOCK, project.read(LOCK) + "# newer\n")
    project.edit_sidecar(lambda it: it.update(extra={}))
    project.commit("Work in progress")
