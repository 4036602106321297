"""VE: versions that are none, are not the one declared, or are not new; and releases that others hold."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.versioning.checks.conftest import (
    Trial,
    bumped,
    codes,
    hints,
    other_features,
    put,
    refused_tag,
    said,
    swap,
)
from tests.versioning.conftest import MODEL, SIDECAR, Project

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
    released.write(f"src/{MODEL.replace('-', '_')}/mended.py", '"""A fix."""\n')
    released.commit("Mend it")
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


# --- VE04: something new ---


def test_ve04_the_last_release_again(later: Trial) -> None:
    (finding,) = later.tagged(bumped(later, "v0.1.1"), "v0.1.1")
    assert (finding.code, finding.file, finding.actual) == ("VE04", "refs/tags/v0.1.1", "v0.1.1")
    assert finding.message.startswith("v0.1.1 would be v0.1.0 again: model, features, data, metrics, code")
    assert finding.hint.endswith(" show v0.1.0")


def test_ve04_a_changed_readme_is_nothing_new(later: Trial) -> None:
    changes = bumped(later, "v0.2.0", {"README.md": lambda text: text + "\nMore words.\n", "NOTES.md": "Notes.\n"})
    assert codes(later.tagged(changes, "v0.2.0")) == {"VE04"}


@pytest.mark.parametrize("path", ["versioning.yaml", f"src/{MODEL.replace('-', '_')}/notes.py"])
def test_ve04_a_changed_rule_or_module_is_something(later: Trial, path: str) -> None:
    content = later.read(path) + "\n# One more thought.\n" if path == "versioning.yaml" else "THOUGHT = 1\n"
    assert not later.tagged(bumped(later, "v0.2.0", {path: content}), "v0.2.0")


def test_ve04_a_candidate_with_the_bytes_of_the_last_release_is_nothing_new_either(later: Trial) -> None:
    assert codes(later.tagged(bumped(later, "v0.2.0-rc.1"), "v0.2.0-rc.1")) == {"VE04"}


def test_ve04_through_git_and_its_hint(released: Project) -> None:
    released.git("reset", "-q", "--hard", "v0.1.0")
    released.replace("params.yaml", "version: v0.1.0", "version: v0.1.1")
    released.dvc("repro")
    released.commit("Bump")
    output = refused_tag(released, "VE04 v0.1.1 would be v0.1.0 again", tag="v0.1.1")
    shown = released.sh(*hints(output))
    assert shown.status == 0 and "v0.1.0" in shown.output


def test_ve04_waived_for_one_version(later: Trial) -> None:
    waiver = '[{rule: VE04, version: v0.1.1, reason: "A customer pins names", by: Ada, until: 2999-01-01}]'
    changes = bumped(later, "v0.1.1", {"versioning.yaml": swap("waivers: []", f"waivers: {waiver}")})
    assert not later.tagged(changes, "v0.1.1")  # and a changed policy is something new already


# --- VE05: what callers rely on ---


def _first(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return next(feature for feature in spec["features"] if feature["type"] == kind)


def _rename(spec: dict[str, Any]) -> None:
    _first("number", spec)["name"] = "months"


BREAKING = {
    "the input tenure is gone": lambda spec: spec["features"].remove(_first("number", spec)),
    "the input tenure is gone, renamed": _rename,
    "the input tenure was a number and is a category": lambda spec: _first("number", spec).update(type="category", categories=["1"]),
    "the input tenure was written with the decimal . and is with ,": lambda spec: _first("number", spec).update(decimal=","),
    "the input gender no longer knows «Male»": lambda spec: _first("category", spec)["categories"].remove("Male"),
    "the classes were «No», «Yes» and are «No»": lambda spec: spec["classes"].remove("Yes"),
    "the task was classification and is regression": lambda spec: spec.update(task="regression"),
}  # fmt: skip
COMPATIBLE = {
    "an input more": lambda spec: spec["features"].append({"name": "region", "type": "number"}),
    "a category more": lambda spec: _first("category", spec)["categories"].append("Other"),
    "any text": lambda spec: _first("category", spec).update(type="text"),
    "the mark that it had": lambda spec: _first("number", spec).update(decimal="."),
    "another order": lambda spec: spec["features"].reverse(),
    "another form": lambda spec: None,
    "a derived feature": lambda spec: spec.update(derived=[{"name": "ratio", "type": "number"}]),
}


@pytest.mark.parametrize("says", BREAKING)
@pytest.mark.parametrize("version", ["v0.1.1", "v0.2.0", "v0.2.0-rc.1"])
def test_ve05_a_minor_version_that_breaks_calls(later: Trial, says: str, version: str) -> None:
    found = later.tagged(other_features(later, version, BREAKING[says]), version)
    assert codes(found) == {"VE05"} and says.removesuffix(", renamed") in said(found), said(found)
    assert f"so {version} would break what v0.1.0 serves" in said(found)
    assert found[0].hint.endswith(" release v1.0.0")


@pytest.mark.parametrize("says", BREAKING)
@pytest.mark.parametrize("version", ["v1.0.0", "v1.0.0-rc.1", "v2.0.0"])
def test_ve05_a_major_version_may(later: Trial, says: str, version: str) -> None:
    assert not later.tagged(other_features(later, version, BREAKING[says]), version)


@pytest.mark.parametrize("name", COMPATIBLE)
@pytest.mark.parametrize("version", ["v0.1.1", "v0.2.0"])
def test_ve05_what_grows_breaks_nothing(later: Trial, name: str, version: str) -> None:
    assert not later.tagged(other_features(later, version, COMPATIBLE[name]), version)


def test_ve05_without_the_earlier_spec_it_asks_for_it(later: Trial) -> None:
    changes = other_features(later, "v0.2.0", COMPATIBLE["an input more"])
    spec = later.project.path / SIDECAR.replace(".json", ".features.json")
    name = hashlib.md5(spec.read_bytes()).hexdigest()
    folders = [later.project.path / ".dvc/cache", later.project.path.with_name(f"{MODEL}-storage") / "dvc"]
    places = [folder / "files/md5" / name[:2] / name[2:] for folder in folders]
    kept = {place: place.read_bytes() for place in places}
    try:
        for place in places:
            place.unlink()
        (finding,) = later.tagged(changes, "v0.2.0")
    finally:
        for place, content in kept.items():
            place.write_bytes(content)
    assert finding.code == "VE05" and "the feature spec of v0.1.0 is not here" in finding.message
    assert finding.hint.startswith(f"dvc fetch --all-tags models/{MODEL}.features.json && git tag -a v0.2.0")


# --- VE06: signed where the policy asks for it ---

REGULATED = swap("policy: solo", "policy: regulated")


def test_ve06_lightweight_and_unsigned(project: Project) -> None:
    project.write("versioning.yaml", REGULATED(project.read("versioning.yaml")))
    project.commit("Regulated")
    refused_tag(project, "refs/tags/v0.1.0: VE06 v0.1.0 is not signed; the policy «regulated» asks for a signed one")
    output = project.refused("git", "tag", "v0.1.0")
    assert "VE06 v0.1.0 is a lightweight tag, which says nothing of who made it" in output and not project.tags()
    key = project.path.parent / "key"
    project.ok("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    project.git("config", "gpg.format", "ssh")
    project.git("config", "user.signingKey", str(key))
    pasted = project.sh(*hints(output))
    assert pasted.status == 0, project.story
    assert "BEGIN SSH SIGNATURE" in project.git("cat-file", "tag", "v0.1.0")


def test_ve06_a_lightweight_tag_passes_elsewhere_with_a_note(project: Project) -> None:
    output = project.ok("git", "tag", "v0.1.0")
    assert "note: v0.1.0 is a lightweight tag, which `git push --follow-tags` leaves behind: git tag -f -a v0.1.0" in output
    assert project.sh(output.rpartition("leaves behind: ")[2]).status == 0, project.story
    assert project.git("cat-file", "-t", "v0.1.0") == "tag" and "note:" not in project.model("check", "v0.1.0")
