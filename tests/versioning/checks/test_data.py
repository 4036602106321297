"""DA: other data than what was trained on."""

from __future__ import annotations

import pytest

from tests.versioning.checks.conftest import Trial, codes, edited, hints, put, refused_commit, refused_tag, said, without
from tests.versioning.conftest import SIDECAR, Project

RAW = "data/raw/telco-customer-churn.csv"


def test_da01_at_the_tag_and_at_the_commit(project: Project) -> None:
    project.edit_sidecar(lambda it: it.update(data_id="telco-churn-2026-01-01"))
    message = f"{SIDECAR}::$.data_id: DA01 says 'telco-churn-2026-01-01', dvc.lock recorded 'telco-churn-2020-06-25'"
    refused_commit(project, message, "hint: dvc repro -f -s sidecar")
    project.force_commit()
    (hint,) = hints(refused_tag(project, message))
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"] and project.sidecar()["data_id"] == "telco-churn-2020-06-25"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (put("0" * 32, "data", "md5"), f"$.data.md5: DA01 says {'0' * 32}, dvc.lock says 3b0bfab28a8101b4e4fdd08025a5c235"),
        (put(1, "data", "size"), "$.data.size: DA01 says 1, dvc.lock says 970457"),
        (
            put("data/raw/other.csv", "data", "path"),
            "$.data.path: DA01 names data/raw/other.csv, which no stage in dvc.lock read",
        ),
        (without("data"), "$.data: DA01 does not say which data it was"),
        (put("0" * 32, "evaluation_data", "md5"), f"$.evaluation_data.md5: DA01 says {'0' * 32}, dvc.lock says"),
        (without("evaluation_data"), "$.evaluation_data: DA01 does not say which data it was"),
        (put("another", "tags", "data_snapshot"), "DA01 says 'another', data_id says 'telco-churn-2020-06-25'"),
        (put("Telco-churn-2020-06-25", "data_id"), "DA01 says 'Telco-churn-2020-06-25'"),
    ],
)
def test_da01_each_part(trial: Trial, edit: object, says: str) -> None:
    for found in (trial.tagged({SIDECAR: edit}), trial.staged({SIDECAR: edit})):  # type: ignore[dict-item]
        assert codes(found) == {"DA01"} and says in said(found), said(found)


def test_da01_a_file_of_the_pipeline_in_place_of_the_data(trial: Trial) -> None:
    """The lock knows the test set too, with its hash; it is not what the model was trained on."""
    test_set = {"path": "data/prepared/test.csv", "md5": "9e20d30f09b2317a63ae5b30768889a2", "size": 182121, "source": "dvc"}
    assert test_set["md5"] in trial.read("dvc.lock")
    found = trial.tagged({SIDECAR: put(test_set, "data")})
    assert codes(found) == {"DA01"} and f"says data/prepared/test.csv, params.yaml says {RAW}" in said(found), said(found)


def test_da01_a_near_miss(trial: Trial) -> None:
    assert not trial.tagged({f"{RAW}.dvc": lambda text: text + "desc: The sample.\n"})
    assert not trial.tagged({SIDECAR: edited(lambda it: it["tags"].pop("data_snapshot"))})
