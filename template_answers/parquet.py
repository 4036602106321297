"""A Parquet file, seen as the texts that a CSV of it would have: what is inferred is the same for both."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from template_answers.errors import RefusedAnswer

MAGIC = b"PAR1"


class ParquetTable:
    """The columns of a file, read a part of a row group at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises RefusedAnswer where it cannot be read, or pyarrow is not here."""
        self._pyarrow = _pyarrow(path)
        self.name = path.name
        try:
            self._file = self._pyarrow.parquet.ParquetFile(path)
        except (OSError, self._pyarrow.ArrowException) as error:
            raise RefusedAnswer(f"data_csv: {path.name} cannot be read as Parquet: {_one_line(error)}") from error
        self.rows: int = self._file.metadata.num_rows
        self.header = [name.strip() for name in self._file.schema_arrow.names]
        types = self._pyarrow.types
        self.left_out: dict[str, str] = {}
        for field in self._file.schema_arrow:
            if types.is_nested(field.type):
                self.left_out[field.name.strip()] = f"nested: {field.type}"
            elif types.is_binary(field.type) or types.is_large_binary(field.type) or types.is_fixed_size_binary(field.type):
                self.left_out[field.name.strip()] = "bytes"
            elif field.name.startswith("__index_level_"):
                self.left_out[field.name.strip()] = "the index of pandas"

    def blocks(self, rows: int) -> Iterator[tuple[float, list[Sequence[str]]]]:
        """Yield the share of the rows that was read, and the texts of each column that is not left out."""
        wanted = [name for name in self._file.schema_arrow.names if name.strip() not in self.left_out]
        done = 0
        try:
            for batch in self._file.iter_batches(batch_size=rows, columns=wanted):
                done += batch.num_rows
                yield done / self.rows, [self._texts(batch.column(batch.schema.get_field_index(name))) for name in wanted]
        except (OSError, self._pyarrow.ArrowException) as error:
            raise RefusedAnswer(f"data_csv: {self.name} cannot be read as Parquet: {_one_line(error)}") from error

    def _texts(self, column: Any) -> list[str]:
        """Return texts as pandas writes them to a CSV: empty where there is no value, no time of day where it is midnight."""
        arrow, types = self._pyarrow, self._pyarrow.types
        if types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if types.is_timestamp(column.type):  # Python has no nanoseconds
            times = column.cast(arrow.timestamp("us", column.type.tz), safe=False).to_pylist()
            return ["" if time is None else str(time).removesuffix(" 00:00:00") for time in times]
        if types.is_integer(column.type) or types.is_floating(column.type):
            column = column.cast(arrow.string())
        return ["" if value is None else str(value) for value in column.to_pylist()]


def _pyarrow(path: Path) -> ModuleType:
    """Return the package. It is none of cookiecutter's, and most tables need none."""
    try:
        for module in ("pyarrow.parquet", "pyarrow.types"):
            import_module(module)
        return import_module("pyarrow")
    except ImportError as error:
        raise RefusedAnswer(
            f"data_csv: {path.name} is a Parquet file, and the Python of cookiecutter has no pyarrow to read it: "
            f"{sys.executable} -m pip install pyarrow (or run uvx --with pyarrow cookiecutter ...)"
        ) from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
