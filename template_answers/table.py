"""What a table holds: its columns' types, what is left out and why, and what kind of task its target is."""

from __future__ import annotations

import csv
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import click

from template_answers.columns import MAX_CATEGORIES, Column, Target
from template_answers.errors import RefusedAnswer
from template_answers.names import UNWRITABLE, slug
from template_answers.parquet import MAGIC, ParquetTable

SAMPLE = "telco-customer-churn.csv"
SAMPLE_TARGET = "Churn"
DELIMITERS = ",;\t|"
VALUES_IN_A_BLOCK = 20_000
LONGEST_LINE = 1 << 22
# What training may hold in memory: rows x the numbers that a row becomes, 8 bytes each, in a few copies.
CELLS = 50_000_000
ROWS = (1_000_000, 500_000, 200_000, 100_000, 50_000, 20_000, 10_000, 5_000)
# What is no table although it is often taken for one, by its first bytes.
FOREIGN = {
    b"PK\x03\x04": "a spreadsheet or a zip archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet; save it as CSV",
    b"\x1f\x8b": "compressed; unpack it: gunzip -k {path}",
    b"\xff\xfe": "UTF-16; save it as UTF-8: iconv -f UTF-16 -t UTF-8 {path} > {new}",
    b"\xfe\xff": "UTF-16; save it as UTF-8: iconv -f UTF-16 -t UTF-8 {path} > {new}",
}


