"""JSON read strictly, YAML read as DVC reads it (YAML 1.2, ruamel's safe loader)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from .errors import Malformed

MAX_JSON_BYTES = 1 << 20


def load_json(content: bytes) -> Any:
    """The value in a JSON file.

    Raises:
        Malformed: no UTF-8, a byte order mark, over 1 MiB, duplicate keys, NaN or Infinity, or no JSON at all.
    """
    if len(content) > MAX_JSON_BYTES:
        raise Malformed(f"is {len(content):,} bytes; at most {MAX_JSON_BYTES:,} are read")
    if content.startswith(b"\xef\xbb\xbf"):
        raise Malformed("begins with a byte order mark")
    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
        if b"\\u" in content:  # only an escape can write them
            _refuse_unprintable(value)
        return value
    except UnicodeDecodeError as error:
        raise Malformed(f"is not UTF-8: byte {error.start} is {content[error.start]:#04x}") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"is not JSON: line {error.lineno} column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise Malformed("is nested too deeply") from None
    except ValueError as error:  # a number of more digits than Python turns into an integer
        raise Malformed(f"is not JSON: {error}") from None


def dump_json(value: Any) -> bytes:
    """The one way in which we write JSON: two spaces, keys in the order given, a newline at the end."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


@lru_cache(maxsize=512)
def load_yaml(content: bytes) -> Any:
    """The value in a YAML file; an empty file is an empty mapping, as for DVC. Not to be changed: equal files share it.

    Raises:
        Malformed: no YAML 1.2, or duplicate keys.
    """
    try:
        return _load_plain_yaml(content) or {}
    except _Unsure:
        return _load_any_yaml(content)


def _load_any_yaml(content: bytes) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(content.decode("utf-8")) or {}
    except UnicodeDecodeError as error:
        raise Malformed(f"is not UTF-8: byte {error.start} is {content[error.start]:#04x}") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1} column {mark.column + 1}:" if mark else ""
        raise Malformed(f"is not YAML:{where} {getattr(error, 'problem', None) or error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        raise Malformed(f"has the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return value


def _refuse_unprintable(value: Any) -> None:
    """A NUL or half of a character pair: no path or argument can hold it, and programs read it in different ways."""
    if isinstance(value, str):
        found = next((letter for letter in value if letter == "\0" or "\ud800" <= letter <= "\udfff"), None)
        if found is not None:
            raise Malformed(f"holds {found!a}, which is no character of a text")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_unprintable(key)
            _refuse_unprintable(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_unprintable(item)


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Malformed(f"holds {text}, which is larger than any number of 64 bits")
    return value


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"holds {name}, which is no JSON number")


# --- two documents ---------------------------------------------------------------------------------------------------

ABSENT: Any = object()
#: How many items of a list a message names.
_FEW = 5


def differences(
    claimed: Mapping[str, Any], expected: Mapping[str, Any], keys: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The leaves in which two mappings differ; `1`, `1.0` and `true` are three values."""
    for key in sorted({*claimed, *expected}, key=str):
        says, known = claimed.get(key, ABSENT), expected.get(key, ABSENT)
        if isinstance(says, Mapping) and isinstance(known, Mapping):
            yield from differences(says, known, (*keys, str(key)))
        elif not equal(says, known):
            yield (*keys, str(key)), says, known


def equal(one: Any, other: Any) -> bool:
    """Whether two values are one, kind and all."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    return type(one) is type(other) and bool(one == other)


def shown(value: Any) -> str:
    """A value as a message has it."""
    return "nothing" if value is ABSENT else repr(value)


def shown_beside(value: Any, other: Any, most: int = 60) -> str:
    """A value as a message has it beside another one; of a long list, what the other does not have."""
    text = shown(value)
    if len(text) <= most or not isinstance(value, list):
        return text
    if not isinstance(other, list):
        return f"a list of {len(value)}, {_some(value)}"
    only = lacking(value, other)
    if not only and not lacking(other, value):
        return f"a list of {len(value)} in another order"
    return f"a list of {len(value)}" + (f" with {_some(only)}" if only else "")


def changed(before: Any, now: Any) -> str:
    """What became of a value; of two lists, what went and what came."""
    if not isinstance(before, list) or not isinstance(now, list):
        return f"{shown_beside(before, now)} -> {shown_beside(now, before)}"
    gone, new = lacking(before, now), lacking(now, before)
    parts = [*(f"-{item}" for item in gone[:_FEW]), *(["-…"] if len(gone) > _FEW else [])]
    parts += [*(f"+{item}" for item in new[:_FEW]), *(["+…"] if len(new) > _FEW else [])]
    return " ".join(parts) or "in another order"


def lacking(items: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    """Those items that the other list does not have."""
    return [item for item in items if not any(equal(item, one) for one in other)]


def _some(items: Sequence[Any]) -> str:
    return ", ".join(map(repr, items[:_FEW])) + (" …" if len(items) > _FEW else "")


# --- the YAML that DVC writes, ten times as fast -------------------------------------------------------------------------

# libyaml splits a document into scalars, of which this takes only those that YAML 1.2 cannot read in a second way, in block
# style. All the rest is ruamel's to read: a document that this does not know at sight is given up as a whole.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:e[-+][0-9]+)?")
_TEXT = re.compile(r"[A-Za-z_/][^\x00-\x1f\x7f-\xa0]*")
_HASH = re.compile(r"(?=[0-9a-f]*[acdf])[0-9a-f]{32}(?:\.dir)?")
_WORDS = {"true": True, "false": False, "null": None}
#: Line breaks and marks that the two read differently, and escapes.
_UNLIKE = re.compile(rb"[\t\r\\]|\xc2\x85|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|^(?:---|\.\.\.|%)", re.MULTILINE)


class _Unsure(Exception):
    """A document that is ruamel's to read, or to refuse."""


def _load_plain_yaml(content: bytes) -> Any:
    if _UNLIKE.search(content):
        raise _Unsure
    try:
        import yaml

        events = yaml.parse(content.decode("utf-8"), Loader=yaml.CSafeLoader)
        next(events), next(events)  # the stream, the document
        return _value(events, next(events))
    except (AttributeError, ImportError, RecursionError, StopIteration, UnicodeDecodeError, ValueError):
        raise _Unsure from None
    except yaml.YAMLError:
        raise _Unsure from None


def _value(events: Iterator[Any], event: Any) -> Any:
    kind = type(event).__name__
    if kind == "StreamEndEvent":
        return None
    if kind == "AliasEvent" or event.anchor or event.tag:
        raise _Unsure
    if kind == "ScalarEvent":
        if event.style in {"|", ">"}:
            raise _Unsure
        return event.value if event.style else _scalar(event.value)
    if kind == "SequenceStartEvent":
        return [_value(events, item) for item in _until("SequenceEndEvent", events, event)]
    mapping: dict[str, Any] = {}
    for key_event in _until("MappingEndEvent", events, event):
        key = _value(events, key_event)
        if not isinstance(key, str) or key in mapping:
            raise _Unsure
        mapping[key] = _value(events, next(events))
    return mapping


def _until(end: str, events: Iterator[Any], start: Any) -> Iterator[Any]:
    for event in events:
        if type(event).__name__ == end:
            return
        if start.flow_style:  # `{a:1}` is two things to the two versions; `{}` is one
            raise _Unsure
        yield event


def _scalar(text: str) -> Any:
    if text in _WORDS or not text:
        return _WORDS.get(text)
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if (_TEXT.fullmatch(text) and text.lower() not in _WORDS) or _HASH.fullmatch(text):
        return text
    raise _Unsure
