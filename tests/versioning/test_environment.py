"""A project whose environment is really made, from its hash-locked files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Generate

from .conftest import MODEL, Project, shell_environment


@pytest.mark.slow
def test_a_default_generation_trains_releases_and_needs_nothing_else(
    generate: Generate, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stranger's machine: no dvc, no model, no environment; uv, and a cache of packages that is warm.
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "uv"):
        (tools / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    made = generate(tmp_path / "a wörk", _install="yes")
    assert "Left to do" not in made.output, made.output
    project = Project(
        made.project, shell_environment(home, made.project) | {"PATH": f"{made.project}/.venv/bin:{tools}:/usr/bin:/bin"}
    )
    assert Path(project.ok("python", "-c", "import sys; print(sys.prefix)")) == made.project / ".venv"
    assert sys.prefix not in project.ok("python", "-c", "import dvc; print(dvc.__file__)")
    assert project.git("status", "--porcelain") == ""

    project.ok("dvc", "repro")
    assert {line[3:] for line in project.git("status", "--porcelain").splitlines()} == {
        "dvc.lock", f"models/{MODEL}.json", "reports/metrics.json",
    }  # fmt: skip
    project.commit("Train")
    project.tag("v0.1.0")
    project.git("push", "-q", "--follow-tags")
    project.assert_released("v0.1.0")
    assert "didn't change, skipping" in project.ok("dvc", "repro")
    project.ok("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert project.git("status", "--porcelain") == ""
    assert project.ok("model", "doctor").count("BAD") == 0
    assert project.ok("python3", "-m", "versioning", "setup").splitlines()[0] == "environment: .venv is up to date"

    # Moved to another place, environment and all: the gate goes on.
    moved = tmp_path / "elsewhere"
    shutil.move(made.folder, moved)
    there = moved / project.path.name
    found = subprocess.run(
        ["git", "tag", "v0.0.1"], cwd=there, env=project.environment, capture_output=True, text=True, check=False
    )
    assert found.returncode != 0
    assert "VE02" in found.stderr
