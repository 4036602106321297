"""Where DVC keeps bytes: the cache of this clone, its remote, and the wiring of a fresh clone or worktree.

Standard library only: `setup` and the hooks use it before there is an environment.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .git import Repository
from .glance import looked

REMOTE = "storage"
SECTION = f"'remote \"{REMOTE}\"'"
CONFIG, LOCAL_CONFIG = Path(".dvc/config"), Path(".dvc/config.local")
_WORD = "moved-to"
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
    def remote_name(self) -> str:
        """The name of the default DVC remote, or nothing."""
        return self._config.get("core", "remote", fallback="")

    @cached_property
    def remote_options(self) -> dict[str, str]:
        """What DVC's configuration says of the default remote."""
        section = f"'remote \"{self.remote_name}\"'"
        return {key: _unquoted(value) for key, value in self._config.items(section)} if self._config.has_section(section) else {}

    @cached_property
    def remote(self) -> str | None:
        """The URL of the default DVC remote, or None."""
        return self.remote_options.get("url") or None

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


def quoted(text: str) -> str:
    """A value as DVC's configuration holds it, where `#` and `,` mean something outside quotes; a plain one needs none."""
    if re.fullmatch(r"[\w.:/@~+=-]+", text):
        return text
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


# --- a fresh clone, a worktree, a storage that moved ------------------------------------------------------------------


def embedded(repository: Repository) -> Path | None:
    """The `dvc` folder beside the repository that `origin` names, where origin is a folder of this machine."""
    beside = beside_origin(repository)
    return beside / "dvc" if beside is not None and (beside / "dvc").is_dir() else None


def beside_origin(repository: Repository) -> Path | None:
    """The folder that holds the repository that `origin` names, where that is on this machine."""
    url = repository.config("remote.origin.url")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme == "file":
        url = unquote(parts.path)
    elif parts.scheme or (":" in url.split("/", 1)[0]):
        return None
    return (repository.main_worktree / url).resolve().parent


def moved_to(repository: Repository) -> Path | None:
    """Where the DVC folder beside `origin` went, as `model storage move` left word there."""
    beside = beside_origin(repository)
    try:
        told = (beside / _WORD).read_text("utf-8").strip() if beside else ""
    except OSError:
        return None
    return Path(told) if told else None


def leave_word(repository: Repository, folder: Path | None) -> None:
    """Tell other clones on this machine that the storage is in another folder now; None: `.dvc/config` says where it is."""
    beside, own = beside_origin(repository), embedded(repository)
    if beside is None or own is None:
        return
    if folder is None or folder == own:
        (beside / _WORD).unlink(missing_ok=True)
    else:
        (beside / _WORD).write_text(f"{folder}\n", "utf-8")


def not_followed(repository: Repository) -> Path | None:
    """Where the storage went that this clone still has in its old place; None where all is well, or a person chose a place."""
    moved, here = moved_to(repository), Storage(repository).remote_folder
    written = options_of(_read(repository.path / LOCAL_CONFIG)).get("url", "")
    if moved is None or here in (None, moved.resolve()) or (written and not _is_ours(repository, written)):
        return None
    return None if _shared(repository) else moved


def connect(repository: Repository) -> str | None:
    """Write what `.dvc/config.local` lacks: the storage's place as far as `.dvc/config` does not say it, and in a worktree the
    main one's cache.

    A checkout brings an earlier `.dvc/config` back; where data lies now, the default branch says. A place that a person wrote
    there is left alone.

    Returns:
        None where the clone has its storage; else one line that says what is missing and ends it.
    """
    root = repository.path
    if not (root / ".dvc").is_dir():
        return None
    local = _read_config(root / LOCAL_CONFIG)
    if repository.main_worktree != root.resolve() and not local.get("cache", "dir", fallback=""):
        with (root / LOCAL_CONFIG).open("a", encoding="utf-8") as stream:
            stream.write(f"[cache]\n    dir = {quoted(str(Storage(Repository(repository.main_worktree)).cache))}\n")
    written = _unquoted(local.get(SECTION, "url", fallback=""))
    if written and not _is_ours(repository, written):
        return None
    place = _place(repository)
    if place is None:
        return unreachable(repository)
    committed = options_of(_read(root / CONFIG))
    if committed != place:
        set_local(repository, place)
    elif written:
        set_local(repository, {})
    return None


def unreachable(repository: Repository, what: str = "the storage of this repository (its DVC remote)") -> str:
    """One line for a clone that cannot reach the storage: what, whose machine it is on, and what ends it."""
    origin = repository.config("remote.origin.url")
    maker = repository.run("log", "--max-parents=0", "--format=%an <%ae>", "HEAD", check=False).splitlines()
    who = f"the machine of {maker[-1]}, who made it" if maker else "the machine of whoever made it"
    beside = f", beside {origin}" if origin else ""
    moved = moved_to(repository)
    where = f"is {moved}, which is not here" if moved else f"is a folder on {who}{beside}"
    return f"{what} {where}; `model storage move s3://BUCKET/PATH`, run there, brings it within everybody's reach"


