"""Install and uninstall the Git hooks, in a clone or in a bare repository that serves others. Standard library only."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .. import notebooks
from ..errors import UsageError
from ..git import Repository, clean_environment

EXAMPLE = "model hooks install --server ../customer-churn-storage/git"

CLIENT = ("pre-commit", "reference-transaction", "pre-push", "post-checkout", "post-merge", "post-rewrite")
SERVER = ("pre-receive",)
_MARK = "# model-gate:"
_KEPT = ".before-model-gate"
_RULES = Path(__file__).resolve().parent.parent
_ENTRY = '''"""Starts one hook of the gate with the rules beside this file."""

import sys

try:
    from versioning.gate import main

    sys.exit(main(sys.argv[1:]))
except ImportError as error:  # some are asked for late
    if "after-checkout" in sys.argv:
        sys.exit(0)
    sys.exit(f"model-gate: {error.name} is not in {sys.prefix}: python3 -m versioning setup")
'''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model hooks`."""
    parser.add_argument("act", choices=("install", "uninstall"))
    parser.add_argument("--server", metavar="DIR", type=Path, help="a bare repository: guard what is pushed to it")


def hooks(arguments: argparse.Namespace) -> int:
    """Install or uninstall, and say what was done."""
    if arguments.act == "install":
        return _say(install(arguments.server), "installed in")
    return _say(uninstall(arguments.server), "removed from")


def install(server: Path | None = None, python: Path | None = None) -> Path:
    """Copy the rules into the common Git directory and put the shims into its hooks; a stranger's hook is kept, and run.

    Args:
        server: a bare repository to guard in place of this clone.
        python: what runs the rules there; default: the environment of the project that we are in, made or still to be made.

    Raises:
        UsageError: no Git repository, or `server` is not a bare one.
    """
    common = _common_dir(server)
    folder = common / "hooks"
    folder.mkdir(exist_ok=True)
    _copy_rules(common / "model-gate")
    for name in SERVER if server else CLIENT:
        hook = folder / name
        if hook.exists() and not is_ours(hook) and not _is_pre_commits(hook):
            hook.rename(hook.with_name(name + _KEPT))
        _write_executable(hook, (_RULES / "shims" / name).read_text("utf-8"))
    if server:
        # A hooks path in somebody's global configuration would switch the server's gate off.
        _git(common, "config", "core.hooksPath", "hooks")
        _git(
            common, "config", "--file", str(_config(common)), "gate.python", os.path.relpath(python or _projects_python(), common)
        )
    else:
        _git(common, "config", f"{notebooks.FILTER}.clean", notebooks.COMMAND)
    return folder


def can_judge(server: Path) -> bool:
    """Whether a guarded bare repository still has the Python that its rules run with; true for one that is not guarded."""
    written = _git(server, "config", "--file", str(_config(server)), "gate.python")
    return not is_ours(server / "hooks" / SERVER[0]) or (bool(written) and (server / written).is_file())


def uninstall(server: Path | None = None) -> Path:
    """Remove the shims that are ours, and put back what stood there before. A second time it does nothing."""
    common = _common_dir(server)
    folder = common / "hooks"
    for name in SERVER if server else CLIENT:
        hook = folder / name
        if is_ours(hook):
            hook.unlink()
            if hook.with_name(name + _KEPT).exists():
                hook.with_name(name + _KEPT).rename(hook)
    if not server:
        _git(common, "config", "--remove-section", notebooks.FILTER)
    shutil.rmtree(common / "model-gate", ignore_errors=True)
    return folder


def is_ours(hook: Path) -> bool:
    """Whether a hook is one of our shims."""
    try:
        return _MARK in hook.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def rules_digest(folder: Path) -> str:
    """What tells two copies of the rules apart: the SHA-256 over their files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def installed_rules(common: Path) -> Path:
    """Where the rules that the hooks run are."""
    return common / "model-gate" / "versioning"


def shadowed_by(repository: Repository) -> str | None:
    """The hooks folder that Git looks into in place of ours (`core.hooksPath`), or None."""
    path = (repository.path / repository.run("rev-parse", "--git-path", "hooks").strip()).resolve()
    return str(path) if path != repository.common_dir / "hooks" else None


def _copy_rules(gate: Path) -> None:
    gate.mkdir(exist_ok=True)
    rules = gate / "versioning"
    if not rules.is_dir() or rules_digest(rules) != rules_digest(_RULES):
        # Whole or not at all: a hook may run while we copy.
        draft, old = gate / f"versioning.{os.getpid()}", gate / f"versioning.old.{os.getpid()}"
        shutil.copytree(_RULES, draft, ignore=shutil.ignore_patterns("__pycache__"))
        if rules.is_dir():
            rules.rename(old)
        draft.rename(rules)
        shutil.rmtree(old, ignore_errors=True)
    (gate / "__main__.py").write_text(_ENTRY, "utf-8")
    _write_executable(gate / "run", (_RULES / "shims" / "run").read_text("utf-8"))


def _write_executable(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text, "utf-8")
    draft.chmod(0o755)
    draft.replace(path)


def _is_pre_commits(hook: Path) -> bool:
    """Whether pre-commit wrote a hook: ours runs the same, so keeping it would run everything twice."""
    try:
        return "# File generated by pre-commit" in hook.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _common_dir(server: Path | None) -> Path:
    if server is None:
        return Repository.discover().common_dir
    if not server.is_dir() or _git(server, "rev-parse", "--is-bare-repository") != "true":
        raise UsageError(f"{server} is not a bare Git repository", f"git init --bare {server}")
    return server.resolve()


def _git(bare: Path, *arguments: str) -> str:
    # Named, since a careful person's Git (safe.bareRepository) enters no bare repository by itself.
    command = ["git", "--git-dir", str(bare), *arguments]
    return subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False).stdout.strip()


def _config(bare: Path) -> Path:
    return bare / "model-gate" / "config"


def _projects_python() -> Path:
    try:
        return Repository.discover().main_worktree / ".venv/bin/python"
    except UsageError:
        return Path(sys.prefix).resolve() / "bin/python"


def _say(folder: Path, what: str) -> int:
    print(f"hooks {what} {folder}")
    return 0
