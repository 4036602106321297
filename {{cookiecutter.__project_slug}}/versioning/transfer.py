"""Copies a storage to another place, and reads back what it wrote. DVC's own file systems do the work on both sides."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import clouds
from .errors import VersioningError
from .progress import meter

#: Where DVC's layout says which MD5 a file has.
_NAMED = re.compile(r"files/md5/([0-9a-f]{2})/([0-9a-f]{30})(?:\.dir)?")
_PIECE = 1 << 22
#: Many objects are small, and a bucket answers each one after a while.
_AT_ONCE = 8
_MOUNT = "mount the disk that it leads to, or remove the link"


@dataclass(frozen=True)
class Place:
    """A folder or a prefix of a bucket, with what reaches it."""

    url: str
    fs: Any
    path: str

    def below(self, part: str) -> Place:
        """A part of it."""
        return Place(f"{self.url}/{part}", self.fs, f"{self.path}/{part}" if self.path.strip("/") else part)

    def files(self) -> dict[str, int]:
        """Sizes by path of every file in it."""
        with _said(f"{self.url} cannot be read"):
            if clouds.of(self.url) is None:
                found = dict(_below(self.path, frozenset()))
            else:
                listed = self.fs.fs.find(self.path, detail=True)
                found = {name: info["size"] for name, info in listed.items() if not name.endswith("/")}
        top = self.path.strip("/") + "/"
        return {name.lstrip("/").removeprefix(top): size for name, size in sorted(found.items())}

    def at(self, name: str) -> str:
        """The full path of a file in it."""
        return f"{self.path}/{name}"

    def digest(self, name: str, kind: str, told: Callable[[int], object] = lambda _: None) -> str:
        """The digest of a file in it, read from there."""
        made = hashlib.new(kind, usedforsecurity=False)
        with self.fs.open(self.at(name), "rb") as stream:
            while piece := stream.read(_PIECE):
                made.update(piece)
                told(len(piece))
        return made.hexdigest()


def _below(folder: str, way: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Sizes by path of every file below a folder. A folder that became a link when its disk was full is gone into; one that leads
    back to where it hangs is not.

    Raises:
        VersioningError: a link leads nowhere, so that it cannot be told what is missing.
    """
    if os.path.islink(folder) and not os.path.exists(folder):
        raise VersioningError(f"{folder} is a link to {os.readlink(folder)}, which is not there", _MOUNT)
    real = os.path.realpath(folder)
    if real in way or not os.path.isdir(folder):
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file():
                yield entry.path, entry.stat().st_size
            else:
                yield from _below(entry.path, way | {real})


def place(url: str, options: Mapping[str, str]) -> Place:
    """Open a folder, or a cloud's URL with options as DVC's remotes have them.

    Raises:
        VersioningError: no client for it is installed, or the options are not such.
    """
    from dvc.fs import get_cloud_fs

    with _said(f"{url} cannot be opened"):
        kind, config, path = get_cloud_fs({}, url=url, **options)
        return Place(url, kind(**config), str(path).rstrip("/"))


def write_note(target: Place, name: str, text: str) -> None:
    """Put a small file there, and read it back: whether one may write there is known before anything is copied. A file of that
    name that is there stays as it is.

    Raises:
        VersioningError: it could not be written, or reads otherwise.
    """
    with _said(f"{target.url} cannot be written"), tempfile.TemporaryDirectory() as scratch:
        if target.fs.exists(target.at(name)):
            return
        draft = Path(scratch, "note")
        draft.write_text(text, "utf-8")
        target.fs.put_file(str(draft), target.at(name))
        if target.digest(name, "sha256") != hashlib.sha256(text.encode()).hexdigest():
            raise VersioningError(f"{target.url}/{name} does not read back as it was written")


@dataclass(frozen=True)
class Copied:
    """What became of a storage's files."""

    files: int
    copied: int
    size: int
    #: Files of the source that are not what their name says.
    damaged: tuple[str, ...] = ()


