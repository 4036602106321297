"""A recorded exception: one rule, one release, a reason, a name, an end; and never for what makes a release one."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from .checks.conftest import hints, refused_tag
from .conftest import Project

REASON = "Fewer rows until the new source is there"
TOMORROW = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).date()


def waive(project: Project, rule: str, version: str = "v0.1.0", until: object = TOMORROW) -> None:
    item = f"  - rule: {rule}\n    version: {version}\n    reason: {REASON}\n    by: Ada Lovelace\n    until: {until}\n"
    project.replace("versioning.yaml", "waivers: []\n", f"waivers:\n{item}")


def ask_for_more(project: Project) -> None:
    project.replace("versioning.yaml", "    min: 0.75\n", "    min: 0.99\n")
    project.commit("Ask for more")


def test_a_waived_release_passes_everywhere_and_says_so_everywhere(project: Project) -> None:
    ask_for_more(project)
    refused_tag(project, "ME03 is 0.84")
    waive(project, "ME03")
    project.commit("Let v0.1.0 pass")
    said = f"waived until {TOMORROW} by Ada Lovelace: {REASON}"
    project.git("push", "-q")
    tagged = project.ok("git", "tag", "-a", "v0.1.0", "-m", "First")
    assert "$.metrics.roc_auc: ME03 is 0.84" in tagged and said in tagged
    pushed = project.ok("git", "push", "--follow-tags")
    assert said in pushed and f"remote:   {said}" in pushed, "the server says it as well"
    for command in (("check", "v0.1.0"), ("check", "--all-releases")):
        assert said in project.model(*command)
    found = json.loads(project.model("check", "v0.1.0", "--format", "json"))
    assert found["findings"] == [] and found["waived"][0]["code"] == "ME03"
    assert found["waived"][0]["waiver"] == {"reason": REASON, "by": "Ada Lovelace", "until": str(TOMORROW)}
    assert "::warning file=models/customer-churn.json,title=ME03::" in project.model("check", "v0.1.0", "--format", "github")
    assert project.model("list").splitlines()[0].endswith("waived") and project.model("list").rstrip().endswith("ME03")
    assert f"waived                       ME03 until {TOMORROW} by Ada Lovelace: {REASON}" in project.model("show", "v0.1.0")
    assert json.loads(project.model("list", "--json"))[0]["waived"] == ["ME03"]


def test_a_waiver_ends_and_is_for_one_rule_of_one_release(project: Project) -> None:
    ask_for_more(project)
    yesterday = TOMORROW - dt.timedelta(days=2)
    for rule, version, until in (("ME03", "v0.1.0", yesterday), ("ME03", "v0.1.1", TOMORROW), ("ME02", "v0.1.0", TOMORROW)):
        waive(project, rule, version, until)
        project.commit("Waive")
        assert "waived" not in refused_tag(project, "ME03 is 0.84")
        project.git("reset", "-q", "--hard", "HEAD~")


def test_what_was_released_in_time_stays_released(project: Project) -> None:
    """The day that counts is the day of the release, however much later somebody looks."""
    ask_for_more(project)
    waive(project, "ME03", until="2026-01-31")
    project.commit("Waive")
    project.environment["GIT_COMMITTER_DATE"] = "2026-01-15T12:00:00+0000"
    project.git("-c", "core.hooksPath=/dev/null", "tag", "-a", "v0.1.0", "-m", "In January")
    assert "waived until 2026-01-31" in project.model("check", "v0.1.0")


@pytest.mark.parametrize("rule", ["SC01", "SC02", "AR01", "AR03", "AR04", "AR05", "VE01", "VE02", "VE07"])
def test_what_is_never_waived(project: Project, rule: str) -> None:
    waive(project, rule)
    project.force_commit("Waive")
    refused_tag(project, f"versioning.yaml: SC01 waivers[0] waives {rule}, which is never waived: SC, AR, VE01, VE02, VE07")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("waivers: [ME03]", "waivers[0] holds 'ME03'; a waiver has rule, version, reason, by, until"),
        ("waivers: [{rule: ME03, version: v0.1.0, reason: x, by: Ada}]", "a waiver has rule, version, reason, by, until"),
        ("waivers: [{rule: ME03, version: v0.1.0, reason: '', by: Ada, until: 2999-01-01}]", "waivers[0].reason holds '', not a text"),
        ("waivers: [{rule: ME03, version: v0.1.0, reason: x, by: 7, until: 2999-01-01}]", "waivers[0].by holds 7, not a text"),
        ("waivers: [{rule: ME03, version: v1, reason: x, by: Ada, until: 2999-01-01}]", "waivers[0].version holds 'v1', not one release"),
        ("waivers: [{rule: ME03, version: '*', reason: x, by: Ada, until: 2999-01-01}]", "waivers[0].version holds '*', not one release"),
        ("waivers: [{rule: ME03, version: v0.1.0, reason: x, by: Ada, until: never}]", "waivers[0].until holds 'never', not a day"),
    ],
)  # fmt: skip
def test_a_waiver_that_says_too_little_is_none(project: Project, text: str, says: str) -> None:
    project.replace("versioning.yaml", "waivers: []", text)
    project.force_commit("Waive")
    refused_tag(project, says)


def test_a_release_cannot_bring_its_own_waiver_to_the_server(project: Project) -> None:
    ask_for_more(project)
    project.git("push", "-q")
    project.git("switch", "-q", "-c", "side")
    waive(project, "ME03")
    project.commit("Let it pass")
    project.git("tag", "-a", "v0.1.0", "-m", "First")
    said = project.refused("git", "push", "origin", "side", "v0.1.0")
    assert "ME03 is 0.84" in said and project.remote_tags() == []
    project.git("push", "-q", "origin", "side:main")  # somebody agreed
    project.git("push", "-q", "origin", "v0.1.0")
    assert project.remote_tags() == ["v0.1.0"]


def test_ci_judges_by_the_default_branch(project: Project) -> None:
    ask_for_more(project)
    project.git("push", "-q")
    project.git("switch", "-q", "-c", "side")
    project.replace("versioning.yaml", "    min: 0.99\n", "    min: 0.1\n")
    project.commit("Ask for less")
    project.git("tag", "-a", "v0.1.0", "-m", "First")
    project.model("check", "v0.1.0")
    assert "ME03 is 0.84" in project.refused("model", "check", "v0.1.0", "--policy", "origin/main")
    project.git("checkout", "-q", "--detach", "origin/main")
    assert "ME03 is 0.84" in project.refused("model", "check", "v0.1.0", "--policy", "HEAD")
    assert hints(project.refused("model", "check", "v0.1.0", "--policy", "nowhere")) == ["git fetch origin"]
