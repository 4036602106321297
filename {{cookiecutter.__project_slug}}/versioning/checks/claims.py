"""HP and ME: hyperparameters and metrics are those that the pipeline recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from .. import pipeline as dvc
from .. import policy as policies
from .. import sidecar as sidecars
from ..documents import ABSENT, differences, equal, shown, shown_beside
from ..errors import Malformed
from ..findings import Finding
from .base import Case, rule


@rule("HP01", "hyperparameters are those in dvc.lock", recorded=True)
def hyperparameters(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar whose hyperparameters are not, key for key, what `dvc.lock` recorded for the stages behind the model.

    Write it anew from facts: `dvc repro -f -s sidecar`.
    """
    claimed = case.claim("hyperparameters")
    if not isinstance(claimed, dict):
        return
    recorded = case.pipeline.recorded_params(_stages(case), case.policy.params)
    for keys, says, expected in differences(claimed, recorded, ("hyperparameters",)):
        message = f"says {shown_beside(says, expected)}, {dvc.LOCK} recorded {shown_beside(expected, says)}"
        yield case.finding("HP01", message, *keys, expected=expected, actual=says, hint=case.redescribe)
    seed = case.claim("seed")
    if seed is not None and not equal(seed, recorded.get("seed")):
        message = f"says {shown(seed)}, {dvc.LOCK} recorded {shown(recorded.get('seed', ABSENT))}"
        yield case.finding("HP01", message, "seed", expected=recorded.get("seed"), actual=seed, hint=case.redescribe)


@rule("ME01", "metrics are those in the metrics file", recorded=True)
def metrics(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar whose metrics are not, key for key, those of the metrics file, and a metrics file that is not the one
    that `dvc.lock` records, or that was made from another model than the sidecar's.

    Write the sidecar anew from facts: `dvc repro -f -s sidecar`; bring the metrics back with `dvc repro`.
    """
    claimed = case.claim("metrics")
    if not isinstance(claimed, dict):
        return
    path = case.policy.metrics
    try:
        written = case.snapshot.json(path)
    except Malformed:
        return  # ME02 says so
    if written is None:
        yield case.finding("ME01", f"stands for {path}, which is not there", "metrics", hint=_remake(case))
        return
    artifact = case.claim("artifact", "path")
    other = sidecars.measured_instead(case.pipeline, artifact, path) if isinstance(artifact, str) else None
    if other is not None:
        message = f"stands for {path}, which is made from {other}, not from {artifact}"
        anew = case.then(f"dvc repro -f -s {case.describing}", everything=True)
        hint = f"name the metrics file of {case.model} under its paths: in {policies.FILE}, then: {anew}"
        yield case.finding("ME01", message, "metrics", expected=artifact, actual=other, hint=hint)
        return
    outputs = {place: output for stage in case.locked.values() for place, output in stage.outs.items()}
    actual = case.snapshot.md5(path)
    # Describing anew from a metrics file that is not the recorded one would only copy its fault.
    sound = path in outputs and outputs[path].md5 == actual
    for keys, says, expected in differences(claimed, written, ("metrics",)):
        message = f"says {shown(says)}, {path} says {shown(expected)}"
        hint = case.redescribe if sound else _remake(case)
        yield case.finding("ME01", message, *keys, expected=expected, actual=says, hint=hint)
    if path not in outputs:
        message = f"is the metrics file, and {dvc.LOCK} records no stage that made it"
        yield case.finding("ME01", message, file=path, hint=_remake(case))
    elif outputs[path].md5 != actual:
        message = f"is not the file that {dvc.LOCK} recorded: it says {outputs[path].md5[:10]}…, here it is {str(actual)[:10]}…"
        yield case.finding("ME01", message, file=path, expected=outputs[path].md5, actual=actual, hint=_remake(case))


@rule("ME02", "metrics are finite numbers", recorded=True)
def finite(case: Case) -> Iterator[Finding]:
    """Refuses a metric that is no finite number: text, true or false, null, NaN, Infinity; and a metrics file that cannot be
    read as JSON. Such a value passes or fails every threshold without anybody noticing.

    Mend the evaluation, then `dvc repro`.
    """
    try:
        case.snapshot.json(case.policy.metrics)
    except Malformed as error:
        path = case.policy.metrics
        yield case.finding("ME02", str(error).removeprefix(f"{path} "), file=path, hint=_remake(case))
    claimed = case.claim("metrics")
    if isinstance(claimed, dict):
        for keys, value in _leaves(claimed, ("metrics",)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                message = f"is {shown(value)}, which is no finite number"
                yield case.finding("ME02", message, *keys, actual=value, hint=_remake(case))


@rule("ME03", "metrics are within the release thresholds")
def good_enough(case: Case) -> Iterator[Finding]:
    """Refuses a metric that is below `min` or above `max` of `thresholds:` in `versioning.yaml`, and a threshold whose metric
    the sidecar does not have. Commits are free; it is the release that has to be good enough.

    Train a better model, or change the threshold in a commit that says why; for one release, write a waiver.
    """
    metrics = case.claim("metrics")
    if not isinstance(metrics, dict):
        return
    for threshold in case.policy.thresholds:
        # A metric may have a dot in its name, `recall@0.5`, or stand in a group, `test.accuracy`.
        keys = ("metrics", *([threshold.metric] if threshold.metric in metrics else threshold.metric.split(".")))
        value = case.claim(*keys)
        if value is None:
            message = f"is missing, and {policies.FILE} asks for {threshold}"
        elif isinstance(value, bool) or not isinstance(value, int | float):
            continue  # ME02 says so
        elif threshold.allows(value):
            continue
        else:
            message = f"is {value!r}, and {policies.FILE} asks for {threshold}"
        hint = f"change {case.policy.params} or the code, then: {_remake(case)}"
        yield case.finding("ME03", message, *keys, expected=str(threshold), actual=value, hint=hint)


def _remake(case: Case) -> str:
    return case.then("dvc repro", everything=True)


def _stages(case: Case) -> list[str]:
    path = case.claim("artifact", "path")
    return sidecars.claimed_stages(case.pipeline, path if isinstance(path, str) else "", case.policy, case.model)


def _leaves(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, (*keys, str(key)))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from _leaves(item, (*keys, str(position)))
    else:
        yield keys, value
