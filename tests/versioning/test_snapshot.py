"""The same repository as three moments have it: committed, staged, on disk."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.conftest import git
from versioning.errors import Malformed
from versioning.git import Repository
from versioning.snapshot import CommitSnapshot, DiskSnapshot, IndexSnapshot, Snapshot

ODD = ("a b.txt", "a\nb.txt", 'qu"ote.txt', "é/日本.txt", "-dash.txt", "deep/er/x.txt", "a:b.txt", "deep.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file with another content in each of the three, and one file more in each."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "f.txt").write_text("committed\n")
    (tmp_path / "old.txt").write_text("old\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Start")
    git(tmp_path, "rm", "-q", "old.txt")
    (tmp_path / "f.txt").write_text("staged\n")
    (tmp_path / "new.txt").write_text("new\n")
    git(tmp_path, "add", "-A")
    (tmp_path / "f.txt").write_text("on disk\n")
    (tmp_path / "ignored.txt").write_text("ignored\n")
    return tmp_path


def commit_of(repository: Repository) -> CommitSnapshot:
    return CommitSnapshot(repository, repository.head() or "")


def test_each_sees_its_own(folder: Path) -> None:
    with Repository(folder) as repository:
        commit, index, disk = commit_of(repository), IndexSnapshot(repository), DiskSnapshot(repository)
        assert [snapshot.read("f.txt") for snapshot in (commit, index, disk)] == [b"committed\n", b"staged\n", b"on disk\n"]
        assert commit.files() == ["f.txt", "old.txt"]
        assert index.files() == ["f.txt", "new.txt"]
        assert disk.files() == ["f.txt", "ignored.txt", "new.txt"]
        assert index.changed() == {"f.txt", "new.txt", "old.txt"}
        assert commit.commit == index.commit == disk.commit == repository.head()
        assert (commit.on_disk, index.on_disk, disk.on_disk) == (False, False, True)
        assert (commit.name, index.name, disk.name) == (f"commit {commit.commit[:7]}", "the index", "the working tree")


def test_digests_are_of_what_each_sees(folder: Path) -> None:
    with Repository(folder) as repository:
        for snapshot, content in ((commit_of(repository), b"committed\n"), (DiskSnapshot(repository), b"on disk\n")):
            assert snapshot.md5("f.txt") == hashlib.md5(content).hexdigest()
            assert snapshot.sha256("f.txt") == hashlib.sha256(content).hexdigest()
            assert snapshot.md5("nothing") is snapshot.sha256("nothing") is None


def test_before_the_first_commit_all_that_is_staged_is_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("a\n")
    git(tmp_path, "add", "-A")
    with Repository(tmp_path) as repository:
        index = IndexSnapshot(repository)
        assert (index.commit, index.changed(), index.read("a.txt")) == (None, {"a.txt"}, b"a\n")


@pytest.mark.parametrize(
    ("command", "seen"),
    [(["-a"], b"on disk\n"), (["--only", "f.txt"], b"on disk\n"), (["--include", "f.txt"], b"on disk\n"), ([], b"staged\n")],
)
def test_a_commit_hook_sees_the_index_that_git_commits(folder: Path, command: list[str], seen: bytes) -> None:
    """`git commit -a` and `git commit FILE` stage into an index of their own, which only the hook is told of."""
    hook = folder / ".git/hooks/pre-commit"
    hook.write_text('#!/bin/sh\necho "$GIT_INDEX_FILE" > index-file\ncp "$GIT_INDEX_FILE" kept-index\n')
    hook.chmod(0o755)
    git(folder, "commit", "-q", *command, "-m", "Work")
    with Repository(folder, keep=("GIT_INDEX_FILE",)) as repository:
        repository.environment["GIT_INDEX_FILE"] = str(folder / "kept-index")
        assert IndexSnapshot(repository).read("f.txt") == seen
        assert commit_of(repository).read("f.txt") == seen


def all_of(repository: Repository) -> list[Snapshot]:
    return [commit_of(repository), IndexSnapshot(repository), DiskSnapshot(repository)]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Odd names, all committed."""
    git(tmp_path, "init", "-q", "-b", "main")
    for name in ODD:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Odd")
    return tmp_path


