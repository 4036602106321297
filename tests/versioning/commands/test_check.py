"""`model check`: of the working tree, the index, a revision, all releases; in three formats."""

from __future__ import annotations

import json

import pytest

from tests.versioning.conftest import SIDECAR, Project


def test_a_release_that_nothing_contradicts(released: Project) -> None:
    assert released.model("check", "v0.1.0").splitlines() == ["not checked here: AR05", "v0.1.0: nothing contradicts it"]
    assert "1 release: nothing contradicts it" in released.model("check", "--all-releases")
    released.model("check")
    released.model("check", "HEAD")
    released.model("check", "--staged")


def test_work_in_progress_is_a_checklist(released: Project) -> None:
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.replace("src/customer_churn/train.py", '"""', '"""New. ')
    said = released.refused("model", "check")
    assert "params.yaml: CO02 stage train ran with another train" in said
    assert "src/customer_churn/train.py: CO02 stage train ran with another content" in said
    assert said.count("hint: dvc repro") == 1  # one cure for both


def test_before_the_first_training(project: Project) -> None:
    project.git("reset", "-q", "--hard", "HEAD~")
    said = project.refused("model", "check")
    assert f"{SIDECAR}: SC03 is missing" in said
    assert "hint: dvc repro" in said


def test_json_is_complete(released: Project) -> None:
    released.edit_sidecar(lambda content: content["metrics"].update(roc_auc=0.99))
    done = released.run("model", "check", "--format", "json")
    assert done.status == 1
    report = json.loads(done.output)
    (finding,) = [found for found in report["findings"] if found["code"] == "ME01"]
    assert set(finding) == {"code", "file", "path", "message", "expected", "actual", "hint", "ref"}
    assert (finding["file"], finding["path"]) == (SIDECAR, "$.metrics.roc_auc")
    assert (finding["expected"], finding["actual"]) == (released_auc(released), 0.99)
    assert report["not_checked"] == ["AR05"]


def test_github_shows_each_finding_at_its_file(released: Project) -> None:
    released.edit_sidecar(lambda content: content.update(stage="prod"))
    said = released.refused("model", "check", "--format", "github")
    assert f"::error file={SIDECAR},title=ST01::$.stage: says prod, a new release enters at staging%0Ahint: " in said


@pytest.mark.parametrize("name", ["v9.9.9", "nothing", "--format"])
def test_what_is_not_there_is_wrong_usage(released: Project, name: str) -> None:
    assert released.run("model", "check", name).status == 2


def test_explain(released: Project) -> None:
    assert released.model("check", "--explain", "me01").startswith("ME01: metrics are those in the metrics file\n\nRefuses ")
    assert released.run("model", "check", "--explain", "XX99").status == 2


def released_auc(project: Project) -> float:
    return json.loads(project.read("reports/metrics.json"))["roc_auc"]


def test_in_the_middle_of_work_it_is_a_checklist(project: Project) -> None:
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.edit_sidecar(lambda it: it.update(stage="prod"))
    said = project.refused("model", "check")
    assert "CO02" in said and "ST01" in said, said
    head, *steps = said[said.index("What stands between here and a release") :].splitlines()
    assert head.endswith("in this order:")
    assert steps == [
        '  1. dvc repro && git add -A && git commit -m "Train" && model stamp --commit && git tag -a v0.1.0 -m v0.1.0'
    ]
    assert project.sh(steps[0].partition(". ")[2]).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_what_is_ready_is_said_with_the_command(project: Project) -> None:
    said = project.model("check")
    assert said.endswith("Next:\n  1. git tag -a v0.1.0 -m v0.1.0 && git push --follow-tags"), said
    assert project.sh(said.rpartition("1. ")[2]).status == 0, project.story
    project.assert_released("v0.1.0")
    assert project.model("check").endswith("nothing changed since v0.1.0: there is nothing to release")
    project.write("src/customer_churn/serve.py", "# To come.\n")
    project.commit()
    assert project.model("check").endswith("Next:\n  1. model release")


def test_what_is_trained_and_not_committed_comes_first(project: Project) -> None:
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.dvc("repro")
    steps = [line.partition(". ")[2] for line in project.refused("model", "check").splitlines() if line.startswith("  1.")]
    assert steps, project.story  # the sidecar's commit does not hold the parameter yet
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "Train")
    assert project.sh(project.refused("model", "check").rpartition("1. ")[2]).status == 0, project.story
    assert project.tags() == ["v0.1.0"]
