"""CO: a lock, code or commit that did not make the model."""

from __future__ import annotations

import re

import pytest

from tests.versioning.checks.conftest import Changes, Trial, codes, hints, put, refused_tag, said, swap
from tests.versioning.conftest import MODEL, SIDECAR, Project
from versioning import judge
from versioning.git import Repository

SRC = f"src/{MODEL.replace('-', '_')}"


def test_co01_an_unknown_commit(project: Project) -> None:
    project.edit_sidecar(lambda it: it.update(commit="a" * 40))
    project.commit("The sidecar of another clone")  # the commit hook compares with what is recorded only
    output = refused_tag(project, f"{SIDECAR}::$.commit: CO01 is aaaaaaaaaaaa, which is no commit of this repository")
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_co01_a_commit_of_another_branch(project: Project) -> None:
    project.git("switch", "-q", "-c", "other", "HEAD~")
    elsewhere = project.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "Elsewhere")
    project.git("switch", "-q", "main")
    project.edit_sidecar(lambda it: it.update(commit=elsewhere))
    head = project.commit("Another branch's")
    refused_tag(project, f"CO01 is {elsewhere[:7]}, which is no ancestor of {head[:7]}", "stamp --commit && git tag -a v0.1.0")


def test_co01_an_object_that_is_no_commit(trial: Trial) -> None:
    for revision in ("HEAD^{tree}", f"HEAD:{SIDECAR}"):
        oid = trial.project.git("rev-parse", revision)
        assert "CO01" in codes(trial.tagged({SIDECAR: put(oid, "commit")}))


STALE: dict[str, tuple[Changes, str, str]] = {
    "a parameter": ({"params.yaml": swap("C: 1.0", "C: 2.0")}, "params.yaml", "ran with another train: dvc.lock says {'C': 1.0"),
    "the seed": ({"params.yaml": swap("seed: 42", "seed: 43")}, "params.yaml", "another seed: dvc.lock says 42, here it is 43"),
    "the data id": ({"params.yaml": swap("2020-06-25", "2020-06-26")}, "params.yaml", "another data.id"),
    "no parameter": ({"params.yaml": swap("seed: 42", "sed: 42")}, "params.yaml", "seed: dvc.lock says 42, here it is nothing"),
    "code": ({f"{SRC}/train.py": lambda text: text + "\n"}, f"{SRC}/train.py", "train ran with another content"),
    "a helper": ({f"{SRC}/predict.py": lambda text: text + "\n"}, f"{SRC}/predict.py", "evaluate ran with another content"),
    "no code": ({f"{SRC}/train.py": None}, f"{SRC}/train.py", "depends on it, and it is not there"),
    "data": (
        {"data/raw/telco-customer-churn.csv.dvc": swap("md5: ", "md5: 0")}, "data/raw/telco-customer-churn.csv",
        "prepare ran with another content: dvc.lock says 3b0bfab28a…",
    ),
    "no data": ({"data/raw/telco-customer-churn.csv.dvc": None}, "data/raw/telco-customer-churn.csv", "it is not there"),
    "a command": ({"dvc.yaml": swap(".train params.yaml", ".train  params.yaml")}, "dvc.yaml", "train ran another command"),
    "a new dependency": (
        {"dvc.yaml": swap(f"      - {SRC}/train.py\n", f"      - {SRC}/train.py\n      - README.md\n")}, "README.md",
        "train did not depend on it when it ran",
    ),
    "a lock without a stage": (
        {"dvc.lock": lambda text: text[: text.index("  evaluate:")] + text[text.index("  sidecar:") :]}, "dvc.lock",
        "stage evaluate is not in dvc.lock",
    ),
    "a lock merged by hand": (
        {"dvc.lock": lambda text: text[: text.index("  train:")] + _other_features(text[text.index("  train:") :])},
        "data/features/train.csv", "train ran with another content: dvc.lock says ababababab…",
    ),
    "metrics that Git does not hold": ({"reports/metrics.json": None}, "reports/metrics.json", "and Git does not hold it"),
    "no lock": ({"dvc.lock": None}, "dvc.lock", "is not in dvc.lock"),
    "half of a conflict in the lock": ({"dvc.lock": lambda text: "<<<<<<< HEAD\n" + text}, "dvc.lock", "holds the marks of a merge that is not done, at line 1"),
    "a key twice in the parameters": ({"params.yaml": lambda text: text + "seed: 42\n"}, "params.yaml", "is not YAML"),
}  # fmt: skip


