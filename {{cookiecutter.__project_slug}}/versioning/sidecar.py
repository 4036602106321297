"""The sidecar: what one model is, in `models/<model>.json`. The only reader and the only writer."""

from __future__ import annotations

import getpass
import os
import platform
import posixpath
import re
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from . import pipeline as dvc
from .documents import dump_json, load_json
from .errors import Malformed, VersioningError
from .git import Repository
from .policy import FILE, Policy
from .snapshot import CommitSnapshot, DiskSnapshot, Snapshot
from .storage import Digests

FOLDER = "models"
FEATURES = ".features.json"
SCHEMA_VERSION = 1
#: Kept while the artifact is the same: they say how these bytes came to be, not where they were described last.
_KEPT_ENVIRONMENT = ("python", "platform", "image")
_IDENTITY = re.compile(r"[^<>\s][^<>]* <[^<>@\s]+@[^<>@\s]+>")


def path_of(model: str) -> str:
    """Where a model's sidecar is."""
    return f"{FOLDER}/{model}.json"


def features_of(model: str) -> str:
    """Where a model's serialized feature spec is."""
    return f"{FOLDER}/{model}{FEATURES}"


def format_of(path: str) -> str:
    """What a model's file is called by: `skops`, `onnx`, `pt`."""
    return re.sub(r"[^a-z0-9]", "", posixpath.splitext(path)[1].lower()) or "unknown"


def is_sidecar(path: str) -> bool:
    """Whether a path is a sidecar's."""
    folder, name = posixpath.split(path)
    return folder == FOLDER and name.endswith(".json") and not name.endswith(FEATURES)


def find(snapshot: Snapshot) -> list[str]:
    """The sidecars of a snapshot; other JSON files (`models/labels.json`) are a user's own."""
    return [path for path in snapshot.files(FOLDER) if is_sidecar(path) and _speaks_of_a_model(snapshot, path)]


def _speaks_of_a_model(snapshot: Snapshot, path: str) -> bool:
    try:
        content = snapshot.json(path) or {}
    except Malformed:
        return False  # of a model that dvc.yaml declares, it is found by that
    return "model_name" in content and ("artifact" in content or "version" in content)


def schema_name(version: int) -> str:
    """The file of a schema, in `versioning/schemas/`."""
    return f"sidecar.v{version}.json"


@cache
def schema(version: int = SCHEMA_VERSION) -> dict[str, Any]:
    """The JSON Schema of sidecars of a version."""
    content = resources.files(__package__).joinpath("schemas", schema_name(version)).read_bytes()
    loaded: dict[str, Any] = load_json(content)
    return loaded


@cache
def _validator(version: int) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(version))


@cache
def _quick(version: int) -> Any:
    """A validator that takes a tenth of the time to load and to run, and whose yes is enough; what is wrong, the other says."""
    try:
        from jsonschema_rs import Draft202012Validator
    except ImportError:  # no build of it for every machine
        return _validator(version)
    return Draft202012Validator(schema(version))


def faults(sidecar: Mapping[str, Any]) -> Iterator[tuple[list[str], str]]:
    """Where a sidecar of a known version is not as the schema of that version says: the keys, and what is wrong there."""
    version = sidecar["schema_version"]
    if not _quick(version).is_valid(sidecar):
        for error in sorted(_validator(version).iter_errors(sidecar), key=lambda error: error.json_path):
            yield [str(key) for key in error.absolute_path], error.message
    for path, text in _texts(sidecar):
        if not text.isprintable() and any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
            yield [*path], f"holds a control character: {text!r}"


def _texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key, path)
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(item, (*path, str(position)))


def field(sidecar: Mapping[str, Any] | None, *keys: str) -> Any:
    """A value by its keys, or None where something on the way is not there."""
    value: Any = sidecar
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def write(root: Path, content: Mapping[str, Any]) -> Path:
    """Write a sidecar in its place, whole or not at all; an equal one is left untouched."""
    path = root / path_of(content["model_name"])
    data = dump_json(content)
    if not path.is_file() or path.read_bytes() != data:
        draft = path.with_name(f".{path.name}.draft")
        draft.write_bytes(data)
        draft.replace(path)
    return path


# --- made from facts --------------------------------------------------------------------------------------------------


