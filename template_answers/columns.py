"""What kind of values a column holds, and why nothing can be learned from it.

Values come in blocks, since a table may be larger than memory. What is done for every value is left to built-in functions: a
call for each of the 200 million values of a 2 GB table would take minutes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

MAX_CATEGORIES = 50  # a text column with more distinct values is a name or prose
MAX_NUMERIC_CLASSES = 10  # a target of 0 and 1, or of grades: classes; more distinct numbers: a quantity
REMEMBERED = 2_000_000  # values of all columns that are kept to tell whether a column repeats itself

# As src/<package>/prepare.py reads them.
MISSING = frozenset({"", "#N/A", "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"})
# What stands among numbers or dates for a missing one; in a column of text it may be a category.
PLACEHOLDERS = frozenset({"-", "--", ".", "?", "0000-00-00", "None", "missing", "na", "none", "unknown"})

# A date column has the first of these that reads all its values; `iso` is ISO 8601 in all its forms, mixed as well.
_TIMES = ("", " %H:%M", " %H:%M:%S")
_DAYS = ("%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d %Y", "%b %d, %Y")
FORMATS = ("%Y-%m-%d", "iso", *(f"{day}{time}" for day in _DAYS for time in _TIMES))

# Short dates, whose century is a guess.
SHORT = ("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%d %b %y", "%d-%b-%y")

# What texts are that hold a number and more: a name, and the form of all of them.
_AMOUNT = r"[+-]?\d[\d.,'\u00a0\u202f ]*"
_UNIT = r"(?:[^\W\d_]{1,5}|[^\W\d_]{1,3}[²³23]|[^\W\d_]{1,3}/[^\W\d_]{1,3}|°[CF]?|\W?\s?[€$£¥])"
SHAPES = {
    "numbers with a thousands mark": re.compile(
        r"[+-]?[1-9]\d{0,2}(?P<mark>[.,' \u00a0\u202f])\d{3}(?:(?P=mark)\d{3})*(?:[.,]\d+)?"
    ),
    "numbers with a percent sign": re.compile(rf"{_AMOUNT}[%‰]"),
    "numbers with a unit": re.compile(rf"{_AMOUNT}(?P<unit>{_UNIT})|(?P<sign>[€$£¥]|[A-Z]{{3}} )\s?{_AMOUNT}"),
}
UNITS = 3  # more different ones are no units, but parts of a name: 1a, 2b

_CODE = re.compile(r"^\s*(0\d+)\s*$", re.MULTILINE)
_ID = re.compile(r"(?i:(^|[\W_])(id|uuid|guid|index|key|sku|ean|isbn|nr|no|rownames)$)|[a-z]I[Dd]$")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
# `1,234` is a thousand or one and a bit.
_THREE = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")


class Column:
    """What is known of a column after its values went by."""

    def __init__(self, name: str, columns: int = 1) -> None:
        """Start without values; in a wide table fewer of each column are remembered."""
        self.name = name
        self.unique = self.integer = True
        self.numeric = False  # a number was seen
        self.values: set[str] = set()
        self.odd: set[str] = set()  # values that are no numbers
        self.formats = list(FORMATS)
        self.short = list(SHORT)
        self.shapes = list(SHAPES)
        self.units: set[str] = set()
        self.digits = True  # no value but digits was seen
        self.zeros = ""  # a value of digits with a zero in front of them
        self.comma = self.point = ""  # a number with a decimal comma, one with a point
        self.sure_comma = self.sure_point = False  # a mark that separates no thousands
        self._remembered = max(1000, min(100_000, REMEMBERED // columns))

    def add(self, texts: Sequence[str]) -> None:
        """Take a block of values in."""
        if self._settled or (self._is_plain and self._add_numbers(texts)):
            return
        found = {*map(str.strip, {*texts})} - MISSING
        new = found - self.values
        self.unique = self.unique and len(new) == sum(text.strip() not in MISSING for text in texts)
        for text in sorted(new):  # what is said of a column names examples, the same ones every time
            self._judge(text)
        if len(self.values) <= MAX_CATEGORIES or self._may_be_id:
            self.values |= new

    @property
    def kind(self) -> str:
        """Which list of `features:` the column belongs to."""
        if self.numeric and not self.odd:
            return "categorical" if self.is_code else "numeric"
        return "dates" if self.formats and self.odd and not self.numeric else "categorical"

    @property
    def is_code(self) -> bool:
        """Whether the values are codes, such as 01109: as numbers, they would lose their zeros."""
        return self.digits and bool(self.zeros)

    @property
    def format(self) -> str:
        """How the dates are written."""
        return self.formats[0]

    @property
    def unusable(self) -> str:
        """Why nothing can be learned from the column, or an empty text."""
        if len(self.values) < 2:
            return "the same in every row" if self.values else "empty"
        if self.kind == "dates":
            return self._unclear_dates()
        if self.kind == "numeric":
            return "different in every row: an id" if self.unique and self.integer and _ID.search(self.name) else ""
        if not self.unique and len(self.values) <= MAX_CATEGORIES:
            return ""
        return self._unusable_code() if self.is_code else self._unusable_text()

    def unclear(self, decimal: str) -> str:
        """Why the numbers cannot be read in a table with this decimal mark, or an empty text."""
        if self.kind != "numeric":
            return ""
        if self.sure_comma and self.sure_point:
            return f"numbers with a decimal comma and with a point: {self.comma} and {self.point}"
        if self.comma and not self.sure_comma and decimal != ",":
            return f"numbers of which {self.comma} is a thousand, or a decimal comma"
        if self.point and not self.sure_point and decimal == ",":
            return f"numbers of which {self.point} is a thousand, or a decimal point"
        return ""

    @property
    def task(self) -> str:
        """What predicting this column is: choosing a class, or estimating a number."""
        counted = self.kind == "numeric" and not (self.integer and len(self.values) <= MAX_NUMERIC_CLASSES)
        return "regression" if counted and len(self.values) > 2 else "classification"

    def _unusable_code(self) -> str:
        if self.unique:
            return "codes with leading zeros, different in every row: an id"
        return f"codes with leading zeros, more than {MAX_CATEGORIES} different"

    def _unusable_text(self) -> str:
        """Say what the texts look like, since that decides what can be done about them."""
        if not self.odd:
            return "nothing but marks for missing values"
        example = min(self.odd)
        if self.short:
            written = " or ".join(f'"{form}"' for form in self.short)
            return f"dates with two digits of the year, {example}: under dates, write the format, {written}"
        if self.shapes:
            return f"{self.shapes[0]}: {example}"
        if self.numeric and len(self.odd) <= 3:
            odd = ", ".join(sorted(map(repr, self.odd)))
            return f"numbers, but also {odd}: under numeric, these count as missing"
        if sum(len(text.split()) > 3 for text in self.odd) * 2 > len(self.odd):
            return "free text: see FREE_TEXT in src/*/featurize.py"
        if not self.unique:
            return f"text with more than {MAX_CATEGORIES} different values"
        if any(" " in text for text in self.odd):
            return "text that is different in every row: an id, or free text"
        return "different in every row: an id"

    @property
    def _may_be_id(self) -> bool:
        return self.unique and len(self.values) <= self._remembered and (bool(self.odd) or self.integer)

    @property
    def _settled(self) -> bool:
        """Whether the column is text that no further value can make usable."""
        return len(self.odd) > MAX_CATEGORIES and not self.formats and not self._may_be_id

    @property
    def _is_plain(self) -> bool:
        """Whether the column holds numbers, and all that can still change is that."""
        return self.numeric and not self.odd and len(self.values) > MAX_CATEGORIES and not self._may_be_id

    def _add_numbers(self, texts: Sequence[str]) -> bool:
        try:
            numbers = [*map(float, texts)]
        except ValueError:
            return False
        lines = "\n".join(texts)
        if "_" in lines:
            return False
        if self.digits:
            self.zeros = self.zeros or _leading_zeros(lines)
            self.digits = "".join(texts).isdecimal() or all(map(str.isdecimal, {*map(str.strip, texts)} - MISSING))
        self.integer = self.integer and all(map(float.is_integer, numbers))
        return True

    def _judge(self, text: str) -> None:
        number = _number(text)
        if number is not None:
            self.numeric = True
            self.digits = self.digits and text.isdecimal()
            self.zeros = self.zeros or _leading_zeros(text)
            self.integer = self.integer and number.is_integer() and "," not in text
            self._see_mark(text)
        elif text not in PLACEHOLDERS:
            if len(self.odd) <= MAX_CATEGORIES:
                self.odd.add(text)
            self.formats = [form for form in self.formats if _is_date(text, form)]
            self.short = [form for form in self.short if _is_date(text, form)]
            self.shapes = [shape for shape in self.shapes if self._has_shape(text, shape)]

    def _has_shape(self, text: str, shape: str) -> bool:
        found = SHAPES[shape].fullmatch(text)
        if found and shape == "numbers with a unit":
            self.units.add((found["unit"] or found["sign"]).strip())
        return bool(found) and len(self.units) <= UNITS

    def _see_mark(self, text: str) -> None:
        sure = not _THREE.fullmatch(text)
        if "," in text and (sure > self.sure_comma or not self.comma):
            self.comma, self.sure_comma = text, sure
        elif "." in text and (sure > self.sure_point or not self.point):
            self.point, self.sure_point = text, sure

    def _unclear_dates(self) -> str:
        swapped = self.format.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")
        if self.format.startswith(("%d", "%m")) and swapped in self.formats:
            return f'dates whose day may be the month: under dates, write the format, "{self.format}" or "{swapped}"'
        return ""


class Target(Column):
    """The column to be predicted: how often each of its values occurs matters too."""

    def __init__(self, name: str, columns: int = 1) -> None:
        """Start without values."""
        super().__init__(name, columns)
        self.counts: Counter[str] = Counter()

    def add(self, texts: Sequence[str]) -> None:
        """Take a block of values in."""
        if len(self.counts) <= 1000:
            self.counts.update(map(str.strip, texts))
            for mark in MISSING:
                self.counts.pop(mark, None)
        super().add(texts)

    @property
    def positive(self) -> str:
        """The rarer one of two classes, which is mostly what is looked for; an empty text where there are not two."""
        if self.task != "classification" or len(self.counts) != 2:
            return ""
        return min(sorted(self.counts, reverse=True), key=self.counts.__getitem__)


def _number(text: str) -> float | None:
    """Return what the pipeline will read, if the decimal mark is a comma where there is one."""
    if "_" in text:  # for Python, 2020_01 is 202001
        return None
    if "," in text:
        if not _COMMA.fullmatch(text):
            return None
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


def _leading_zeros(text: str) -> str:
    """Return the first line of digits that begin with a zero, or an empty text."""
    found = _CODE.search(text)
    return found[1] if found else ""


def _is_date(text: str, form: str) -> bool:
    try:
        if form == "iso":
            return text[4:5] == "-" and bool(datetime.fromisoformat(text))
        if form == "%Y-%m-%d" and len(text) == 10 and "-" not in (text[0], text[-2]):
            return text[4] == "-" and bool(datetime.fromisoformat(text))  # five times as fast
        return bool(datetime.strptime(text, form))  # noqa: DTZ007
    except ValueError:
        return False
