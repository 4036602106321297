"""`dvc.yaml` and `dvc.lock`, read as DVC reads them, and whether a snapshot still is what the lock recorded.

The verdicts are those of `dvc status` (DVC 3), reached without importing DVC and without a working tree.
"""

from __future__ import annotations

import configparser
import copy
import datetime as dt
import hashlib
import io
import json
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from .documents import load_json, load_yaml
from .dvcignore import DvcIgnore
from .errors import Malformed
from .snapshot import Snapshot
from .storage import Storage

PIPELINE, LOCK, PARAMS, CONFIG = "dvc.yaml", "dvc.lock", "params.yaml", ".dvc/config"
#: A lock that nobody can read is made anew; what ran before comes out of DVC's run cache.
HINT = f"rm {LOCK} && dvc repro && git add {LOCK}"
SIDECAR_STAGE = "sidecar"
#: Declared in params.yaml and a parameter of the sidecar stage only: a rename trains nothing anew.
VERSION_KEY = "version"
#: What tells a content where DVC keeps no md5 of it: a store's own version of a file, a folder's listing.
_ELSEWHERE = {"checksum", "cloud", "etag", "files", "version_id"}


@dataclass(frozen=True)
class Hash:
    """A line of `dvc.lock`: what a dependency or an output was."""

    md5: str
    size: int | None = None
    nfiles: int | None = None
    #: Written by DVC 2, which hashed and kept texts in another way: DVC 3 looks for such an output elsewhere.
    by_dvc_2: bool = False


@dataclass(frozen=True)
class Stage:
    """A stage of the resolved `dvc.yaml`; keys are paths as written there, values where they are in the repository."""

    name: str
    cmd: Any
    deps: Mapping[str, str]
    outs: Mapping[str, str]
    params: Mapping[str, tuple[str, ...]]
    uncached: frozenset[str] = frozenset()
    frozen: bool = False
    wdir: str = ""
    #: Where its `dvc.yaml` lies, and the lock of it.
    folder: str = ""

    @property
    def file(self) -> str:
        """The `dvc.yaml` that declares it."""
        return posixpath.join(self.folder, PIPELINE)

    @property
    def lock(self) -> str:
        """The `dvc.lock` that records it."""
        return posixpath.join(self.folder, LOCK)


@dataclass(frozen=True)
class Locked:
    """A stage of `dvc.lock`."""

    cmd: Any
    deps: Mapping[str, Hash]
    outs: Mapping[str, Hash]
    params: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Difference:
    """One point in which a snapshot is not what the lock recorded."""

    stage: str
    what: str
    path: str
    recorded: Any = None
    actual: Any = None


