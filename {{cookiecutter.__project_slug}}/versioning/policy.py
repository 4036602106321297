"""`versioning.yaml`: every rule of this repository, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Malformed
from .names import STAGES
from .snapshot import Snapshot

FILE = "versioning.yaml"


@dataclass(frozen=True)
class Policy:
    """What `versioning.yaml` says; a key that is not there has the value shown here."""

    model: str = ""
    team: str = "team"
    policy: str = "solo"
    stages: tuple[str, ...] = ("staging", "canary", "prod")
    allow_pickle: bool = False
    metrics: str = "reports/metrics.json"
    evaluation_data: str = ""
    evaluation: tuple[str, ...] = ()
    environment: str = "requirements.lock"

    @property
    def entry_stage(self) -> str:
        """The stage at which a new release enters."""
        return self.stages[0]


def load(snapshot: Snapshot) -> Policy:
    """The policy of a snapshot; all defaults where it has none.

    Raises:
        Malformed: a value of a kind that its key does not take.
    """
    content = snapshot.yaml(FILE) or {}
    paths = content.get("paths") or {}
    if not isinstance(paths, dict):
        raise Malformed(f"{FILE}: paths holds {paths!r}, not a mapping of names to files")
    stages = tuple(_texts(content, "stages", Policy.stages))
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages:
        raise Malformed(f"{FILE}: stages holds {unknown or 'nothing'}; the stages are {', '.join(STAGES)}")
    return Policy(
        model=_text(content, "model", ""),
        team=_text(content, "team", Policy.team),
        policy=_text(content, "policy", Policy.policy),
        stages=stages,
        allow_pickle=content.get("allow_pickle") is True,
        metrics=_text(paths, "metrics", Policy.metrics),
        evaluation_data=_text(paths, "evaluation_data", ""),
        evaluation=tuple(_texts(paths, "evaluation", ())),
        environment=_text(paths, "environment", Policy.environment),
    )


def _text(content: Mapping[str, Any], key: str, default: str) -> str:
    value = content.get(key, default)
    if value is None:
        return default
    if not isinstance(value, str):
        raise Malformed(f"{FILE}: {key} holds {value!r}, not a text")
    return value


def _texts(content: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = content.get(key)
    if value is None:
        return default
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(f"{FILE}: {key} holds {value!r}, not a list of texts")
    return tuple(value)
