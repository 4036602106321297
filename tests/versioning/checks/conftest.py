"""Commits that lie, forged beside the working tree, so that a table of them costs one trained project."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.versioning.conftest import SIDECAR, Project, copy_of, shell_environment
from versioning import judge
from versioning.findings import Finding, Report, as_text
from versioning.git import Repository

VERSION = "v0.1.0"
#: What becomes of a file: its new content, nothing (None), or a function of the old content.
Change = str | bytes | None | Callable[[str], str]
Changes = Mapping[str, Change]


@dataclass(frozen=True)
class Trial:
    """A trained project that is never changed: each commit on trial is made in an index of its own."""

    project: Project

    def commit(self, changes: Changes, *parents: str) -> str:
        """A commit on top of HEAD (or of other parents) with some files changed."""
        tree = self._tree(changes)
        above = [option for parent in parents or ("HEAD",) for option in ("-p", parent)]
        return self._git("commit-tree", tree, *above, "-m", "On trial").strip()

    def tagged(self, changes: Changes, tag: str = VERSION, *parents: str) -> list[Finding]:
        """What the gate finds when such a commit is tagged."""
        with Repository(self.project.path) as repository:
            return _findings(judge.tagged(repository, tag, self.commit(changes, *parents)))

    def staged(self, changes: Changes) -> list[Finding]:
        """What the gate finds when such a commit is about to be made."""
        self._tree(changes)
        os.environ["GIT_INDEX_FILE"] = str(self._index)
        with Repository(self.project.path, keep=("GIT_INDEX_FILE",)) as repository:
            return _findings(judge.staged(repository))

    def read(self, path: str) -> str:
        return self.project.read(path)

    @property
    def _index(self) -> Path:
        return self.project.path / ".git/index-on-trial"

    def _tree(self, changes: Changes) -> str:
        self._git("read-tree", "HEAD")
        for path, change in changes.items():
            if change is None:
                self._git("update-index", "--force-remove", path)
                continue
            content = change(self.read(path)) if callable(change) else change
            data = content.encode() if isinstance(content, str) else content
            oid = self._git("hash-object", "-w", "--no-filters", "--stdin", given=data).strip()
            self._git("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
        return self._git("write-tree").strip()

    def _git(self, *arguments: str, given: bytes = b"") -> str:
        environment = self.project.environment | {"GIT_INDEX_FILE": str(self._index)}
        done = subprocess.run(
            ["git", *arguments], cwd=self.project.path, env=environment, input=given, capture_output=True, check=True
        )
        return done.stdout.decode()


@pytest.fixture(scope="session")
def on_trial_once(trained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    path = copy_of(trained_once, tmp_path_factory.mktemp("trial"))
    return Project(path, shell_environment(tmp_path_factory.mktemp("home"), path))


@pytest.fixture
def trial(on_trial_once: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """A trained project to forge commits of."""
    monkeypatch.delenv("GIT_INDEX_FILE", raising=False)
    yield Trial(on_trial_once)
    os.environ.pop("GIT_INDEX_FILE", None)


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """An edit of a JSON file: `change` works on its content."""

    def edit(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content, indent=2) + "\n"

    return edit


def put(value: Any, *keys: str | int) -> Callable[[str], str]:
    """An edit of a JSON file: another value under the keys."""

    def change(content: Any) -> None:
        *above, last = keys
        for key in above:
            content = content[key]
        content[last] = value

    return edited(change)


def without(*keys: str | int) -> Callable[[str], str]:
    """An edit of a JSON file: nothing under the keys."""

    def change(content: Any) -> None:
        *above, last = keys
        for key in above:
            content = content[key]
        del content[last]

    return edited(change)


def swap(old: str, new: str) -> Callable[[str], str]:
    """An edit of a text: one passage replaced by another."""

    def edit(text: str) -> str:
        assert old in text, f"{old!r} is not in {text[:200]!r}"
        return text.replace(old, new, 1)

    return edit


def codes(findings: Iterable[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def said(findings: Iterable[Finding]) -> str:
    """All findings as the gate prints them."""
    return as_text(Report(list(findings)))


def refused_tag(project: Project, *texts: str, tag: str = VERSION) -> str:
    """A tag that must be refused, with these texts on the screen, and that must not be there afterwards."""
    output = project.refused("git", "tag", "-a", tag, "-m", tag)
    assert "model-gate: this tag is refused" in output, project.story
    assert tag not in project.tags(), project.story
    for text in texts:
        assert text in output, f"{text!r} is not in:\n{output}"
    return output


def refused_commit(project: Project, *texts: str) -> str:
    """A commit that must be refused, with these texts on the screen, and that must not be there afterwards."""
    before = project.git("rev-parse", "HEAD")
    project.git("add", "-A")
    output = project.refused("git", "commit", "-m", "Lie")
    assert project.git("rev-parse", "HEAD") == before
    for text in texts:
        assert text in output, f"{text!r} is not in:\n{output}"
    return output


def hints(output: str) -> list[str]:
    """The different hints that were printed, in their order."""
    return list(dict.fromkeys(re.findall(r"hint: (.*)", output)))


def _findings(report: Report | None) -> list[Finding]:
    assert report is not None
    return list(report.findings)


# --- a second release: what is on trial comes after v0.1.0 ---


@pytest.fixture(scope="session")
def after_release_once(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    path = copy_of(released_once, tmp_path_factory.mktemp("after"))
    project = Project(path, shell_environment(tmp_path_factory.mktemp("home"), path))
    project.git("reset", "-q", "--hard", "v0.1.0")
    return project


@pytest.fixture
def later(after_release_once: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """A project whose v0.1.0 is released, to forge what comes after it."""
    monkeypatch.delenv("GIT_INDEX_FILE", raising=False)
    yield Trial(after_release_once)
    os.environ.pop("GIT_INDEX_FILE", None)


def bumped(trial: Trial, version: str, more: Changes | None = None) -> dict[str, Change]:
    """The changes that declare another version in all three places, and perhaps more."""
    old = VERSION
    changes: dict[str, Change] = {
        "params.yaml": trial.read("params.yaml").replace(f"version: {old}", f"version: {version}"),
        "dvc.lock": trial.read("dvc.lock").replace(f"version: {old}", f"version: {version}"),
        SIDECAR: trial.read(SIDECAR).replace(f'"version": "{old}"', f'"version": "{version}"'),
    }
    for path, change in (more or {}).items():
        text = changes.get(path)
        changes[path] = change(text if isinstance(text, str) else trial.read(path)) if callable(change) else change
    return changes


def in_cache(trial: Trial, content: bytes) -> str:
    """Put bytes where DVC keeps them; their MD5."""
    name = hashlib.md5(content).hexdigest()
    place = trial.project.path / ".dvc/cache/files/md5" / name[:2] / name[2:]
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return name


def other_features(trial: Trial, version: str, change: Callable[[dict[str, Any]], object]) -> dict[str, Change]:
    """A later version whose feature spec is another one, described without a lie."""
    path = SIDECAR.replace(".json", ".features.json")
    spec = json.loads(trial.read(path))
    old = hashlib.md5((trial.project.path / path).read_bytes()).hexdigest()
    change(spec)
    content = (json.dumps(spec, indent=1) + "\n").encode()
    new, sizes = in_cache(trial, content), f"md5: {old}\n      size: {(trial.project.path / path).stat().st_size}"
    assert sizes in trial.read("dvc.lock")
    return bumped(trial, version, {
        "dvc.lock": lambda text: text.replace(sizes, f"md5: {new}\n      size: {len(content)}"),
        SIDECAR: put(hashlib.sha256(content).hexdigest(), "features", "sha256"),
    })  # fmt: skip
