"""VE: versions that are none, are not the one declared, or are not new; and releases that others hold."""

from __future__ import annotations

import pytest

from tests.versioning.checks.conftest import Trial, codes, hints, put, refused_tag, said, swap
from tests.versioning.conftest import SIDECAR, Project

ATTEMPTS = {
    "v1": "v1.0.0", "v1.2": "v1.2.0", "V1.0.0": "v1.0.0", "1.0.0": "v1.0.0", "v01.0.0": "v1.0.0", "v1.0.0+build": "v1.0.0",
    "v1.2.0-prod": "v1.2.0", "v1.2.0-staging.1": "v1.2.0", "v1.0.0rc1": "v1.0.0-rc.1", "v1.0.0.0": "v1.0.0", "v1.0.0-": "v1.0.0",
    "v1.0.0-01": "v1.0.0", "1.0.0-rc.1": "v1.0.0-rc.1", "customer-churn/v1": "customer-churn/v1.0.0",
}  # fmt: skip
OTHERS = (
    "nightly-1", "v2-notes", "2024-11-05", "20241105", "v2024.11.05", "backup", "release", "vnext", "3.11", "10.0.0.1",
    "version-2", "docs/v1", "exp-v1", "data/1.0.0",
)  # fmt: skip


@pytest.mark.parametrize("name", ATTEMPTS)
def test_ve01_no_version_of_semver(trial: Trial, name: str) -> None:
    (finding,) = trial.tagged({}, name)
    assert (finding.code, finding.file, finding.expected) == ("VE01", f"refs/tags/{name}", ATTEMPTS[name])
    assert (
        finding.message.startswith(f"{name} is no release") and finding.hint == f"git tag -a {ATTEMPTS[name]} -m {ATTEMPTS[name]}"
    )


def test_ve01_through_git(project: Project) -> None:
    for name in ("v1", "V1.0.0", "1.0.0", "v01.0.0", "v1.0.0+build", "v1.2.0-prod"):
        refused_tag(project, f"refs/tags/{name}: VE01 {name} is no release", f"hint: git tag -a {ATTEMPTS[name]}", tag=name)
    output = refused_tag(project, tag="v0.1")
    assert project.sh(*hints(output)).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_ve01_names_that_are_none_of_ours(project: Project) -> None:
    for name in OTHERS:
        project.git("tag", name)
        project.git("tag", "-f", name, "HEAD~")
    assert sorted(project.tags()) == sorted(OTHERS)
    for name in OTHERS:
        project.git("tag", "-d", name)


def test_ve02_another_version_than_the_sidecar(project: Project) -> None:
    output = refused_tag(project, f"{SIDECAR}::$.version: VE02 says v0.1.0, the tag says v9.9.9", tag="v9.9.9")
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v9.9.9"] and project.sidecar()["version"] == "v9.9.9"


def test_ve02_another_version_in_the_sidecar_than_in_the_parameters(trial: Trial) -> None:
    found = trial.tagged({SIDECAR: put("v0.2.0", "version")}, "v0.2.0")
    assert codes(found) == {"VE02"} and "says v0.2.0, params.yaml says v0.1.0" in said(found)
    found = trial.tagged({"params.yaml": swap("version: v0.1.0", "version: v0.2.0")}, "v0.2.0")
    assert codes(found) == {"VE02", "CO02"}


@pytest.mark.parametrize("line", ["version: 0.1.0", "version: V0.1.0", "version: 1", "version: [v0.1.0]", "other: 1"])
def test_ve02_no_version_in_the_parameters(trial: Trial, line: str) -> None:
    assert codes(trial.tagged({"params.yaml": swap("version: v0.1.0", line)})) & {"VE02", "CO02"}


@pytest.mark.parametrize("version", ["v0.0.9", "v0.1.0-rc.1", "v0.1.0-alpha"])
def test_ve03_an_older_version(released: Project, version: str) -> None:
    for path in ("params.yaml", "dvc.lock", SIDECAR):
        released.replace(path, "v0.1.0", version)
    released.commit("Back")
    output = refused_tag(released, f"refs/tags/{version}: VE03 {version} is not newer than v0.1.0, released", tag=version)
    assert "release v0.1.1" in hints(output)[0]


def test_ve03_the_hint(released: Project) -> None:
    for path in ("params.yaml", "dvc.lock", SIDECAR):
        released.replace(path, "v0.1.0", "v0.0.9")
    released.commit("Back")
    (hint,) = hints(refused_tag(released, tag="v0.0.9"))
    assert released.sh(hint).status == 0, released.story
    assert released.tags() == ["v0.1.0", "v0.1.1"]


def test_ve03_the_same_version_on_a_later_commit_under_the_other_name(released: Project) -> None:
    released.write("README.md", "Another.\n")
    released.commit("Another")
    refused_tag(released, "VE03 v0.1.0 is not newer than v0.1.0", tag="customer-churn/v0.1.0")


def test_ve03_a_line_of_its_own_goes_on(released: Project) -> None:
    released.model("release", "major")
    released.git("switch", "-q", "-c", "maintenance", "v0.1.0")
    released.model("release", "patch")
    assert released.tags() == ["v0.1.0", "v0.1.1", "v1.0.0"]


def test_a_lightweight_tag_is_a_release(project: Project) -> None:
    project.git("tag", "v0.1.0")
    project.git("push", "--quiet", "origin", "v0.1.0")
    assert project.remote_tags() == ["v0.1.0"]


