"""SC: what is no sidecar, whatever it says."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.versioning.checks.conftest import Changes, Trial, codes, edited, hints, put, refused_commit, refused_tag, said, without
from tests.versioning.conftest import MODEL, SIDECAR, Project

Edit = Callable[[str], str]


def before_the_end(addition: str) -> Edit:
    """Append a key to the sidecar's text."""
    return lambda text: f"{text.rstrip()[:-1].rstrip()},\n{addition}\n}}\n"


UNREADABLE: dict[str, tuple[Edit | str | bytes, str]] = {
    "a key twice": (lambda text: text.replace('"metrics": {', '"metrics": {"roc_auc": 0.99, ', 1), "has the key 'roc_auc' twice"),
    "a whole section twice": (before_the_end('"metrics": {"roc_auc": 0.99}'), "has the key 'metrics' twice"),
    "NaN": (lambda text: text.replace('"seed": 42', '"seed": NaN'), "holds NaN"),
    "Infinity": (lambda text: text.replace('"seed": 42', '"seed": -Infinity'), "holds -Infinity"),
    "a number beyond 64 bits": (lambda text: text.replace('"seed": 42', '"seed": 1e400'), "holds 1e400"),
    "a byte order mark": (lambda text: "\ufeff" + text, "begins with a byte order mark"),
    "another encoding": (lambda text: text.encode("utf-16"), "is not UTF-8: byte 0 is 0xff"),
    "Latin-1": (lambda text: text.replace("Ada", "Adé").encode("latin-1"), "is not UTF-8: byte"),
    "nothing": ("", "is not JSON"),
    "a list": ("[]", "holds no JSON object"),
    "a comma too many": (lambda text: text.replace('"seed": 42', '"seed": 42,'), "is not JSON: line"),
    "a comment": (lambda text: "// mine\n" + text, "is not JSON: line 1"),
    "half of a conflict": (lambda text: "<<<<<<< HEAD\n" + text, "is not JSON: line 1"),
    "something after the end": (lambda text: text + "{}", "Extra data"),
    "a megabyte": (before_the_end('"extra": {"a": "' + "x" * (1 << 20) + '"}'), "at most 1,048,576 are read"),
    "brackets without end": (before_the_end('"extra": {"a": ' + "[" * 9000 + "]" * 9000 + "}"), "nested too deeply"),
    "half of a surrogate pair": (before_the_end('"extra": {"a": "\\ud800"}'), "holds '\\ud800'"),
    "a NUL": (before_the_end('"extra": {"a\\u0000": 1}'), "holds '\\x00'"),
}


@pytest.mark.parametrize("lie", UNREADABLE)
def test_sc01_two_programs_would_read_it_differently(trial: Trial, lie: str) -> None:
    edit, says = UNREADABLE[lie]
    changes: Changes = {SIDECAR: edit}  # type: ignore[dict-item]
    for found in (trial.tagged(changes), trial.staged(changes)):
        first = next(finding for finding in found if finding.code in ("SC01", "SC02"))
        assert (first.code, first.file) == ("SC01", SIDECAR) and says in first.message, said(found)
        assert "dvc repro -f -s sidecar" in first.hint


def test_sc01_at_the_tag_and_at_the_commit(project: Project) -> None:
    project.replace(SIDECAR, '"metrics": {', '"metrics": {"roc_auc": 0.99, ')
    refused_commit(project, f"{SIDECAR}: SC01 has the key 'roc_auc' twice", "hint: dvc repro -f -s sidecar")
    project.force_commit()
    refused_tag(project, f"{SIDECAR}: SC01 has the key 'roc_auc' twice", "hint: dvc repro -f -s sidecar")


MALFORMED: dict[str, tuple[Edit, str, str]] = {
    "a number as text": (put("42", "seed"), "$.seed", "'42'"),
    "true as a number": (put(True, "artifact", "size"), "$.artifact.size", "True"),
    "a version without v": (put("0.1.0", "version"), "$.version", "'0.1.0'"),
    "a version with a line break": (put("v0.1.0\n", "version"), "$.version", "control character"),
    "a commit with a line break": (put("a" * 40 + "\n", "commit"), "$.commit", "control character"),
    "an abbreviated commit": (edited(lambda it: it.update(commit=it["commit"][:8])), "$.commit", "does not match"),
    "a commit in capitals": (put("A" * 40, "commit"), "$.commit", "does not match"),
    "a branch as commit": (put("main", "commit"), "$.commit", "'main'"),
    "an unknown key": (put(1, "note"), "", "'note' was unexpected"),
    "a key in other case": (edited(lambda it: it.update(Metrics=it.pop("metrics"))), "", "'Metrics' was unexpected"),
    "an unknown key further in": (put("x", "artifact", "uri"), "$.artifact", "'uri' was unexpected"),
    "no metrics": (without("metrics"), "", "'metrics' is a required property"),
    "empty metrics": (put({}, "metrics"), "$.metrics", ""),
    "no commit": (without("commit"), "", "'commit' is a required property"),
    "null": (put(None, "data_id"), "$.data_id", "None"),
    "a time without a zone": (put("2026-01-01T00:00:00", "created_at"), "$.created_at", "does not match"),
    "another model's name": (put("churn", "model_name"), "$.model_name", f"says churn, and the file is {MODEL}'s"),
    "a name that is a path": (put("../evil", "model_name"), "$.model_name", "does not match"),
    "an artifact outside": (put("../model.skops", "artifact", "path"), "$.artifact.path", "should not be valid"),
    "an absolute artifact": (put("/etc/passwd", "artifact", "path"), "$.artifact.path", "does not match"),
    "a schema of tomorrow": (put(2, "schema_version"), "$.schema_version", "is 2; this repository knows 1 to 1"),
    "a schema that is true": (put(True, "schema_version"), "$.schema_version", "is True"),
    "no schema": (without("schema_version"), "$.schema_version", "is missing"),
    "a stage that is none": (put("production", "stage"), "$.stage", "'production'"),
}


