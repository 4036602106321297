"""What model versioning is to achieve here, as `versioning.yaml` says it, and what was measured of it in this clone."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .errors import Malformed
from .git import Repository
from .names import MODEL, STAGES

KEYS = ("statement", "scope", "environments", "model_types", "rollback_within", "reproduce_within")
SCOPE = ("models", "teams")
_ENVIRONMENTS = tuple(stage for stage in STAGES if stage != "retired")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) (second|minute|hour|day|week)s?")
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}


@dataclass(frozen=True)
class Objectives:
    """The objective statement; what a repository leaves out is None or empty, and asks for nothing."""

    statement: str = ""
    #: Which models and teams it covers; none named is all of them.
    models: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    model_types: tuple[str, ...] = ()
    rollback_within: dt.timedelta | None = None
    reproduce_within: dt.timedelta | None = None


def parse(content: Mapping[str, Any], file: str) -> Objectives:
    """The section `objectives:` of a policy.

    Raises:
        Malformed: a value of a kind that its key does not take.
    """
    section = _mapping(content.get("objectives"), f"{file}: objectives")
    where = f"{file}: objectives."
    scope = _mapping(section.get("scope"), f"{where}scope")
    statement = section.get("statement")
    if statement is not None and not isinstance(statement, str):
        raise Malformed(f"{where}statement holds {statement!r}, not a text")
    models = _texts(scope, "models", f"{where}scope.")
    unlike = [name for name in models if not MODEL.fullmatch(name)]
    if unlike:
        raise Malformed(f"{where}scope.models holds {unlike[0]!r}, which is no name of a model")
    environments = _texts(section, "environments", where)
    unknown = [name for name in environments if name not in _ENVIRONMENTS]
    if unknown:
        raise Malformed(f"{where}environments holds {unknown[0]!r}; an environment is one of {', '.join(_ENVIRONMENTS)}")
    return Objectives(
        statement=statement or "",
        models=models,
        teams=_texts(scope, "teams", f"{where}scope."),
        environments=environments,
        model_types=_texts(section, "model_types", where),
        rollback_within=_duration(section, "rollback_within", where),
        reproduce_within=_duration(section, "reproduce_within", where),
    )


def unknown_keys(content: Mapping[str, Any]) -> list[str]:
    """What the section says and nothing reads."""
    section = content.get("objectives") or {}
    scope = section.get("scope") or {}
    return [f"objectives.{key}" for key in section if key not in KEYS] + [
        f"objectives.scope.{key}" for key in scope if key not in SCOPE
    ]


def spoken(length: dt.timedelta) -> str:
    """A duration as a person says it: `1.5 s`, `30 minutes`, `1 day`."""
    seconds = length.total_seconds()
    if seconds < _UNITS["minute"]:
        return f"{seconds:.1f} s"
    unit = next(name for name in ("day", "hour", "minute") if seconds >= _UNITS[name])
    count = f"{seconds / _UNITS[unit]:.1f}".removesuffix(".0")
    return f"{count} {unit}{'' if count == '1' else 's'}"


def _duration(section: Mapping[str, Any], key: str, where: str) -> dt.timedelta | None:
    value = section.get(key)
    if value is None:
        return None
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= dt.timedelta.max.total_seconds():
        raise Malformed(f"{where}{key} holds {value!r}, not a duration such as 30 minutes, 4 hours or 1 day")
    return dt.timedelta(seconds=seconds)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{where} holds {value!r}, not a mapping")
    return value


def _texts(section: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = section.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise Malformed(f"{where}{key} holds {value!r}, not a list of texts")
    return tuple(value)


# --- measured ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """How long it took, and when, until the data and the model of a release were back on disk."""

    tag: str
    took: dt.timedelta
    on: str


class Rollbacks:
    """The last time that somebody went back to a release in this clone, kept in the common Git directory."""

    def __init__(self, repository: Repository) -> None:
        self._file = repository.common_dir / "model-gate" / "rollback.json"

    def remember(self, tag: str, seconds: float) -> None:
        """Replace what is kept; where it cannot be written, nothing is measured."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            draft.write_text(json.dumps({"tag": tag, "seconds": round(seconds, 3), "on": now}) + "\n", "utf-8")
            draft.replace(self._file)

    @property
    def last(self) -> Measured | None:
        """The last one; None where nobody went back yet, or what is kept cannot be read."""
        try:
            kept = json.loads(self._file.read_text("utf-8"))
            return Measured(str(kept["tag"]), dt.timedelta(seconds=float(kept["seconds"])), str(kept["on"])[:10])
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None
