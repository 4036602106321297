"""A merge, rebase, cherry-pick, revert or stash that is not done: its two sides, and what each has of the models."""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import judge, policy
from . import pipeline as dvc
from . import sidecar as sidecars
from .checks.base import program
from .documents import differences, load_yaml, shown
from .errors import Malformed, UsageError, VersioningError
from .findings import Finding
from .git import Repository
from .names import ReleaseTag, parse_tag
from .snapshot import CommitSnapshot, DiskSnapshot, Snapshot

BOTH = "both"
_GITS_OWN = {"ours": 0, "theirs": 1}
_MOST = 6


@dataclass(frozen=True)
class Side:
    """One of the two: what a person calls it, and the commit that has it whole."""

    name: str
    commit: str
    #: What else means it: the branch that a rebase goes onto has another tip than the commit that it has come to.
    also: tuple[str, ...] = ()

    def of(self, repository: Repository) -> str:
        """Commit and subject, as `git log --oneline` has them."""
        return repository.run("log", "-1", "--format=%h %s", self.commit).strip()


@dataclass(frozen=True)
class Conflict:
    """What Git is in the middle of."""

    what: str
    here: Side
    there: Side
    base: str | None
    #: What ends it; what ends it where nothing is left to commit; what takes everything back.
    go_on: str
    skip: str
    abort: str

    @property
    def sides(self) -> tuple[Side, Side]:
        """Git's «ours» first: in a rebase that is the branch that it goes onto, not the one that is rebased."""
        return self.here, self.there

    def side(self, repository: Repository, text: str) -> Side:
        """The side that was typed: by its name, by a revision of it, or as Git calls it where that misleads nobody.

        Raises:
            UsageError: it is neither of the two.
        """
        choices = f"{program()} merge {shlex.quote(self.here.name)} or {program()} merge {shlex.quote(self.there.name)}"
        for side in self.sides:
            if text == side.name:
                return side
        if text in _GITS_OWN:
            if self.what == "rebase":
                message = f"in a rebase Git's «ours» is {self.here.name} and «theirs» is {self.there.name}, your own commit"
                raise UsageError(message, choices)
            return self.sides[_GITS_OWN[text]]
        commit = repository.resolve(text)
        found = [side for side in self.sides if commit and commit in (side.commit, *side.also)]
        if len(found) != 1:
            raise UsageError(f"{text!r} is no side of this {self.what}", choices)
        return found[0]


def find(repository: Repository) -> Conflict | None:
    """What Git is in the middle of; None where there is nothing of two sides."""
    git = repository.git_dir
    if (git / "rebase-merge").is_dir() or (git / "rebase-apply").is_dir():
        return _rebase(repository)
    for name, what in (("CHERRY_PICK_HEAD", "cherry-pick"), ("REVERT_HEAD", "revert")):
        commit = repository.resolve(name) if (git / name).is_file() else None
        if commit:
            return _picked(repository, what, commit)
    if (git / "MERGE_HEAD").is_file():
        heads = (git / "MERGE_HEAD").read_text("utf-8").split()
        if len(heads) > 1:
            raise UsageError(f"this merge is of {len(heads)} branches at once; it takes one", "git merge --abort")
        return _merged(repository, "merge", heads[0], "git merge --abort")
    squashed = _squashed(repository)
    if squashed:
        return _merged(repository, "squash", squashed, "git reset --merge")
    return _stash(repository)


def unmerged(repository: Repository) -> dict[str, dict[int, str]]:
    """The paths that Git could not merge, with the object of each side: 1 the base, 2 here, 3 there."""
    found: dict[str, dict[int, str]] = {}
    for record in filter(None, repository.run("ls-files", "--unmerged", "-z", "--full-name", ":/").split("\0")):
        meta, _, path = record.partition("\t")
        _, oid, stage = meta.split()
        found.setdefault(path, {})[int(stage)] = oid
    return found


def _head(repository: Repository) -> Side:
    head = repository.resolve("HEAD") or ""
    branch = repository.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False).strip()
    return Side(_usable(branch) or head[:7], head)


def _named(repository: Repository, commit: str, but: str = "") -> str:
    """The branch whose tip a commit is, else its short name."""
    listed = repository.run(
        "for-each-ref", f"--points-at={commit}", "--format=%(refname) %(refname:short)", "refs/heads", "refs/remotes"
    )
    lines = [line.split(" ", 1) for line in listed.splitlines()]
    names = [short for ref, short in lines if ref != but and not ref.endswith("/HEAD") and _usable(short)]
    return next(iter(names), commit[:7])


