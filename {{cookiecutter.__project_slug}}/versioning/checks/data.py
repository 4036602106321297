"""DA: the data that a sidecar names is the data that the pipeline read."""

from __future__ import annotations

from collections.abc import Iterator

from .. import pipeline as dvc
from .. import policy as policies
from .. import sidecar as sidecars
from ..findings import Finding
from .base import Case, rule


@rule("DA01", "data id and hash are those in dvc.lock", recorded=True)
def recorded(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar whose `data_id` is not the `data.id` that `dvc.lock` recorded, or whose training or evaluation data
    has another path, MD5 or size there.

    Write it anew from facts: `dvc repro -f -s sidecar`.
    """
    if case.sidecar is None:
        return
    ids = [
        dvc.lookup(values, "data.id") if "data.id" not in values else values["data.id"]
        for name, stage in case.locked.items()
        if dvc.is_sidecar_stage(name) and (name == case.describing or not case.several)
        for file, values in stage.params.items()
        if file == case.policy.params and ("data.id" in values or "data" in values)
    ]
    claimed = case.claim("data_id")
    if isinstance(claimed, str) and claimed not in ids:
        known = ", ".join(repr(value) for value in ids) or "none"
        message = f"says {claimed!r}, {dvc.LOCK} recorded {known}"
        yield case.finding("DA01", message, "data_id", expected=ids[0] if ids else None, actual=claimed, hint=case.redescribe)
    snapshot = case.claim("tags", "data_snapshot")
    if isinstance(snapshot, str) and snapshot != claimed:
        message = f"says {snapshot!r}, data_id says {claimed!r}"
        yield case.finding("DA01", message, "tags", "data_snapshot", expected=claimed, actual=snapshot, hint=case.redescribe)
    yield from _another_file(case)
    yield from _another_source(case)
    hashes = _hashes(case)
    for section in ("data", "evaluation_data"):
        path = case.claim(section, "path")
        if not isinstance(path, str):
            if section == "data" or case.policy.evaluation_data:
                yield case.finding("DA01", "does not say which data it was", section, hint=case.redescribe)
            continue
        found = hashes.get(path)
        if found is None:
            message = f"names {path}, which no stage in {dvc.LOCK} read"
            yield case.finding("DA01", message, section, "path", actual=path, hint=case.redescribe)
            continue
        size = found.size if found.size is not None else _pointed_size(case, path)
        for key, expected in (("md5", found.md5), ("size", size)):
            actual = case.claim(section, key)
            if actual is not None and expected is not None and (type(actual) is not type(expected) or actual != expected):
                where = dvc.LOCK if (key, found.size) != ("size", None) else f"{path}.dvc"
                message = f"says {actual}, {where} says {expected}"
                yield case.finding("DA01", message, section, key, expected=expected, actual=actual, hint=case.redescribe)


def _pointed_size(case: Case, path: str) -> int | None:
    """What the `.dvc` file of a table says, where the lock has no size."""
    pointer = case.snapshot.yaml(f"{path}.dvc") or {}
    return next((out["size"] for out in pointer.get("outs") or () if isinstance(sidecars.field(out, "size"), int)), None)


def _another_file(case: Case) -> Iterator[Finding]:
    """The sidecar names a file that the lock knows, and that is not the data that was trained on."""
    if case.committing:
        return
    used, claimed = dvc.lookup(case.snapshot.yaml(case.policy.params), "data.path"), case.claim("data", "path")
    if isinstance(claimed, str) and claimed != used:
        known = used if isinstance(used, str) else None
        message = f"says {claimed}, {case.policy.params} says {known or 'nothing that is a path'} under data.path"
        hint = f"git checkout HEAD~ -- {case.policy.params}"
        if known:
            hint = sidecars.named_elsewhere(case.pipeline, case.policy.params, known, claimed) or case.redescribe
        yield case.finding("DA01", message, "data", "path", expected=known, actual=claimed, hint=hint)
    evaluated, claimed = case.policy.evaluation_data, case.claim("evaluation_data", "path")
    if isinstance(claimed, str) and claimed != evaluated:
        message = f"says {claimed}, {policies.FILE} says {evaluated or 'nothing'}"
        yield case.finding("DA01", message, "evaluation_data", "path", expected=evaluated, actual=claimed, hint=case.redescribe)


def _another_source(case: Case) -> Iterator[Finding]:
    """What has an MD5 in the lock was read from a file, and a file has no version of a table or commit of a lake."""
    source, pin = case.claim("data", "source"), case.claim("data", "pin")
    if isinstance(source, str) and source != "dvc":
        message = f"says {source}, {dvc.LOCK} recorded a file that DVC keeps"
        yield case.finding("DA01", message, "data", "source", expected="dvc", actual=source, hint=case.redescribe)
    elif pin is not None:
        message = f"says {pin!r}; a file that DVC keeps is pinned by its MD5"
        yield case.finding("DA01", message, "data", "pin", actual=pin, hint=case.redescribe)


@rule("DA02", "a data id names one content for ever")
def named_once(case: Case) -> Iterator[Finding]:
    """Refuses a `data_id` that named other bytes in an earlier release: the same name in two releases would promise that both
    were trained on the same data.

    Give the data a name of its own, `data: id:` in `params.yaml`, then `dvc repro`, which trains nothing anew.
    """
    claimed, md5 = case.claim("data_id"), case.claim("data", "md5")
    if not isinstance(claimed, str) or not isinstance(md5, str):
        return
    if case.snapshot.commit is None:
        return
    here = case.snapshot.on_disk
    release = case.history.other_data(case.snapshot.commit, case.model, claimed, md5, including=here)
    if release is not None:
        known = sidecars.field(case.history.sidecar(release, case.model), "data", "md5")
        message = f"{claimed!r} named other data in {release.tag}: {known[:10]}…, here it is {md5[:10]}…"
        hint = f"change id: {claimed} under data: in {case.policy.params}, then {case.retrain}"
        yield case.finding("DA02", message, "data_id", expected=known, actual=md5, hint=hint)


def _hashes(case: Case) -> dict[str, dvc.Hash]:
    """Every dependency and output of the lock, by path."""
    return {
        **{path: found for stage in case.locked.values() for path, found in stage.deps.items()},
        **{path: found for stage in case.locked.values() for path, found in stage.outs.items()},
    }