def _other_features(text: str) -> str:
    at = text.index("md5: ", text.index("path: data/features/train.csv")) + len("md5: ")
    return text[:at] + "ab" * 16 + text[at + 32 :]


@pytest.mark.parametrize("lie", STALE)
def test_co02_the_lock_is_stale(trial: Trial, lie: str) -> None:
    changes, file, says = STALE[lie]
    found = trial.tagged(changes)
    assert any(it.code == "CO02" and it.file == file and says in it.message for it in found), said(found)


def test_co02_a_parameter_changed_after_training(project: Project) -> None:
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.commit("Work in progress")
    output = refused_tag(project, "params.yaml: CO02 stage train ran with another train", "'C': 1.0", "'C': 0.5")
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and project.sidecar()["hyperparameters"]["train"]["C"] == 0.5


def test_co02_a_lock_merged_by_hand(project: Project) -> None:
    project.write("dvc.lock", STALE["a lock merged by hand"][0]["dvc.lock"](project.read("dvc.lock")))  # type: ignore[operator,misc]
    project.force_commit()
    output = refused_tag(project, "data/features/train.csv: CO02 stage train ran with another content")
    assert project.sh(hints(output)[0]).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def _other_size(text: str) -> str:
    """Another size of the features in what train read; here they are the very table that prepare made."""
    at = text.index("path: data/features/train.csv", text.index("  train:"))
    return text[:at] + re.sub(r"size: \d+", "size: 1", text[at:], count=1)


def test_co02_a_lock_that_contradicts_itself(trial: Trial) -> None:
    found = trial.tagged({"dvc.lock": _other_size})
    (it,) = [it for it in found if it.code == "CO02"]
    assert it.message.startswith("stage train recorded 1 bytes of it, stage prepare says "), said(found)
    assert it.file == "data/features/train.csv" and "dvc repro -f -s train && dvc repro" in it.hint


def test_co02_the_hint_at_a_contradiction_mends(project: Project) -> None:
    project.write("dvc.lock", _other_size(project.read("dvc.lock")))
    project.force_commit()
    output = refused_tag(project, "CO02 stage train recorded 1 bytes of it")
    assert project.sh(hints(output)[0]).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_co02_halves_of_the_locks_of_two_branches(project: Project) -> None:
    """One branch trained with another C, the other evaluated what main had: stage train of the one, evaluate of the other."""
    ours = project.read("dvc.lock")
    project.git("switch", "-q", "-c", "other")
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.dvc("repro")
    project.commit("Train otherwise")
    theirs = project.read("dvc.lock")
    train, sidecar = _stage(theirs, "train"), _stage(theirs, "sidecar")
    project.write("dvc.lock", ours.replace(_stage(ours, "train"), train).replace(_stage(ours, "sidecar"), sidecar))
    project.force_commit("Merge by hand")
    output = refused_tag(project, "CO02 stage evaluate ran with another content: dvc.lock says ")
    (hint,) = [hint for hint in hints(output) if hint.startswith("dvc repro && ")]
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_co02_the_marks_of_a_conflict(project: Project) -> None:
    """Git writes them where two branches trained; whoever commits them is told, and the hint needs no clean lock."""
    lock = project.read("dvc.lock")
    project.write("dvc.lock", f"<<<<<<< HEAD\n{lock}=======\n{lock}>>>>>>> other\n")
    project.force_commit("Merge")
    output = refused_tag(project, "dvc.lock: CO02 holds the marks of a merge that is not done, at line 1")
    assert project.sh(hints(output)[0]).status == 0, project.story
    project.commit("Train")
    project.model("stamp", "--commit")
    project.tag("v0.1.0")


def _stage(lock: str, name: str) -> str:
    found = re.search(rf"^  {name}:\n(?:    .*\n)+", lock, re.MULTILINE)
    assert found
    return found[0]


@pytest.mark.parametrize("text", ["stages: 3\n", "stages: [1]\n", "a: &a [*a]\n", "stages: {train: []}\n", "a: [", "\ufffe"])
@pytest.mark.parametrize("file", ["dvc.yaml", "dvc.lock", "params.yaml"])
def test_co02_no_odd_file_ends_in_a_traceback(trial: Trial, file: str, text: str) -> None:
    assert trial.tagged({file: text})
    trial.staged({file: text, SIDECAR: lambda old: old + "\n"})


