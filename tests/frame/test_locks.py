"""The lock files: hashed, free of addresses, and one resolution seen from several sides."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from versioning import clouds

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = REPOSITORY / "{{cookiecutter.__project_slug}}"
JOINT = REPOSITORY / "requirements-dev.lock"
# What each lock is made from.
SOURCES = {
    JOINT: REPOSITORY / "requirements-dev.in",
    TEMPLATE / "requirements.lock": REPOSITORY / "requirements" / "runtime.in",
    TEMPLATE / "requirements.parquet.lock": REPOSITORY / "requirements" / "parquet.in",
    TEMPLATE / "requirements-dev.lock": REPOSITORY / "requirements" / "tools.in",
}
TOOLS = TEMPLATE / "requirements-dev.lock"
# What a cloud needs beyond the tools.
CLOUDS = {TEMPLATE / "versioning/services" / f"{name}.lock": REPOSITORY / "requirements" / f"{name}.in" for name in clouds.NAMES}
PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==([0-9][0-9a-z.+!]*)( ; [A-Za-z_0-9 ()<>=!.']+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")

each_whole_lock = pytest.mark.parametrize("lock", SOURCES, ids=lambda path: path.name + "@" + path.parent.name[:2])
each_lock = pytest.mark.parametrize("lock", [*SOURCES, *CLOUDS], ids=lambda path: path.name + "@" + path.parent.name[:2])


def _pins(lock: Path) -> set[tuple[str, str]]:
    return {(found[1], found[2]) for line in _content(lock) if (found := PIN.fullmatch(line))}


def _content(lock: Path) -> list[str]:
    return [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def _asked_for(source: Path) -> set[str]:
    asked: set[str] = set()
    for line in source.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            asked |= _asked_for(source.parent / line[3:])
        elif line and not line.startswith("#"):
            asked.add(line)
    return asked


def test_every_lock_of_the_template_has_its_source() -> None:
    assert set(TEMPLATE.rglob("*.lock")) == {*SOURCES, *CLOUDS} - {JOINT}


@pytest.mark.parametrize(("source", "table"), [("runtime.in", "dependencies"), ("tools.in", "dev")])
def test_a_generated_project_asks_for_what_its_locks_were_made_from(source: str, table: str) -> None:
    """Its owner resolves the locks anew from pyproject.toml: what is not named there would be gone."""
    text = (TEMPLATE / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(rf"^{table} = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    asked = {re.sub(r"\{\{.*?\}\}", "", item) for item in re.findall(r'^    "(.*)",$', block[1], re.MULTILINE)}
    assert asked == _asked_for(REPOSITORY / "requirements" / source)


@each_lock
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock: Path) -> None:
    """So neither an index, nor a path, nor a brace that cookiecutter would fill in."""
    assert [line for line in _content(lock) if not (PIN.fullmatch(line) or HASH.fullmatch(line))] == []


@each_lock
def test_every_pin_is_followed_by_a_hash(lock: Path) -> None:
    lines = _content(lock)
    pins = [number for number, line in enumerate(lines) if PIN.fullmatch(line)]
    assert pins
    assert [lines[number] for number in pins if not HASH.fullmatch(lines[number + 1])] == []


@each_whole_lock
def test_a_lock_is_made_from_what_is_asked_for_now(lock: Path) -> None:
    asked = _asked_for(SOURCES[lock])
    assert lock.read_text(encoding="utf-8").splitlines()[0] == "# " + ", ".join(sorted(asked)), "python3 dev.py lock"
    pins = _pins(lock)
    for requirement in map(Requirement, asked):
        versions = [version for name, version in pins if name == canonicalize_name(requirement.name)]
        assert versions, requirement
        assert all(requirement.specifier.contains(version) for version in versions), (requirement, versions)


@each_lock
def test_every_lock_is_a_part_of_the_joint_one(lock: Path) -> None:
    """Hence also: a package that two locks name has one version in both."""
    assert _pins(lock) - _pins(JOINT) == set()


@each_lock
def test_this_environment_is_what_the_lock_asks_for(lock: Path) -> None:
    """uv reads the lock in hash mode, and would change nothing; no network is used."""
    done = _would_install(lock)
    assert done.returncode == 0, done.stderr
    assert "Would make no changes" in done.stderr


@pytest.mark.parametrize("chosen", [[], *([name] for name in clouds.NAMES), list(clouds.NAMES)], ids=" ".join)
def test_runtime_and_tools_install_together(chosen: list[str], tmp_path: Path) -> None:
    tools = tmp_path / "requirements-dev.lock"
    tools.write_text(clouds.with_pins(TOOLS.read_text(encoding="utf-8"), chosen), encoding="utf-8")
    done = _would_install(TEMPLATE / "requirements.lock", tools)
    assert done.returncode == 0, done.stderr
    assert "Would make no changes" in done.stderr


def _would_install(*locks: Path) -> subprocess.CompletedProcess[str]:
    command = [uv.find_uv_bin(), "pip", "install", "--python", sys.executable, "--dry-run", "--offline"]
    command += ["--no-deps", "--require-hashes", *(f"--requirement={lock}" for lock in locks)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", CLOUDS, ids=lambda path: path.stem)
def test_a_clouds_lock_holds_its_client_and_nothing_of_the_tools(lock: Path) -> None:
    own, tools = {name for name, _ in _pins(lock)}, {name for name, _ in _pins(TOOLS)}
    assert f"dvc-{lock.stem}" in own
    assert own & tools == set()
    asked = _asked_for(CLOUDS[lock]) - _asked_for(REPOSITORY / "requirements" / "tools.in")
    assert lock.read_text(encoding="utf-8").splitlines()[0] == "# " + ", ".join(asked), "python3 dev.py lock"
