"""AR: the bytes are the ones that the sidecar describes, and DVC keeps them."""

from __future__ import annotations

import hashlib
import posixpath
import shlex
from collections.abc import Iterator
from typing import Any

from .. import pipeline as dvc
from .. import policy as policies
from .. import sidecar as sidecars
from ..findings import Finding
from ..storage import hash_file
from .base import CACHE, STORE, Case, rule

_PICKLES = ("pkl", "pickle", "joblib")


@rule("AR01", "hash and size of the artifact are those of dvc.lock", recorded=True)
def recorded(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar whose artifact has another path, MD5 or size than `dvc.lock` records, or another format than its file
    is called by: it describes another model than the one that this commit brings back.

    Write it anew from facts: `dvc repro -f -s sidecar`.
    """
    if case.sidecar is None:
        return
    path = case.claim("artifact", "path")
    if not isinstance(path, str):
        yield case.finding("AR01", "does not say which bytes the model is", "artifact", hint=case.redescribe)
        return
    outputs = {place: output for stage in case.locked.values() for place, output in stage.outs.items()}
    declared = sidecars.field(case.pipeline.artifacts.get(case.model), "path") if not case.committing else None
    if declared and declared != path:
        yield case.finding(
            "AR01", f"says {path}, {dvc.PIPELINE} declares {declared}", "artifact", "path", expected=declared, actual=path,
            hint=case.redescribe,
        )  # fmt: skip
    output = outputs.get(path)
    if output is None:
        message = f"names {path}, which {dvc.LOCK} does not record"
        yield case.finding("AR01", message, "artifact", "path", actual=path, hint=case.redescribe)
        return
    for key, expected in (("md5", output.md5), ("size", output.size)):
        actual = case.claim("artifact", key)
        if expected is not None and not _same(actual, expected):
            message = f"says {actual}, {dvc.LOCK} says {expected}"
            yield case.finding("AR01", message, "artifact", key, expected=expected, actual=actual, hint=case.redescribe)
    form, is_called = case.claim("artifact", "format"), sidecars.format_of(path)
    if form != is_called:
        message = f"says {form}, {path} is called {is_called}"
        yield case.finding("AR01", message, "artifact", "format", expected=is_called, actual=form, hint=case.redescribe)


@rule("AR02", "the model is an output that DVC keeps")
def kept_by_dvc(case: Case) -> Iterator[Finding]:
    """Refuses a model that is committed to Git, or that no stage of `dvc.yaml` makes: Git keeps every version of it for ever,
    and nothing says how it came to be. A pickle is refused too unless `versioning.yaml` says `allow_pickle: true`: whoever
    loads it runs what it says.

    Take it out of Git with `git rm --cached`, and declare it under `outs:` of the stage that makes it.
    """
    path = case.claim("artifact", "path")
    if not isinstance(path, str):
        return
    tracked = case.snapshot.read(path) is not None if not case.snapshot.on_disk else _in_index(case, path)
    if tracked:
        message = f"{path} is committed to Git"
        hint = case.then(f"git rm --cached {path} && dvc repro", everything=True)
        yield case.finding("AR02", message, "artifact", "path", actual=path, hint=hint)
    elif path not in case.pipeline.producers:
        message = f"{path} is the output of no stage in {dvc.PIPELINE}"
        yield case.finding("AR02", message, "artifact", "path", actual=path, hint="dvc stage add --help")
    elif not case.pipeline.is_cached(path):
        message = f"{path} has cache: false in {dvc.PIPELINE}, so DVC does not keep it"
        yield case.finding("AR02", message, "artifact", "path", actual=path, hint="dvc repro")
    # What the file is called counts as well: a word in a sidecar does not make a pickle safe.
    form = next((form for form in (case.claim("artifact", "format"), posixpath.splitext(path)[1][1:]) if form in _PICKLES), None)
    if form and not case.policy.allow_pickle:
        message = f"is {form}: loading it runs code, and versioning.yaml does not allow that"
        yield case.finding("AR02", message, "artifact", "format", actual=form, hint="allow_pickle: true in versioning.yaml")


@rule("AR03", "the stored bytes hash to the sidecar's SHA-256", needs=CACHE)
def bytes_match(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar whose model, feature spec or evaluation files are not the bytes that the DVC cache (or a DVC remote
    that is a folder) holds under the lock's hash: swapped, truncated or rotten. Where the bytes are not here they cannot be
    checked, and the tag waits for `dvc pull`.

    Bring the true bytes back with `dvc pull` from a sound remote, or train anew.
    """
    spec, named = sidecars.features_of(case.model), case.claim("features", "path")
    if isinstance(named, str) and named != spec:
        message = f"names {named}, the feature spec of {case.model} is {spec}"
        yield case.finding("AR03", message, "features", "path", expected=spec, actual=named, hint=case.redescribe)
    for keys, path, claimed in _files(case):
        if case.snapshot.read(path) is not None or case.pipeline.producer(path) is None:
            yield from _in_git(case, keys, path, claimed)
            continue
        place = case.bytes_of(path)
        if place is None:
            message = f"the bytes of {path} are not here, so the sidecar's sha256 cannot be checked"
            yield case.finding("AR03", message, *keys, expected=claimed, hint=_pull(case, path))
            continue
        actual = case.digests.of(place, "sha256", case.progress)
        if actual != claimed:
            message = f"says {str(claimed)[:12]}…, the bytes of {path} hash to {actual[:12]}…"
            hint = _mend(case, path)
            yield case.finding("AR03", message, *keys, "sha256", expected=actual, actual=claimed, hint=hint)
            continue
        if keys == ("artifact",) and case.claim("artifact", "size") != place.stat().st_size:
            message = f"says {case.claim('artifact', 'size')}, {path} has {place.stat().st_size} bytes"
            yield case.finding("AR03", message, "artifact", "size", expected=place.stat().st_size, hint=case.redescribe)
        recorded = None if case.snapshot.on_disk else case.recorded_content(path)
        if recorded is not None and case.digests.of(place, "md5", case.progress) != recorded:
            message = f"the stored bytes of {path} are not those that {dvc.LOCK} names by {recorded[:10]}…: they are damaged"
            yield case.finding("AR03", message, *keys, expected=recorded, actual=actual, hint=_mend(case, path))


@rule("AR04", "everything on the checklist is there")
def complete(case: Case) -> Iterator[Finding]:
    """Refuses a release that lacks an item of `checklist:` in `versioning.yaml`: a section of the sidecar that is missing or
    empty, or a file that neither Git nor DVC holds. The evaluation files that the sidecar describes are those of
    `paths: evaluation:`, no fewer and no others.

    Sections come back with `dvc repro -f -s sidecar`; a file is made and committed, or taken off the list.
    """
    if case.sidecar is None:
        return
    sections = sidecars.schema()["properties"]
    for item in case.policy.checklist:
        keys = item.split(".")
        if keys[0] in sections and (len(keys) == 1 or keys[1] in sections[keys[0]].get("properties", {})):
            if case.claim(*keys) in (None, "", [], {}):
                yield case.finding("AR04", "is missing, and is on the checklist", *keys, hint=case.redescribe)
        elif not _is_held(case, item):
            message = f"is on the checklist of {policies.FILE}, and neither Git nor DVC holds it"
            yield case.finding("AR04", message, file=item, hint=_bring(case, item))
    evaluation = case.claim("evaluation")
    named = {str(sidecars.field(item, "path")) for item in evaluation} if isinstance(evaluation, list) else set()
    for path in sorted(named ^ {*case.policy.evaluation}):
        said = f"lacks {path}, which" if path not in named else f"names {path}, which no line of"
        message = f"{said} {policies.FILE} lists under paths: evaluation:"
        yield case.finding(
            "AR04", message, "evaluation", expected=sorted(case.policy.evaluation), actual=path, hint=case.redescribe
        )


def _is_held(case: Case, path: str) -> bool:
    by_dvc = case.pipeline.output(path) is not None or case.snapshot.read(f"{path}.dvc") is not None
    return by_dvc or bool(case.snapshot.read(path)) or bool(case.snapshot.files(path))


def _bring(case: Case, path: str) -> str:
    message = f"Add {posixpath.basename(path)}"
    return f"git add {shlex.quote(path)} && git commit -m {shlex.quote(message)}{case.tagging}"


def _files(case: Case) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Each file that the sidecar gives a SHA-256 of: where it says so, its path, the digest."""
    places: list[tuple[tuple[str, ...], Any]] = [(("artifact",), case.claim("artifact")), (("features",), case.claim("features"))]
    evaluation = case.claim("evaluation")
    if isinstance(evaluation, list):
        places += [((f"evaluation[{position}]",), item) for position, item in enumerate(evaluation)]
    for keys, item in places:
        path, digest = sidecars.field(item, "path"), sidecars.field(item, "sha256")
        if isinstance(path, str) and isinstance(digest, str):
            yield keys, path, digest


def _in_git(case: Case, keys: tuple[str, ...], path: str, claimed: str) -> Iterator[Finding]:
    content = case.snapshot.read(path)
    if content is None:
        message = f"{path} is neither an output in {dvc.PIPELINE} nor held by Git"
        yield case.finding("AR03", message, *keys, "path", actual=path, hint=case.redescribe)
    elif hashlib.sha256(content).hexdigest() != claimed:
        actual = hashlib.sha256(content).hexdigest()
        message = f"says {claimed[:12]}…, {path} hashes to {actual[:12]}…"
        yield case.finding("AR03", message, *keys, "sha256", expected=actual, actual=claimed, hint=case.redescribe)


def _pull(case: Case, path: str) -> str:
    untagged = case.tag and not case.repository.resolve(f"refs/tags/{case.tag}")
    pull = f"dvc pull && git tag -a {case.tag} -m {case.tag}" if untagged else "dvc pull"
    unpushed = dvc.never_pushed(case.snapshot, [path], {path: case.recorded_content(path) or ""})
    return f"{unpushed}; then: {pull}" if unpushed else pull


def _mend(case: Case, path: str) -> str:
    """Describe anew; but where a stored file is not what its name says, drop it and fetch it again."""
    recorded = case.pipeline.output(path)
    held = case.storage.find(recorded.md5) if recorded else None
    if held is None or recorded is None or case.snapshot.on_disk:
        return case.redescribe
    if hash_file(held, "md5") == recorded.md5:
        return case.redescribe
    return f"rm -f {shlex.quote(str(held))} && dvc pull --force {shlex.quote(path)}"


def _in_index(case: Case, path: str) -> bool:
    return bool(case.repository.run("ls-files", "-z", "--", path))


def _same(actual: Any, expected: Any) -> bool:
    return type(actual) is type(expected) and actual == expected


@rule("AR05", "the DVC remote holds the release", needs=STORE)
def stored(tags: str, reason: str, hint: str) -> Finding:
    """Refuses to push a release tag whose data or model could not be pushed to the DVC remote first: nobody else could bring
    the release back.

    Mend the remote (`dvc remote list`, `dvc push`), and push again.
    """
    message = f"the DVC remote did not take {tags}: {reason}"
    return Finding("AR05", ".dvc/config", message, actual=reason, ref=tags, hint=hint)
