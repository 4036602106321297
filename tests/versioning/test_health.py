"""`model doctor`: each thing that can be missing or odd in a clone, and its cure, pasted."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import TEMPLATE, git
from tests.versioning import small
from versioning import health, objectives, policy, verdicts
from versioning import sidecar as sidecars
from versioning.commands import setup
from versioning.errors import VersioningError
from versioning.git import Repository
from versioning.health import Diagnosis
from versioning.snapshot import DiskSnapshot


@dataclass
class Clone(small.Folder):
    """A small clone that is sound, with its storage and its origin beside it."""

    path: Path

    def git(self, *arguments: str) -> str:
        return git(self.path, *arguments)

    def points(self) -> dict[str, Diagnosis]:
        """The first diagnosis of each point; those that are not sound come before."""
        with Repository(self.path) as repository:
            found = [*health.examine(repository)]
        return {one.point: one for one in sorted(found, key=lambda one: one.sound, reverse=True)}

    def bad(self) -> list[str]:
        return [point for point, one in self.points().items() if not one.sound]

    def paste(self, line: str) -> str:
        done = subprocess.run(["sh", "-c", line], cwd=self.path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.path, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def clone_once(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    made = Clone(folder / "clone")
    small.build(made.path)
    made.write("requirements-dev.lock", "dvc==3.67.1\n")
    made.git("add", "-A")
    made.git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-q", "-m", "Tools")
    (made.path / "versioning").symlink_to(template / TEMPLATE / "versioning")
    made.write(".git/info/exclude", "/versioning\n/.venv\n")
    (made.path / ".venv").symlink_to(sys.prefix)
    subprocess.run([sys.executable, "-m", "versioning", "hooks", "install"], cwd=made.path, check=True, capture_output=True)
    git(folder, "init", "-q", "--bare", "-b", "main", "origin")
    (folder / "store").mkdir()
    return folder


@pytest.fixture
def clone(clone_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    for part in ("clone", "origin", "store"):
        shutil.copytree(clone_once / part, tmp_path / part, symlinks=True)
    made = Clone(tmp_path / "clone")
    made.write(".dvc/config.local", f"['remote \"storage\"']\n    url = {tmp_path / 'store'}\n")
    made.git("remote", "add", "origin", str(tmp_path / "origin"))
    made.git("-c", "core.hooksPath=/dev/null", "push", "-q", "-u", "origin", "main", "--tags")
    made.git("pack-refs", "--all")
    # The environment is shared by all tests, and was not made from the locks of this clone.
    monkeypatch.setattr(setup, "is_current", lambda _: True)
    return made


def test_a_sound_clone_is_sound(clone: Clone) -> None:
    points = clone.points()
    assert {point: one.says for point, one in points.items() if not one.sound or one.cure} == {}
    assert points["releases"].says == "1, and nothing contradicts it"


def rebase(clone: Clone) -> None:
    (clone.path / ".git/rebase-merge").mkdir()


def detach(clone: Clone) -> None:
    clone.git("checkout", "-q", "--detach")
    clone.git("commit", "-q", "--allow-empty", "-m", "On no branch")


def old_lock(clone: Clone) -> None:
    clone.write(".git/index.lock", "")
    os.utime(clone.path / ".git/index.lock", (0, 0))


def dead_lock(clone: Clone) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    clone.write(".dvc/tmp/rwlock", json.dumps({"/x": {"write": {"pid": process.pid, "cmd": "dvc repro"}}}))


def untrue(clone: Clone) -> None:
    clone.git("-c", "core.hooksPath=/dev/null", "tag", "v9.9.9")


@pytest.mark.parametrize(
    ("point", "spoil", "says"),
    [
        ("hooks", lambda it: (it.path / ".git/hooks/pre-push").unlink(), "not installed: pre-push"),
        ("hooks", lambda it: (it.path / ".git/hooks/pre-push").chmod(0o644), "Git passes over them: pre-push"),
        ("rules", lambda it: it.write(".git/model-gate/versioning/judge.py", ""), "other rules than this checkout has"),
        ("rules", lambda it: shutil.rmtree(it.path / ".git/model-gate/versioning"), "the hooks have no rules to run"),
        ("hooks path", lambda it: it.git("config", "core.hooksPath", "/elsewhere"), "core.hooksPath is /elsewhere"),
        ("lock", old_lock, "index.lock was left by a Git that died"),
        ("lock", dead_lock, "DVC's lock was left by a process that is gone"),
        ("commits", detach, "which no branch holds"),
        ("policy", lambda it: (it.path / "versioning.yaml").unlink(), "versioning.yaml, which holds the rules"),
        ("policy", lambda it: it.write("versioning.yaml", "team: [a]\n"), "team holds ['a'], not a text"),
    ],
)
def test_what_is_odd_is_named_and_its_cure_mends_it(
    clone: Clone, point: str, spoil: Callable[[Clone], object], says: str
) -> None:
    spoil(clone)
    found = clone.points()[point]
    assert not found.sound and says in found.says, found
    clone.paste(found.cure)
    assert point not in clone.bad()


@pytest.mark.parametrize(
    ("point", "spoil", "says", "cure"),
    [
        (
            "identity",
            lambda it: os.environ.update(GIT_CONFIG_GLOBAL="/dev/null"),
            "does not know who you are",
            "git config user.name NAME",
        ),
        ("DVC remote", lambda it: it.write(".dvc/config", ""), "none is set", "dvc remote add --default storage URL"),
        (
            "DVC remote",
            lambda it: (it.path.parent / "store").rmdir(),
            "is not there",
            "dvc remote add --local --force storage URL",
        ),
        ("Git remote", lambda it: it.git("remote", "remove", "origin"), "none is set", "git remote add origin URL"),
        (
            "Git remote",
            lambda it: shutil.rmtree(it.path.parent / "origin"),
            "which is not there",
            "git remote set-url origin URL",
        ),
        ("unfinished", rebase, "a rebase is not finished", "git rebase --continue"),
        ("data", lambda it: (it.path / small.ARTIFACT).unlink(), f"not here: {small.ARTIFACT}", "dvc pull"),
        ("data", lambda it: (it.path / small.DATA).unlink(), f"not here: {small.DATA}", "dvc pull"),
        ("sidecar", lambda it: (it.path / small.SIDECAR).unlink(), "is not there", "dvc repro -f -s sidecar"),
        ("data", lambda it: it.write("dvc.lock", "- a\n"), "dvc.lock is no lock that DVC reads", "rm dvc.lock && dvc repro"),
        ("release", untrue, "v9.9.9 is not true: VE02", " check v9.9.9"),
        (
            "policy",
            lambda it: it.write("versioning.yaml", "model: customer-churn\nmodle: x\n"),
            "nothing reads modle",
            "versioning.yaml",
        ),
        (
            "history",
            lambda it: it.write(".git/shallow", it.git("rev-parse", "HEAD~1") + "\n"),
            "shallow",
            "git fetch --unshallow --tags",
        ),
    ],
)
def test_what_only_a_person_can_mend_is_named(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, point: str, spoil: Callable[[Clone], object], says: str, cure: str
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.environ["GIT_CONFIG_GLOBAL"])
    spoil(clone)
    found = clone.points()[point]
    assert not found.sound and says in found.says and cure in found.cure, found


def fight(clone: Clone, *files: str) -> None:
    """Two branches with another content of the same files, and a merge of them that Git could not end."""
    for branch, word in (("other", "theirs"), ("main", "ours")):
        clone.git("checkout", "-q", *(["-b"] if branch == "other" else []), branch)
        for file in files:
            clone.write(file, (clone.path / file).read_text("utf-8").replace("seed: 42", f"seed: {len(word)}") + f"# {word}\n")
        clone.git("-c", "core.hooksPath=/dev/null", "commit", "-q", "-a", "-m", word)
    assert clone.run("git", "-c", "core.hooksPath=/dev/null", "merge", "other").returncode == 1


def test_the_cure_of_a_conflict_keeps_what_was_typed(clone: Clone) -> None:
    fight(clone, "params.yaml", "dvc.lock", "versioning.yaml")
    clone.replace("params.yaml", "seed: ", "seed: 7  # by hand: ")
    bad = {point: one for point, one in clone.points().items() if not one.sound}
    assert "in conflict: dvc.lock, params.yaml" in bad["unfinished"].says
    assert bad["unfinished"].cure.endswith(" merge") and "data" not in bad
    assert not any(word in one.cure for one in bad.values() for word in ("--abort", "||", "git checkout", "rm dvc.lock"))
    clone.paste(bad["unfinished"].cure.replace("python3", sys.executable))
    assert "by hand" in (clone.path / "params.yaml").read_text("utf-8")


def test_a_conflict_that_no_model_has(clone: Clone) -> None:
    fight(clone, "README.md")
    found = clone.points()["unfinished"]
    assert "in conflict: README.md" in found.says and found.cure == "git merge --continue"
    assert clone.run("sh", "-c", found.cure).returncode and "<<<<<<<" in (clone.path / "README.md").read_text("utf-8")


def test_a_storage_beside_origin_that_is_not_connected_yet(clone: Clone) -> None:
    (clone.path.parent / "dvc").mkdir()
    (clone.path / ".dvc/config.local").unlink()
    found = clone.points()["DVC remote"]
    assert (found.says, found.cure) == ("the storage beside origin is not connected here", "python3 -m versioning setup")
    clone.paste(f"{found.cure} --no-install")
    assert "DVC remote" not in clone.bad()


def test_what_its_author_never_pushed_is_said(clone: Clone) -> None:
    (clone.path / small.ARTIFACT).unlink()
    (clone.path / "models/customer-churn.features.json").unlink()
    assert "not in the storage" not in clone.points()["data"].says  # the cache has it
    shutil.rmtree(clone.path / ".dvc/cache")
    found = clone.points()["data"]
    assert f"{small.ARTIFACT}; not in the storage either: Ada Lovelace has to run dvc push" in found.says
    assert found.cure == ""
    said = clone.run(sys.executable, "-m", "versioning").stdout
    assert "Next: not in the storage either: Ada Lovelace has to run dvc push; then: dvc pull" in said, said
    (clone.path.parent / "store").rmdir()
    assert "dvc push" not in clone.points()["data"].says


def test_what_is_sound_is_said_in_short_lines(clone: Clone) -> None:
    statement = "Any release can be rebuilt, and production can go back to one, in a known time."
    rules = (clone.path / "versioning.yaml").read_text() + OBJECTIVES.replace("Back in time.", statement)
    clone.write("versioning.yaml", rules)
    said = clone.run(sys.executable, "-m", "versioning", "doctor").stdout
    assert "ok  objectives: Any release" in said and all(len(line) <= 100 for line in said.splitlines()), said


def test_a_link_into_a_cache_that_is_gone(clone: Clone) -> None:
    (clone.path / small.ARTIFACT).unlink()
    (clone.path / small.ARTIFACT).symlink_to("/gone")
    assert clone.points()["data"].says == f"{small.ARTIFACT} links to a cache that is gone"


@pytest.mark.parametrize(
    ("spoil", "says", "cure"),
    [
        (
            lambda it: it.git("commit", "-q", "--allow-empty", "-m", "One"),
            "1 commit is on this machine only",
            "git push --follow-tags",
        ),
        (
            lambda it: (it.git("checkout", "-q", "-b", "other"), it.git("commit", "-q", "--allow-empty", "-m", "One")),
            "1 commit is on this machine only",
            "git push --follow-tags -u origin HEAD",
        ),
        (
            lambda it: it.git("tag", "-a", "v0.2.0", "-m", "v0.2.0", "HEAD~"),
            "not known to be on origin: v0.2.0",
            "git push origin v0.2.0",
        ),
    ],
)
def test_what_is_on_this_machine_only_is_said(clone: Clone, spoil: Callable[[Clone], object], says: str, cure: str) -> None:
    spoil(clone)
    found = clone.points()["pushed"]
    assert found.sound and found.says == says and found.cure == cure


def test_work_that_is_not_committed_is_said(clone: Clone) -> None:
    clone.replace(small.METRICS, "0.80", "0.81")
    found = clone.points()["training"]
    assert (found.sound, found.says) == (True, f"not committed: {small.METRICS}")
    clone.paste(found.cure.replace("git commit", "git -c core.hooksPath=/dev/null commit"))
    assert "training" not in clone.points()


def test_little_room(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_LITTLE", 1 << 60)
    found = clone.points()["disk"]
    assert not found.sound and "MiB are left" in found.says and found.cure == "dvc gc --all-commits"


@pytest.mark.parametrize(("days", "sound", "says"), [(-1, False, "ended on"), (3, True, "ends on"), (60, None, "")])
def test_a_waiver_that_ends(clone: Clone, days: int, sound: bool | None, says: str) -> None:
    until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
    waiver = f"waivers:\n- rule: ME03\n  version: v0.2.0\n  reason: Few rows\n  by: Ada\n  until: {until}\n"
    clone.replace("versioning.yaml", "waivers:\n", waiver)
    found = clone.points().get("waiver")
    assert found is None if sound is None else found and found.sound is sound and says in found.says


def test_the_environment(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "is_current", lambda _: False)
    assert "made from other locks" in clone.points()["environment"].says
    (clone.path / ".venv").unlink()
    assert clone.points()["environment"].says == "there is none: .venv is not there"
    (clone.path / ".venv/bin").mkdir(parents=True)
    (clone.path / ".venv/bin/python").symlink_to("/gone/python3.9")
    found = clone.points()["environment"]
    assert "the Python of .venv is gone (/gone/python3.9)" in found.says and found.cure.startswith("rm -rf .venv && ")


def test_it_starts_under_a_python_without_anything(clone: Clone) -> None:
    (clone.path / ".venv").unlink()
    (clone.path / ".git/model-gate/judged.json").unlink(missing_ok=True)
    bare = [getattr(sys, "_base_executable", sys.executable), "-S", "-m", "versioning", "doctor"]
    done = clone.run(*bare)
    assert done.returncode == 1 and done.stderr == ""
    first, cure, *_ = done.stdout.splitlines()
    assert (first, cure) == ("BAD environment: there is none: .venv is not there", "      python3 -m versioning setup")
    assert "ok  identity: " in done.stdout and "BAD the rest: is not looked at before there is an environment" in done.stdout


def test_the_lines(clone: Clone) -> None:
    clone.git("commit", "-q", "--allow-empty", "-m", "One")
    (clone.path / small.ARTIFACT).unlink()
    done = clone.run(sys.executable, "-m", "versioning", "doctor")
    assert done.returncode == 1
    assert "\nok  hooks: all 6 are installed\n" in done.stdout
    assert "\nsee pushed: 1 commit is on this machine only\n      git push --follow-tags\n" in done.stdout
    assert f"\nBAD data: not here: {small.ARTIFACT}\n      dvc pull\n" in done.stdout


# --- objectives --------------------------------------------------------------------------------------------------------

OBJECTIVES = """objectives:
  statement: Back in time.
  scope:
    models:
    - customer-churn
    teams:
    - growth
  environments:
  - dev
  - prod
  model_types:
  - batch
  rollback_within: 30 minutes
  reproduce_within: 1 day
