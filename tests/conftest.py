"""What every test gets: a home of its own, and generated projects."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "{{cookiecutter.__project_slug}}"
# What cookiecutter needs of this repository. It copies the whole of what it is given: with `.dev/`, an environment.
PARTS = ("cookiecutter.json", "hooks", "template_answers", TEMPLATE)
IDENTITY = "[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n"
DROPPED = ("COOKIECUTTER_", "DVC_", "GIT_", "PRE_COMMIT", "PYTHON", "SSH_AUTH_SOCK", "VIRTUAL_ENV", "XDG_")


def isolated_environment(home: Path) -> dict[str, str]:
    """Return the environment of a person who has just installed git and this Python, and configured a name."""
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text(IDENTITY, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    return kept | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / ".cache/dvc-site"),
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home with a Git identity, for this process and all that it starts."""
    folder = tmp_path_factory.mktemp("home")
    environment = isolated_environment(folder)
    for name in set(os.environ) - set(environment) - {"PYTEST_CURRENT_TEST"}:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a clone has it: without environments and caches."""
    folder = tmp_path_factory.mktemp("template") / "template"
    folder.mkdir()
    for part in map(ROOT.joinpath, PARTS):
        if part.is_dir():
            shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        else:
            shutil.copy(part, folder)
    return folder


@dataclass(frozen=True)
class Generated:
    """What a run of cookiecutter left in its output folder."""

    folder: Path
    status: int
    output: str

    @property
    def project(self) -> Path:
        """The generated project; the run must have made exactly one."""
        assert self.status == 0, self.output
        (project,) = (path for path in self.folder.iterdir() if (path / "params.yaml").exists())
        return project

    @property
    def storage(self) -> Path:
        """The folder beside it."""
        return self.project.with_name(f"{self.project.name}-storage")

    def git(self, *arguments: str) -> str:
        """Return what git prints in the project."""
        return git(self.project, *arguments)


Generate = Callable[..., Generated]


@pytest.fixture
def generate(template: Path, tmp_path: Path) -> Generate:
    """Run cookiecutter with answers, in a folder of its own; `_install` is `no` unless it is asked for."""

    def run(folder: Path = tmp_path / "work", options: tuple[str, ...] = (), **answers: str) -> Generated:
        folder.mkdir(exist_ok=True)
        return run_cookiecutter(template, folder, options, answers)

    return run


@pytest.fixture(scope="session")
def sample(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """A project made with all defaults, to look at and not to change."""
    environment = isolated_environment(tmp_path_factory.mktemp("home"))
    return run_cookiecutter(template, tmp_path_factory.mktemp("sample"), (), {}, environment)


def run_cookiecutter(
    template: Path | str,
    folder: Path,
    options: tuple[str, ...],
    answers: dict[str, str],
    environment: dict[str, str] | None = None,
) -> Generated:
    """Run cookiecutter as a person does, on a folder or an address, and return what came of it."""
    given = [f"{name}={value}" for name, value in ({"_install": "no"} | answers).items()]
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input", *options, *given]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return Generated(folder, done.returncode, done.stdout)


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints, without the last line break."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")
