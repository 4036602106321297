"""VE: the version is written right, said twice the same, new, worth a release, and says how much changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import features, policy
from .. import pipeline as dvc
from .. import sidecar as sidecars
from ..findings import Finding
from ..names import Attempt, ReleaseTag
from ..releases import Release
from ..snapshot import CommitSnapshot
from .base import ACT, CACHE, Case, next_release, program, rule

#: How Git ends a signed tag: SSH, OpenPGP, X.509. Whose key it is, `git verify-tag` knows.
_SIGNATURE = re.compile(
    rb"\n-----BEGIN (SSH SIGNATURE|PGP SIGNATURE|SIGNED MESSAGE)-----\n[A-Za-z0-9+/=:. \n]{40,}\n-----END \1-----\n*\Z"
)


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
        hint = f"{program()} release {case.prefix}{tagged}"
        yield case.finding("VE02", message, "version", expected=tagged, actual=claimed, hint=hint)
    declared = (case.snapshot.yaml(case.policy.params) or {}).get(dvc.VERSION_KEY)
    if declared is not None and declared != claimed:
        message = f"says {claimed}, {case.policy.params} says {declared}"
        yield case.finding("VE02", message, "version", expected=declared, actual=claimed, hint=case.retrain)


@rule("VE03", "the version is newer than the last release of its line")
def newer(case: Case) -> Iterator[Finding]:
    """Refuses a version that is not above every release of the same model in the history of the tagged commit. Releases on
    other branches do not count, so a maintenance line (`v1.4.1` beside `v2.0.0`) goes on.

    Take the next one: `model release patch`.
    """
    if not isinstance(case.meaning, ReleaseTag):
        return
    version = case.meaning.version
    last = next(case.earlier(least=version), None)
    if last is not None:
        message = f"{version} is not newer than {last.tag}, released {last.date[:10]} on commit {last.commit[:7]}"
        yield case.finding(
            "VE03", message, file=f"refs/tags/{case.tag}", expected=f"> {last.tag}", actual=str(version),
            hint=f"{program()} release {case.prefix}{last.version.bump('patch')}",
        )  # fmt: skip


@rule("VE04", "there is something new to release")
def something_new(case: Case) -> Iterator[Finding]:
    """Refuses a version whose model, feature spec, data, metrics, code under `src/`, runtime lock and `versioning.yaml` are all
    those of the last final release: two names for one thing, of which nobody could say why there are two. A final release
    with the bytes of its candidate (`v1.2.0` after `v1.2.0-rc.1`) is what candidates are for, and passes.

    Use the release that is there; where two names are wanted for once, write a waiver.
    """
    if not isinstance(case.meaning, ReleaseTag):
        return
    last = _last_final(case)
    if last is None or last.version >= case.meaning.version:
        return  # VE03 says so
    before, same = case.history.sidecar(last, case.model), True
    here, there = CommitSnapshot(case.repository, case.snapshot.commit or ""), CommitSnapshot(case.repository, last.commit)
    for keys in (("artifact", "sha256"), ("features", "sha256"), ("data", "md5"), ("evaluation_data", "md5"), ("metrics",)):
        same = same and case.claim(*keys) == sidecars.field(before, *keys)
    for path in ("src", case.policy.environment, policy.FILE):
        same = same and here.oid(path) == there.oid(path)
    if same:
        version = case.meaning.version
        message = f"{version} would be {last.tag} again: model, features, data, metrics, code, packages and rules are the same"
        yield case.finding(
            "VE04", message, file=f"refs/tags/{case.tag}", expected=f"a change since {last.tag}", actual=str(version),
            hint=f"{program()} show {last.tag}",
        )  # fmt: skip


@rule("VE05", "an input that is taken away makes a major version", needs=CACHE)
def compatible(case: Case) -> Iterator[Finding]:
    """Refuses a minor or patch version whose feature spec lacks an input of the last final release, or has it under another
    type or with fewer categories, or gives other classes: whoever calls the model as before would get an error, or worse, an
    answer. What grows needs no major version: a category more changes no call. An input more has to be sent by callers from
    then on, and `predict` says which one is missing; `model release` names each. Who has callers that cannot follow releases
    it as a major version.

    Release it as the next major version: `model release major`.
    """
    if not isinstance(case.meaning, ReleaseTag):
        return
    last = _last_final(case)
    if last is None or case.meaning.version.major > last.version.major or case.meaning.version <= last.version:
        return
    if case.claim("features", "sha256") == sidecars.field(case.history.sidecar(last, case.model), "features", "sha256"):
        return
    path = sidecars.features_of(case.model)
    place = case.bytes_of(path)
    if place is None:
        return  # AR03 says that the bytes are not here
    before, now = features.at_release(case.repository, case.storage, last, case.model), features.read(place)
    if before is None:
        message = f"the feature spec of {last.tag} is not here, so nothing says whether callers of that release are served still"
        hint = f"dvc fetch --all-tags {path}{case.tagging}"
        yield case.finding("VE05", message, "features", hint=hint)
        return
    for change in features.compare(before, now):
        if change.breaks:
            major = last.version.bump("major")
            message = f"{change}, so {case.meaning.version} would break what {last.tag} serves"
            yield case.finding(
                "VE05", message, "features", file=path, expected=change.before, actual=change.now,
                hint=f"{program()} release {case.prefix}{major}",
            )  # fmt: skip


@rule("VE06", "the tag is of the kind that the policy asks for")
def kind_of_tag(case: Case) -> Iterator[Finding]:
    """Refuses a release whose tag is lightweight or carries no signature, where `policy:` in `versioning.yaml` is `regulated`:
    nobody could say later who released it. Under the other policies a lightweight tag passes, with a note that
    `git push --follow-tags` leaves it behind.

    Sign it: `git tag -s v1.2.0 -m v1.2.0`.
    """
    if not case.oid or not case.policy.signed or not isinstance(case.meaning, ReleaseTag):
        return
    found = case.repository.cat(case.oid)
    kind, content = (found[1], found[2]) if found else ("", b"")
    if kind == "tag" and _SIGNATURE.search(content):
        return
    is_now = "not signed" if kind == "tag" else "a lightweight tag, which says nothing of who made it"
    message = f"{case.tag} is {is_now}; the policy «{case.policy.policy}» asks for a signed one"
    force = "-f " if case.repository.resolve(f"refs/tags/{case.tag}") else ""
    hint = f"git tag {force}-s {case.tag} -m {case.tag} {case.snapshot.commit}"
    yield case.finding("VE06", message, file=f"refs/tags/{case.tag}", expected="signed", actual=is_now, hint=hint)


def _last_final(case: Case) -> Release | None:
    return next(case.earlier(lambda one: not one.version.pre), None)


@rule("VE07", "a release that others hold stays where it is", needs=ACT)
def stays(tag: str, holder: str, *, moving: bool) -> Finding:
    """Refuses to move or delete a release tag that a remote holds: others may have built on it, and would not notice. A tag
    that is only in this clone may be withdrawn with `git tag -d`, so that a slip does not use up a version.

    Release the next version: `model release patch`.
    """
    act = "moved" if moving else "deleted"
    message = f"{tag} cannot be {act}: {holder} holds it, and others may rely on it"
    return Finding("VE07", f"refs/tags/{tag}", message, actual=holder, ref=tag, hint=next_release(tag))