def describe(disk: DiskSnapshot, policy: Policy, model: str, now: datetime | None = None) -> dict[str, Any]:
    """The sidecar of the model that lies on disk, every field computed from files, `dvc.lock` and Git.

    Raises:
        VersioningError: the pipeline has not made what a sidecar describes.
    """
    pipeline = dvc.load(disk)
    artifact = _artifact(disk, pipeline, model)
    stages = claimed_stages(pipeline, artifact["path"], policy, model)
    _refuse_strangers(pipeline, artifact["path"], policy, model)
    params = disk.yaml(policy.params) or {}
    recorded = pipeline.recorded_params(stages, policy.params)
    data_path = _needed(policy, params, "data", "path")
    data = pipeline.recorded_dependency(data_path)
    previous = _previous(disk, model)
    if data is None:
        said = f"no stage of dvc.lock read data.path, {data_path!r}"
        cure = named_elsewhere(pipeline, policy.params, str(data_path), field(previous, "data", "path"))
        raise VersioningError(f"{said}: {cure}" if cure else said, None if cure else "dvc repro")
    same = field(previous, "artifact", "sha256") == artifact["sha256"]
    moment = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    described: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "model_name": model,
        "version": str(_needed(policy, params, "version")),
        "commit": claim(disk, stages, field(previous, "commit")),
        "data_id": str(_needed(policy, params, "data", "id")),
        "hyperparameters": recorded,
        "metrics": _metrics(disk, policy),
        "created_by": _made_by(disk.repository, field(previous, "created_by") if same else None),
        "created_at": (same and field(previous, "created_at")) or moment,
        "stage": policy.entry_stage,
        "team": policy.team,
        "artifact": artifact,
        "data": {"path": data_path, "md5": data.md5, "size": data.size or 0, "source": "dvc"},
        "evaluation_data": _evaluation_data(pipeline, policy),
        "features": _file(disk, features_of(model)),
        "environment": _environment(disk, policy, field(previous, "environment") if same else None),
        "seed": recorded.get("seed"),
        "evaluation": [_report(disk, pipeline, path) for path in policy.evaluation],
        "tags": {
            "experiment_id": _experiment(),
            "data_snapshot": str(_needed(policy, params, "data", "id")),
            "approved": False,
        },
        "extra": field(previous, "extra"),
    }
    if same and field(previous, "tags", "experiment_id"):
        described["tags"]["experiment_id"] = field(previous, "tags", "experiment_id")
    return {key: value for key, value in described.items() if value is not None}


def named_elsewhere(pipeline: dvc.Pipeline, params: str, path: str, before: Any) -> str | None:
    """What to do where `data.path` names a file that no stage of `dvc.yaml` does, so that `dvc repro` reads another one; None
    where some stage names it.

    Args:
        before: the file that the model was described with so far.
    """
    if pipeline.readers(path):
        return None
    names = pipeline.readers(before) if isinstance(before, str) else []
    who, instead = (" and ".join(names), f" for {before}") if names else ("the stage that reads the data", "")
    reads = f"{who} still reads {before}; " if names else ""
    cure = f"{reads}write {path}{instead} there too, in cmd and in deps of {who}, then dvc repro"
    return f"{params} names {path}, {dvc.PIPELINE} does not; {cure}"


def claimed_stages(pipeline: dvc.Pipeline, artifact: str, policy: Policy, model: str) -> list[str]:
    """The stages that artifact, features and metrics come from: what a sidecar's `commit` speaks of."""
    stages = pipeline.upstream(artifact, features_of(model), policy.metrics)
    return [name for name in stages if not dvc.is_sidecar_stage(name)]


def measured_instead(pipeline: dvc.Pipeline, artifact: str, metrics: str) -> str | None:
    """The other model that a metrics file was made from; None where it was made from this one, or nothing tells."""
    train, behind = pipeline.producer(artifact), pipeline.upstream(metrics)
    if train is None or train in behind:
        return None
    paths = (field(item, "path") for item in pipeline.artifacts.values() if field(item, "type") == "model")
    return next((path for path in paths if path != artifact and pipeline.producer(path) in behind), None)


def _refuse_strangers(pipeline: dvc.Pipeline, artifact: str, policy: Policy, model: str) -> None:
    """Parameters and metrics are a model's own; where `models:` names none, they would be the first model's."""
    other = measured_instead(pipeline, artifact, policy.metrics)
    if other is not None:
        raise VersioningError(
            f"{policy.metrics}, which versioning.yaml names as the metrics of {model}, is made from {other}",
            f"under models: {model}: paths: in versioning.yaml, write the metrics: that a stage makes from {artifact}",
        )
    stage = pipeline.stages.get(pipeline.describing(artifact))
    if stage and stage.params and policy.params not in stage.params:
        raise VersioningError(
            f"stage {stage.name} takes its parameters from {', '.join(stage.params)}, those of {model} are in {policy.params}",
            f"under models: {model}: in versioning.yaml, write params: {next(iter(stage.params))}",
        )


