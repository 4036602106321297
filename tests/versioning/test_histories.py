"""Honest histories: each ends with an accepted tag on the remote, with at most one pasted command and no training.

A hint that the gate prints is taken from its output and pasted into a shell, as a person would.
"""

from __future__ import annotations

import re

from .conftest import METRICS, MODEL, SIDECAR, Project


def change_code(project: Project) -> None:
    """A change that is worth training: another regularisation, in code and in parameters."""
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.replace(f"src/{MODEL.replace('-', '_')}/train.py", '"""', '"""Trained with less regularisation. ')


def tag_and_push(project: Project, version: str) -> None:
    """Tag; where the gate says no, paste its one hint; push; and see that it is released."""
    project.log.clear()
    done = project.run("git", "tag", "-a", version, "-m", version)
    if done.status:
        hints = re.findall(r"hint: (.*)", done.output)
        assert len(set(hints)) == 1, done.output
        pasted = project.sh(hints[0])
        assert pasted.status == 0, project.story
    project.git("push", "--quiet", "--follow-tags")
    assert not project.trained(), project.story
    project.assert_released(version)


def bump(project: Project, version: str) -> None:
    project.replace("params.yaml", "version: v0.1.0", f"version: {version}")


def test_code_committed_first_then_trained(released: Project) -> None:
    bump(released, "v0.2.0")
    change_code(released)
    code = released.commit("Less regularisation")
    released.dvc("repro")
    released.commit("Train")
    assert released.sidecar()["commit"] == code
    tag_and_push(released, "v0.2.0")


def test_code_and_training_in_one_commit(released: Project) -> None:
    bump(released, "v0.2.0")
    change_code(released)
    released.dvc("repro")
    released.commit("Less regularisation, trained")
    tag_and_push(released, "v0.2.0")


def test_a_version_only_bump(project: Project) -> None:
    """Trained and committed under a version that was never released, and renamed before it is."""
    bump(project, "v0.2.0")
    project.log.clear()
    project.dvc("repro")
    assert not project.trained(), project.story
    project.commit("Bump")
    tag_and_push(project, "v0.2.0")


def test_a_version_only_bump_by_the_verb(project: Project) -> None:
    project.log.clear()
    project.model("release", "v0.2.0")
    project.git("push", "--quiet", "--follow-tags")
    assert not project.trained(), project.story
    project.assert_released("v0.2.0")
    assert "Stage 'sidecar' didn't change" in project.dvc("repro")


def test_a_squash_merge_with_the_branch_deleted(released: Project) -> None:
    released.git("switch", "-q", "-c", "less")
    bump(released, "v0.2.0")
    change_code(released)
    released.commit("Less regularisation")
    released.dvc("repro")
    released.commit("Train")
    released.git("switch", "-q", "main")
    released.git("merge", "-q", "--squash", "less")
    released.git("commit", "-q", "-m", "Less regularisation (squashed)")
    released.git("branch", "-q", "-D", "less")
    tag_and_push(released, "v0.2.0")


def test_an_amended_commit(released: Project) -> None:
    bump(released, "v0.2.0")
    change_code(released)
    released.commit("Less regularisation")
    released.dvc("repro")
    released.git("add", "-A")
    released.git("commit", "-q", "--amend", "-m", "Less regularisation, trained")
    tag_and_push(released, "v0.2.0")


def test_a_rebase(released: Project) -> None:
    released.git("switch", "-q", "-c", "less")
    bump(released, "v0.2.0")
    change_code(released)
    released.commit("Less regularisation")
    released.dvc("repro")
    released.commit("Train")
    released.git("switch", "-q", "main")
    released.write("NOTES.md", "Meanwhile.\n")
    released.commit("Meanwhile")
    released.git("switch", "-q", "less")
    released.git("rebase", "-q", "main")
    released.git("switch", "-q", "main")
    released.git("merge", "-q", "--ff-only", "less")
    tag_and_push(released, "v0.2.0")


def test_a_candidate_then_the_final_with_the_same_bytes(released: Project) -> None:
    change_code(released)
    bump(released, "v0.2.0-rc.1")
    released.commit("Less regularisation")
    released.dvc("repro")
    released.commit("Train")
    tag_and_push(released, "v0.2.0-rc.1")
    candidate = released.sidecar()["artifact"]
    released.model("release", "minor")
    released.git("push", "--quiet", "--follow-tags")
    assert not released.trained(), released.story
    released.assert_released("v0.2.0")
    assert released.sidecar()["artifact"] == candidate


