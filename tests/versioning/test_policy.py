"""`versioning.yaml` is data: what it says, what it leaves out, and what it must not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Generated, git
from versioning import policy
from versioning.errors import Malformed
from versioning.git import Repository
from versioning.snapshot import DiskSnapshot


def loaded(folder: Path, text: str | None) -> policy.Policy:
    git(folder, "init", "-q")
    if text is not None:
        (folder / policy.FILE).write_text(text, "utf-8")
    return policy.load(DiskSnapshot(Repository(folder)))


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "paths:\nstages:\nteam:\n", "other: 1\n"])
def test_what_is_left_out_has_its_default(tmp_path: Path, text: str | None) -> None:
    assert loaded(tmp_path, text) == policy.Policy()


def test_the_default_is_the_safe_one() -> None:
    assert not policy.Policy().allow_pickle
    assert policy.Policy().entry_stage == "staging"


def test_what_is_said_is_taken(tmp_path: Path) -> None:
    text = (
        "model: churn\nteam: growth\npolicy: regulated\nstages: [canary, prod]\nallow_pickle: true\n"
        "paths: {metrics: m.json, evaluation_data: t.csv, evaluation: [a.csv, b.png], environment: lock.txt, other: x}\n"
    )
    rules = loaded(tmp_path, text)
    assert (rules.model, rules.team, rules.policy, rules.stages) == ("churn", "growth", "regulated", ("canary", "prod"))
    assert (rules.metrics, rules.evaluation_data, rules.environment) == ("m.json", "t.csv", "lock.txt")
    assert (rules.evaluation, rules.entry_stage, rules.allow_pickle) == (("a.csv", "b.png"), "canary", True)


@pytest.mark.parametrize("value", ["'true'", "1", "'yes'", "[]", "null", "false"])
def test_only_true_lets_pickles_in(tmp_path: Path, value: str) -> None:
    assert not loaded(tmp_path, f"allow_pickle: {value}\n").allow_pickle


def test_the_generated_one_is_read(sample: Generated) -> None:
    rules = policy.load(DiskSnapshot(Repository(sample.project)))
    assert (rules.model, rules.team, rules.policy) == ("customer-churn", "data-science", "solo")
    assert rules.stages == ("staging", "canary", "prod")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: 3\n", "versioning.yaml: model holds 3, not a text"),
        ("team: [a]\n", "versioning.yaml: team holds ['a'], not a text"),
        ("stages: prod\n", "versioning.yaml: stages holds 'prod', not a list of texts"),
        ("stages: [1]\n", "versioning.yaml: stages holds [1], not a list of texts"),
        ("stages: []\n", "versioning.yaml: stages holds nothing; the stages are dev, staging, canary, prod, retired"),
        ("stages: [live]\n", "versioning.yaml: stages holds ['live']; the stages are dev, staging, canary, prod, retired"),
        ("paths: [a]\n", "versioning.yaml: paths holds ['a'], not a mapping"),
        ("paths: {metrics: [a]}\n", "versioning.yaml: paths.metrics holds ['a'], not a text"),
        ("paths: {evaluation: a.csv}\n", "versioning.yaml: paths.evaluation holds 'a.csv', not a list of texts"),
        ("models: {uplift: {paths: {metrics: [a]}}}\n", "versioning.yaml: models.uplift.paths.metrics holds ['a'], not a text"),
        ("models: {uplift: {params: 3}}\n", "versioning.yaml: models.uplift.params holds 3, not a text"),
        ("models: {uplift: {checklist: a}}\n", "versioning.yaml: models.uplift.checklist holds 'a', not a list of texts"),
        ("- a\n", "versioning.yaml holds a list, not a mapping"),
        ("a: [\n", "versioning.yaml is not YAML: line 2 column 1: "),
        ("model: a\nmodel: b\n", "versioning.yaml is not YAML: line 2 column 1: found duplicate key"),
    ],
)
def test_another_kind_of_value_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Malformed) as caught:
        loaded(tmp_path, text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("threshholds: {auc: {min: 1}}\n", ["threshholds"]),
        ("Model: churn\npaths: {metric: m.json}\n", ["Model", "paths.metric"]),
        ("models: {uplift: {threshold: {}, params: p.yaml}}\n", ["models.uplift.threshold"]),
        ("models: {uplift: {paths: {metric: m.json}}}\n", ["models.uplift.paths.metric"]),
        ("objectives: {goal: x, scope: {model: [a]}}\n", ["objectives.goal", "objectives.scope.model"]),
        ("model: churn\nchecklist: []\nmodels:\npaths:\nobjectives:\n", []),
    ],
)
def test_what_nothing_reads_is_known_as_such(tmp_path: Path, text: str, unknown: list[str]) -> None:
    loaded(tmp_path, text)
    assert policy.unknown_keys(DiskSnapshot(Repository(tmp_path))) == unknown


def test_the_policy_of_a_generated_project_has_no_such_key(sample: Generated) -> None:
    assert policy.unknown_keys(DiskSnapshot(Repository(sample.project))) == []
