"""How a release is pushed: a server judges it by the rules that its default branch has, so other rules go there first."""

from __future__ import annotations

from dataclasses import replace

from . import policy
from .errors import VersioningError
from .git import Repository
from .snapshot import CommitSnapshot, DiskSnapshot

_REMOTE = "refs/remotes/origin/"


def command(repository: Repository) -> str:
    """The line that pushes a release from here."""
    branch = judged_by(repository)
    here = repository.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False).strip()
    return "git push && git push --follow-tags" if branch and branch == here else "git push --follow-tags"


def judged_by(repository: Repository) -> str:
    """The default branch, where a release from here would be judged by other rules than those here; else nothing.

    Known without a network: as of the last fetch or push.
    """
    named = repository.run("symbolic-ref", "--quiet", f"{_REMOTE}HEAD", check=False).strip() or f"{_REMOTE}main"
    commit = repository.resolve(named)
    if commit is None:
        return ""
    disk, theirs = DiskSnapshot(repository), CommitSnapshot(repository, commit)
    if theirs.read(policy.FILE) in (None, disk.read(policy.FILE)):
        return ""
    try:
        mine = policy.load(disk)
        judged = mine.under(policy.load(theirs), several=False)
    except VersioningError:
        return ""  # which every judgement says
    # What somebody aims at is judged by nobody.
    return "" if replace(judged, objectives=mine.objectives) == mine else named.removeprefix(_REMOTE)
