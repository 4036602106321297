"""`model release`: the next version, written, described, committed and tagged; nothing trained, nothing pushed."""

from __future__ import annotations

import re

import pytest

from tests.versioning.conftest import SIDECAR, Project
from versioning.commands.release import next_version
from versioning.names import Version


@pytest.mark.parametrize(
    ("declared", "released", "part", "expected"),
    [
        ("v0.1.0", [], "minor", "v0.1.0"),  # the first one is finished, whatever grows
        ("v0.1.0", [], "major", "v0.1.0"),
        ("v0.1.0-rc.1", [], "minor", "v0.1.0"),
        (None, [], "patch", "v0.1.0"),
        ("v0.1.0", ["v0.1.0"], "patch", "v0.1.1"),
        ("v0.1.0", ["v0.1.0"], "minor", "v0.2.0"),
        ("v0.1.0", ["v0.1.0"], "major", "v1.0.0"),
        ("v0.2.0-rc.1", ["v0.1.0", "v0.2.0-rc.1"], "minor", "v0.2.0"),  # as `npm version` does
        ("v0.2.0-rc.1", ["v0.1.0", "v0.2.0-rc.1"], "patch", "v0.2.0"),
        ("v0.2.0-rc.1", ["v0.1.0", "v0.2.0-rc.1"], "major", "v1.0.0"),
        ("v1.0.0-rc.1", ["v0.1.0", "v1.0.0-rc.1"], "major", "v1.0.0"),
        ("v0.1.1-rc.1", ["v0.1.0"], "minor", "v0.2.0"),
        ("v0.2.0", ["v0.1.0"], "minor", "v0.2.0"),  # declared by hand and never released
        ("v0.2.0", ["v0.1.0"], "patch", "v0.2.0"),
        ("v0.2.0", ["v0.1.0"], "major", "v1.0.0"),
        ("v0.1.0", ["v0.1.0", "v0.2.0"], "patch", "v0.2.1"),  # gone back to
    ],
)
def test_next_version(declared: str | None, released: list[str], part: str, expected: str) -> None:
    def version(text: str) -> Version:
        parsed = Version.parse(text)
        assert parsed
        return parsed

    assert str(next_version(version(declared) if declared else None, [version(text) for text in released], part)) == expected


def test_it_changes_the_version_line_and_nothing_else(released: Project) -> None:
    released.replace("params.yaml", "version: v0.1.0  # of", "version:   'v0.1.0'   # mine: of")
    before = released.read("params.yaml")
    released.commit("A comment of mine")
    released.model("release", "minor")
    assert released.read("params.yaml") == before.replace("version:   'v0.1.0'   #", "version: v0.2.0   #")
    changed = released.git("diff", "--name-only", "HEAD~").split()
    assert changed == ["dvc.lock", SIDECAR, "params.yaml"]
    assert released.sidecar()["version"] == "v0.2.0"


def test_it_prints_the_push_and_does_not_push(released: Project) -> None:
    said = released.model("release", "v0.2.0", "-m", "Second")
    assert said.splitlines()[-1] == "Next: git push --follow-tags"
    assert released.remote_tags() == ["v0.1.0"]
    assert released.git("tag", "-l", "--format=%(objecttype) %(subject)", "v0.2.0") == "tag Second"


def test_it_trains_nothing_and_a_repro_after_it_does_nothing(released: Project) -> None:
    model = released.path / "models/customer-churn.skops"
    before = model.stat().st_ino, model.stat().st_mtime_ns
    released.model("release", "minor")
    said = released.dvc("repro")
    assert "Running" not in said
    assert (model.stat().st_ino, model.stat().st_mtime_ns) == before
    assert released.git("status", "--porcelain") == ""


@pytest.mark.parametrize("path", ["params.yaml", "dvc.lock", SIDECAR])
def test_what_a_release_is_made_of_must_be_committed(released: Project, path: str) -> None:
    released.write(path, released.read(path) + "\n")
    said = released.refused("model", "release", "minor")
    assert f"{path} is not committed as on disk" in said
    assert 'hint: git add -A && git commit -m "Train"' in said
    assert released.tags() == ["v0.1.0"]


def test_other_work_in_progress_stays_as_it_is(released: Project) -> None:
    released.write("README.md", "In progress.\n")
    released.write("NOTES.md", "Staged.\n")
    released.git("add", "NOTES.md")
    released.model("release", "minor")
    status = released.run("git", "status", "--porcelain").output
    assert status == "A  NOTES.md\n M README.md\n"
    assert "NOTES.md" not in released.git("show", "--name-only", "--format=", "HEAD")


