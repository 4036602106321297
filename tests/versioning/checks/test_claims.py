"""HP and ME: numbers that the pipeline did not record."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.versioning.checks.conftest import (
    Changes,
    Trial,
    codes,
    edited,
    hints,
    put,
    refused_commit,
    refused_tag,
    said,
    swap,
    without,
)  # fmt: skip
from tests.versioning.conftest import METRICS, SIDECAR, Project


def test_hp01_at_the_tag_and_at_the_commit(project: Project) -> None:
    project.edit_sidecar(lambda it: it["hyperparameters"]["train"].update(C=0.5))
    message = f"{SIDECAR}::$.hyperparameters.train.C: HP01 says 0.5, dvc.lock recorded 1.0"
    refused_commit(project, message, "hint: dvc repro -f -s sidecar")
    project.force_commit()
    output = refused_tag(project, message)
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and project.sidecar()["hyperparameters"]["train"]["C"] == 1.0


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (put(1, "hyperparameters", "train", "C"), "says 1, dvc.lock recorded 1.0"),
        (put("1.0", "hyperparameters", "train", "C"), "says '1.0', dvc.lock recorded 1.0"),
        (put(True, "hyperparameters", "train", "C"), "says True, dvc.lock recorded 1.0"),
        (without("hyperparameters", "train", "C"), "says nothing, dvc.lock recorded 1.0"),
        (put(3, "hyperparameters", "train", "depth"), "says 3, dvc.lock recorded nothing"),
        (put({}, "hyperparameters"), "says nothing, dvc.lock recorded 42"),
        (
            edited(lambda it: it["hyperparameters"]["features"]["numeric"].pop()),
            "HP01 says ['tenure', 'MonthlyCharges'], dvc.lock",
        ),
        (put(7, "seed"), "$.seed: HP01 says 7, dvc.lock recorded 42"),
    ],
)
def test_hp01_key_for_key(trial: Trial, edit: object, says: str) -> None:
    changes: Changes = {SIDECAR: edit}  # type: ignore[dict-item]
    for found in (trial.tagged(changes), trial.staged(changes)):
        assert codes(found) == {"HP01"} and says in said(found), said(found)


def test_me01_metrics_edited_in_the_sidecar_only(project: Project) -> None:
    true = project.sidecar()["metrics"]["roc_auc"]
    project.edit_sidecar(lambda it: it["metrics"].update(roc_auc=0.99))
    message = f"{SIDECAR}::$.metrics.roc_auc: ME01 says 0.99, {METRICS} says {true}"
    refused_commit(project, message, "hint: dvc repro -f -s sidecar")
    project.force_commit()
    (hint,) = hints(refused_tag(project, message))
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and project.sidecar()["metrics"]["roc_auc"] == true


@pytest.mark.parametrize("flags", [("-a",), (SIDECAR,), ("--only", SIDECAR)])
def test_me01_at_a_commit_that_stages_for_itself(project: Project, flags: tuple[str, ...]) -> None:
    before = project.git("rev-parse", "HEAD")
    project.edit_sidecar(lambda it: it["metrics"].update(roc_auc=0.99))
    assert "ME01 says 0.99" in project.refused("git", "commit", "-m", "Lie", *flags)
    assert project.git("rev-parse", "HEAD") == before


def test_me01_metrics_edited_in_the_file_only(project: Project) -> None:
    true = project.sidecar()["metrics"]["roc_auc"]
    project.replace(METRICS, str(true), "0.99")
    project.force_commit()
    output = refused_tag(
        project, f"{SIDECAR}::$.metrics.roc_auc: ME01 says {true}, {METRICS} says 0.99",
        f"{METRICS}: ME01 is not the file that dvc.lock recorded",
    )  # fmt: skip
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and json.loads(project.read(METRICS))["roc_auc"] == true


def test_me01_metrics_edited_in_both(project: Project) -> None:
    true = str(project.sidecar()["metrics"]["roc_auc"])
    for path in (SIDECAR, METRICS):
        project.replace(path, true, "0.99")
    message = f"{METRICS}: ME01 is not the file that dvc.lock recorded"
    refused_commit(project, message)
    project.force_commit()
    refused_tag(project, message, "hint: dvc repro")


def test_me01_no_metrics_file(trial: Trial) -> None:
    for found in (trial.tagged({METRICS: None}), trial.staged({METRICS: None, SIDECAR: lambda text: text + "\n"})):
        assert f"ME01 stands for {METRICS}, which is not there" in said(found)


def test_me01_key_for_key(trial: Trial) -> None:
    for edit in (
        without("metrics", "f1"),
        put(1, "metrics", "auc"),
        put(1409.0, "metrics", "rows"),
        put({"a": 1}, "metrics", "f1"),
    ):
        for found in (trial.tagged({SIDECAR: edit}), trial.staged({SIDECAR: edit})):
            assert codes(found) == {"ME01"}, said(found)


NOT_FINITE = {
    "NaN": "holds NaN", "Infinity": "holds Infinity", "1e400": "holds 1e400", '"0.84"': "is '0.84'", "true": "is True",
    "null": "is None", "[0.8, false]": "is False", '{"fold": "x"}': "is 'x'", "{}": "is {}",
}  # fmt: skip


@pytest.mark.parametrize("value", NOT_FINITE)
def test_me02_no_finite_number(trial: Trial, value: str) -> None:
    true = f'"roc_auc": {json.loads(trial.read(METRICS))["roc_auc"]}'
    changes: Changes = {path: (lambda text: text.replace(true, f'"roc_auc": {value}')) for path in (SIDECAR, METRICS)}
    for found in (trial.tagged(changes), trial.staged(changes)):
        assert any(it.code == "ME02" and NOT_FINITE[value] in it.message and it.hint for it in found), said(found)


def test_me02_at_the_tag_and_at_the_commit(project: Project) -> None:
    true = f'"roc_auc": {project.sidecar()["metrics"]["roc_auc"]}'
    for path in (SIDECAR, METRICS):
        project.replace(path, true, '"roc_auc": "0.84"')
    message = f"{SIDECAR}::$.metrics.roc_auc: ME02 is '0.84', which is no finite number"
    refused_commit(project, message)
    project.force_commit()
    refused_tag(project, message)


def test_a_sidecar_of_another_branch(project: Project) -> None:
    """Everything that it says is true, of another model."""
    mine = project.read(SIDECAR)
    project.git("switch", "-q", "-c", "other")
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.dvc("repro", "-q")
    project.commit("Less regularisation")
    theirs = project.read(SIDECAR)
    project.git("switch", "-q", "main")
    assert project.read(SIDECAR) == mine
    project.write(SIDECAR, theirs)
    refused_commit(project, "AR01 says", "HP01 says 0.5, dvc.lock recorded 1.0", "ME01 says")
    project.force_commit()
    output = refused_tag(project, "AR01 says", "HP01 says 0.5, dvc.lock recorded 1.0", "ME01 says", "AR03 says")
    assert project.sh(hints(output)[0]).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and project.sidecar()["hyperparameters"]["train"]["C"] == 1.0


def _threshold(text: str) -> Callable[[str], str]:
    return swap("  roc_auc:\n    min: 0.75\n", text)


@pytest.mark.parametrize(
    ("threshold", "says"),
    [
        ("  roc_auc: {min: 0.99}\n", "asks for at least 0.99"),
        ("  roc_auc: {max: 0.5}\n", "asks for at most 0.5"),
        ("  roc_auc: {min: 0.9, max: 1}\n", "asks for at least 0.9 and at most 1"),
        ("  recall_at_10: {min: 0}\n", "$.metrics.recall_at_10: ME03 is missing, and versioning.yaml asks for at least 0"),
    ],
)
def test_me03_under_the_threshold(trial: Trial, threshold: str, says: str) -> None:
    found = trial.tagged({"versioning.yaml": _threshold(threshold)})
    assert codes(found) == {"ME03"} and says in said(found), said(found)
    assert not trial.staged({"versioning.yaml": _threshold(threshold), SIDECAR: edited(lambda it: it)})  # commits are free


def test_me03_on_the_threshold_is_reached(trial: Trial) -> None:
    value = json.loads(trial.read(SIDECAR))["metrics"]["roc_auc"]
    bounds = f"  roc_auc: {{min: {value!r}, max: {value!r}}}\n"
    assert not trial.tagged({"versioning.yaml": _threshold(bounds)})


def test_me03_through_git(project: Project) -> None:
    project.write("versioning.yaml", _threshold("  roc_auc: {min: 0.99}\n")(project.read("versioning.yaml")))
    project.commit("Ask for more")
    refused_tag(project, f"{SIDECAR}::$.metrics.roc_auc: ME03 is 0.84", "versioning.yaml asks for at least 0.99")
