"""`versioning.yaml`: every rule of this repository, as data."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from . import objectives
from .errors import Malformed
from .git import Repository
from .names import MODEL, STAGES, ReleaseTag, parse_tag
from .objectives import Objectives
from .snapshot import CommitSnapshot, Snapshot

FILE = "versioning.yaml"
POLICIES = ("solo", "team", "regulated")
#: Whatever a team decides, these say what a release is: without them nothing else could be believed.
NEVER_WAIVED = ("SC", "AR", "VE01", "VE02", "VE07")
_RULE = re.compile(r"[A-Z]{2}[0-9]{2}")
_OF_A_MODEL = {"params", "thresholds", "checklist", "paths"}
_KEYS = {"model", "team", "policy", "registry", "ci", "stages", "allow_pickle", "waivers", "models", "objectives"} | (
    _OF_A_MODEL - {"params"}
)
_PATHS = {"metrics", "evaluation_data", "evaluation", "environment"}
#: Where a repository says nothing, a sidecar as the sidecar stage writes it.
_CHECKLIST = ("artifact", "data", "features", "environment", "team")


@dataclass(frozen=True)
class Threshold:
    """Between which values a metric has to lie, both included, for a release."""

    metric: str
    least: float | None = None
    most: float | None = None

    def allows(self, value: float) -> bool:
        """Whether a value lies between them."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        bounds = (("at least", self.least), ("at most", self.most))
        return " and ".join(f"{side} {value}" for side, value in bounds if value is not None)


@dataclass(frozen=True)
class Waiver:
    """A recorded exception: one rule, one release, with a reason and an end."""

    rule: str
    version: str
    reason: str
    by: str
    until: dt.date

    def covers(self, code: str, tag: str, day: dt.date) -> bool:
        """Whether it lets a finding of this rule pass for this release, made on this day."""
        return self.rule == code and self.version == tag and day <= self.until


