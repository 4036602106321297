"""Releases, revisions and the working tree side by side: what each says of parameters, metrics, features, data, code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import features, judge, policy
from . import pipeline as dvc
from . import sidecar as sidecars
from .checks.base import program
from .documents import ABSENT, equal
from .errors import Malformed, UsageError
from .git import Repository
from .policy import Policy
from .releases import Release
from .snapshot import DiskSnapshot, Snapshot
from .storage import Storage

SECTIONS = ("release", "parameters", "metrics", "features", "data", "environment", "packages", "code")
#: A package of a lock file; what follows its version (hashes, markers) is not the package.
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Side:
    """One of the things that stand side by side."""

    name: str
    model: str
    snapshot: Snapshot
    rules: Policy
    sidecar: Mapping[str, Any]
    #: Why there is no sidecar to speak of, or why it says something older than the files.
    notes: Sequence[str] = ()
    release: Release | None = None
    #: What only a release has: who released it and when, what contradicts it.
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One point, and what each side says of it (ABSENT where it says nothing)."""

    section: str
    what: str
    values: tuple[Any, ...]
    #: Of two numbers: the change, and whether a threshold tells that it is for the better.
    change: str = ""

    @property
    def differs(self) -> bool:
        """Whether the sides disagree."""
        return any(not equal(self.values[0], value) for value in self.values[1:])


@dataclass(frozen=True)
class Table:
    """All sides, row by row."""

    sides: Sequence[Side]
    rows: Sequence[Row]
    notes: Sequence[str]

    def as_data(self, *, every: bool = True) -> dict[str, Any]:
        """For machines: whole values, by section."""
        names = [side.name for side in self.sides]
        sections: dict[str, Any] = {section: {} for section in SECTIONS}
        for row in self.rows:
            if every or row.differs:
                said = zip(names, row.values, strict=True)
                sections[row.section][row.what] = {name: value for name, value in said if value is not ABSENT}
        return {"sides": names, **sections, "notes": [*self.notes]}


def side(snapshot: Snapshot, name: str, model: str, release: Release | None = None) -> Side:
    """What a snapshot says of a model; what cannot be read is a note, and never the end of the comparison."""
    notes: list[str] = []
    try:
        rules = policy.load(snapshot)
    except Malformed as error:
        rules = Policy()
        notes.append(f"{name}: {error}")
    path, content = sidecars.path_of(model), None
    try:
        content = snapshot.json(path)
        if content is None:
            notes.append(f"{name} has no sidecar {path}")
    except Malformed as error:
        notes.append(f"{name}: {error}")
    rules = rules.of(model)
    if content and isinstance(snapshot, DiskSnapshot):
        notes += _older(snapshot, rules, model, content)
    return Side(name, model, snapshot, rules, content or {}, notes, release)


def _older(disk: DiskSnapshot, rules: Policy, model: str, content: Mapping[str, Any]) -> Iterator[str]:
    """What the pipeline would make anew: the sidecar on disk speaks of the model on disk, not of edits since."""
    try:
        pipeline = dvc.load(disk)
        stages = sidecars.claimed_stages(pipeline, str(sidecars.field(content, "artifact", "path")), rules, model)
        changed = dict.fromkeys(one.path for one in dvc.Comparison(disk, pipeline).stale(stages))
    except Malformed as error:
        yield f"working tree: {error}"
        return
    if changed:
        shown = ", ".join([*changed][:3]) + (" …" if len(changed) > 3 else "")
        yield f"the model in the working tree was made before {shown} changed: dvc repro"


def model_of(repository: Repository, snapshot: Snapshot, wanted: str = "") -> str:
    """The model that a comparison is about: the one named, the only one, or the one of the policy."""
    if wanted:
        return judge.known_model(snapshot, wanted)
    known = judge.models(snapshot)
    try:
        named = policy.load(snapshot).model
    except Malformed:
        named = ""
    if len(known) > 1 and named not in known:
        raise UsageError(f"there are several models: {', '.join(known)}", f"{program()} diff --model {known[0]} V1 V2")
    here = judge.models(DiskSnapshot(repository)) if not known and not named else []
    return named if named in known or not known else known[0] if known else (here[0] if here else "")