def _usable(name: str) -> str:
    """A branch may be called as a word that the verb takes in another meaning."""
    return "" if name in (BOTH, *_GITS_OWN) else name


def _merged(repository: Repository, what: str, there: str, abort: str) -> Conflict:
    here = _head(repository)
    base = repository.run("merge-base", "HEAD", there, check=False).strip() or None
    side = Side(_named(repository, there), there)
    return Conflict(what, here, side, base, "git commit --no-edit", "git commit --no-edit", abort)


def _squashed(repository: Repository) -> str | None:
    """The tip of the branch that `git merge --squash` brought: its message lists the commits, the newest first."""
    message = repository.git_dir / "SQUASH_MSG"
    lines = message.read_text("utf-8", "replace").splitlines() if message.is_file() else []
    return next((repository.resolve(line.split()[1]) for line in lines if line.startswith("commit ")), None)


def _rebase(repository: Repository) -> Conflict | None:
    folder = repository.git_dir / "rebase-merge"
    folder = folder if folder.is_dir() else repository.git_dir / "rebase-apply"
    replayed, head = repository.resolve("REBASE_HEAD"), repository.resolve("HEAD")
    if not replayed or not head or not (folder / "onto").is_file():
        return None
    onto, branch = (folder / "onto").read_text("utf-8").strip(), (folder / "head-name").read_text("utf-8").strip()
    mine = _usable(branch.removeprefix("refs/heads/")) if branch.startswith("refs/heads/") else ""
    here = Side(_named(repository, onto, but=branch), head, (onto,))
    there = Side(mine or replayed[:7], replayed)
    return Conflict(
        "rebase", here, there, repository.resolve(f"{replayed}^"),
        "git rebase --continue", "git rebase --skip", "git rebase --abort",
    )  # fmt: skip


def _picked(repository: Repository, what: str, commit: str) -> Conflict:
    before = repository.resolve(f"{commit}^")
    there, base = (commit, before) if what == "cherry-pick" else (before or "", commit)
    return Conflict(
        what, _head(repository), Side(_named(repository, there), there), base,
        f"git {what} --continue", f"git {what} --skip", f"git {what} --abort",
    )  # fmt: skip


def _stash(repository: Repository) -> Conflict | None:
    """Git does not write down which stash it was: the one that holds what is in conflict."""
    wanted = {path: stages[3] for path, stages in unmerged(repository).items() if 3 in stages}
    for line in repository.run("stash", "list", "--format=%gd %H").splitlines() if wanted else ():
        name, commit = line.split()
        snapshot = CommitSnapshot(repository, commit)
        if all(snapshot.oid(path) == oid for path, oid in wanted.items()):
            side = Side(name, commit)
            # What a stash brought in has no state of its own: nothing ends it but a commit.
            return Conflict(
                "stash", _head(repository), side, repository.resolve(f"{commit}^"),
                'git commit -m "Train"', "", "git reset --merge",
            )  # fmt: skip
    return None


# --- what a side has of the models ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Holding:
    """What one side has: models, the stages behind each, and the files in Git that they are made of and described by."""

    snapshot: CommitSnapshot
    pipeline: dvc.Pipeline
    rules: policy.Policy
    models: tuple[str, ...]

    def stages(self, model: str) -> list[str]:
        """The stages behind a model, and the one that describes it."""
        artifact = str(sidecars.field(self.pipeline.artifacts.get(model), "path"))
        own = self.pipeline.describing(artifact)
        described = self.pipeline.stages[own].deps.values() if own in self.pipeline.stages else ()
        found = {*sidecars.claimed_stages(self.pipeline, artifact, self.rules.of(model), model), own}
        found.update(self.pipeline.upstream(*described))
        return [name for name in self.pipeline.stages if name in found]

    def files(self, stages: Iterable[str], models: Iterable[str]) -> set[str]:
        """The files in Git that stages read and write, and those that speak of the models; `dvc.yaml` and lock apart."""
        found: set[str] = set()
        for name in stages:
            stage = self.pipeline.stages[name]
            for place in (*stage.deps.values(), *stage.outs.values()):
                found.update(self._in_git(place) if "://" not in place else ())
            found.update(posixpath.normpath(posixpath.join(stage.wdir, file)) for file in stage.params)
        for model in models:
            rules = self.rules.of(model)
            found |= {rules.params, rules.metrics, sidecars.path_of(model)}
        return {path for path in found if self.snapshot.oid(path)}

    def _in_git(self, place: str) -> Iterator[str]:
        if self.snapshot.read(place) is not None:
            yield place
        yield from self.snapshot.files(place)
        above = place
        while above:  # a `.dvc` file beside it, or beside a folder that it is in
            if self.snapshot.oid(f"{above}.dvc"):
                yield f"{above}.dvc"
            above = posixpath.dirname(above)

    @property
    def shared(self) -> set[str]:
        """Every `dvc.yaml` and `dvc.lock`."""
        files = {dvc.PIPELINE, dvc.LOCK} | {file for stage in self.pipeline.stages.values() for file in (stage.file, stage.lock)}
        return {path for path in files if self.snapshot.oid(path)}

    def locked(self, file: str) -> dict[str, Any]:
        """The stages of a lock as they are written."""
        return locked_stages(self.snapshot, file)

    def sidecar(self, model: str) -> dict[str, Any]:
        """A model's sidecar; empty where there is none that can be read."""
        try:
            return self.snapshot.json(sidecars.path_of(model)) or {}
        except Malformed:
            return {}

    def stale(self, stages: Iterable[str]) -> dvc.Difference | None:
        """The first point in which the lock is not true of the side's own files."""
        return next(dvc.Comparison(self.snapshot, self.pipeline).stale(stages), None)