@cache  # cookiecutter may ask more than once
def describe(data_csv: str, target: str) -> dict[str, Any]:
    """Return what the generated project needs to know of its data; without a path, that of the sample."""
    if not data_csv.strip():
        if target not in ("", SAMPLE_TARGET):
            raise RefusedAnswer(f"target: {target!r} without data_csv; that of the sample is {SAMPLE_TARGET!r}")
        return {"target": SAMPLE_TARGET, "task": "classification"}
    path = Path(data_csv.strip()).expanduser().resolve()
    start = _start(path)
    source = ParquetTable(path) if start == MAGIC else CsvTable(path, target.strip())
    _check_header(source.header, target.strip(), path)
    names = [name for name in source.header if name not in source.left_out]
    if target.strip() not in names:
        raise RefusedAnswer(f"target: {target!r} in {path.name} is {source.left_out[target.strip()]}")
    columns = [(Target if name == target.strip() else Column)(name, len(names)) for name in names]
    for texts in _with_progress(source, max(20, VALUES_IN_A_BLOCK // len(names))):
        for column, block in zip(columns, texts, strict=True):
            column.add(block)
    return _described(path, source, columns)


def data_file(data_csv: str) -> str:
    """Return the name that the table gets in data/raw/."""
    if not data_csv.strip():
        return SAMPLE
    path = Path(data_csv.strip()).expanduser()
    return f"{slug(path.stem, 'data')}.{'parquet' if _start(path) == MAGIC else 'csv'}"


def check_room(table: dict[str, Any], storage_url: str) -> str:
    """Refuse a disk that has no room for the table: in data/raw/, DVC's cache and the folder that stands for a bucket."""
    copies = 2 if storage_url else 3
    needed = int(table.get("size", 0)) * copies
    context = click.get_current_context(silent=True)
    folder = Path((context.params.get("output_dir") if context else None) or ".").resolve()
    folder = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise RefusedAnswer(
            f"data_csv: the project keeps {copies} copies of the table, {needed / 1e9:.1f} GB; "
            f"{folder} has {free / 1e9:.1f} GB free"
        )
    return str(needed)


class CsvTable:
    """The columns of a CSV file. Nothing of it is kept: a table may be larger than memory."""

    def __init__(self, path: Path, target: str) -> None:
        """Read the header."""
        self.path = path
        self.left_out: dict[str, str] = {}
        csv.field_size_limit(1 << 24)  # some columns hold whole documents
        with path.open(encoding="utf-8-sig", newline="") as stream:
            try:
                start = stream.readline(LONGEST_LINE)
            except UnicodeDecodeError as error:
                self._refuse_encoding(error)
        headers = {mark: next(csv.reader([start], delimiter=mark), []) for mark in DELIMITERS}
        # A name may hold another mark; the one that cuts the target out is right.
        self.delimiter = max(DELIMITERS, key=lambda mark: (target in map(str.strip, headers[mark]), len(headers[mark])))
        self.header = [name.strip() for name in self._first_row()]
        self.size = path.stat().st_size
        if len(self.header) > 1 and not self.header[0]:
            self.header[0] = "(no name)"  # so pandas and R write the numbers of the rows
            self.left_out["(no name)"] = "the numbers of the rows"

    def blocks(self, rows: int) -> Iterator[tuple[float, list[Sequence[str]]]]:
        """Yield the share of the file that was read, and the texts of each column that is not left out."""
        first = len(self.left_out)
        width = len(self.header)
        with self.path.open("rb") as file, TextIOWrapper(file, encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=self.delimiter, strict=True)
            try:
                next(reader)
                while block := [*islice(reader, rows)]:
                    if {*map(len, block)} != {width}:
                        block = self._without_blank_lines(block, reader.line_num)
                    if block:
                        yield file.tell() / self.size, list[Sequence[str]](zip(*block, strict=True))[first:]
            except csv.Error as error:
                raise RefusedAnswer(f"data_csv: {self.path.name} is not a CSV file: line {reader.line_num}: {error}") from error
            except UnicodeDecodeError as error:
                self._refuse_encoding(error)

    def _first_row(self) -> list[str]:
        with self.path.open(encoding="utf-8-sig", newline="") as stream:
            try:
                return next(csv.reader(stream, delimiter=self.delimiter, strict=True), [])
            except csv.Error as error:
                raise RefusedAnswer(f"data_csv: {self.path.name} is not a CSV file: line 1: {error}") from error

    def _without_blank_lines(self, block: list[list[str]], last: int) -> list[list[str]]:
        """Return the rows of a block, all as long as the header."""
        rows = [row for row in block if row]
        if {*map(len, rows)} <= {len(self.header)}:
            return rows
        with self.path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=self.delimiter, strict=True)
            wrong = next(len(row) for row in reader if row and len(row) != len(self.header))
            line = min(reader.line_num, last)
        raise RefusedAnswer(f"data_csv: line {line} of {self.path.name} has {wrong} fields, the header {len(self.header)}")

    def _refuse_encoding(self, error: UnicodeDecodeError) -> NoReturn:
        name = self.path.name
        new = f"{self.path.stem}-utf8.csv"
        raise RefusedAnswer(
            f"data_csv: {name} is not UTF-8 text (byte 0x{error.object[error.start]:02x}); if it is from Windows: "
            f"iconv -f WINDOWS-1252 -t UTF-8 {_quoted(self.path)} > {_quoted(new)}"
        ) from error


def _start(path: Path) -> bytes:
    """Return the first bytes of what may be a table."""
    if not path.is_file():
        raise RefusedAnswer(f"data_csv: there is no file {path}")
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise RefusedAnswer(f"data_csv: {path} cannot be read: {error.strerror}") from error
    for magic, what in FOREIGN.items():
        if start.startswith(magic):
            said = what.format(path=_quoted(path), new=_quoted(f"{path.stem}-utf8.csv"))
            raise RefusedAnswer(f"data_csv: {path.name} is {said}")
    return start


def _check_header(header: list[str], target: str, path: Path) -> None:
    if not any(header):
        raise RefusedAnswer(f"data_csv: {path.name} is empty; its first line must name the columns")
    if "" in header:
        raise RefusedAnswer(f"data_csv: column {header.index('') + 1} of {path.name} has no name")
    if odd := next(filter(UNWRITABLE.search, header), ""):
        raise RefusedAnswer(f"data_csv: the column name {odd!r} in {path.name} holds a line break or control character")
    if twice := {name for name in header if header.count(name) > 1}:
        raise RefusedAnswer(f"data_csv: {path.name} has more than one column {', '.join(map(repr, sorted(twice)))}")
    if target not in header:
        named = sum(not name.strip("+-.0123456789eE") for name in header) * 2 > len(header)
        doubt = "; if these are values, add a first line that names the columns" if named else ""
        raise RefusedAnswer(f"target: {target!r} is no column of {path.name}; it has {', '.join(header)[:500]}{doubt}")


def _with_progress(source: CsvTable | ParquetTable, rows: int) -> Iterator[list[Sequence[str]]]:
    """Yield the blocks; after a second, say on a terminal how far it is."""
    shown = sys.stderr.isatty()
    next_time = time.monotonic() + 1
    for share, texts in source.blocks(rows):
        yield texts
        if shown and time.monotonic() > next_time:
            next_time = time.monotonic() + 0.5
            print(f"\rreading the table: {share:.0%} ", end="", file=sys.stderr, flush=True)
    if shown and next_time > 1:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _described(path: Path, source: CsvTable | ParquetTable, columns: list[Column]) -> dict[str, Any]:
    target = next(column for column in columns if isinstance(column, Target))
    _check_target(target, path)
    decimal = "," if any(column.kind == "numeric" and column.sure_comma for column in columns) else "."
    if target.task == "regression" and (why := target.unclear(decimal)):
        raise RefusedAnswer(f"target: {target.name!r} in {path.name}: {why}")
    dropped = dict(source.left_out)
    dropped |= {
        column.name: why for column in columns if column is not target and (why := column.unusable or column.unclear(decimal))
    }
    kept = [column for column in columns if column is not target and column.name not in dropped]
    if not kept:
        raise RefusedAnswer(
            f"data_csv: {path.name} has no column to learn from beside {target.name!r}; left out: {_some(dropped)}"
        )
    snapshot = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d")
    return {
        "path": str(path),
        "size": path.stat().st_size,
        "id": f"{slug(path.stem, 'data')}-{snapshot}",
        "decimal": decimal,
        "target": target.name,
        "task": target.task,
        "positive": target.positive,
        "positive_rows": target.counts[target.positive],
        "labelled_rows": sum(target.counts.values()),
        "max_rows": _max_rows(kept),
        "numeric": [column.name for column in kept if column.kind == "numeric"],
        "categorical": [column.name for column in kept if column.kind == "categorical"],
        "dates": {column.name: column.format for column in kept if column.kind == "dates"},
        "dropped": {name: dropped[name] for name in source.header if name in dropped},
    }


def _check_target(target: Target, path: Path) -> None:
    """Refuse a target of which too little is known to train and to measure a model."""
    where = f"target: {target.name!r} in {path.name}"
    classes = target.counts
    if len(classes) < 2:
        raise RefusedAnswer(f"{where} has {sum(classes.values())} values, {len(classes)} different: nothing to learn")
    if target.kind != "numeric" and len(target.values) > MAX_CATEGORIES:
        odd = f", as {min(target.odd)!r} is no number" if target.numeric and target.odd else ""
        odd = f", as {target.zeros} is a code" if target.is_code else odd
        raise RefusedAnswer(f"{where} is text with more than {MAX_CATEGORIES} classes{odd}")
    if target.task == "regression" and sum(classes.values()) < 6:
        raise RefusedAnswer(f"{where} has {sum(classes.values())} values: six are needed to train and to measure a model")
    if target.task == "classification" and sum(count > 1 for count in classes.values()) < 2:
        raise RefusedAnswer(f"{where} has {len(classes)} classes, and not two of more than one row: {_some(classes)}")


def _max_rows(kept: list[Column]) -> int:
    """Return how many rows training can hold in the memory of a small machine."""
    width = sum(len(column.values) if column.kind == "categorical" else 1 for column in kept)
    return next((rows for rows in ROWS if rows * width <= CELLS), ROWS[-1])


def _some(values: dict[str, Any]) -> str:
    listed = [f"{name!r} ({value})" for name, value in values.items()]
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")


def _quoted(path: Path | str) -> str:
    return shlex.quote(str(path))
