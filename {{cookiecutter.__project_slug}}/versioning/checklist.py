"""What stands between the working tree and a release: one judgement of each model, and the commands in their order."""

from __future__ import annotations

from dataclasses import dataclass

from . import judge, releases
from . import pipeline as dvc
from . import policy as policies
from .errors import Malformed
from .findings import Report, joined
from .git import Repository
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


def of(repository: Repository, moment: judge.Moment) -> Checklist:
    """The checklist of every model, each judged as the release that its parameters declare."""
    disk = DiskSnapshot(repository)
    try:
        policy = policies.load(disk)
    except Malformed:
        return Checklist(judge.release_on_disk(repository, "", moment), [])
    models = judge.models(disk) or [policy.model]
    reports, steps = [], []
    for model in models:
        tag = _declared(disk, policy.of(model), several=len(models) > 1)
        taken = bool(tag) and repository.resolve(f"refs/tags/{tag}") is not None
        report = judge.release_on_disk(repository, "" if taken else tag, moment, model)
        reports.append(report)
        if not report.findings:
            named = f" --model {model}" if model != policy.model else ""
            steps.append(f"model release{named}" if taken else f"git tag -a {tag} -m {tag} && git push --follow-tags")
    report = joined(reports, disk.name)
    if not report.findings and _uncommitted(repository):
        steps.insert(0, 'git add -A && git commit -m "Train"')
    return Checklist(report, _in_order(report) if report.findings else steps)


def _in_order(report: Report) -> list[str]:
    training = [finding.hint for finding in report.findings if finding.code in _RETRAINED and finding.hint]
    return training[:1] or [*dict.fromkeys(finding.hint for finding in report.findings if finding.hint)]


def _declared(disk: DiskSnapshot, policy: Policy, *, several: bool) -> str:
    try:
        version = Version.parse(str((disk.yaml(policy.params) or {}).get(dvc.VERSION_KEY, "")))
    except Malformed:
        version = None
    return releases.tag_name(version, policy.model, several=several) if version else ""


def _uncommitted(repository: Repository) -> bool:
    return bool(repository.run("status", "--porcelain", "--untracked-files=no"))
