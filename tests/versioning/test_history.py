"""Which releases stand before a commit: asked one by one, or walked once, the answer is one."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.conftest import git
from versioning.errors import UsageError
from versioning.git import Repository
from versioning.history import History


def _release(folder: Path, version: str, *parents: str, says: str = "") -> str:
    """A commit whose sidecar says a version, and its tag."""
    sidecar = json.dumps({"model_name": "churn", "version": says or version})
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models/churn.json").write_text(sidecar, "utf-8")
    git(folder, "add", "-A")
    tree = git(folder, "write-tree").strip()
    commit = git(folder, "commit-tree", tree, "-m", version, *(word for one in parents for word in ("-p", one))).strip()
    git(folder, "tag", "-a", version, "-m", version, commit)
    return commit


def _earlier(history: History, commit: str) -> list[str]:
    return [release.tag for release in history.earlier(commit, "churn")]


def test_the_newest_version_comes_first_and_other_branches_do_not_count(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    first = _release(tmp_path, "v1.0.0")
    second = _release(tmp_path, "v2.0.0", first)
    maintained = _release(tmp_path, "v1.1.0", first)
    merged = _release(tmp_path, "v2.1.0", second, maintained)
    for walked in (False, True):
        with Repository(tmp_path) as repository:
            history = History(repository, walked=walked)
            assert _earlier(history, merged) == ["v2.0.0", "v1.1.0", "v1.0.0"]
            assert _earlier(history, maintained) == ["v1.0.0"]
            assert _earlier(history, first) == []
            assert next(one.tag for one in history.earlier(merged, "churn", including=True)) == "v2.1.0"
            assert [one.tag for one in history.earlier(merged, "churn", lambda one: one.version.major == 1)] == [
                "v1.1.0",
                "v1.0.0",
            ]


def test_a_tag_that_its_own_sidecar_does_not_name_is_no_release(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    first = _release(tmp_path, "v1.0.0")
    false = _release(tmp_path, "v9.9.9", first, says="v1.0.0")
    last = _release(tmp_path, "v1.1.0", false)
    with Repository(tmp_path) as repository:
        assert _earlier(History(repository), last) == ["v1.0.0"]


@pytest.mark.parametrize("seed", range(5))
def test_walked_once_is_asked_one_by_one(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    git(tmp_path, "init", "-q", "-b", "main")
    commits = [_release(tmp_path, "v0.0.0")]
    for number in range(1, 15):
        parents = chance.sample(commits, min(len(commits), chance.choice((1, 1, 2, 3))))
        commits.append(_release(tmp_path, f"v0.0.{number}", *parents))
    with Repository(tmp_path) as repository:
        one_by_one, walked = History(repository), History(repository, walked=True)
        for commit in commits:
            assert _earlier(walked, commit) == _earlier(one_by_one, commit)


def test_a_shallow_clone_is_told_to_fetch_more(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    git(whole, "init", "-q", "-b", "main")
    first = _release(whole, "v1.0.0")
    second = _release(whole, "v1.1.0", first)
    git(whole, "reset", "-q", "--hard", second)
    git(tmp_path, "clone", "-q", "--depth", "1", whole.as_uri(), str(cut))
    with Repository(cut) as repository, pytest.raises(UsageError, match="shallow clone lacks commits") as caught:
        list(History(repository).earlier(second, "churn"))
    assert caught.value.hint == "git fetch --unshallow --tags"
