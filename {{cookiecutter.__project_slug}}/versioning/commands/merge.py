"""End a conflict of two trainings: one side whole, or both where that is true. Trains nothing, commits nothing."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from .. import combine, conflict, gate, judge, releases
from .. import pipeline as dvc
from .. import sidecar as sidecars
from ..checks.base import program
from ..conflict import BOTH, Conflict, Holding, Side
from ..errors import Malformed, UsageError, VersioningError
from ..git import Repository
from ..names import Version
from ..snapshot import CommitSnapshot, DiskSnapshot, IndexSnapshot

EXAMPLE = "model merge main"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model merge`."""
    parser.add_argument(
        "side", nargs="?", metavar="SIDE", help=f"a branch or commit of this merge, or «{BOTH}»; without one, show the two"
    )
    parser.add_argument("--model", default="", help="which of several models; default: those that both sides have trained")
    parser.add_argument("--json", action="store_true", help="show the two sides, for machines")


def merge(arguments: argparse.Namespace) -> int:
    """Show the two sides, or take what was chosen and say what is to be typed next."""
    with Repository.discover() as repository:
        found = conflict.find(repository)
        if found is None:
            raise _nothing_to_merge(repository)
        if arguments.json or not arguments.side:
            print(conflict.as_json(repository, found) if arguments.json else "\n".join(conflict.overview(repository)))
            return 0
        side = None if arguments.side == BOTH else found.side(repository, arguments.side)
        work = _Work(repository, found, *(conflict.hold(repository, one.commit) for one in found.sides))
        models = work.chosen(arguments.model) if side else work.fought
        said = work.take(side, models) if side else work.keep_both()
        print("\n".join([*said, *work.what_is_next(models)]), flush=True)
        if work.is_recorded():
            gate.after_checkout()
    return 0


def _nothing_to_merge(repository: Repository) -> VersioningError:
    fought = sorted(conflict.unmerged(repository))
    if fought:
        names = shlex.join(fought)
        return VersioningError(
            f"nothing says where the other side of the conflict in {', '.join(fought)} comes from",
            f"git checkout --ours -- {names} && git add -- {names}",
        )
    none = "no merge, rebase, cherry-pick, revert or stash is in conflict here"
    stale = _stale(repository)
    if stale is None:
        return UsageError(none, f"{program()} check")
    return VersioningError(
        f"{none}, and dvc.lock is not true of what is committed: {stale}",
        'dvc repro && git add -A && git commit -m "Train what was merged"',
    )


def _stale(repository: Repository) -> str | None:
    """Where the lock is not true of what is staged, by the gate's own comparison."""
    index = IndexSnapshot(repository)
    pipeline = dvc.load(index)
    found = next(dvc.Comparison(index, pipeline).stale(pipeline.stages), None)
    return f"stage {found.stage} {found.what} ({found.path})" if found else None


