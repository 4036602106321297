"""What stands between the working tree and a release: one judgement of each model, and the commands in their order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from . import conflict, judge, proposal, pushing, releases
from . import pipeline as dvc
from . import policy as policies
from . import sidecar as sidecars
from .checks import program
from .errors import Malformed
from .findings import Report, joined
from .git import Repository
from .history import History
from .names import Version
from .policy import Policy
from .snapshot import DiskSnapshot

#: Findings that only training mends; what others say of the same release may be otherwise afterwards.
_RETRAINED = frozenset({"CO02", "CO04", "EN01"})
#: The name of other data has to be another before anything is trained or stamped under it.
_RENAMED = "DA02"
#: What the stamp mends, which `model release` makes by itself.
_STAMPED = frozenset({"CO01", "CO03"})
_COMMIT = 'git add -A && git commit -m "Train"'


@dataclass(frozen=True)
class Checklist:
    """What contradicts a release of the working tree as it is, and what to type."""

    report: Report
    steps: list[str]
    #: In a merge that is not done: the two sides, and the commands of which one is to be chosen.
    choice: Sequence[str] = ()
    #: The last releases of which nothing has changed: what there is, is released.
    unchanged: Sequence[str] = ()

    @property
    def stopped(self) -> bool:
        """Whether something is contradicted that no release mends by itself."""
        return not _needs_a_stamp_at_most(self.report)


def of(repository: Repository, moment: judge.Moment) -> Checklist:
    """The checklist of every model, each judged as the release that its parameters declare."""
    disk = DiskSnapshot(repository)
    fought = conflict.finding(repository, disk)
    if fought:
        return Checklist(Report([fought], subject=disk.name), [], conflict.overview(repository))
    try:
        policy = policies.load(disk)
    except Malformed:
        return Checklist(judge.release_on_disk(repository, "", moment), [])
    models = judge.models(disk) or [policy.model]
    reports, steps, unchanged = [], [], []
    for model in models:
        version = declared_version(disk, policy.of(model))
        tag = releases.tag_name(version, model, several=judge.has_several(disk)) if version else ""
        taken = version is not None and _is_taken(repository, tag, model, version)
        report = judge.release_on_disk(repository, "" if taken else tag, moment, model)
        reports.append(report)
        if not _needs_a_stamp_at_most(report):
            continue
        last = proposal.last_final(repository, model) if taken and not report.findings else None
        if last and not any(proposal.reasons(repository, policy.of(model), last)):
            unchanged.append(last.tag)
            continue
        named = f" --model {model}" if model != policy.model else ""
        steps.append(f"{program()} release{named}" if taken else f"{_tagging(report, tag)} && {pushing.command(repository)}")
    report = joined(reports, disk.name)
    # What is wrong is not committed before it is mended: the commit hook would refuse it.
    mending = [] if _needs_a_stamp_at_most(report) else _mending(report)
    if mending:
        steps = [] if _trained(report) else _hints(report, _STAMPED)
    commit = [_COMMIT] if steps and _uncommitted(repository, disk) else []
    return Checklist(report, [*mending, *commit, *steps], unchanged=unchanged)


def _needs_a_stamp_at_most(report: Report) -> bool:
    return {finding.code for finding in report.findings} <= _STAMPED


def _tagging(report: Report, tag: str) -> str:
    """Make the tag; the stamp's own hint does as well."""
    return next((finding.hint for finding in report.findings if finding.hint), f"git tag -a {tag} -m {tag}")


def _mending(report: Report) -> list[str]:
    """One training mends what it may; else each cure but the stamp, which names a commit that holds all of them."""
    return _trained(report)[:1] or _hints(report, {finding.code for finding in report.findings} - _STAMPED)


def _trained(report: Report) -> list[str]:
    """The commands that train, and so commit and stamp what comes of it; a new name for the data before all others."""
    return [*_hints(report, {_RENAMED}), *_hints(report, _RETRAINED)]


def _hints(report: Report, codes: Collection[str]) -> list[str]:
    return [*dict.fromkeys(finding.hint for finding in report.findings if finding.code in codes and finding.hint)]


def declared_version(disk: DiskSnapshot, policy: Policy) -> Version | None:
    """The version that a model's parameters name for its next release; None where they name none, or cannot be read."""
    try:
        return Version.parse(str((disk.yaml(policy.params) or {}).get(dvc.VERSION_KEY, "")))
    except Malformed:
        return None


def _is_taken(repository: Repository, tag: str, model: str, version: Version) -> bool:
    """Whether a version of a model is released: under the tag, or under a plain one from before there was a second model."""
    if repository.resolve(f"refs/tags/{tag}") is not None:
        return True
    history = History(repository)
    plain = (release for release in history.releases if release.model is None and release.version == version)
    return any(sidecars.field(history.sidecar(release, model), "version") == str(version) for release in plain)


def _uncommitted(repository: Repository, disk: DiskSnapshot) -> bool:
    """Whether a file is changed, or one that a stage takes is not known to Git yet."""
    if repository.run("status", "--porcelain", "--untracked-files=no"):
        return True
    try:
        taken = {path for stage in dvc.load(disk).stages.values() for path in stage.deps.values() if "://" not in path}
    except Malformed:
        return False
    paths = sorted({*taken, *(f"{path}.dvc" for path in taken)})
    return bool(paths and repository.run("status", "--porcelain", "--untracked-files=all", "--", *paths))
