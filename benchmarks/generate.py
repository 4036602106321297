"""Generating a project without its environment, beside the bare commands that it stands for. Budget: 1.6 times."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "{{cookiecutter.__project_slug}}"
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


def main(rounds: int = 7) -> int:
    """Print medians of interleaved runs and their ratio; exit with 1 over budget."""
    with tempfile.TemporaryDirectory() as scratch:
        template = Path(scratch, "template")
        template.mkdir()
        for part in ("cookiecutter.json", "hooks", "template_answers", TEMPLATE.name):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, template / part)
        bare = ["sh", "-c", BARE, "sh", str(TEMPLATE / "data/raw/telco-customer-churn.csv")]
        ours = [sys.executable, "-m", "cookiecutter", str(template), "--no-input", "_install=no"]
        times: list[tuple[float, float]] = [(timed(bare, scratch), timed(ours, scratch)) for _ in range(rounds + 1)][1:]
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    ratio = statistics.median(generated / plain for plain, generated in times)
    print(f"| what | median of {rounds} | ratio |\n|---|---|---|")
    print(f"| git init twice, dvc init, dvc add, commit, push | {medians[0]:.2f} s | 1 |")
    print(f"| cookiecutter, no install | {medians[1]:.2f} s | {ratio:.2f} (budget {BUDGET}) |")
    return int(ratio > BUDGET)


def timed(command: list[str], scratch: str) -> float:
    """Return how many seconds the command takes in an empty folder."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
