"""`model merge`, and what `model check` says of a conflict: two branches of which each has trained.

Git merges `params.yaml` and `src/` in silence while `dvc.lock`, sidecar and metrics are in conflict.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.versioning.conftest import METRICS, MODEL, SIDECAR, Project, copy_of, shell_environment

SRC = f"src/{MODEL.replace('-', '_')}"
ADDED = f"{SRC}/clip.py"
OTHER = "larger-test-set"
OWN = ["dvc.lock", "dvc.yaml", METRICS, SIDECAR, "params.yaml", ADDED, f"{SRC}/train.py"]


@pytest.fixture(scope="module")
def forked_once(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two branches that have both trained; the other one has a module, a dependency and a line of README more."""
    path = copy_of(released_once, tmp_path_factory.mktemp("forked"))
    project = Project(path, shell_environment(tmp_path_factory.mktemp("home"), path))
    project.git("switch", "-q", "-c", OTHER)
    project.replace("params.yaml", "test_size: 0.2 ", "test_size: 0.25 ")
    project.replace("params.yaml", "version: v0.1.0", "version: v0.2.0")
    project.write(ADDED, "LOWEST = 0\n")
    project.replace("dvc.yaml", f"      - {SRC}/train.py\n", f"      - {SRC}/train.py\n      - {ADDED}\n")
    project.write("README.md", project.read("README.md") + "\nTested on a quarter of the rows.\n")
    project.dvc("repro")
    project.commit("Larger test set")
    project.git("switch", "-q", "main")
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.replace("params.yaml", "version: v0.1.0", "version: v0.2.0")
    project.write(f"{SRC}/train.py", project.read(f"{SRC}/train.py") + "# Less of it.\n")
    project.dvc("repro")
    project.commit("Less regularisation")
    return path


@pytest.fixture
def forked(forked_once: Path, tmp_path: Path, home: Path) -> Project:
    """A copy of it, on main, for this test alone."""
    path = copy_of(forked_once, tmp_path)
    return Project(path, shell_environment(home, path) | {"GIT_EDITOR": "true"})


def conflict(project: Project, *command: str) -> None:
    project.refused("git", *(command or ("merge", OTHER)))
    project.log.clear()


def next_of(said: str) -> str:
    (line,) = re.findall(r"^Next: (.*)$", said, re.MULTILINE)
    return str(line).partition("  # ")[0]


def whole(project: Project, commit: str) -> bool:
    """Whether all of the model's files, staged and on disk, are those of a commit, and its data and model are here."""
    same = project.run("git", "diff", "--stat", "--cached", commit, "--", *OWN).output == ""
    clean = project.run("git", "diff", "--stat", "--", *OWN).output == ""
    return same and clean and "up to date" in project.dvc("status")


def released(project: Project, version: str = "v0.2.0") -> None:
    """The step that `model check` names passes, to the pushed tag, and trains nothing."""
    said = project.run("model", "check").output
    (step,) = re.findall(r"^  1\. (.*)$", said, re.MULTILINE)
    assert project.sh(step).status == 0, project.story
    project.git("push", "-q", "--follow-tags")
    assert not project.trained(), project.story
    project.assert_released(version)


# --- what is said -----------------------------------------------------------------------------------------------------


