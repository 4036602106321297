"""SC: a sidecar can be read, has the form of its schema, and stands beside its model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import pipeline as dvc
from .. import sidecar as sidecars
from ..documents import load_json
from ..errors import Malformed
from ..findings import Finding
from .base import Case, program, rule


@rule("SC01", "the sidecar is JSON that means one thing", recorded=True)
def readable(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar that is not UTF-8 JSON, begins with a byte order mark, has a key twice, holds NaN, Infinity or a
    number that no 64-bit float holds, or is larger than 1 MiB: two programs could read it differently.

    Write it anew from facts: `dvc repro -f -s sidecar`.
    """
    content = case.snapshot.read(case.file)
    if content is None:
        return
    try:
        if not isinstance(load_json(content), dict):
            yield case.finding("SC01", "holds no JSON object", hint=case.redescribe)
    except Malformed as error:
        yield case.finding("SC01", str(error), hint=case.redescribe)


@rule("SC02", "the sidecar has the form of its schema", recorded=True)
def valid(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar that its JSON Schema (`versioning/schemas/`) refuses: a field missing, unknown or of another type, a
    version or time written in another way. Unknown keys are welcome under `extra` only.

    Write it anew from facts: `dvc repro -f -s sidecar`.
    """
    if case.sidecar is None:
        return
    version = case.claim("schema_version")
    if type(version) is not int or not 1 <= version <= sidecars.SCHEMA_VERSION:
        yield _unknown_version(case, version)
        return
    for keys, message in sidecars.faults(case.sidecar):
        yield case.finding("SC02", message, *keys, hint=case.redescribe)
    name = case.claim("model_name")
    if isinstance(name, str) and name != case.model:
        yield case.finding(
            "SC02", f"says {name}, and the file is {case.model}'s", "model_name", expected=case.model, actual=name,
            hint=case.redescribe,
        )  # fmt: skip


def _unknown_version(case: Case, version: Any) -> Finding:
    known = f"this repository knows 1 to {sidecars.SCHEMA_VERSION}"
    message = f"is {version!r}; {known}" if version is not None else f"is missing; {known}"
    if type(version) is int and case.snapshot.read(f"versioning/schemas/{sidecars.schema_name(version)}") is not None:
        # Described by rules that came with that very commit: ours, which were installed before, are the older ones.
        message = (
            f"is {version}; the rules installed here know 1 to {sidecars.SCHEMA_VERSION}, those of {case.snapshot.name} more"
        )
        return case.finding("SC02", message, "schema_version", actual=version, hint=case.then_tag(f"{program()} hooks install"))
    return case.finding("SC02", message, "schema_version", actual=version, hint=case.redescribe)


@rule("SC03", "every model has a sidecar, every sidecar a model")
def paired(case: Case) -> Iterator[Finding]:
    """Refuses a model that `dvc.yaml` declares under `artifacts:` and that has no sidecar, and a sidecar whose model is not
    declared there, or was never made.

    A lost sidecar comes back by `dvc repro -f -s sidecar`; one that is left over goes by `git rm`.
    """
    declared = {
        name: sidecars.field(artifact, "path")
        for name, artifact in case.pipeline.artifacts.items()
        if sidecars.field(artifact, "type") == "model"
    }
    there = case.snapshot.read(case.file) is not None
    twins = [name for name, path in declared.items() if name != case.model and path == declared.get(case.model)]
    if twins:
        message = f"describes {declared[case.model]}, and so does models/{twins[0]}.json: one model has one sidecar"
        yield case.finding(
            "SC03", message, actual=declared[case.model], hint=f"take «{twins[0]}» out of artifacts: in {dvc.PIPELINE}"
        )
    if not there and case.model in declared:
        if case.pipeline.output(declared[case.model]) is None:
            message = f"is missing, and so is its model: {declared[case.model]} is not trained yet"
            yield case.finding("SC03", message, hint=case.then("dvc repro", everything=True))
        else:
            message = f"is missing: the model {declared[case.model]} has no sidecar"
            yield case.finding("SC03", message, hint=case.redescribe)
    elif not there:
        yield case.finding("SC03", f"is missing, and {dvc.PIPELINE} declares no model «{case.model}»", hint="dvc repro")
    elif case.model not in declared:
        known = ", ".join(sorted(declared)) or "none"
        message = f"describes «{case.model}», and the models in {dvc.PIPELINE} are: {known}"
        yield case.finding("SC03", message, hint=f'git rm {case.file} && git commit -m "Remove a sidecar without a model"')
    elif case.pipeline.output(declared[case.model]) is None:
        message = f"describes {declared[case.model]}, which {dvc.LOCK} does not record"
        yield case.finding("SC03", message, hint=case.then("dvc repro", everything=True))
