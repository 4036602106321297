"""The files of the repository as one moment has them: staged, committed, or on disk."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from .documents import load_json, load_yaml
from .errors import Malformed
from .git import Repository
from .glance import looked

_FOLDER, _LINK, _SUBMODULE, _FILES = b"40000", b"120000", b"160000", (b"100644", b"100755", b"100664")


class Snapshot(ABC):
    """A read-only tree of files. Paths are relative to the top of the repository, with `/`."""

    #: What a message calls it.
    name: str
    #: The commit it is, or would be made on top of; None before the first one.
    commit: str | None
    #: Whether it also sees what Git does not hold: the bytes that DVC checked out.
    on_disk = False

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """The content of a file that Git holds (on disk: of any file), or None."""

    @abstractmethod
    def files(self, folder: str = "") -> list[str]:
        """Every file under a folder, sorted."""

    def named(self, name: str) -> list[str]:
        """Every file of that name, or of such a pattern (`*.dvc`), in whatever folder, sorted."""
        return [path for path in self.files() if fnmatchcase(path.rpartition("/")[2], name)]

    def md5(self, path: str) -> str | None:
        """The MD5 of a file's bytes, which is what DVC writes into `dvc.lock`."""
        content = self.read(path)
        return None if content is None else hashlib.md5(content, usedforsecurity=False).hexdigest()

    def sha256(self, path: str) -> str | None:
        """The SHA-256 of a file's bytes."""
        content = self.read(path)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def yaml(self, path: str) -> dict[str, Any] | None:
        """The mapping in a YAML file, or None where there is no such file.

        Raises:
            Malformed: no YAML, or another thing than a mapping.
        """
        content = self.read(path)
        return None if content is None else _mapping(load_yaml, path, content)

    def json(self, path: str) -> dict[str, Any] | None:
        """The object in a JSON file, or None where there is no such file.

        Raises:
            Malformed: as `documents.load_json`, or another thing than an object.
        """
        content = self.read(path)
        return None if content is None else _mapping(load_json, path, content)


def _mapping(load: Any, path: str, content: bytes) -> dict[str, Any]:
    try:
        value = load(content)
    except Malformed as error:
        raise Malformed(f"{path} {error}") from None
    if not isinstance(value, dict):
        raise Malformed(f"{path} holds a {type(value).__name__}, not a mapping")
    return value


class CommitSnapshot(Snapshot):
    """What a commit holds."""

    def __init__(self, repository: Repository, commit: str) -> None:
        super().__init__(repository)
        self.commit: str = commit
        self.name = f"commit {commit[:7]}"
        self._known: dict[str, bytes | None] = {}

    def read(self, path: str) -> bytes | None:
        if path not in self._known:
            self._known[path] = self._read(path)
        return self._known[path]

    def _read(self, path: str) -> bytes | None:
        if path.startswith(("./", "../")):
            return None  # Git would take it as relative to where it runs
        mode, oid = self._entry(path)
        if mode in _FILES:
            return self.repository.blob(oid)
        if not mode:
            return None
        found = self.repository.cat(f"{self.commit}:{path}")  # through a symlink
        return found[2] if found and found[1] == "blob" else None

    def oid(self, path: str) -> str:
        """The object id of a file or folder; empty where there is none."""
        return self._entry(path)[1]

    @cached_property
    def _root(self) -> str:
        found = self.repository.cat(f"{self.commit}^{{tree}}")
        return found[0] if found else ""

    def _entry(self, path: str) -> tuple[bytes, str]:
        """Mode and object id of a path; the mode of a symlink where one leads on from there."""
        mode, oid = _FOLDER, self._root
        for name in path.split("/"):
            if mode in _FILES or not oid:
                return b"", ""
            if mode != _FOLDER:
                break
            mode, oid = self.repository.entries(oid).get(name, (b"", ""))
        return mode, oid

    def files(self, folder: str = "") -> list[str]:
        top = folder.rstrip("/")
        mode, oid = self._entry(top) if top else (_FOLDER, self._root)
        if mode == _LINK:
            found = self.repository.cat(f"{self.commit}:{top}")
            mode, oid = (_FOLDER, found[0]) if found and found[1] == "tree" else (b"", "")
        return sorted(self._walk(top, oid)) if mode == _FOLDER else []

    def _walk(self, folder: str, tree: str) -> Iterator[str]:
        for name, (mode, oid) in self.repository.entries(tree).items():
            path = f"{folder}/{name}" if folder else name
            if mode == _FOLDER:
                yield from self._walk(path, oid)
            elif mode != _SUBMODULE:  # a submodule's commit is another repository's
                yield path


class IndexSnapshot(Snapshot):
    """What is staged, and would be the next commit."""

    name = "the index"

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self.commit = repository.head()

    @cached_property
    def _index(self) -> dict[str, str]:
        return self.repository.index()

    def read(self, path: str) -> bytes | None:
        oid = self._index.get(path)
        found = self.repository.cat(oid) if oid else None
        return found[2] if found else None

    def files(self, folder: str = "") -> list[str]:
        return _under(folder, self._index)

    def changed(self) -> set[str]:
        """The paths in which it differs from the last commit."""
        last = self.repository.tree(self.commit) if self.commit else {}
        return {path for path, _ in last.items() ^ self._index.items()}


class DiskSnapshot(Snapshot):
    """What lies in the working tree, ignored files and all."""

    name = "the working tree"
    on_disk = True

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self.commit = repository.head()

    def path(self, path: str) -> Path:
        """Where a file is on this machine."""
        place = self.repository.path / path
        looked(place)
        return place

    def read(self, path: str) -> bytes | None:
        try:
            return self.path(path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def named(self, name: str) -> list[str]:
        # Asked of Git, which does not walk through what it ignores: environments, caches, data.
        listed = self.repository.run("ls-files", "-z", "-co", "--exclude-standard", "--", f":(glob)**/{name}")
        return sorted(path for path in set(listed.split("\0")) if path and self.read(path) is not None)

    def md5(self, path: str) -> str | None:
        return self._digest(path, "md5")

    def sha256(self, path: str) -> str | None:
        return self._digest(path, "sha256")

    def _digest(self, path: str, name: str) -> str | None:
        # Streamed: a file on disk may be a model or a table of many gigabytes.
        try:
            with self.path(path).open("rb") as stream:
                return hashlib.file_digest(stream, name).hexdigest()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def files(self, folder: str = "") -> list[str]:
        top = self.repository.path
        found = []
        for place, folders, names in os.walk(top / folder):
            folders[:] = [name for name in folders if name not in {".git", ".dvc"}]
            found += [(Path(place) / name).relative_to(top).as_posix() for name in names]
        return sorted(found)


def _under(folder: str, paths: dict[str, str]) -> list[str]:
    prefix = folder.rstrip("/") + "/" if folder else ""
    return sorted(path for path in paths if path.startswith(prefix))
