"""`python3 -m versioning` under any Python goes on in the project's environment, or says what to run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TEMPLATE, git

#: A Python without anything installed.
BARE = [getattr(sys, "_base_executable", sys.executable), "-S", "-m", "versioning"]


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A repository that holds nothing but the rules."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "versioning").symlink_to(template / TEMPLATE / "versioning")
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def environment_that_tells(folder: Path) -> None:
    """An environment whose Python prints how it was started."""
    python = folder / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)


def test_it_goes_on_in_the_environment(folder: Path) -> None:
    environment_that_tells(folder)
    assert run(folder, *BARE, "check", "--staged").stdout == "-m versioning check --staged\n"


def test_it_goes_on_in_the_environment_of_the_main_worktree(folder: Path) -> None:
    environment_that_tells(folder)
    git(folder, "commit", "-q", "--allow-empty", "-m", "Start")
    beside = folder.parent / "beside"
    git(folder, "worktree", "add", "-q", str(beside))
    (beside / "versioning").symlink_to(folder / "versioning")
    assert run(beside, *BARE, "list", "--json").stdout == "-m versioning list --json\n"


def test_setup_stays_outside_of_what_it_makes(folder: Path) -> None:
    environment_that_tells(folder)
    done = run(folder, *BARE, "setup", "--help")
    assert (done.returncode, done.stdout.startswith("usage: model VERB [--help] setup [-h] [--no-install]")) == (0, True)


def test_without_an_environment_the_one_command_is_named(folder: Path) -> None:
    (folder / "versioning.yaml").write_text("model: churn\n")
    done = run(folder, *BARE, "check")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: ruamel is not installed here\n  hint: python3 -m versioning setup\n"


@pytest.mark.parametrize("verb", ["setup", "hooks"])
def test_what_makes_the_environment_needs_none(folder: Path, verb: str) -> None:
    done = run(folder, *BARE, verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")


def test_its_start_loads_nothing_heavy(folder: Path) -> None:
    (folder / "dvc.yaml").write_text("artifacts:\n  churn: {path: models/churn.skops, type: model}\n")
    (folder / "README.md").write_text("Staged.\n")
    git(folder, "add", "dvc.yaml", "README.md")
    script = (
        "import sys; from versioning.cli import main; main(['check', '--staged']); "
        "print(sorted({'jsonschema', 'ruamel', 'dvc', 'pathspec', 'yaml'} & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.stderr, done.stdout.splitlines()[-1]) == ("", "[]")