@dataclass(frozen=True)
class Policy:
    """What `versioning.yaml` says; a key that is not there has the value shown here."""

    model: str = ""
    team: str = "team"
    policy: str = "solo"
    stages: tuple[str, ...] = ("staging", "canary", "prod")
    allow_pickle: bool = False
    checklist: tuple[str, ...] = _CHECKLIST
    thresholds: tuple[Threshold, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    #: Where the model's version, data and parameters are declared.
    params: str = "params.yaml"
    metrics: str = "reports/metrics.json"
    evaluation_data: str = ""
    evaluation: tuple[str, ...] = ()
    environment: str = "requirements.lock"
    #: What `models:` says of further models, by name: the keys in which they differ.
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    objectives: Objectives = field(default_factory=Objectives)

    @property
    def entry_stage(self) -> str:
        """The stage at which a new release enters."""
        return self.stages[0]

    @property
    def signed(self) -> bool:
        """Whether a release has to be a signed tag."""
        return self.policy == "regulated"

    def waivers_of(self, tag: str) -> list[Waiver]:
        """The recorded exceptions of one release."""
        return [waiver for waiver in self.waivers if waiver.version == tag]

    def of(self, model: str) -> Policy:
        """The policy as it is for one model: files and thresholds are each model's own, all else is shared."""
        own = self.others.get(model)
        if own is None:
            return self
        above = f"models.{model}."
        paths, below = _mapping(own, "paths", above), f"{above}paths."
        return replace(
            self,
            model=model,
            params=_text(own, "params", self.params, above),
            thresholds=tuple(_thresholds(own, above)),
            checklist=tuple(_texts(own, "checklist", self.checklist, above)),
            metrics=_text(paths, "metrics", self.metrics, below),
            evaluation_data=_text(paths, "evaluation_data", "", below),
            evaluation=tuple(_texts(paths, "evaluation", (), below)),
            environment=_text(paths, "environment", self.environment, below),
            others={},
        )

    def under(self, authority: Policy, *, several: bool) -> Policy:
        """These files and names, judged by the rules of another policy: that of the default branch.

        A commit says where its own files are; how strictly they are judged, it does not say. Only a model that is one of
        several, and that the default branch does not know yet, comes with thresholds of its own.
        """
        is_new = several and self.model not in (authority.model, *authority.others)
        authority = authority.of(self.model)
        return replace(
            authority,
            model=self.model,
            params=self.params,
            metrics=self.metrics,
            evaluation_data=self.evaluation_data,
            evaluation=self.evaluation,
            environment=self.environment,
            thresholds=self.thresholds if is_new else authority.thresholds,
        )


def unknown_keys(snapshot: Snapshot) -> list[str]:
    """What `versioning.yaml` says and nothing reads: a slip such as `threshholds:` would ask for nothing, in silence."""
    content = snapshot.yaml(FILE) or {}
    found = [str(key) for key in content if key not in _KEYS]
    found += [f"paths.{key}" for key in _mapping(content, "paths") if key not in _PATHS]
    for name, own in _mapping(content, "models").items():
        found += [f"models.{name}.{key}" for key in own or {} if key not in _OF_A_MODEL]
        found += [f"models.{name}.paths.{key}" for key in _mapping(own or {}, "paths") if key not in _PATHS]
    return found + objectives.unknown_keys(content)


def recorded_waivers(repository: Repository, commit: str, tag: str) -> list[Waiver]:
    """The exceptions of a release: those its own commit records, and those that were recorded since."""
    found: list[Waiver] = []
    for snapshot in (CommitSnapshot(repository, commit), CommitSnapshot(repository, "HEAD")):
        with suppress(Malformed):  # which its judgement says
            found += [waiver for waiver in load(snapshot).waivers_of(tag) if waiver not in found]
    return found


def load(snapshot: Snapshot) -> Policy:
    """The policy of a snapshot; all defaults where it has none.

    Raises:
        Malformed: a value of a kind that its key does not take.
    """
    content = snapshot.yaml(FILE) or {}
    paths = _mapping(content, "paths")
    others = _mapping(content, "models")
    policy = Policy(
        model=_text(content, "model", ""),
        team=_text(content, "team", Policy.team),
        policy=_one_of(content, "policy", POLICIES, Policy.policy),
        stages=_stages(content),
        allow_pickle=content.get("allow_pickle") is True,
        checklist=tuple(_texts(content, "checklist", _CHECKLIST)),
        thresholds=tuple(_thresholds(content)),
        waivers=tuple(_waivers(content)),
        metrics=_text(paths, "metrics", Policy.metrics, "paths."),
        evaluation_data=_text(paths, "evaluation_data", "", "paths."),
        evaluation=tuple(_texts(paths, "evaluation", (), "paths.")),
        environment=_text(paths, "environment", Policy.environment, "paths."),
        objectives=objectives.parse(content, FILE),
        others={str(name): own or {} for name, own in others.items()},
    )
    for name, own in policy.others.items():
        if not MODEL.fullmatch(name) or not isinstance(own, dict):
            raise Malformed(f"{FILE}: models.{name} holds {own!r}; a model is a name such as «uplift» with keys of its own")
        policy.of(name)  # what is wrong in it is said now, not on the day it is released
    return policy


def _stages(content: Mapping[str, Any]) -> tuple[str, ...]:
    stages = _texts(content, "stages", Policy.stages)
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages:
        raise Malformed(f"{FILE}: stages holds {unknown or 'nothing'}; the stages are {', '.join(STAGES)}")
    return stages


def _thresholds(content: Mapping[str, Any], above: str = "") -> Iterator[Threshold]:
    for metric, bounds in _mapping(content, "thresholds", above).items():
        where = f"{FILE}: {above}thresholds.{metric}"
        if not isinstance(bounds, dict) or not bounds or bounds.keys() - {"min", "max"}:
            raise Malformed(f"{where} holds {bounds!r}, not {{min: NUMBER}}, {{max: NUMBER}} or both")
        for value in bounds.values():
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 (NaN)
                raise Malformed(f"{where} holds {value!r}, not a number")
        yield Threshold(str(metric), bounds.get("min"), bounds.get("max"))


def _waivers(content: Mapping[str, Any]) -> Iterator[Waiver]:
    keys = ("rule", "version", "reason", "by", "until")
    for position, item in enumerate(content.get("waivers") or []):
        where = f"{FILE}: waivers[{position}]"
        if not isinstance(item, dict) or {*item} != {*keys}:
            raise Malformed(f"{where} holds {item!r}; a waiver has {', '.join(keys)}")
        empty = [key for key in keys[:4] if not isinstance(item[key], str) or not item[key].strip()]
        if empty:
            raise Malformed(f"{where}.{empty[0]} holds {item[empty[0]]!r}, not a text")
        if not _RULE.fullmatch(item["rule"]):
            raise Malformed(f"{where}.rule holds {item['rule']!r}, not the code of a rule such as ME03")
        if item["rule"].startswith(NEVER_WAIVED):
            raise Malformed(f"{where} waives {item['rule']}, which is never waived: {', '.join(NEVER_WAIVED)}")
        if not isinstance(parse_tag(item["version"]), ReleaseTag):
            raise Malformed(f"{where}.version holds {item['version']!r}, not one release such as v1.2.0")
        rule, version, reason, by = (item[key] for key in keys[:4])
        yield Waiver(rule, version, reason, by, _day(item["until"], f"{where}.until"))


def _day(value: Any, where: str) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Malformed(f"{where} holds {value!r}, not a day such as 2027-01-31") from None


def _mapping(content: Mapping[str, Any], key: str, above: str = "") -> Mapping[str, Any]:
    value = content.get(key) or {}
    if not isinstance(value, dict):
        raise Malformed(f"{FILE}: {above}{key} holds {value!r}, not a mapping")
    return value


def _one_of(content: Mapping[str, Any], key: str, choices: tuple[str, ...], default: str) -> str:
    value = _text(content, key, default)
    if value not in choices:
        raise Malformed(f"{FILE}: {key} holds {value!r}; it is one of {', '.join(choices)}")
    return value


def _text(content: Mapping[str, Any], key: str, default: str, above: str = "") -> str:
    value = content.get(key, default)
    if value is None:
        return default
    if not isinstance(value, str):
        raise Malformed(f"{FILE}: {above}{key} holds {value!r}, not a text")
    return value


def _texts(content: Mapping[str, Any], key: str, default: tuple[str, ...], above: str = "") -> tuple[str, ...]:
    value = content.get(key)
    if value is None:
        return default
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(f"{FILE}: {above}{key} holds {value!r}, not a list of texts")
    return tuple(value)
