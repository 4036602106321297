"""Which part of the version should grow: what changed for those who call the model, since its last final release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import features
from . import pipeline as dvc
from . import sidecar as sidecars
from .documents import differences, shown
from .git import Repository
from .history import History
from .policy import Policy
from .releases import Release
from .snapshot import DiskSnapshot
from .storage import Storage


@dataclass(frozen=True)
class Reason:
    """One change, and the part of the version that it makes grow."""

    part: str
    what: str


def last_final(repository: Repository, model: str) -> Release | None:
    """The newest final release of a model that HEAD is or stands on."""
    head = repository.head()
    if head is None:
        return None
    return next(History(repository).earlier(head, model, lambda one: not one.version.pre, including=True), None)


def reasons(repository: Repository, policy: Policy, since: Release) -> Iterator[Reason]:
    """Each change between a release and the working tree: major breaks calls, minor is another model, patch the same one anew."""
    disk, model = DiskSnapshot(repository), policy.model
    before, now = History(repository).sidecar(since, model), disk.json(sidecars.path_of(model)) or {}
    yield from _of_features(repository, policy, since, before, now)
    yield from _changed("minor", "parameter", before.get("hyperparameters"), now.get("hyperparameters"))
    code = repository.run("diff", "--name-only", "-z", since.commit, "--", "src", dvc.PIPELINE).split("\0")
    retrained = sidecars.field(before, "artifact", "sha256") != sidecars.field(now, "artifact", "sha256")
    for path in filter(None, code):
        yield Reason("minor" if retrained else "patch", f"code: {path}")
    if sidecars.field(before, "data", "md5") != sidecars.field(now, "data", "md5"):
        yield Reason("patch", f"data: {before.get('data_id')} -> {now.get('data_id')}")
    if sidecars.field(before, "environment", "lock_sha256") != sidecars.field(now, "environment", "lock_sha256"):
        yield Reason("patch", f"packages: {policy.environment}")
    yield from _changed("patch", "metric", before.get("metrics"), now.get("metrics"))


def _of_features(
    repository: Repository, policy: Policy, since: Release, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Reason]:
    if sidecars.field(before, "features", "sha256") == sidecars.field(now, "features", "sha256"):
        return
    was = features.at_release(repository, Storage(repository), since, policy.model)
    path = sidecars.features_of(policy.model)
    is_now = features.read(repository.path / path)
    if was is None:
        yield Reason("major", f"features: not comparable here, until `dvc fetch --all-tags {path}`")
        return
    for change in features.compare(was, is_now):
        yield Reason("major" if change.breaks else "minor", f"features: {change}")


def _changed(part: str, what: str, before: Any, now: Any) -> Iterator[Reason]:
    for keys, was, is_now in differences(before or {}, now or {}):
        yield Reason(part, f"{what} {'.'.join(keys)}: {shown(was)} -> {shown(is_now)}")
