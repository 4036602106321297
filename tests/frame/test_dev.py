"""dev.py: what it refuses, when it makes its environment, and that a bare machine is enough for it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path
from typing import Protocol

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dev

REPOSITORY = Path(dev.__file__).resolve().parent
RUN_AS_OLD = """
import runpy, sys
sys.argv, sys.version_info = ["dev.py", "test"], (3, 9, 2, "final", 0)
runpy.run_path(%r, run_name="__main__")
"""
SESSION = """
import nox, os, sys
nox.options.default_venv_backend = "none"

@nox.session
def lint(session):
    print(sys.prefix, os.getcwd(), session.posargs, sep="|", flush=True)
    session.run("python", "-c", "import sys; raise SystemExit(sys.argv[1:] != ['good'])", *session.posargs)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository with a lock, which dev.py takes for its own."""
    root = tmp_path / "a répo"
    root.mkdir()
    cache = tmp_path / "cache"
    for name in ("PRIVATE", "ENV", "BIN", "PYTHON", "MARKER"):
        monkeypatch.setattr(dev, name, cache / getattr(dev, name).relative_to(dev.ENVIRONMENTS))
    monkeypatch.setattr(dev, "ENVIRONMENTS", cache)
    monkeypatch.setattr(dev, "LOCK", root / dev.LOCK.name)
    monkeypatch.setattr(dev, "ROOT", root)
    dev.LOCK.write_text("uv==1 \\\n    --hash=sha256:00\nwheel==2 \\\n    --hash=sha256:11\n")
    return root


@pytest.fixture
def made(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """One entry for each time that an environment was made, by a maker that takes no time."""
    times: list[Path] = []

    def make() -> None:
        dev.BIN.mkdir(parents=True)
        dev.PYTHON.touch()
        times.append(checkout)

    monkeypatch.setattr(dev, "make_environment", make)
    return times


class Machine(Protocol):
    def __call__(self, *broken: str, uv: str | None = None) -> list[list[str]]: ...


@pytest.fixture
def machine(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which every command that contains one of the given words fails; returns the commands run."""

    def build(*broken: str, uv: str | None = None) -> list[list[str]]:
        ran: list[list[str]] = []

        def run(command: Sequence[str], quiet: bool = False) -> bool:
            ran.append([str(part) for part in command])
            dev.PRIVATE.mkdir(parents=True, exist_ok=True)
            return not any(word in ran[-1] for word in broken)

        monkeypatch.setattr(dev, "run", run)
        monkeypatch.setattr("shutil.which", lambda name: uv if name == "uv" else None)
        monkeypatch.setattr(dev, "base_python", lambda: "/base/python3")
        return ran

    return build


# -- what it refuses


def test_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    script = RUN_AS_OLD % str(REPOSITORY / "dev.py")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"dev.py: Python 3.11 or newer is needed, this one is 3.9.2: {sys.executable}\n"


