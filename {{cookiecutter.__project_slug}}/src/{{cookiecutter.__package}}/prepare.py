"""Clean the raw table and split it into a train and a test part."""

import argparse
import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from sklearn.model_selection import train_test_split

LARGEST = 1e100  # a greater number stands for a missing one; its square, and so a mean deviation, would be infinite
MISSING = {"", "#N/A", "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"}
DELIMITERS = ",;\t|"
VALUES_IN_A_PART = 2_000_000  # of a table that is read a part at a time
MAX_ROWS = 1_000_000  # where params.yaml does not say


class DataError(ValueError):
    """A fault in what the pipeline was given: parameters, a table or a model file."""


def read_params(path: Path, *keys: str) -> list[Any]:
    """Return the values of dotted keys such as `split.test_size`.

    Raises DataError for a key that the file does not have.
    """
    # YAML 1.2, which DVC reads too: for PyYAML `1e-3` is a string.
    document = YAML(typ="safe").load(path)
    values = []
    for key in keys:
        value = document
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                raise DataError(f"{path} has no {key!r}")
            value = value[part]
        values.append(value)
    return values


class Columns(NamedTuple):
    """What params.yaml says of the table."""

    target: str
    task: str
    numeric: list[str]
    categorical: list[str]
    dates: dict[str, str]  # and how they are written
    decimal: str
    positive: str | None = None  # the class that the metrics of two classes are about


@dataclass
class Seen:
    """What is said of the rows that went by, so that none goes away in silence."""

    rows: int = 0
    unlabelled: int = 0
    sampled: bool = False
    unread: dict[str, str] = field(default_factory=dict)  # of a column, a value that is none of what it should hold

    def look(self, name: str, raw: pd.Series, read: pd.Series, whole: bool = True) -> None:
        """Keep an example where nothing in a column could be read, or (not `whole`) where something could not."""
        unread = read.isna()
        if name not in self.unread and (unread.all() if whole else unread.any()):
            texts = as_text(raw[unread]).dropna().tolist()
            self.unread |= dict.fromkeys([name], texts[0]) if texts else {}

    def such_as(self, names: Iterable[str]) -> str:
        """Return the examples of some columns, to be put behind what is wrong."""
        found = [repr(self.unread[name]) for name in names if name in self.unread]
        return f", such as {', '.join(found)}" if found else ""

    def lines(self, target: str, kept: int) -> list[str]:
        """Return what to say of rows that are not used."""
        if self.sampled:
            return [f"{kept:,} of {self.rows:,} rows are sampled (split.max_rows); rows without a target are not among them"]
        if self.unlabelled:
            few = f"{self.unlabelled:,} of {self.rows:,} rows have no target"
            return [f"{few} and are left out: the column {target!r} has no usable value there{self.such_as([target])}"]
        return []


