"""The gate's judgement: which cases a snapshot has, and what the rules say of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import pipeline as dvc
from . import policy as policies
from . import sidecar as sidecars
from .checks import ACT, CACHE, GIT, RULES, Case, Rule
from .errors import Malformed
from .findings import Finding, Report
from .git import Repository
from .names import Attempt, ReleaseTag, parse_tag
from .policy import Policy
from .snapshot import CommitSnapshot, DiskSnapshot, IndexSnapshot, Snapshot
from .storage import Progress

EVERYTHING = frozenset({GIT, CACHE})


@dataclass(frozen=True)
class Moment:
    """When a judgement is made, and so what it can read."""

    can_read: frozenset[str] = EVERYTHING
    progress: Progress | None = None


def staged(repository: Repository) -> Report:
    """Each staged sidecar against what the staged `dvc.lock` and metrics file record: work in progress commits freely."""
    index = IndexSnapshot(repository)
    changed = sorted(path for path in index.changed() if sidecars.is_sidecar(path) and index.read(path) is not None)
    if changed:  # most commits touch none, and need not read what is
        known = {sidecars.path_of(model) for model in _models(index)}
        changed = [path for path in changed if path in known]
    if not changed:
        return Report([], subject=index.name)
    policy, findings = _policy(index)
    for path in changed:
        case = Case(repository, index, policy, path, _model(path), committing=True)
        findings += _apply(case, [rule for rule in RULES.values() if rule.recorded])
    return Report(_unique(findings), subject=index.name)


def recorded(repository: Repository, model: str) -> Report:
    """The sidecar on disk against what `dvc.lock` and the metrics file on disk record; no bytes of data or model are read."""
    disk = DiskSnapshot(repository)
    policy, findings = _policy(disk)
    case = Case(repository, disk, policy, sidecars.path_of(model), model)
    findings += _apply(case, [rule for rule in RULES.values() if rule.recorded])
    return Report(_unique(findings), subject=disk.name)


def tagged(
    repository: Repository,
    tag: str,
    commit: str,
    moment: Moment = Moment(),
    policy: Policy | None = None,
) -> Report | None:
    """A release tag on a commit, before or after it is made; None where the name means no release of this repository.

    Args:
        policy: the one to judge by; default: that of the commit.
    """
    meaning = parse_tag(tag)
    if meaning is None:
        return None
    snapshot = CommitSnapshot(repository, commit)
    models = _models(snapshot)
    prefix = tag.rpartition("/")[0]
    if prefix and prefix not in models:
        return None
    if isinstance(meaning, Attempt):
        case = Case(repository, snapshot, Policy(), "", prefix, tag=tag, meaning=meaning)
        return Report(list(RULES["VE01"].check(case)), subject=tag)
    return _release(repository, snapshot, meaning, tag, models, moment, policy)


def release_on_disk(repository: Repository, tag: str, moment: Moment = Moment()) -> Report:
    """The working tree as if it were committed and tagged now; without a tag, as if it were released as declared."""
    disk = DiskSnapshot(repository)
    meaning = parse_tag(tag) if tag else None
    return _release(repository, disk, meaning if isinstance(meaning, ReleaseTag) else None, tag, _models(disk), moment, None)


def revision(repository: Repository, name: str, moment: Moment = Moment(), policy: Policy | None = None) -> Report | None:
    """A commit that has no release tag: everything but what only a tag can say; None where it names no commit."""
    commit = repository.resolve(name)
    if commit is None:
        return None
    snapshot = CommitSnapshot(repository, commit)
    return _release(repository, snapshot, None, "", _models(snapshot), moment, policy, subject=name)


def _release(
    repository: Repository,
    snapshot: Snapshot,
    meaning: ReleaseTag | None,
    tag: str,
    models: list[str],
    moment: Moment,
    policy: Policy | None,
    subject: str = "",
) -> Report:
    findings: list[Finding] = []
    if policy is None:
        policy, findings = _policy(snapshot)
    chosen = [meaning.model] if meaning and meaning.model else models
    declared = _declared(snapshot)  # a sidecar that is left over makes no second model: SC03 names it
    if meaning and not meaning.model and len(declared) > 1:
        return Report([_ambiguous(tag, meaning, declared)], subject=tag)
    rules = [rule for rule in RULES.values() if rule.needs in moment.can_read]
    for model in chosen or [policy.model or "model"]:
        case = Case(
            repository, snapshot, policy, sidecars.path_of(model), model,
            tag=tag, meaning=meaning, progress=moment.progress,
        )  # fmt: skip
        findings += _apply(case, rules)
    skipped = [rule.code for rule in RULES.values() if rule.needs not in {*moment.can_read, ACT}]
    return Report(_unique(findings), skipped, subject or tag or snapshot.name)


def _ambiguous(tag: str, meaning: ReleaseTag, models: list[str]) -> Finding:
    right = f"{models[0]}/{meaning.version}"
    message = f"{tag} could be a release of any of {len(models)} models: {', '.join(models)}"
    hint = f"git tag -a {right} -m {right}"
    return Finding("VE01", f"refs/tags/{tag}", message, expected=right, actual=tag, hint=hint, ref=tag)


def _apply(case: Case, rules: list[Rule]) -> Iterator[Finding]:
    there = case.snapshot.read(case.file) is not None
    for rule in rules:
        if not there and rule.code not in ("SC03", "VE01", "VE03"):
            continue  # without a sidecar there is one thing to say
        try:
            yield from rule.check(case)
        except Malformed as error:
            file, _, message = str(error).partition(" ")
            yield Finding("CO02", file, message, hint=error.hint or f"git checkout HEAD~ -- {file}", ref=case.tag)


def _policy(snapshot: Snapshot) -> tuple[Policy, list[Finding]]:
    try:
        return policies.load(snapshot), []
    except Malformed as error:
        hint = f"git checkout HEAD -- {policies.FILE}"
        return Policy(), [Finding("SC01", policies.FILE, str(error).removeprefix(policies.FILE).lstrip(": "), hint=hint)]


def _models(snapshot: Snapshot) -> list[str]:
    """The models of a snapshot: those with a sidecar, and those that `dvc.yaml` declares."""
    return sorted({*map(_model, sidecars.find(snapshot)), *_declared(snapshot)})


def _declared(snapshot: Snapshot) -> list[str]:
    try:
        artifacts = (snapshot.yaml(dvc.PIPELINE) or {}).get("artifacts") or {}
        return sorted(name for name, item in artifacts.items() if sidecars.field(item, "type") == "model")
    except (Malformed, AttributeError, TypeError):
        return []


def _model(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def _unique(findings: list[Finding]) -> list[Finding]:
    kept: list[Finding] = []
    for finding in findings:
        if finding not in kept:
            kept.append(finding)
    return kept
