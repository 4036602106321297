"""Where a sidecar is, how it is written, and what its schema takes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import git
from versioning import pipeline, sidecar
from versioning.git import Repository
from versioning.snapshot import DiskSnapshot


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("models/churn.json", True),
        ("models/churn.features.json", False),
        ("models/deep/churn.json", False),
        ("churn.json", False),
        ("other/models/churn.json", False),
        ("models/churn.skops", False),
        ("models/churn.json.dvc", False),
    ],
)
def test_where_a_sidecar_is(path: str, is_one: bool) -> None:
    assert sidecar.is_sidecar(path) is is_one


def test_paths_come_from_the_models_name() -> None:
    assert (sidecar.path_of("churn"), sidecar.features_of("churn")) == ("models/churn.json", "models/churn.features.json")
    assert sidecar.is_sidecar(sidecar.path_of("churn")) and not sidecar.is_sidecar(sidecar.features_of("churn"))


def test_sidecars_are_found(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "models").mkdir()
    described = '{"model_name": "a", "artifact": {}}'
    for name in ("b.json", "a.json", "a.features.json", "a.skops", ".a.json.draft"):
        (tmp_path / "models" / name).write_text(described)
    for name, text in (("labels.json", '{"model_name": "a"}'), ("broken.json", "{"), ("list.json", "[]")):
        (tmp_path / "models" / name).write_text(text)  # a user's own
    assert sidecar.find(DiskSnapshot(Repository(tmp_path))) == ["models/a.json", "models/b.json"]


def test_a_field_is_looked_up_without_an_error() -> None:
    content = {"artifact": {"path": "a"}, "seed": 1}
    assert sidecar.field(content, "artifact", "path") == "a"
    assert sidecar.field(content, "seed", "x") is sidecar.field(content, "x", "y") is sidecar.field(None, "x") is None


def test_data_that_no_stage_names_is_told_from_data_that_was_not_read_yet() -> None:
    stage = pipeline.Stage("prepare", "python prepare.py a.csv", {"a.csv": "a.csv"}, {}, {})
    described = pipeline.Stage("sidecar", "model sidecar", {"b.csv": "b.csv"}, {}, {})
    declared = pipeline.Pipeline({"prepare": stage, "sidecar": described}, {})
    assert sidecar.named_elsewhere(declared, "params.yaml", "a.csv", "b.csv") is None
    said = sidecar.named_elsewhere(declared, "params.yaml", "b.csv", "a.csv")
    assert said and said.startswith(
        "params.yaml names b.csv, dvc.yaml does not; prepare still reads a.csv; write b.csv for a.csv"
    )
    assert "in deps of the stage that reads the data" in (sidecar.named_elsewhere(declared, "params.yaml", "b.csv", None) or "")


def test_it_is_written_whole_and_only_where_it_differs(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    path = sidecar.write(tmp_path, {"model_name": "churn", "seed": 1})
    assert path.read_text() == '{\n  "model_name": "churn",\n  "seed": 1\n}\n'
    before = path.stat()
    sidecar.write(tmp_path, {"model_name": "churn", "seed": 1})
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    sidecar.write(tmp_path, {"model_name": "churn", "seed": 2})
    assert json.loads(path.read_text())["seed"] == 2
    assert [found.name for found in (tmp_path / "models").iterdir()] == ["churn.json"]


def test_the_schema_is_one_and_closed() -> None:
    schema = sidecar.schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) >= {
        "schema_version", "model_name", "version", "commit", "data_id", "hyperparameters", "metrics", "created_by", "created_at",
        "stage",
    }  # fmt: skip
    assert "extra" in schema["properties"]


@pytest.mark.parametrize("there", [True, False])
def test_what_is_wrong_is_said_with_and_without_the_quick_validator(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sidecar._quick.cache_clear()
    if not there:
        monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    found = list(sidecar.faults({"schema_version": 1, "model_name": "churn", "version": "v01.0.0"}))
    sidecar._quick.cache_clear()
    assert (["version"], "'v01.0.0' does not match") in [(keys, message[:24]) for keys, message in found]
    assert ([], "'commit' is a required property") in found
