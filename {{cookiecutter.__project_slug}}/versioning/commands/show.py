"""Releases, whole: what each is, what made it, whether anything contradicts it; several stand side by side."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from .. import comparison, judge, policy, releases, table
from .. import sidecar as sidecars
from ..checks.base import program
from ..errors import Malformed, UsageError
from ..findings import Report
from ..git import Repository
from ..names import VERSION
from ..snapshot import CommitSnapshot

EXAMPLE = "model show v0.1.0"
#: How wide the column of names is.
_NAMES = 28


class _Ambiguous(UsageError):
    """A name that several releases have."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model show`."""
    parser.add_argument("version", metavar="V", nargs="+", help="a release: v0.1.0, churn/v0.1.0, tag:v0.1.0, commit:abc123")
    parser.add_argument("--model", default="", help="which of several models; default: that of the tag, else `model:`")
    parser.add_argument("--json", action="store_true", help="for machines")


def show(arguments: argparse.Namespace) -> int:
    """Print the release and its sidecar; several side by side, every row."""
    with Repository.discover() as repository:
        found = [find(repository, name, arguments.model) for name in arguments.version]
        if len(found) > 1:
            return _side_by_side(repository, found, arguments)
        release = found[0]
        snapshot = CommitSnapshot(repository, release.commit)
        model = comparison.model_of(repository, snapshot, arguments.model or release.model or "")
        content, unreadable = _sidecar(snapshot, model)
        summary = {**_summary(repository, release), "sidecar": content}
    if arguments.json:
        print(json.dumps(summary, indent=2, ensure_ascii=False))
        return 0
    # Two commits: the tag's, and the one that the sidecar says the model was trained at.
    about = {"tag": release.tag, "released_commit": release.commit} | summary
    room = max(shutil.get_terminal_size().columns - _NAMES - 1, 20)
    for key, value in _lines({**about, "commit": None, "sidecar": None, "findings": None, "waived": None} | content):
        _print(table.LABELS.get(key, key), _fitted(value, room))
    if unreadable:
        _print("sidecar", [unreadable])
    if summary["waived"]:
        _print("waived", ["; ".join(summary["waived"])])
    _print("contradicted by", ["; ".join(summary["findings"]) or "nothing"])
    return 0


def _print(name: str, lines: Sequence[str]) -> None:
    """A name, and its value beside it; below it where the name is too long."""
    if len(name) > _NAMES:
        print(name)
        name = ""
    for position, line in enumerate(lines):
        print(f"{'' if position else name:<{_NAMES}} {line}")


def _fitted(value: str, room: int) -> Sequence[str]:
    """The lines of a value; of a hash that does not fit, as much as tells it."""
    if len(value) <= room:
        return [value]
    return [value[:12]] if table.is_digest(value) else textwrap.wrap(value, room, break_on_hyphens=False)


def _sidecar(snapshot: CommitSnapshot, model: str) -> tuple[dict[str, Any], str]:
    """What it says; else why it says nothing."""
    path = sidecars.path_of(model)
    try:
        content = snapshot.json(path)
    except Malformed as error:
        return {}, str(error)
    return content or {}, "" if content is not None else f"{path} is not there"


def _summary(repository: Repository, release: releases.Release) -> dict[str, Any]:
    report = judge.tagged(repository, release.tag, release.oid) or Report([])
    waivers = policy.recorded_waivers(repository, release.commit, release.tag)
    return {
        "tag": release.tag,
        "commit": release.commit,
        "released_at": release.date,
        "released_by": release.by,
        "annotated": release.annotated,
        "findings": [f"{found.code} {found.message}" for found in report.findings],
        "waived": [f"{one.rule} until {one.until} by {one.by}: {one.reason}" for one in waivers],
    }


def _side_by_side(repository: Repository, found: list[releases.Release], arguments: argparse.Namespace) -> int:
    sides = []
    for release in found:
        snapshot = CommitSnapshot(repository, release.commit)
        model = comparison.model_of(repository, snapshot, arguments.model or release.model or "")
        said = _summary(repository, release)
        about = {
            "released_commit": release.commit,
            "released_at": said["released_at"],
            "released_by": said["released_by"],
            "waived": said["waived"],
            "contradicted by": said["findings"] or "nothing",
        }
        one = comparison.side(snapshot, release.tag, model, release)
        sides.append(dataclasses.replace(one, about={key: value for key, value in about.items() if value}))
    content = comparison.of(repository, sides)
    if arguments.json:
        print(json.dumps(content.as_data(), indent=2, ensure_ascii=False, default=str))
    else:
        print(table.render(content, every=True), end="")
    return 0


def model_named(name: str) -> str:
    """The model that stands in a release's name: `uplift/v0.1.0`."""
    kind, _, rest = name.partition(":")
    wanted = rest if kind == "tag" and rest else name
    prefix, slash, version = wanted.rpartition("/")
    return prefix if slash and (VERSION.fullmatch(version) or VERSION.fullmatch(version.rpartition("-")[0])) else ""


def is_ambiguous(error: UsageError) -> bool:
    """Whether a name meant several releases, and not none."""
    return isinstance(error, _Ambiguous)


def find(repository: Repository, name: str, model: str = "", *, verb: str = "show") -> releases.Release:
    """The release of a version, a tag or a commit; `v1.2.0-prod` means v1.2.0.

    Args:
        model: of several that have this version, the one that is asked about.

    Raises:
        UsageError: there is none, or more than one.
    """
    known = releases.find(repository)
    kind, _, rest = name.partition(":")
    wanted = rest if kind in ("tag", "commit") and rest else name
    if kind == "commit":
        commit = repository.resolve(wanted)
        found = [release for release in known if release.commit == commit]
    else:
        staged = wanted.rpartition("-")[0]
        found = _called(known, wanted)
        if not found and VERSION.fullmatch(staged.rpartition("/")[2]):
            found = _called(known, staged)
    if model:
        found = [release for release in found if release.model == model] or [one for one in found if one.model is None]
    if not found:
        there = ", ".join(release.tag for release in known[-5:]) or "none yet"
        raise UsageError(f"there is no release {name!r} here; the latest are: {there}", "git fetch --tags")
    if len({release.model for release in found}) > 1:
        tags = " and ".join(release.tag for release in found)
        raise _Ambiguous(f"{name!r} could be any of {tags}", f"{program()} {verb} {found[0].tag}")
    return found[-1]


def _called(known: list[releases.Release], name: str) -> list[releases.Release]:
    """The release whose tag has this name; else those of every model that have it as their version."""
    exact = [release for release in known if release.tag == name]
    return exact or [release for release in known if str(release.version) == name]


def _lines(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for position, item in enumerate(value):
                yield from _lines(item, f"{prefix}{key}[{position}].")
        elif value is not None:
            yield f"{prefix}{key}", ", ".join(map(str, value)) if isinstance(value, list) else str(table.minute(value))
