"""The points of health of a clone, the most important first: each sound, or named with the command that mends it."""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import conflict, glance, judge, objectives, policy, remotes, storage
from . import pipeline as dvc
from . import sidecar as sidecars
from .checks import program
from .commands import hooks, setup
from .errors import Malformed, VersioningError
from .git import Repository
from .names import ReleaseTag, parse_tag
from .policy import Policy
from .snapshot import DiskSnapshot
from .verdicts import Verdicts

SETUP = "python3 -m versioning setup"
_EDIT = f"${{EDITOR:-vi}} {policy.FILE}"
_SOON = dt.timedelta(days=14)
_LITTLE = 1 << 30
#: So many that it takes seconds, the first time.
_MANY = 200
#: A lock of Git's that is older was left by a program that died.
_STALE_SECONDS = 60


@dataclass(frozen=True)
class Diagnosis:
    """One point of health: sound, or what is wrong and what mends it; sound with a cure is worth knowing."""

    point: str
    sound: bool
    says: str
    cure: str = ""


class Clone:
    """What several points ask of a clone, asked once: each question to Git is a process."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    @cached_property
    def disk(self) -> DiskSnapshot:
        """The working tree."""
        return DiskSnapshot(self.repository)

    @cached_property
    def remotes(self) -> dict[str, str]:
        """The URL of each Git remote by its name."""
        said = self.repository.run("config", "--null", "--get-regexp", r"^remote\..*\.url$", check=False)
        pairs = (entry.split("\n", 1) for entry in said.split("\0") if "\n" in entry)
        return {key[len("remote.") : -len(".url")]: url for key, url in pairs}

    @cached_property
    def pipeline(self) -> dvc.Pipeline:
        """The pipeline on disk; raises Malformed where it cannot be read."""
        return dvc.load(self.disk)

    @cached_property
    def merging(self) -> str:
        """What resolves the model's files while they are in conflict; empty while none is."""
        return conflict.cure(self.repository)


Examination = Callable[[Clone], Iterator[Diagnosis]]


def examine(repository: Repository) -> Iterator[Diagnosis]:
    """Every point of health of a clone; what needs the environment is left out where there is none."""
    missing, clone = False, Clone(repository)
    for look in _POINTS:
        try:
            yield from look(clone)
        except ModuleNotFoundError as error:
            if not missing and (repository.main_worktree / ".venv").is_dir():
                yield Diagnosis("environment", False, f"{error.name} is not installed in {sys.prefix}", SETUP)
            missing = True
    if missing:
        yield Diagnosis("the rest", False, "is not looked at before there is an environment", SETUP)


# --- standard library only ----------------------------------------------------------------------------------------------


def _environment(clone: Clone) -> Iterator[Diagnosis]:
    repository = clone.repository
    root = repository.main_worktree
    python = root / ".venv/bin/python"
    if not (root / ".venv").is_dir():
        yield Diagnosis("environment", False, "there is none: .venv is not there", SETUP)
        return
    if not python.is_file() and not (root / ".venv/Scripts/python.exe").is_file():
        yield Diagnosis(
            "environment", False, f"the Python of .venv is gone ({os.path.realpath(python)})", f"rm -rf .venv && {SETUP}"
        )
        return
    try:
        current = setup.is_current(root)
    except VersioningError as error:
        yield Diagnosis("environment", False, str(error), error.hint or SETUP)
        return
    said = f".venv was made from {'the locks' if current else 'other locks than those'} that are there"
    yield Diagnosis("environment", current, said, "" if current else SETUP)


def _identity(clone: Clone) -> Iterator[Diagnosis]:
    repository = clone.repository
    who = repository.identity()
    cure = "" if who else "git config user.name NAME && git config user.email MAIL"
    yield Diagnosis("identity", bool(who), who or "Git does not know who you are", cure)


def _hooks(clone: Clone) -> Iterator[Diagnosis]:
    repository = clone.repository
    folder, cure = repository.common_dir / "hooks", "python3 -m versioning hooks install"
    absent = [name for name in hooks.CLIENT if not hooks.is_ours(folder / name)]
    if "pre-commit" in absent and hooks._is_pre_commits(folder / "pre-commit"):
        absent.remove("pre-commit")
    idle = [name for name in hooks.CLIENT if name not in absent and not os.access(folder / name, os.X_OK)]
    said = f"not installed: {', '.join(absent)}" if absent else f"all {len(hooks.CLIENT)} are installed"
    said = f"not executable, so that Git passes over them: {', '.join(idle)}" if idle and not absent else said
    yield Diagnosis("hooks", not absent and not idle, said, cure if absent or idle else "")
    rules, own = hooks.installed_rules(repository.common_dir), repository.path / "versioning"
    if rules.is_dir() and own.is_dir():
        same = hooks.rules_digest(rules) == hooks.rules_digest(own)
        said = "the hooks run the rules of this checkout" if same else "the hooks run other rules than this checkout has"
        yield Diagnosis("rules", same, said, "" if same else cure)
    elif not rules.is_dir() and not absent:
        yield Diagnosis("rules", False, "the hooks have no rules to run", cure)
    shadow = hooks.shadowed_by(repository)
    if shadow:
        said = f"core.hooksPath is {shadow}: Git does not run the hooks of this repository"
        yield Diagnosis("hooks path", False, said, f"git config core.hooksPath {shlex.quote(str(folder))}")