def test_ve07_a_pushed_release_stays(released: Project) -> None:
    before = released.git("rev-parse", "refs/tags/v0.1.0")
    released.write("README.md", "Another.\n")
    released.commit("Another")
    for command in (
        ("tag", "-d", "v0.1.0"), ("tag", "-f", "-a", "v0.1.0", "-m", "Again"), ("tag", "-f", "v0.1.0"),
        ("update-ref", "-d", "refs/tags/v0.1.0"), ("update-ref", "refs/tags/v0.1.0", "HEAD"),
    ):  # fmt: skip
        output = released.refused("git", *command)
        act = "deleted" if "-d" in command else "moved"
        assert f"VE07 v0.1.0 cannot be {act}: origin holds it" in output, output
        assert released.git("rev-parse", "refs/tags/v0.1.0") == before
    (hint,) = hints(output)
    assert released.sh(hint).status == 0, released.story
    assert released.tags() == ["v0.1.0", "v0.1.1"]


def test_ve07_also_once_it_is_packed(released: Project) -> None:
    released.git("pack-refs", "--all")
    assert "VE07" in released.refused("git", "tag", "-d", "v0.1.0")
    assert released.tags() == ["v0.1.0"]


def test_ve07_also_while_the_remote_does_not_answer(released: Project) -> None:
    released.git("remote", "set-url", "origin", "/nowhere/at/all")
    output = released.refused("git", "tag", "-d", "v0.1.0")
    assert "VE07 v0.1.0 cannot be deleted: origin (not reachable now" in output
    assert released.tags() == ["v0.1.0"]


def test_ve07_a_release_that_is_only_here_may_be_withdrawn(project: Project) -> None:
    for packed in (False, True):
        project.tag("v0.1.0")
        if packed:
            project.git("pack-refs", "--all")
        project.git("tag", "-d", "v0.1.0")
        assert project.tags() == []
    project.tag("v0.1.0")
    project.git("tag", "-f", "-a", "v0.1.0", "-m", "A better message")
    assert project.git("tag", "-l", "--format=%(subject)", "v0.1.0") == "A better message"


def test_ve07_at_a_push(released: Project) -> None:
    for push in (("--delete", "origin", "v0.1.0"), ("origin", ":refs/tags/v0.1.0"), ("-f", "origin", "HEAD~:refs/tags/v0.1.0")):
        output = released.refused("git", "push", *push)
        assert "VE07 v0.1.0 cannot be" in output and "origin holds it" in output, output
        assert "VE07" in released.refused("git", "push", "--no-verify", *push)
        assert released.remote_tags() == ["v0.1.0"]


def test_a_push_of_a_commit_as_a_release(released: Project) -> None:
    commit = released.git("rev-parse", "HEAD")
    for options in ((), ("--no-verify",)):
        output = released.refused("git", "push", *options, "origin", f"{commit}:refs/tags/v9.9.9")
        assert "VE02 says v0.1.0, the tag says v9.9.9" in output
        assert released.remote_tags() == ["v0.1.0"]
    output = released.refused("git", "push", "origin", "HEAD@{0 days ago}:refs/tags/v9.9.9")
    assert "VE02 says v0.1.0, the tag says v9.9.9" in output


def test_a_ref_written_past_git_tag(project: Project) -> None:
    assert "VE02" in project.refused("git", "update-ref", "refs/tags/v9.9.9", "HEAD")
    assert project.tags() == []


def test_a_tag_of_a_tag_and_a_commit_of_no_branch(project: Project) -> None:
    project.git("tag", "-a", "inner", "-m", "inner")
    project.git("tag", "-a", "v0.1.0", "-m", "outer", "inner")
    alone = project.git("commit-tree", "HEAD^{tree}", "-m", "Without a parent")
    assert "CO01" in project.refused("git", "tag", "v0.1.1", alone)
    assert "VE03" in project.refused(
        "git", "tag", "customer-churn/v0.1.0", project.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "x")
    )
    assert project.tags() == ["inner", "v0.1.0"]


def test_the_server_refuses_what_went_past_the_hooks(project: Project) -> None:
    project.edit_sidecar(lambda it: it["metrics"].update(roc_auc=0.99))
    project.force_commit()
    project.git("-c", "core.hooksPath=/dev/null", "tag", "-a", "v0.1.0", "-m", "v0.1.0")
    assert "ME01 says 0.99" in project.refused("git", "push", "--follow-tags")
    for push in (("--no-verify", "--follow-tags"), ("--no-verify", "origin", "v0.1.0"), ("--no-verify", "--mirror")):
        output = project.refused("git", "push", *push)
        assert "remote: model-gate: this push is refused" in output and "ME01 says 0.99" in output, output
    output = project.refused("git", "-c", "core.hooksPath=/dev/null", "push", "--follow-tags")
    assert "ME01 says 0.99" in output
    assert project.remote_tags() == []


def test_a_false_version_that_was_fetched_closes_no_line(released: Project) -> None:
    released.git("-c", "core.hooksPath=/dev/null", "tag", "v9.9.9", "v0.1.0")
    released.write("README.md", "More.\n")
    released.commit("More")
    assert "released v0.1.1" in released.model("release", "patch")
    released.git("push", "-q", "origin", "main", "v0.1.1")
    assert released.remote_tags() == ["v0.1.0", "v0.1.1"]
