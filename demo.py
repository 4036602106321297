"""The ten-minute story, told step by step: generate, train, release, be refused, release again, go back, compare.

Every line that begins with `$` is run as it stands, in a shell, by plain git and dvc where they do the work. Everything
happens in a temporary folder (`--keep DIR` keeps it), with a Git identity of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
IDENTITY = "[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n[advice]\n\tdetachedHead = false\n"
# A shell's leftovers that would point git, dvc or Python elsewhere.
DROPPED = ("GIT_", "DVC_", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "COOKIECUTTER_", "PRE_COMMIT")
WIDTH = 100


class Failed(Exception):
    """A step that did not end as the story says."""


class Story:
    """A shell in the generated project, and the voice that says what it does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder
        (folder / "gitconfig").write_text(IDENTITY, "utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
        self.environment = kept | {
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PAGER": "cat",
            "DVC_NO_ANALYTICS": "1",
        }

    def tell(self, title: str, text: str = "") -> None:
        """A heading, and what it is about."""
        print(f"\n--- {title} {'-' * (WIDTH - len(title) - 5)}")
        if text:
            print(textwrap.fill(" ".join(text.split()), WIDTH))
        sys.stdout.flush()

    def enter(self, project: Path) -> None:
        """`cd`, and activate the environment."""
        self.project = project
        self.environment["PATH"] = os.pathsep.join([str(project / ".venv/bin"), self.environment["PATH"]])

    def run(self, line: str, *, refused: str = "", shown: int = 12) -> str:
        """Type a line; with `refused`, it must fail and name that rule."""
        print(f"$ {line}", flush=True)
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = [text for text in done.stdout.splitlines() if text.strip()]
        for text in said[-shown:] if shown else ():
            print(f"    {text}")
        if refused and (done.returncode == 0 or refused not in done.stdout):
            raise Failed(f"this should have been refused with {refused}: {line}")
        if not refused and done.returncode:
            print("\n".join(said[:-shown]))
            raise Failed(f"ended with {done.returncode}: {line}")
        sys.stdout.flush()
        return done.stdout

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file by hand."""
        print(f"(edit {path}: {old}  ->  {new})")
        file = self.project / path
        text = file.read_text("utf-8")
        if old not in text:
            raise Failed(f"{path} does not hold {old!r}")
        file.write_text(text.replace(old, new, 1), "utf-8")

    def sha256(self, path: str) -> str:
        """The digest of a file's bytes, computed here and by nobody else."""
        return hashlib.sha256((self.project / path).read_bytes()).hexdigest()


def tell_all(story: Story) -> None:
    """The story from the first command to the last digest."""
    began = time.monotonic()
    sidecar, model = "models/customer-churn.json", "models/customer-churn.skops"

    story.tell("1. Start", "One command makes a committed Git and DVC repository with data, hooks, environment and remotes.")
    story.run(f"{shlex.quote(sys.executable)} -m cookiecutter {shlex.quote(str(ROOT))} --no-input", shown=14)
    story.enter(story.folder / "customer-churn")
    story.run("git log --oneline && git status --short")

    story.tell("2. Train", "Five stages on 7,043 real customers; the last one describes the model in a sidecar, from facts.")
    story.run("dvc repro", shown=40)
    story.run('git add -A && git commit -q -m "Train" && git status --short')

    story.tell("3. Release", "A Git tag. The gate compares every claim of the sidecar with Git, DVC and the stored bytes.")
    story.run('git tag -a v0.1.0 -m "First release"')
    story.run("git push --follow-tags")
    story.run("model list")
    released = story.sha256(model)

    story.tell(
        "4. Another model, the next version", "`model release` writes version and lock, commits, tags, and trains nothing."
    )
    story.edit("params.yaml", "C: 1.0", "C: 0.05")
    story.run("dvc repro --quiet && git add -A && git commit -q -m 'Train with more regularisation'")
    story.run("model release minor && git push --quiet --follow-tags")
    story.run("model diff v0.1.0 v0.2.0", shown=30)

    refuse_three_lies(story, sidecar, model)

    story.tell("8. It turns out bad: go back", "Plain git. Data and model follow the code by themselves.")
    story.run("git checkout v0.1.0")
    story.run("dvc status")
    claimed = json.loads(story.run(f"git show v0.1.0:{sidecar}", shown=0))["artifact"]["sha256"]
    back = story.sha256(model)
    story.tell("The proof")
    for what, digest in (
        ("the model when v0.1.0 was released", released),
        ("what the sidecar of v0.1.0 claims", claimed),
        ("the model on disk now", back),
    ):
        print(f"{what:<36}sha256 {digest}")
    if not released == claimed == back:
        raise Failed("the model that came back is not the one that was released")
    print(f"\nverified: the same bytes. {time.monotonic() - began:.0f} seconds in all.")


def refuse_three_lies(story: Story, sidecar: str, model: str) -> None:
    """A false metric, a tampered model, a wrong version; after each the repository is as it was."""
    undo = "git tag -l v0.3.0 && git reset -q --hard v0.2.0 && dvc checkout --quiet --force"

    story.tell("5. A false metric", "Somebody embellishes the sidecar, past the commit hook. The tag does not come to be.")
    metric = json.loads((story.project / sidecar).read_text("utf-8"))["metrics"]["roc_auc"]
    story.edit("params.yaml", "version: v0.2.0", "version: v0.3.0")
    story.run("dvc repro --quiet")
    story.edit(sidecar, f'"roc_auc": {metric}', '"roc_auc": 0.99')
    story.run("git add -A && git commit -q -m 'Embellish'", refused="ME01")
    story.run("git commit -q --no-verify -m 'Embellish' && git tag -a v0.3.0 -m v0.3.0", refused="ME01")
    story.run(undo)

    story.tell("6. A tampered model", "Another model is put in its place and into DVC; the sidecar speaks of the true one.")
    story.edit("params.yaml", "version: v0.2.0", "version: v0.3.0")
    story.run("dvc repro --quiet")
    story.run(f"printf poison >> {model} && dvc commit --quiet --force && git add -A")
    story.run("git commit -q -m 'Swap the model'", refused="AR01")
    story.run("git commit -q --no-verify -m 'Swap the model' && git tag -a v0.3.0 -m v0.3.0", refused="AR01")
    story.run(undo)

    story.tell("7. A wrong version", "The tag says one thing, the sidecar another; and a version is written in one way only.")
    story.run("git tag -a v0.9.0 -m v0.9.0", refused="VE02")
    story.run("git tag -a v1.0 -m v1.0", refused="VE01")
    story.run("git tag")


def main() -> int:
    """Tell it, and say where it broke if it did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", metavar="DIR", type=Path, help="make the project in this new folder, and leave it there")
    arguments = parser.parse_args()
    try:
        if arguments.keep:
            arguments.keep.mkdir(parents=True)
            tell_all(Story(arguments.keep.resolve()))
            print(f"Look around: cd {shlex.quote(str(arguments.keep / 'customer-churn'))} && . .venv/bin/activate")
        else:
            with tempfile.TemporaryDirectory(prefix="model-demo-") as folder:
                tell_all(Story(Path(folder).resolve()))
    except Failed as error:
        print(f"\nthe story broke: {error}", file=sys.stderr)
        return 1
    except FileExistsError:
        print(f"{arguments.keep} is there already", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