def copy(source: Place, target: Place, what: str, *, late: bool = False) -> Copied:
    """Copy every file that is not there yet, and compare each with what is read back; with `late`, what is there is not asked.

    Raises:
        VersioningError: a file could not be read or written, reads back otherwise, or is there with other bytes.
    """
    files, there = source.files(), target.files()
    if late:
        files = {name: size for name, size in files.items() if name not in there}
    total, lock, done = 2 * sum(files.values()), threading.Lock(), 0
    show = meter(what)

    def told(size: int) -> None:
        nonlocal done
        with lock:
            done += size
            show(min(done, total), total)

    def one(name: str) -> bool | None:
        """True: copied; False: it was there already; None: damaged."""
        with _said(f"{source.url}/{name} could not be copied to {target.url}"):
            return _copy_one(source, target, name, there.get(name), told)

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        results = dict(zip(files, pool.map(one, files), strict=True))
    finally:
        pool.shutdown(cancel_futures=True)
    damaged = tuple(name for name, result in results.items() if result is None)
    return Copied(len(files), sum(result is True for result in results.values()), sum(files.values()), damaged)


def _copy_one(source: Place, target: Place, name: str, there: int | None, told: Callable[[int], object]) -> bool | None:
    named = _NAMED.fullmatch(name)
    kind = "md5" if named else "sha256"
    with _on_disk(source, name) as local:
        digest = hashlib.new(kind, usedforsecurity=False)
        with local.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
                told(len(piece))
        expected = digest.hexdigest()
        if named and expected != named[1] + named[2]:
            return None
        # The name of DVC's objects says what they are: another one under it is half of one, and is replaced.
        if there is not None and (not named or there == local.stat().st_size):
            found = target.digest(name, kind, told)
            if found == expected:
                return False
            if not named:
                raise _other_bytes(target, name, (there, found), (local.stat().st_size, expected))
        target.fs.put_file(str(local), target.at(name))
    if target.digest(name, kind, told) != expected:
        raise VersioningError(f"{target.url}/{name} does not read back as it was written")
    return True


def _other_bytes(target: Place, name: str, there: tuple[int, str], here: tuple[int, str]) -> VersioningError:
    """What is there is somebody's: it is never overwritten."""
    one, other = (f"{size:,} bytes with the SHA-256 {digest[:10]}…" for size, digest in (there, here))
    said = f"{target.url}/{name} is there already with other bytes ({one}; to be copied: {other}); nothing is overwritten"
    return VersioningError(f"{said}, and nothing was switched", "choose another place, or move that file aside there")


@contextmanager
def _on_disk(source: Place, name: str) -> Iterator[Path]:
    """A file of the source as one on this machine."""
    if clouds.of(source.url) is None:
        yield Path(source.at(name))
        return
    with tempfile.TemporaryDirectory(prefix="model-storage-") as scratch:
        draft = Path(scratch, "file")
        source.fs.get_file(source.at(name), str(draft))
        yield draft


@contextmanager
def _said(what: str) -> Iterator[None]:
    """Whatever a client of a cloud says, in one line, with what mostly ends it."""
    try:
        yield
    except VersioningError:
        raise
    except Exception as error:
        kind, said = type(error).__name__, " ".join(str(error).split())[:300]
        hint = next((cure for word, cure in _CURES.items() if word.lower() in f"{kind} {said}".lower()), None)
        raise VersioningError(f"{what}: {said or kind}", hint) from error


_CURES = {
    "but requires": "python3 -m versioning setup",  # a client that is not installed
    "account_name": "export AZURE_STORAGE_ACCOUNT=NAME, and az login",
    "NoCredentials": "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…, or aws configure",
    "credentials": "log in first: aws configure, gcloud auth application-default login, or az login",
    "bucket does not exist": "make the bucket first, or mend its name",
    "NoSuchBucket": "make the bucket first, or mend its name",
    "forbidden": "ask for the right to read, write and list there",
    "access denied": "ask for the right to read, write and list there",
}
