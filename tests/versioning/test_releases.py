"""Releases are what the release tags say, sorted by version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import git
from versioning import releases
from versioning.git import Repository
from versioning.names import Version


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits on main and one beside it, with releases and other tags."""
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2024-11-05T10:00:00+01:00")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2024-11-05T10:00:00+01:00")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "One")
    git(tmp_path, "tag", "-a", "v0.9.0", "-m", "v0.9.0")
    git(tmp_path, "tag", "v0.10.0-rc.1")
    for name in ("nightly-1", "2024-11-05", "v1", "1.0.0", "exp-a", "churn@v1.0.0", "v1.0.0-prod"):
        git(tmp_path, "tag", name)
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "Two")
    git(tmp_path, "tag", "-a", "v0.10.0", "-m", "A message\n\nof three lines\n")
    git(tmp_path, "tag", "-a", "churn/v0.1.0", "-m", "churn/v0.1.0")
    git(tmp_path, "switch", "-q", "-c", "beside", "HEAD~")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "Beside")
    git(tmp_path, "tag", "-a", "v0.9.1", "-m", "v0.9.1")
    git(tmp_path, "switch", "-q", "main")
    return tmp_path


def test_the_oldest_version_comes_first(folder: Path) -> None:
    found = releases.find(Repository(folder))
    assert [release.tag for release in found] == ["v0.9.0", "v0.9.1", "v0.10.0-rc.1", "v0.10.0", "churn/v0.1.0"]


def test_an_annotated_and_a_lightweight_tag(folder: Path) -> None:
    found = {release.tag: release for release in releases.find(Repository(folder))}
    first = git(folder, "rev-parse", "HEAD~")
    assert found["v0.9.0"] == releases.Release(
        "v0.9.0", None, Version(0, 9, 0), git(folder, "rev-parse", "v0.9.0"), first, True, "2024-11-05T10:00:00+01:00",
        "Ada Lovelace <ada@example.org>",
    )  # fmt: skip
    assert found["v0.10.0-rc.1"] == releases.Release(
        "v0.10.0-rc.1", None, Version(0, 10, 0, ("rc", "1")), first, first, False, "2024-11-05T10:00:00+01:00", ""
    )
    assert found["churn/v0.1.0"].model == "churn"


def test_a_tag_of_a_tag_names_the_commit(folder: Path) -> None:
    git(folder, "-c", "advice.nestedTag=false", "tag", "-a", "v2.0.0", "-m", "v2.0.0", "v0.9.0")
    assert releases.find(Repository(folder))[-2].commit == git(folder, "rev-parse", "HEAD~")


def test_a_repository_without_tags_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert releases.find(Repository(tmp_path)) == []


@pytest.mark.parametrize(("several", "name"), [(False, "v1.2.0"), (True, "churn/v1.2.0")])
def test_a_tag_has_the_models_name_where_there_are_several(several: bool, name: str) -> None:
    assert releases.tag_name(Version(1, 2, 0), "churn", several=several) == name
