"""Name what is missing or odd in this clone, and the command that mends it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import judge, policy, storage
from .. import pipeline as dvc
from ..checks import GIT
from ..errors import VersioningError
from ..git import Repository
from ..history import History
from ..snapshot import DiskSnapshot
from . import hooks, setup

EXAMPLE = "model doctor"


@dataclass(frozen=True)
class Diagnosis:
    """One point of health: sound, or what is wrong and what mends it."""

    point: str
    sound: bool
    says: str
    cure: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model doctor`."""
    parser.add_argument("--json", action="store_true", help="for machines")


def doctor(arguments: argparse.Namespace) -> int:
    """Print a line a point.

    Returns:
        0 all sound, 1 something is not.
    """
    with Repository.discover() as repository:
        found = list(examine(repository))
    if arguments.json:
        print(json.dumps([asdict(diagnosis) for diagnosis in found], indent=2, ensure_ascii=False))
    else:
        for diagnosis in found:
            print(f"{'ok ' if diagnosis.sound else 'BAD'} {diagnosis.point}: {diagnosis.says}")
            if diagnosis.cure and not diagnosis.sound:
                print(f"      {diagnosis.cure}")
    return 0 if all(diagnosis.sound for diagnosis in found) else 1


def examine(repository: Repository) -> Iterator[Diagnosis]:
    """Every point of health of a clone."""
    yield _identity(repository)
    yield _environment(repository)
    yield from _hooks(repository)
    yield from _storage(repository)
    yield _policy(repository)
    yield _data(repository)
    yield from _releases(repository)


def _identity(repository: Repository) -> Diagnosis:
    who = repository.identity()
    cure = "git config user.name NAME && git config user.email MAIL"
    return Diagnosis("identity", bool(who), who or "Git does not know who you are", cure)


def _environment(repository: Repository) -> Diagnosis:
    root, cure = repository.main_worktree, "python3 -m versioning setup"
    if not (root / ".venv").is_dir():
        return Diagnosis("environment", False, ".venv is not there", cure)
    try:
        current = setup.is_current(root)
    except VersioningError as error:
        return Diagnosis("environment", False, str(error), error.hint or cure)
    said = f".venv was made from {'the locks' if current else 'other locks than those'} that are there"
    return Diagnosis("environment", current, said, cure)


def _hooks(repository: Repository) -> Iterator[Diagnosis]:
    folder, cure = repository.common_dir / "hooks", "python3 -m versioning hooks install"
    absent = [name for name in hooks.CLIENT if not hooks.is_ours(folder / name)]
    if "pre-commit" in absent and hooks._is_pre_commits(folder / "pre-commit"):
        absent.remove("pre-commit")
    said = f"not installed: {', '.join(absent)}" if absent else f"all {len(hooks.CLIENT)} are installed"
    yield Diagnosis("hooks", not absent, said, cure)
    rules, own = hooks.installed_rules(repository.common_dir), repository.path / "versioning"
    if rules.is_dir() and own.is_dir():
        same = hooks.rules_digest(rules) == hooks.rules_digest(own)
        said = "the hooks run the rules of this checkout" if same else "the hooks run other rules than this checkout has"
        yield Diagnosis("rules", same, said, cure)
    shadow = hooks.shadowed_by(repository)
    if shadow:
        said = f"core.hooksPath is {shadow}: Git does not run the hooks of this repository"
        yield Diagnosis("hooks path", False, said, f"git config core.hooksPath '{folder}'")


def _storage(repository: Repository) -> Iterator[Diagnosis]:
    place = storage.Storage(repository)
    if place.remote is None or (place.remote_folder is not None and not place.remote_folder.is_dir()):
        gone = [f"{place.remote_folder} is not there: the storage"] if place.remote_folder else []
        yield Diagnosis("DVC remote", False, storage.unreachable(repository, *gone), "python3 -m versioning setup")
    else:
        yield Diagnosis("DVC remote", True, place.remote)
    remotes = repository.run("remote", check=False).split()
    yield Diagnosis("Git remote", bool(remotes), ", ".join(remotes) or "none is set", "git remote add origin URL")


def _policy(repository: Repository) -> Diagnosis:
    try:
        rules = policy.load(DiskSnapshot(repository))
    except VersioningError as error:
        return Diagnosis("policy", False, str(error), f"git checkout HEAD -- {policy.FILE}")
    unknown = policy.unknown_keys(DiskSnapshot(repository))
    if unknown:
        said = f"nothing reads {', '.join(unknown)} in {policy.FILE}: a slip, or for newer rules than are installed here"
        return Diagnosis("policy", False, said, f"mend {policy.FILE}, or python3 -m versioning hooks install")
    models = ", ".join(f"«{name}»" for name in (rules.model, *rules.others))
    return Diagnosis("policy", bool(rules.model), f"{rules.policy}, model {models}", f"set model: in {policy.FILE}")


def _data(repository: Repository) -> Diagnosis:
    """Whether what the lock and the pointers name lies on disk."""
    disk = DiskSnapshot(repository)
    try:
        paths = {path for stage in dvc.read_lock(disk).values() for path in [*stage.deps, *stage.outs]}
    except VersioningError as error:
        return Diagnosis("data", False, str(error), error.hint or "dvc status")
    absent = sorted(path for path in paths if "://" not in path and not Path(disk.path(path)).exists())
    said = f"not here: {', '.join(absent[:3])}{' …' if len(absent) > 3 else ''}" if absent else "all that dvc.lock names is here"
    return Diagnosis("data", not absent, said, "dvc pull")


def _releases(repository: Repository) -> Iterator[Diagnosis]:
    """Bad releases: a fetch brings whatever a remote holds."""
    if repository.is_shallow:
        cure = "git fetch --unshallow --tags"
        yield Diagnosis("history", False, "this clone is shallow: its releases cannot be judged", cure)
        return
    moment = judge.Moment(frozenset({GIT}), history=History(repository, walked=True))
    refs, bad = judge.release_refs(repository), 0
    for tag, oid in refs:
        report = judge.tagged(repository, tag, oid, moment)
        if report and report.findings:
            bad += 1
            first = report.findings[0]
            yield Diagnosis("release", False, f"{tag} is not true: {first.code} {first.message}", f"model check {tag}")
    if not bad:
        yield Diagnosis("releases", True, f"{len(refs)}, and nothing contradicts them")
