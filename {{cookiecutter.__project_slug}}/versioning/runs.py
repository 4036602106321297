"""Which records of `dvc.lock` are of a run that nobody made.

Git merges a lock line by line. Where one side recorded new data for a stage and the other new code, what comes out says that the
stage ran with both; `dvc status` believes it. DVC's run cache knows better: it keeps every run of this clone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import pipeline as dvc
from .documents import load_yaml
from .errors import Malformed
from .git import Repository
from .snapshot import CommitSnapshot
from .storage import Storage

_MOST = 50  # merges that are looked at


@dataclass(frozen=True)
class Unrun:
    """A stage whose record was put together by a merge."""

    stage: str
    merge: str


def unrun(repository: Repository, commit: str, pipeline: dvc.Pipeline, stages: Iterable[str], since: str | None) -> list[Unrun]:
    """The stages whose present record a merge put together, and no run of this clone made.

    A record that a merge commit has and neither parent, with outputs that one of them has: whoever ran the stage in the merge
    mostly got other outputs, and otherwise left the run in DVC's cache.

    Args:
        commit: from where merges are looked for, back to `since`.
    """
    wanted = [name for name in stages if name in pipeline.locked and pipeline.locked[name].outs]
    found = [*_put_together(repository, commit, pipeline, wanted, since)]
    if not found:
        return []
    known = [*_runs(Storage(repository).cache / "runs")]
    return [one for one in found if pipeline.locked[one.stage] not in known]


def _put_together(
    repository: Repository, commit: str, pipeline: dvc.Pipeline, stages: list[str], since: str | None
) -> Iterator[Unrun]:
    for file in sorted({pipeline.stages[name].lock for name in stages}):
        until = [f"^{since}"] if since else []
        listing = repository.run("rev-list", "--min-parents=2", "--parents", f"--max-count={_MOST}", commit, *until, "--", file)
        for line in listing.splitlines():
            merge, *parents = line.split()
            there, *sides = (_records(repository, one, file) for one in (merge, *parents))
            for name in (name for name in stages if pipeline.stages[name].lock == file):
                key = dvc.own_name(name)
                now, before = pipeline.locked[name], [side.get(key) for side in sides]
                if there.get(key) == now and now not in before and any(one and one.outs == now.outs for one in before):
                    yield Unrun(name, merge)


def _records(repository: Repository, commit: str, file: str) -> dict[str, dvc.Locked]:
    try:
        return dvc.read_lock(CommitSnapshot(repository, commit), file)
    except Malformed:
        return {}


def _runs(folder: Path) -> Iterator[dvc.Locked]:
    """Every run that DVC keeps: a file each, of the form that a stage has in a lock."""
    for path in sorted(folder.glob("*/*/*")):
        try:
            yield dvc.locked_stage(load_yaml(path.read_bytes()), str(path))
        except (AttributeError, KeyError, Malformed, OSError, TypeError, ValueError):
            continue
