"""ST: a release that puts itself into production."""

from __future__ import annotations

from tests.versioning.checks.conftest import Trial, codes, hints, put, refused_commit, refused_tag, said, swap
from tests.versioning.conftest import SIDECAR, Project


def test_st01_at_the_tag_and_at_the_commit(project: Project) -> None:
    project.edit_sidecar(lambda it: it.update(stage="prod"))
    message = f"{SIDECAR}::$.stage: ST01 says prod, a new release enters at staging"
    refused_commit(project, message, "hint: dvc repro -f -s sidecar")
    project.force_commit()
    (hint,) = hints(refused_tag(project, message))
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and project.sidecar()["stage"] == "staging"


def test_st01_every_other_stage(trial: Trial) -> None:
    for stage in ("dev", "canary", "prod", "retired"):
        for found in (trial.tagged({SIDECAR: put(stage, "stage")}), trial.staged({SIDECAR: put(stage, "stage")})):
            assert codes(found) == {"ST01"} and f"says {stage}, a new release enters at staging" in said(found)


def test_st01_another_first_stage_is_the_policy_s_choice(trial: Trial) -> None:
    first = swap("  - staging\n  - canary\n", "  - canary\n")
    assert not trial.tagged({"versioning.yaml": first, SIDECAR: put("canary", "stage")})
    assert codes(trial.tagged({"versioning.yaml": first})) == {"ST01"}


def test_st01_an_unknown_stage_in_the_policy(trial: Trial) -> None:
    found = trial.tagged({"versioning.yaml": swap("  - staging\n", "  - production\n")})
    assert any(it.code == "SC01" and it.file == "versioning.yaml" and "production" in it.message for it in found), said(found)


def test_st01_a_file_that_approves_of_itself(trial: Trial) -> None:
    for found in (trial.tagged({SIDECAR: put(True, "tags", "approved")}), trial.staged({SIDECAR: put(True, "tags", "approved")})):
        assert codes(found) == {"ST01"} and "$.tags.approved: ST01 says true, and a sidecar is written before" in said(found)