def _unfinished(clone: Clone) -> Iterator[Diagnosis]:
    repository = clone.repository
    place = glance.Place(str(repository.path), str(repository.git_dir), str(repository.common_dir))
    what = glance.unfinished(place)
    if what:
        yield _in_the_middle(clone, what)
    for lock in (repository.git_dir / "index.lock", repository.git_dir / "HEAD.lock", repository.common_dir / "packed-refs.lock"):
        if lock.exists() and time.time() - lock.stat().st_mtime > _STALE_SECONDS:
            yield Diagnosis(
                "lock", False, f"{lock.name} was left by a Git that died: Git refuses to work", f"rm {shlex.quote(str(lock))}"
            )
    busy = repository.path / ".dvc/tmp/rwlock"
    if _is_held_by_nobody(busy):
        yield Diagnosis("lock", False, "DVC's lock was left by a process that is gone", f"rm {shlex.quote(str(busy))}")


def _in_the_middle(clone: Clone, what: str) -> Diagnosis:
    """What goes on from here; what takes everything back is told in words only: who pastes it would lose a resolution."""
    if what == "bisect":
        return Diagnosis("unfinished", False, "a bisect is not finished", "git bisect reset")
    cure = clone.merging or f"git {what} --continue"
    open_files = sorted(conflict.unmerged(clone.repository))
    said = f", in conflict: {', '.join(open_files[:3])}{' …' if len(open_files) > 3 else ''}" if open_files else ""
    return Diagnosis("unfinished", False, f"a {what} is not finished{said} (--abort would take all of it back)", cure)


def _is_held_by_nobody(lock: Path) -> bool:
    """Whether DVC's record of who reads and writes names processes, none of which runs."""
    try:
        text = lock.read_text("utf-8")
        named = [pid for pid in _pids(json.loads(text)) if pid > 0] if text.strip() else []
    except (OSError, ValueError):
        return False
    return bool(named) and not any(_runs(pid) for pid in named)


def _pids(value: object) -> Iterator[int]:
    for key, item in value.items() if isinstance(value, dict) else ():
        if key == "pid" and isinstance(item, int):
            yield item
        else:
            yield from _pids(item)
    for item in value if isinstance(value, list) else ():
        yield from _pids(item)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


def _stored(clone: Clone) -> Iterator[Diagnosis]:
    repository = clone.repository
    place = storage.Storage(repository)
    absent = place.remote is None or (place.remote_folder is not None and not place.remote_folder.is_dir())
    moved = storage.not_followed(repository)
    if moved:
        yield Diagnosis(
            "DVC remote", False, f"the storage moved to {moved.parent}, and this clone still has {place.remote}", SETUP
        )
    elif not absent:
        yield Diagnosis("DVC remote", True, str(place.remote))  # a cloud is not asked: this has to be fast
    elif storage.embedded(repository) is not None:
        yield Diagnosis("DVC remote", False, "the storage beside origin is not connected here", SETUP)
    elif place.remote is None and storage.REMOTE not in _text(repository.path / ".dvc/config"):
        yield Diagnosis("DVC remote", False, "none is set", f"dvc remote add --default {storage.REMOTE} URL")
    else:
        gone = [f"{place.remote_folder} is not there: the storage"] if place.remote_folder else []
        cure = f"dvc remote add --local --force {storage.REMOTE} URL"
        yield Diagnosis("DVC remote", False, storage.unreachable(repository, *gone), cure)
    free = shutil.disk_usage(repository.path).free
    if free < _LITTLE:
        yield Diagnosis("disk", False, f"{free >> 20} MiB are left where the repository lies", "dvc gc --all-commits")


def _remotes(clone: Clone) -> Iterator[Diagnosis]:
    repository = clone.repository
    names = clone.remotes
    if not names:
        yield Diagnosis("Git remote", False, "none is set", "git remote add origin URL")
        return
    gone = [(name, url) for name, url in names.items() if _is_gone(repository, url)]
    for name, url in gone:
        said = f"{name} is {url}, which is not there: it was moved, or is on another machine"
        yield Diagnosis("Git remote", False, said, f"git remote set-url {name} URL")
    if not gone:
        yield Diagnosis("Git remote", True, ", ".join(names))


