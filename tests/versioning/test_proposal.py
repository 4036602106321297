"""Which part of the version should grow, and why: each kind of change by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import git
from tests.versioning import small
from versioning import policy, proposal
from versioning.documents import ABSENT, changed, shown_beside
from versioning.git import Repository
from versioning.snapshot import DiskSnapshot


@pytest.fixture
def made(tmp_path: Path) -> small.Small:
    """A repository whose last commit is released: nothing changed since."""
    made = small.build(tmp_path / "clone")
    git(made.path, "tag", "-a", "v0.2.0", "-m", "v0.2.0")
    return made


def proposed(made: small.Small) -> list[str]:
    with Repository(made.path) as repository:
        since = proposal.last_final(repository, small.MODEL)
        assert since is not None and since.tag == "v0.2.0"
        rules = policy.load(DiskSnapshot(repository)).of(small.MODEL)
        return [f"{reason.part} {reason.what}" for reason in proposal.reasons(repository, rules, since)]


def say(made: small.Small, **fields: Any) -> None:
    """Let the sidecar on disk say something else: `data={"md5": ...}`."""
    content = json.loads((made.path / small.SIDECAR).read_text())
    for key, value in fields.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    (made.path / small.SIDECAR).write_text(json.dumps(content))


def test_nothing(made: small.Small) -> None:
    assert proposed(made) == []


OTHER_DATA = {"data_id": "telco-churn-2021-01-01", "data": {"md5": "0" * 32}}


def test_other_data_that_make_another_model(made: small.Small) -> None:
    say(made, **OTHER_DATA, artifact={"sha256": "1" * 64}, metrics={"roc_auc": 0.9})
    assert proposed(made) == [
        "minor data: telco-churn-2020-06-25 -> telco-churn-2021-01-01",
        "minor model: other bytes that measure differently",
        "minor metric roc_auc: 0.8002 -> 0.9",
    ]


def test_other_data_that_make_the_same_model(made: small.Small) -> None:
    say(made, **OTHER_DATA)
    assert proposed(made) == ["patch data: telco-churn-2020-06-25 -> telco-churn-2021-01-01"]
    say(made, artifact={"sha256": "1" * 64})
    assert proposed(made)[1:] == ["patch model: other bytes that measure the same"]


def test_other_data_under_the_same_id(made: small.Small) -> None:
    say(made, data={"md5": "0" * 32})
    (said,) = proposed(made)
    assert said.startswith("patch data: ") and " -> 0000000, and both are called telco-churn-2020-06-25" in said
    assert said.endswith("other data needs another data.id (DA02)")


def test_other_rows_of_evaluation(made: small.Small) -> None:
    say(made, evaluation_data={"md5": "0" * 32}, metrics={"roc_auc": 0.9})
    assert proposed(made) == ["patch data: it is evaluated on other rows", "patch metric roc_auc: 0.8002 -> 0.9"]


def test_code_and_packages_are_what_the_model_became(made: small.Small) -> None:
    (made.path / f"{small.SRC}/train.py").write_text("X = 1\n")
    say(made, environment={"lock_sha256": "0" * 64})
    assert proposed(made) == [f"patch code: {small.SRC}/train.py", "patch packages: requirements.lock"]
    say(made, artifact={"sha256": "1" * 64}, metrics={"roc_auc": 0.9})
    assert {said.partition(" ")[0] for said in proposed(made)} == {"minor"}


def test_another_parameter(made: small.Small) -> None:
    say(made, hyperparameters={"features": {"numeric": ["tenure", "X"], "categorical": ["Contract"]}})
    assert proposed(made) == ["minor parameter features.numeric: -MonthlyCharges +X"]


def test_the_policy(made: small.Small) -> None:
    place = made.path / policy.FILE
    place.write_text(place.read_text().replace("min: 0.75", "min: 0.76"))
    assert proposed(made) == ["patch policy: versioning.yaml"]


def write_spec(made: small.Small, spec: dict[str, Any]) -> None:
    (made.path / small.FEATURES).write_text(json.dumps(spec))
    say(made, features={"sha256": "0" * 64})


def test_inputs_and_what_is_derived(made: small.Small) -> None:
    spec = small.spec()
    write_spec(made, spec | {"features": [*spec["features"], {"name": "Age", "type": "number"}]})
    assert proposed(made) == ["minor features: the input Age is new: callers have to send it"]
    write_spec(made, spec | {"derived": [{"name": "ratio", "type": "number"}]})
    assert proposed(made) == ["minor features: derived feature ratio is new"]
    write_spec(made, spec)
    assert proposed(made) == [f"patch features: {small.FEATURES} is written in another form"]


MANY = [f"column {number}" for number in range(30)]


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (1, 1.0, "1 -> 1.0"),
        (ABSENT, "a", "nothing -> 'a'"),
        (["a", "b"], ["b", "c"], "-a +c"),
        (["a", "b"], ["b", "a"], "in another order"),
        ([1], [True], "-1 +True"),
        ([], MANY, "+column 0 +column 1 +column 2 +column 3 +column 4 +…"),
        (ABSENT, MANY, "nothing -> a list of 30, 'column 0', 'column 1', 'column 2', 'column 3', 'column 4' …"),
    ],
)
def test_what_became_of_a_value(before: Any, now: Any, said: str) -> None:
    assert changed(before, now) == said


def test_a_long_list_is_said_by_what_the_other_lacks() -> None:
    assert (
        shown_beside([*MANY, "PLZ"], MANY) == "a list of 31 with 'PLZ'" and shown_beside(MANY, [*MANY, "PLZ"]) == "a list of 30"
    )
    assert shown_beside(MANY, MANY[::-1]) == "a list of 30 in another order"
    assert shown_beside(["a"], ["b"]) == "['a']"
