"""The gate's judgement: which cases a snapshot has, and what the rules say of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from . import pipeline as dvc
from . import policy as policies
from . import releases
from . import sidecar as sidecars
from .checks import ACT, CACHE, GIT, RULES, Case, Rule, secret
from .checks.commit import never_run, no_commit
from .errors import Malformed, UsageError
from .findings import Finding, Report, Unreadable, Waived, once
from .git import Repository
from .history import History
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
    #: The policy whose rules count, where that is not the one of the commit: a server's, CI's.
    authority: Policy | None = None
    #: Whether somebody here makes a release, or asks what would stop one: DVC's cache of runs is that of this clone.
    acting: bool = False
    #: Shared by many judgements of one repository.
    history: History | None = None


def staged(repository: Repository) -> Report:
    """Each staged sidecar against what the staged `dvc.lock` and metrics file record: work in progress commits freely.

    A secret is told before it is in a commit, in every staged file that could hold one.
    """
    index = IndexSnapshot(repository)
    touched = sorted(path for path in index.changed() if secret.is_scanned(path) and index.read(path) is not None)
    secrets = [finding for path in touched for finding in secret.in_file(index, path)]
    changed = [path for path in touched if sidecars.is_sidecar(path)]
    if changed:  # most commits touch none, and need not read what is
        known = {sidecars.path_of(model) for model in models(index)}
        changed = [path for path in changed if path in known]
    if not changed and not secrets:
        return Report([], subject=index.name)
    policy, findings = _policy(index)
    cases = [_case(repository, index, policy, _model(path), Moment(), committing=True) for path in changed]
    rules = [rule for rule in RULES.values() if rule.recorded]
    judged = [(case, [*_apply(case, rules)]) for case in cases]
    judged.append((_case(repository, index, policy, policy.model, Moment(), committing=True), secrets))
    waived: list[Waived] = []
    for case, found in judged:
        kept, let_pass = _let_pass(case, secret.masked(index, [*found, *secrets])[: len(found)], Moment())
        findings += kept
        waived += let_pass
    return Report(once(findings), subject=index.name, waived=waived)


def recorded(repository: Repository, model: str) -> Report:
    """The sidecar on disk against what `dvc.lock` and the metrics file on disk record; no bytes of data or model are read."""
    disk = DiskSnapshot(repository)
    policy, findings = _policy(disk)
    case = _case(repository, disk, policy, model, Moment())
    findings += _apply(case, [rule for rule in RULES.values() if rule.recorded])
    return Report(once(findings), subject=disk.name)


def tagged(repository: Repository, tag: str, target: str, moment: Moment = Moment()) -> Report | None:
    """A release tag on an object, before or after it is made; None where the name means no release of this repository.

    Args:
        target: what the tag's ref names or is to name: a tag object, a commit, even a tree.
    """
    meaning = parse_tag(tag)
    if meaning is None or not is_ours(repository, tag, target):
        return None
    commit = repository.peel(target)
    if commit is None:
        return Report([no_commit(repository, tag, target)], subject=tag)
    snapshot = CommitSnapshot(repository, commit)
    if isinstance(meaning, Attempt):
        case = _case(repository, snapshot, Policy(), tag.rpartition("/")[0], moment, tag=tag, meaning=meaning)
        return Report(list(RULES["VE01"].check(case)), subject=tag)
    return _release(repository, snapshot, _Trial(tag, meaning, target), moment)


def is_ours(repository: Repository, tag: str, target: str) -> bool:
    """Whether a tag is a release of this repository, or meant as one; under a prefix, only where that is a model's name."""
    if parse_tag(tag) is None:
        return False
    prefix = tag.rpartition("/")[0]
    # A commit that keeps silent about a model is no way around: where HEAD is, and at the server's default branch, it is known.
    commits = {repository.peel(target), repository.head()} - {None} if prefix else set()
    return not prefix or any(prefix in models(CommitSnapshot(repository, str(commit))) for commit in commits)


