"""ID: made by nobody, for another team, at a time that has not been."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.versioning.checks.conftest import Trial, codes, hints, put, refused_tag, said
from tests.versioning.conftest import SIDECAR, Project


@pytest.mark.parametrize(
    "who",
    ["ada", "ada@laptop", "<ada@example.org>", " <ada@example.org>", "Ada", "Ada <>", "Ada <ada>", "Ada <a@b> <c@d>", "ml-team"],
)
def test_id01_no_identity(trial: Trial, who: str) -> None:
    found = trial.tagged({SIDECAR: put(who, "created_by")})
    assert codes(found) == {"ID01"} and f"$.created_by: ID01 says {who!r}, which is no identity" in said(found)
    assert not trial.staged({SIDECAR: put(who, "created_by")})  # it is the release that somebody has to answer for


@pytest.mark.parametrize(
    "who",
    [
        "Ada Lovelace <ada@example.org>",
        "ml-team <ml@localhost>",
        "Zoë Ünal <123+zoe@users.noreply.github.com>",
        "build[bot] <b@c.d>",
    ],
)
def test_id01_identities_as_git_writes_them(trial: Trial, who: str) -> None:
    assert not trial.tagged({SIDECAR: put(who, "created_by")})


def test_id01_another_team(trial: Trial) -> None:
    found = trial.tagged({SIDECAR: put("growth", "team")})
    assert codes(found) == {"ID01"} and "$.team: ID01 says 'growth', versioning.yaml says" in said(found)


def test_id01_trained_where_git_knew_nobody(project: Project) -> None:
    """What stands there for want of an identity gives way to the person who describes the model anew."""
    project.edit_sidecar(lambda it: it.update(created_by="root@4f2a"))
    project.force_commit()
    output = refused_tag(project, "ID01 says 'root@4f2a', which is no identity such as")
    assert project.sh(*hints(output)).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and project.sidecar()["created_by"] == project.git("log", "-1", "--format=%an <%ae>")


@pytest.mark.parametrize("when", ["2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:61:00Z"])
def test_id02_no_time(trial: Trial, when: str) -> None:
    found = trial.tagged({SIDECAR: put(when, "created_at")})
    assert codes(found) == {"ID02"} and f"$.created_at: ID02 is {when!r}, which is no time of RFC 3339" in said(found)


def test_id02_ten_minutes_ahead_and_more(trial: Trial) -> None:
    now = dt.datetime.now(dt.UTC)
    ahead = [f"{now + dt.timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}" for minutes in (8, 15)]
    assert not trial.tagged({SIDECAR: put(ahead[0], "created_at")})
    found = trial.tagged({SIDECAR: put(ahead[1], "created_at")})
    assert codes(found) == {"ID02"} and f"ID02 is {ahead[1]}, which is in the future: it is {now:%Y-%m-%d}" in said(found)


def test_id02_the_hint_mends_it(project: Project) -> None:
    project.edit_sidecar(lambda it: it.update(created_at="2999-01-01T00:00:00Z"))
    project.force_commit()
    output = refused_tag(project, "ID02 is 2999-01-01T00:00:00Z, which is in the future")
    assert project.sh(*hints(output)).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and project.sidecar()["created_at"] < "2999"
