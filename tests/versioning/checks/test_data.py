"""DA: other data than what was trained on."""

from __future__ import annotations

import pytest

from tests.versioning.checks.conftest import (
    Trial,
    bumped,
    codes,
    edited,
    hints,
    put,
    refused_commit,
    refused_tag,
    said,
    without,
)
from tests.versioning.conftest import SIDECAR, Project
from versioning.findings import Finding

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
        (put("0" * 32, "evaluation_data", "md5"), f"$.evaluation_data.md5: DA01 says {'0' * 32}, dvc.lock says"),
        (put("another", "tags", "data_snapshot"), "DA01 says 'another', data_id says 'telco-churn-2020-06-25'"),
        (put("Telco-churn-2020-06-25", "data_id"), "DA01 says 'Telco-churn-2020-06-25'"),
    ],
)
def test_da01_each_part(trial: Trial, edit: object, says: str) -> None:
    for found in (trial.tagged({SIDECAR: edit}), trial.staged({SIDECAR: edit})):  # type: ignore[dict-item]
        assert codes(found) == {"DA01"} and says in said(found), said(found)


@pytest.mark.parametrize("section", ["data", "evaluation_data"])
def test_da01_left_out(trial: Trial, section: str) -> None:
    found = trial.tagged({SIDECAR: without(section)})
    assert codes(found) == {"DA01", "AR04"} and f"$.{section}: DA01 does not say which data it was" in said(found)


def test_da01_a_file_of_the_pipeline_in_place_of_the_data(trial: Trial) -> None:
    """The lock knows the test set too, with its hash; it is not what the model was trained on."""
    test_set = {"path": "data/prepared/test.csv", "md5": "9e20d30f09b2317a63ae5b30768889a2", "size": 182121, "source": "dvc"}
    assert test_set["md5"] in trial.read("dvc.lock")
    found = trial.tagged({SIDECAR: put(test_set, "data")})
    assert codes(found) == {"DA01"} and f"says data/prepared/test.csv, params.yaml says {RAW}" in said(found), said(found)


def test_da01_another_path_in_the_parameters_alone_trains_nothing(project: Project) -> None:
    """`dvc.yaml` names the file as well: who changes one of both is told of the other, and not sent round in a circle."""
    new = "data/raw/second.csv"
    project.write(new, project.read(RAW))
    project.ok("dvc", "add", "-q", new)
    project.replace("params.yaml", RAW, new)
    cure = (
        f"params.yaml names {new}, dvc.yaml does not; prepare still reads {RAW}; "
        f"write {new} for {RAW} there too, in cmd and in deps of prepare, then dvc repro"
    )
    assert cure in project.refused("python3", "-m", "versioning", "sidecar")
    project.force_commit()
    message = f"{SIDECAR}::$.data.path: DA01 says {RAW}, params.yaml says {new} under data.path"
    assert f"hint: {cure}" in refused_tag(project, message)
    project.write("dvc.yaml", project.read("dvc.yaml").replace(RAW, new))
    # The bytes are the same here, so that DVC runs no stage but the first.
    assert project.sh("dvc repro -q && dvc repro -q -f -s sidecar").status == 0, project.story
    assert project.sidecar()["data"]["path"] == new


def test_da01_a_near_miss(trial: Trial) -> None:
    assert not trial.tagged({f"{RAW}.dvc": lambda text: text + "desc: The sample.\n"})
    assert not trial.tagged({SIDECAR: edited(lambda it: it["tags"].pop("data_snapshot"))})


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (put("delta", "data", "source"), "$.data.source: DA01 says delta, dvc.lock recorded a file that DVC keeps"),
        (put("7", "data", "pin"), "$.data.pin: DA01 says '7'; a file that DVC keeps is pinned by its MD5"),
        (
            edited(lambda it: it.update(evaluation_data={"path": it["data"]["path"], "md5": it["data"]["md5"]})),
            f"$.evaluation_data.path: DA01 says {RAW}, versioning.yaml says data/prepared/test.csv",
        ),
    ],
)
def test_da01_a_source_or_a_test_set_that_it_was_not(trial: Trial, edit: object, says: str) -> None:
    found = trial.tagged({SIDECAR: edit})  # type: ignore[dict-item]
    assert codes(found) == {"DA01"} and says in said(found), said(found)


def _other_data(trial: Trial, version: str, data_id: str = "") -> list[Finding]:
    """A release trained on other bytes of the same file, whose sidecar names the commit that brought them."""
    old, new, name = "3b0bfab28a8101b4e4fdd08025a5c235", "0123456789abcdef0123456789abcdef", "telco-churn-2020-06-25"

    def changed(text: str) -> str:
        return text.replace(old, new).replace(name, data_id or name)

    paths = (f"{RAW}.dvc", "dvc.lock", SIDECAR, "params.yaml")
    changes = bumped(trial, version, dict.fromkeys(paths, changed))
    brought = trial.commit({path: change for path, change in changes.items() if path != SIDECAR})
    return trial.tagged({**changes, SIDECAR: put(brought, "commit")(str(changes[SIDECAR]))}, version, brought)


def test_da02_other_bytes_under_the_name_of_an_earlier_release(later: Trial) -> None:
    found = _other_data(later, "v0.2.0")
    assert codes(found) == {"DA02"}, said(found)
    says = "$.data_id: DA02 'telco-churn-2020-06-25' named other data in v0.1.0: 3b0bfab28a…, here it is 0123456789…"
    assert says in said(found)
    assert "change id: telco-churn-2020-06-25 under data: in params.yaml, then dvc repro" in found[0].hint


def test_da02_other_bytes_under_a_name_of_their_own(later: Trial) -> None:
    assert not _other_data(later, "v0.2.0", "telco-churn-2021-01-01")


def test_da02_no_release_has_used_the_name_yet(trial: Trial) -> None:
    """Data that never left this branch may still be corrected under its name."""
    assert not _other_data(trial, "v0.1.0")
