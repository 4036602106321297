"""The three outputs of one report, letter by letter."""

from __future__ import annotations

import json

from versioning.findings import FORMATS, Finding, Report

AUC = Finding(
    "ME01", "models/churn.json", "says 0.91, reports/metrics.json says 0.84", "$.metrics.auc", 0.84, 0.91, "dvc repro -f -s sidecar",
    "v1.2.0",
)  # fmt: skip
SEED = Finding("HP01", "models/churn.json", "says 1, dvc.lock recorded 2", "$.seed", 2, 1, "dvc repro -f -s sidecar", "v1.2.0")
TAG = Finding("VE01", "refs/tags/v1,2:a", "100% wrong\nin two lines\r", hint="git tag -a v1.2.0 -m v1.2.0")
BARE = Finding("SC03", "models/é.json", "is missing")
REPORT = Report([AUC, SEED, TAG, BARE], ["AR03", "AR05"], "v1.2.0")

TEXT = """\
models/churn.json::$.metrics.auc: ME01 says 0.91, reports/metrics.json says 0.84
models/churn.json::$.seed: HP01 says 1, dvc.lock recorded 2
  hint: dvc repro -f -s sidecar
refs/tags/v1,2:a: VE01 100% wrong
in two lines\r
  hint: git tag -a v1.2.0 -m v1.2.0
models/é.json: SC03 is missing
not checked here: AR03, AR05
"""

GITHUB = """\
::error file=models/churn.json,title=ME01::$.metrics.auc: says 0.91, reports/metrics.json says 0.84%0Ahint: dvc repro -f -s sidecar
::error file=models/churn.json,title=HP01::$.seed: says 1, dvc.lock recorded 2%0Ahint: dvc repro -f -s sidecar
::error file=refs/tags/v1%2C2%3Aa,title=VE01::100%25 wrong%0Ain two lines%0D%0Ahint: git tag -a v1.2.0 -m v1.2.0
::error file=models/é.json,title=SC03::is missing
"""


def test_text_says_a_hint_once_for_many() -> None:
    assert FORMATS["text"](REPORT) == TEXT


def test_github_shows_each_beside_its_file() -> None:
    assert FORMATS["github"](REPORT) == GITHUB


def test_json_holds_every_field() -> None:
    loaded = json.loads(FORMATS["json"](REPORT))
    assert loaded["subject"] == "v1.2.0" and loaded["not_checked"] == ["AR03", "AR05"]
    assert loaded["findings"][0] == {
        "code": "ME01",
        "file": "models/churn.json",
        "path": "$.metrics.auc",
        "message": "says 0.91, reports/metrics.json says 0.84",
        "expected": 0.84,
        "actual": 0.91,
        "hint": "dvc repro -f -s sidecar",
        "ref": "v1.2.0",
    }
    assert [list(finding) for finding in loaded["findings"]] == [
        ["code", "file", "message", "path", "expected", "actual", "hint", "ref"]
    ] * 4


def test_json_takes_values_that_yaml_has_and_json_has_not() -> None:
    import datetime as dt

    finding = Finding("HP01", "a", "b", expected=dt.date(2024, 11, 5), actual={1})
    assert json.loads(FORMATS["json"](Report([finding])))["findings"][0]["expected"] == "2024-11-05"


def test_nothing_found_prints_nothing() -> None:
    assert [FORMATS[name](Report([])) for name in ("text", "github")] == ["", ""]
    assert json.loads(FORMATS["json"](Report([]))) == {
        "subject": "",
        "findings": [],
        "waived": [],
        "notes": [],
        "not_checked": [],
    }
