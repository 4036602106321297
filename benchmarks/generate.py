"""Generating a project without its environment, beside the bare commands that it stands for."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .bench import ROOT, ROUNDS, TEMPLATE, Row, medians, ratio

BUDGET = 1.6
BARE = """
set -e
git init -q --bare -b main storage
git init -q -b main project
cd project
git remote add origin ../storage
dvc init -q
cp "$1" data.csv
dvc add -q data.csv
git add --all
git commit -q -m Start
git push -q -u origin main
"""


def copy_of_template(scratch: Path) -> Path:
    """What a clone has of it: cookiecutter copies all that lies in a folder, environments too."""
    template = scratch / "template"
    template.mkdir()
    for part in ("cookiecutter.json", "hooks", "template_answers", TEMPLATE.name):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, template / part)
    return template


def rows(scratch: Path) -> Iterator[Row]:
    """One row: both in turn, each in an empty folder."""
    bare = ["sh", "-c", BARE, "sh", str(TEMPLATE / "data/raw/telco-customer-churn.csv")]
    ours = [sys.executable, "-m", "cookiecutter", str(copy_of_template(scratch)), "--no-input", "_install=no"]
    times = [(timed(ours, scratch), timed(bare, scratch)) for _ in range(ROUNDS + 1)][1:]
    share = ratio(times)
    generated, plain = medians(times)
    reference = f"`git init` twice, `dvc init`, `dvc add`, commit, push {plain / 1000:.2f} s"
    yield Row("`cookiecutter`, no install", f"{generated / 1000:.2f} s", reference, f"{share:.2f} of {BUDGET}", share <= BUDGET)


def timed(command: list[str], scratch: Path) -> float:
    """How many seconds the command takes in an empty folder."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start