def claim_differences(
    repository: Repository, lock: Snapshot, commit: str, stages: list[str], beside: dvc.Pipeline | None = None
) -> list[dvc.Difference]:
    """Where a commit does not hold the code, the parameters and the data pointers that the lock recorded.

    The commit's own `dvc.yaml` may not name yet all that the stages ran with, so that beside the lock counts as well.
    """
    snapshot = CommitSnapshot(repository, commit)
    named = dvc.load(snapshot, lock)
    return list(dvc.Comparison(snapshot, named).sources(stages, (beside or dvc.load(lock)).stages))


def claim(disk: Snapshot, stages: list[str], previous: str | None) -> str:
    """The commit to name: HEAD where it holds what made the model, else the one named so far where that does, else HEAD.

    Raises:
        VersioningError: there is no commit yet.
    """
    repository = disk.repository
    head = repository.head()
    if head is None:
        raise VersioningError("there is no commit yet that could hold the model's code", "git add -A && git commit -m 'Start'")
    for candidate in filter(None, (head, previous)):
        known = repository.resolve(candidate)
        if known == candidate and repository.is_ancestor(candidate, head):
            try:
                if not claim_differences(repository, disk, candidate, stages):
                    return candidate
            except Malformed:
                continue
    return head


def _artifact(disk: DiskSnapshot, pipeline: dvc.Pipeline, model: str) -> dict[str, Any]:
    path = field(pipeline.artifacts.get(model), "path")
    if not isinstance(path, str):
        raise VersioningError(f"dvc.yaml declares no artifact «{model}» with a path", "dvc artifacts --help")
    recorded = pipeline.output(path)
    place = disk.path(path)
    if recorded is None or not place.is_file():
        missing = "is not in dvc.lock" if recorded is None else "is not on disk"
        raise VersioningError(f"the model {path} {missing}", "dvc repro" if recorded is None else "dvc checkout")
    return {
        "path": path,
        "sha256": Digests(disk.repository).of(place, "sha256"),
        "md5": recorded.md5,
        "size": place.stat().st_size,
        "format": format_of(path),
    }


def _previous(disk: DiskSnapshot, model: str) -> dict[str, Any] | None:
    # One that cannot be read is replaced: that is how a lost or broken sidecar comes back.
    try:
        return disk.json(path_of(model))
    except Malformed:
        return None


def _metrics(disk: Snapshot, policy: Policy) -> dict[str, Any]:
    metrics = disk.json(policy.metrics)
    if metrics is None:
        raise VersioningError(f"the metrics file {policy.metrics} is not there", "dvc repro")
    return metrics


def _file(disk: Snapshot, path: str) -> dict[str, str]:
    digest = disk.sha256(path)
    if digest is None:
        raise VersioningError(f"{path} is not there", "dvc repro")
    return {"path": path, "sha256": digest}


def _report(disk: Snapshot, pipeline: dvc.Pipeline, path: str) -> dict[str, str]:
    """A report of the evaluation; one that no stage makes would be asked of `dvc repro` for ever."""
    if pipeline.producer(path) is None and disk.read(path) is None:
        message = f"{path} is not there, and no stage of {dvc.PIPELINE} makes it: {FILE} names it under paths: evaluation:"
        raise VersioningError(message, f"${{EDITOR:-vi}} {FILE}")
    return _file(disk, path)


def _evaluation_data(pipeline: dvc.Pipeline, policy: Policy) -> dict[str, str] | None:
    if not policy.evaluation_data:
        return None
    recorded = pipeline.output(policy.evaluation_data) or pipeline.recorded_dependency(policy.evaluation_data)
    if recorded is None:
        raise VersioningError(f"the evaluation data {policy.evaluation_data} is not in dvc.lock", "dvc repro")
    return {"path": policy.evaluation_data, "md5": recorded.md5}


def _environment(disk: Snapshot, policy: Policy, kept: Mapping[str, str] | None) -> dict[str, str]:
    environment = {"python": platform.python_version(), "platform": platform.platform()}
    environment |= {key: kept[key] for key in _KEPT_ENVIRONMENT if kept and key in kept}
    return {**environment, "lock_sha256": _file(disk, policy.environment)["sha256"]}


def is_identity(text: str) -> bool:
    """Whether a text names somebody as Git does: `Name <mail>`."""
    return _IDENTITY.fullmatch(text) is not None


def _made_by(repository: Repository, kept: str | None) -> str:
    """Who made these bytes; a machine's user, written down for want of an identity, gives way to a person."""
    if kept and (is_identity(kept) or not repository.identity()):
        return kept
    try:
        return repository.identity() or f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container's user without a name
        return f"unknown@{socket.gethostname()}"


def _experiment() -> str | None:
    return os.environ.get("DVC_EXP_NAME") or None


def _needed(policy: Policy, params: Mapping[str, Any], *keys: str) -> Any:
    value = field(params, *keys)
    if value is None:
        raise VersioningError(f"{policy.params} has no {'.'.join(keys)}", f"git checkout HEAD -- {policy.params}")
    return value