def of(repository: Repository, sides: Sequence[Side]) -> Table:
    """Everything that the sides say, a row a point."""
    notes: list[str] = []
    rows = [
        *_release(sides),
        *_section("parameters", [_flat(side.sidecar.get("hyperparameters")) for side in sides]),
        *_metrics(sides),
        *_features(repository, sides, notes),
        *_section("data", [_data(side) for side in sides]),
        *_section("environment", [_flat(side.sidecar.get("environment")) for side in sides]),
        *_packages(sides, notes),
        *_code(repository, sides),
    ]
    return Table(sides, rows, [*(note for one in sides for note in one.notes), *notes])


def _section(section: str, flat: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for what in dict.fromkeys(key for content in flat for key in content):
        yield Row(section, what, tuple(content.get(what, ABSENT) for content in flat))


def _release(sides: Sequence[Side]) -> Iterator[Row]:
    keys = ("version", "commit", "stage", "team", "created_by", "created_at")
    said = [{key: side.sidecar[key] for key in keys if key in side.sidecar} for side in sides]
    artifact = [_flat(side.sidecar.get("artifact"), "artifact.") for side in sides]
    about = [side.about for side in sides]
    yield from _section("release", [{**one, **two, **three} for one, two, three in zip(about, said, artifact, strict=True)])
    rest = [{key: side.sidecar[key] for key in ("seed", "tags", "extra") if key in side.sidecar} for side in sides]
    yield from _section("release", [_flat(one) for one in rest])


def _flat(content: Any, prefix: str = "") -> dict[str, Any]:
    """The leaves of nested mappings by their dotted names."""
    found: dict[str, Any] = {}
    for key, value in content.items() if isinstance(content, Mapping) else ():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        elif value is not None:
            found[f"{prefix}{key}"] = value
    return found


def _metrics(sides: Sequence[Side]) -> Iterator[Row]:
    for row in _section("metrics", [_flat(side.sidecar.get("metrics")) for side in sides]):
        change = _change(row, sides[-1].rules) if len(sides) == 2 else ""
        yield Row(row.section, row.what, row.values, change)


def _change(row: Row, rules: Policy) -> str:
    """How much a number moved; for the better or the worse only where a threshold says which way that is."""
    before, now = row.values
    if not _is_number(before) or not _is_number(now) or equal(before, now):
        return ""
    moved = now - before
    # Six digits that tell something, and no exponent: the columns stay comparable by eye.
    said = f"{moved:+d}" if isinstance(moved, int) else f"{Decimal(f'{moved:.6g}'):+f}"
    known = next((one for one in rules.thresholds if one.metric == row.what), None)
    if known is None or (known.least is None) == (known.most is None) or not moved:
        return said
    return f"{said} {'better' if (moved > 0) == (known.least is not None) else 'worse'}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _data(one: Side) -> dict[str, Any]:
    found = {"id": one.sidecar["data_id"]} if "data_id" in one.sidecar else {}
    found |= _flat(one.sidecar.get("data"))
    return found | _flat(one.sidecar.get("evaluation_data"), "evaluation ")


# --- features ---------------------------------------------------------------------------------------------------------


def _features(repository: Repository, sides: Sequence[Side], notes: list[str]) -> Iterator[Row]:
    digests = [_flat(one.sidecar.get("features")) for one in sides]
    specs = [_spec(repository, one, notes) for one in sides]
    shown = [_described(spec) for spec in specs]
    for what in dict.fromkeys(name for content in shown for name in content):
        values = tuple(ABSENT if spec is None else content.get(what, ABSENT) for spec, content in zip(specs, shown, strict=True))
        yield Row("features", what, values)
    yield from _section("features", digests)
    if len(sides) == 2 and specs[0] is not None and specs[1] is not None:
        changes = features.compare(specs[0], specs[1])
        notes += [f"{change}{f', which breaks callers of {sides[0].name}' if change.breaks else ''}" for change in changes]


def _spec(repository: Repository, one: Side, notes: list[str]) -> dict[str, Any] | None:
    """The feature spec of a side; None, with a note, where its bytes are not on this machine."""
    path = sidecars.features_of(one.model)
    if not isinstance(one.snapshot, DiskSnapshot):
        spec = features.at_commit(one.snapshot, Storage(repository), path)
        if spec is None and one.sidecar:
            commit = one.release.tag if one.release else str(one.snapshot.commit)
            notes.append(f"the features of {one.name} are not here: {_fetch(repository, commit, path)}")
        return spec
    if not one.snapshot.path(path).is_file():
        notes.append(f"the features of {one.name} are not here: dvc pull {path}")
        return None
    return features.read(one.snapshot.path(path))


def _fetch(repository: Repository, revision: str, path: str) -> str:
    if repository.resolve(f"refs/tags/{revision}"):
        return f"dvc fetch --all-tags {path}"
    return f"dvc fetch --all-commits {path}"


def _described(spec: Mapping[str, Any] | None) -> dict[str, Any]:
    """Each input with its type, and what it knows; what is derived from them; task, target and classes."""
    found: dict[str, Any] = {}
    for item in (spec or {}).get("features") or []:
        if isinstance(item, Mapping):
            known = item.get("categories")
            text = f"{item.get('type')}" + (f": {', '.join(map(str, known))}" if isinstance(known, list) else "")
            found[str(item.get("name"))] = text
    found |= {f"derived {name}": kind for name, kind in features.derived(spec or {}).items()}
    for key in ("task", "target", "classes"):
        value = (spec or {}).get(key)
        if value is not None:
            found[f"({key})"] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return found


# --- packages ---------------------------------------------------------------------------------------------------------


def _packages(sides: Sequence[Side], notes: list[str]) -> Iterator[Row]:
    pinned = []
    for one in sides:
        content = one.snapshot.read(one.rules.environment)
        if content is None and one.sidecar:
            notes.append(f"{one.name} has no {one.rules.environment}")
        pinned.append(packages(content or b""))
    names = sorted({name for each in pinned for name in each})
    for name in names:
        yield Row("packages", name, tuple(each.get(name, ABSENT) for each in pinned))


def packages(lock: bytes) -> dict[str, str]:
    """The version of each package that a lock file pins, by its name as indexes compare names."""
    found = _PINNED.findall(lock.decode("utf-8", "replace"))
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


# --- code -------------------------------------------------------------------------------------------------------------


def _code(repository: Repository, sides: Sequence[Side]) -> Iterator[Row]:
    """Between each side and the first: commits and changed lines of what the stages take from Git, and their pipeline."""
    first = sides[0]
    if first.snapshot.commit is None:
        return
    changed: list[dict[str, str]] = [{}]
    counts: list[Any] = [ABSENT]
    for other in sides[1:]:
        paths = sorted({*_declared(first), *_declared(other), dvc.PIPELINE})
        revisions = [first.snapshot.commit] + ([] if other.snapshot.on_disk else [str(other.snapshot.commit)])
        if first.snapshot.on_disk:
            revisions = ["-R", *revisions[1:]]
        found = dict(_numstat(repository.run("diff", "--numstat", "-z", "--no-renames", *revisions, "--", *paths)))
        if first.snapshot.on_disk or other.snapshot.on_disk:
            listed = repository.run("ls-files", "-z", "--others", "--exclude-standard", "--", *paths).split("\0")
            found |= {path: "untracked" for path in listed if path}
        changed.append(found)
        span = f"{first.snapshot.commit}...{other.snapshot.commit}"
        counts.append(repository.run("rev-list", "--left-right", "--count", span, check=False).split())
    yield Row("code", "commits", tuple(map(_commits, counts)))
    for path in sorted({path for each in changed for path in each}):
        yield Row("code", path, tuple(each.get(path, ABSENT) for each in changed))


def _commits(counted: Any) -> Any:
    if counted is ABSENT or not counted or counted == ["0", "0"]:
        return ABSENT
    behind, ahead = counted
    return f"{ahead} later" + (f", lacks {behind}" if behind != "0" else "")


def _declared(one: Side) -> set[str]:
    """The dependencies of the stages that no stage makes: code, mostly. Data has a section of its own."""
    try:
        pipeline = dvc.load(one.snapshot)
    except Malformed:
        return {"src"}
    behind = {path for stage in pipeline.stages.values() for path in stage.deps.values() if pipeline.producer(path) is None}
    return {path for path in behind if "://" not in path and path != one.rules.environment}


def _numstat(said: str) -> Iterator[tuple[str, str]]:
    for line in filter(None, said.split("\0")):
        added, removed, path = line.split("\t", 2)
        yield path, "binary" if added == "-" else f"+{added} -{removed}"