def test_co03_a_commit_without_the_code(project: Project) -> None:
    start = project.git("rev-list", "--max-parents=0", "HEAD")
    project.write(f"{SRC}/train.py", project.read(f"{SRC}/train.py") + "\n")
    later = project.commit("Later code")
    project.write(f"{SRC}/train.py", project.read(f"{SRC}/train.py")[:-1])
    project.edit_sidecar(lambda it: it.update(commit=later))
    project.commit("Earlier code")
    assert later != start
    output = refused_tag(
        project,
        f"{SIDECAR}::$.commit: CO03 is {later[:7]}, which does not hold what made the model",
        f"({SRC}/train.py): dvc.lock says",
    )
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


CLAIMS: dict[str, tuple[Changes, str]] = {
    "another parameter": ({"params.yaml": swap("C: 1.0", "C: 2.0")}, "another train (params.yaml)"),
    "another command": ({"dvc.yaml": swap(".train params.yaml", ".train  params.yaml")}, "ran another command"),
    "another data pointer": ({"data/raw/telco-customer-churn.csv.dvc": swap("md5: ", "md5: 0")}, "telco-customer-churn.csv)"),
    "another runtime lock": ({"requirements.lock": lambda text: text + "#\n"}, "requirements.lock"),
    "no pipeline": ({"dvc.yaml": None}, "is not in dvc.yaml"),
    "a parameter that its pipeline did not name": (
        {"params.yaml": swap("C: 1.0", "C: 9.0"), "dvc.yaml": swap("      - seed\n      - train\n", "      - seed\n")},
        "another train (params.yaml)",
    ),
    "code that its pipeline did not name": (
        {f"{SRC}/predict.py": None, "dvc.yaml": swap(f"      - {SRC}/predict.py\n", "")}, f"({SRC}/predict.py)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", CLAIMS)
def test_co03_the_commit_does_not_hold_it(trial: Trial, lie: str) -> None:
    changes, says = CLAIMS[lie]
    earlier = trial.commit(changes)
    later = trial.commit({SIDECAR: put(earlier, "commit")}, earlier)
    with Repository(trial.project.path) as repository:
        report = judge.tagged(repository, "v0.1.0", later)
    assert report and codes(report.findings) == {"CO03"} and says in said(report.findings), said(
        report.findings if report else []
    )


NEAR: dict[str, Changes] = {
    "comments": {
        path: (lambda text: "# A comment.\n" + text + "# Another.\n") for path in ("params.yaml", "dvc.yaml", "dvc.lock")
    },
    "unrelated files": {"README.md": "Another.\n", "notebooks/explore.ipynb": "{}", f"{SRC}/unused.py": "", "tests/new.py": ""},
    "an equal number": {"params.yaml": swap("C: 1.0", "C: 1")},
    "a new parameter": {"params.yaml": lambda text: text + "other: 1\n"},
    "a stage beside the pipeline": {
        "dvc.yaml": swap("stages:\n", "stages:\n  report:\n    cmd: echo\n    deps:\n      - README.md\n")
    },
    "a description": {"dvc.yaml": swap("desc: scikit-learn", "desc: a scikit-learn")},
    "tools": {"requirements-dev.lock": lambda text: text + "# newer\n", "pyproject.toml": ""},
    "dependencies in other order": {
        "dvc.yaml": swap(
            f"      - {SRC}/train.py\n      - {SRC}/featurize.py\n", f"      - {SRC}/featurize.py\n      - {SRC}/train.py\n"
        )
    },
}


@pytest.mark.parametrize("near", NEAR)
def test_near_misses_pass(trial: Trial, near: str) -> None:
    assert not trial.tagged(NEAR[near]), said(trial.tagged(NEAR[near]))


def test_near_misses_pass_the_tag(project: Project) -> None:
    for path in ("params.yaml", "dvc.yaml"):
        project.write(path, "# A comment.\n" + project.read(path))
    project.write("README.md", "Another.\n")
    project.commit("Comments")
    project.tag("v0.1.0")
    assert "up to date" in project.dvc("status")


def test_work_in_progress_commits_freely(project: Project) -> None:
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.write(f"{SRC}/train.py", "raise SystemExit('later')\n")
    project.edit_sidecar(lambda it: it.update(extra={"note": "trying"}))
    project.commit("Work in progress")
