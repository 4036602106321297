"""Judge the working tree, the index, a revision, a release, or all of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from .. import judge, releases
from ..checks import GIT, RULES
from ..errors import UsageError
from ..findings import FORMATS, Finding, Report
from ..git import Repository
from ..names import Attempt, parse_tag
from ..progress import meter

EXAMPLE = "model check v0.1.0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model check`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("revision", nargs="?", metavar="REV", help="a release tag or another revision; default: the working tree")
    what.add_argument("--staged", action="store_true", help="the staged sidecars, as `git commit` does")
    what.add_argument("--all-releases", action="store_true", help="every release tag of this clone (Git's rules)")
    what.add_argument("--explain", metavar="CODE", help="what a rule refuses, why, and what mends it")
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
        report = _report(repository, arguments)
    sys.stdout.write(FORMATS[arguments.format](report))
    if arguments.format == "text" and not report.findings:
        print(f"{report.subject}: nothing contradicts it")
    return 1 if report.findings else 0


def _report(repository: Repository, arguments: argparse.Namespace) -> Report:
    if arguments.staged:
        return judge.staged(repository)
    if arguments.all_releases:
        return _all(repository)
    moment = judge.Moment(progress=meter("hashing"))
    name = arguments.revision
    if not name:
        return judge.release_on_disk(repository, "", moment)
    tag = name.removeprefix("refs/tags/")
    commit = repository.resolve(f"refs/tags/{tag}")
    report = judge.tagged(repository, tag, commit, moment) if commit else None
    report = report or judge.revision(repository, name, moment)
    if report is None:
        raise UsageError(f"{name!r} is no release, tag or commit of this repository", "git fetch --tags")
    return report


def _all(repository: Repository) -> Report:
    moment = judge.Moment(frozenset({GIT}))
    findings: list[Finding] = []
    names = list(_names(repository))
    for tag in names:
        commit = repository.resolve(f"refs/tags/{tag}")
        report = judge.tagged(repository, tag, commit, moment) if commit else None
        findings += report.findings if report else []
    skipped = [rule.code for rule in RULES.values() if rule.needs not in (GIT, "act")]
    return Report(findings, skipped, f"{len(names)} release{'' if len(names) == 1 else 's'}")


def _names(repository: Repository) -> Iterator[str]:
    """Release tags, and tags that were meant as such: a fetch may have brought them past the gate."""
    known = {release.tag for release in releases.find(repository)}
    for tag in repository.run("for-each-ref", "--format=%(refname:strip=2)", "refs/tags").splitlines():
        if tag in known or isinstance(parse_tag(tag), Attempt):
            yield tag


def _explain(code: str) -> int:
    rule = RULES.get(code.upper())
    if rule is None:
        raise UsageError(f"there is no rule {code!r}; the rules are {', '.join(RULES)}")
    print(f"{rule.code}: {rule.title}\n\n{rule.help}")
    return 0
