"""CO04: the pipeline knows all the code that it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from .. import pipeline as dvc
from ..dvcignore import DvcIgnore
from ..findings import Finding
from ..imports import Imports, programs
from .base import Case, rule
from .commit import behind


@rule("CO04", "stages declare the code that they import")
def declared(case: Case) -> Iterator[Finding]:
    """Refuses a release whose pipeline runs code of this repository that it does not declare: a stage's command starts a
    module or script, or that imports a file, which is not under the stage's `deps:`. DVC would not see a change of it, and
    the model would be said to come from code that did not make it. Code is read, never run; what a command starts otherwise
    (a notebook, a shell script) is not followed. Files without a statement, and imports for type checkers, do not count.

    Add the file, or the folder that it is in, under `deps:` of the stage in `dvc.yaml`, then
    `dvc repro && git add -A && git commit -m "Train"`.
    """
    installed, ignore = _installed(case), DvcIgnore(case.snapshot)
    for name in behind(case):
        stage = case.pipeline.stages[name]
        if stage.frozen:
            continue
        found = Imports(case.snapshot, installed)
        for program in programs(stage.cmd, stage.wdir):
            found.follow(program)
        missing = {path: through for path, through in found.reached.items() if not _declares(stage, path, ignore)}
        written = name.split("@")[0]
        for path in sorted(missing):
            yield case.finding(
                "CO04", f"{written} {_said(path, missing[path])}", "stages", written, "deps", file=dvc.PIPELINE,
                expected=path, actual=sorted(stage.deps), hint=_hint(case, stage, written, sorted(missing)),
            )  # fmt: skip


def _said(path: str, through: str) -> str:
    how = f"imports {path} (through {through})" if through else f"runs {path}"
    return f"{how}, which it does not declare: a change of it would retrain nothing"


def _declares(stage: dvc.Stage, path: str, ignore: DvcIgnore) -> bool:
    """Whether a dependency is the file or holds it, or the stage takes its parameters from it."""
    places = {*stage.deps.values(), *(posixpath.normpath(posixpath.join(stage.wdir, file)) for file in stage.params)}
    # What `.dvcignore` hides is no part of a folder's hash.
    return path in places or (bool(places & {".", *_folders(path)}) and not ignore.hides(path))


def _folders(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _hint(case: Case, stage: dvc.Stage, name: str, paths: list[str]) -> str:
    # No command adds a dependency to a stage: `dvc stage add --force` writes the whole stage anew.
    lines = " and ".join(f'"- {posixpath.relpath(path, stage.wdir or ".")}"' for path in paths)
    return f"add {lines} under deps: of {name} in {dvc.PIPELINE}, then: {case.retrain}"


def _installed(case: Case) -> frozenset[str]:
    """The packages that the runtime lock names, as an import would write them."""
    content = case.snapshot.read(case.policy.environment) or b""
    names = re.findall(r"^([A-Za-z0-9][\w.-]*) *==", content.decode("utf-8", "replace"), re.MULTILINE)
    return frozenset(re.sub(r"[-.]", "_", name).lower() for name in names)