def test_refused_it_puts_every_file_back(released: Project) -> None:
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.commit("Not trained")
    head, before = released.git("rev-parse", "HEAD"), released.read("params.yaml")
    said = released.refused("model", "release", "minor")
    assert "CO02" in said
    assert "train.C" in said or "train" in said
    assert "v0.2.0 is not released" in said
    assert (released.git("rev-parse", "HEAD"), released.read("params.yaml")) == (head, before)
    assert released.git("status", "--porcelain") == ""
    assert released.tags() == ["v0.1.0"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("v0.1.0", "v0.1.0 is released already"),
        ("v1.0", "did you mean v1.0.0?"),
        ("1.0.0", "did you mean v1.0.0?"),
        ("latest", "'latest' is no version"),
    ],
)
def test_a_version_that_cannot_be(released: Project, wanted: str, said: str) -> None:
    assert said in released.refused("model", "release", wanted)
    assert released.git("status", "--porcelain") == ""


def test_older_than_the_last_one_is_refused(released: Project) -> None:
    said = released.refused("model", "release", "v0.0.9")
    assert "VE03" in said
    assert "v0.0.9 is not newer than v0.1.0" in said
    assert released.git("status", "--porcelain") == ""


def test_interrupted_after_the_commit_it_is_run_again(released: Project) -> None:
    released.write(".git/hooks/post-commit", "#!/bin/sh\nkill -9 $PPID; kill -9 $(ps -o ppid= -p $PPID)\n")
    (released.path / ".git/hooks/post-commit").chmod(0o755)
    assert released.run("model", "release", "minor").status != 0
    (released.path / ".git/hooks/post-commit").unlink()
    assert released.tags() == ["v0.1.0"]
    assert released.sidecar()["version"] == "v0.2.0"
    (released.path / ".git/index.lock").unlink(missing_ok=True)
    released.git("reset", "-q")
    released.model("release", "minor")
    assert released.tags() == ["v0.1.0", "v0.2.0"]
    assert released.git("status", "--porcelain") == ""


def test_without_a_remote_it_finishes_here_and_says_so(released: Project) -> None:
    released.git("remote", "remove", "origin")
    said = released.model("release", "minor")
    assert "Next: git remote add origin URL && git push --follow-tags -u origin HEAD" in said
    assert released.tags() == ["v0.1.0", "v0.2.0"]


def test_on_a_detached_head(released: Project) -> None:
    """The release gets a branch, or nobody would find its history; the line that is printed pushes both."""
    released.git("checkout", "-q", "--detach")
    said = released.model("release", "minor")
    assert "released v0.2.0 on release-v0.2.0" in said
    (push,) = re.findall(r"Next: (.*)", said)
    assert released.sh(push).status == 0, released.story
    released.assert_released("v0.2.0")
    assert "refs/heads/release-v0.2.0" in released.git("ls-remote", "origin")


def test_in_a_worktree(released: Project) -> None:
    beside = released.path.parent / "beside"
    released.git("worktree", "add", "-q", "-b", "line", str(beside))
    worktree = Project(beside, released.environment)
    assert "released v0.2.0 on line" in worktree.model("release", "minor")
    assert worktree.git("status", "--porcelain") == ""
    assert worktree.sidecar()["version"] == "v0.2.0"
    assert released.sidecar()["version"] == "v0.1.0"
    assert "v0.2.0" in released.tags()


# --- without an argument: a proposal ---


def test_it_proposes_the_part_that_should_grow_and_says_why(released: Project) -> None:
    assert "patch  code: src/customer_churn/serve.py" in released.model("release")
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.dvc("repro")
    released.commit("Less regularisation")
    said = released.model("release")
    assert said.startswith("since v0.1.0:\n  minor  parameter train.C: 1.0 -> 0.5\n"), said
    assert said.endswith("proposed: minor, v0.2.0\nNext: model release minor") and released.tags() == ["v0.1.0"]
    assert released.sh(said.rpartition("Next: ")[2]).status == 0 and released.tags() == ["v0.1.0", "v0.2.0"]


def test_what_is_not_committed_is_committed_before_the_proposed_release(released: Project) -> None:
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.dvc("repro")
    step = released.model("release").rpartition("Next: ")[2]
    assert step == 'git add -A && git commit -m "Train" && model release minor'
    assert released.sh(step).status == 0 and released.tags() == ["v0.1.0", "v0.2.0"], released.story


def test_an_input_that_goes_is_proposed_as_major_and_refused_as_minor(released: Project) -> None:
    released.replace("params.yaml", "    - tenure\n", "")
    released.commit("Drop tenure")
    released.dvc("repro")
    released.commit("Train")
    said = released.model("release")
    assert "  major  features: the input tenure is gone" in said and "proposed: major, v1.0.0" in said
    refused = released.refused("model", "release", "minor")
    assert "VE05 the input tenure is gone, so v0.2.0 would break what v0.1.0 serves" in refused
    assert released.sh(re.findall(r"hint: (.*)", refused)[0]).status == 0, released.story
    assert released.tags() == ["v0.1.0", "v1.0.0"] and released.git("status", "--porcelain") == ""


def test_before_the_first_release_it_proposes_what_is_declared(project: Project) -> None:
    assert project.model("release") == "customer-churn has no final release yet\nNext: model release v0.1.0"


def test_where_nothing_changed_it_says_so(released: Project) -> None:
    released.git("reset", "-q", "--hard", "v0.1.0")
    assert released.model("release") == "nothing changed since v0.1.0: there is nothing to release"