def test_an_old_python_can_read_the_file() -> None:
    ast.parse((REPOSITORY / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("argv", [[], ["tests"]])
def test_a_wrong_command_shows_the_commands(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(argv) == 2
    assert "usage: python3 dev.py COMMAND" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in dev.COMMANDS if f"  {name} " not in shown] == []


def test_without_git_the_tests_do_not_start(
    made: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert dev.main(["test"]) == 1
    assert "git is not on the PATH" in capsys.readouterr().err
    assert made == []


def test_a_folder_that_cannot_be_made_is_one_line(made: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    dev.ENVIRONMENTS.write_text("a file in the way")
    assert dev.main(["lint"]) == 1
    assert capsys.readouterr().err.startswith(f"dev.py: cannot make {dev.ENV}: ")


# -- when the environment is made


def test_a_second_run_uses_the_first_ones_environment(made: list[Path]) -> None:
    dev.ensure_environment()
    dev.ensure_environment()
    assert len(made) == 1


def test_another_lock_makes_another_environment(made: list[Path]) -> None:
    dev.ensure_environment()
    (dev.ENV / "left over").touch()
    dev.LOCK.write_text("uv==2 \\\n    --hash=sha256:00\n")
    dev.ensure_environment()
    assert len(made) == 2
    assert not (dev.ENV / "left over").exists()


def test_another_python_makes_another_environment(made: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    dev.ensure_environment()
    monkeypatch.setattr(dev, "base_python", lambda: "/another/python3")
    dev.ensure_environment()
    assert len(made) == 2


def test_a_half_made_environment_is_made_again(made: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    make = dev.make_environment

    def stop_half_way() -> None:
        make()
        (dev.ENV / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "make_environment", stop_half_way)
    assert dev.main(["lint"]) == 130
    monkeypatch.setattr(dev, "make_environment", make)
    dev.ensure_environment()
    assert len(made) == 2
    assert not (dev.ENV / "half").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"lock": "other"}'])
def test_a_marker_that_says_nothing_is_no_marker(made: list[Path], content: str) -> None:
    dev.ensure_environment()
    dev.MARKER.write_text(content)
    dev.ensure_environment()
    assert len(made) == 2


def test_an_environment_whose_python_is_gone_is_made_again(made: list[Path]) -> None:
    dev.ensure_environment()
    dev.PYTHON.unlink()
    dev.PYTHON.symlink_to("/nowhere/python3")
    dev.ensure_environment()
    assert len(made) == 2


def test_two_first_runs_at_once_make_one_environment(made: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    make = dev.make_environment

    def make_slowly() -> None:
        time.sleep(0.2)
        make()

    monkeypatch.setattr(dev, "make_environment", make_slowly)
    runs = [threading.Thread(target=dev.ensure_environment) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(made) == 1


# -- with what it is made


def test_uv_on_the_path_needs_no_pip(machine: Machine) -> None:
    ran = machine("ensurepip", uv="/usr/bin/uv")
    dev.make_environment()
    assert [command[0] for command in ran] == ["/base/python3", "/usr/bin/uv"]
    assert "--offline" in ran[1]
    assert "--require-hashes" in ran[1]


def test_what_the_cache_lacks_is_fetched(machine: Machine) -> None:
    ran = machine("--offline", uv="/usr/bin/uv")
    dev.make_environment()
    assert [command[0] for command in ran] == ["/base/python3", "/usr/bin/uv", "/usr/bin/uv"]
    assert "--offline" not in ran[2]


def test_without_uv_pip_fetches_uv_from_the_lock(machine: Machine) -> None:
    ran = machine()
    dev.make_environment()
    assert [Path(command[0]).name for command in ran] == ["python3", "python", "uv"]
    assert (dev.PRIVATE / "uv.lock").read_text() == "uv==1 \\\n    --hash=sha256:00\n"
    assert "--require-hashes" in ran[1]


def test_a_uv_that_fails_leaves_the_work_to_pip(machine: Machine) -> None:
    ran = machine("/usr/bin/uv", str(dev.BIN / "uv"), uv="/usr/bin/uv")
    dev.make_environment()
    assert ran[-1][:3] == [str(dev.PYTHON), "-m", "pip"]
    assert ran[-1][-1] == str(dev.LOCK)
    assert "--require-hashes" in ran[-1]


def test_without_ensurepip_the_interpreters_own_pip_serves(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = machine()
    make_venv = dev.make_venv
    monkeypatch.setattr(dev, "make_venv", lambda *options: bool(options) and make_venv(*options))
    dev.make_environment()
    assert ran[1][:5] == ["/base/python3", "-m", "pip", "--python", str(dev.PYTHON)]


def test_without_any_installer_one_line_names_the_cure(machine: Machine) -> None:
    machine("venv", "pip")
    with pytest.raises(dev.Refused, match=r"^/base/python3 has neither ensurepip nor pip.*apt install python3-venv"):
        dev.make_environment()


def test_a_lock_that_cannot_be_installed_is_refused(machine: Machine) -> None:
    machine("install")
    with pytest.raises(dev.Refused, match="could not be installed"):
        dev.make_environment()


# -- how it hands over


@pytest.mark.parametrize("argv", [["test", "--", "-k", "a name"], ["test", "-k", "a name"]])
def test_arguments_after_the_command_reach_it(argv: list[str]) -> None:
    assert dev.parse(argv) == ("test", ["-k", "a name"])


def test_settings_that_misplace_packages_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in dev.DROPPED:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PIP_INDEX_URL", "kept")
    settings = dev.environ()
    assert [name for name in dev.DROPPED if name in settings] == []
    assert settings["PIP_INDEX_URL"] == "kept"
    assert settings["PATH"].startswith(str(dev.BIN))


def _closure(*names: str) -> set[str]:
    """The packages that these need, by what is installed here."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = [Requirement(line) for line in requires(name) or []]
            waiting += [canonicalize_name(r.name) for r in needed if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


@pytest.mark.slow
def test_a_machine_with_git_and_python_only_is_enough(tmp_path: Path) -> None:
    """The whole way, with the part of the lock that nox needs: pip, uv, environment, nox, exit code."""
    root, tools, home = tmp_path / "a répo", tmp_path / "tools", tmp_path / "home"
    for folder in (root, tools, home):
        folder.mkdir()
    lock = (REPOSITORY / "requirements-dev.lock").read_text(encoding="utf-8")
    (root / "requirements-dev.lock").write_text("".join(dev.stanza(name, lock) for name in _closure("nox", "uv")))
    (root / "noxfile.py").write_text(SESSION)
    shutil.copy(REPOSITORY / "dev.py", root)
    (tools / "git").symlink_to(str(shutil.which("git")))
    (tools / "python3").symlink_to(dev.base_python())

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(tools / "python3"), str(root / "dev.py"), "lint", "--", *arguments]
        bare = {"PATH": str(tools), "HOME": str(home)}
        return subprocess.run(command, env=bare, cwd=home, capture_output=True, text=True, check=False)

    first = run("good")
    assert first.returncode == 0, first.stderr
    (made,) = (home / ".cache" / "model-versioning-template").iterdir()
    assert first.stdout == f"{made / 'env'}|{root}|['good']\n"
    assert f"making {made / 'env'}" in first.stderr
    assert not (root / ".dev").exists()
    second = run("bad")
    assert second.returncode == 1, second.stderr
    assert "making" not in second.stderr