def release_refs(repository: Repository) -> list[tuple[str, str]]:
    """Every release tag of this clone, and every tag that was meant as one, with what it names: a fetch brings all there are."""
    listing = repository.run("for-each-ref", "--format=%(objectname) %(refname:strip=2)", "refs/tags")
    named = ((tag, oid) for oid, _, tag in (line.partition(" ") for line in listing.splitlines()))
    return [(tag, oid) for tag, oid in named if parse_tag(tag) is not None]


def release_on_disk(repository: Repository, tag: str, moment: Moment = Moment(), model: str = "") -> Report:
    """The working tree as if it were committed and tagged now; without a tag, as if it were released as declared."""
    disk = DiskSnapshot(repository)
    meaning = parse_tag(tag) if tag else None
    trial = _Trial(tag, meaning if isinstance(meaning, ReleaseTag) else None, models=[model] if model else [])
    return _release(repository, disk, trial, moment)


def revision(repository: Repository, name: str, moment: Moment = Moment()) -> Report | None:
    """A commit that has no release tag: everything but what only a tag can say; None where it names no commit."""
    commit = repository.resolve(name)
    if commit is None:
        return None
    return _release(repository, CommitSnapshot(repository, commit), _Trial(subject=name), moment)


@dataclass(frozen=True)
class _Trial:
    """What is on trial."""

    tag: str = ""
    meaning: ReleaseTag | None = None
    oid: str = ""
    subject: str = ""
    models: Sequence[str] = field(default_factory=list)


def _release(repository: Repository, snapshot: Snapshot, trial: _Trial, moment: Moment) -> Report:
    policy, findings = _policy(snapshot)
    declared = _declared(snapshot)  # a sidecar that is left over makes no second model: SC03 names it
    meaning = trial.meaning
    if meaning and not meaning.model and len(declared) > 1:
        return Report([_ambiguous(snapshot, policy, trial.tag, meaning, declared)], subject=trial.tag)
    chosen = [meaning.model] if meaning and meaning.model else trial.models or models(snapshot)
    rules = [rule for rule in RULES.values() if rule.needs in moment.can_read]
    waived: list[Waived] = []
    for model in chosen or [policy.model or "model"]:
        case = _case(repository, snapshot, policy, model, moment, tag=trial.tag, meaning=meaning, oid=trial.oid)
        # Masked first: it is the findings of SE01 that say what must not be repeated.
        told = [*_apply(case, rules), *_acted(case, moment)]
        found, let_pass = _let_pass(case, secret.masked(snapshot, told), moment)
        findings += found
        waived += let_pass
    skipped = [rule.code for rule in RULES.values() if rule.needs not in {*moment.can_read, ACT}]
    return Report(once(findings), skipped, trial.subject or trial.tag or snapshot.name, waived, _notes(repository, trial))


def _case(
    repository: Repository,
    snapshot: Snapshot,
    policy: Policy,
    model: str,
    moment: Moment,
    *,
    tag: str = "",
    meaning: ReleaseTag | Attempt | None = None,
    oid: str = "",
    committing: bool = False,
) -> Case:
    rules = policy.of(model)
    if moment.authority:
        several = isinstance(meaning, ReleaseTag) and meaning.model is not None
        rules = rules.under(moment.authority, several=several)
    return Case(
        repository,
        snapshot,
        rules,
        sidecars.path_of(model) if model else "",
        model,
        moment.history or History(repository),
        tag=tag,
        meaning=meaning,
        oid=oid,
        committing=committing,
        progress=moment.progress,
    )


def _let_pass(case: Case, findings: Iterable[Finding], moment: Moment) -> tuple[list[Finding], list[Waived]]:
    """What stands, and what a waiver lets pass."""
    findings = list(findings)
    if not findings or not case.policy.waivers:
        return findings, []
    tag = case.tag or releases.tag_name(str(case.claim("version")), case.model, several=case.several)
    # A server and CI judge what is being released now, whatever day the tag says.
    day = dt.datetime.now(dt.UTC).date() if moment.authority else _day_of(case)
    kept, waived = [], []
    for finding in findings:
        waiver = next((each for each in case.policy.waivers if each.covers(finding.code, tag, day)), None)
        if waiver and not isinstance(finding, Unreadable):
            waived.append(Waived(finding, waiver.reason, waiver.by, waiver.until.isoformat()))
        else:
            kept.append(finding)
    return kept, waived


