"""DVC's configuration is read as DVC reads it; a clone and a worktree are wired once; digests are remembered."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from tests.conftest import git
from versioning.git import Repository
from versioning.storage import Digests, Storage, connect, embedded, hash_file

REMOTE = "['remote \"storage\"']\n    url = {}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a `.dvc` folder, beside an `origin` and a folder for DVC."""
    path = tmp_path / "a wörk, #1" / "repo"
    (path / ".dvc").mkdir(parents=True)
    (path / ".dvc/config").write_text("[core]\n    remote = storage\n    autostage = true\n")
    (path / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (path.parent / "storage/dvc").mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    git(path, "init", "-q", "--bare", "../storage/git")
    git(path, "remote", "add", "origin", "../storage/git")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "Start")
    return path


def remote_of_dvc(folder: Path) -> str:
    from dvc.repo import Repo

    with Repo(str(folder)) as repo:
        return str(repo.config["remote"][repo.config["core"]["remote"]]["url"])


def test_a_nearer_configuration_wins(folder: Path, home: Path) -> None:
    places = [home / ".config/dvc/config", folder / ".dvc/config", folder / ".dvc/config.local"]
    for position, place in enumerate(places):
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a") as stream:
            stream.write("[core]\n    remote = storage\n" if position == 0 else "")
            stream.write(REMOTE.format(f"s3://bucket-{position}/dvc"))
        assert Storage(Repository(folder)).remote == f"s3://bucket-{position}/dvc" == remote_of_dvc(folder)
    assert Storage(Repository(folder)).remote_folder is None


@pytest.mark.parametrize("name", ["plain", "with space", "a,b", "a#b", "it's", 'say "x"', "100%", "$HOME", "~"])
def test_a_place_that_dvc_wrote_is_read(folder: Path, tmp_path: Path, name: str) -> None:
    from dvc.config import Config

    place = tmp_path / name  # DVC 3 itself can write ASCII only
    place.mkdir()
    with Config(str(folder / ".dvc"), validate=False).edit("local") as config:
        config["remote"]["storage"] = {"url": str(place)}
    assert Storage(Repository(folder)).remote_folder == place == Path(remote_of_dvc(folder))


def test_a_relative_place_is_beside_its_configuration(folder: Path) -> None:
    (folder / ".dvc/config.local").write_text(REMOTE.format("../../storage/dvc"))
    assert Storage(Repository(folder)).remote_folder == folder.parent / "storage/dvc" == Path(remote_of_dvc(folder)).resolve()


def test_no_remote_is_none(folder: Path) -> None:
    assert Storage(Repository(folder)).remote is Storage(Repository(folder)).remote_folder is None
    (folder / ".dvc/config").write_text("")
    assert Storage(Repository(folder)).remote is None


def test_a_configuration_that_cannot_be_read_counts_as_empty(folder: Path) -> None:
    (folder / ".dvc/config.local").write_bytes(b"\xff[[[\n")
    assert Storage(Repository(folder)).remote is None


def test_bytes_are_found_in_the_cache_and_then_in_a_remote_that_is_a_folder(folder: Path) -> None:
    md5 = hashlib.md5(b"x").hexdigest()
    assert connect(Repository(folder)) is None
    storage = Storage(Repository(folder))
    assert storage.find(md5) is None
    for top in (folder.parent / "storage/dvc", folder / ".dvc/cache"):
        place = top / "files/md5" / md5[:2] / md5[2:]
        place.parent.mkdir(parents=True)
        place.write_bytes(b"x")
        assert Storage(Repository(folder)).find(md5) == place


@pytest.mark.parametrize("md5", ["", "a", "../../../config", "ab/../../../../config"])
def test_what_is_no_hash_finds_nothing(folder: Path, md5: str) -> None:
    (folder / ".dvc/cache/files/md5").mkdir(parents=True)
    assert Storage(Repository(folder)).find(md5) is None


def test_a_clone_finds_the_storage_beside_its_origin(folder: Path) -> None:
    clone = folder.parent / "elsewhere/clone"
    git(folder, "push", "-q", "origin", "main")
    git(folder, "clone", "-q", "-b", "main", str(folder.parent / "storage/git"), str(clone))
    assert connect(Repository(clone)) is None
    written = (clone / ".dvc/config.local").read_text("utf-8")
    assert Path(remote_of_dvc(clone)) == Storage(Repository(clone)).remote_folder == folder.parent / "storage/dvc"
    assert connect(Repository(clone)) is None
    assert (clone / ".dvc/config.local").read_text("utf-8") == written
    assert git(clone, "status", "--porcelain") == ""