"""


def test_objectives_are_shown_and_what_is_not_measured_is_said(clone: Clone) -> None:
    clone.write("versioning.yaml", (clone.path / "versioning.yaml").read_text() + OBJECTIVES)
    points = clone.points()
    assert points["objectives"].says == "Back in time; for customer-churn; of growth; batch; in dev, prod"
    assert points["rollback"].says == "within 30 minutes: not measured yet"
    assert points["reproduction"].says == "within 1 day: not measured yet"
    assert clone.bad() == []


@pytest.mark.parametrize(("seconds", "sound"), [(12.0, True), (1800.0, True), (1801.0, False)])
def test_going_back_is_held_against_its_objective(clone: Clone, seconds: float, sound: bool) -> None:
    clone.write("versioning.yaml", (clone.path / "versioning.yaml").read_text() + OBJECTIVES)
    objectives.Rollbacks(Repository(clone.path)).remember("v0.1.0", seconds)
    found = clone.points()["rollback"]
    assert found.sound is sound and "going back to v0.1.0 took " in found.says
    assert found.cure == ("" if sound else "dvc fetch --all-tags")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("- customer-churn\n    teams", "- uplift\n    teams", "scope.models names «uplift», which is no model here"),
        ("- dev\n  - prod", "- dev\n  - canary", None),
    ],
)
def test_objectives_that_speak_of_what_is_not_there(clone: Clone, old: str, new: str, says: str | None) -> None:
    rules = (clone.path / "versioning.yaml").read_text() + OBJECTIVES.replace(old, new)
    clone.write("versioning.yaml", rules)
    found = clone.points()["objectives"]
    assert found.sound is (says is None) and (says or "Back in time") in found.says


# --- releases are judged once ------------------------------------------------------------------------------------------


def judged(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tags that the next look judges."""
    seen: list[str] = []
    real = verdicts.judge.tagged
    with monkeypatch.context() as patch:
        patch.setattr(
            verdicts.judge, "tagged", lambda repository, tag, *rest: (seen.append(tag), real(repository, tag, *rest))[1]
        )
        clone.points()
    return seen