def _is_gone(repository: Repository, url: str) -> bool:
    """Whether a remote is a folder of this machine, by its URL, and is not there."""
    if "://" in url and not url.startswith("file://"):
        return False
    path = url.removeprefix("file://")
    if ":" in path.split("/", 1)[0]:
        return False  # ssh, as `host:path`
    return not (repository.main_worktree / os.path.expanduser(path)).exists()


def _branches(clone: Clone) -> Iterator[Diagnosis]:
    """Where HEAD is, and what is only on this machine."""
    repository = clone.repository
    head = clone.disk.commit
    if head is None:
        yield Diagnosis("commits", True, "there is none yet", 'git add -A && git commit -m "Start"')
        return
    if repository.is_shallow:
        cure = "git fetch --unshallow --tags"
        yield Diagnosis("history", False, "this clone is shallow: its releases cannot be judged", cure)
    if _would_be_lost(repository, head):
        said = f"HEAD is on {head[:7]}, which no branch holds: another checkout would lose it"
        yield Diagnosis("commits", False, said, "git switch -c kept")
    elif clone.remotes:
        yield from _unpushed(repository)


def _would_be_lost(repository: Repository, head: str) -> bool:
    if repository.run("symbolic-ref", "--quiet", "HEAD", check=False) or repository.is_on_a_branch(head):
        return False
    return not repository.run("for-each-ref", "--count=1", f"--contains={head}", "refs/tags")


def _unpushed(repository: Repository) -> Iterator[Diagnosis]:
    ahead = repository.run("rev-list", "--count", "HEAD", "--not", "--remotes").strip()
    if ahead not in ("", "0"):
        tracked = repository.succeeds("rev-parse", "--verify", "--quiet", "@{upstream}")
        said = f"{ahead} commit{' is' if ahead == '1' else 's are'} on this machine only"
        yield Diagnosis("pushed", True, said, "git push --follow-tags" if tracked else "git push --follow-tags -u origin HEAD")


def _tags(clone: Clone) -> Iterator[Diagnosis]:
    """Release tags that were made here and that no remote is known to have."""
    repository = clone.repository
    names = clone.remotes
    if not names:
        return
    loose = repository.common_dir / "refs/tags"
    here = (path.relative_to(loose).as_posix() for path in loose.rglob("*") if path.is_file())  # what a clone brings is packed
    known = remotes.known(repository)
    only = sorted(tag for tag in here if isinstance(parse_tag(tag), ReleaseTag) and tag not in known)
    if only:
        remote = "origin" if "origin" in names else next(iter(names))
        said = f"not known to be on {remote}: {', '.join(only[:5])}{' …' if len(only) > 5 else ''}"
        yield Diagnosis("pushed", True, said, f"git push {remote} {' '.join(only)}")


# --- with the environment -----------------------------------------------------------------------------------------------


def _policy(clone: Clone) -> Iterator[Diagnosis]:
    repository = clone.repository
    disk = clone.disk
    # What a merge has left in it, a person resolves: what is typed already must not be lost.
    restore = _EDIT if policy.FILE in conflict.unmerged(repository) else f"git checkout HEAD -- {policy.FILE}"
    if disk.read(policy.FILE) is None:
        yield Diagnosis("policy", False, f"{policy.FILE}, which holds the rules of this repository, is not there", restore)
        return
    try:
        rules, unknown = policy.load(disk), policy.unknown_keys(disk)
    except VersioningError as error:
        yield Diagnosis("policy", False, str(error), restore)
        return
    if unknown:
        said = f"nothing reads {', '.join(unknown)} in {policy.FILE}: a slip, or for newer rules than the hooks have"
        yield Diagnosis("policy", False, said, _EDIT)
    else:
        models = ", ".join(f"«{name}»" for name in (rules.model, *rules.others))
        yield Diagnosis("policy", bool(rules.model), f"{rules.policy}, model {models}", "" if rules.model else _EDIT)
    yield from _waivers(repository, rules)
    yield from _objectives(repository, rules, judge.models(disk))


def _waivers(repository: Repository, rules: Policy) -> Iterator[Diagnosis]:
    """Exceptions of releases that are still to be made, and that end before they may be."""
    today = dt.datetime.now(dt.UTC).date()
    for waiver in rules.waivers:
        if waiver.until - today > _SOON or repository.resolve(f"refs/tags/{waiver.version}"):
            continue
        ended = waiver.until < today
        said = f"that of {waiver.rule} for {waiver.version} {'ended' if ended else 'ends'} on {waiver.until}"
        yield Diagnosis("waiver", not ended, f"{said}, and it is not released", _EDIT)


