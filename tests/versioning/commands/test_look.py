"""`model list`, `model show`, `model doctor`, and the command line around them."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.versioning.conftest import SIDECAR, Project
from versioning.cli import VERBS

ALL_VERBS = [verb for group in VERBS.values() for verb in group]


def test_list_shows_the_newest_first(released: Project) -> None:
    released.model("release", "minor")
    lines = released.model("list").splitlines()
    assert [line.split()[0] for line in lines] == ["version", "v0.2.0", "v0.1.0"]
    rows = json.loads(released.model("list", "--json"))
    assert [row["tag"] for row in rows] == ["v0.2.0", "v0.1.0"]
    assert rows[0]["sha256"] == rows[1]["sha256"] == released.sidecar()["artifact"]["sha256"]
    assert rows[1]["commit"] == released.git("rev-parse", "v0.1.0^{commit}")


def test_list_before_the_first_release(project: Project) -> None:
    assert project.model("list") == 'no releases yet: git tag -a v0.1.0 -m "First release"'
    assert json.loads(project.model("list", "--json")) == []


@pytest.mark.parametrize("name", ["v0.1.0", "tag:v0.1.0", "v0.1.0-prod", "commit:HEAD~"])
def test_show_finds_a_release_by_each_of_its_names(released: Project, name: str) -> None:
    shown = json.loads(released.model("show", name, "--json"))
    assert (shown["tag"], shown["findings"]) == ("v0.1.0", [])
    assert shown["sidecar"] == released.sidecar()


def test_show_for_people(released: Project) -> None:
    said = released.model("show", "v0.1.0")
    assert re.search(r"^metrics\.roc_auc +0\.84", said, re.MULTILINE)
    assert re.search(r"^contradicted by +nothing$", said, re.MULTILINE)


def test_show_what_is_not_there(released: Project) -> None:
    done = released.run("model", "show", "v7.0.0")
    assert done.status == 2
    assert "the latest are: v0.1.0" in done.output


def test_doctor_finds_a_sound_clone_sound(released: Project) -> None:
    found = json.loads(released.run("model", "doctor", "--json").output)
    # The environment is shared with other tests, and was not made by `setup`.
    assert [point["point"] for point in found if not point["sound"]] == ["environment"]


@pytest.mark.parametrize(
    ("point", "spoil", "cure"),
    [
        ("hooks", ".git/hooks/pre-push", "python3 -m versioning hooks install"),
        ("rules", ".git/model-gate/versioning/judge.py", "python3 -m versioning hooks install"),
        ("DVC remote", "../customer-churn-storage/dvc", "dvc remote add --local --force storage URL"),
        ("data", "models/customer-churn.skops", "dvc pull"),
    ],
)
def test_doctor_names_what_is_missing_and_its_cure(released: Project, point: str, spoil: str, cure: str) -> None:
    path = released.path / spoil
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    found = {item["point"]: item for item in json.loads(released.run("model", "doctor", "--json").output)}
    assert not found[point]["sound"]
    assert found[point]["cure"] == cure
    assert f"BAD {point}: " in released.refused("model", "doctor")


def test_doctor_names_a_bad_release_that_came_past_the_gate(released: Project) -> None:
    released.edit_sidecar(lambda content: content["metrics"].update(roc_auc=0.99))
    released.force_commit()
    released.git("-c", "core.hooksPath=/dev/null", "tag", "v0.1.1")
    said = released.refused("model", "doctor")
    assert "v0.1.1 is not true" in said
    assert "model check v0.1.1" in said


@pytest.mark.parametrize("verb", ALL_VERBS)
def test_every_verb_has_help_with_an_example(released: Project, verb: str) -> None:
    said = released.model(verb, "--help")
    assert re.search(r"^example: .+", said, re.MULTILINE)
    options = re.findall(r"^  (-\S+)(?:, \S+)?(?: \S+)?(  .*)?$", said, re.MULTILINE)
    assert options


def test_help_groups_the_verbs(released: Project) -> None:
    said = released.model("--help")
    for group, verbs in VERBS.items():
        assert f"\n  {group}\n" in said
        assert all(f"\n    {verb} " in said for verb in verbs)


@pytest.mark.parametrize("arguments", [["frobnicate"], ["check", "--staged", "--all-releases"]])
def test_wrong_usage_is_2(released: Project, arguments: list[str]) -> None:
    assert released.run("model", *arguments).status == 2


def test_outside_a_repository_is_2(released: Project) -> None:
    done = released.run("model", "list", cwd=released.path.parent)
    assert done.status == 2, done.output
    assert "Git repository" in done.output or "versioning/ folder" in done.output


def test_the_unexpected_is_3_and_logged(released: Project) -> None:
    broken = "\n\ndef find(*_, **__):\n    raise RuntimeError('out of paper')\n"
    released.write("versioning/releases.py", released.read("versioning/releases.py") + broken)
    done = released.run("model", "list")
    assert done.status == 3
    assert "out of paper" in done.output
    log = re.search(r"details: (.*\.log)", done.output)
    assert log
    with open(log[1], encoding="utf-8") as stream:
        assert "RuntimeError: out of paper" in stream.read()


def test_a_subfolder_is_as_good_as_the_top(released: Project) -> None:
    assert "v0.1.0" in released.ok("model", "list", cwd=released.path / "src")
    assert SIDECAR not in released.ok("model", "check", "v0.1.0", cwd=released.path / "models")


def test_the_commit_hook_loads_nothing_heavy_when_nothing_is_staged(released: Project) -> None:
    code = (
        "import sys; from versioning.cli import main; main(['check', '--staged']); "
        "print(sorted({'dvc', 'jsonschema', 'ruamel'} & {name.split('.')[0] for name in sys.modules}))"
    )
    assert released.ok("python", "-c", code).splitlines()[-1] == "[]"
