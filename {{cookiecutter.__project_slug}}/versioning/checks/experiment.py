"""EX: experiments and releases have names of different kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..findings import Finding
from ..names import ReleaseTag
from .base import Case, program, rule

_SPEAKS_OF_ONE = re.compile(r"exp(eriment)?s?($|[.\d-])", re.IGNORECASE)


@rule("EX01", "an experiment's name is no release")
def no_experiment(case: Case) -> Iterator[Finding]:
    """Refuses a release that is named as an experiment: `v1.2.0-exp.3`, `v1.2.0-muddy-cots` where DVC has an experiment
    `muddy-cots`, or a version that somebody gave to an experiment. Whoever reads the name would not know which of the two
    it is. Experiments live under names of their own (`dvc exp show`), and the sidecar keeps the id under `tags`.

    Bring it to a branch (`dvc exp apply NAME`, commit), and release it under a version: `model release minor`.
    """
    if not isinstance(case.meaning, ReleaseTag):
        return
    version = case.meaning.version
    suffix, known = ".".join(version.pre), case.history.experiments
    named = next((name for name in (suffix, str(version), case.tag) if name in known), None)
    if named is None and not _SPEAKS_OF_ONE.match(suffix):
        return
    message = f"{case.tag} is named as an experiment{f', {named}' if named else ''}; a release has a version of its own"
    right = case.prefix + str(version.final)
    hint = f"{program()} release {right}"
    yield case.finding("EX01", message, file=f"refs/tags/{case.tag}", expected=right, actual=case.tag, hint=hint)
