"""`model check`: of the working tree, the index, a revision, all releases; in three formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.versioning import small
from tests.versioning.conftest import SIDECAR, Project
from versioning import checklist, judge
from versioning.git import Repository


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
    said = project.refused("model", "check")
    assert "CO03" in said  # the sidecar's commit does not hold the parameter yet
    steps = [line.partition(". ")[2] for line in said.splitlines() if line.startswith("  ")][-2:]
    stamp = "model stamp --commit && git tag -a v0.1.0 -m v0.1.0 && git push --follow-tags"
    assert steps == ['git add -A && git commit -m "Train"', stamp], said
    alone = project.model()
    assert "would be stopped" not in alone and alone.endswith(f"Next: {steps[0]}"), alone
    for step in steps:
        assert project.sh(step).status == 0, project.story
    project.assert_released("v0.1.0")


def test_after_a_release_the_next_one_stamps_by_itself(released: Project) -> None:
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.dvc("repro")
    following = []
    for _ in range(3):
        said = released.model()
        assert "would be stopped" not in said, said
        following.append(said.rpartition("Next: ")[2])
        done = released.sh(following[-1])
        assert done.status == 0, released.story
    assert following == ['git add -A && git commit -m "Train"', "model release", "model release"]
    assert released.sh(done.output.rstrip().rpartition("Next: ")[2]).status == 0, released.story
    assert released.tags() == ["v0.1.0", "v0.2.0"]


def test_other_data_under_an_old_name_are_named_before_they_are_stamped(released: Project) -> None:
    data = "data/raw/telco-customer-churn.csv"
    lines = released.read(data).splitlines(keepends=True)
    released.write(data, "".join([*lines[:-1], lines[-2].replace(lines[-2][:10], "9999-NEWID")]))
    released.dvc("add", data)
    released.dvc("repro")
    said = released.refused("model", "check")
    assert "DA02" in said and "CO03" in said
    (step,) = [line.partition(". ")[2] for line in said.splitlines() if line.startswith("  ") and line[2].isdigit()]
    assert step.startswith("change id: ") and "dvc repro" in step
    released.replace("params.yaml", "id: telco-churn", "id: new-churn")
    assert released.sh(step.partition("then ")[2]).status == 0, released.story
    assert released.model().endswith("Next: model release")


def test_nothing_is_trained_yet(clone: Path) -> None:
    for path in (small.SIDECAR, "dvc.lock", small.ARTIFACT):
        (clone / path).unlink()
    with Repository(clone) as repository:
        found = checklist.of(repository, judge.Moment())
    (said,) = [one.message for one in found.report.findings if one.code == "SC03"]
    assert said == f"is missing, and so is its model: {small.ARTIFACT} is not trained yet"
    assert found.stopped and found.steps[0].startswith("dvc repro && git add -A && ")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return small.build(tmp_path / "clone").path
