"""VE: the version is written right, said twice the same, and new."""

from __future__ import annotations

from collections.abc import Iterator

from .. import pipeline as dvc
from .. import releases
from .. import sidecar as sidecars
from ..findings import Finding
from ..names import Attempt, ReleaseTag
from .base import ACT, Case, program, rule


@rule("VE01", "the tag is a version of SemVer 2.0.0 with a v")
def written_right(case: Case) -> Iterator[Finding]:
    """Refuses `v1`, `v1.2`, `V1.0.0`, `1.0.0`, `v01.0.0`, `v1.0.0+build`, `v1.0.0rc1` and `v1.2.0-prod`: they look like releases,
    and sort like none. Dates (`2024-11-05`) and names (`nightly-1`, `v2-notes`) are no releases and pass.

    Write it as `vMAJOR.MINOR.PATCH`, a candidate as `v1.2.0-rc.1`.
    """
    if isinstance(case.meaning, Attempt):
        attempt = case.meaning
        message = f"{attempt.name} is no release: {attempt.why}"
        hint = f"git tag -a {attempt.right} -m {attempt.right}"
        yield case.finding("VE01", message, file=f"refs/tags/{case.tag}", expected=attempt.right, actual=attempt.name, hint=hint)


@rule("VE02", "tag and sidecar name one version")
def said_twice_the_same(case: Case) -> Iterator[Finding]:
    """Refuses a tag that is not the version in the sidecar, and a sidecar whose version is not that of `params.yaml`.

    Release under the version that is declared, or bump it: `model release V` does all of it and trains nothing.
    """
    claimed = case.claim("version")
    if not isinstance(claimed, str):
        return
    tagged = str(case.meaning.version) if isinstance(case.meaning, ReleaseTag) else None
    if tagged is not None and claimed != tagged:
        message = f"says {claimed}, the tag says {tagged}"
        hint = f"{program()} release {tagged}"
        yield case.finding("VE02", message, "version", expected=tagged, actual=claimed, hint=hint)
    declared = (case.snapshot.yaml(dvc.PARAMS) or {}).get(dvc.VERSION_KEY)
    if declared is not None and declared != claimed:
        message = f"says {claimed}, {dvc.PARAMS} says {declared}"
        yield case.finding("VE02", message, "version", expected=declared, actual=claimed, hint=case.retrain)


@rule("VE03", "the version is newer than the last release of its line")
def newer(case: Case) -> Iterator[Finding]:
    """Refuses a version that is not above every release of the same model in the history of the tagged commit. Releases on
    other branches do not count, so a maintenance line (`v1.4.1` beside `v2.0.0`) goes on.

    Take the next one: `model release patch`.
    """
    if not isinstance(case.meaning, ReleaseTag) or case.snapshot.commit is None:
        return
    version = case.meaning.version
    earlier = (
        release
        for release in reversed(releases.find(case.repository, before=case.snapshot.commit))
        if release.model in (None, case.model) and release.tag != case.tag and version <= release.version
        if release.commit != case.snapshot.commit  # two versions of one commit are VE02's: one of them is not declared
        if sidecars.names_version(case.repository, release, case.model)  # a false v9.9.9 that was fetched closes no line
    )
    last = next(earlier, None)
    if last is not None:
        message = f"{version} is not newer than {last.tag}, released {last.date[:10]} on commit {last.commit[:7]}"
        following = last.version.bump("patch")
        yield case.finding(
            "VE03", message, file=f"refs/tags/{case.tag}", expected=f"> {last.tag}", actual=str(version),
            hint=f"{program()} release {following}",
        )  # fmt: skip


@rule("VE07", "a release that others hold stays where it is", needs=ACT)
def stays(tag: str, holder: str, *, moving: bool) -> Finding:
    """Refuses to move or delete a release tag that a remote holds: others may have built on it, and would not notice. A tag
    that is only in this clone may be withdrawn with `git tag -d`, so that a slip does not use up a version.

    Release the next version: `model release patch`.
    """
    act = "moved" if moving else "deleted"
    message = f"{tag} cannot be {act}: {holder} holds it, and others may rely on it"
    return Finding("VE07", f"refs/tags/{tag}", message, actual=holder, ref=tag, hint=f"{program()} release patch")