def test_check_says_which_two_trainings_met_and_what_to_type(forked: Project) -> None:
    conflict(forked)
    before = forked.git("status", "--porcelain")
    done = forked.run("model", "check")
    assert done.status == 1
    head, other = (forked.git("log", "-1", "--format=%h %s", ref) for ref in ("main", OTHER))
    first, hint, *_ = done.output.splitlines()
    assert first == (
        f"dvc.lock: CO02 is in conflict, and {SIDECAR}, {METRICS} with it: this merge is not done, of main ({head}) "
        f"and {OTHER} ({other})"
    )
    assert hint == "  hint: model merge"
    assert re.search(r"^  train\.C +0\.5 +1\.0$", done.output, re.MULTILINE), done.output
    assert re.search(r"^  version +v0\.2\.0 +v0\.2\.0$", done.output, re.MULTILINE)
    assert re.search(r"^  roc_auc +0\.8\d+ +0\.8\d+$", done.output, re.MULTILINE)
    assert re.findall(r"^  (model merge \S+|git merge --abort)", done.output, re.MULTILINE) == [
        "model merge main", f"model merge {OTHER}", "model merge both", "git merge --abort",
    ]  # fmt: skip
    assert done.output.endswith(forked.model("merge").partition("\n")[2] + "\n")
    found = json.loads(forked.run("model", "check", "--format", "json").output)
    assert [(one["code"], one["actual"]) for one in found["findings"]] == [("CO02", ["main", OTHER])]
    assert [side["name"] for side in json.loads(forked.model("merge", "--json"))["sides"]] == ["main", OTHER]
    assert forked.git("status", "--porcelain") == before


def test_marks_that_were_added_are_told_by_the_commit_hook(forked: Project) -> None:
    conflict(forked)
    forked.git("add", "-A")
    said = forked.refused("git", "commit", "-m", "Merge")
    assert "dvc.lock: CO02 is in conflict" in said and "hint: model merge" in said and "malformed" not in said
    forked.model("merge", OTHER)
    assert whole(forked, OTHER)


def test_nothing_is_in_progress(forked: Project) -> None:
    done = forked.run("model", "merge", "main")
    assert (done.status, done.output) == (
        2, "error: no merge, rebase, cherry-pick, revert or stash is in conflict here\n  hint: model check\n",
    )  # fmt: skip
    assert forked.git("status", "--porcelain") == ""


@pytest.mark.parametrize("side", ["nosuch", "v0.1.0"])
def test_a_side_that_is_none(forked: Project, side: str) -> None:
    conflict(forked)
    done = forked.run("model", "merge", side)
    assert (done.status, done.output) == (
        2, f"error: '{side}' is no side of this merge\n  hint: model merge main or model merge {OTHER}\n",
    )  # fmt: skip


# --- one side whole ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["main", OTHER, "ours", "theirs"])
def test_one_side_whole_to_the_pushed_release(forked: Project, side: str) -> None:
    name = {"ours": "main", "theirs": OTHER}.get(side, side)
    conflict(forked)
    said = forked.model("merge", side)
    assert "nothing has to be trained: dvc.lock is true of what is staged" in said
    assert said.endswith("Next: git commit --no-edit")
    assert whole(forked, name), forked.story
    assert (forked.path / ADDED).exists() == (name == OTHER)
    assert "Tested on a quarter" in forked.read("README.md"), "what is none of the model's stays as Git merged it"
    sha256 = forked.sidecar()["artifact"]["sha256"]
    assert sha256 in forked.ok("sha256sum", f"models/{MODEL}.skops")
    assert forked.sh(next_of(said)).status == 0, forked.story
    released(forked)
    assert forked.git("rev-list", "--count", "--merges", "v0.1.0..v0.2.0") == "1", "no commit beside the merge"


def test_what_is_left_out_is_named_and_comes_back(forked: Project) -> None:
    conflict(forked)
    said = forked.model("merge", "main")
    assert f"left out, of {OTHER}: dvc.yaml, params.yaml, {ADDED}\n" in said
    (see,) = re.findall(r"to see it: (.*)", said)
    assert "test_size: 0.25" in forked.sh(see).output
    (back,) = re.findall(r"take one back: (.*); to begin", said)
    assert forked.sh(back.replace("PATH", ADDED)).status == 0
    assert forked.read(ADDED) == "LOWEST = 0\n"


def test_again_and_the_other_side_afterwards(forked: Project) -> None:
    conflict(forked)
    first = forked.model("merge", "main")
    assert forked.model("merge", "main") == first
    forked.model("merge", OTHER)
    assert whole(forked, OTHER), forked.story
    forked.model("merge", "main")
    assert whole(forked, "main"), forked.story
    forked.git("merge", "--abort")
    assert forked.git("status", "--porcelain") == ""
    assert not (forked.path / ".git/model-gate-kept").exists(), "nobody had typed anything"


