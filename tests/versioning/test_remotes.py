"""Which remote holds a tag: asked of the remote, and where it does not answer, of our record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import git
from versioning import remotes
from versioning.git import Repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone whose `origin` and `backup` hold one tag each."""
    path = tmp_path / "repo"
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    git(path, "commit", "-q", "--allow-empty", "-m", "Start")
    for remote, tag in (("origin", "v0.1.0"), ("backup", "v0.2.0")):
        git(path, "init", "-q", "--bare", f"../{remote}")
        git(path, "remote", "add", remote, f"../{remote}")
        git(path, "tag", tag)
        git(path, "push", "-q", remote, tag)
    git(path, "tag", "v0.3.0")
    return path


@pytest.mark.parametrize(("tag", "remote"), [("v0.1.0", "origin"), ("v0.2.0", "backup"), ("v0.3.0", None), ("0.1.0", None)])
def test_the_remote_that_holds_a_tag_is_named(folder: Path, tag: str, remote: str | None) -> None:
    assert remotes.holder(Repository(folder), tag) == remote


def test_a_tag_with_a_longer_name_is_another(folder: Path) -> None:
    git(folder, "tag", "churn/v0.3.0")
    git(folder, "push", "-q", "origin", "churn/v0.3.0")
    assert remotes.holder(Repository(folder), "v0.3.0") is None


def test_a_remote_that_does_not_answer_is_judged_by_the_record(folder: Path) -> None:
    repository = Repository(folder)
    git(folder, "remote", "remove", "backup")
    git(folder, "remote", "set-url", "origin", "../gone")
    assert remotes.holder(repository, "v0.1.0") is None
    for _ in range(2):
        remotes.remember(repository, ["v0.1.0", "v0.2.0"])
    assert (remotes.holder(repository, "v0.1.0") or "").startswith("origin (not reachable now; ")
    assert (folder / ".git/model-gate/held").read_text() == "refs/tags/v0.1.0\nrefs/tags/v0.2.0\n"


def test_a_remote_that_is_slow_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotes, "_PATIENCE", 0.0)
    remotes.remember(Repository(folder), ["v0.3.0"])
    assert (remotes.holder(Repository(folder), "v0.3.0") or "").startswith("backup (not reachable now; ")


def test_what_the_remote_says_counts_more_than_the_record(folder: Path) -> None:
    """Deleted there by somebody who may: it is only here now, and may be withdrawn."""
    remotes.remember(Repository(folder), ["v0.1.0"])
    git(folder, "push", "-q", "origin", ":v0.1.0")
    assert remotes.holder(Repository(folder), "v0.1.0") is None


def test_without_remotes_nobody_holds_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert remotes.holder(Repository(tmp_path), "v0.1.0") is None
