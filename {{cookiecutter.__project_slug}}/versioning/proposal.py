"""Which part of the version should grow: what changed for those who call the model, since its last final release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import features
from . import pipeline as dvc
from . import sidecar as sidecars
from .documents import changed, differences
from .git import Repository
from .history import History
from .policy import FILE, Policy
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
    """Each change between a release and the working tree, and the part of the version that it makes grow.

    Major breaks calls. Minor is another model: other inputs or parameters, or other bytes that measure differently, whatever
    made them so. Patch is the same model anew: the same bytes, or other ones that measure the same.
    """
    disk, model = DiskSnapshot(repository), policy.model
    before, now = History(repository).sidecar(since, model), disk.json(sidecars.path_of(model)) or {}
    yield from _of_features(repository, policy, since, before, now)
    for keys, was, is_now in differences(before.get("hyperparameters") or {}, now.get("hyperparameters") or {}):
        yield Reason("minor", f"parameter {'.'.join(keys)}: {changed(was, is_now)}")
    metrics = [*differences(before.get("metrics") or {}, now.get("metrics") or {})]
    retrained = sidecars.field(before, "artifact", "sha256") != sidecars.field(now, "artifact", "sha256")
    grows = "minor" if retrained and metrics else "patch"
    code = repository.run("diff", "--name-only", "-z", since.commit, "--", "src", dvc.PIPELINE).split("\0")
    for path in filter(None, code):
        yield Reason(grows, f"code: {path}")
    yield from (Reason(grows, what) for what in _of_data(before, now))
    if sidecars.field(before, "environment", "lock_sha256") != sidecars.field(now, "environment", "lock_sha256"):
        yield Reason(grows, f"packages: {policy.environment}")
    if retrained:
        yield Reason(grows, f"model: other bytes that measure {'differently' if metrics else 'the same'}")
    yield from (Reason(grows, f"metric {'.'.join(keys)}: {changed(was, is_now)}") for keys, was, is_now in metrics)
    if repository.run("diff", "--name-only", since.commit, "--", FILE):
        yield Reason("patch", f"policy: {FILE}")


def _of_data(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    was, is_now = (str(sidecars.field(one, "data", "md5") or "nothing") for one in (before, now))
    name, new_name = before.get("data_id"), now.get("data_id")
    if was != is_now and name == new_name:
        yield f"data: {was[:7]} -> {is_now[:7]}, and both are called {name}: other data needs another data.id (DA02)"
    elif was != is_now:
        yield f"data: {name} -> {new_name}"
    elif sidecars.field(before, "evaluation_data", "md5") != sidecars.field(now, "evaluation_data", "md5"):
        yield "data: it is evaluated on other rows"


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
    found = [*features.compare(was, is_now)]
    yield from (Reason("major" if change.breaks else "minor", f"features: {change}") for change in found)
    if not found:
        yield Reason("patch", f"features: {path} is written in another form")
