"""The releases of this clone, newest first."""

from __future__ import annotations

import argparse
import json
import os
import shutil
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
from ..table import minute, shortened

EXAMPLE = "model list --json"
_COLUMNS = ("version", "released", "commit", "data", "metrics", "by", "waived")
#: With the mail address or without, how many metrics, which column gives way and how far: the first form that fits is shown.
_FORMS = ((True, 2, "", 0), (False, 2, "", 0), (False, 1, "by", 8), (False, 0, "data", 12))
_GAP = "  "


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
    width = shutil.get_terminal_size().columns
    for mail, most, yielding, least in _FORMS:
        table = _table(rows, mail=mail, most=most)
        widths = _widths(table, width, yielding, least)
        if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
            break
    for cells in table:
        print(_GAP.join(shortened(cell, room).ljust(room) for cell, room in zip(cells, widths, strict=True)).rstrip())
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


def _table(rows: Sequence[dict[str, Any]], *, mail: bool, most: int) -> Sequence[Sequence[str]]:
    """Headings and cells; without a column that nobody fills, or that there is no room for."""
    left_out = {"metrics"} if not most else set[str]()
    if not any(row["waived"] for row in rows):
        left_out.add("waived")
    kept = [position for position, name in enumerate(_COLUMNS) if name not in left_out]
    return [[cells[position] for position in kept] for cells in (_COLUMNS, *(_cells(row, mail, most) for row in rows))]


def _cells(row: dict[str, Any], mail: bool, most: int) -> tuple[str, ...]:
    metrics = row["metrics"] if isinstance(row["metrics"], dict) else {}
    shown = " ".join(f"{name}={_digits(value, most)}" for name, value in [*metrics.items()][:most] if not isinstance(value, dict))
    data, by = row["data_id"], row["released_by"]
    return (
        row["tag"],
        minute(row["released_at"])[:10],
        row["commit"][:7],
        data if isinstance(data, str) else "-",
        shown or "-",
        by if mail else by.partition(" <")[0],
        " ".join(row["waived"]),
    )


def _digits(value: Any, most: int) -> Any:
    """A metric as it is written, in four digits where there is room for one alone."""
    return f"{value:.4g}" if isinstance(value, float) and most == 1 else value


def _widths(rows: Sequence[Sequence[str]], room: int, yielding: str, least: int) -> Sequence[int]:
    """As wide as the cells are; one column gives way, down to `least`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    if yielding and over > 0:
        position = [*rows[0]].index(yielding)
        widths[position] = min(widths[position], max(widths[position] - over, least))
    return widths
