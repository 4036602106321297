"""Objectives are data: what they say, what they must not hold, and what is measured of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Generated, git
from tests.versioning.conftest import Project
from versioning import objectives, policy
from versioning.errors import Malformed
from versioning.git import Repository
from versioning.snapshot import DiskSnapshot


def parsed(**section: Any) -> objectives.Objectives:
    return objectives.parse({"objectives": section}, policy.FILE)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30 minutes", 1800), ("1 minute", 60), ("4 hours", 14400), ("1 day", 86400), ("0.5 days", 43200), (" 90 seconds ", 90)],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parsed(rollback_within=text).rollback_within == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    ["30", 30, "30m", "1 business day", "half an hour", "-1 hours", "0 days", "", "1e9999 days", "9" * 40 + " days", True],
)
def test_nonsense_is_no_duration(value: Any) -> None:
    with pytest.raises(Malformed) as caught:
        parsed(reproduce_within=value)
    assert str(caught.value) == (
        f"versioning.yaml: objectives.reproduce_within holds {value!r}, not a duration such as 30 minutes, 4 hours or 1 day"
    )


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"statement": 3}, "statement holds 3, not a text"),
        ({"scope": "all"}, "scope holds 'all', not a mapping"),
        ({"scope": {"models": ["A B"]}}, "scope.models holds 'A B', which is no name of a model"),
        ({"scope": {"teams": "growth"}}, "scope.teams holds 'growth', not a list of texts"),
        ({"environments": ["live"]}, "environments holds 'live'; an environment is one of dev, staging, canary, prod"),
        ({"model_types": [3]}, "model_types holds [3], not a list of texts"),
    ],
)
def test_another_kind_of_value_is_named(section: dict[str, Any], message: str) -> None:
    with pytest.raises(Malformed) as caught:
        parsed(**section)
    assert str(caught.value) == f"versioning.yaml: objectives.{message}"


def test_a_section_that_is_none() -> None:
    with pytest.raises(Malformed, match="objectives holds 'x', not a mapping"):
        objectives.parse({"objectives": "x"}, policy.FILE)


def test_without_the_section_nothing_is_asked_for() -> None:
    assert objectives.parse({}, policy.FILE) == objectives.parse({"objectives": None}, policy.FILE) == objectives.Objectives()


def test_the_generated_ones_say_what_they_are_for(sample: Generated) -> None:
    said = policy.load(DiskSnapshot(Repository(sample.project))).objectives
    assert said.rollback_within == dt.timedelta(minutes=30) and said.reproduce_within == dt.timedelta(days=1)
    assert said.statement and said.environments == ("dev", "staging", "prod") and said.model_types == ("batch",)


def test_a_duration_is_spoken() -> None:
    spoken = [objectives.spoken(dt.timedelta(seconds=seconds)) for seconds in (1.24, 60, 1800, 3600, 5400, 86400, 172800)]
    assert spoken == ["1.2 s", "1 minute", "30 minutes", "1 hour", "1.5 hours", "1 day", "2 days"]


def test_going_back_is_measured(released: Project) -> None:
    rollbacks = objectives.Rollbacks(Repository(released.path))
    assert rollbacks.last is None
    released.git("checkout", "-q", "v0.1.0")
    last = rollbacks.last
    assert last and last.tag == "v0.1.0" and last.took > dt.timedelta(0)
    released.git("checkout", "-q", "main")  # which is no going back
    assert rollbacks.last == last


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"tag": "v1.0.0", "seconds": "x", "on": ""}', "nonsense"])
def test_what_cannot_be_read_measures_nothing(tmp_path: Path, content: str) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".git/model-gate").mkdir()
    (tmp_path / ".git/model-gate/rollback.json").write_text(content, "utf-8")
    assert objectives.Rollbacks(Repository(tmp_path)).last is None
