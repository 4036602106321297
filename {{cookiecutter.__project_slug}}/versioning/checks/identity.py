"""ID: who made the model, for whom, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from .. import policy as policies
from .. import sidecar as sidecars
from ..findings import Finding
from .base import Case, rule

_TOLERANCE = dt.timedelta(minutes=10)


@rule("ID01", "somebody made it, and a team owns it")
def made_by_somebody(case: Case) -> Iterator[Finding]:
    """Refuses a `created_by` that is not `Name <mail>`, as Git writes an identity (`user@host` is what stands there where Git
    knew nobody), and a `team` that is not the one of `versioning.yaml`, nor was when the default branch held that commit.

    Tell Git who you are (`git config user.name`, `git config user.email`), then `dvc repro -f -s sidecar`.
    """
    claimed = case.claim("created_by")
    if isinstance(claimed, str) and not sidecars.is_identity(claimed):
        known = case.repository.identity()
        ask = "" if known else "git config user.name NAME && git config user.email MAIL && "
        message = f"says {claimed!r}, which is no identity such as «Ada Lovelace <ada@example.org>»"
        yield case.finding("ID01", message, "created_by", expected=known, actual=claimed, hint=ask + case.redescribe)
    team = case.claim("team")
    if isinstance(team, str) and team != case.policy.team and not _was_the_team(case, team):
        message = f"says {team!r}, {policies.FILE} says {case.policy.team!r}"
        yield case.finding("ID01", message, "team", expected=case.policy.team, actual=team, hint=case.redescribe)


def _was_the_team(case: Case, team: str) -> bool:
    """Whether the default branch itself said so when it held this commit: a team is renamed, its releases stay true.

    Where another policy than the commit's own judges (a server, CI), `HEAD` is the default branch.
    """
    commit = case.snapshot.commit
    return commit is not None and policies.load(case.snapshot).team == team and case.repository.is_ancestor(commit, "HEAD")


@rule("ID02", "it was made at a time that has been")
def made_at_a_time(case: Case) -> Iterator[Finding]:
    """Refuses a `created_at` that is no time of RFC 3339 (`2026-02-30T00:00:00Z` is none), or lies more than ten minutes in the
    future: ten, since clocks differ.

    Set the clock, remove the sidecar, and have it written anew: `dvc repro -f -s sidecar`.
    """
    claimed = case.claim("created_at")
    if not isinstance(claimed, str):
        return
    now = dt.datetime.now(dt.UTC)
    try:
        made = dt.datetime.strptime(claimed, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        message = f"is {claimed!r}, which is no time of RFC 3339"
    else:
        if made <= now + _TOLERANCE:
            return
        message = f"is {claimed}, which is in the future: it is {now:%Y-%m-%dT%H:%M:%SZ}"
    # Kept while the model is the same, so the old one has to go first.
    hint = f"rm {case.file} && {case.redescribe}"
    yield case.finding("ID02", message, "created_at", actual=claimed, hint=hint)