def read_columns(path: Path) -> Columns:
    """Return target, task and features, as params.yaml names them."""
    keys = ("data.target", "data.task", "features.numeric", "features.categorical", "features")
    target, task, numeric, categorical, features = read_params(path, *keys)
    # For YAML a column named 2020 is a number, and a list without entries is nothing.
    lists = ([str(name) for name in names or []] for names in (numeric, categorical))
    dates = {str(name): str(form) for name, form in (features.get("dates") or {}).items()}
    decimal = str(features.get("decimal") or ".")
    if decimal not in (".", ","):
        raise DataError(f"features.decimal in {path} is {decimal!r}, not '.' or ','")
    return Columns(str(target), str(task), *lists, dates, decimal, _text(features.get("positive")))


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a CSV or Parquet file, or the given columns of it; in a CSV all is text, so that `007` keeps its zeros.

    Raises DataError for a file that is no such table.
    """
    return pd.concat([*read_parts(path, columns)], ignore_index=True)


def read_parts(path: Path, columns: Sequence[str] | None = None, rows: int | None = None) -> Iterator[pd.DataFrame]:
    """Yield a table a part at a time, one at least; it may be larger than memory.

    Columns that the table does not have are left out. Raises DataError for a file that is no table.
    """
    try:
        yield from (_parquet_parts if path.suffix == ".parquet" else _csv_parts)(path, columns, rows)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table: {' '.join(str(error).split())}") from error


def _csv_parts(path: Path, columns: Sequence[str] | None, rows: int | None) -> Iterator[pd.DataFrame]:
    header, delimiter = _read_header(path, columns)
    wanted = _wanted(path, header, columns)
    # All columns are read, a part at a time: of a row with too many fields pandas says nothing where it reads some of them.
    names = [name if name in wanted else f"\0{number}" for number, name in enumerate(header)]
    options: dict[str, Any] = {"dtype": str, "keep_default_na": False, "encoding": "utf-8-sig", "index_col": False}
    size = rows or max(1, VALUES_IN_A_PART // len(header))
    with pd.read_csv(path, sep=delimiter, header=0, names=names, chunksize=size, **options) as parts:
        for part in parts:
            yield part[wanted]


def _read_header(path: Path, columns: Sequence[str] | None) -> tuple[list[str], str]:
    """Return the names of the columns, and the mark that cuts most of the wanted ones out of the first line."""
    found = []
    for mark in DELIMITERS:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = [name.strip() for name in next(filter(None, csv.reader(stream, delimiter=mark)), [])]
        found.append((len({*header} & {*(columns or [])}), len(header), -DELIMITERS.index(mark), header, mark))
    *_, header, delimiter = max(found)
    if not header:
        raise pd.errors.EmptyDataError("it is empty")
    return header, delimiter


def _parquet_parts(path: Path, columns: Sequence[str] | None, rows: int | None) -> Iterator[pd.DataFrame]:
    from pyarrow import ArrowException, parquet  # a project that started from a CSV has no pyarrow

    try:
        file = parquet.ParquetFile(path)
        header = {name.strip(): name for name in file.schema_arrow.names}
        wanted = _wanted(path, [name.strip() for name in file.schema_arrow.names], columns)
        size = rows or max(1, VALUES_IN_A_PART // max(1, len(wanted)))
        yield file.schema_arrow.empty_table().to_pandas(ignore_metadata=True).rename(columns=str.strip)[wanted]
        for batch in file.iter_batches(batch_size=size, columns=[header[name] for name in wanted]):
            yield batch.to_pandas(ignore_metadata=True).rename(columns=str.strip)[wanted]
    except ArrowException as error:
        raise pd.errors.ParserError(str(error)) from error


def _wanted(path: Path, header: list[str], columns: Sequence[str] | None) -> list[str]:
    wanted = header if columns is None else [name for name in dict.fromkeys(columns) if name in header]
    if twice := sorted({name for name in wanted if header.count(name) > 1}):
        raise DataError(f"{path} has more than one column {', '.join(map(repr, twice))}")
    return wanted


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV with the same bytes on every platform; floats keep every digit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def as_text(column: pd.Series) -> pd.Series:
    """Return stripped text, None where missing; `1`, `1.0` from a typed table and "1" from a CSV are the same."""
    return _convert(column, _text)


def as_numbers(column: pd.Series, decimal: str = ".") -> pd.Series:
    """Return float64, NaN where the value is missing, infinite or nearly so, or no number."""
    if column.dtype == "float64":
        return column.where(column.abs() <= LARGEST)
    if column.dtype in ("float32", "float16"):  # they have the digits that they are printed with, and no more
        column = pd.Series(column.to_numpy().astype(str), index=column.index, name=column.name)
    return _convert(column, lambda value: _number(value, decimal)).astype("float64")


def as_dates(column: pd.Series, form: str) -> pd.Series:
    """Return days since 1970-01-01 as float64, NaN where the value is missing or no date; a number is one of days already."""
    return _convert(column, lambda value: _days(value, form)).astype("float64")


def _convert(column: pd.Series, convert: Callable[[Any], Any]) -> pd.Series:
    codes, unique = pd.factorize(column)  # each distinct value once; missing values have the code -1
    converted = np.array([*map(convert, unique), convert(None)], dtype=object)
    return pd.Series(converted[codes], index=column.index, name=column.name, dtype=object)


def _text(value: Any) -> str | None:
    if isinstance(value, (float, np.floating)) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value).strip()
    return None if text in MISSING else text


def _number(value: Any, decimal: str) -> float:
    if isinstance(value, str):
        if "_" in value:  # for Python, 2020_01 is 202001
            return math.nan
        if decimal == "," and re.fullmatch(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*", value):
            value = value.replace(",", ".")
    try:
        number = float(value)  # exact, unlike pandas.to_numeric: written and read again it is the same number
    except (TypeError, ValueError):
        return math.nan
    return number if abs(number) <= LARGEST else math.nan


def _days(value: Any, form: str) -> float:
    if isinstance(value, str):
        value = _date(value.strip(), form) or value
    if not isinstance(value, date):
        return _number(value, ".")
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return float((moment - datetime(1970, 1, 1)) / timedelta(days=1))  # noqa: DTZ001


def _date(text: str, form: str) -> datetime | None:
    """Return the date that a text is in its format, or in ISO 8601, which can be mistaken for no other."""
    try:
        return datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        return None if form == "iso" else _date(text, "iso")


def own_cleaning(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the rows to learn from; as it stands, all.

    `raw` has the columns that params.yaml names, as text (in a Parquet file, as they are typed there). What you return has the
    same columns, and some or all of the rows with their index. A large table comes a part at a time, so decide row by row.

    Only training and evaluation come through here, a table to be scored does not. So the values of the features stay as they are
    (another spelling of the same value is ignored): what the model shall read otherwise is changed in own_features in
    featurize.py. The target may be changed: a wrong label may be mended here.
    """
    # ---- REPLACE: YOUR OWN CLEANING --------------------------------------------
    return raw
    # ---- END OF REPLACE --------------------------------------------------------