def test_what_somebody_typed_is_kept(forked: Project) -> None:
    conflict(forked)
    typed = forked.read("params.yaml").replace("seed: 42", "seed: 43")
    forked.write("params.yaml", typed)
    forked.git("checkout", "--ours", "dvc.lock")
    said = forked.model("merge", OTHER)
    assert "what was edited here since is kept in .git/model-gate-kept/1: params.yaml\n" in said
    assert forked.read(".git/model-gate-kept/1/params.yaml") == typed and whole(forked, OTHER)
    forked.write("params.yaml", typed)
    assert "kept in .git/model-gate-kept/2: params.yaml" in forked.model("merge", "main")


def test_other_conflicts_are_left_to_the_person(forked: Project) -> None:
    forked.write("README.md", forked.read("README.md") + "\nTested on a fifth of the rows.\n")
    forked.commit("Say how it is tested")
    conflict(forked)
    said = forked.model("merge", "main")
    assert "in conflict still, yours to resolve: README.md" in said
    assert next_of(said) == "resolve README.md; then: git add -- README.md && git commit --no-edit"
    assert "<<<<<<<" in forked.read("README.md") and whole(forked, "main")
    forked.write("README.md", "# Both\n")
    assert forked.sh(next_of(said).partition("then: ")[2]).status == 0, forked.story


def test_a_side_whose_own_lock_is_stale_has_to_be_trained(forked: Project) -> None:
    forked.replace("params.yaml", "max_iter: 1000", "max_iter: 900")
    forked.commit("To be trained")
    conflict(forked)
    assert re.search(r"^  lock is true +no: dvc repro +yes$", forked.model("merge"), re.MULTILINE)
    said = forked.model("merge", "main")
    assert "to be trained: stage train ran with another train (params.yaml)" in said
    assert next_of(said) == f"dvc repro && git add -- dvc.lock {SIDECAR} {METRICS} && git commit --no-edit"
    assert forked.sh(next_of(said)).status == 0, forked.story
    assert "up to date" in forked.dvc("status") and forked.git("status", "--porcelain") == ""


def test_a_version_that_is_released_already_is_told(forked: Project) -> None:
    forked.model("release", "v0.2.0")
    forked.git("push", "-q", "--follow-tags")
    conflict(forked)
    assert re.search(r"^  version +v0\.2\.0 \(released\)", forked.model("merge"), re.MULTILINE)
    said = forked.model("merge", OTHER)
    (cure,) = re.findall(rf"^{MODEL} v0\.2\.0 is released already; after the commit: (.*)$", said, re.MULTILINE)
    forked.sh(next_of(said))
    assert cure == "model release", "it looks at what was merged"
    proposed = forked.sh(cure).output.rstrip("\n").rpartition("Next: ")[2]
    assert forked.sh(proposed).output.startswith("released v0.3.0"), forked.story
    forked.git("push", "-q", "--follow-tags")
    forked.assert_released("v0.3.0")


# --- both -------------------------------------------------------------------------------------------------------------


def test_both_changes_are_trained_and_released(forked: Project) -> None:
    conflict(forked)
    said = forked.model("merge", "both")
    assert "to be trained: stage train " in said, said
    assert forked.git("diff", "--name-only", "--diff-filter=U").split() == [SIDECAR, METRICS], "which no side is true of"
    assert forked.sh(next_of(said)).status == 0, forked.story
    assert "Running stage 'prepare'" not in forked.story, "one side ran it, and its record was kept"
    found = forked.sidecar()["hyperparameters"]
    assert (found["train"]["C"], found["split"]["test_size"]) == (0.5, 0.25)
    assert "up to date" in forked.dvc("status")
    forked.log.clear()
    released(forked)


