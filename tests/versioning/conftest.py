"""Trained projects: made once, then copied for each test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import isolated_environment, run_cookiecutter
from versioning.commands import setup

MODEL = "customer-churn"
SIDECAR = f"models/{MODEL}.json"
METRICS = "reports/metrics.json"


@dataclass
class Done:
    """What a command printed, and how it ended."""

    status: int
    output: str


@dataclass
class Project:
    """A generated project, used from a shell as its owner does."""

    path: Path
    environment: dict[str, str]
    log: list[str] = field(default_factory=list)

    def run(self, *command: str, cwd: Path | None = None, **environment: str) -> Done:
        """Run a command in an activated shell."""
        done = subprocess.run(
            command, cwd=cwd or self.path, env=self.environment | environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.log.append(f"$ {' '.join(command)}\n{done.stdout}")
        return Done(done.returncode, done.stdout)

    def sh(self, line: str, cwd: Path | None = None) -> Done:
        """Run a line as it is pasted into a shell."""
        return self.run("sh", "-c", line, cwd=cwd)

    def ok(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command that must do what it says."""
        done = self.run(*command, cwd=cwd)
        assert done.status == 0, self.story
        return done.output.strip()

    def refused(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command that must be refused."""
        done = self.run(*command, cwd=cwd)
        assert done.status != 0, self.story
        return done.output

    @property
    def story(self) -> str:
        """All that was typed and answered, for the message of a failing test."""
        return "\n".join(self.log)

    def git(self, *arguments: str) -> str:
        return self.ok("git", *arguments)

    def dvc(self, *arguments: str) -> str:
        return self.ok(sys.executable, "-m", "dvc", *arguments)

    def model(self, *arguments: str) -> str:
        return self.ok(sys.executable, "-m", "versioning", *arguments)

    def commit(self, message: str = "Work") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def force_commit(self, message: str = "Lie") -> str:
        """A commit past the commit hook: the tag must stand on its own."""
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", message)
        return self.git("rev-parse", "HEAD")

    def tag(self, version: str) -> None:
        self.git("tag", "-a", version, "-m", version)

    def tags(self) -> list[str]:
        return self.git("tag").split()

    def remote_tags(self) -> list[str]:
        lines = self.git("ls-remote", "--tags", "origin").splitlines()
        return sorted(line.split("refs/tags/")[1] for line in lines if not line.endswith("^{}") and "refs/tags/" in line)

    def read(self, path: str) -> str:
        return (self.path / path).read_text("utf-8")

    def write(self, path: str, text: str) -> None:
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        (self.path / path).write_text(text, "utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new, 1))

    def sidecar(self) -> dict[str, Any]:
        return json.loads(self.read(SIDECAR))

    def edit_sidecar(self, change: Callable[[dict[str, Any]], object]) -> None:
        content = self.sidecar()
        change(content)
        self.write(SIDECAR, json.dumps(content, indent=2) + "\n")

    def trained(self) -> bool:
        """Whether a train stage ran since the log was cleared."""
        return any("Running stage 'train'" in entry for entry in self.log)

    def assert_released(self, tag: str) -> None:
        """The tag is on the remote, and nothing is left dirty."""
        assert tag in self.remote_tags(), self.story
        assert self.git("status", "--porcelain") == "", self.story
        assert "up to date" in self.dvc("status"), self.story


def shell_environment(home: Path, project: Path) -> dict[str, str]:
    """An activated shell, in which `model` is found as `setup` installs it.

    The environment is shared by all tests, so the program stands in a folder beside it.
    """
    environment = isolated_environment(home)
    tools = home / "bin"
    tools.mkdir(exist_ok=True)
    for name, text in (("model", setup.PROGRAM), ("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')):
        (tools / name).write_text(text, "utf-8")
        (tools / name).chmod(0o755)
    environment["PATH"] = os.pathsep.join([str(project / ".venv/bin"), environment["PATH"], str(tools)])
    return environment


def connect(project: Path) -> None:
    """What a person does after moving a project and its storage together."""
    storage = project.with_name(f"{project.name}-storage")
    subprocess.run(["git", "remote", "set-url", "origin", str(storage / "git")], cwd=project, check=True)
    (project / ".dvc/config.local").write_text(f"['remote \"storage\"']\n    url = {storage / 'dvc'}\n", "utf-8")


@pytest.fixture(scope="session")
def trained_once(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was trained and committed, and not released yet."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("trained")
    made = run_cookiecutter(template, folder, (), {}, isolated_environment(home)).project
    (made / ".venv").symlink_to(sys.prefix)
    project = Project(made, shell_environment(home, made))
    project.dvc("repro")
    project.commit("Train")
    return made


def copy_of(original: Path, folder: Path) -> Path:
    for name in (original.name, f"{original.name}-storage"):
        shutil.copytree(original.with_name(name), folder / name, symlinks=True)
    connect(folder / original.name)
    return folder / original.name


@pytest.fixture
def project(trained_once: Path, tmp_path: Path, home: Path) -> Project:
    """A copy of the trained project, for this test alone."""
    path = copy_of(trained_once, tmp_path)
    return Project(path, shell_environment(home, path))


@pytest.fixture(scope="session")
def released_once(trained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose v0.1.0 is released and pushed, and on whose main something new waits for the next release."""
    folder = tmp_path_factory.mktemp("released")
    path = copy_of(trained_once, folder)
    project = Project(path, shell_environment(tmp_path_factory.mktemp("home"), path))
    project.tag("v0.1.0")
    project.git("push", "-q", "--follow-tags")
    project.write(f"src/{MODEL.replace('-', '_')}/serve.py", '"""To come: a service that scores one customer."""\n')
    project.commit("Begin a service")
    project.git("push", "-q")
    return path


@pytest.fixture
def released(released_once: Path, tmp_path: Path, home: Path) -> Project:
    """A copy of the project with v0.1.0 released and a commit since, for this test alone."""
    path = copy_of(released_once, tmp_path)
    return Project(path, shell_environment(home, path))
