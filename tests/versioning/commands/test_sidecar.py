"""`model sidecar`: every field from facts."""

from __future__ import annotations

import hashlib
import json

from tests.versioning.conftest import MODEL, SIDECAR, Project


def digest(project: Project, path: str, name: str = "sha256") -> str:
    return hashlib.new(name, (project.path / path).read_bytes()).hexdigest()


def test_every_field_is_a_fact(project: Project) -> None:
    content, model = project.sidecar(), f"models/{MODEL}.skops"
    assert content["commit"] == project.git("rev-parse", "HEAD~")
    assert content["metrics"] == json.loads(project.read("reports/metrics.json"))
    assert content["metrics"]["roc_auc"] >= 0.83
    assert content["artifact"] == {
        "path": model, "sha256": digest(project, model), "md5": digest(project, model, "md5"),
        "size": (project.path / model).stat().st_size, "format": "skops",
    }  # fmt: skip
    assert content["data"]["md5"] == digest(project, content["data"]["path"], "md5")
    assert content["evaluation_data"]["md5"] == digest(project, "data/prepared/test.csv", "md5")
    assert content["features"]["sha256"] == digest(project, f"models/{MODEL}.features.json")
    assert content["environment"]["lock_sha256"] == digest(project, "requirements.lock")
    assert [item["sha256"] for item in content["evaluation"]] == [digest(project, item["path"]) for item in content["evaluation"]]
    assert {item["path"].split("/")[1] for item in content["evaluation"]} == {
        "confusion_matrix.csv", "confusion_matrix.png", "calibration.csv", "calibration.png",
    }  # fmt: skip
    assert content["hyperparameters"]["train"] == {"C": 1.0, "max_iter": 1000}
    assert content["seed"] == content["hyperparameters"]["seed"] == 42
    assert content["created_by"] == "Ada Lovelace <ada@example.org>"
    assert (content["stage"], content["team"]) == ("staging", "data-science")
    assert content["data_id"] == content["tags"]["data_snapshot"] == "telco-churn-2020-06-25"


def test_described_again_an_unchanged_model_keeps_who_when_and_where(project: Project) -> None:
    project.edit_sidecar(lambda content: content.update(created_at="2020-01-01T00:00:00Z", created_by="Grace <g@example.org>"))
    project.edit_sidecar(lambda content: content["environment"].update(python="3.11.0", image="img@sha256:1"))
    project.edit_sidecar(lambda content: content.update(stage="prod", extra={"ticket": 7}))
    project.git("config", "user.name", "Somebody Else")
    project.dvc("repro", "-f", "-s", "sidecar")
    content = project.sidecar()
    assert (content["created_at"], content["created_by"]) == ("2020-01-01T00:00:00Z", "Grace <g@example.org>")
    assert (content["environment"]["python"], content["environment"]["image"]) == ("3.11.0", "img@sha256:1")
    assert content["stage"] == "staging"
    assert content["extra"] == {"ticket": 7}


def test_another_model_is_described_by_whoever_trained_it(project: Project) -> None:
    project.edit_sidecar(lambda content: content.update(created_at="2020-01-01T00:00:00Z"))
    project.git("config", "user.name", "Somebody Else")
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.dvc("repro")
    content = project.sidecar()
    assert content["created_at"] > "2026"
    assert content["created_by"] == "Somebody Else <ada@example.org>"


def test_a_lost_sidecar_comes_back_and_nothing_runs_after_it(project: Project) -> None:
    kept = project.sidecar()
    (project.path / SIDECAR).unlink()
    project.dvc("repro", "-f", "-s", "sidecar")
    back = project.sidecar()
    assert {**back, "created_at": "", "commit": ""} == {**kept, "created_at": "", "commit": ""}
    assert "Running" not in project.dvc("repro")


def test_without_a_git_identity_it_says_which_user(project: Project) -> None:
    (project.path / SIDECAR).unlink()
    project.environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
    project.ok("model", "sidecar")
    name, _, host = project.sidecar()["created_by"].partition("@")
    assert name and host and "<" not in host


def test_before_the_first_training_it_says_what_to_run(project: Project) -> None:
    project.git("reset", "-q", "--hard", "HEAD~")
    said = project.refused("model", "sidecar")
    assert f"the model models/{MODEL}.skops is not in dvc.lock" in said
    assert "hint: dvc repro" in said
