"""Where DVC keeps bytes: the cache of this clone, its remote, and the wiring of a fresh clone or worktree.

Standard library only: `setup` and the hooks use it before there is an environment.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .git import Repository
from .glance import looked

REMOTE = "storage"
LOCAL_CONFIG = Path(".dvc/config.local")
Progress = Callable[[int, int], None]


class Storage:
    """The bytes behind the hashes of `dvc.lock`."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.root = repository.path

    @cached_property
    def _config(self) -> configparser.ConfigParser:
        home = os.environ.get("DVC_GLOBAL_CONFIG_DIR")
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        places = [
            (Path(home) if home else base / "dvc") / "config",
            self.root / ".dvc/config",
            self.root / LOCAL_CONFIG,
        ]
        return _read_config(*places)

    @cached_property
    def cache(self) -> Path:
        """The folder of DVC's cache; a worktree that is not wired yet has that of the main one."""
        written = _unquoted(self._config.get("cache", "dir", fallback=""))
        if written:
            return (self.root / ".dvc" / written).resolve()
        own = self.root / ".dvc/cache"
        looked(own)
        return own if own.is_dir() else self.repository.main_worktree / ".dvc/cache"

    @cached_property
    def remote(self) -> str | None:
        """The URL of the default DVC remote, or None."""
        name = self._config.get("core", "remote", fallback="")
        return _unquoted(self._config.get(f"'remote \"{name}\"'", "url", fallback="")) or None if name else None

    @cached_property
    def remote_folder(self) -> Path | None:
        """The remote as a folder, where it is one."""
        if not self.remote or "://" in self.remote:
            return None
        return (self.root / ".dvc" / self.remote).resolve()

    def find(self, md5: str) -> Path | None:
        """A file that holds the bytes of a hash: in the cache, else in a remote that is a folder."""
        for folder in (self.cache, self.remote_folder):
            if folder is not None:
                place = folder / "files/md5" / md5[:2] / md5[2:]
                looked(place)
                if place.is_file():
                    return place
        return None

    def listing(self, md5: str) -> dict[str, str] | None:
        """MD5 by relative path of what a folder holds, by its own hash (`….dir`); None where its list is not on this machine."""
        place = self.find(md5) if md5.endswith(".dir") else None
        return None if place is None else {item["relpath"]: item["md5"] for item in json.loads(place.read_bytes())}


def _read_config(*places: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None, strict=False)
    for place in places:
        with suppress(OSError, configparser.Error, UnicodeDecodeError):
            config.read_string(place.read_text("utf-8"))
    return config


def _unquoted(value: str) -> str:
    """A value of DVC's configuration, whose format (configobj) knows quotes; configparser does not."""
    for quote in ("'''", '"', "'"):
        if len(value) >= 2 * len(quote) and value.startswith(quote) and value.endswith(quote):
            return value[len(quote) : -len(quote)]
    return value


def _quoted(path: Path) -> str:
    """A path as DVC's configuration holds it, where `#` and `,` mean something outside quotes."""
    text = str(path)
    return next((f"{quote}{text}{quote}" for quote in ('"', "'", "'''") if quote not in text), text)


class Digests:
    """Digests of files, remembered by path, inode, size and time of change in the common Git directory.

    A model of many gigabytes takes seconds to read, and DVC's own state holds no SHA-256.
    """

    def __init__(self, repository: Repository) -> None:
        self._file = repository.common_dir / "model-gate" / "digests.json"

    def of(self, path: Path, name: str, progress: Progress | None = None) -> str:
        """The digest of a file, `sha256` or `md5`."""
        looked(path)
        status = path.stat()
        key = f"{name}:{path.resolve()}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
        known = self._known()
        if key not in known:
            known[key] = hash_file(path, name, progress)
            self._remember(known)
        return known[key]

    def _known(self) -> dict[str, str]:
        try:
            content = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _remember(self, known: dict[str, str]) -> None:
        # Only a shortcut: where it cannot be written, the next run hashes again.
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            draft.write_text(json.dumps(dict(list(known.items())[-1000:])), "utf-8")
            draft.replace(self._file)


def hash_file(path: Path, name: str, progress: Progress | None = None) -> str:
    """The hex digest of a file, read in pieces of 4 MiB; `progress` is told bytes done and bytes in all."""
    digest = hashlib.new(name, usedforsecurity=False) if name == "md5" else hashlib.new(name)
    size, done = path.stat().st_size, 0
    with path.open("rb") as stream:
        while piece := stream.read(1 << 22):
            digest.update(piece)
            done += len(piece)
            if progress:
                progress(done, size)
    return digest.hexdigest()


# --- a fresh clone, a worktree ----------------------------------------------------------------------------------------


def embedded(repository: Repository) -> Path | None:
    """The `dvc` folder beside the repository that `origin` names, where origin is a folder of this machine."""
    url = repository.config("remote.origin.url")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme == "file":
        url = unquote(parts.path)
    elif parts.scheme or (":" in url.split("/", 1)[0]):
        return None
    beside = (repository.main_worktree / url).resolve().parent / "dvc"
    return beside if beside.is_dir() else None


def connect(repository: Repository) -> str | None:
    """Write what `.dvc/config.local` lacks: the embedded remote's place, and in a worktree the main one's cache.

    Returns:
        None where the clone has its storage; else one line that says what is missing and ends it.
    """
    root = repository.path
    if not (root / ".dvc").is_dir():
        return None
    lines: list[str] = []
    local = _read_config(root / LOCAL_CONFIG)
    if repository.main_worktree != root.resolve() and not local.get("cache", "dir", fallback=""):
        lines += ["[cache]", f"    dir = {_quoted(Storage(Repository(repository.main_worktree)).cache)}"]
    storage = Storage(repository)
    section = f"'remote \"{REMOTE}\"'"
    wired = bool(storage.remote) and (storage.remote_folder is None or storage.remote_folder.is_dir())
    folder = None if wired else embedded(repository)
    if folder:
        if local.has_option(section, "url"):
            _drop_section(root / LOCAL_CONFIG, section)
        lines += [f"[{section}]", f"    url = {_quoted(folder)}"]
    if lines:
        with (root / LOCAL_CONFIG).open("a", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
    if wired or folder:
        return None
    origin = repository.config("remote.origin.url")
    return (
        f"the DVC remote «{REMOTE}» of this repository is a folder on the machine of whoever made it"
        f"{f', beside {origin}' if origin else ''}: dvc remote add --local --force {REMOTE} URL"
    )


def _drop_section(path: Path, section: str) -> None:
    kept, dropping = [], False
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            dropping = line.strip() == f"[{section}]"
        if not dropping:
            kept.append(line)
    path.write_text("".join(f"{line}\n" for line in kept), "utf-8")
