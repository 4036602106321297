"""One release, whole: what it is, what made it, whether anything contradicts it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from .. import judge, policy, releases
from .. import sidecar as sidecars
from ..checks.base import program
from ..errors import UsageError
from ..findings import Report
from ..git import Repository
from ..names import VERSION
from ..snapshot import CommitSnapshot

EXAMPLE = "model show v0.1.0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model show`."""
    parser.add_argument("version", metavar="V", help="a release: v0.1.0, churn/v0.1.0, tag:v0.1.0, commit:abc123")
    parser.add_argument("--json", action="store_true", help="for machines")


def show(arguments: argparse.Namespace) -> int:
    """Print the release and its sidecar."""
    with Repository.discover() as repository:
        release = find(repository, arguments.version)
        snapshot = CommitSnapshot(repository, release.commit)
        paths = [sidecars.path_of(release.model)] if release.model else sidecars.find(snapshot)
        content = (snapshot.json(paths[0]) if paths else None) or {}
        report = judge.tagged(repository, release.tag, release.oid) or Report([])
        waivers = policy.recorded_waivers(repository, release.commit, release.tag)
    summary: dict[str, Any] = {
        "tag": release.tag,
        "commit": release.commit,
        "released_at": release.date,
        "released_by": release.by,
        "annotated": release.annotated,
        "findings": [f"{found.code} {found.message}" for found in report.findings],
        "waived": [f"{one.rule} until {one.until} by {one.by}: {one.reason}" for one in waivers],
        "sidecar": content,
    }
    if arguments.json:
        print(json.dumps(summary, indent=2, ensure_ascii=False))
        return 0
    for key, value in _lines({**summary, "sidecar": None, "findings": None, "waived": None} | content):
        print(f"{key:<28} {value}")
    if summary["waived"]:
        print(f"{'waived':<28} {'; '.join(summary['waived'])}")
    print(f"{'contradicted by':<28} {'; '.join(summary['findings']) or 'nothing'}")
    return 0


def find(repository: Repository, name: str) -> releases.Release:
    """The release of a version, a tag or a commit; `v1.2.0-prod` means v1.2.0.

    Raises:
        UsageError: there is none.
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
    if not found:
        there = ", ".join(release.tag for release in known[-5:]) or "none yet"
        raise UsageError(f"there is no release {name!r} here; the latest are: {there}", "git fetch --tags")
    if len({release.model for release in found}) > 1:
        tags = " and ".join(release.tag for release in found)
        raise UsageError(f"{name!r} could be any of {tags}", f"{program()} show {found[0].tag}")
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
            yield f"{prefix}{key}", str(value)
