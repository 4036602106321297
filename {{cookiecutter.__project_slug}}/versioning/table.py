"""Columns that fit a terminal: headings, names on the left, values beside each other, long ones shortened in the middle."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from .comparison import SECTIONS, Row, Table
from .documents import ABSENT

_GAP = "  "
#: How narrow a column may get: of values first, then of names; what a number changed by is never cut.
_LEAST_VALUE, _LEAST_NAME = 12, 12
_DIGEST = re.compile(r"[0-9a-f]{32,64}(?:\.dir)?")


def render(table: Table, *, every: bool) -> str:
    """The table as text; only the rows that differ, unless every one is asked for."""
    rows = [row for row in table.rows if every or row.differs]
    lines: list[str] = []
    with_change = any(row.change for row in rows)
    heads = ("", *(side.name for side in table.sides), *(("change",) if with_change else ()))
    cells = {id(row): _cells(row, with_change) for row in rows}
    widths = _fitted([heads, *cells.values()], len(table.sides), shutil.get_terminal_size().columns)
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
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return value[:12]
    return " ".join(value.split()) if isinstance(value, str) else str(value)


def shortened(text: str, width: int) -> str:
    """A text that fits: both of its ends tell more than its middle."""
    if len(text) <= width:
        return text
    head, tail = width // 2, width - 1 - width // 2
    return f"{text[:head]}…{text[len(text) - tail :]}"


def _cells(row: Row, with_change: bool) -> tuple[str, ...]:
    return (f"  {row.what}", *map(shown, row.values), *((row.change,) if with_change else ()))


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