@pytest.mark.parametrize("lie", MALFORMED)
def test_sc02_another_form(trial: Trial, lie: str) -> None:
    edit, path, says = MALFORMED[lie]
    for found in (trial.tagged({SIDECAR: edit}), trial.staged({SIDECAR: edit})):
        assert any(it.code == "SC02" and it.path == path and says in it.message for it in found), said(found)


@pytest.mark.parametrize("value", [None, [], {}, "x", 3, True, [1], {"path": 3, "sha256": 4, "md5": 5}, {"path": "a\nb"}, 10**30])
def test_sc02_no_wrong_type_ends_in_a_traceback(trial: Trial, value: object) -> None:
    for key in json.loads(trial.read(SIDECAR)):
        assert isinstance(trial.tagged({SIDECAR: put(value, key)}), list)
        assert isinstance(trial.staged({SIDECAR: put(value, key)}), list)


def test_sc02_at_the_tag_and_at_the_commit(project: Project) -> None:
    project.edit_sidecar(lambda it: it.update(version="v0.1.0\n"))
    refused_commit(project, f"{SIDECAR}::$.version: SC02 holds a control character: 'v0.1.0\\n'")
    project.force_commit()
    refused_tag(project, f"{SIDECAR}::$.version: SC02 holds a control character: 'v0.1.0\\n'", "hint: ")


def test_sc03_a_model_without_a_sidecar(project: Project) -> None:
    project.git("rm", "-q", SIDECAR)
    project.force_commit()
    refused_tag(project, f"{SIDECAR}: SC03 is missing: the model models/{MODEL}.skops has no sidecar", "dvc repro -f -s sidecar")


def test_sc03_a_sidecar_of_no_model_of_dvc_yaml(trial: Trial) -> None:
    found = trial.tagged({"dvc.yaml": lambda text: text[: text.index("artifacts:")]})
    assert codes(found) == {"SC03"}
    assert f"describes «{MODEL}», and the models in dvc.yaml are: none" in said(found)


def test_sc03_a_second_sidecar_for_one_model(project: Project) -> None:
    project.write("models/copy.json", project.read(SIDECAR))
    project.force_commit()
    output = refused_tag(project, "models/copy.json: SC03 describes «copy»", f"the models in dvc.yaml are: {MODEL}")
    assert "SC02 says customer-churn, and the file is copy's" in output
    assert 'git rm models/copy.json && git commit -m "Remove a sidecar without a model"' in output
    assert project.sh(hints(output)[-1]).status == 0, project.story
    project.tag("v0.1.0")


def test_sc03_a_renamed_sidecar(trial: Trial) -> None:
    found = trial.tagged({SIDECAR: None, "models/churn.json": trial.read(SIDECAR)})
    assert codes(found) >= {"SC02", "SC03"}
    assert {finding.file for finding in found if finding.code == "SC03"} == {SIDECAR, "models/churn.json"}


def test_sc03_a_model_that_was_never_made(trial: Trial) -> None:
    found = trial.tagged({"dvc.lock": lambda text: text[: text.index("  train:")] + text[text.index("  evaluate:") :]})
    assert f"SC03 describes models/{MODEL}.skops, which dvc.lock does not record" in said(found)


NEAR: dict[str, Edit] = {
    "other indentation": lambda text: json.dumps(json.loads(text), indent=4),
    "one line": lambda text: json.dumps(json.loads(text)),
    "sorted keys": lambda text: json.dumps(json.loads(text), sort_keys=True),
    "other line ends": lambda text: text.replace("\n", "\r\n"),
    "escaped letters": lambda text: text.replace("Ada", "\\u0041da"),
    "something extra": put({"note": "Grüße 🙂", "nested": [{"NaN": None}]}, "extra"),
    "deep extra": before_the_end('"extra": {"a": ' + "[" * 200 + "]" * 200 + "}"),
}


@pytest.mark.parametrize("near", NEAR)
def test_near_misses_pass(trial: Trial, near: str) -> None:
    assert not trial.tagged({SIDECAR: NEAR[near]})
    assert not trial.staged({SIDECAR: NEAR[near]})


def test_a_near_miss_passes_commit_and_tag(project: Project) -> None:
    project.edit_sidecar(lambda it: it.update(extra={"reviewed by": ["Grace"]}))
    project.commit("A note")
    project.tag("v0.1.0")
    assert project.tags() == ["v0.1.0"]


def test_other_json_beside_a_model_is_the_users_own(project: Project) -> None:
    project.write("models/labels.json", '{"0": "stays", "1": "leaves"}\n')
    project.write("models/broken.json", "not JSON at all")
    project.commit("Labels")
    project.tag("v0.1.0")
    assert project.tags() == ["v0.1.0"]
