"""EN: the runtime lock is the one that the model was trained with."""

from __future__ import annotations

from collections.abc import Iterator

from .. import pipeline as dvc
from ..findings import Finding
from .base import Case, rule


@rule("EN01", "the runtime lock is the one trained with")
def trained_with(case: Case) -> Iterator[Finding]:
    """Refuses a release whose `requirements.lock` is not the one that `dvc.lock` recorded for training, or not the one whose
    SHA-256 the sidecar names. Tools have a lock of their own (`requirements-dev.lock`), which forces no training.

    Train with the lock that is there, `dvc repro`, or bring the old one back with `git checkout COMMIT -- requirements.lock`.
    """
    if case.sidecar is None:
        return
    path = case.policy.environment
    claimed, actual = case.claim("environment", "lock_sha256"), case.snapshot.sha256(path)
    recorded = case.pipeline.recorded_dependency(path)
    trained = recorded is not None and recorded.md5 == case.snapshot.md5(path)
    if not isinstance(claimed, str):
        message = "does not say which runtime lock the model was trained with"
        yield case.finding("EN01", message, "environment", hint=case.redescribe)
    elif actual is None:
        message = f"names a runtime lock, and {path} is not there"
        yield case.finding("EN01", message, "environment", "lock_sha256", hint=f"git checkout HEAD~ -- {path}")
    elif claimed != actual:
        message = f"says {claimed[:12]}…, {path} hashes to {actual[:12]}…"
        hint = case.redescribe if trained else case.retrain
        yield case.finding("EN01", message, "environment", "lock_sha256", expected=actual, actual=claimed, hint=hint)
    if recorded is None:
        message = f"is a dependency of no stage in {dvc.LOCK}: nothing says what the model was trained with"
        yield case.finding("EN01", message, file=path, hint=case.retrain)
    elif actual is not None and not trained:
        here = case.snapshot.md5(path) or ""
        message = f"is not the lock trained with: {dvc.LOCK} says {recorded.md5[:10]}…, here it is {here[:10]}…"
        yield case.finding("EN01", message, file=path, expected=recorded.md5, actual=here, hint=case.retrain)
