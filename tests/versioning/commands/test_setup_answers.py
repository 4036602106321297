"""`model setup --team …`: any answer of the generation is changed later, shown first, and changed back to the same bytes."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Generated, git, isolated_environment, run_cookiecutter
from tests.versioning.conftest import SIDECAR, Project
from versioning import answers
from versioning.errors import UsageError, VersioningError

OTHER = {"team": "risk", "policy": "regulated", "ci": "gitlab", "registry": "mlflow"}
GENERATED = {"team": "data-science", "policy": "solo", "ci": "github", "registry": "git"}


@pytest.fixture
def made(sample: Generated, tmp_path: Path) -> Path:
    """A fresh project, for this test alone."""
    for place in (sample.project, sample.storage):
        shutil.copytree(place, tmp_path / "work" / place.name, symlinks=True)
    path = tmp_path / "work" / sample.project.name
    git(path, "remote", "set-url", "origin", str(path.with_name(sample.storage.name) / "git"))
    return path


def setup(project: Path, *options: str, stdin: int = subprocess.DEVNULL) -> tuple[int, str]:
    """Run by a Python that has nothing but its standard library, as before there is an environment."""
    command = [sys.executable, "-I", "-S", "-c", _RUN, "setup", *options]
    done = subprocess.run(
        command, cwd=project, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


_RUN = "import sys; sys.path.insert(0, '.'); sys.dont_write_bytecode = True; from versioning.cli import main; sys.exit(main(sys.argv[1:]))"


def options(wanted: dict[str, str]) -> list[str]:
    return [word for key, value in wanted.items() for word in (f"--{key}", value)]


def next_step(output: str) -> str:
    (step,) = [line.removeprefix("Next: ") for line in output.splitlines() if line.startswith("Next: ")]
    return step


# --- shown, applied, and back -----------------------------------------------------------------------------------------


def test_every_answer_and_back_gives_the_same_bytes(made: Path) -> None:
    status, output = setup(made, *options(OTHER), "--yes")
    assert status == 0, output
    assert answers.current(made) == OTHER
    subprocess.run(["sh", "-ec", next_step(output)], cwd=made, check=True, capture_output=True)
    assert git(made, "status", "--porcelain") == ""
    status, output = setup(made, *options(GENERATED), "--yes")
    assert status == 0, output
    subprocess.run(["sh", "-ec", next_step(output)], cwd=made, check=True, capture_output=True)
    assert git(made, "status", "--porcelain") == git(made, "diff", "HEAD~2") == ""


def test_two_changes_before_a_commit_are_one(made: Path) -> None:
    assert setup(made, "--ci", "gitlab", "--yes")[0] == 0
    status, output = setup(made, "--ci", "jenkins", "--policy", "team", "--yes")
    assert status == 0, output
    subprocess.run(["sh", "-ec", next_step(output)], cwd=made, check=True, capture_output=True)
    assert git(made, "status", "--porcelain") == ""
    assert not {".gitlab-ci.yml", ".github/workflows/release.yml"} & set(git(made, "ls-files").splitlines())


def test_a_change_is_written_through_a_link(made: Path) -> None:
    (made / "rules").mkdir()
    (made / "versioning.yaml").rename(made / "rules/own.yaml")
    (made / "versioning.yaml").symlink_to("rules/own.yaml")
    git(made, "add", "-A")
    git(made, "commit", "-q", "--no-verify", "-m", "Link")
    status, output = setup(made, "--policy", "team", "--yes")
    assert status == 0 and (made / "versioning.yaml").is_symlink(), output
    assert "\npolicy: team" in (made / "rules/own.yaml").read_text()
    git(made, "diff", "--quiet", "--", "versioning.yaml")
    assert "git add --all rules/own.yaml && " in next_step(output)


@pytest.mark.parametrize(
    ("path", "is_folder", "wanted"),
    [("infra", False, ["--ci", "gitlab"]), (".gitlab-ci.yml", True, ["--ci", "gitlab"]), ("README.md", True, ["--team", "risk"])],
)
def test_what_stands_in_the_way_is_one_line(made: Path, path: str, is_folder: bool, wanted: list[str]) -> None:
    subprocess.run(["rm", "-rf", str(made / path)], check=True)
    if is_folder:
        (made / path).mkdir()
    else:
        (made / path).write_text("mine\n")
    before = git(made, "status", "--porcelain")
    status, output = setup(made, *wanted, "--yes")
    what = "is a folder, and a file" if is_folder else "is a file, and a folder"
    place = made / path
    assert (status, output) == (2, f"error: {place} {what} belongs there\n  hint: mv {place} {place}-before\n")
    assert git(made, "status", "--porcelain") == before
    subprocess.run(["sh", "-ec", output.partition("hint: ")[2]], check=True)
    assert setup(made, *wanted, "--yes")[0] == 0


def test_a_folder_with_the_name_of_another_services_file_is_in_nobodys_way(made: Path) -> None:
    (made / "Jenkinsfile").mkdir()
    (made / "Jenkinsfile/mine").write_text("")
    assert setup(made, "--ci", "gitlab", "--yes")[0] == 0


@pytest.mark.parametrize("ci", answers.CHOICES["ci"])
def test_an_answer_given_later_is_as_good_as_at_generation(made: Path, template: Path, tmp_path: Path, ci: str) -> None:
    given = {"team": "risk", "policy": "team", "registry": "mlmd", "ci": ci}
    (tmp_path / "other").mkdir()
    other = run_cookiecutter(template, tmp_path / "other", (), given, isolated_environment(tmp_path / "home")).project
    assert setup(made, *options(given), "--yes")[0] == 0
    git(made, "add", "-A")
    assert git(made, "ls-files", "-s") == git(other, "ls-files", "-s")


def test_a_difference_is_shown_and_nothing_changed(made: Path) -> None:
    status, output = setup(made, "--team", "risk", "--ci", "jenkins")
    assert status == 1 and git(made, "status", "--porcelain") == ""
    assert '-team: "data-science"\n+team: "risk"\n' in output
    assert "--- a/.github/workflows/release.yml\n+++ /dev/null\n" in output
    assert "--- /dev/null\n+++ b/Jenkinsfile\n" in output
    assert output.splitlines()[-1] == (
        "nothing is changed yet, since there is no terminal to ask at: python3 -m versioning setup --team risk --ci jenkins --yes"
    )
    patch = output.rpartition("nothing is changed yet")[0]
    subprocess.run(["git", "apply", "-"], cwd=made, input=patch, text=True, check=True)
    assert setup(made, "--team", "risk", "--ci", "jenkins") == (0, "nothing to change: these answers are given already\n")


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("Yes", 0), ("", 1), ("n", 1), ("\x04", 1)])
def test_at_a_terminal_it_asks(made: Path, answer: str, status: int) -> None:
    master, slave = pty.openpty()
    os.write(master, answer.encode() if answer == "\x04" else f"{answer}\n".encode())
    ended, output = setup(made, "--policy", "team", stdin=slave)
    os.close(master)
    os.close(slave)
    assert ended == status and "Apply? [y/N]" in output
    assert answers.current(made)["policy"] == ("solo" if status else "team")


def test_interrupted_half_way_the_second_run_finishes(made: Path) -> None:
    plan = answers.plan(made, OTHER)
    for change in plan.changes[:3]:
        change.apply(made)
    assert setup(made, *options(OTHER), "--yes")[0] == 0
    git(made, "add", "-A")
    first = git(made, "write-tree")
    git(made, "reset", "-q", "--hard")
    assert setup(made, *options(OTHER), "--yes")[0] == 0
    git(made, "add", "-A")
    assert git(made, "write-tree") == first


# --- what a person changed --------------------------------------------------------------------------------------------


def test_a_changed_file_of_a_service_stays_and_is_said(made: Path) -> None:
    workflow = made / ".github/workflows/release.yml"
    workflow.write_text(workflow.read_text().replace("ubuntu-latest", "our-own-runner"))
    (made / "Jenkinsfile").write_text("ours\n")
    before = workflow.read_bytes()
    status, output = setup(made, "--ci", "jenkins", "--yes")
    assert status == 0
    assert workflow.read_bytes() == before and (made / "Jenkinsfile").read_text() == "ours\n"
    assert ".github/workflows/release.yml is not as the template made it, and stays as it is" in output
    assert "+    runs-on: our-own-runner" in output and "-    runs-on: ubuntu-latest" in output
    assert "rm Jenkinsfile && model setup --ci jenkins" in output
    assert not (made / "infra/github-ruleset.json").exists()
    assert answers.current(made)["ci"] == "jenkins"
    (made / "Jenkinsfile").unlink()
    assert setup(made, "--ci", "jenkins", "--yes")[0] == 0
    assert (made / "Jenkinsfile").read_text() == answers.service_files("jenkins")["Jenkinsfile"]


def test_comments_order_and_line_ends_stay(made: Path) -> None:
    rules = made / "versioning.yaml"
    text = "# mine\r\nci:   'github'   # why\r\nteam: plain # ours\r\npolicy: solo\r\nregistry: git"
    rules.write_bytes(text.encode())
    assert setup(made, "--team", "no", "--registry", "mlmd", "--ci", "jenkins", "--yes")[0] == 0
    changed = text.replace("'github'", "jenkins").replace("plain", '"no"').replace("registry: git", "registry: mlmd")
    assert rules.read_bytes().decode() == changed
    import yaml

    assert yaml.safe_load(changed)["team"] == "no"


@pytest.mark.parametrize("text", ["model: x\n", "team: a\nteam: b\n", "team:\n  - a\n", "team: &x a\n", "team: |\n  a\n"])
def test_rules_that_cannot_be_edited_are_said(made: Path, text: str) -> None:
    (made / "versioning.yaml").write_text(text + "policy: solo\nci: github\nregistry: git\n")
    status, output = setup(made, "--team", "risk", "--yes")
    assert status == 1 and output.startswith("error: versioning.yaml has ") and len(output.splitlines()) == 1
    assert (made / "versioning.yaml").read_text().startswith(text)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["--team", "Data Science"], "--team is a name (lower case, digits and hyphens, at most 63), not 'Data Science'"),
        (["--team", ""], "not ''"),
        (["--team", "a" * 64], "at most 63"),
        (["--policy", "strict"], "--policy is one of solo, team, regulated, not 'strict'"),
        (["--ci", "travis"], "--ci is one of github, gitlab, jenkins, not 'travis'"),
        (["--storage", "ftp://x"], "'ftp://x' is not a storage"),
        (["--storage", ""], "'' is not a storage"),
        (["--yes"], "there is nothing to apply"),
    ],
)
def test_an_answer_that_is_none(made: Path, wanted: list[str], message: str) -> None:
    status, output = setup(made, *wanted)
    assert status == 2 and message in output and git(made, "status", "--porcelain") == ""


def test_a_name_is_proposed() -> None:
    with pytest.raises(UsageError) as caught:
        answers.checked("team", " Künstliche Intelligenz! ")
    assert caught.value.hint == "model setup --team kunstliche-intelligenz"
    with pytest.raises(VersioningError):
        answers.checked("team", "-")


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (["--team", "Risk", "--policy", "team", "--yes"], "model setup --team risk --policy team --yes"),
        (["--ci", "gitlab", "--team=Risk"], "model setup --ci gitlab --team=risk"),
    ],
)
def test_the_other_options_stay_in_the_proposal(monkeypatch: pytest.MonkeyPatch, typed: list[str], hint: str) -> None:
    monkeypatch.setattr(sys, "argv", ["model", "setup", *typed])
    with pytest.raises(UsageError) as caught:
        answers.checked("team", "Risk")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("teams", "after"),
    [
        (
            "    teams:\n      - data-science  # data-science\n      - data\n",
            "    teams:\n      - risk  # data-science\n      - data\n",
        ),
        ("    teams:\n    - 'data-science'\n", "    teams:\n    - 'risk'\n"),
        ("    teams: [data, data-science]\n", "    teams: [data, risk]\n"),
        ("    teams: [data-science-eu]\n", "    teams: [data-science-eu]\n"),
        ("    models: [data-science]\n", "    models: [data-science]\n"),
    ],
)
def test_the_objectives_name_the_team_as_it_is_called_now(tmp_path: Path, teams: str, after: str) -> None:
    text = "team: data-science\nobjectives:\n  statement: For data-science.\n\n  scope:\n"
    end = "  environments:\n    - data-science\npolicy: solo\nci: github\nregistry: git\n"
    (tmp_path / "versioning.yaml").write_text(text + teams + end)
    (change,) = answers.plan(tmp_path, {"team": "risk"}).changes
    assert change.after == text.replace("team: data-science", 'team: "risk"') + after + end
    change.apply(tmp_path)
    (back,) = answers.plan(tmp_path, {"team": "data-science"}).changes
    assert back.after == text.replace("team: data-science", 'team: "data-science"') + teams + end


# --- what it means for releases ---------------------------------------------------------------------------------------


def test_another_team_makes_no_release_untrue(released: Project) -> None:
    said = released.model("setup", "--team", "risk", "--yes")
    assert "The sidecar names the team" in said
    step = next_step(said)
    assert step.startswith("dvc repro -f -s sidecar && git add --all ") and step.endswith(" && git push")
    assert released.sh(step).status == 0, released.story
    assert released.sidecar()["team"] == "risk" and not released.trained()
    assert released.git("status", "--porcelain") == ""
    for command in (
        ["check", "v0.1.0"],
        ["check", "--all-releases"],
        ["release", "minor"],
        ["check", "v0.1.0", "--policy", "HEAD"],
    ):
        released.model(*command)
    released.git("push", "-q", "--follow-tags")
    released.assert_released("v0.2.0")
    assert SIDECAR in released.git("diff", "--name-only", "v0.1.0", "v0.2.0")


def test_another_team_that_is_not_pushed_yet_goes_before_the_release(released: Project) -> None:
    step = next_step(released.model("setup", "--team", "risk", "--yes"))
    assert released.sh(step.removesuffix(" && git push")).status == 0, released.story
    push = next_step(released.model("release", "minor"))
    together = released.refused("git", "push", "--follow-tags")
    assert "hint: git push origin main && git push --follow-tags" in together
    assert push == "git push && git push --follow-tags" and released.sh(push).status == 0, released.story
    released.assert_released("v0.2.0")


def test_a_team_that_the_default_branch_never_had_is_refused(released: Project) -> None:
    released.git("switch", "-q", "-c", "theirs")
    step = next_step(released.model("setup", "--team", "risk", "--yes"))
    assert released.sh(step.removesuffix(" && git push")).status == 0
    released.model("release", "minor")
    said = released.refused("git", "push", "origin", "theirs", "v0.2.0")
    assert "ID01 says 'risk', versioning.yaml says 'data-science'" in said
    assert released.remote_tags() == ["v0.1.0"]