def _objectives(repository: Repository, rules: Policy, models: list[str]) -> Iterator[Diagnosis]:
    goal = rules.objectives
    if goal == objectives.Objectives():
        return
    strangers = [f"scope.models names «{name}», which is no model here" for name in goal.models if models and name not in models]
    strangers += [
        f"environments names {name}, which is not among stages"
        for name in goal.environments
        if name not in (*rules.stages, "dev")
    ]
    if strangers:
        yield Diagnosis("objectives", False, f"{policy.FILE}: objectives.{strangers[0]}", _EDIT)
    last, within = objectives.Rollbacks(repository).last, goal.rollback_within
    said = [goal.statement.rstrip(".")] if goal.statement else []
    said += [f"for {', '.join(goal.models or models)}"] if goal.models or models else []
    said += [f"of {', '.join(goal.teams)}"] if goal.teams else []
    said += [f"{', '.join(goal.model_types)}"] if goal.model_types else []
    said += [f"in {', '.join(goal.environments)}"] if goal.environments else []
    if said:
        yield Diagnosis("objectives", True, "; ".join(said))
    if within:
        took = f"going back to {last.tag} took {objectives.spoken(last.took)} on {last.on}" if last else "not measured yet"
        slow = last is not None and last.took > within
        yield Diagnosis(
            "rollback", not slow, f"within {objectives.spoken(within)}: {took}", "dvc fetch --all-tags" if slow else ""
        )
    if goal.reproduce_within:
        yield Diagnosis("reproduction", True, f"within {objectives.spoken(goal.reproduce_within)}: not measured yet")


def _data(clone: Clone) -> Iterator[Diagnosis]:
    """Whether what the locks and the pointers name lies on disk."""
    disk = clone.disk
    try:
        kept = dvc.kept(disk, clone.pipeline)
    except VersioningError as error:
        if not clone.merging:  # else all that can be said of it is said already
            yield Diagnosis("data", False, str(error), error.hint or "dvc status")
        return
    absent = sorted(path for path in kept if not disk.path(path).exists())
    broken = [path for path in absent if disk.path(path).is_symlink()]
    said = "all that the locks and pointers name is here"
    if absent:
        said = f"not here: {', '.join(absent[:3])}{' …' if len(absent) > 3 else ''}"
    if broken:
        said = f"{broken[0]} links to a cache that is gone" + (f", {said}" if len(absent) > 1 else "")
    unpushed = dvc.never_pushed(disk, absent, kept)
    if unpushed:
        yield Diagnosis("data", False, f"{said}; {unpushed}")  # no command of ours brings it
        return
    yield Diagnosis("data", not absent, said, "dvc pull" if absent else "")


def _training(clone: Clone) -> Iterator[Diagnosis]:
    """Whether what was trained is described and committed."""
    repository = clone.repository
    disk = clone.disk
    try:
        rules, pipeline = policy.load(disk), clone.pipeline
    except Malformed:
        return  # which another point says
    for model in judge.models(disk):
        path = sidecars.path_of(model)
        made = pipeline.output(str(sidecars.field(pipeline.artifacts.get(model), "path")))
        if disk.read(path) is None and made is not None:
            cure = f"dvc repro -f -s {pipeline.describing(str(sidecars.field(pipeline.artifacts.get(model), 'path')))}"
            yield Diagnosis("sidecar", False, f"{path}, which describes the trained model, is not there", cure)
        elif made is None:
            yield Diagnosis("training", True, f"{model} is not trained yet", "dvc repro")
    paths = [
        dvc.LOCK,
        *map(sidecars.path_of, judge.models(disk)),
        rules.metrics,
        *(rules.of(name).metrics for name in rules.others),
    ]
    changed = [line[3:] for line in repository.run("status", "--porcelain", "-z", "--", *paths).split("\0") if line]
    if changed:
        said = f"not committed: {', '.join(changed[:3])}{' …' if len(changed) > 3 else ''}"
        yield Diagnosis("training", True, said, 'git add -A && git commit -m "Train"')


def _releases(clone: Clone) -> Iterator[Diagnosis]:
    """Bad releases: a fetch brings whatever a remote holds."""
    repository = clone.repository
    if repository.is_shallow:
        return
    refs = judge.release_refs(repository)
    if len(refs) > _MANY and sys.stderr.isatty():
        print(f"model-gate: judging what is new of {len(refs):,} releases", file=sys.stderr)
    bad = Verdicts(repository, hooks.rules_digest(Path(__file__).resolve().parent)).judge(refs)
    for tag, report in bad:
        first = report.findings[0]
        yield Diagnosis("release", False, f"{tag} is not true: {first.code} {first.message}", f"{program()} check {tag}")
    if not bad:
        yield Diagnosis("releases", True, f"{len(refs)}, and nothing contradicts {'it' if len(refs) == 1 else 'them'}")


_POINTS: tuple[Examination, ...] = (
    _environment, _identity, _unfinished, _hooks, _stored, _remotes, _branches, _policy, _data, _training, _tags, _releases,
)  # fmt: skip
