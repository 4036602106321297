"""Where we are: the branch, each model's releases and next version, what would stop a release now, and the next command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from . import checklist, conflict, glance, judge
from . import policy as policies
from .checks import program
from .errors import Malformed, VersioningError
from .findings import Report
from .git import Repository
from .history import History
from .policy import Policy
from .progress import meter
from .releases import Release
from .snapshot import DiskSnapshot

_MOST = 5
#: Findings that say something else a few minutes later, though nothing changed.
_BY_THE_CLOCK = ("ID02",)


def look() -> int:
    """Print where we are, and keep the answer for the next time.

    Returns:
        0, whatever stands between here and a release.
    """
    place = glance.find(str(Path.cwd()))
    if place is None:
        with Repository.discover() as repository:
            print(_text(repository, glance.status(str(repository.path)), "")[0].encode("utf-8", "replace").decode())
        return 0
    began, before = glance.clock(place), glance.state(place)
    status = glance.status(place.top)
    watch = glance.Watch(place)
    with Repository.discover() as repository:
        text, lasting = _text(repository, status, glance.unfinished(place))
    watch.stop()
    text = text.encode("utf-8", "replace").decode()  # a path may be no text at all
    changed = {os.path.join(place.top, path) for path in glance.changed_paths(status)}
    if lasting:
        glance.keep(place, began, before, watch.paths | changed | _settings(), text)
    print(text)
    return 0


def _settings() -> set[str]:
    """What decides who we are to Git."""
    home = os.path.expanduser("~")
    return {f"{home}/.gitconfig", os.path.join(os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config", "git/config")}


def _text(repository: Repository, status: str, unfinished: str) -> tuple[str, bool]:
    """What is printed, and whether it stays true as long as nothing changes."""
    lines = [_here(status)]
    if unfinished:
        lines += _in_the_middle(unfinished, status, conflict.cure(repository))
        return "\n".join(lines), True
    if repository.head() is None:
        return "\n".join([*lines, "there is no commit yet", 'Next: git add -A && git commit -m "Start"']), True
    try:
        more, report, following = _judged(repository)
    except ModuleNotFoundError as error:
        return "\n".join(
            [*lines, f"cannot be judged: {error.name} is not installed here", "Next: python3 -m versioning setup"]
        ), False
    except VersioningError as error:
        return "\n".join([*lines, f"cannot be judged: {error}", *([f"Next: {error.hint}"] if error.hint else [])]), False
    lasting = not any(finding.code in _BY_THE_CLOCK for finding in report.findings)
    return "\n".join([*lines, *more, *following]), lasting


def _here(status: str) -> str:
    """Branch, commit, and how they stand to the upstream as of the last fetch."""
    said = dict(line[2:].split(" ", 1) for line in status.splitlines() if line.startswith("# branch.") and " " in line[2:])
    oid, branch = said.get("branch.oid", ""), said.get("branch.head", "")
    where = "no branch (detached HEAD)" if branch == "(detached)" else f"branch {branch}" if branch else "no branch"
    at = "" if oid in ("", "(initial)") else f", commit {oid[:7]}"
    changed = len(glance.changed_paths(status))
    dirty = f", {changed} file{'' if changed == 1 else 's'} not committed" if changed else ""
    return f"{where}{at}{_upstream(said, branch)}{dirty}"


def _upstream(said: dict[str, str], branch: str) -> str:
    upstream, counts = said.get("branch.upstream"), said.get("branch.ab")
    if upstream is None:
        return "" if branch == "(detached)" else ", no upstream"
    if counts is None:
        return f", {upstream} is not here"
    ahead, behind = (int(count[1:]) for count in counts.split())
    named = [f"{number} {word}" for number, word in ((ahead, "ahead"), (behind, "behind")) if number]
    return f", {' and '.join(named)} of {upstream}" if named else f", as {upstream}"


def _in_the_middle(unfinished: str, status: str, cure: str) -> Iterator[str]:
    conflicts = [path for line, path in _unmerged(status)]
    shown = ", ".join(conflicts[:3]) + (" …" if len(conflicts) > 3 else "")
    yield f"a {unfinished} is not finished" + (f": {len(conflicts)} in conflict ({shown})" if conflicts else "")
    going_on = "git bisect reset" if unfinished == "bisect" else f"git {unfinished} --continue"
    by_hand = f"resolve {shown}, git add it, then: " if conflicts else ""
    yield f"Next: {cure or f'{by_hand}{going_on}'}"


def _unmerged(status: str) -> Iterator[tuple[str, str]]:
    for line in status.splitlines():
        if line.startswith("u "):
            yield line, line.split(" ", 10)[-1]


def _judged(repository: Repository) -> tuple[list[str], Report, list[str]]:
    """The models and their versions; the judgement; what stops a release, and the next command."""
    disk = DiskSnapshot(repository)
    if disk.read(policies.FILE) is None:
        cure = f"git checkout HEAD -- {policies.FILE}"
        return [f"{policies.FILE}, which holds the rules of this repository, is not there"], Report([]), [f"Next: {cure}"]
    found = checklist.of(repository, judge.Moment(progress=meter("hashing"), acting=True))
    lines = [line for model, rules in _models(disk) for line in _model(repository, disk, model, rules)]
    return lines, found.report, [*(_stopping(found.report) if found.stopped else ()), *_next(found)]


def _models(disk: DiskSnapshot) -> list[tuple[str, Policy]]:
    try:
        policy = policies.load(disk)
    except Malformed:
        return []  # which is what stops the release
    return [(model, policy.of(model)) for model in judge.models(disk) or [policy.model] if model]


def _model(repository: Repository, disk: DiskSnapshot, model: str, rules: Policy) -> Iterator[str]:
    history, head = History(repository), repository.head() or ""
    here = next(history.earlier(head, model, including=True), None)
    anywhere = [one for one in history.releases if one.model in (None, model)]
    newest = anywhere[-1] if anywhere and (here is None or here.version < anywhere[-1].version) else None
    declared = checklist.declared_version(disk, rules)
    last = _since(repository, here, head) if here else "no release on this branch"
    elsewhere = f"; {newest.tag} elsewhere" if newest and newest.tag != (here.tag if here else "") else ""
    following = f"next {declared}" if declared else f"{rules.params} declares no version"
    if declared and any(one.version == declared for one in anywhere):
        following = "next not declared yet"
    yield f"{model}: {last}{elsewhere}; {following}"


def _since(repository: Repository, release: Release, head: str) -> str:
    if release.commit == head:
        return f"{release.tag} is this commit"
    count = repository.run("rev-list", "--count", f"{release.commit}..{head}").strip()
    return f"{release.tag} is {count} commit{'' if count == '1' else 's'} back"


def _stopping(report: Report) -> Iterator[str]:
    if not report.findings:
        return
    yield "a release would be stopped now:"
    for finding in report.findings[:_MOST]:
        place = f"{finding.file}: " if finding.file else ""
        yield f"  {finding.code} {_short(f'{place}{finding.message}')}"
    more = len(report.findings) - _MOST
    if more > 0:
        yield f"  and {more} more: {program()} check"


def _short(text: str, most: int = 110) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _next(found: checklist.Checklist) -> Iterator[str]:
    if found.steps:
        yield f"Next: {found.steps[0]}"
    elif found.unchanged:
        yield f"nothing changed since {' and '.join(found.unchanged)}: there is nothing to release"
    elif found.report.findings:
        hint = next((finding.hint for finding in found.report.findings if finding.hint), f"{program()} check")
        yield f"Next: {hint}"
