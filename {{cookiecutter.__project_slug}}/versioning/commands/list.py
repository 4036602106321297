"""The releases of this clone, newest first."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from .. import policy, releases
from .. import sidecar as sidecars
from ..documents import load_json
from ..errors import Malformed
from ..git import Repository
from ..releases import Release
from ..snapshot import CommitSnapshot, DiskSnapshot

EXAMPLE = "model list --json"
_COLUMNS = ("version", "released", "commit", "data", "metrics", "by", "waived")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model list`."""
    parser.add_argument("--json", action="store_true", help="for machines")


def list(arguments: argparse.Namespace) -> int:
    """Print a line a release."""
    with Repository.discover() as repository:
        rows = [*_rows(repository, releases.find(repository))][::-1]
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if not rows:
        print('no releases yet: git tag -a v0.1.0 -m "First release"')
        return 0
    table = [_COLUMNS, *(_cells(row) for row in rows)]
    _print_table(table if any(row["waived"] for row in rows) else [cells[:-1] for cells in table])
    return 0


def _rows(repository: Repository, known: Sequence[Release]) -> Iterator[dict[str, Any]]:
    """A row a release."""
    usual = ""
    with suppress(Malformed):
        usual = policy.load(DiskSnapshot(repository)).model
    facts = _Facts(repository)
    said = facts.of([(release, sidecars.path_of(release.model or usual)) for release in known])
    waived = _waived(repository, known, [one["policy"] for one in said])
    for release, one, rules in zip(known, said, waived, strict=True):
        yield _row(release, one, rules)


class _Facts:
    """What releases say of themselves, kept in the common Git directory by commit, whose content never changes.

    Git is asked at once for all that are not known yet, since there may be thousands.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._file = repository.common_dir / "model-gate" / "list.json"

    def of(self, wanted: Sequence[tuple[Release, str]]) -> Sequence[dict[str, Any]]:
        """A few fields of each sidecar, and the object id of the policy beside it."""
        known = self._read()
        new = [(release, path) for release, path in wanted if f"{release.commit}:{path}" not in known]
        if new:
            written = self._repository.cat_many([f"{release.commit}:{path}" for release, path in new])
            rules = self._repository.cat_many([f"{release.commit}:{policy.FILE}" for release, _ in new], ids_only=True)
            for (release, path), content, oid in zip(new, written, rules, strict=True):
                facts = _facts(_sidecar(self._repository, release, content))
                known[f"{release.commit}:{path}"] = facts | {"policy": (oid or b"").decode()}
            self._keep(known)
        return [known[f"{release.commit}:{path}"] for release, path in wanted]

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        whole = isinstance(known, dict) and all(isinstance(one, dict) and "policy" in one for one in known.values())
        return known if whole else {}

    def _keep(self, known: dict[str, Any]) -> None:
        with suppress(OSError):  # only a shortcut: the next run asks again
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            draft.write_text(json.dumps(known), "utf-8")
            draft.replace(self._file)


def _facts(content: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": content.get("model_name"),
        "data_id": content.get("data_id"),
        "metrics": content.get("metrics", {}),
        "sha256": sidecars.field(content, "artifact", "sha256"),
    }


def _sidecar(repository: Repository, release: Release, written: bytes | None) -> dict[str, Any]:
    """What a release says of itself; empty where that cannot be read."""
    with suppress(Malformed):
        if written is not None:
            content = load_json(written)
            return content if isinstance(content, dict) else {}
        if release.model is None:  # from before the model got its name
            snapshot = CommitSnapshot(repository, release.commit)
            return next((snapshot.json(found) or {} for found in sidecars.find(snapshot)), {})
    return {}


def _waived(repository: Repository, known: Sequence[Release], policies: Sequence[str]) -> Iterator[Sequence[str]]:
    """The rules that were let pass for each release, by its own commit and by what was recorded since."""
    head = repository.head()
    since = _waivers(CommitSnapshot(repository, head)) if head else ()
    by_policy: dict[str, Sequence[policy.Waiver]] = {}
    for release, oid in zip(known, policies, strict=True):
        if oid not in by_policy:  # of thousands of releases, a few
            by_policy[oid] = _waivers(CommitSnapshot(repository, release.commit))
        found = dict.fromkeys((*by_policy[oid], *since))
        yield [waiver.rule for waiver in found if waiver.version == release.tag]


def _waivers(snapshot: CommitSnapshot) -> Sequence[policy.Waiver]:
    try:
        return policy.load(snapshot).waivers
    except Malformed:  # which its judgement says
        return ()


def _row(release: Release, said: dict[str, Any], waived: Sequence[str]) -> dict[str, Any]:
    return {
        "tag": release.tag,
        "version": str(release.version),
        "model": said["model"] or release.model,
        "released_at": release.date,
        "released_by": release.by,
        "annotated": release.annotated,
        "commit": release.commit,
        "data_id": said["data_id"],
        "metrics": said["metrics"],
        "sha256": said["sha256"],
        "waived": waived,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    metrics = row["metrics"] if isinstance(row["metrics"], dict) else {}
    shown = " ".join(f"{name}={value}" for name, value in [*metrics.items()][:2] if not isinstance(value, dict))
    data = row["data_id"]
    return (
        row["tag"],
        row["released_at"][:10],
        row["commit"][:7],
        data if isinstance(data, str) else "-",
        shown or "-",
        row["released_by"],
        " ".join(row["waived"]),
    )


def _print_table(rows: Any) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
