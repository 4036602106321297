"""`.dvcignore`, as DVC reads it: which files of a folder are no part of it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from re import Pattern

from .errors import Malformed
from .snapshot import Snapshot

FILE = ".dvcignore"
_OWN = frozenset({".git", ".hg", ".dvc"})


@dataclass(frozen=True)
class _Line:
    names: Pattern[str]
    hides: bool
    only_folders: bool


class DvcIgnore:
    """The `.dvcignore` files of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._lines: dict[str, list[_Line]] = {}
        self._folders: dict[str, bool] = {"": False}

    def hides(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether DVC does not see a path: it, or a folder that it is in, is named."""
        return self._hides_folder(posixpath.dirname(path)) or self._named(path, is_folder=is_folder)

    def _hides_folder(self, path: str) -> bool:
        if path not in self._folders:
            self._folders[path] = self.hides(path, is_folder=True)
        return self._folders[path]

    def _named(self, path: str, *, is_folder: bool) -> bool:
        """What the last line says that speaks of a path, of the nearest file that has one."""
        folder, _, last = path.rpartition("/")
        if is_folder and last in _OWN:
            return True
        while True:
            name = path[len(folder) + 1 :] if folder else path
            for line in self._in(folder):
                if line.only_folders and not is_folder:
                    continue
                if line.names.match(name) or (is_folder and line.names.match(f"{name}/")):
                    return line.hides
            if not folder:
                return False
            folder = posixpath.dirname(folder)

    def _in(self, folder: str) -> list[_Line]:
        if folder not in self._lines:
            content = self._snapshot.read(posixpath.join(folder, FILE)) or b""
            self._lines[folder] = list(_lines(posixpath.join(folder, FILE), content.decode("utf-8", "replace")))[::-1]
        return self._lines[folder]


def _lines(file: str, text: str) -> Iterator[_Line]:
    written = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    if not written:
        return
    from pathspec import GitIgnoreSpec

    for line in written:
        try:
            (pattern,) = GitIgnoreSpec.from_lines([line]).patterns
        except ValueError:
            raise Malformed(f"{file} has a pattern that DVC does not read: {line}") from None
        if pattern.regex is not None and pattern.include is not None:
            yield _Line(pattern.regex, pattern.include, line.endswith("/"))