def hold(repository: Repository, commit: str) -> Holding:
    """What a commit has of the models."""
    snapshot = CommitSnapshot(repository, commit)
    rules = policy.load(snapshot)
    models = judge.models(snapshot) or [rules.model]
    return Holding(snapshot, dvc.load(snapshot), rules, tuple(models))


def locked_stages(snapshot: Snapshot, file: str) -> dict[str, Any]:
    """The stages of a lock, as they are written."""
    dvc.read_lock(snapshot, file)  # which says what is wrong with it
    return dict(load_yaml(snapshot.read(file) or b"").get("stages") or {})


def trained_by_both(conflict: Conflict, here: Holding, there: Holding) -> list[str]:
    """The models that both sides have changed, each in another way: of these, one side has to be chosen."""
    base = CommitSnapshot(here.snapshot.repository, conflict.base) if conflict.base else None
    return [
        model
        for model in here.models
        if model in there.models
        and (base is None or all(_changed(base, side, model) for side in (here, there)))
        and _state(here, model) != _state(there, model)
    ]


def _changed(base: CommitSnapshot, side: Holding, model: str) -> bool:
    locks = {side.pipeline.stages[name].lock for name in side.stages(model)}
    before = {file: locked_stages(base, file) if base.read(file) else {} for file in locks}
    return base.oid(sidecars.path_of(model)) != side.snapshot.oid(sidecars.path_of(model)) or any(
        before[side.pipeline.stages[name].lock].get(dvc.own_name(name))
        != side.locked(side.pipeline.stages[name].lock).get(dvc.own_name(name))
        for name in side.stages(model)
    )


def _state(side: Holding, model: str) -> Any:
    made = {name: side.locked(side.pipeline.stages[name].lock).get(dvc.own_name(name)) for name in side.stages(model)}
    return side.snapshot.oid(sidecars.path_of(model)), made


# --- said -------------------------------------------------------------------------------------------------------------


def finding(repository: Repository, snapshot: Snapshot) -> Finding | None:
    """What the gate says in place of «cannot be read» while a model's files are in conflict; None where none is."""
    conflict = find(repository)
    if conflict is None:
        return None
    fought = unmerged(repository)
    try:
        here, there = (hold(repository, side.commit) for side in conflict.sides)
        own = {path for side in (here, there) for path in (*side.shared, *side.files(side.pipeline.stages, side.models))}
    except Malformed:
        return None  # a side that was unreadable before is judged as ever
    open_files = [path for path in sorted(own) if path in fought or _has_marks(snapshot, path)]
    if not open_files:
        return None
    first, *others = sorted(open_files, key=lambda path: path != dvc.LOCK)
    one, other = (f"{side.name} ({side.of(repository)})" for side in conflict.sides)
    more = f", and {', '.join(others)} with it" if others else ""
    message = f"is in conflict{more}: this {conflict.what} is not done, of {one} and {other}"
    return Finding("CO02", first, message, hint=f"{program()} merge", actual=[side.name for side in conflict.sides])


