"""Write what a merge helper decided: files of one side, a lock joined stage by stage. Loses nothing that somebody typed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from . import conflict
from .conflict import Conflict, Side
from .errors import Malformed
from .git import Repository
from .snapshot import CommitSnapshot, DiskSnapshot

_KEPT = "model-gate-kept"


def restore(repository: Repository, commit: str, paths: Iterable[str]) -> None:
    """Bring files, staged and on disk, to what a commit has; what it does not have goes."""
    there = CommitSnapshot(repository, commit)
    known = {*repository.index()}
    names = sorted(path for path in paths if path in known or there.oid(path))
    if names:
        options = ("--staged", "--worktree", "--pathspec-from-file=-", "--pathspec-file-nul")
        repository.run("--literal-pathspecs", "restore", f"--source={commit}", *options, text="\0".join(names))


def keep_copies(repository: Repository, found: Conflict, coming: Mapping[str, bytes | None]) -> list[str]:
    """Copy what is about to be overwritten and Git could not bring back: neither a side's nor as Git merged it.

    Args:
        coming: what each file is going to hold.
    """
    merged = repository.resolve("AUTO_MERGE", kind="tree")
    commits = [found.here.commit, found.there.commit, *filter(None, (found.base, merged))]
    known = [CommitSnapshot(repository, commit) for commit in commits]
    disk = DiskSnapshot(repository)
    kept = {path: disk.read(path) for path in sorted(coming)}
    kept = {
        path: content
        for path, content in kept.items()
        if content not in (None, coming[path]) and all(one.read(path) != content for one in known)
    }
    if not kept:
        return []
    folder = _new_folder(repository.git_dir / _KEPT)
    for path, content in kept.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content or b"")
    return [f"what was edited here since is kept in {_shown(repository, folder)}: {', '.join(kept)}"]


def write(repository: Repository, files: Mapping[str, bytes]) -> None:
    """Write files, each whole or not at all, and stage them."""
    for file, content in files.items():
        place = repository.path / file
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(place)
    if files:
        repository.run("--literal-pathspecs", "add", "--", *files)


def _new_folder(above: Path) -> Path:
    above.mkdir(exist_ok=True)
    taken = [int(place.name) for place in above.iterdir() if place.name.isdigit()]
    folder = above / str(max(taken, default=0) + 1)
    folder.mkdir()
    return folder


def _shown(repository: Repository, place: Path) -> str:
    top = repository.path.resolve()
    return place.relative_to(top).as_posix() if place.is_relative_to(top) else str(place)


def reopen(repository: Repository, found: Conflict, paths: Iterable[str]) -> None:
    """Bring files that were taken from one side back to how Git merged them, marks and all; what a person typed stays."""
    merged = repository.resolve("AUTO_MERGE", kind="tree")
    if merged is None:
        return
    disk, as_merged = DiskSnapshot(repository), CommitSnapshot(repository, merged)
    sides = [CommitSnapshot(repository, side.commit) for side in found.sides]
    taken = [
        path
        for path in sorted({*paths} - {*conflict.unmerged(repository)})
        if disk.read(path) != as_merged.read(path) and any(disk.read(path) == side.read(path) for side in sides)
    ]
    listed = repository.run("ls-files", "--resolve-undo", "-z", "--full-name", ":/").split("\0")
    fought = {record.partition("\t")[2] for record in listed}
    restore(repository, merged, [path for path in taken if path not in fought])
    if again := [path for path in taken if path in fought]:
        repository.run("--literal-pathspecs", "checkout", "--merge", "--", *again)


# --- a lock -----------------------------------------------------------------------------------------------------------


def lock(repository: Repository, found: Conflict, file: str, own: Collection[str] = (), side: Side | None = None) -> bytes:
    """A lock joined stage by stage: a record is one side's or the other's, never a mixture.

    A stage that both sides ran, each in another way, has no record then, so that DVC runs it; but for those in `own`, which
    are one side's, and those that somebody has run since.
    """
    here, there = (_stages(repository, one.commit, file) for one in found.sides)
    base = _stages(repository, found.base, file) if found.base else {}
    since = _since(repository, file, [] if side else [here, there])
    chosen = _stages(repository, side.commit, file) if side else {}
    joined: dict[str, Any] = {}
    for name in {**here, **there, **since}:
        record = chosen.get(name) if name in own else _joined(*(known.get(name) for known in (base, here, there, since)))
        if record is not None:
            joined[name] = record
    return _as_dvc_writes({"schema": "2.0", "stages": joined})


def _as_dvc_writes(content: Mapping[str, Any]) -> bytes:
    from dvc.utils.serialize import dump_yaml

    with tempfile.TemporaryDirectory() as scratch:
        dump_yaml(str(Path(scratch, "lock")), content)
        return Path(scratch, "lock").read_bytes()


def _joined(base: Any, here: Any, there: Any, since: Any) -> Any:
    """A stage's record by three ways; where both sides differ, the one that was made since, if there is one."""
    if since is not None:
        return since
    if there in (here, base):
        return here
    return there if here == base else None


def _stages(repository: Repository, commit: str, file: str) -> dict[str, Any]:
    return conflict.locked_stages(CommitSnapshot(repository, commit), file)


def _since(repository: Repository, file: str, whole: list[dict[str, Any]]) -> dict[str, Any]:
    """What somebody made of a lock after Git merged it: by `dvc repro`, or by the choice for another model."""
    merged = repository.resolve("AUTO_MERGE", kind="tree")
    disk = DiskSnapshot(repository)
    content = disk.read(file)
    if file in conflict.unmerged(repository) or merged is None or content == CommitSnapshot(repository, merged).read(file):
        return {}
    try:
        found = conflict.locked_stages(disk, file)
    except Malformed:
        return {}
    return {} if found in whole else found  # taken from one side, which is what is being taken back


# --- dvc.yaml of several models ---------------------------------------------------------------------------------------


def pipeline(repository: Repository, found: Conflict, side: Side, file: str) -> bytes | None:
    """A `dvc.yaml` merged as Git does, and where both sides changed the same lines, one's; None where a person resolved it."""
    ways = {one: _favouring(repository, found, one, file) for one in found.sides}
    resolved = file not in conflict.unmerged(repository) and DiskSnapshot(repository).read(file) not in ways.values()
    return None if resolved else ways[side]


def _favouring(repository: Repository, found: Conflict, side: Side, file: str) -> bytes:
    commits = [found.here.commit, found.base, found.there.commit]
    with tempfile.TemporaryDirectory() as scratch:
        names = []
        for number, commit in enumerate(commits):
            names.append(Path(scratch, str(number)))
            names[-1].write_bytes((CommitSnapshot(repository, commit).read(file) if commit else None) or b"")
        way = "--ours" if side is found.here else "--theirs"
        merged = repository.run("merge-file", "-p", way, *map(str, names))
    return merged.encode("utf-8", "surrogateescape")
