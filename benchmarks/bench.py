"""What every benchmark has: a row of the table, a repository with releases, and the clock."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.versioning import small  # the benchmarks share the tests' repository

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "{{cookiecutter.__project_slug}}"
ROUNDS = 9
PYTHON = [sys.executable, "-B"]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    reference: str
    budget: str
    kept: bool

    def __str__(self) -> str:
        return f"| {self.what} | {self.measured} | {self.reference} | {self.budget} | {'yes' if self.kept else 'NO'} |"


class Bench:
    """A repository with releases, and the clock."""

    def __init__(self, folder: Path, releases: int) -> None:
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "HOME": str(folder.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(TEMPLATE),
            "DVC_NO_ANALYTICS": "1",
        }  # fmt: skip
        small.build(folder, released=releases)
        (folder / ".venv").symlink_to(sys.prefix)
        store = folder.parent / "store"
        store.mkdir()
        (folder / ".dvc/config.local").write_text(f"['remote \"storage\"']\n    url = {store}\n", "utf-8")
        shutil.copy(TEMPLATE / ".pre-commit-config.yaml", folder)
        self.run("git", "config", "gc.auto", "0")
        self.run(*PYTHON, "-m", "versioning", "hooks", "install")

    def run(self, *command: str, folder: Path | None = None) -> str:
        """Run a command, which must do what it says."""
        done = subprocess.run(
            command, cwd=folder or self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def time(self, *command: str, folder: Path | None = None) -> float:
        """Seconds that a command takes from outside."""
        start = time.perf_counter()
        self.run(*command, folder=folder)
        return time.perf_counter() - start

    def bare(self, *command: str) -> list[str]:
        """A git command that runs no hook."""
        return ["git", "-c", "core.hooksPath=/dev/null", *command]

    def pairs(
        self, ours: Sequence[str], theirs: Sequence[str], after: Callable[[], object] = lambda: None
    ) -> list[tuple[float, float]]:
        """Times of both commands in turn, without the first pair; `after` each, what it did is undone."""
        times = []
        for _ in range(ROUNDS + 1):
            one = self.time(*ours)
            after()
            other = self.time(*theirs)
            after()
            times.append((one, other))
        return times[1:]


def ratio(times: list[tuple[float, float]]) -> float:
    """The median of the pairs' ratios."""
    return statistics.median(one / other for one, other in times)


def medians(times: list[tuple[float, float]]) -> tuple[float, float]:
    """The median of each side, in milliseconds."""
    one, other = (statistics.median(column) * 1000 for column in zip(*times, strict=True))
    return one, other
