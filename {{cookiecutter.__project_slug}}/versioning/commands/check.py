"""Judge the working tree, the index, a revision, a release, or all of them."""

from __future__ import annotations

import argparse
import sys

from .. import checklist, conflict, judge
from .. import policy as policies
from ..checks import GIT, RULES
from ..errors import UsageError
from ..findings import FORMATS, Report, joined
from ..git import Repository
from ..history import History
from ..progress import meter
from ..snapshot import CommitSnapshot, IndexSnapshot

EXAMPLE = "model check v0.1.0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model check`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("revision", nargs="?", metavar="REV", help="a release tag or another revision; default: the working tree")
    what.add_argument("--staged", action="store_true", help="the staged sidecars, as `git commit` does")
    what.add_argument("--all-releases", action="store_true", help="every release tag of this clone (Git's rules)")
    what.add_argument("--explain", metavar="CODE", help="what a rule refuses, why, and what mends it")
    parser.add_argument("--policy", metavar="REV", help="judge by the rules of this revision; CI names the default branch")
    parser.add_argument("--format", choices=tuple(FORMATS), default="text")


def check(arguments: argparse.Namespace) -> int:
    """Print all findings.

    Returns:
        0 nothing found, 1 findings.
    """
    if arguments.explain:
        return _explain(arguments.explain)
    # `git commit -a` and `git commit FILE` stage into an index of their own.
    keep = ("GIT_INDEX_FILE",) if arguments.staged else ()
    with Repository.discover(keep=keep) as repository:
        if arguments.revision or arguments.staged or arguments.all_releases:
            found = checklist.Checklist(_report(repository, arguments), [])
        else:
            authority = _authority(repository, arguments.policy)
            moment = judge.Moment(progress=meter("hashing"), authority=authority, acting=True)
            found = checklist.of(repository, moment)
    report = found.report
    sys.stdout.write(FORMATS[arguments.format](report))
    if arguments.format == "text":
        if not report.findings:
            print(f"{report.subject}: nothing contradicts {'them' if arguments.all_releases and _are_many(report) else 'it'}")
            if found.unchanged and not found.steps:
                print(f"nothing changed since {' and '.join(found.unchanged)}: there is nothing to release")
        _print_steps(found.steps, clear=not report.findings)
        print("".join(f"{line}\n" for line in found.choice), end="")
    return 1 if report.findings else 0


def _are_many(report: Report) -> bool:
    return report.subject != "1 release"


def _print_steps(steps: list[str], *, clear: bool) -> None:
    if steps:
        print("Next:" if clear else "What stands between here and a release, in this order:")
    for number, step in enumerate(steps, 1):
        print(f"  {number}. {step}")


def _report(repository: Repository, arguments: argparse.Namespace) -> Report:
    if arguments.staged:
        fought = conflict.finding(repository, IndexSnapshot(repository))
        return Report([fought], subject=IndexSnapshot.name) if fought else judge.staged(repository)
    if arguments.all_releases:
        return _all(repository)
    moment = judge.Moment(progress=meter("hashing"), authority=_authority(repository, arguments.policy))
    name = arguments.revision
    tag = name.removeprefix("refs/tags/")
    oid = repository.resolve(f"refs/tags/{tag}", kind="")
    report = judge.tagged(repository, tag, oid, moment) if oid else None
    report = report or judge.revision(repository, name, moment)
    if report is None:
        raise UsageError(f"{name!r} is no release, tag or commit of this repository", "git fetch --tags")
    return report


def _all(repository: Repository) -> Report:
    """Each by the policy of its own commit: a rule that was made later makes no earlier release untrue."""
    moment = judge.Moment(frozenset({GIT}), history=History(repository, walked=True))
    reports = [judge.tagged(repository, tag, oid, moment) for tag, oid in judge.release_refs(repository)]
    known = [report for report in reports if report is not None]
    return joined(known, f"{len(known)} release{'' if len(known) == 1 else 's'}")


def _authority(repository: Repository, revision: str | None) -> policies.Policy | None:
    if not revision:
        return None
    commit = repository.resolve(revision)
    if commit is None:
        raise UsageError(f"{revision!r} names no commit of this repository", "git fetch origin")
    return policies.load(CommitSnapshot(repository, commit))


def _explain(code: str) -> int:
    rule = RULES.get(code.upper())
    if rule is None:
        raise UsageError(f"there is no rule {code!r}; the rules are {', '.join(RULES)}")
    print(f"{rule.code}: {rule.title}\n\n{rule.help}")
    return 0