def test_a_commit_that_came_by_pull(released: Project) -> None:
    colleague = clone(released, "colleague")
    colleague.ok("dvc", "pull")
    bump(colleague, "v0.2.0")
    change_code(colleague)
    colleague.commit("Less regularisation")
    colleague.dvc("repro")
    colleague.commit("Train")
    colleague.git("push", "--quiet")
    colleague.dvc("push")
    released.git("pull", "--quiet")
    tag_and_push(released, "v0.2.0")


def test_work_in_a_worktree(released: Project) -> None:
    beside = released.path.parent / "beside"
    released.git("worktree", "add", "-q", "-b", "less", str(beside))
    worktree = Project(beside, released.environment)
    assert (beside / f"models/{MODEL}.skops").is_file(), released.story
    bump(worktree, "v0.2.0")
    change_code(worktree)
    worktree.commit("Less regularisation")
    worktree.dvc("repro")
    worktree.commit("Train")
    worktree.git("push", "--quiet", "-u", "origin", "less")
    tag_and_push(worktree, "v0.2.0")


def test_a_colleagues_fresh_clone(released: Project) -> None:
    colleague = clone(released, "colleague")
    colleague.ok("dvc", "pull")
    bump(colleague, "v0.2.0")
    change_code(colleague)
    colleague.commit("Less regularisation")
    colleague.dvc("repro")
    colleague.commit("Train")
    tag_and_push(colleague, "v0.2.0")


def test_an_experiment_that_was_applied(released: Project) -> None:
    released.dvc("exp", "run", "--name", "less", "-S", "train.C=0.5", "-S", "version=v0.2.0")
    released.dvc("exp", "apply", "less")
    released.commit("Apply the experiment")
    tag_and_push(released, "v0.2.0")


def test_an_experiment_that_ran_apart(released: Project) -> None:
    released.dvc("exp", "run", "--temp", "--name", "less", "-S", "train.C=0.5", "-S", "version=v0.2.0")
    released.dvc("exp", "apply", "less")
    released.commit("Apply the experiment")
    tag_and_push(released, "v0.2.0")


def test_a_formatter_after_training_needs_one_repro(released: Project) -> None:
    bump(released, "v0.2.0")
    change_code(released)
    released.dvc("repro")
    released.write(f"src/{MODEL.replace('-', '_')}/train.py", released.read(f"src/{MODEL.replace('-', '_')}/train.py") + "\n")
    released.commit("Train, and format")
    output = released.refused("git", "tag", "-a", "v0.2.0", "-m", "v0.2.0")
    assert "CO02" in output and "train.py" in output
    (hint,) = set(re.findall(r"hint: (dvc repro .*)", output))
    assert released.sh(hint).status == 0, released.story
    released.git("push", "--quiet", "--follow-tags")
    released.assert_released("v0.2.0")


def test_going_back_brings_every_byte(released: Project) -> None:
    before = {path: (released.path / path).read_bytes() for path in (SIDECAR, METRICS, f"models/{MODEL}.skops", "params.yaml")}
    change_code(released)
    released.commit("Less regularisation")
    released.dvc("repro")
    released.commit("Train")
    assert (released.path / f"models/{MODEL}.skops").read_bytes() != before[f"models/{MODEL}.skops"]
    released.model("release", "minor")
    released.git("checkout", "-q", "v0.1.0")
    assert {path: (released.path / path).read_bytes() for path in before} == before
    assert "up to date" in released.dvc("status")
    released.git("checkout", "-q", "main")
    assert released.sidecar()["version"] == "v0.2.0"
    assert "up to date" in released.dvc("status")


def clone(project: Project, name: str) -> Project:
    """A second person: git clone, setup (the environment is there already), and nothing else."""
    origin = project.git("remote", "get-url", "origin")
    path = project.path.parent / name / project.path.name
    project.ok("git", "clone", "-q", origin, str(path))
    (path / ".venv").symlink_to(project.path / ".venv")
    colleague = Project(path, project.environment)
    colleague.ok("python3", "-m", "versioning", "setup", "--no-install")
    assert (path / ".dvc/config.local").is_file()
    return colleague
