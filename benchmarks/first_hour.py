"""The first hour: from `cookiecutter` to a pushed release, by the very commands that are printed, and a second person's clone."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .bench import ROOT, Row
from .generate import copy_of_template

#: The same work without the template: environment from the same locks, the same four stages, a tag, a push.
BARE = """
set -e
git init -q --bare -b main storage
git init -q -b main project
cd project
git remote add origin ../storage
uv venv -q .venv
uv pip install -q --require-hashes --python .venv/bin/python -r "$1/requirements.lock" -r "$1/requirements-dev.lock"
. .venv/bin/activate
dvc init -q
mkdir ../remote
dvc remote add -q -d storage ../remote
cp -R "$1/src" "$1/params.yaml" .
mkdir -p data/raw
cp "$1"/data/raw/*.csv data/raw/
dvc add -q data/raw/*.csv
run="python -m src.customer_churn"
spec=models/customer-churn.features.json model=models/customer-churn.skops
$run.prepare data/raw/*.csv params.yaml data/train.csv data/test.csv
$run.featurize params.yaml data/train.csv data/test.csv $spec data/f-train.csv data/f-test.csv
$run.train params.yaml $spec data/f-train.csv $model
$run.evaluate $model $spec data/f-test.csv reports
dvc add -q models data/*.csv
git add -A
git commit -q -m Train
git tag -a v0.1.0 -m v0.1.0
dvc push -q
git push -q --follow-tags -u origin main
"""
SECOND = """
git clone -q customer-churn-storage/git second
cd second
python3 -m versioning setup
. .venv/bin/activate
dvc pull
"""


def rows(scratch: Path) -> Iterator[Row]:
    """What the first and the second person wait for, with packages in uv's cache."""
    person = _Person(scratch)
    template = shlex.quote(str(copy_of_template(scratch)))
    person.type(f"cookiecutter {template} --no-input -o warm")  # fills uv's cache
    started = time.perf_counter()
    printed = person.type(f"cookiecutter {template} --no-input")
    generated = time.perf_counter() - started
    commands = [line.strip() for line in printed.rpartition("Next:\n")[2].splitlines()]
    total = generated + person.seconds("\n".join(commands))
    bare = person.seconds(BARE.replace("$1", str(scratch / "warm/customer-churn")))
    questions = [key for key in json.loads((ROOT / "cookiecutter.json").read_text("utf-8")) if not key.startswith("_")]
    counted = f"{1 + len(commands)} commands, {len(questions)} questions, none that must be answered"
    yield Row(
        f"`cookiecutter` to the first pushed release: {counted}",
        f"{total:.0f} s",
        f"the same environment, stages, tag and push by hand ({_typed(BARE)} commands) {bare:.0f} s",
        f"{total / bare:.2f} of 1.6",
        total <= 1.6 * bare,
    )
    person.type("rm -rf customer-churn/.venv")
    setup = person.seconds("cd customer-churn && python3 -m versioning setup")
    install = person.seconds(
        "uv venv -q bare && uv pip install -q --require-hashes --python bare/bin/python "
        "-r customer-churn/requirements.lock -r customer-churn/requirements-dev.lock"
    )
    yield Row(
        "`setup`: the environment from the locks", f"{setup:.1f} s", f"`uv pip install` {install:.1f} s", "15 s", setup <= 15
    )
    second = person.seconds(SECOND)
    yield Row(
        f"a second person: clone to data and model on disk, {_typed(SECOND)} commands",
        f"{second:.1f} s",
        f"`uv pip install` {install:.1f} s",
        "30 s",
        second <= 30,
    )


def _typed(script: str) -> int:
    return len([line for line in script.splitlines() if line and line != "set -e" and "=" not in line.split()[0]])


class _Person:
    """Somebody with a shell in an empty folder, a Git identity, and packages in uv's cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "VIRTUAL_ENV", "PYTHON"))}
        cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
        self.environment = kept | {
            "HOME": str(folder / "home"),
            "UV_CACHE_DIR": cache,
            "GIT_CONFIG_NOSYSTEM": "1",
            "DVC_NO_ANALYTICS": "1",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
        }
        (folder / "home").mkdir()
        (folder / "home/.gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n", "utf-8")

    def type(self, lines: str) -> str:
        """What a shell answers to lines that must all do what they say."""
        done = subprocess.run(
            ["sh", "-ec", lines], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{lines}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def seconds(self, lines: str) -> float:
        """How long they take."""
        start = time.perf_counter()
        self.type(lines)
        return time.perf_counter() - start
