"""The generated README, taken at its word: every command in its shell blocks is run, in order, as it stands."""

from __future__ import annotations

import re

from .conftest import MODEL, Project

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def test_every_command_works_as_written(project: Project) -> None:
    project.git("reset", "-q", "--hard", "HEAD~")  # as it was generated: nothing trained yet
    blocks = BLOCK.findall(project.read("README.md"))
    assert [block.splitlines()[0] for block in blocks] == [
        "python3 -m versioning setup",
        "dvc repro",
        "dvc repro",
        "model",
        f"python -m src.customer_churn.predict models/{MODEL}.skops models/{MODEL}.features.json \\",
        "model check",
        "git checkout v0.1.0",
        "git restore --source v0.1.0 --staged --worktree src params.yaml dvc.yaml dvc.lock requirements.lock data models reports",
    ]
    setup, first, second, look, score, check, back, restore = blocks

    # The environment is there already, and shared with other tests: everything of `setup` but making it.
    fresh_shell(project, setup.replace("setup", "setup --no-install"))
    fresh_shell(project, first)
    released = (project.path / f"models/{MODEL}.skops").read_bytes()
    assert project.remote_tags() == ["v0.1.0"]

    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    fresh_shell(project, second)
    assert project.remote_tags() == ["v0.1.0", "v0.2.0"]
    assert (project.path / f"models/{MODEL}.skops").read_bytes() != released

    shown = fresh_shell(project, look)
    assert re.search(r"^v0\.2\.0 .*\nv0\.1\.0 ", shown, re.MULTILINE), shown
    assert "roc_auc" in shown
    fresh_shell(project, score)
    assert project.read("predictions.csv").count("\n") == 7044
    assert "nothing contradicts it" in fresh_shell(project, check)

    there, home_again = back.splitlines()
    fresh_shell(project, there)
    assert (project.path / f"models/{MODEL}.skops").read_bytes() == released
    fresh_shell(project, home_again)

    trained = len([line for line in project.log if "Running stage 'train'" in line])
    fresh_shell(project, restore)
    assert project.remote_tags() == ["v0.1.0", "v0.2.0", "v0.2.1"]
    assert (project.path / f"models/{MODEL}.skops").read_bytes() == released
    assert len([line for line in project.log if "Running stage 'train'" in line]) == trained
    project.assert_released("v0.2.1")


def fresh_shell(project: Project, lines: str) -> str:
    """Run a block in a shell of its own that has only activated the environment."""
    done = project.sh(f"set -e\n. .venv/bin/activate\n{lines}")
    assert done.status == 0, project.story
    return done.output


def test_every_rule_and_verb_is_named(project: Project) -> None:
    from versioning.checks import RULES
    from versioning.cli import VERBS

    text = project.read("README.md")
    assert [code for code in RULES if code not in text] == []
    assert {"setup", "check", "stamp", "release", "list", "show", "doctor"} <= {
        verb for group in VERBS.values() for verb in group if re.search(rf"(model|versioning) {verb}\b", text)
    }