def _cleaned(raw: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the rows that own_cleaning leaves, with the target it gives them.

    It gets a copy: what a mistake makes of the table is named, not trained on.
    """
    left = own_cleaning(raw.copy())
    if not isinstance(left, pd.DataFrame) or list(left.columns) != list(raw.columns):
        got = list(left.columns) if isinstance(left, pd.DataFrame) else type(left).__name__
        raise DataError(f"own_cleaning in prepare.py returns {got}: a DataFrame with the columns {list(raw.columns)}")
    if not left.index.isin(raw.index).all() or left.index.has_duplicates:
        raise DataError("own_cleaning in prepare.py returns rows that it was not given, or one twice: keep the index of each row")
    given = raw.loc[left.index]
    for name in [*columns.numeric, *columns.categorical, *columns.dates]:
        if left[name].equals(given[name]):
            continue
        # Numbers made of texts, or texts without their blanks, are what the model reads anyway.
        before, after = _as_read(given[name], columns), _as_read(left[name], columns)
        changed = ~(np.isclose(before, after, rtol=1e-9, atol=0, equal_nan=True) if before.dtype == float else before == after)
        if changed.any():
            was, became = (column[changed].head(1).tolist()[0] for column in (given[name], left[name]))
            raise DataError(
                f"own_cleaning in prepare.py changes {name!r}, {was!r} to {became!r}: it chooses rows, as a table to be scored "
                "does not come through it. Return the column as it was; what the model shall read instead is computed by "
                "own_features in featurize.py"
            )
    return given.assign(**{columns.target: left[columns.target]})


def _as_read(column: pd.Series, columns: Columns) -> np.ndarray:
    """Return a feature as the model reads it: a number (of days, for a date) or a text."""
    if column.name in columns.categorical:
        return as_text(column).fillna("").to_numpy()
    form = columns.dates.get(str(column.name))
    return (as_dates(column, form) if form else as_numbers(column, columns.decimal)).to_numpy()


def clean(
    raw: pd.DataFrame,
    target: str,
    task: str,
    numeric: list[str],
    categorical: list[str],
    dates: Mapping[str, str] | None = None,
    decimal: str = ".",
) -> pd.DataFrame:
    """Return features and target, one row for each raw row that has a label.

    Raises DataError for an unknown column or task, a target among the features, or a column without any usable value.
    """
    columns = Columns(target, task, numeric, categorical, dict(dates or {}), decimal)
    return sample([raw], columns, max_rows=len(raw) or 1, seed=0)


def sample(parts: Iterable[pd.DataFrame], columns: Columns, max_rows: int, seed: int, seen: Seen | None = None) -> pd.DataFrame:
    """Return the cleaned rows of a table, or `max_rows` of them at random, in the table's order.

    Which rows are taken depends on the table and on the seed, not on how the table was cut into parts. `seen` counts them.
    """
    seen = seen or Seen()
    draw = np.random.default_rng(seed)
    kept: list[pd.DataFrame] = []
    limit, rows = np.inf, 0
    for part in parts:
        lots = pd.Series(draw.random(len(part)))
        frame = _shape(part.reset_index(drop=True), columns, lots <= limit, seen)
        kept.append(frame.set_axis(pd.Index(lots[frame.index])))
        rows += len(frame)
        if rows > 1.5 * max_rows:
            kept = [_lowest(kept, max_rows)]
            limit, rows = kept[0].index.max(), max_rows
    seen.sampled = limit < np.inf or rows > max_rows
    return _checked(_lowest(kept, max_rows).reset_index(drop=True), columns, seen)


def _lowest(kept: list[pd.DataFrame], max_rows: int) -> pd.DataFrame:
    """Return the rows that drew the lowest lots."""
    frame = pd.concat(kept)
    if len(frame) <= max_rows:
        return frame
    return frame[frame.index <= np.partition(frame.index, max_rows - 1)[max_rows - 1]]


def _shape(raw: pd.DataFrame, columns: Columns, taken: pd.Series, seen: Seen) -> pd.DataFrame:
    """Return features and target of the rows that are taken and have a label."""
    target, task, numeric, categorical, dates, decimal, _ = columns
    features = [*numeric, *categorical, *dates]
    if task not in ("classification", "regression"):
        raise DataError(f"data.task is {task!r}, not 'classification' or 'regression'")
    if unknown := [name for name in [*features, target] if name not in raw.columns]:
        raise DataError(f"the table has no column {unknown}; it has {list(raw.columns)}")
    if not features or target in features or len(set(features)) < len(features):
        raise DataError(f"features must be one or more distinct columns without the target {target!r}: {features}")
    seen.rows += len(raw)
    raw = _cleaned(raw[taken], columns)
    label = as_text(raw[target]) if task == "classification" else as_numbers(raw[target], decimal)
    seen.unlabelled += int(label.isna().sum())
    seen.look(target, raw[target], label, whole=False)
    raw, label = raw[label.notna()], label[label.notna()]
    shaped = {name: as_numbers(raw[name], decimal) for name in numeric}
    shaped |= {name: as_text(raw[name]) for name in categorical}
    shaped |= {name: as_dates(raw[name], form) for name, form in dates.items()}
    for name, column in shaped.items():
        seen.look(name, raw[name], column)
    return pd.DataFrame({**shaped, target: label})


def _checked(frame: pd.DataFrame, columns: Columns, seen: Seen) -> pd.DataFrame:
    if seen.rows and frame.empty and columns.target in seen.unread:
        example = seen.unread[columns.target]
        raise DataError(
            f"data.task is {columns.task!r}, and no value of the target {columns.target!r} is a number, but text such as "
            f"{example!r}: "
            'a classification, or another target; see "Another target, another task" in docs/own-data.md of the template'
        )
    if seen.rows and frame.empty:
        raise DataError(f"no row is left to learn from: of {seen.rows}, {seen.unlabelled} have no target {columns.target!r}")
    if empty := [name for name in frame.columns if frame[name].isna().all()]:
        raise DataError(f"no usable value in column {empty}{seen.such_as(empty)}: is it in the right list of features?")
    return frame


def split(frame: pd.DataFrame, target: str, task: str, test_size: float, seed: int) -> list[pd.DataFrame]:
    """Return the train and the test rows in the table's order; the classes of a classification in equal shares.

    A class with a single row can't be shared and stays in train. Raises DataError where a part would be too small.
    """
    counts = frame[target].map(frame[target].value_counts())
    shared = frame[counts > 1] if task == "classification" else frame
    classes = shared[target].nunique() if task == "classification" else 1
    if task == "classification" and frame[target].nunique() < 2:
        raise DataError(f"the target {target!r} has one class only, {frame[target].iloc[0]!r}: nothing to learn")
    test_rows = max(math.ceil(len(frame) * test_size), classes)
    if not 0 < test_size < 1 or len(shared) - test_rows < classes:
        raise DataError(f"split.test_size {test_size} of {len(frame)} rows leaves too few in train or test")
    stratify = shared[target] if task == "classification" else None
    _, test = train_test_split(shared.index, test_size=test_rows, random_state=seed, stratify=stratify)
    is_test = frame.index.isin(test)
    return [frame[~is_test], frame[is_test]]


def run(stage: Callable[[], None]) -> None:
    """Run a stage from the command line: a DataError ends it with one line instead of a traceback."""
    try:
        stage()
    except DataError as error:
        raise SystemExit(f"error: {error}") from error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("raw", "params", "train", "test"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    columns = read_columns(args.params)
    test_size, seed, options = read_params(args.params, "split.test_size", "seed", "split")
    max_rows = options.get("max_rows", MAX_ROWS)
    if not isinstance(max_rows, int) or max_rows < 1:
        raise DataError(f"split.max_rows in {args.params} is {max_rows!r}, not a number of rows")
    used = [*columns.numeric, *columns.categorical, *columns.dates, columns.target]
    seen = Seen()
    frame = sample(read_parts(args.raw, used), columns, max_rows, seed, seen)
    train, test = split(frame, columns.target, columns.task, test_size, seed)
    write_table(train, args.train)
    write_table(test, args.test)
    print(f"{len(train)} rows to {args.train}, {len(test)} rows to {args.test}")
    for line in seen.lines(columns.target, len(frame)):
        print(line)


if __name__ == "__main__":
    run(main)
