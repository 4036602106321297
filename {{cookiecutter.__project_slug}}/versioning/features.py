"""The feature spec of a model: what it takes and gives, and whether a later one still serves the same callers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import pipeline as dvc
from . import sidecar as sidecars
from .documents import load_json
from .errors import Malformed
from .git import Repository
from .releases import Release
from .snapshot import CommitSnapshot, Snapshot
from .storage import Storage


@dataclass(frozen=True)
class Change:
    """One point in which a spec differs from an earlier one, and whether a call of the earlier model fails or means less."""

    what: str
    breaks: bool
    before: Any = None
    now: Any = None

    def __str__(self) -> str:
        return self.what


def read(place: Path) -> dict[str, Any]:
    """The spec in a file; empty where it is in another form than `featurize` writes, and so says nothing of inputs."""
    try:
        content = load_json(place.read_bytes())
    except (Malformed, OSError):
        return {}
    return content if isinstance(content, dict) and isinstance(content.get("features"), list) else {}


def at_release(repository: Repository, storage: Storage, release: Release, model: str) -> dict[str, Any] | None:
    """The spec that a release was made with, where its bytes are on this machine."""
    return at_commit(CommitSnapshot(repository, release.commit), storage, sidecars.features_of(model))


def at_commit(snapshot: Snapshot, storage: Storage, path: str) -> dict[str, Any] | None:
    """The spec that the lock of a snapshot records, where its bytes are on this machine."""
    try:
        recorded = dvc.load(snapshot).output(path)
    except Malformed:
        return None
    place = storage.find(recorded.md5) if recorded else None
    return read(place) if place else None


def compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """What changed for callers, in the order of the earlier spec; what is new comes last."""
    if not before:
        return  # nothing is known that a caller could rely on
    if not now:
        yield Change("the feature spec no longer says what the model takes (a list under features)", True)
        return
    had, has = _by_name(before), _by_name(now)
    for name, feature in had.items():
        if name not in has:
            yield Change(f"the input {name} is gone", True, name, None)
            continue
        yield from _compare_one(name, feature, has[name])
    for key in ("task", "target"):
        if before.get(key) != now.get(key):
            yield Change(f"the {key} was {before.get(key)} and is {now.get(key)}", True, before.get(key), now.get(key))
    if _texts(before.get("classes")) != _texts(now.get("classes")):
        lost = [value for value in _texts(before.get("classes")) if value not in _texts(now.get("classes"))]
        said = f"the classes were {_some(before.get('classes'))} and are {_some(now.get('classes'))}"
        yield Change(said, bool(lost), before.get("classes"), now.get("classes"))
    for name in (name for name in has if name not in had):
        yield Change(f"the input {name} is new: callers have to send it", False, None, name)
    yield from _compare_derived(derived(before), derived(now))


def derived(spec: Mapping[str, Any]) -> dict[str, str]:
    """What the model's own code adds to the inputs, name by type. Callers do not send it."""
    return {name: str(item.get("type")) for name, item in _by_name(spec, "derived").items()}


def _compare_derived(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    """Nobody sends these, so none of it breaks a call."""
    for name, kind in before.items():
        if name not in now:
            yield Change(f"derived feature {name} is gone", False, name, None)
        elif now[name] != kind:
            yield Change(f"derived feature {name} was a {kind} and is a {now[name]}", False, kind, now[name])
    for name in (name for name in now if name not in before):
        yield Change(f"derived feature {name} is new", False, None, name)


def _compare_one(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    if before.get("type") != now.get("type"):
        was_type, is_type = before.get("type"), now.get("type")
        widened = (was_type, is_type) == ("category", "text")  # any text is taken as it is
        yield Change(f"the input {name} was a {was_type} and is a {is_type}", not widened, was_type, is_type)
        return
    for key, default in (("format", None), ("decimal", ".")):  # of a date, of a number: in another form it would count as missing
        form, is_form = before.get(key, default), now.get(key, default)
        if form != is_form:
            yield Change(f"the input {name} was written with the {key} {form} and is with {is_form}", True, form, is_form)
    was, is_now = _texts(before.get("categories")), _texts(now.get("categories"))
    lost, won = [value for value in was if value not in is_now], [value for value in is_now if value not in was]
    if lost:
        yield Change(f"the input {name} no longer knows {_some(lost)}", True, was, is_now)
    elif won:
        yield Change(f"the input {name} also knows {_some(won)}", False, was, is_now)


def _by_name(spec: Mapping[str, Any], key: str = "features") -> dict[str, Mapping[str, Any]]:
    listed = spec.get(key)
    return {str(item.get("name")): item for item in listed if isinstance(item, Mapping)} if isinstance(listed, list) else {}


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []


def _some(values: Any, most: int = 5) -> str:
    texts = _texts(values)
    return (", ".join(f"«{text}»" for text in texts[:most]) + (" …" if len(texts) > most else "")) or "none"