def cure(repository: Repository) -> str:
    """The command that resolves a model's files which are in conflict on disk; empty where none is."""
    try:
        found = finding(repository, DiskSnapshot(repository))
    except ModuleNotFoundError:  # without an environment nobody reads which files are the model's
        return f"{program()} merge" if {dvc.LOCK, dvc.PIPELINE, dvc.PARAMS} & unmerged(repository).keys() else ""
    except VersioningError:
        return ""
    return found.hint or "" if found else ""


def _has_marks(snapshot: Snapshot, path: str) -> bool:
    """Whether a file was added with the marks in it."""
    content = b"\n" + (snapshot.read(path) or b"")
    return b"\n<<<<<<< " in content and b"\n>>>>>>> " in content


def overview(repository: Repository) -> list[str]:
    """The two sides beside each other, and what can be typed; nothing where there are none."""
    conflict = find(repository)
    if conflict is None:
        return []
    here, there = (hold(repository, side.commit) for side in conflict.sides)
    fought = trained_by_both(conflict, here, there)
    lines = [f"This {conflict.what} is not done.", ""]
    for model in fought:
        lines += [
            f"{model}:" if len(here.models) > 1 else "Both sides trained:",
            *_table(repository, conflict, here, there, model),
        ]
    lines += [*choices(conflict, fought, several=len({*here.models, *there.models}) > 1)]
    return lines


def choices(conflict: Conflict, fought: list[str], *, several: bool) -> Iterator[str]:
    """The commands, of which one is to be chosen."""
    verb = f"{program()} merge"
    commands = []
    for side in conflict.sides if fought else ():
        one = f" --model {fought[0]}" if several and len(fought) > 1 else ""
        commands.append(
            (f"{verb} {shlex.quote(side.name)}{one}", "code, parameters, lock, sidecar and metrics of that side, whole")
        )
    said = (
        "both changes: resolve code and parameters, then `dvc repro`" if fought else "each side trained another model: keep both"
    )
    commands += [(f"{verb} {BOTH}", said), (conflict.abort, "as it was before")]
    width = max(len(command) for command, _ in commands)
    yield "Choose one:" if fought else "Nothing has to be chosen:"
    yield from (f"  {command:<{width}}  # {what}" for command, what in commands)


def _table(repository: Repository, conflict: Conflict, here: Holding, there: Holding, model: str) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("", conflict.here.name, conflict.there.name)]
    rows.append(("commit", *(_cut(side.of(repository)) for side in conflict.sides)))
    one, other = here.sidecar(model), there.sidecar(model)
    rows.append(("version", *(_version(repository, found) for found in (one, other))))
    for part in ("data_id", "hyperparameters", "metrics"):
        pair = one.get(part), other.get(part)
        if part == "data_id":
            rows += [("data", str(pair[0]), str(pair[1]))] if pair[0] != pair[1] else []
            continue
        named = [found if isinstance(found, Mapping) else {} for found in pair]
        found = [*differences(named[0], named[1])]
        rows += [(".".join(keys), _cut(shown(left)), _cut(shown(right))) for keys, left, right in found[:_MOST]]
        rows += [(f"and {len(found) - _MOST} more", "", "")] if len(found) > _MOST else []
    stale = [side.stale(side.stages(model)) for side in (here, there)]
    if any(stale):
        rows.append(("lock is true", *(("no: dvc repro" if found else "yes") for found in stale)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
    yield ""


def _version(repository: Repository, sidecar: Mapping[str, Any]) -> str:
    version = str(sidecar.get("version", "none"))
    return f"{version} (released)" if released(repository, str(sidecar.get("model_name")), version) else version


def released(repository: Repository, model: str, version: str) -> bool:
    """Whether a version of a model is a release of this clone already."""
    tags = (version, f"{model}/{version}")
    return isinstance(parse_tag(version), ReleaseTag) and any(repository.resolve(f"refs/tags/{tag}") for tag in tags)


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def as_json(repository: Repository, conflict: Conflict) -> str:
    """The same for machines."""
    here, there = (hold(repository, side.commit) for side in conflict.sides)
    fought = trained_by_both(conflict, here, there)
    sides = [
        {"name": side.name, "commit": side.commit, "models": {model: holding.sidecar(model) for model in holding.models}}
        for side, holding in zip(conflict.sides, (here, there), strict=True)
    ]
    found = {"what": conflict.what, "sides": sides, "trained_by_both": fought, "unmerged": [*unmerged(repository)]}
    return json.dumps(found, indent=2, ensure_ascii=False)