@dataclass
class _Work:
    """A conflict, and what each side holds."""

    repository: Repository
    conflict: Conflict
    here: Holding
    there: Holding

    def __post_init__(self) -> None:
        self.holdings = (self.here, self.there)
        self.models = sorted({*self.here.models, *self.there.models})
        self.fought = conflict.trained_by_both(self.conflict, *self.holdings)
        self.shared = sorted({*self.here.shared, *self.there.shared})
        #: Written by the pipeline: whatever is in conflict there, the stages write it anew.
        self.made = {sidecars.path_of(model) for model in self.models} | {
            side.rules.of(model).metrics for side in self.holdings for model in side.models
        }

    def chosen(self, name: str) -> list[str]:
        """The models of which one side is taken."""
        if name and name not in self.models:
            raise UsageError(f"neither side has a model «{name}»; there {_are(self.models)}")
        if name:
            return [name]
        if not self.fought and len(self.models) > 1:
            raise UsageError("each side trained another model, or only one did: there is nothing to choose", _verb(BOTH))
        return self.fought or self.models

    # --- one side whole ---

    def take(self, side: Side, models: list[str]) -> list[str]:
        """Bring all that the models are made of and described by to what one side has."""
        alone = len(self.models) == 1
        paths = {*self.shared} if alone else set[str]()
        for holding in self.holdings:
            stages = holding.pipeline.stages if alone else self._stages(holding, models)
            paths |= holding.files(stages, [model for model in models if model in holding.models])
        files = {} if alone else self._shared_with_others(side, models)
        snapshot = CommitSnapshot(self.repository, side.commit)
        kept = combine.keep_copies(self.repository, self.conflict, {path: snapshot.read(path) for path in paths} | files)
        combine.restore(self.repository, side.commit, paths)
        combine.write(self.repository, files)
        return [*kept, *self._taken(side, models, paths)]

    def _stages(self, holding: Holding, models: list[str]) -> set[str]:
        return {name for model in models if model in holding.models for name in holding.stages(model)}

    def _shared_with_others(self, side: Side, models: list[str]) -> dict[str, bytes]:
        """Where there are more models, `dvc.yaml` and lock are not one side's: only the stages of the chosen ones are."""
        own = {dvc.own_name(name) for holding in self.holdings for name in self._stages(holding, models)}
        files: dict[str, bytes | None] = {}
        for file in self.shared:
            if file.endswith(dvc.PIPELINE):
                files[file] = combine.pipeline(self.repository, self.conflict, side, file)
            else:
                files[file] = combine.lock(self.repository, self.conflict, file, own, side)
        return {file: content for file, content in files.items() if content is not None}

    def _taken(self, side: Side, models: list[str], paths: set[str]) -> list[str]:
        other = next(one for one in self.conflict.sides if one is not side)
        snapshots = [CommitSnapshot(self.repository, one.commit) for one in (side, other)]
        base = CommitSnapshot(self.repository, self.conflict.base) if self.conflict.base else None
        lost = sorted(
            path
            for path in {*paths} - self.made
            if not path.endswith(dvc.LOCK)
            and snapshots[0].oid(path) != snapshots[1].oid(path) != (base.oid(path) if base else "")
        )
        lines = [f"{', '.join(models)}: {side.name} whole ({side.of(self.repository)})"]
        if lost:
            lines.append(f"left out, of {other.name}: {', '.join(lost)}")
            lines.append(f"  to see it: git diff {side.commit[:7]} {other.commit[:7]} -- {shlex.join(lost)}")
            lines.append(f"  to take one back: git checkout {other.commit[:7]} -- PATH; to begin again: {self.conflict.abort}")
        return lines

    # --- both ---

    def keep_both(self) -> list[str]:
        """Join the locks stage by stage; code and parameters stay as Git merged them."""
        locks = [file for file in self.shared if file.endswith(dvc.LOCK)]
        files = {file: combine.lock(self.repository, self.conflict, file) for file in locks}
        lines = combine.keep_copies(self.repository, self.conflict, files)
        combine.write(self.repository, files)
        combine.reopen(self.repository, self.conflict, self._all_files() - {*locks})
        trained = "each stage's record is that of the side that ran it"
        return [*lines, f"both sides: {', '.join(locks)}: {trained}"]

    # --- what is left ---

    def _all_files(self) -> set[str]:
        return {path for one in self.holdings for path in one.files(one.pipeline.stages, one.models)} | {*self.shared}

    def is_recorded(self) -> bool:
        """Whether the locks say of every stage what it made, so that DVC can bring it."""
        if any(path in self.shared for path in conflict.unmerged(self.repository)):
            return False
        pipeline = dvc.load(IndexSnapshot(self.repository))
        return pipeline.stages.keys() <= pipeline.locked.keys()

    def what_is_next(self, models: list[str]) -> list[str]:
        """What is in conflict still, whether something has to be trained, and the command."""
        left = sorted(conflict.unmerged(self.repository))
        by_hand = [path for path in left if path not in self.made]
        lines = [f"in conflict still, yours to resolve: {', '.join(by_hand)}"] if by_hand else []
        open_inputs = [path for path in by_hand if path in self._all_files()]
        stale = self._why_stale(open_inputs, [path for path in left if path in self.made])
        lines.append(f"to be trained: {stale}" if stale else "nothing has to be trained: dvc.lock is true of what is staged")
        lines += self._versions(models)
        return [*lines, f"Next: {self._command(by_hand, left, train=stale is not None)}"]

    def _why_stale(self, inputs: list[str], made: list[str]) -> str | None:
        if inputs:
            return f"{', '.join(inputs)} decides what is trained"
        try:
            return _stale(self.repository) or (f"{', '.join(made)} is each side's own" if made else None)
        except Malformed as error:
            return str(error)

    def _command(self, by_hand: list[str], left: list[str], *, train: bool) -> str:
        parts = []
        if by_hand:
            parts.append(f"resolve {', '.join(by_hand)}; then: git add -- {shlex.join(by_hand)}")
        if train:
            index = IndexSnapshot(self.repository)
            made = {*(path for path in self.made if index.read(path) is not None), *left} - {*by_hand}
            locks = {path for path in self.shared if path.endswith(dvc.LOCK)}
            parts += ["dvc repro", f"git add -- {shlex.join(sorted(made | locks))}"]
        elif not by_hand and self.conflict.what != "merge" and self.repository.succeeds("diff", "--cached", "--quiet", "HEAD"):
            return self.conflict.skip or f"nothing is left to commit; {self.conflict.there.name} is kept"
        after = f"  # then: git stash drop {shlex.quote(self.conflict.there.name)}" if self.conflict.what == "stash" else ""
        return " && ".join([*parts, self.conflict.go_on]) + after

    def _versions(self, models: list[str]) -> list[str]:
        """A version that one of the sides has released already is to grow, which the verb does."""
        lines, known = [], releases.find(self.repository)
        disk = DiskSnapshot(self.repository)
        several = judge.has_several(disk)
        for model in models:
            version = self._declared(disk, model)
            taken = [
                one for one in known
                if version and one.model in (None, model) and one.version >= version and self._in_history(one.commit)
            ]  # fmt: skip
            if taken:
                last = max(taken, key=lambda one: one.version)
                cure = f"{program()} release{f' --model {model}' if several else ''}"
                what = "is released already" if last.version == version else f"is not newer than {last.tag}"
                lines.append(f"{model} {version} {what}; after the commit: {cure}")
        return lines

    def _declared(self, disk: DiskSnapshot, model: str) -> Version | None:
        rules = next(one for one in self.holdings if model in one.models).rules.of(model)
        try:
            return Version.parse(str((disk.yaml(rules.params) or {}).get(dvc.VERSION_KEY, "")))
        except Malformed:
            return None

    def _in_history(self, commit: str) -> bool:
        return any(self.repository.is_ancestor(commit, side.commit) for side in self.conflict.sides)


def _are(models: Iterable[str]) -> str:
    names = [*models]
    return f"{'are' if len(names) > 1 else 'is'} {', '.join(names)}"


def _verb(side: str) -> str:
    return f"{program()} merge {side}"
