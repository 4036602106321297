"""Make a clone ready: its environment from the locks, its DVC remote, its hooks. Standard library only; runs twice as well."""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .. import storage
from ..errors import UsageError, VersioningError
from ..git import Repository
from . import hooks

EXAMPLE = "python3 -m versioning setup"

LOCKS = ("requirements.lock", "requirements-dev.lock")
_MARKER = "model-locks"
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


def setup(arguments: argparse.Namespace) -> int:
    """Do what is missing and say it, a line each."""
    repository = Repository.discover()
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
    program = venv / "bin/model"
    program.write_text(PROGRAM, "utf-8")
    program.chmod(0o755)


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