def test_odd_names_are_read_by_all_three(odd: Path) -> None:
    with Repository(odd) as repository:
        for snapshot in all_of(repository):
            assert snapshot.files() == sorted(ODD)
            assert {name: snapshot.read(name) for name in ODD} == {name: name.encode() for name in ODD}


def test_files_are_those_of_ls_tree(odd: Path) -> None:
    listed = subprocess.run(["git", "ls-tree", "-r", "-z", "--name-only", "HEAD"], cwd=odd, capture_output=True, check=True)
    with Repository(odd) as repository:
        assert commit_of(repository).files() == sorted(listed.stdout.decode().split("\0")[:-1])


@pytest.mark.parametrize("name", ["deep", "deep/", "deep/er"])
def test_a_folder_is_not_one_with_a_longer_name(odd: Path, name: str) -> None:
    with Repository(odd) as repository:
        assert [snapshot.files(name) for snapshot in all_of(repository)] == [["deep/er/x.txt"]] * 3


@pytest.mark.parametrize(
    "name", ["deep", "deep/", "", ".", "nothing", "deep/er/x.txt/y", "../outside", "./deep.txt", "nothing/../deep.txt"]
)
def test_what_is_no_file_is_none(odd: Path, name: str) -> None:
    (odd.parent / "outside").write_text("outside\n")
    with Repository(odd) as repository:
        assert commit_of(repository).read(name) is None
        assert IndexSnapshot(repository).read(name) is None


@pytest.mark.parametrize("name", ["nothing", "deep.txt"])
def test_what_is_no_folder_holds_nothing(odd: Path, name: str) -> None:
    with Repository(odd) as repository:
        assert [snapshot.files(name) for snapshot in all_of(repository)] == [[]] * 3


def test_symlinks_are_read_through_and_listed_as_files(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.txt").write_text("a\n")
    (tmp_path / "file").symlink_to("real/a.txt")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "broken").symlink_to("nothing")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Links")
    with Repository(tmp_path) as repository:
        for snapshot in (commit_of(repository), DiskSnapshot(repository)):
            assert [snapshot.read(name) for name in ("file", "folder/a.txt", "folder", "broken")] == [b"a\n", b"a\n", None, None]
        assert commit_of(repository).files() == ["broken", "file", "folder", "real/a.txt"]


def test_submodules_and_the_insides_of_git_and_dvc_are_no_files(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "Start")
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".dvc/cache").mkdir(parents=True)
    (tmp_path / ".dvc/cache/x").write_text("x\n")
    git(tmp_path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    git(tmp_path, "commit", "-q", "-m", "Submodule")
    with Repository(tmp_path) as repository:
        assert commit_of(repository).files() == IndexSnapshot(repository).files() == [".gitmodules"]
        assert ".dvc/cache/x" not in DiskSnapshot(repository).files()
        assert commit_of(repository).read("sub") is None


def test_sha256_repositories_are_read(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.txt").write_text("b\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Start")
    with Repository(tmp_path) as repository:
        assert commit_of(repository).files() == ["a/b.txt"]
        assert commit_of(repository).read("a/b.txt") == b"b\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "[1]", "a.json holds a list, not a mapping"),
        ("a.json", '{"a": 1, "a": 2}', "a.json has the key 'a' twice"),
        ("a.yaml", "- 1\n", "a.yaml holds a list, not a mapping"),
        ("a.yaml", "a: [\n", "a.yaml is not YAML: line 2"),
        ("a.yaml", "text\n", "a.yaml holds a str, not a mapping"),
    ],
)
def test_another_thing_than_a_mapping_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / name).write_text(content)
    disk = DiskSnapshot(Repository(tmp_path))
    with pytest.raises(Malformed, match=message):
        disk.json(name) if name.endswith("json") else disk.yaml(name)
    assert disk.json("nothing") is disk.yaml("nothing") is None