def test_both_after_one_side_was_taken(forked: Project) -> None:
    conflict(forked)
    forked.model("merge", "main")
    forked.model("merge", "both")
    text = forked.read("params.yaml")
    assert "C: 0.5" in text and "test_size: 0.25" in text and (forked.path / ADDED).exists()
    assert forked.git("diff", "--name-only", "--diff-filter=U").split() == [SIDECAR, METRICS]


def test_both_where_the_parameters_are_in_conflict_too(forked: Project) -> None:
    forked.replace("params.yaml", "test_size: 0.2 ", "test_size: 0.3 ")
    forked.dvc("repro")
    forked.commit("A still larger one")
    conflict(forked)
    said = forked.model("merge", "both")
    assert "to be trained: params.yaml decides what is trained" in said
    start = f"resolve params.yaml; then: git add -- params.yaml && dvc repro && git add -- dvc.lock {SIDECAR} {METRICS}"
    assert next_of(said) == f"{start} && git commit --no-edit"
    forked.git("checkout", "--theirs", "params.yaml")
    assert forked.sh(next_of(said).partition("then: ")[2]).status == 0, forked.story


# --- the other ways to a conflict -------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
@pytest.mark.parametrize("side", ["main", OTHER])
def test_a_rebase_where_ours_is_theirs(forked: Project, side: str, backend: str) -> None:
    tip = forked.git("rev-parse", "main")
    conflict(forked, "rebase", backend, OTHER)
    said = forked.refused("model", "merge", "ours")
    assert f"in a rebase Git's «ours» is {OTHER} and «theirs» is main, your own commit" in said
    said = forked.model("merge", side)
    assert whole(forked, tip if side == "main" else OTHER), forked.story
    assert next_of(said) == ("git rebase --continue" if side == "main" else "git rebase --skip")
    assert forked.sh(next_of(said)).status == 0, forked.story
    assert forked.git("log", "--format=%s", "-1") == ("Less regularisation" if side == "main" else "Larger test set")
    released(forked)


@pytest.mark.parametrize("side", ["main", OTHER])
def test_a_cherry_pick(forked: Project, side: str) -> None:
    conflict(forked, "cherry-pick", OTHER)
    assert "this cherry-pick is not done" in forked.run("model", "check").output
    said = forked.model("merge", side)
    assert whole(forked, side)
    assert forked.sh(next_of(said)).status == 0, forked.story
    released(forked)


@pytest.mark.parametrize("side", ["main", OTHER])
def test_a_squash(forked: Project, side: str) -> None:
    conflict(forked, "merge", "--squash", OTHER)
    said = forked.model("merge", side)
    assert whole(forked, side)
    assert "Tested on a quarter" in forked.read("README.md")
    assert forked.sh(next_of(said)).status == 0, forked.story
    released(forked)


def test_a_revert(forked: Project) -> None:
    forked.replace("params.yaml", "max_iter: 1000", "max_iter: 900")
    forked.dvc("repro")
    forked.commit("Fewer steps")
    conflict(forked, "revert", "--no-edit", "HEAD~1")
    said = forked.model("merge", "HEAD")
    assert whole(forked, "HEAD") and next_of(said) == "git revert --skip"
    assert forked.sh(next_of(said)).status == 0
    assert forked.git("status", "--porcelain") == ""


@pytest.mark.parametrize("side", ["main", "stash@{0}"])
def test_a_stash(forked: Project, side: str) -> None:
    forked.replace("params.yaml", "C: 0.5", "C: 0.25")
    forked.dvc("repro")
    forked.git("stash", "-q")
    forked.replace("params.yaml", "C: 0.5", "C: 0.75")
    forked.dvc("repro")
    forked.commit("More regularisation")
    conflict(forked, "stash", "pop")
    assert "this stash is not done, of main" in forked.run("model", "check").output
    forked.log.clear()
    said = forked.model("merge", side)
    assert whole(forked, side), forked.story
    if side == "main":
        assert next_of(said) == "nothing is left to commit; stash@{0} is kept"
    else:
        assert said.endswith("# then: git stash drop 'stash@{0}'")
        assert forked.sh(next_of(said)).status == 0, forked.story
    released(forked)


