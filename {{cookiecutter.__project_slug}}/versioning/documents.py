"""JSON read strictly, YAML read as DVC reads it (YAML 1.2, ruamel's safe loader)."""

from __future__ import annotations

import json
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


def load_yaml(content: bytes) -> Any:
    """The value in a YAML file; an empty file is an empty mapping, as for DVC.

    Raises:
        Malformed: no YAML 1.2, or duplicate keys.
    """
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
