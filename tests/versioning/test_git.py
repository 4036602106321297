"""Git is asked in a clean environment, for any name that Git can hold."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import git
from versioning.errors import GitError, UsageError
from versioning.git import Repository, clean_environment, hook_environment, is_null

ODD = ("a b", "a\nb", "a\tb", 'a"b', "a'b", "-dash", "é", "日本", "a\\b", "a:b", "*", "x\udcff", " lead", "{cookiecutter}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.txt").write_text("a\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Start")
    return tmp_path


def commit_odd(folder: Path) -> None:
    for position, name in enumerate(ODD):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name.encode("utf-8", "surrogateescape"))).write_text(f"{position}\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Odd names")


def test_what_points_git_elsewhere_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    said = subprocess.run(["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True).stdout.split()
    for name in said:
        monkeypatch.setenv(name, "elsewhere")
    left = {name for name in said if clean_environment().get(name) == "elsewhere"}
    assert left == set()
    assert clean_environment(keep=("GIT_DIR",))["GIT_DIR"] == "elsewhere"


def test_a_hook_hands_on_the_repository_and_the_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"GIT_DIR": ".git", "GIT_INDEX_FILE": "x", "GIT_QUARANTINE_PATH": "q", "GIT_OBJECT_DIRECTORY": "", "HOME": "/"}
    assert hook_environment(given) == ("GIT_DIR", "GIT_QUARANTINE_PATH")
    monkeypatch.delenv("GIT_DIR", raising=False)
    assert hook_environment() == ()


def test_another_repository_in_the_environment_is_not_read(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    with Repository.discover(folder) as repository:
        assert repository.path == folder
        assert repository.head() is not None


def test_a_replace_ref_shows_nothing_else(folder: Path) -> None:
    honest = git(folder, "rev-parse", "HEAD")
    (folder / "a.txt").write_text("other\n")
    git(folder, "commit", "-q", "-a", "-m", "Other")
    git(folder, "replace", honest, "HEAD")
    with Repository(folder) as repository:
        found = repository.cat(f"{honest}:a.txt")
        assert found and found[2] == b"a\n"


def test_odd_names_are_read(folder: Path) -> None:
    commit_odd(folder)
    with Repository(folder) as repository:
        head = repository.head() or ""
        tree, index = repository.tree(head), repository.index()
        assert set(tree) == set(index) == {*ODD, "a.txt"}
        assert tree == index
        for position, name in enumerate(ODD):
            found = repository.cat(f"{head}:{name}")
            assert found and (found[0], found[1], found[2]) == (tree[name], "blob", f"{position}\n".encode())


@pytest.mark.parametrize(
    "name", ["nothing", "HEAD:nothing", "HEAD:a.txt/b", "-x", "--help", "", " ", "a missing", "HEAD:a\nb", "0" * 40]
)
def test_what_is_not_there_is_none_and_the_next_answer_is_right(folder: Path, name: str) -> None:
    with Repository(folder) as repository:
        assert repository.cat(name) is None
        assert repository.cat("HEAD:a.txt") == (git(folder, "rev-parse", "HEAD:a.txt"), "blob", b"a\n")


@pytest.mark.parametrize("target", ["nothing", "/etc/hostname", "../outside", "loop", "a.txt/b"])
def test_a_symlink_that_leads_out_is_none_and_the_next_answer_is_right(folder: Path, target: str) -> None:
    (folder / "loop").symlink_to("loop")
    (folder / "link").symlink_to(target)
    (folder / "good").symlink_to("a.txt")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Links")
    with Repository(folder) as repository:
        assert repository.cat("HEAD:link") is None
        assert repository.cat("HEAD:good") == (git(folder, "rev-parse", "HEAD:a.txt"), "blob", b"a\n")


@pytest.mark.parametrize("revision", ["-x", "--all", "--help", "nothing", "", "HEAD:a.txt", "HEAD..HEAD", "^HEAD", "a\nb"])
def test_what_names_no_commit_is_none(folder: Path, revision: str) -> None:
    assert Repository(folder).resolve(revision) is None


def test_a_tag_is_peeled_to_its_commit(folder: Path) -> None:
    git(folder, "tag", "-a", "v1", "-m", "v1")
    repository, head = Repository(folder), git(folder, "rev-parse", "HEAD")
    assert repository.resolve("v1") == repository.resolve("HEAD") == repository.resolve(head[:8]) == repository.head() == head
    assert repository.resolve("v1", kind="") == git(folder, "rev-parse", "v1") != head


def test_before_the_first_commit_there_is_no_head(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert Repository(tmp_path).head() is None


def test_ancestors(folder: Path) -> None:
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Next")
    repository, second = Repository(folder), git(folder, "rev-parse", "HEAD")
    assert repository.is_ancestor(first, second) and repository.is_ancestor(second, second)
    assert not repository.is_ancestor(second, first) and not repository.is_ancestor("0" * 40, first)


def test_an_error_of_git_is_its_own_words(folder: Path) -> None:
    with pytest.raises(GitError, match="git show: fatal: ambiguous argument 'nothing'"):
        Repository(folder).run("show", "nothing")
    assert Repository(folder).run("show", "nothing", check=False) == ""


def test_outside_a_repository_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not in a Git repository"):
        Repository.discover(tmp_path)


def test_the_top_is_found_from_below_and_in_a_worktree(folder: Path) -> None:
    (folder / "deep/er").mkdir(parents=True)
    assert Repository.discover(folder / "deep/er").path == folder
    beside = folder.parent / f"{folder.name}-beside"
    git(folder, "worktree", "add", "-q", str(beside))
    worktree = Repository.discover(beside)
    assert (worktree.path, worktree.main_worktree, worktree.common_dir) == (beside, folder, folder / ".git")
    assert worktree.git_dir == folder / ".git/worktrees" / beside.name


def test_the_process_ends_with_the_repository(folder: Path) -> None:
    repository = Repository(folder)
    with repository:
        assert repository.cat("HEAD:a.txt")
        process = repository._batch
        assert process.poll() is None
    assert process.returncode == 0
    repository.close()
    assert repository.cat("HEAD:a.txt")  # starts another
    repository.close()


def test_submodules_are_left_out(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "Start")
    git(folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    git(folder, "commit", "-q", "-m", "Submodule")
    with Repository(folder) as repository:
        assert set(repository.tree("HEAD")) == set(repository.index()) == {"a.txt", ".gitmodules"}
        assert repository.cat("HEAD:sub") is None


def test_an_identity_is_what_git_would_sign_with(folder: Path, home: Path) -> None:
    assert Repository(folder).identity() == "Ada Lovelace <ada@example.org>"
    git(folder, "config", "user.name", "J. O'Brien, é")
    assert Repository(folder).identity() == "J. O'Brien, é <ada@example.org>"
    git(folder, "config", "--unset", "user.name")
    (home / ".gitconfig").write_text("")
    assert Repository(folder).identity() is None


@pytest.mark.parametrize(("oid", "null"), [("0" * 40, True), ("0" * 64, True), ("0" * 39 + "1", False)])
def test_the_null_id(oid: str, null: bool) -> None:
    assert is_null(oid) is null