@pytest.mark.parametrize("way", ["--no-rebase", "--rebase"])
@pytest.mark.parametrize("theirs", [True, False])
def test_a_pull(forked: Project, way: str, *, theirs: bool) -> None:
    forked.git("push", "-q", "origin", f"{OTHER}:main")
    mine = forked.git("rev-parse", "main")
    conflict(forked, "pull", way)
    said = forked.model("merge", "origin/main" if theirs else "main")
    assert whole(forked, OTHER if theirs else mine), forked.story
    assert forked.sh(next_of(said)).status == 0, forked.story
    released(forked)


def test_a_worktree(forked: Project) -> None:
    tree = forked.path.parent / "tree"
    forked.git("worktree", "add", "-q", "-b", "apart", str(tree), "main")
    apart = Project(tree, forked.environment)
    apart.ok("python3", "-m", "versioning", "setup", "--no-install")
    conflict(apart)
    said = apart.model("merge", OTHER)
    assert whole(apart, OTHER) and next_of(said) == "git commit --no-edit"
    assert forked.git("status", "--porcelain") == ""


# --- merged in silence ------------------------------------------------------------------------------------------------


def test_a_clean_merge_that_leaves_the_lock_stale(forked: Project) -> None:
    """One side trained, the other changed code that is trained from."""
    forked.git("switch", "-q", "-c", "code", "v0.1.0")
    forked.write(f"{SRC}/evaluate.py", forked.read(f"{SRC}/evaluate.py") + "# Measured.\n")
    forked.commit("To be trained")
    forked.git("merge", "-q", "--no-edit", "main")
    said = forked.refused("model", "merge", "main")
    assert "is in conflict here, and dvc.lock is not true of what is committed: stage evaluate ran with another content" in said
    (hint,) = re.findall(r"hint: (.*)", said)
    assert forked.sh(hint).status == 0, forked.story
    assert "up to date" in forked.dvc("status") and forked.git("status", "--porcelain") == ""


def test_a_conflict_that_git_says_nothing_of(forked: Project) -> None:
    forked.replace("params.yaml", "C: 0.5", "C: 0.25")
    forked.git("checkout", "-q", "-m", "v0.1.0")
    said = forked.refused("model", "merge", "main")
    assert "nothing says where the other side of the conflict in params.yaml comes from" in said
    (hint,) = re.findall(r"hint: (.*)", said)
    assert forked.sh(hint).status == 0


# --- docs/merge.md ----------------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[3] / "docs/merge.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def typed(block: str) -> list[tuple[str, str]]:
    """The commands of a transcript, each with its answer."""
    return [(command, answer) for command, answer in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)]


def masked(text: str) -> str:
    """Without what differs from run to run: short names of commits."""
    return re.sub(r"\b[0-9a-f]{7}\b", "0000000", text)


def answers(project: Project, block: str) -> None:
    for command, answer in typed(block):
        found = project.sh(command).output
        if answer:
            assert masked(found) == masked(answer), project.story


def test_the_page_is_as_typed(released: Project, tmp_path: Path) -> None:
    fork, release, join = blocks("sh")
    met, one, both = blocks("console")
    for line in fork.splitlines():
        assert released.sh(line).status == 0, released.story
    (tmp_path / "other").mkdir()
    other = Project(copy_of(released.path, tmp_path / "other"), released.environment)
    for project in (released, other):
        answers(project, met)
        project.log.clear()
    answers(released, one)
    assert released.run("model", "check").output.endswith(f"\n  1. {release}")
    assert released.sh(release).status == 0, released.story
    assert not released.trained()
    answers(other, both)
    for line in join.splitlines():
        assert other.sh(line).status == 0, other.story
    assert "git tag -a v0.2.0 -m v0.2.0 && git push --follow-tags" in other.model("check")
