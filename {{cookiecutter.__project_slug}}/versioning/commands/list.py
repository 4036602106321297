"""The releases of this clone, newest first."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .. import policy, releases
from .. import sidecar as sidecars
from ..errors import Malformed
from ..git import Repository
from ..snapshot import CommitSnapshot

EXAMPLE = "model list --json"
_COLUMNS = ("version", "released", "commit", "data", "metrics", "by", "waived")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model list`."""
    parser.add_argument("--json", action="store_true", help="for machines")


def list(arguments: argparse.Namespace) -> int:
    """Print a line a release."""
    with Repository.discover() as repository:
        rows = [_row(repository, release) for release in reversed(releases.find(repository))]
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if not rows:
        print('no releases yet: git tag -a v0.1.0 -m "First release"')
        return 0
    table = [_COLUMNS, *(_cells(row) for row in rows)]
    _print_table(table if any(row["waived"] for row in rows) else [cells[:-1] for cells in table])
    return 0


def _row(repository: Repository, release: releases.Release) -> dict[str, Any]:
    found = [sidecars.path_of(release.model)] if release.model else sidecars.find(CommitSnapshot(repository, release.commit))
    content: dict[str, Any] = {}
    for path in found[:1]:
        try:
            content = CommitSnapshot(repository, release.commit).json(path) or {}
        except Malformed:
            content = {}
    return {
        "tag": release.tag,
        "version": str(release.version),
        "model": content.get("model_name", release.model),
        "released_at": release.date,
        "released_by": release.by,
        "annotated": release.annotated,
        "commit": release.commit,
        "data_id": content.get("data_id"),
        "metrics": content.get("metrics", {}),
        "sha256": sidecars.field(content, "artifact", "sha256"),
        "waived": [waiver.rule for waiver in policy.recorded_waivers(repository, release.commit, release.tag)],
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    metrics = row["metrics"] if isinstance(row["metrics"], dict) else {}
    shown = " ".join(f"{name}={value}" for name, value in [*metrics.items()][:2] if not isinstance(value, dict))
    return (
        row["tag"],
        row["released_at"][:10],
        row["commit"][:7],
        row["data_id"] or "-",
        shown or "-",
        row["released_by"],
        " ".join(row["waived"]),
    )


def _print_table(rows: Any) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
