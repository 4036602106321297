"""`setup` and `hooks`: a clone made ready with the standard library alone, twice as well as once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.versioning.conftest import MODEL, Project
from versioning.commands import hooks, setup

FAKE_UV = """#!/bin/sh
echo "uv $*" >> "$UV_LOG"
[ -z "$UV_FAILS" ] || { echo "error: no such index" >&2; exit 2; }
[ "$1" = venv ] && mkdir -p .venv/bin && touch .venv/bin/python
exit 0
"""


@pytest.fixture
def fresh(released: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A colleague's clone, on a machine whose uv only writes down what it is asked."""
    path = tmp_path / "colleague" / released.path.name
    released.git("clone", "-q", released.git("remote", "get-url", "origin"), str(path))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "uv").write_text(FAKE_UV)
    (tools / "uv").chmod(0o755)
    environment = released.environment | {"UV_LOG": str(tmp_path / "uv.log")}
    environment["PATH"] = f"{tools}:{environment['PATH']}"
    return Project(path, environment)


def asked(project: Project) -> list[str]:
    log = Path(project.environment["UV_LOG"])
    return log.read_text().splitlines() if log.exists() else []


def test_a_colleagues_clone_goes_back_to_a_release(released: Project, tmp_path: Path) -> None:
    path = tmp_path / "a cölleague" / released.path.name
    released.git("clone", "-q", released.git("remote", "get-url", "origin"), str(path))
    colleague = Project(path, released.environment)
    (path / ".venv").symlink_to(released.path / ".venv")
    colleague.ok("python3", "-m", "versioning", "setup", "--no-install")
    colleague.ok("dvc", "pull")
    colleague.git("checkout", "-q", "v0.1.0")
    for name in (f"{MODEL}.skops", f"{MODEL}.features.json"):
        assert (path / "models" / name).read_bytes() == (released.path / "models" / name).read_bytes()
    assert "up to date" in colleague.dvc("status")
    assert colleague.git("status", "--porcelain") == ""


def test_uv_makes_the_environment_from_both_locks(fresh: Project) -> None:
    done = fresh.run("/usr/bin/env", "python3", "-m", "versioning", "setup")
    assert done.status == 0, done.output
    venv, install = asked(fresh)
    assert venv.startswith("uv venv ")
    assert install.startswith("uv pip install ")
    assert "--require-hashes" in install
    assert install.endswith("-r requirements.lock -r requirements-dev.lock")
    assert (fresh.path / ".venv/bin/model").read_text() == setup.PROGRAM
    assert setup.is_current(fresh.path)


def test_the_second_time_it_makes_nothing(fresh: Project) -> None:
    fresh.ok("python3", "-m", "versioning", "setup")
    before = asked(fresh)
    assert "environment: .venv is up to date" in fresh.ok("python3", "-m", "versioning", "setup")
    assert asked(fresh) == before


def test_another_lock_makes_it_anew(fresh: Project) -> None:
    fresh.ok("python3", "-m", "versioning", "setup")
    fresh.write("requirements-dev.lock", fresh.read("requirements-dev.lock") + "# newer\n")
    assert not setup.is_current(fresh.path)
    fresh.ok("python3", "-m", "versioning", "setup")
    assert len(asked(fresh)) == 3
    assert setup.is_current(fresh.path)


def test_an_environment_that_was_left_half_made_is_made(fresh: Project) -> None:
    fresh.environment["UV_FAILS"] = "yes"
    fresh.run("python3", "-m", "versioning", "setup")
    (fresh.path / ".venv/bin").mkdir(parents=True, exist_ok=True)
    assert not setup.is_current(fresh.path)
    del fresh.environment["UV_FAILS"]
    fresh.ok("python3", "-m", "versioning", "setup")
    assert setup.is_current(fresh.path)
    assert asked(fresh)[-1].startswith("uv pip install ")


def test_a_failed_install_is_one_line_and_the_rest_is_done(fresh: Project) -> None:
    fresh.environment["UV_FAILS"] = "1"
    done = fresh.run("python3", "-m", "versioning", "setup")
    assert done.status == 1
    (line,) = [line for line in done.output.splitlines() if line.startswith("left to do: ")]
    assert "no such index" in line
    assert line.endswith("python3 -m versioning setup")
    assert hooks.is_ours(fresh.path / ".git/hooks/pre-push")
    assert (fresh.path / ".dvc/config.local").is_file()
    del fresh.environment["UV_FAILS"]
    fresh.ok("python3", "-m", "versioning", "setup")  # the half-made one is made again


def test_a_storage_on_another_machine_is_one_line(fresh: Project) -> None:
    fresh.git("remote", "set-url", "origin", "ada@example.org:churn.git")
    said = fresh.run("python3", "-m", "versioning", "setup", "--no-install").output
    (line,) = [line for line in said.splitlines() if line.startswith("left to do: ")]
    assert "a folder on the machine of Ada Lovelace <ada@example.org>, who made it, beside ada@example.org:churn.git" in line
    assert "`model storage move s3://BUCKET/PATH`, run there," in line


def test_hooks_are_installed_twice_and_removed_twice(released: Project) -> None:
    stranger = released.path / ".git/hooks/post-merge"
    released.model("hooks", "uninstall")
    stranger.write_text("#!/bin/sh\necho stranger\n")
    stranger.chmod(0o755)
    released.model("hooks", "install")
    released.model("hooks", "install")
    assert hooks.is_ours(stranger)
    assert stranger.with_name("post-merge.before-model-gate").read_text() == "#!/bin/sh\necho stranger\n"
    released.model("hooks", "uninstall")
    released.model("hooks", "uninstall")
    assert stranger.read_text() == "#!/bin/sh\necho stranger\n"
    assert not [path.name for path in (released.path / ".git/hooks").iterdir() if hooks.is_ours(path)]
    assert not (released.path / ".git/model-gate").exists()


def test_only_a_bare_repository_is_guarded_as_a_server(released: Project) -> None:
    done = released.run("model", "hooks", "install", "--server", str(released.path / "src"))
    assert done.status == 2
    assert "is not a bare Git repository" in done.output


def test_setup_gives_the_origins_gate_its_python_back(released: Project) -> None:
    bare = released.path.parent / f"{released.path.name}-storage/git"
    config = bare / "model-gate/config"
    subprocess.run(["git", "config", "--file", str(config), "gate.python", "../../gone/bin/python"], check=True)
    assert not hooks.can_judge(bare)
    released.ok("python3", "-m", "versioning", "setup", "--no-install")
    assert hooks.can_judge(bare)
    released.model("release", "minor")
    released.git("push", "-q", "--follow-tags")
    assert released.remote_tags() == ["v0.1.0", "v0.2.0"]


def test_an_old_copy_of_the_rules_is_replaced_whole(released: Project) -> None:
    rules = hooks.installed_rules(released.path / ".git")
    (rules / "left_over.py").write_text("")
    released.model("hooks", "install")
    assert not (rules / "left_over.py").exists()
    assert hooks.rules_digest(rules) == hooks.rules_digest(released.path / "versioning")
    shutil.rmtree(rules)
    released.model("hooks", "install")
    assert rules.is_dir()
