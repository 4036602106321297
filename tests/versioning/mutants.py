"""Every way in which one field of a document may be wrong: the mutants that a gate must not let through."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """A document with one thing changed: where, and how."""

    path: str
    how: str
    value: Any


def mutants(document: Any, *, thin: bool = False) -> Iterator[Mutant]:
    """All mutants of a document.

    Args:
        thin: give a value its nearest lie and one of the others, in turn, in place of all.
    """
    for turn, (keys, node) in enumerate(_nodes(document)):
        nearest, *others = _wrong_values(node)
        for how, wrong in [nearest, others[turn % len(others)]] if thin else [nearest, *others]:
            yield _mutant(document, keys, how, lambda above, last, wrong=wrong: _put(above, last, wrong))
        if keys and isinstance(keys[-1], str):
            yield _mutant(document, keys, "is gone", lambda above, last: above.pop(last))
            yield _mutant(document, keys, "has its key in other case", _rename)
        elif keys:
            yield _mutant(document, keys, "is gone", lambda above, last: above.pop(last))
            yield _mutant(document, keys, "is there twice", lambda above, last: above.insert(last, above[last]))
            if int(keys[-1]):
                yield _mutant(document, keys, "has its neighbour's place", _swap)


def places(document: Any) -> list[Keys]:
    """The keys of every value of a document, its whole included."""
    return [keys for keys, _ in _nodes(document)]


def with_value(document: Any, keys: Keys, value: Any) -> Mutant:
    """The mutant that has another value under the keys."""
    return _mutant(document, keys, f"is {value!r}", lambda above, last: _put(above, last, value))


def _nodes(node: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    yield keys, node
    for key, item in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from _nodes(item, (*keys, key))


def _mutant(document: Any, keys: Keys, how: str, change: Callable[[Any, Any], Any]) -> Mutant:
    changed = copy.deepcopy(document)
    if keys:
        _at(changed, keys[:-1], lambda above: change(above, keys[-1]))
    else:
        holder = [changed]
        change(holder, 0)
        (changed,) = holder
    return Mutant(".".join(map(str, keys)), how, changed)


def _at(document: Any, keys: Keys, change: Callable[[Any], Any]) -> Any:
    place = document
    for key in keys:
        place = place[key]
    change(place)
    return document


def _put(above: Any, last: Any, value: Any) -> None:
    above[last] = value


def _rename(above: Any, last: str) -> None:
    items = [(key.swapcase() if key == last else key, item) for key, item in above.items()]
    above.clear()
    above.update(items)


def _swap(above: Any, last: int) -> None:
    above[last - 1], above[last] = above[last], above[last - 1]


def _wrong_values(value: Any) -> list[tuple[str, Any]]:
    """Values that are not this one and what they are called, the nearest lie first."""
    if isinstance(value, dict):
        return [("has a note more", {**value, "note": 1}), *_called({}, None, [], "x", 1)]
    if isinstance(value, list):
        return [("has an x more", [*value, "x"]), ("has its first twice", [*value, *value[:1]]), *_called([], None, {}, "x", 1)]
    if isinstance(value, bool):
        return _called(not value, int(value), str(value).lower(), None)
    if isinstance(value, int):
        return _called(value + 1, str(value), -value - 1, float(value), (value + 1) * 10**30, None, True, [value])
    if isinstance(value, float):
        return _called(value + 0.01, str(value), -value - 1, value * 100, int(value), None, True, [value])
    if isinstance(value, str):
        near = [_almost(value), value + "x", "", None, f" {value}", f"{value}\n", 0, True, [value], {value: 1}]
        return _called(*near, *([value.swapcase()] if value.swapcase() != value else []))
    return _called("x", "", 0, False, [], {})


def _called(*values: Any) -> list[tuple[str, Any]]:
    return [(f"is {value!r}", value) for value in values]


def _almost(text: str) -> str:
    """The same text but for its last letter or digit: the next version, another hash, another file."""
    at = max((place for place, letter in enumerate(text) if letter.isalnum()), default=-1)
    last = "1" if text[at : at + 1] == "0" else "0"
    return text[:at] + last + text[at + 1 :] if at >= 0 else text + "x"