def _place(repository: Repository) -> dict[str, str] | None:
    """What DVC has to know of the storage's place now, as the options of its remote; None where this machine has no way there."""
    shared = _shared(repository)
    if shared:
        return shared
    local = options_of(_read(repository.path / LOCAL_CONFIG)).get("url", "")
    known = [Path(local)] if local and "://" not in local else []
    near = [folder for folder in (moved_to(repository), embedded(repository)) if folder]
    # The old place still has what it had: whoever went on with it would be alone there.
    found = next((folder for folder in (near[:1] or known) if folder.is_dir()), None)
    return {"url": str(found)} if found else None


def _shared(repository: Repository) -> dict[str, str]:
    """What the team shares of the place: the working copy's, where this branch changes it, else the default branch's."""
    own = options_of(_read(repository.path / CONFIG))
    default = default_branch(repository)
    if default is None:
        return own
    theirs = options_of(repository.run("show", f"{default}:{CONFIG.as_posix()}", check=False))
    if not repository.run("symbolic-ref", "-q", "HEAD", check=False):
        return theirs
    base = repository.run("merge-base", "HEAD", default, check=False).strip()
    before = options_of(repository.run("show", f"{base}:{CONFIG.as_posix()}", check=False)) if base else own
    return own if own != before else theirs


def default_branch(repository: Repository) -> str | None:
    """The newest commit that this clone knows of the default branch, by a name of it."""
    named = repository.run("symbolic-ref", "-q", "refs/remotes/origin/HEAD", check=False).strip()
    remote = named or "refs/remotes/origin/main"
    local = f"refs/heads/{remote.removeprefix('refs/remotes/origin/')}"
    theirs, own = repository.resolve(remote), repository.resolve(local)
    if own and (not theirs or repository.is_ancestor(theirs, own)):
        return local
    return remote if theirs else None


def _is_ours(repository: Repository, url: str) -> bool:
    """Whether a place in `.dvc/config.local` is one that we wrote, and not a person's own choice."""
    if "://" not in url and not (repository.path / ".dvc" / url).is_dir():
        return True
    return url == str(embedded(repository)) or ("url", url) in _written(repository)


def set_local(repository: Repository, options: Mapping[str, str]) -> None:
    """Write the place into `.dvc/config.local`, or take it out; a person's other options stay."""
    file = repository.path / LOCAL_CONFIG
    before, known = _read(file), _written(repository)
    after = with_remote(
        before, options, drop=["url", *(key for key, value in options_of(before).items() if (key, value) in known)]
    )
    if after != before:
        file.write_text(after, "utf-8")
    fresh = [f"{key} = {value}\n" for key, value in options.items() if (key, value) not in known]
    if fresh:
        record = _record(repository)
        record.parent.mkdir(parents=True, exist_ok=True)
        with record.open("a", encoding="utf-8") as stream:
            stream.write("".join(fresh))


def set_aside(repository: Repository) -> None:
    """Keep what a person wrote for the place that is left (a profile, a key) under another remote's name: another kind of place
    would not understand it.
    """
    file = repository.path / LOCAL_CONFIG
    before = _read(file)
    own = {key: value for key, value in options_of(before).items() if key != "url" and (key, value) not in _written(repository)}
    if own:
        aside = SECTION.replace(REMOTE, f"{REMOTE}-before")
        kept = {"url": Storage(repository).remote or "", **own}
        text = with_remote(_without(before, aside), {}, drop=options_of(before))
        file.write_text(text + f"[{aside}]\n" + "".join(f"    {key} = {quoted(value)}\n" for key, value in kept.items()), "utf-8")


def _without(text: str, section: str) -> str:
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        inside = line.strip() == f"[{section}]" if line.startswith("[") else inside
        kept += [] if inside else [line]
    return "".join(kept)


def with_remote(text: str, options: Mapping[str, str], drop: Iterable[str] = ()) -> str:
    """DVC's configuration with these options of our remote, and without those to drop; all else stays as it is written."""
    header, lines, inside = f"[{SECTION}]", [], False
    gone = {*options, *drop}
    for line in text.splitlines(keepends=True):
        inside = line.strip() == header if line.startswith("[") else inside
        if not (inside and line.partition("=")[0].strip() in gone):
            lines.append(line)
    added = [f"    {key} = {quoted(value)}\n" for key, value in options.items()]
    at = next((number for number, line in enumerate(lines) if line.strip() == header), None)
    if at is None:
        ended = "" if not lines or lines[-1].endswith("\n") else "\n"
        return "".join([*lines, ended, *([f"{header}\n", *added] if added else [])])
    lines[at + 1 : at + 1] = added
    if not added and (at + 1 == len(lines) or lines[at + 1].startswith("[")):
        del lines[at]
    return "".join(lines)


def options_of(text: str) -> dict[str, str]:
    """The options of our remote in a text of DVC's configuration."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    with suppress(configparser.Error):
        config.read_string(text)
    return {key: _unquoted(value) for key, value in config.items(SECTION)} if config.has_section(SECTION) else {}


def _written(repository: Repository) -> set[tuple[str, str]]:
    """The options that we ever wrote into `.dvc/config.local`; comments there would not outlive `dvc config`."""
    lines = _read(_record(repository)).splitlines()
    return {(key, value) for key, _, value in (line.partition(" = ") for line in lines)}


def _record(repository: Repository) -> Path:
    return repository.common_dir / "model-gate" / "places"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