@dataclass
class Pipeline:
    """The pipeline of a snapshot."""

    stages: Mapping[str, Stage]
    locked: Mapping[str, Locked]
    artifacts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _asked: dict[str, str | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def producers(self) -> dict[str, str]:
        """The stage that makes each output."""
        return {path: stage.name for stage in self.stages.values() for path in stage.outs.values()}

    def producer(self, path: str) -> str | None:
        """The stage that makes a file, or the folder that the file is in."""
        if path not in self._asked:  # the same few paths, by every rule
            self._asked[path] = next((self.producers[place] for place in _upwards(path) if place in self.producers), None)
        return self._asked[path]

    def output(self, path: str) -> Hash | None:
        """What the lock recorded of an output."""
        stage = self.producers.get(path)
        locked = self.locked.get(stage) if stage else None
        written = next((key for key, place in self.stages[stage].outs.items() if place == path), "") if stage else ""
        return locked.outs.get(written) if locked else None

    def is_cached(self, path: str) -> bool:
        """Whether DVC, not Git, keeps an output."""
        stage = self.producers.get(path)
        return stage is not None and path not in self.stages[stage].uncached

    def upstream(self, *paths: str) -> list[str]:
        """The stages that the paths come from, in the order of `dvc.yaml`."""
        found: set[str] = set()
        waiting = list(paths)
        while waiting:
            name = self.producer(waiting.pop())
            if name and name not in found:
                found.add(name)
                waiting += self.stages[name].deps.values()
        return [name for name in self.stages if name in found]

    def recorded_params(self, stages: Iterable[str], own: str = PARAMS) -> dict[str, Any]:
        """The parameters that the lock recorded for the stages, nested as in their file.

        Those of another file than the model's own stand under that file's name.
        """
        merged: dict[str, Any] = {}
        for name in stages:
            locked, stage = self.locked.get(name), self.stages.get(name)
            if locked is None or stage is None:
                continue
            for written, keys in stage.params.items():
                file, values = _place(stage.wdir, written), locked.params.get(written, {})
                target = merged if file == own else merged.setdefault(file, {})
                for key in keys or values:  # without keys it is the whole file
                    if key in values and (file, key) != (own, VERSION_KEY):
                        _nest(target, key, values[key])
        return merged

    def describing(self, artifact: str) -> str:
        """The stage that writes the sidecar of a model: the sidecar stage that depends on it."""
        named = [stage for stage in self.stages.values() if is_sidecar_stage(stage.name)]
        return next((stage.name for stage in named if artifact in stage.deps.values()), SIDECAR_STAGE)

    def readers(self, path: str) -> list[str]:
        """The stages that name a file among their dependencies, but for the sidecar's."""
        return [stage.name for stage in self.stages.values() if path in stage.deps.values() and not is_sidecar_stage(stage.name)]

    def recorded_dependency(self, path: str) -> Hash | None:
        """What the lock recorded of a dependency, by any stage but the sidecar's, which describes and makes nothing."""
        for stage in self.stages.values():
            for written, place in stage.deps.items() if not is_sidecar_stage(stage.name) else ():
                if place == path and stage.name in self.locked and written in self.locked[stage.name].deps:
                    return self.locked[stage.name].deps[written]
        return None


def is_sidecar_stage(name: str) -> bool:
    """Whether a stage describes a model: `sidecar`, or `sidecar-uplift` and `sidecar@uplift` where there are several."""
    return re.match(rf"{SIDECAR_STAGE}($|[@_-])", name) is not None


def load(snapshot: Snapshot, lock: Snapshot | None = None) -> Pipeline:
    """The pipeline of a snapshot; the lock may be another's.

    Raises:
        Malformed: `dvc.yaml` or `dvc.lock` cannot be read.
    """
    stages: dict[str, Stage] = {}
    locked: dict[str, Locked] = {}
    artifacts: Any = {}
    for file in (PIPELINE, *_files_below(snapshot)):
        folder = posixpath.dirname(file)
        written = snapshot.yaml(file) or {}
        try:
            resolved = _resolve(snapshot, written, folder)
            declared = [_stage(name, data, folder) for name, data in (resolved.get("stages") or {}).items()]
        except (AttributeError, TypeError, ValueError) as error:
            raise Malformed(f"{file} is no pipeline that DVC reads: {error}", "dvc status") from None
        stages |= {stage.name: stage for stage in declared}
        recorded = read_lock(lock or snapshot, posixpath.join(folder, LOCK))
        locked |= {_address(folder, name): data for name, data in recorded.items()}
        artifacts = artifacts if folder else resolved.get("artifacts")
    return Pipeline(stages, locked, _artifacts(artifacts))


def _artifacts(declared: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(declared, dict):
        return {}
    for name, artifact in declared.items():
        path = artifact.get("path") if isinstance(artifact, dict) else None
        if not isinstance(path, str):
            raise Malformed(f"{PIPELINE} declares the artifact {name!r} with the path {path!r}", "dvc status")
    return declared


def _files_below(snapshot: Snapshot) -> list[str]:
    """The other `dvc.yaml` files, from whose outputs the stages of the first one may be made."""
    found = [file for file in snapshot.named(PIPELINE) if file != PIPELINE]
    if not found:
        return []
    ignore = DvcIgnore(snapshot)
    return [file for file in found if not ignore.hides(file) and not _is_of_another_project(snapshot, file)]


def _is_of_another_project(snapshot: Snapshot, file: str) -> bool:
    return any(snapshot.read(posixpath.join(folder, CONFIG)) is not None for folder in _upwards(posixpath.dirname(file)))


def kept_paths(snapshot: Snapshot, known: Pipeline | None = None) -> set[str]:
    """What has to be on disk for the pipeline to be whole: all that the locks and the `.dvc` pointers of a snapshot name.

    Raises:
        Malformed: one of them cannot be read.
    """
    return {*kept(snapshot, known)}


def kept(snapshot: Snapshot, known: Pipeline | None = None) -> dict[str, str]:
    """The same, each path with its MD5; empty where DVC 2 made it, which kept it under another name.

    Raises:
        Malformed: a lock or a pointer cannot be read.
    """
    pipeline = known or load(snapshot)
    found: dict[str, str] = {}
    for name, stage in pipeline.stages.items():
        locked = pipeline.locked.get(name)
        for path, recorded in _recorded(stage, locked) if locked else ():
            found[path] = "" if recorded.by_dvc_2 else recorded.md5
    ignore = DvcIgnore(snapshot)
    for pointer in snapshot.named("*.dvc"):
        if not ignore.hides(pointer) and not _is_of_another_project(snapshot, pointer):
            found |= dict(_pointed(pointer, snapshot.yaml(pointer) or {}))
    return {path: md5 for path, md5 in found.items() if "://" not in path}


def never_pushed(snapshot: Snapshot, absent: Iterable[str], hashes: Mapping[str, str]) -> str:
    """Who has to push what lies neither here nor in the storage; empty where all lies there, or it cannot be told."""
    storage = Storage(snapshot.repository)
    if storage.remote_folder is None or not storage.remote_folder.is_dir():
        return ""  # what is behind a network is not asked
    nowhere = [path for path in absent if hashes.get(path) and storage.find(hashes[path]) is None]
    if not nowhere:
        return ""
    who = snapshot.repository.run("log", "-1", "--format=%an", "--", LOCK, f"{nowhere[0]}.dvc", check=False).strip()
    return f"not in the storage either: {who or 'its author'} has to run dvc push"


def own_name(stage: str) -> str:
    """A stage as its own lock calls it: without the folder of its `dvc.yaml`."""
    return stage.rpartition(f"{PIPELINE}:")[2]


def _address(folder: str, name: str) -> str:
    """What DVC calls a stage, seen from the top of the repository."""
    return f"{folder}/{PIPELINE}:{name}" if folder else name


def read_lock(snapshot: Snapshot, file: str = LOCK) -> dict[str, Locked]:
    """What `dvc.lock` recorded, by stage.

    Raises:
        Malformed: not a lock of DVC's schema 2.0.
    """
    content = snapshot.read(file)
    return _locked(content, file) if content is not None else {}


@lru_cache(maxsize=8)  # a judgement asks for the same lock several times
def _locked(written: bytes, file: str) -> dict[str, Locked]:
    try:
        content = load_yaml(written)
    except Malformed as error:
        raise _unreadable(written, file, error) from None
    try:
        if content and content.get("schema") != "2.0":
            raise ValueError
        return {name: locked_stage(data, f"{file} records for stage {name}") for name, data in content.get("stages", {}).items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Malformed(f"{file} is no lock that DVC reads", HINT) from None


def locked_stage(data: Mapping[str, Any], where: str) -> Locked:
    """One stage as a lock writes it, or a run in DVC's cache; what is none raises as a wrong type or a missing key does.

    Raises:
        Malformed: a path twice, or a hash of a kind that DVC does not read.
    """
    return Locked(
        data.get("cmd"),
        _hashes(data.get("deps", []), where),
        _hashes(data.get("outs", []), where),
        {source: {**values} for source, values in data.get("params", {}).items()},
    )


def _unreadable(written: bytes, file: str, error: Malformed) -> Malformed:
    lines = written.splitlines()
    marks = [number for number, line in enumerate(lines, 1) if line.startswith((b"<<<<<<< ", b">>>>>>> "))]
    return Malformed(
        f"{file} holds the marks of a merge that is not done, at line {marks[0]}" if marks else f"{file} {error}", HINT
    )


def _hashes(items: Iterable[Mapping[str, Any]], where: str) -> dict[str, Hash]:
    hashes: dict[str, Hash] = {}
    for item in items:
        if item["path"] in hashes:  # DVC takes the last, and never writes two
            raise Malformed(f"{where} {item['path']} twice", HINT)
        hashes[item["path"]] = _hash(_sound(item))
    return hashes


def _sound(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of the lock whose hash and size are of the kinds that DVC writes."""
    size = item.get("size")
    if (item.get("md5") and item.get("hash", "md5") != "md5") or (size is not None and (type(size) is not int or size < 0)):
        raise ValueError(f"{item!r} is no hash")
    return item


def _hash(item: Mapping[str, Any]) -> Hash:
    # A dependency on another store has an etag or a version in place of an md5: known to DVC, not checked here.
    md5 = str(item.get("md5") or "")
    if not md5 and "files" in item:  # a folder in a store that keeps versions: its listing stands in the lock itself
        md5 = _folder_hash({file["relpath"]: str(file["md5"]) for file in item["files"]})
    return Hash(md5, item.get("size"), item.get("nfiles"), by_dvc_2=bool(md5) and "hash" not in item)


# --- dvc.yaml ---------------------------------------------------------------------------------------------------------


def _resolve(snapshot: Snapshot, written: dict[str, Any], folder: str) -> dict[str, Any]:
    if "${" not in json.dumps(written, default=str, skipkeys=True) and "vars" not in written and not _has_loops(written):
        return written
    from dvc.exceptions import DvcException
    from dvc.parsing import DataResolver

    try:
        resolver = DataResolver(_ResolverRepo(snapshot), folder, copy.deepcopy(written))  # it changes what it is given
        stages = resolver.resolve().get("stages", {})
        return {"stages": stages, "artifacts": resolver.resolve_artifacts()}
    except DvcException as error:
        raise Malformed(f"{posixpath.join(folder, PIPELINE)} cannot be resolved: {error}", "dvc status") from None


def _has_loops(written: dict[str, Any]) -> bool:
    stages = written.get("stages") or {}
    return any(isinstance(stage, dict) and ({"foreach", "matrix", "vars"} & stage.keys()) for stage in stages.values())


class _ResolverRepo:
    """The two attributes of DVC's `Repo` that its resolver reads, over a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.fs = _ResolverFiles(snapshot)
        self.config = {"parsing": _parsing(snapshot)}


def _parsing(snapshot: Snapshot) -> dict[str, str]:
    """How lists and truth values are written into commands, by the `.dvc/config` that goes with `dvc.yaml`."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    for file in (CONFIG, f"{CONFIG}.local"):  # the second is never in a commit
        with suppress(configparser.Error):
            config.read_string((snapshot.read(file) or b"").decode("utf-8", "replace"))
    return dict(config["parsing"]) if config.has_section("parsing") else {}


class _ResolverFiles:
    """The few methods of DVC's file systems that its resolver calls, over a snapshot."""

    join = staticmethod(posixpath.join)
    normpath = staticmethod(posixpath.normpath)
    relpath = staticmethod(posixpath.relpath)

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def suffix(self, path: str) -> str:
        return posixpath.splitext(path)[1]

    def exists(self, path: str) -> bool:
        return self._snapshot.read(path) is not None or self.isdir(path)

    def isdir(self, path: str) -> bool:
        return bool(self._snapshot.files(path))

    def open(self, path: str, mode: str = "r", encoding: str = "utf-8") -> io.IOBase:
        content = self._snapshot.read(path)
        if content is None:
            raise FileNotFoundError(path)
        return io.BytesIO(content) if "b" in mode else io.StringIO(content.decode(encoding))


def _stage(name: str, data: Mapping[str, Any], folder: str) -> Stage:
    wdir = posixpath.join(folder, data.get("wdir") or "")
    outs: dict[str, str] = {}
    uncached: set[str] = set()
    for kind in ("outs", "metrics", "plots"):
        for path, options in map(_item, data.get(kind) or []):
            outs[path] = _place(wdir, path)
            if options.get("cache") is False:
                uncached.add(outs[path])
    deps = {path: _place(wdir, path) for path, _ in map(_item, data.get("deps") or [])}
    return Stage(
        name=_address(folder, name),
        cmd=data.get("cmd"),
        deps=deps,
        outs=outs,
        params=_params(data.get("params") or []),
        uncached=frozenset(uncached),
        frozen=bool(data.get("frozen")),
        wdir=wdir,
        folder=folder,
    )


def _item(item: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(item, dict):
        ((path, options),) = item.items()
        return str(path), options or {}
    return str(item), {}


def _params(items: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    """The keys of each file of parameters; none where it is the whole file, which one entry without keys makes of it."""
    params: dict[str, tuple[str, ...]] = {}
    whole: set[str] = set()
    for item in items:
        for file, keys in item.items() if isinstance(item, dict) else [(PARAMS, [item])]:
            params[file] = (*params.get(file, ()), *map(str, keys or ()))
            whole |= set() if keys else {file}
    return {file: () if file in whole else keys for file, keys in params.items()}


def _place(wdir: str, path: str) -> str:
    return path if "://" in path else posixpath.normpath(posixpath.join(wdir, path))


def _upwards(path: str) -> Iterator[str]:
    while path and path != "/":
        yield path
        path = path.rpartition("/")[0]


# --- is the snapshot what the lock recorded? --------------------------------------------------------------------------


class Comparison:
    """The files of a snapshot against a lock, stage by stage."""

    def __init__(self, snapshot: Snapshot, pipeline: Pipeline) -> None:
        self.snapshot = snapshot
        self.pipeline = pipeline
        self._ignore = DvcIgnore(snapshot)
        self._folders: dict[str, str | None] = {}

    def stale(self, stages: Iterable[str]) -> Iterator[Difference]:
        """Where DVC would run a stage again: command, dependencies, parameters, outputs that Git keeps."""
        for name in stages:
            stage, locked = self.pipeline.stages[name], self.pipeline.locked.get(name)
            if locked is None:
                yield Difference(name, "is not in dvc.lock", stage.lock)
                continue
            yield from self._command(stage, locked)
            if not stage.frozen:
                yield from self._dependencies(stage, locked, intermediate=True)
                yield from self._parameters(stage, locked)
            yield from self._outputs(stage, locked)

    def sources(self, stages: Iterable[str], declared: Mapping[str, Stage]) -> Iterator[Difference]:
        """Where the code, the parameters or the data pointers are not those that the stages ran with.

        Args:
            declared: the stages of the `dvc.yaml` beside the lock; what they name is asked of the snapshot too.
        """
        made = {place for stage in declared.values() for place in stage.outs.values()}
        for name in stages:
            stage, locked = self.pipeline.stages.get(name), self.pipeline.locked.get(name)
            if stage is None:
                yield Difference(name, "is not in dvc.yaml", PIPELINE)
            elif locked is not None:
                yield from self._command(stage, locked)
                wider = _widened(stage, declared.get(name), locked)
                # What the stages made in between is none of the commit's, but what its own dvc.yaml calls an output may be.
                between = {written for written, path in wider.deps.items() if made.intersection(_upwards(path))}
                wider = replace(wider, deps={written: path for written, path in wider.deps.items() if written not in between})
                yield from self._dependencies(wider, locked, intermediate=False)
                yield from self._parameters(wider, locked)

    def _command(self, stage: Stage, locked: Locked) -> Iterator[Difference]:
        if stage.cmd != locked.cmd:
            yield Difference(stage.name, "ran another command", stage.file, locked.cmd, stage.cmd)

    def _dependencies(self, stage: Stage, locked: Locked, *, intermediate: bool) -> Iterator[Difference]:
        for written, path in stage.deps.items():
            if "://" in path:
                continue
            made_here = intermediate and self.pipeline.producer(path) is not None
            recorded = locked.deps.get(written)
            if recorded is None:
                yield Difference(stage.name, "did not depend on it when it ran", path)
                continue
            actual = self._made(path) if made_here else self._source(path)
            if actual is None:
                yield Difference(stage.name, "depends on it, and it is not there", path, recorded.md5)
            elif actual not in ("", recorded.md5):
                yield Difference(stage.name, self._why(path), path, recorded.md5, actual)

    def _why(self, path: str) -> str:
        names = self.snapshot.files(path)
        if names and self.snapshot.read(path) is None:
            return f"ran with another content of the folder (it now holds {len(names)} files: {_some(names)})"
        return "ran with another content"

    def _made(self, path: str) -> str | None:
        """The hash of an intermediate file, as it lies there or as recorded; empty where nothing here tells it."""
        lies_there = self._lying(path)
        if lies_there is not None:
            return lies_there
        in_git = None if self.snapshot.on_disk else self.snapshot.md5(path)
        if in_git is not None:
            return in_git  # whatever dvc.yaml calls it, this is what a checkout brings
        if not any(self.pipeline.is_cached(place) for place in _upwards(path)):
            return self.snapshot.md5(path) or self._folder(path)  # an output that Git keeps
        exact = self.pipeline.output(path)
        if exact or path in self.pipeline.producers:
            return exact.md5 if exact else ""  # of a stage that never ran, which is said of that stage
        return self._kept_inside(path, {place: found.md5 for place, found in self._recorded_outputs()})

    def _source(self, path: str) -> str | None:
        """The hash of a file or folder that a person made: by Git's content, else by its DVC pointer."""
        lies_there = self._lying(path)
        if lies_there is not None:
            return lies_there
        pointed = {place: md5 for place, md5 in self._pointers(path) if place in (path, *_upwards(path))}
        if path in pointed:
            return pointed[path]
        if pointed:
            return self._kept_inside(path, pointed)
        found = self.snapshot.md5(path)
        return found if found is not None else self._folder(path)

    def _lying(self, path: str) -> str | None:
        """The hash of what lies on disk, which DVC compares first."""
        if not self.snapshot.on_disk:
            return None
        return self.snapshot.md5(path) or (self._folder(path) if self.snapshot.files(path) else None)

    def _pointers(self, path: str) -> Iterator[tuple[str, str]]:
        """What the `.dvc` files beside a path and above it say: place and hash."""
        for place in _upwards(path):
            content = self.snapshot.yaml(f"{place}.dvc")
            if content is not None:
                yield from _pointed(f"{place}.dvc", content)

    def _recorded_outputs(self) -> Iterator[tuple[str, Hash]]:
        """The outputs that DVC keeps, as the lock recorded them."""
        for path in self.pipeline.producers:
            recorded = self.pipeline.output(path)
            if recorded and self.pipeline.is_cached(path):
                yield path, recorded

    def _kept_inside(self, path: str, folders: Mapping[str, str]) -> str | None:
        """The hash of a path inside a folder that DVC keeps as a whole; empty where the folder's listing is not here."""
        folder = next((place for place in _upwards(path) if place in folders), "")
        listing = Storage(self.snapshot.repository).listing(folders.get(folder, ""))
        if listing is None:
            return ""
        name = posixpath.relpath(path, folder)
        inside = {posixpath.relpath(file, name): md5 for file, md5 in listing.items() if file.startswith(f"{name}/")}
        return listing.get(name) or (_folder_hash(inside) if inside else None)

    def _folder(self, path: str) -> str | None:
        """DVC's hash of a folder; empty where it holds a folder of DVC's whose listing is not here."""
        if path not in self._folders:  # many stages may read one folder of many files
            self._folders[path] = self._hash_of_folder(path)
        return self._folders[path]

    def _hash_of_folder(self, path: str) -> str | None:
        entries: dict[str, str] = {}
        files = self.snapshot.files(path)
        kept = {place: found.md5 for place, found in self._recorded_outputs()}
        for file in files:
            if file.endswith(".dvc"):
                kept |= dict(_pointed(file, self.snapshot.yaml(file) or {}))
        for place, md5 in kept.items():
            if not place.startswith(f"{path}/") or (self.snapshot.on_disk and self.snapshot.files(place)):
                continue
            listing = Storage(self.snapshot.repository).listing(md5) if md5.endswith(".dir") else {"": md5}
            if listing is None:
                return ""
            entries |= {posixpath.relpath(posixpath.join(place, name), path): value for name, value in listing.items()}
        inside = len(path) + 1
        entries |= {file[inside:]: self.snapshot.md5(file) or "" for file in files if not self._ignore.hides(file)}
        return _folder_hash(entries) if entries or files else None

    def _parameters(self, stage: Stage, locked: Locked) -> Iterator[Difference]:
        for file, keys in stage.params.items():
            place = _place(stage.wdir, file)
            recorded = locked.params.get(file)
            actual = read_params(self.snapshot, place)
            if actual is None:
                yield Difference(stage.name, "takes parameters from it, and it is not there", place)
                continue
            if not keys and (recorded is None or any(_differ(recorded, actual, key) for key in {*recorded, *actual})):
                yield Difference(stage.name, "ran with other parameters", place)
            for key in keys:
                known, now = (recorded or {}).get(key, _MISSING), lookup(actual, key)
                if known is _MISSING and now is _MISSING:
                    yield Difference(stage.name, f"takes the parameter {key}, which is not there", place)
                elif not _is_equal(known, now):
                    yield Difference(stage.name, f"ran with another {key}", place, _shown(known), _shown(now))

    def _outputs(self, stage: Stage, locked: Locked) -> Iterator[Difference]:
        for written, path in stage.outs.items():
            recorded = locked.outs.get(written)
            if recorded is None or not (recorded.md5 or "://" in path):
                yield Difference(stage.name, "did not make it when it ran", path)
            elif path in stage.uncached and "://" not in path:
                actual = self.snapshot.md5(path) or self._folder(path)
                if actual is None:
                    yield Difference(stage.name, "made it, and Git does not hold it", path, recorded.md5)
                elif actual != recorded.md5:
                    yield Difference(stage.name, "made another content", path, recorded.md5, actual)

    # --- what `dvc status` does not look at ---

    def contradictions(self, stages: Iterable[str]) -> Iterator[Difference]:
        """Where the lock says two things of one content, or another size than the content has: DVC compares hashes only."""
        known: dict[str, tuple[str, Hash]] = {}
        told: set[str] = set()  # once for each content
        for name in stages:
            stage, locked = self.pipeline.stages[name], self.pipeline.locked.get(name)
            for path, recorded in _recorded(stage, locked) if locked else ():
                if path in stage.outs.values() and recorded.by_dvc_2:
                    yield Difference(
                        name, "made it under DVC 2, and DVC 3 looks for it under another name (no `hash: md5`)", path
                    )
                for where, other in (*self._held(path, recorded), known.setdefault(recorded.md5, (f"stage {name}", recorded))):
                    if recorded.md5 == other.md5 not in {"", *told} and not _agree(recorded, other):
                        told.add(recorded.md5)
                        what = f"recorded {_extent(recorded)} of it, {where} says {_extent(other)} of the same content"
                        yield Difference(name, what, path)

    def _held(self, path: str, recorded: Hash) -> Iterator[tuple[str, Hash]]:
        """What a `.dvc` file says of a path, and how large the file is that Git holds."""
        pointer = f"{path}.dvc"
        for out in (self.snapshot.yaml(pointer) or {}).get("outs") or ():
            if path == _place(posixpath.dirname(pointer), out["path"]):
                yield pointer, _hash(out)
        if not self.snapshot.on_disk and recorded.size is not None:
            content = self.snapshot.read(path)
            if content is not None and len(content) != recorded.size:
                yield "Git", Hash(self.snapshot.md5(path) or "", len(content))


def _recorded(stage: Stage, locked: Locked) -> Iterator[tuple[str, Hash]]:
    for places, hashes in ((stage.deps, locked.deps), (stage.outs, locked.outs)):
        yield from ((path, hashes[written]) for written, path in places.items() if written in hashes)


def _agree(one: Hash, other: Hash) -> bool:
    if one.by_dvc_2 or other.by_dvc_2:  # its hash leaves out what ends a line
        return True
    pairs = ((one.size, other.size), (one.nfiles, other.nfiles))
    return all(left == right for left, right in pairs if left is not None and right is not None)


def _extent(recorded: Hash) -> str:
    files = f" in {recorded.nfiles} files" if recorded.nfiles is not None else ""
    return f"{recorded.size} bytes{files}"


def _widened(stage: Stage, other: Stage | None, locked: Locked) -> Stage:
    """A stage that also has those dependencies and parameters of another that the lock recorded."""
    if other is None:
        return stage
    params = dict(stage.params)
    for file, keys in other.params.items():
        recorded = tuple(key for key in keys if key in locked.params.get(file, {}))
        if recorded and params.get(file) != ():  # without keys it is the whole file
            params[file] = tuple(dict.fromkeys((*params.get(file, ()), *recorded)))
    deps = {written: path for written, path in other.deps.items() if written in locked.deps}
    return replace(stage, deps={**deps, **stage.deps}, params=params)


_MISSING: Any = object()
_INDEX = re.compile(r"-?\d{1,9}")


def _differ(recorded: Mapping[str, Any], actual: Mapping[str, Any], key: str) -> bool:
    return not _is_equal(recorded.get(key, _MISSING), actual.get(key, _MISSING))


def _is_equal(known: Any, now: Any) -> bool:
    # A tuple of a Python file is a list in YAML; NaN equals nothing.
    return bool(known == (list(now) if isinstance(now, tuple) else now)) and known is not _MISSING


def _pointed(pointer: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Place and hash of what a `.dvc` file stands for."""
    try:
        wdir = posixpath.join(posixpath.dirname(pointer), content.get("wdir") or "")
        for out in content.get("outs") or []:
            if not out["path"] or not (out.get("md5") or "deps" in content or _ELSEWHERE & out.keys()):
                raise KeyError("md5")  # DVC takes it for changed data; of an import, `deps` say what it is
            yield _place(wdir, _sound(out)["path"]), str(out.get("md5") or "")
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Malformed(f"{pointer} is no pointer that DVC reads", f"git checkout HEAD -- {pointer}") from None


def _folder_hash(entries: Mapping[str, str]) -> str:
    """DVC's hash of a folder: the MD5 of the sorted list of its files' hashes."""
    listing = json.dumps([{"md5": entries[name], "relpath": name} for name in sorted(entries)])
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def _nest(target: dict[str, Any], key: str, value: Any) -> None:
    *above, last = key.split(".")
    for part in above:
        target = target.setdefault(part, {})
    if isinstance(value, dict) and isinstance(target.get(last), dict):
        target[last].update(_plain(value))
    else:
        target[last] = _plain(value)


def _plain(value: Any) -> Any:
    """A value as JSON has it: YAML knows dates, which JSON writes as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value


def _shown(value: Any) -> Any:
    return None if value is _MISSING else value


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def lookup(values: Any, key: str) -> Any:
    """The value under a dotted key (`train.C`, `layers.0`), or a mark that compares unequal to every value."""
    for part in key.split("."):
        if isinstance(values, Mapping):  # a key may be a number, which `params` can only name as a text
            values = next((value for known, value in values.items() if str(known) == part), _MISSING)
        elif isinstance(values, list | tuple) and _INDEX.fullmatch(part) and -len(values) <= int(part) < len(values):
            values = values[int(part)]
        else:
            return _MISSING
    return values


def read_params(snapshot: Snapshot, path: str) -> dict[str, Any] | None:
    """The parameters in a YAML, JSON, TOML or Python file, or None where there is no such file.

    Raises:
        Malformed: the file cannot be read.
    """
    content = snapshot.read(path)
    if content is None:
        return None
    suffix = posixpath.splitext(path)[1].lower()
    try:
        if suffix == ".json":
            loaded = load_json(content)
        elif suffix == ".toml":
            loaded = tomllib.loads(content.decode("utf-8"))
        elif suffix == ".py":
            loaded = _load_py(content.decode("utf-8"), path)
        else:
            return snapshot.yaml(path)
    except (Malformed, ValueError) as error:
        raise Malformed(f"{path} {error}") from None
    return loaded if isinstance(loaded, dict) else {}


def _load_py(text: str, path: str) -> Any:
    from dvc.utils.serialize import ParseError, parse_py

    try:
        return parse_py(text, path)
    except ParseError as error:
        raise Malformed(f"is not Python: {error.__cause__ or error}") from None
