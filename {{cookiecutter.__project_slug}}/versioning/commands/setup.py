"""Make a clone ready: its environment from the locks, its DVC remote, its hooks. With an answer of the generation as an option,
change that: shown first, applied when agreed. Standard library only; runs twice as well.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .. import answers, storage
from ..errors import UsageError, VersioningError
from ..git import Repository
from . import hooks
from . import storage as moving

EXAMPLE = "python3 -m versioning setup"

LOCKS = ("requirements.lock", "requirements-dev.lock")
_MARKER = "model-locks"
_HELP = {
    "policy": "who must approve before production",
    "ci": "which service runs the checks after a push",
    "registry": "which registry knows of releases, beside Git",
}
PROGRAM = """#!/bin/sh
# model: the verbs of the repository that you are in. Made by `python3 -m versioning setup`.
# Alone it says where you are. What it said last stands as long as nothing moved, which Python's bare start is enough to tell.
if [ $# = 0 ]; then
    top=$PWD
    while [ -n "$top" ] && [ ! -e "$top/.git" ]; do top=${top%/*}; done
    if [ -f "$top/versioning/glance.py" ]; then
        PYTHONPATH=$top "${0%/*}/python" -P -S -c 'from versioning.glance import main; main()' && exit
    fi
fi
top=$(git rev-parse --show-toplevel 2>/dev/null) || top=.
if [ ! -d "$top/versioning" ]; then
    echo "error: $top has no versioning/ folder: model works inside a repository made from the template" >&2
    exit 2
fi
PYTHONPATH=$top exec "${0%/*}/python" -P -m versioning "$@"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model setup`."""
    parser.add_argument("--no-install", action="store_true", help="leave the environment as it is")
    change = parser.add_argument_group("change an answer of the generation")
    change.add_argument("--team", metavar="NAME", help="who owns the model")
    for key, choices in answers.CHOICES.items():
        change.add_argument(f"--{key}", metavar="|".join(choices), help=_HELP[key])
    change.add_argument(
        "--storage", metavar="URL", help="s3://…, gs://…, azure://… or a folder: data and releases are moved there"
    )
    change.add_argument("--endpoint-url", metavar="ADDRESS", help="with --storage s3://…: a server of your own, such as MinIO")
    change.add_argument("--yes", action="store_true", help="apply without asking")


def setup(arguments: argparse.Namespace) -> int:
    """Change answers, where there are any among the options; else do what is missing and say it, a line each.

    Returns:
        0 done; 1 something is left to do, or the change was only shown.
    """
    repository = Repository.discover()
    wanted = {key: answers.checked(key, value) for key in answers.KEYS if (value := getattr(arguments, key)) is not None}
    if wanted or arguments.storage is not None:
        return change_answers(repository, wanted, arguments)
    if arguments.yes or arguments.endpoint_url:
        raise UsageError("there is nothing to apply: say what to change, such as --team NAME or --storage URL")
    return make_ready(repository, arguments)


def change_answers(repository: Repository, wanted: dict[str, str], arguments: argparse.Namespace) -> int:
    """Show what other answers change, and change it when somebody agrees.

    Returns:
        0 applied, or nothing to do; 1 only shown.
    """
    root = repository.path
    plan = answers.plan(root, wanted)
    moved = moving.target(arguments.storage, arguments.endpoint_url) if arguments.storage is not None else None
    if moved:
        moving.refuse_inside(repository, moved)
    changes = [*plan.changes, *(moving.planned(repository, moved) if moved else [])]
    for change in changes:
        _print(change.diff())
    for sentence in plan.kept:
        _print(sentence)
    moves = moved is not None and moving.is_elsewhere(repository, moved)
    if moved and moves:
        place = moved["url"].removesuffix("/dvc")
        print(f"Data, models and releases are copied to {place}, and compared with what is read back, before that is switched.")
    if not changes and not moves:
        print("nothing to change: these answers are given already")
        return 0
    if not arguments.yes and not _agreed():
        return 1
    team = answers.current(root)["team"]
    for change in plan.changes:
        change.apply(root)
        print(f"{'removed' if change.after is None else 'written'}: {change.path}")
    if plan.changes:
        _say_next(repository, plan, stale=wanted.get("team", team) != team)
    return _move(repository, arguments) if moved else 0


def _agreed() -> bool:
    """Whether a person at a terminal says yes; where there is none, what to type is said."""
    if not sys.stdin.isatty():
        again = shlex.join(["python3", "-m", "versioning", *sys.argv[1:], "--yes"])
        print(f"nothing is changed yet, since there is no terminal to ask at: {again}")
        return False
    try:
        said = input("Apply? [y/N] ").strip().lower()
    except EOFError:
        said = ""
    if said not in {"y", "yes"}:
        print("nothing is changed")
    return said in {"y", "yes"}


def _say_next(repository: Repository, plan: answers.Plan, *, stale: bool) -> None:
    paths = shlex.join(_for_git(repository, [change.path for change in plan.changes]))
    stages = re.findall(r"(?m)^  (sidecar(?:-[a-z0-9-]+)?):", answers.read(repository.path / "dvc.yaml") or "")
    described = stale and any((repository.path / "models").glob("*.json"))
    again = "".join(f"dvc repro -f -s {stage} && " for stage in stages) if described else ""
    if again:
        print("The sidecar names the team, so it is described anew before the next release; that trains nothing.")
    added = f"{paths} models dvc.lock" if again else paths
    # Pushed at once: a server and CI judge by what the default branch says.
    push = " && git push" if repository.config("remote.origin.url") else ""
    print(f"Next: {again}git add --all {added} && git commit -m 'Change answers of the generation'{push}")


def _for_git(repository: Repository, paths: list[str]) -> list[str]:
    """What of these `git add` takes: what is there, by its own name where it is a link, or was there at the last commit; with a
    service's files that an earlier change removed.
    """
    root = repository.path.resolve()
    gone = set(repository.run("ls-files", "-z", "--deleted").split("\0"))
    found = []
    for path in paths:
        real = (root / path).resolve()
        if real.exists():
            found.append(real.relative_to(root).as_posix() if real.is_relative_to(root) else path)
    services = {path for ci in answers.CHOICES["ci"] for path in answers.service_files(ci)}
    return found + sorted(gone & (services if services & {*paths} else {*paths}))


def _move(repository: Repository, arguments: argparse.Namespace) -> int:
    """Let `model storage move` do its part, in the environment: it needs DVC."""
    root = repository.main_worktree
    python = root / ".venv/bin/python"
    if not python.is_file() and not arguments.no_install:
        make_environment(root)
    command = [str(python) if python.is_file() else sys.executable, "-m", "versioning", "storage", "move", arguments.storage]
    command += ["--endpoint-url", arguments.endpoint_url] if arguments.endpoint_url else []
    command += ["--no-install"] if arguments.no_install else []
    done = subprocess.run(command, cwd=repository.path, check=False).returncode
    if not done and not arguments.no_install:
        make_environment(root)
    return done


def _print(text: str) -> None:
    print(text.encode("utf-8", "replace").decode(), end="" if text.endswith("\n") else "\n")


def make_ready(repository: Repository, arguments: argparse.Namespace) -> int:
    """Do what is missing in this clone and say it, a line each."""
    left: list[str] = []
    if not arguments.no_install:
        left += _try(lambda: make_environment(repository.main_worktree))
    unconnected = storage.connect(repository)
    left += [unconnected] if unconnected else []
    print(f"hooks: {hooks.install()}")
    _guard_origin(repository)
    shadow = hooks.shadowed_by(repository)
    if shadow:
        left.append(
            f"core.hooksPath is {shadow}, so Git does not run the hooks of this repository: "
            f"git config core.hooksPath {shlex.quote(str(repository.common_dir / 'hooks'))}"
        )
    if repository.identity() is None:
        left.append("Git does not know who you are: git config user.name NAME && git config user.email MAIL")
    for line in left:
        print(f"left to do: {line}")
    if not left:
        print("ready: . .venv/bin/activate" if (repository.main_worktree / ".venv").is_dir() else "ready")
    return 1 if left and not arguments.no_install else 0


def _guard_origin(repository: Repository) -> None:
    """Give the embedded origin's gate a Python again, where the one that it had is gone or never had what the rules need."""
    dvc_folder, python = storage.embedded(repository), repository.main_worktree / ".venv/bin/python"
    if dvc_folder is None or not python.is_file():
        return
    bare = dvc_folder.with_name("git")
    if (bare / "model-gate").is_dir() and not hooks.can_judge(bare):
        hooks.install(bare, python)
        print(f"hooks: {bare / 'hooks'}")


def make_environment(root: Path) -> None:
    """Make `.venv` from the locks: with uv where it is found, else with venv and pip.

    Raises:
        VersioningError: it could not be made.
    """
    venv = root / ".venv"
    python = venv / "bin/python"
    marker = venv / _MARKER
    wanted = locks_digest(root)
    if marker.is_file() and marker.read_text("utf-8") == wanted and python.exists():
        print("environment: .venv is up to date")
    else:
        uv = shutil.which("uv")
        means = "uv" if uv else "pip (this takes a minute or two)"
        print(f"environment: .venv from {' and '.join(LOCKS)}, with {means}", flush=True)
        base = getattr(sys, "_base_executable", None) or sys.executable
        requirements = [option for lock in LOCKS for option in ("-r", lock)]
        if uv:
            if not python.exists():
                _run(root, uv, "venv", "--quiet", "--allow-existing", "--python", base, ".venv")
            _run(root, uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(python), *requirements)
        else:
            _run(root, base, "-m", "venv", ".venv")
            pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
            _run(root, *pip, *requirements)
        marker.write_text(wanted, "utf-8")
        _warm_up(root, python)
    program = venv / "bin/model"
    program.write_text(PROGRAM, "utf-8")
    program.chmod(0o755)


def _warm_up(root: Path, python: Path) -> None:
    """Have the rules for secrets loaded once: the first time takes seconds, and would fall into the first `git tag`."""
    with suppress(OSError):
        subprocess.run(
            [str(python), "-c", "from versioning.credentials import find; find(b'-----BEGIN')"],
            cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip


def locks_digest(root: Path) -> str:
    """What tells an environment made from these locks from another."""
    try:
        content = b"\0".join((root / lock).read_bytes() for lock in LOCKS)
    except FileNotFoundError as error:
        raise UsageError(f"{error.filename} is not there", f"git checkout HEAD -- {' '.join(LOCKS)}") from None
    return hashlib.sha256(content).hexdigest()


def is_current(root: Path) -> bool:
    """Whether `.venv` was made from the locks that are there."""
    marker = root / ".venv" / _MARKER
    return marker.is_file() and marker.read_text("utf-8") == locks_digest(root)


def _run(root: Path, *command: str) -> None:
    # An activated environment of another project must not decide where packages go.
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")}
    # uv trusts its own list of certificate authorities; a company's stands in the system's.
    environment.setdefault("UV_SYSTEM_CERTS", "1")
    done = subprocess.run(
        command, cwd=root, env=environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False
    )
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = next((line for line in said if line.lower().startswith(("error", "×", "x "))), said[-1] if said else "")
        if "ensurepip" in done.stderr:
            raise VersioningError("this Python cannot make environments (ensurepip is missing)", "apt-get install python3-venv")
        raise VersioningError(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}: {reason[:300]}")


def _try(step: Callable[[], None]) -> list[str]:
    """Run a step; what could not be done is left to do, in one line."""
    try:
        step()
    except VersioningError as error:
        return [f"{error}: {error.hint}" if error.hint else f"the environment is not made ({error}): python3 -m versioning setup"]
    return []
