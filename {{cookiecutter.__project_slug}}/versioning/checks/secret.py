"""SE01: no secret is released."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .. import credentials, policy
from .. import pipeline as dvc
from .. import sidecar as sidecars
from ..errors import Malformed
from ..findings import Finding
from ..snapshot import Snapshot
from .base import Case, rule

DVC_CONFIG, MANIFESTS = ".dvc/config", "deploy"
_SCANNED = (dvc.PARAMS, policy.FILE, DVC_CONFIG, f"{MANIFESTS}/*.yaml", f"{MANIFESTS}/*.yml")


@rule("SE01", "no secret in sidecar, params or manifests")
def no_secrets(case: Case) -> Iterator[Finding]:
    """Refuses a key, a token or a password in the sidecar, in `params.yaml` and the other files that stages take parameters
    from, in `versioning.yaml`, in `.dvc/config` or in `deploy/`: whoever can read the release could use it. The keys of the
    known services are recognised by their form, a password by its name (`password: …`) where the value is no plain word. At
    most four letters of it are ever printed. `git commit` looks at what is staged.

    Take it out, and read it from the environment instead, or from `.dvc/config.local`, which Git does not hold
    (`dvc remote modify --local`). Was it committed before, then revoke it where it was issued: every clone has it, and
    `git filter-repo` only keeps it from new ones. A false alarm is waived under `waivers:` in `versioning.yaml`, with rule,
    version, reason, by and until.
    """
    manifests = case.snapshot.files(MANIFESTS)
    for path in dict.fromkeys([case.file, *filter(is_scanned, [*_SCANNED, *manifests]), *_params(case)]):
        yield from in_file(case.snapshot, path, case.tag)


def is_scanned(path: str) -> bool:
    """Whether a file is one in which a secret would be released, by its name alone."""
    return sidecars.is_sidecar(path) or any(fnmatch.fnmatchcase(path, pattern) for pattern in _SCANNED)


def in_file(snapshot: Snapshot, path: str, tag: str = "") -> Iterator[Finding]:
    """The secrets in one file."""
    for found in credentials.find(snapshot.read(path) or b""):
        message = f"line {found.line} holds what looks like a secret ({found.kind}): {found.shown}"
        yield Finding("SE01", path, message, actual=found.shown, ref=tag, hint=_hint(path, staged=snapshot.name == "the index"))


def masked(snapshot: Snapshot, findings: list[Finding]) -> list[Finding]:
    """The findings, without the secrets that those of other rules would print as a value."""
    files = dict.fromkeys(finding.file for finding in findings if finding.code == "SE01")
    texts = {found.text: found.shown for file in files for found in credentials.find(snapshot.read(file) or b"")}
    return (
        [replace(it, **{name: _masked(getattr(it, name), texts) for name in _PRINTED}) for it in findings] if texts else findings
    )


_PRINTED = ("message", "expected", "actual")


def _masked(value: Any, texts: Mapping[str, str]) -> Any:
    said = str(value)
    for text in sorted(texts, key=len, reverse=True):
        said = said.replace(text, texts[text])
    return value if said == str(value) else said


def _params(case: Case) -> list[str]:
    with suppress(Malformed):  # CO02 says so
        return sorted(
            {
                posixpath.normpath(posixpath.join(stage.wdir, file))
                for stage in case.pipeline.stages.values()
                for file in stage.params
            }
        )
    return []


def _hint(path: str, *, staged: bool) -> str:
    if staged:
        return f"git restore --staged {path}, take the secret out of it, and stage it again; revoke it if it was committed before"
    return (
        f"revoke it where it was issued, take it out of {path}, and commit; "
        "a false alarm is waived by `rule: SE01` under waivers: in versioning.yaml"
    )