def _day_of(case: Case) -> dt.date:
    """The day on which a release was made; today, where it is being made."""
    made = next((release for release in case.history.releases if release.tag == case.tag), None) if case.tag else None
    return dt.datetime.fromisoformat(made.date).date() if made else dt.datetime.now(dt.UTC).date()


def _notes(repository: Repository, trial: _Trial) -> list[str]:
    if not trial.oid or repository.kind(trial.oid) == "tag":
        return []
    cure = f"git tag -f -a {trial.tag} -m {trial.tag} {trial.tag}^{{}}"
    return [f"{trial.tag} is a lightweight tag, which `git push --follow-tags` leaves behind: {cure}"]


def _ambiguous(snapshot: Snapshot, policy: Policy, tag: str, meaning: ReleaseTag, models: list[str]) -> Finding:
    """A plain version where there are several models; the one to name is the one that declares it."""
    first = sorted(models, key=lambda model: model != policy.model)
    right = f"{next((model for model in first if _version(snapshot, model) == str(meaning.version)), first[0])}/{meaning.version}"
    message = f"{tag} could be a release of any of {len(models)} models: {', '.join(models)}"
    hint = f"git tag -a {right} -m {right}"
    return Finding("VE01", f"refs/tags/{tag}", message, expected=right, actual=tag, hint=hint, ref=tag)


def _acted(case: Case, moment: Moment) -> list[Finding]:
    if not moment.acting:
        return []
    try:
        return [*never_run(case)]
    except Malformed:
        return []  # which the rules say


def _apply(case: Case, rules: list[Rule]) -> Iterator[Finding]:
    there = case.snapshot.read(case.file) is not None
    for rule in rules:
        if not there and rule.code not in ("SC03", "VE01", "VE03"):
            continue  # without a sidecar there is one thing to say
        try:
            yield from rule.check(case)
        except Malformed as error:
            file, _, message = str(error).partition(" ")
            yield Unreadable("CO02", file, message, hint=error.hint or f"git checkout HEAD~ -- {file}", ref=case.tag)


def _policy(snapshot: Snapshot) -> tuple[Policy, list[Finding]]:
    try:
        return policies.load(snapshot), []
    except Malformed as error:
        hint = f"git checkout HEAD -- {policies.FILE}"
        return Policy(), [Finding("SC01", policies.FILE, str(error).removeprefix(policies.FILE).lstrip(": "), hint=hint)]


def models(snapshot: Snapshot) -> list[str]:
    """The models of a snapshot: those with a sidecar, and those that `dvc.yaml` declares."""
    return sorted({*map(_model, sidecars.find(snapshot)), *_declared(snapshot)})


def has_several(snapshot: Snapshot) -> bool:
    """Whether a release has to say in its tag of which model it is: a plain `v1.2.0` could be any's."""
    return len(_declared(snapshot)) > 1


def known_model(snapshot: Snapshot, name: str) -> str:
    """A model's name as it was typed, or nothing where none was.

    Raises:
        UsageError: no model has it.
    """
    known = models(snapshot)
    if name and known and name not in known:
        raise UsageError(f"there is no model «{name}» here; there {'are' if len(known) > 1 else 'is'} {', '.join(known)}")
    return name


def _declared(snapshot: Snapshot) -> list[str]:
    try:
        artifacts = (snapshot.yaml(dvc.PIPELINE) or {}).get("artifacts") or {}
        return sorted(name for name, item in artifacts.items() if sidecars.field(item, "type") == "model")
    except (Malformed, AttributeError, TypeError):
        return []


def _version(snapshot: Snapshot, model: str) -> str | None:
    try:
        version = sidecars.field(snapshot.json(sidecars.path_of(model)), "version")
    except Malformed:
        return None
    return version if isinstance(version, str) else None


def _model(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")
