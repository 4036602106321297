"""What stands between the working tree and a release: one judgement of each model, and the commands in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import conflict, judge, proposal, releases
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
_RETRAINED = ("CO02", "CO04", "EN01")


@dataclass(frozen=True)
class Checklist:
    """What contradicts a release of the working tree as it is, and what to type."""

    report: Report
    steps: list[str]
    #: In a merge that is not done: the two sides, and the commands of which one is to be chosen.
    choice: Sequence[str] = ()
    #: The last releases of which nothing has changed: what there is, is released.
    unchanged: Sequence[str] = ()


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
        if report.findings:
            continue
        last = proposal.last_final(repository, model) if taken else None
        if last and not any(proposal.reasons(repository, policy.of(model), last)):
            unchanged.append(last.tag)
            continue
        named = f" --model {model}" if model != policy.model else ""
        steps.append(f"{program()} release{named}" if taken else f"git tag -a {tag} -m {tag} && git push --follow-tags")
    report = joined(reports, disk.name)
    if steps and not report.findings and _uncommitted(repository):
        steps.insert(0, 'git add -A && git commit -m "Train"')
    return Checklist(report, _in_order(report) if report.findings else steps, unchanged=unchanged)


def _in_order(report: Report) -> list[str]:
    training = [finding.hint for finding in report.findings if finding.code in _RETRAINED and finding.hint]
    return training[:1] or [*dict.fromkeys(finding.hint for finding in report.findings if finding.hint)]


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


def _uncommitted(repository: Repository) -> bool:
    return bool(repository.run("status", "--porcelain", "--untracked-files=no"))