def test_what_was_found_true_is_not_judged_again(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(clone, monkeypatch) == ["v0.1.0"]
    assert judged(clone, monkeypatch) == []
    clone.git("tag", "-a", "v0.2.0", "-m", "v0.2.0", "HEAD~")
    assert judged(clone, monkeypatch) == ["v0.2.0"]
    assert judged(clone, monkeypatch) == []


def test_what_was_found_false_is_judged_each_time(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    untrue(clone)
    assert judged(clone, monkeypatch) == ["v0.1.0", "v9.9.9"]
    assert judged(clone, monkeypatch) == ["v9.9.9"]


def test_what_stands_on_a_release_that_moved_is_judged_again(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.git("tag", "-a", "v0.2.0", "-m", "v0.2.0", "HEAD~")
    judged(clone, monkeypatch)
    clone.git("-c", "core.hooksPath=/dev/null", "tag", "-d", "v0.1.0")
    assert judged(clone, monkeypatch) == ["v0.2.0"]
    clone.git("-c", "core.hooksPath=/dev/null", "tag", "v0.3.0", "HEAD~3")  # earlier in history, later by version
    assert judged(clone, monkeypatch) == ["v0.2.0", "v0.3.0"]
    assert not clone.points()["release"].sound


def test_a_tag_that_names_another_object_is_judged_again(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(clone, monkeypatch)
    clone.git("-c", "core.hooksPath=/dev/null", "tag", "-f", "v0.1.0", "HEAD~")
    assert judged(clone, monkeypatch) == ["v0.1.0"]
    assert clone.points()["release"].says.startswith("v0.1.0 is not true: VE02")


def test_an_experiment_of_that_name_is_seen(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(clone, monkeypatch)
    clone.git("update-ref", "refs/exps/aa/bb/v0.1.0", "HEAD")
    assert judged(clone, monkeypatch) == ["v0.1.0"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"basis": 1, "refs": [], "sound": {}}', "nonsense"])
def test_what_cannot_be_read_is_judged_again(clone: Clone, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    judged(clone, monkeypatch)
    clone.write(".git/model-gate/judged.json", content)
    assert judged(clone, monkeypatch) == ["v0.1.0"]


# --- a report that nothing makes ---------------------------------------------------------------------------------------


def test_a_report_that_no_stage_makes_is_named_where_it_is_asked_for(clone: Clone) -> None:
    clone.replace("versioning.yaml", "- reports/calibration.csv", "- reports/lift.csv")
    with Repository(clone.path) as repository:
        disk = DiskSnapshot(repository)
        rules = policy.load(disk)
        with pytest.raises(VersioningError) as caught:
            sidecars.describe(disk, rules, small.MODEL)
    assert str(caught.value) == (
        "reports/lift.csv is not there, and no stage of dvc.yaml makes it: versioning.yaml names it under paths: evaluation:"
    )
    assert caught.value.hint == "${EDITOR:-vi} versioning.yaml"
