"""ST: a new release enters at the first stage, and is approved by people, not by its own file."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from .base import Case, rule


@rule("ST01", "the release enters at the first stage", recorded=True)
def enters(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar that claims another stage than the first one of `stages:` in `versioning.yaml`, or an approval: a file
    cannot put a model into production; promotion does, and it is recorded apart.

    Write it anew from facts: `dvc repro -f -s sidecar`.
    """
    claimed, entry = case.claim("stage"), case.policy.entry_stage
    if isinstance(claimed, str) and claimed != entry:
        message = f"says {claimed}, a new release enters at {entry}"
        yield case.finding("ST01", message, "stage", expected=entry, actual=claimed, hint=case.redescribe)
    if case.claim("tags", "approved") is True:
        message = "says true, and a sidecar is written before anybody can approve of it"
        yield case.finding("ST01", message, "tags", "approved", expected=False, actual=True, hint=case.redescribe)
