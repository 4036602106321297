"""Columns that fit a terminal: headings, names on the left, values beside each other, long ones cut to what tells them apart."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from .comparison import SECTIONS, Row, Table
from .documents import ABSENT, changed, equal

_GAP = "  "
#: How narrow a column may get: of values first, then of names; what a number changed by is never cut.
_LEAST_VALUE, _LEAST_NAME = 12, 12
_DIGEST = re.compile(r"[0-9a-f]{32,64}(?:\.dir)?")
_ENUMERATION = re.compile(r"(?:(\w+): )?(.+, .+)")
#: How people name the two commits of a release; `--json` keeps the names of the sidecar.
LABELS = {"commit": "trained at", "released_commit": "released commit"}


def render(table: Table, *, every: bool) -> str:
    """The table as text; only the rows that differ, unless every one is asked for."""
    rows = [row for row in table.rows if every or row.differs]
    lines: list[str] = []
    with_change = any(row.change for row in rows)
    heads = ("", *(side.name for side in table.sides), *(("change",) if with_change else ()))
    cells = {id(row): _cells(row, with_change) for row in rows}
    columns, sides = shutil.get_terminal_size().columns, len(table.sides)
    widths = _fitted([heads, *cells.values()], sides, columns)
    for row in rows:
        texts, room = cells[id(row)], widths[1 : sides + 1]
        if row.differs and any(len(text) > width for text, width in zip(texts[1:], room, strict=False)):
            cells[id(row)] = (texts[0], *_told_apart(row.values, texts[1 : sides + 1], min(room)), *texts[sides + 1 :])
    widths = _fitted([heads, *cells.values()], sides, columns)
    for section in SECTIONS:
        here = [row for row in rows if row.section == section]
        if not here:
            continue
        lines += ["", _bold(section)] if lines else [_line(heads, widths), _bold(section)]
        lines += [_line(cells[id(row)], widths, numeric=_is_numeric(row)) for row in here]
    if not rows:
        names = " and ".join(side.name for side in table.sides)
        lines.append(f"{names}: nothing differs in what they record")
    lines += ["", *(f"note: {note}" for note in table.notes)] if table.notes else []
    return "".join(f"{line}\n" for line in lines)


def shown(value: Any) -> str:
    """A value as a cell has it."""
    if value is ABSENT:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_digest(value):
        return str(value)[:12]
    return " ".join(value.split()) if isinstance(value, str) else str(value)


def is_digest(value: Any) -> bool:
    """Whether a value is a hash, of which twelve characters tell enough."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def minute(value: Any) -> Any:
    """A time as people read it everywhere: to the minute, in UTC. Whatever is no time stays as it is."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if moment.tzinfo else value


def shortened(text: str, width: int) -> str:
    """A text that fits: both of its ends tell more than its middle; of an enumeration, its beginning does."""
    if len(text) <= width:
        return text
    if _ENUMERATION.fullmatch(text) or text[:1] in "-+":
        return f"{text[: width - 1]}…"
    head, tail = width // 2, width - 1 - width // 2
    return f"{text[:head]}…{text[len(text) - tail :]}"


def _cells(row: Row, with_change: bool) -> tuple[str, ...]:
    name, values = row.what, row.values
    if row.section == "release":
        name, values = LABELS.get(name, name), tuple(map(minute, values))
    return (f"  {name}", *map(shown, values), *((row.change,) if with_change else ()))


def _told_apart(values: Sequence[Any], texts: Sequence[str], width: int) -> Sequence[str]:
    """Cells that are too long, cut to what differs from the first: what went and came of lists, what is not common of texts."""
    lists = [_listed(value) for value in values]
    head, first = lists[0]
    if len(first) > 1 and all(name == head and items for name, items in lists):
        start = f"{head}: " if head else ""
        others = (("the same" if equal(first, items) else changed(first, items)) for _, items in lists[1:])
        return [f"{start}{len(first)} values", *(f"{start}{said}" for said in others)]
    if all(isinstance(value, str) and not is_digest(value) for value in values):
        return _without_common(texts, width)
    return texts


def _listed(value: Any) -> tuple[str, list[Any]]:
    """The items of a list or of an enumeration in a text, and what stands before it."""
    if isinstance(value, list):
        return "", value
    found = _ENUMERATION.fullmatch(value) if isinstance(value, str) else None
    return (found[1] or "", found[2].split(", ")) if found else ("", [])


def _without_common(texts: Sequence[str], width: int) -> Sequence[str]:
    """Texts whose common ends give way to what differs, as far as they have to."""
    before = _common(texts)
    after = _common([text[before:][::-1] for text in texts])
    own = max(len(text) for text in texts) - before - after
    kept = max(width - own - 2, 0)  # of the common ends, the nearest characters
    left = min(before, kept - min(after, kept // 2))
    right = min(after, kept - left)
    start, end = ("" if left == before else "…"), ("" if right == after else "…")
    return [f"{start}{text[before - left : len(text) - after + right]}{end}" for text in texts]


def _common(texts: Sequence[str]) -> int:
    """How many characters all begin with."""
    columns = zip(*texts, strict=False)
    return sum(1 for _ in takewhile(lambda column: len({*column}) == 1, columns))


def _fitted(rows: Sequence[tuple[str, ...]], sides: int, width: int) -> list[int]:
    """The width of each column: as wide as it needs, the widest values cut first until the line fits."""
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while over > 0 and max(widths[1 : sides + 1]) > _LEAST_VALUE:
        widths[widths.index(max(widths[1 : sides + 1]), 1)] -= 1
        over -= 1
    widths[0] = max(widths[0] - max(over, 0), min(widths[0], _LEAST_NAME))
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], *, numeric: bool = False) -> str:
    placed = []
    for position, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        text = shortened(cell, width)
        placed.append(text.rjust(width) if numeric and position else text.ljust(width))
    return _GAP.join(placed).rstrip()


def _is_numeric(row: Row) -> bool:
    return any(_is_number(value) for value in row.values) and all(_is_number(value) or value is ABSENT for value in row.values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bold(text: str) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[1m{text}\033[0m"