def test_a_place_that_moved_is_written_anew_and_the_rest_is_kept(folder: Path) -> None:
    (folder / ".dvc/config.local").write_text(
        "[cache]\n    type = copy\n" + REMOTE.format("/gone/dvc") + "[core]\n    check_update = false\n"
    )
    assert connect(Repository(folder)) is None
    text = (folder / ".dvc/config.local").read_text("utf-8")
    assert "type = copy" in text and "check_update = false" in text and "/gone" not in text
    assert Path(remote_of_dvc(folder)) == folder.parent / "storage/dvc"


def test_a_bucket_is_left_alone(folder: Path) -> None:
    (folder / ".dvc/config").write_text("[core]\n    remote = storage\n" + REMOTE.format("s3://bucket/dvc"))
    assert connect(Repository(folder)) is None
    assert not (folder / ".dvc/config.local").exists()


@pytest.mark.parametrize("origin", ["https://example.org/a/git", "git@example.org:a/git", "/gone/git", None])
def test_a_storage_that_is_not_here_is_one_line(folder: Path, origin: str | None) -> None:
    git(folder, "remote", "remove", "origin")
    if origin:
        git(folder, "remote", "add", "origin", origin)
    said = connect(Repository(folder)) or ""
    assert "\n" not in said
    maker = "Ada Lovelace <ada@example.org>, who made it"
    beside = f", beside {origin}" if origin else ""
    assert said.startswith(f"the storage of this repository (its DVC remote) is a folder on the machine of {maker}{beside}; ")
    assert said.endswith("`model storage move s3://BUCKET/PATH`, run there, brings it within everybody's reach")
    assert embedded(Repository(folder)) is None
    assert not (folder / ".dvc/config.local").exists()


def test_a_file_url_is_a_folder_too(folder: Path) -> None:
    git(folder, "remote", "set-url", "origin", (folder.parent / "storage/git").as_uri())
    assert embedded(Repository(folder)) == folder.parent / "storage/dvc"


def test_a_worktree_takes_the_cache_of_the_main_one(folder: Path) -> None:
    beside = folder.parent / "beside"
    (folder / ".dvc/cache").mkdir()
    git(folder, "worktree", "add", "-q", str(beside))
    assert Storage(Repository.discover(beside)).cache == folder / ".dvc/cache"
    for _ in range(2):
        assert connect(Repository.discover(beside)) is None
    text = (beside / ".dvc/config.local").read_text("utf-8")
    assert text.count("[cache]") == text.count("remote") == 1
    from dvc.repo import Repo

    with Repo(str(beside)) as repo:
        assert Path(repo.cache.local.path).parent.parent == folder / ".dvc/cache"
    assert Storage(Repository.discover(beside)).cache == folder / ".dvc/cache"
    assert git(beside, "status", "--porcelain") == ""


def test_without_dvc_there_is_nothing_to_connect(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert connect(Repository(tmp_path)) is None
    assert [path.name for path in tmp_path.iterdir()] == [".git"]


def test_a_digest_is_remembered_and_a_change_noticed(folder: Path) -> None:
    path, seen = folder / "model", []

    def digest() -> str:
        return Digests(Repository(folder)).of(path, "sha256", lambda done, size: seen.append((done, size)))

    path.write_bytes(b"one")
    assert digest() == digest() == hashlib.sha256(b"one").hexdigest()
    assert seen == [(3, 3)]
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))  # a clock may be too coarse to tell them apart
    assert digest() == hashlib.sha256(b"two").hexdigest()
    draft = folder / "draft"
    draft.write_bytes(b"six")
    os.utime(draft, ns=(1, 1))
    draft.replace(path)  # the same name, size and time: another file all the same
    assert digest() == hashlib.sha256(b"six").hexdigest()
    assert len(seen) == 3


@pytest.mark.parametrize("content", ["", "[]", "{", "\0"])
def test_a_broken_memory_is_begun_anew(folder: Path, content: str) -> None:
    memory = folder / ".git/model-gate/digests.json"
    memory.parent.mkdir()
    memory.write_text(content)
    (folder / "model").write_bytes(b"one")
    for _ in range(2):
        assert Digests(Repository(folder)).of(folder / "model", "sha256") == hashlib.sha256(b"one").hexdigest()


def test_a_file_is_hashed_in_pieces(tmp_path: Path) -> None:
    content, seen = b"x" * ((1 << 22) + 5), []
    (tmp_path / "big").write_bytes(content)
    assert hash_file(tmp_path / "big", "md5", lambda done, size: seen.append(done)) == hashlib.md5(content).hexdigest()
    assert seen == [1 << 22, len(content)]


def test_the_standard_library_is_enough(template: Path) -> None:
    import subprocess

    script = "import versioning.storage, versioning.commands.setup, versioning.commands.hooks, versioning.__main__"
    package = template / "{{cookiecutter.__project_slug}}"
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(package)!r}); {script}"]
    subprocess.run(command, check=True)
