"""`model` alone: what it says, and that the answer it keeps is never an old one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import TEMPLATE, git
from tests.versioning import small
from versioning import glance, pushing, standing
from versioning.git import Repository

IS_FRESH = glance._is_fresh


@dataclass
class Clone(small.Folder):
    """A small repository, looked at from a shell."""

    path: Path

    def git(self, *arguments: str) -> str:
        return git(self.path, *arguments)

    def model(self, folder: str = "", **environment: str) -> str:
        """What `model` alone prints, judged or kept."""
        done = subprocess.run(
            [sys.executable, "-m", "versioning"], cwd=self.path / folder, env={**os.environ, "PYTHONPATH": str(self.path), **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def kept(self) -> str | None:
        """The answer that would be printed again."""
        return glance.answer(str(self.path))


@pytest.fixture
def clone(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    made = Clone(tmp_path / "clone")
    small.build(made.path)
    (made.path / "versioning").symlink_to(template / TEMPLATE / "versioning")
    (made.path / ".venv").symlink_to(sys.prefix)
    made.write(".git/info/exclude", "/versioning\n/.venv\n")
    # No test waits until a file is old enough to be believed: here a moment is over at once.
    monkeypatch.setattr(glance, "_is_fresh", lambda seen, began: False)
    monkeypatch.chdir(made.path)
    return made


def looked(clone: Clone, capsys: pytest.CaptureFixture[str]) -> str:
    """Judge in this process, and keep the answer."""
    assert standing.look() == 0
    said = capsys.readouterr().out
    assert clone.kept() == said.rstrip("\n")
    return said


def test_it_says_where_we_are(clone: Clone) -> None:
    head = clone.git("rev-parse", "--short=7", "HEAD")
    assert clone.model().splitlines() == [
        f"branch main, commit {head}, no upstream",
        "customer-churn: v0.1.0 is 2 commits back; next v0.2.0",
        "Next: git tag -a v0.2.0 -m v0.2.0 && git push --follow-tags",
    ]


def test_what_stops_a_release_is_said_in_short(clone: Clone) -> None:
    clone.replace("params.yaml", "max_iter: 1000", "max_iter: 2000")
    clone.replace(small.SIDECAR, '"staging"', '"prod"')
    head, _, stopped, first, *_, following = clone.model().splitlines()
    assert head.endswith("2 files not committed") and stopped == "a release would be stopped now:"
    assert first.startswith("  CO02 params.yaml: ") and following.startswith("Next: dvc repro && git add -A")


def test_many_findings_are_counted(clone: Clone) -> None:
    for name in ("prepare", "featurize", "train", "evaluate", "predict"):
        clone.write(f"{small.SRC}/{name}.py", "X = 1\n")
    said = clone.model()
    assert said.count("\n  CO02 ") == 5 and " more: " in said


def test_after_everything_is_released(clone: Clone) -> None:
    clone.git("tag", "-a", "v0.2.0", "-m", "v0.2.0")
    said = clone.model()
    assert "customer-churn: v0.2.0 is this commit; next not declared yet" in said
    assert said.endswith("nothing changed since v0.2.0: there is nothing to release\n")


def test_a_release_elsewhere(clone: Clone) -> None:
    clone.git("tag", "-a", "v0.2.0", "-m", "v0.2.0")
    clone.git("checkout", "-q", "-b", "old", "v0.1.0")
    assert "v0.1.0 is this commit; v0.2.0 elsewhere" in clone.model()


def test_detached(clone: Clone) -> None:
    clone.git("checkout", "-q", "--detach")
    assert clone.model().startswith("no branch (detached HEAD), commit ")


def test_in_a_subfolder(clone: Clone) -> None:
    assert clone.model(small.SRC) == clone.model()


def test_before_the_first_commit(clone: Clone) -> None:
    clone.git("update-ref", "-d", "refs/heads/main")
    assert clone.model().splitlines()[-2:] == ["there is no commit yet", 'Next: git add -A && git commit -m "Start"']


def test_without_a_policy(clone: Clone) -> None:
    (clone.path / "versioning.yaml").unlink()
    said = clone.model()
    assert "versioning.yaml, which holds the rules of this repository, is not there" in said
    assert said.endswith("Next: git checkout HEAD -- versioning.yaml\n")
    subprocess.run(["sh", "-c", said.splitlines()[-1].removeprefix("Next: ")], cwd=clone.path, check=True)
    assert "customer-churn: " in clone.model()


def test_a_policy_that_cannot_be_read(clone: Clone) -> None:
    clone.write("versioning.yaml", "model: [\n")
    said = clone.model()
    assert "  SC01 versioning.yaml: is not YAML" in said and said.endswith("Next: git checkout HEAD -- versioning.yaml\n")


def test_in_the_middle_of_a_merge(clone: Clone) -> None:
    clone.git("checkout", "-q", "-b", "other")
    clone.replace("params.yaml", "seed: 42", "seed: 1")
    clone.git("commit", "-q", "-a", "-m", "One")
    clone.git("checkout", "-q", "main")
    clone.replace("params.yaml", "seed: 42", "seed: 2")
    clone.git("commit", "-q", "-a", "-m", "Two")
    subprocess.run(["git", "merge", "-q", "other"], cwd=clone.path, check=False, capture_output=True)
    said = clone.model()
    assert "a merge is not finished: 1 in conflict (params.yaml)" in said
    assert said.splitlines()[-1].startswith("Next: ") and said.endswith(" merge\n")
    clone.git("checkout", "-q", "--theirs", "params.yaml")
    clone.git("add", "params.yaml")
    assert clone.model().endswith("a merge is not finished\nNext: git merge --continue\n")


def test_another_team_is_committed_with_the_sidecar_that_names_it(clone: Clone) -> None:
    clone.replace("versioning.yaml", "team: data-science", "team: risk")
    said = clone.model()
    assert "ID01" in said
    assert "Next: dvc repro -f -s sidecar && git add -A && git commit" in said


@pytest.mark.parametrize(
    ("old", "new", "push"),
    [
        ("team: data-science", "team: risk", "git push && git push --follow-tags"),
        ("team: data-science", "team: data-science  # ours", "git push --follow-tags"),
    ],
)
def test_other_rules_are_pushed_before_the_release(clone: Clone, old: str, new: str, push: str) -> None:
    clone.git("remote", "add", "origin", "https://git.invalid/none.git")
    clone.git("update-ref", "refs/remotes/origin/main", "HEAD")
    clone.replace("versioning.yaml", old, new)
    clone.git("commit", "-q", "-a", "-m", "Rules")
    with Repository(clone.path) as repository:
        assert pushing.command(repository) == push
        clone.git("switch", "-q", "-c", "other")
        assert pushing.command(repository) == "git push --follow-tags"
        assert pushing.judged_by(repository) == ("main" if " && " in push else "")


def test_two_pushes_bring_tags_to_where_a_branch_is_already(clone: Clone) -> None:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(clone.path.parent / "bare")], check=True)
    clone.git("remote", "add", "origin", str(clone.path.parent / "bare"))
    clone.git("push", "-q", "-u", "origin", "main")
    clone.git("commit", "-q", "--allow-empty", "-m", "More")
    clone.git("tag", "-a", "v0.2.0", "-m", "v0.2.0")
    subprocess.run(
        ["sh", "-ec", "git push -q && git ls-remote --tags origin v0.2.0 && git push -q --follow-tags"],
        cwd=clone.path,
        check=True,
    )
    assert "refs/tags/v0.2.0" in clone.git("ls-remote", "--tags", "origin")


def test_the_upstream_is_known_without_a_network(clone: Clone) -> None:
    clone.git("update-ref", "refs/remotes/origin/main", "HEAD~2")
    clone.git("remote", "add", "origin", "https://git.invalid/none.git")
    clone.git("branch", "-q", "--set-upstream-to", "origin/main")
    assert ", 2 ahead of origin/main" in clone.model()


def test_before_there_is_an_environment(clone: Clone) -> None:
    (clone.path / ".venv").unlink()
    done = subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), "-S", "-m", "versioning"], cwd=clone.path, capture_output=True,
        text=True, check=False, env={**os.environ, "PYTHONPATH": str(clone.path)},
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("branch main, commit ") and done.stdout.endswith("Next: python3 -m versioning setup\n")


def test_outside_of_a_repository_is_wrong_usage(clone: Clone) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "versioning"], cwd=clone.path.parent, env={**os.environ, "PYTHONPATH": str(clone.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "is not in a Git repository" in done.stderr


# --- the answer that is kept -------------------------------------------------------------------------------------------


def test_it_is_printed_again(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    said = looked(clone, capsys)
    place = glance.find(str(clone.path))
    assert place
    kept = Path(place.kept)
    kept.write_text(kept.read_text("utf-8").replace("Next: ", "Kept: "), "utf-8")
    assert clone.model() == said.replace("Next: ", "Kept: ")


def same_size(clone: Clone) -> None:
    """An edit that leaves the size, and even the time, as they were."""
    file = clone.path / "params.yaml"
    status = file.stat()
    clone.replace("params.yaml", "max_iter: 1000", "max_iter: 2000")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


MOVES: dict[str, Callable[[Clone], object]] = {
    "an edit": lambda it: it.replace("params.yaml", "1000", "1"),
    "an edit of the same size and time": same_size,
    "an edit of what Git ignores": lambda it: it.write(small.ARTIFACT, "another model\n"),
    "the model gone": lambda it: (it.path / small.ARTIFACT).unlink(),
    "a new file": lambda it: it.write("src/new.py", "X = 1\n"),
    "a new pipeline": lambda it: it.write("more/dvc.yaml", "stages: {}\n"),
    "the policy": lambda it: it.replace("versioning.yaml", "0.75", "0.99"),
    "a tag": lambda it: it.git("tag", "-a", "v0.2.0", "-m", "v0.2.0"),
    "a tag gone": lambda it: it.git("tag", "-d", "v0.1.0"),
    "another branch": lambda it: it.git("checkout", "-q", "-b", "other"),
    "a commit": lambda it: it.git("commit", "-q", "--allow-empty", "-m", "Empty"),
    "staged": lambda it: (it.write("notes.md", "x\n"), it.git("add", "notes.md")),
    "packed refs": lambda it: (it.git("tag", "-d", "v0.1.0"), it.git("pack-refs", "--all")),
    "an experiment": lambda it: it.git("update-ref", "refs/exps/aa/bb/v0.2.0", "HEAD"),
    "a remote": lambda it: it.git("remote", "add", "origin", "/nowhere"),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=[*MOVES])
def test_whatever_moves_is_seen(clone: Clone, capsys: pytest.CaptureFixture[str], move: Callable[[Clone], object]) -> None:
    looked(clone, capsys)
    move(clone)
    assert clone.kept() is None


def test_bytes_that_are_in_the_cache_alone_are_looked_for_there(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    cached = clone.path / ".dvc/cache/files/md5"
    (clone.path / small.FEATURES).unlink()
    looked(clone, capsys)
    cached.rename(cached.with_name("gone"))
    assert clone.kept() is None


def test_a_name_that_is_no_text(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsencode(clone.path) + b"/\xff.md"
    with open(name, "wb") as stream:
        stream.write(b"x")
    assert ", 1 file not committed" in looked(clone, capsys)
    os.unlink(name)
    assert clone.kept() is None


def test_a_second_edit_of_a_changed_file_is_seen(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.write("notes.md", "one\n")
    looked(clone, capsys)
    clone.write("notes.md", "two\n")
    assert clone.kept() is None


def test_a_file_that_appears_in_a_folder_that_a_stage_takes(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline = (clone.path / "dvc.yaml").read_text("utf-8").replace(f"- {small.SRC}/prepare.py\n", "- src\n", 1)
    clone.write("dvc.yaml", pipeline)
    file = re.compile(rf"path: {small.SRC}/prepare.py\n( +hash: md5\n +md5: )[0-9a-f]+")
    lock = (clone.path / "dvc.lock").read_text("utf-8")
    clone.write("dvc.lock", file.sub(rf"path: src\n\g<1>{'a' * 32}.dir", lock, count=1))
    clone.write(".gitignore", "*.log\n")
    looked(clone, capsys)
    clone.write(f"{small.SRC}/run.log", "which git status does not show\n")
    assert clone.kept() is None


def test_the_next_day_is_another_one(clone: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    looked(clone, capsys)
    now = glance.time.time()
    monkeypatch.setattr(glance.time, "time", lambda: now + 86400)
    assert clone.kept() is None  # a waiver may have ended


def test_other_rules(clone: Clone, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    looked(clone, capsys)
    (clone.path / "versioning").unlink()
    (clone.path / "versioning").mkdir()
    assert clone.kept() is None


def test_another_program_path(clone: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    looked(clone, capsys)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}/elsewhere")
    assert clone.kept() is None  # a hint names `model` only where it is found


def test_another_worktree_has_an_answer_of_its_own(
    clone: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.git("worktree", "add", "-q", "-b", "beside", "../beside", "v0.1.0")
    here = looked(clone, capsys)
    beside = Clone(clone.path.parent / "beside")
    assert beside.kept() is None
    (beside.path / "versioning").symlink_to((clone.path / "versioning").resolve())
    monkeypatch.chdir(beside.path)
    standing.look()
    there = capsys.readouterr().out
    assert "branch beside" in there and clone.kept() == here.rstrip("\n")
    beside.git("tag", "-a", "v0.2.0", "-m", "v0.2.0", "main")
    assert clone.kept() is None and beside.kept() is None


def test_a_file_that_changed_just_now_is_not_believed(
    clone: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance, "_is_fresh", IS_FRESH)
    clone.replace("params.yaml", "1000", "2000")
    standing.look()
    assert clone.kept() is None


@pytest.mark.parametrize(
    ("age", "fresh"),
    [(0, True), (50_000_000, True), (200_000_000, False), (-1_000_000_000, True)],
    ids=["now", "tick", "old", "ahead"],
)
def test_how_old_a_file_has_to_be(age: int, fresh: bool) -> None:
    now = 1_800_000_000_500_000_001
    assert IS_FRESH(f"5 {now - age} {now - 10**10} 123456789012345678\tx", now) is fresh
    assert IS_FRESH(f"5 {now - 10**10} {now - age} 1\tx", now) is fresh
    assert not IS_FRESH("-\tx", now)


def test_a_coarse_clock_takes_longer() -> None:
    now = 1_800_000_001_500_000_000
    assert IS_FRESH("5 1800000000000000000 1 1\tx", now)  # whole seconds, as some file systems have them
    assert not IS_FRESH("5 1800000000000000001 1 1\tx", now)


def test_what_changes_while_it_is_judged_is_not_kept(clone: Clone) -> None:
    place = glance.find(str(clone.path))
    assert place
    before = glance.state(place)
    clone.git("tag", "later")
    assert not glance.keep(place, glance.clock(place), before, set(), "an answer")


def test_half_an_answer_is_none(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    looked(clone, capsys)
    place = glance.find(str(clone.path))
    assert place
    whole = Path(place.kept).read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-3], b"\xff\xfe", b"\0\0watched\0\0\0answer\0\0end\n"):
        Path(place.kept).write_bytes(content)
        assert clone.kept() is None
    assert clone.model()


def test_where_nothing_can_be_written_it_is_judged_each_time(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    place = glance.find(str(clone.path))
    assert place
    Path(place.common, "model-gate").mkdir(exist_ok=True)
    Path(place.kept).mkdir()
    assert standing.look() == 0 and "Next: " in capsys.readouterr().out
    assert clone.kept() is None


def test_a_time_in_the_future_is_asked_again(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.replace(small.SIDECAR, '"created_at": "20', '"created_at": "29')
    standing.look()
    assert "ID02" in capsys.readouterr().out
    assert clone.kept() is None


def test_git_pointed_elsewhere_is_asked(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(clone.path / ".git"))
    assert glance.find(str(clone.path)) is None


def test_the_kept_answer_takes_nothing_heavy(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    said = looked(clone, capsys)
    code = "import os, sys; known = {*sys.modules}; from versioning.glance import main; main(); print(sorted({*sys.modules} - known))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=clone.path, env={**os.environ, "PYTHONPATH": str(clone.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == said + "['__future__', 'versioning', 'versioning.glance']\n"
