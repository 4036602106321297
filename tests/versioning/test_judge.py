"""Which cases a judgement has, and what it says of a name, a model and a file that it cannot read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import git
from versioning import judge
from versioning.checks import RULES
from versioning.git import Repository

DECLARED = "artifacts:\n  churn: {path: models/churn.skops, type: model}\n  note: {path: a.txt, type: text}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository that declares one model, which was never made."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "versioning.yaml").write_text("model: churn\n")
    (tmp_path / "dvc.yaml").write_text(DECLARED)
    (tmp_path / "params.yaml").write_text("version: v0.1.0\n")
    return commit(tmp_path)


@pytest.fixture
def repository(folder: Path) -> Iterator[Repository]:
    with Repository(folder) as repository:
        yield repository


def commit(folder: Path) -> Path:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Work")
    return folder


def codes(report: judge.Report | None) -> list[str]:
    assert report is not None
    return [finding.code for finding in report.findings]


@pytest.mark.parametrize("tag", ["nightly-1", "2024-11-05", "other/v1.0.0", "other/1.0.0", "approval/churn/prod/v1.0.0/ada"])
def test_a_name_that_means_nothing_here_is_not_judged(repository: Repository, tag: str) -> None:
    assert judge.tagged(repository, tag, repository.head() or "") is None


@pytest.mark.parametrize("tag", ["v1.0", "churn/1.0.0"])
def test_an_attempt_is_told_one_thing(repository: Repository, tag: str) -> None:
    assert codes(judge.tagged(repository, tag, repository.head() or "")) == ["VE01"]


def test_a_model_without_a_sidecar_is_told_one_thing(repository: Repository) -> None:
    report = judge.tagged(repository, "v0.1.0", repository.head() or "")
    assert codes(report) == ["SC03"]
    assert report and (report.subject, list(report.not_checked)) == ("v0.1.0", ["AR05"])
    assert report.findings[0].file == "models/churn.json"


def test_two_models_need_their_names_in_the_tag(folder: Path, repository: Repository) -> None:
    (folder / "dvc.yaml").write_text(DECLARED + "  clicks: {path: models/clicks.skops, type: model}\n")
    commit(folder)
    report = judge.tagged(repository, "v0.1.0", repository.head() or "")
    assert codes(report) == ["VE01"]
    assert report and report.findings[0].message == "v0.1.0 could be a release of any of 2 models: churn, clicks"
    assert report.findings[0].hint == "git tag -a churn/v0.1.0 -m churn/v0.1.0"
    assert [
        finding.file for finding in (judge.tagged(repository, "clicks/v0.1.0", repository.head() or "") or report).findings
    ] == ["models/clicks.json"]


def test_a_revision_that_is_none(repository: Repository) -> None:
    assert judge.revision(repository, "nothing") is None
    assert codes(judge.revision(repository, "HEAD")) == ["SC03"]


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("versioning.yaml", "model: [\n", "SC01"),
        ("versioning.yaml", "stages: [live]\n", "SC01"),
        ("dvc.yaml", "stages: [\n", "CO02"),
        ("dvc.lock", "stages: 3\n", "CO02"),
        ("params.yaml", "- 1\n", "VE02"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_finding_and_no_end(
    folder: Path, repository: Repository, path: str, text: str, code: str
) -> None:
    (folder / "models").mkdir()
    (folder / "models/churn.json").write_text(json.dumps({"version": "v0.1.0", "artifact": {"path": "models/churn.skops"}}))
    (folder / path).write_text(text)
    commit(folder)
    report = judge.tagged(repository, "v0.1.0", repository.head() or "")
    assert report
    assert path in {finding.file for finding in report.findings}, report.findings
    assert len(report.findings) == len(set(map(repr, report.findings)))


def test_only_sidecars_of_models_are_judged_at_a_commit(folder: Path, repository: Repository) -> None:
    (folder / "models").mkdir()
    (folder / "models/churn.features.json").write_text("{")
    (folder / "models/README.md").write_text("{")
    git(folder, "add", "-A")
    assert codes(judge.staged(repository)) == []
    (folder / "models/churn.json").write_text("{")
    git(folder, "add", "-A")
    with Repository(folder) as again:
        report = judge.staged(again)
    assert {finding.file for finding in report.findings} == {"models/churn.json"}
    assert "SC01" in codes(report)


def test_a_sidecar_that_is_removed_may_be_committed(folder: Path, repository: Repository) -> None:
    (folder / "models").mkdir()
    (folder / "models/churn.json").write_text("{")
    commit(folder)
    git(folder, "rm", "-q", "models/churn.json")
    assert codes(judge.staged(repository)) == []


def test_at_a_commit_only_what_is_recorded_counts() -> None:
    assert {rule.code for rule in RULES.values() if rule.recorded} == {
        "SC01", "SC02", "AR01", "HP01", "ME01", "ME02", "DA01", "ST01",
    }  # fmt: skip
