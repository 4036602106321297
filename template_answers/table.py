"""What a CSV file holds: its dialect, its columns' types, and what kind of task its target is."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from template_answers.errors import RefusedAnswer
from template_answers.names import slug

SAMPLE = "telco-customer-churn.csv"
SAMPLE_TARGET = "Churn"
MAX_CATEGORIES = 50  # a text column with more distinct values is a name, a date or prose
MAX_NUMERIC_CLASSES = 10  # a target of 0 and 1, or of grades: classes; more distinct numbers: a quantity
DELIMITERS = ",;\t|"

_MISSING = {"", "NA", "N/A", "NaN", "nan", "NULL", "null"}  # as src/<package>/prepare.py reads them
_ID = re.compile(r"(?i:(^|[\W_])(id|uuid|guid|index))$|[a-z]I[Dd]$")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


class Column:
    """What is known of a column after its values went by, one at a time: a table may be larger than memory."""

    def __init__(self, name: str) -> None:
        """Start without values."""
        self.name = name
        self.filled = 0
        self.numeric = self.integer = self.unique = True
        self.commas = False
        self.values: set[str] = set()

    def add(self, text: str, decimal_comma: bool) -> None:
        """Take one value in."""
        if text in _MISSING:
            return
        self.filled += 1
        if self.unique or len(self.values) <= MAX_CATEGORIES:
            self.unique = self.unique and text not in self.values
            self.values.add(text)
        if self.numeric:
            if decimal_comma and _DECIMAL_COMMA.fullmatch(text):
                self.commas, self.integer, text = True, False, text.replace(",", ".")
            self.numeric = _is_number(text)
            self.integer = self.integer and self.numeric and float(text).is_integer()

    @property
    def unusable(self) -> str:
        """Why nothing can be learned from the column, or an empty text."""
        if len(self.values) < 2:
            return "the same in every row" if self.filled else "empty"
        if self.unique and (not self.numeric or (self.integer and _ID.search(self.name))):
            return "different in every row: an id"
        if not self.numeric and len(self.values) > MAX_CATEGORIES:
            return f"text with more than {MAX_CATEGORIES} different values"
        return ""

    @property
    def task(self) -> str:
        """What predicting this column is: choosing a class, or estimating a number."""
        counted = self.numeric and not (self.integer and len(self.values) <= MAX_NUMERIC_CLASSES)
        return "regression" if counted and len(self.values) > 2 else "classification"


def describe(data_csv: str, target: str) -> dict[str, Any]:
    """Return what the generated project needs to know of its data; without a path, that of the sample."""
    if not data_csv.strip():
        if target not in ("", SAMPLE_TARGET):
            raise RefusedAnswer(f"target: {target!r} without data_csv; that of the sample is {SAMPLE_TARGET!r}")
        return {"target": SAMPLE_TARGET, "task": "classification"}
    path = Path(data_csv.strip()).expanduser().resolve()
    with _table(path) as stream:
        delimiter = _delimiter(stream)
        header, rows = _rows(path, stream, delimiter)
        wanted = _find(target.strip(), header, path)
        columns = [Column(name) for name in header]
        for row in rows:
            for column, text in zip(columns, row, strict=True):
                column.add(text.strip(), delimiter != ",")
    return _described(path, delimiter, columns, columns[header.index(wanted)])


def data_file(data_csv: str) -> str:
    """Return the name that the table gets in data/raw/."""
    return f"{slug(Path(data_csv.strip()).stem, 'data')}.csv" if data_csv.strip() else SAMPLE


def _described(path: Path, delimiter: str, columns: list[Column], target: Column) -> dict[str, Any]:
    if len(target.values) < 2 or target.filled < 4:
        raise RefusedAnswer(f"target: {target.name!r} in {path.name} has {target.filled} values, {len(target.values)} different")
    if not target.numeric and len(target.values) > MAX_CATEGORIES:
        raise RefusedAnswer(f"target: {target.name!r} in {path.name} is text with more than {MAX_CATEGORIES} classes")
    kept = [column for column in columns if column is not target and not column.unusable]
    dropped = {column.name: column.unusable for column in columns if column is not target and column.unusable}
    if not kept:
        raise RefusedAnswer(f"data_csv: {path.name} has no column to learn from beside {target.name!r}; left out: {dropped}")
    snapshot = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d")
    return {
        "path": str(path),
        "id": f"{slug(path.stem, 'data')}-{snapshot}",
        "delimiter": delimiter,
        "decimal_commas": [column.name for column in columns if column.commas and column.numeric],
        "target": target.name,
        "task": target.task,
        "numeric": [column.name for column in kept if column.numeric],
        "categorical": [column.name for column in kept if not column.numeric],
        "dropped": dropped,
    }


@contextmanager
def _table(path: Path) -> Iterator[TextIO]:
    """Open the file; whatever is not text in UTF-8 is refused."""
    if not path.is_file():
        raise RefusedAnswer(f"data_csv: there is no file {path}")
    with path.open("rb") as raw:
        if raw.read(4) == b"PAR1":
            raise RefusedAnswer(f"data_csv: {path.name} is a Parquet file; save it as CSV first")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield stream
    except OSError as error:
        raise RefusedAnswer(f"data_csv: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RefusedAnswer(f"data_csv: {path.name} is not UTF-8 text: iconv -f latin1 -t utf-8 FILE > NEW") from error
    except csv.Error as error:
        raise RefusedAnswer(f"data_csv: {path.name} is not a CSV file: {error}") from error


def _delimiter(stream: TextIO) -> str:
    """Return the delimiter that cuts the header into most columns."""
    start = stream.readline()
    stream.seek(0)
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([start], delimiter=mark), [])))


def _rows(path: Path, stream: TextIO, delimiter: str) -> tuple[list[str], Iterator[list[str]]]:
    """Return the header, and the rows with the header's length; blank lines are none."""
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise RefusedAnswer(f"data_csv: {path.name} is empty; its first line must name the columns")
    if "" in header:
        raise RefusedAnswer(f"data_csv: column {header.index('') + 1} of {path.name} has no name")
    if odd := next(filter(_UNWRITABLE.search, header), ""):
        raise RefusedAnswer(f"data_csv: the column name {odd!r} in {path.name} holds a line break or control character")
    if twice := {name for name in header if header.count(name) > 1}:
        raise RefusedAnswer(f"data_csv: {path.name} has more than one column {', '.join(map(repr, sorted(twice)))}")

    def checked() -> Iterator[list[str]]:
        for row in reader:
            if row and len(row) != len(header):
                raise RefusedAnswer(
                    f"data_csv: line {reader.line_num} of {path.name} has {len(row)} fields, the header {len(header)}"
                )
            if row:
                yield row

    return header, checked()


def _find(target: str, header: list[str], path: Path) -> str:
    if target not in header:
        raise RefusedAnswer(f"target: {target!r} is no column of {path.name}; it has {', '.join(header)[:500]}")
    return target


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
