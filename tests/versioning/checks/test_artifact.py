"""AR: another model than the one that is described."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.versioning.checks.conftest import (
    Trial,
    codes,
    edited,
    hints,
    put,
    refused_commit,
    refused_tag,
    said,
    swap,
    without,
)
from tests.versioning.conftest import MODEL, SIDECAR, Project

ARTIFACT = f"models/{MODEL}.skops"


def held(project: Project, md5: str) -> list[Path]:
    """Where the cache and the remote hold the bytes of a hash."""
    storage = project.path.with_name(f"{MODEL}-storage") / "dvc"
    return [folder / "files/md5" / md5[:2] / md5[2:] for folder in (project.path / ".dvc/cache", storage)]


def overwrite(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_bytes(content)


def test_ar01_another_md5_at_the_tag_and_at_the_commit(project: Project) -> None:
    true = project.sidecar()["artifact"]["md5"]
    project.edit_sidecar(lambda it: it["artifact"].update(md5="0" * 32))
    message = f"{SIDECAR}::$.artifact.md5: AR01 says {'0' * 32}, dvc.lock says {true}"
    refused_commit(project, message, "hint: dvc repro -f -s sidecar")
    project.force_commit()
    refused_tag(project, message, "hint: dvc repro -f -s sidecar")


def test_ar01_each_part_of_the_description(trial: Trial) -> None:
    for key, value in (("size", 1), ("size", 75842.0), ("md5", "0" * 32), ("path", f"models/{MODEL}.features.json")):
        for found in (trial.tagged({SIDECAR: put(value, "artifact", key)}), trial.staged({SIDECAR: put(value, "artifact", key)})):
            assert "AR01" in codes(found), said(found)


def test_ar01_the_model_replaced_and_the_sidecar_left(project: Project) -> None:
    """`dvc commit -f` records whatever lies on disk; the sidecar still tells of what was trained."""
    (project.path / ARTIFACT).unlink()
    (project.path / ARTIFACT).write_bytes(b"another model")
    project.dvc("commit", "-f", "-q")
    project.force_commit()
    output = refused_tag(project, f"{SIDECAR}::$.artifact.size: AR01 says", "dvc.lock says 13")
    assert f"{SIDECAR}::$.artifact.md5: AR01 says" in output
    assert f"dvc.lock says {hashlib.md5(b'another model', usedforsecurity=False).hexdigest()}" in output


def test_ar01_no_artifact_at_all(trial: Trial) -> None:
    found = trial.tagged({SIDECAR: edited(lambda it: it.pop("artifact"))})
    assert "AR01" in codes(found) and "does not say which bytes the model is" in said(found)


def test_ar02_a_model_in_git(project: Project) -> None:
    project.git("add", "-f", ARTIFACT)
    project.force_commit()
    output = refused_tag(
        project, f"{SIDECAR}::$.artifact.path: AR02 {ARTIFACT} is committed to Git", f"git rm --cached {ARTIFACT}"
    )
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    assert project.tags() == ["v0.1.0"]
    assert not project.git("ls-files", ARTIFACT)


def test_ar02_a_model_that_no_stage_makes(trial: Trial) -> None:
    found = trial.tagged({"dvc.yaml": swap(f"    outs:\n      - {ARTIFACT}\n", "    outs:\n      - models/other.skops\n")})
    assert f"AR02 {ARTIFACT} is the output of no stage in dvc.yaml" in said(found)


def test_ar02_a_model_that_dvc_does_not_keep(trial: Trial) -> None:
    found = trial.tagged(
        {"dvc.yaml": swap(f"    outs:\n      - {ARTIFACT}\n", f"    outs:\n      - {ARTIFACT}:\n          cache: false\n")}
    )
    assert f"AR02 {ARTIFACT} has cache: false in dvc.yaml" in said(found)


def test_ar02_a_pickle_even_one_that_calls_itself_otherwise(trial: Trial) -> None:
    renamed = {path: (lambda text: text.replace(".skops", ".pkl")) for path in (SIDECAR, "dvc.yaml", "dvc.lock")}
    found = trial.tagged(renamed)
    assert "AR02 is pkl: loading it runs code" in said(found)
    allowed = trial.tagged(renamed | {"versioning.yaml": swap("allow_pickle: false", "allow_pickle: true")})
    assert "AR02" not in codes(allowed)


def test_ar03_the_model_swapped_in_the_cache(project: Project) -> None:
    project.dvc("push", "-q")
    true = project.sidecar()["artifact"]
    cache, _ = held(project, true["md5"])
    overwrite(cache, b"another model")
    swapped = hashlib.sha256(b"another model").hexdigest()
    output = refused_tag(
        project,
        f"{SIDECAR}::$.artifact.sha256: AR03 says {true['sha256'][:12]}…",
        f"the bytes of {ARTIFACT} hash to {swapped[:12]}…",
    )
    (hint,) = hints(output)
    assert project.sh(hint).status == 0, project.story
    project.tag("v0.1.0")
    assert hashlib.sha256((project.path / ARTIFACT).read_bytes()).hexdigest() == true["sha256"]


def test_ar03_the_model_swapped_in_the_cache_and_in_the_remote(project: Project) -> None:
    for place in held(project, project.sidecar()["artifact"]["md5"]):
        overwrite(place, b"another model")
    refused_tag(project, f"{SIDECAR}::$.artifact.sha256: AR03 says", f"the bytes of {ARTIFACT} hash to")


def test_ar03_bytes_that_are_not_here(project: Project) -> None:
    project.dvc("push", "-q")
    cache, remote = held(project, project.sidecar()["artifact"]["md5"])
    away = remote.with_name("away")
    cache.unlink()
    remote.rename(away)
    output = refused_tag(project, f"AR03 the bytes of {ARTIFACT} are not here")
    away.rename(remote)
    (hint,) = hints(output)
    who, _, pull = hint.partition("; then: ")
    assert who.startswith("not in the storage either: ") and who.endswith(" has to run dvc push")
    assert pull == "dvc pull && git tag -a v0.1.0 -m v0.1.0"
    assert project.sh(pull).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_ar03_other_digests(trial: Trial) -> None:
    for keys in (("artifact",), ("features",), ("evaluation", 0)):
        found = trial.tagged({SIDECAR: put("0" * 64, *keys, "sha256")})
        assert codes(found) == {"AR03"} and "says 000000000000…" in said(found), said(found)


def test_ar03_another_file_as_the_feature_spec(trial: Trial) -> None:
    spec = {"path": "NOTES.md", "sha256": hashlib.sha256(b"Nothing.\n").hexdigest()}
    found = trial.tagged({"NOTES.md": "Nothing.\n", SIDECAR: put(spec, "features")})
    assert f"AR03 names NOTES.md, the feature spec of {MODEL} is models/{MODEL}.features.json" in said(found)
    assert codes(trial.tagged({SIDECAR: put("./NOTES.md", "features", "path")})) == {"AR03"}


def test_ar03_is_not_judged_where_there_are_no_bytes(project: Project) -> None:
    """The working copy may be empty: the cache, or a remote that is a folder, has the bytes."""
    project.dvc("push", "-q")
    (project.path / ARTIFACT).unlink()
    held(project, project.sidecar()["artifact"]["md5"])[0].unlink()
    project.tag("v0.1.0")


def test_ar05_a_remote_that_takes_nothing(project: Project) -> None:
    project.tag("v0.1.0")
    (project.path / ".dvc/config.local").write_text("['remote \"storage\"']\n    url = /dev/null/nowhere\n", "utf-8")
    output = project.refused("git", "push", "--follow-tags")
    assert "model-gate: this push is refused" in output and "AR05 the DVC remote did not take v0.1.0" in output
    assert project.remote_tags() == []
    project.git("push", "--quiet", "origin", "main")  # a branch never waits for the store


def test_ar01_a_format_that_the_file_is_not_called_by(trial: Trial) -> None:
    found = trial.tagged({SIDECAR: put("onnx", "artifact", "format")})
    assert codes(found) == {"AR01"} and f"$.artifact.format: AR01 says onnx, {ARTIFACT} is called skops" in said(found)


@pytest.mark.parametrize("section", ["features", "evaluation", "seed", "team"])
def test_ar04_a_section_of_the_checklist_left_out(trial: Trial, section: str) -> None:
    found = trial.tagged({SIDECAR: without(section)})
    assert codes(found) == {"AR04"} and f"{SIDECAR}::$.{section}: AR04 is missing, and is on the checklist" in said(found)
    assert found[0].hint.startswith("dvc repro -f -s sidecar && git add")


def test_ar04_an_empty_section_is_none(trial: Trial) -> None:
    assert codes(trial.tagged({SIDECAR: put([], "evaluation")})) == {"AR04"}


def test_ar04_a_file_of_the_checklist(project: Project) -> None:
    project.replace("versioning.yaml", "  - README.md\n", "  - README.md\n  - MODEL_CARD.md\n")
    project.commit("Ask for a card")
    message = "MODEL_CARD.md: AR04 is on the checklist of versioning.yaml, and neither Git nor DVC holds it"
    output = refused_tag(project, message)
    project.write("MODEL_CARD.md", "# What it is for\n")
    assert project.sh(*hints(output)).status == 0, project.story
    assert project.tags() == ["v0.1.0"]


def test_ar04_what_dvc_holds_counts_as_well(trial: Trial) -> None:
    for item in ("reports/calibration.png", "data/prepared/test.csv", "tests", "tags.data_snapshot"):
        assert not trial.tagged({"versioning.yaml": swap("  - README.md\n", f"  - {item}\n")}), item


def test_ar04_other_evaluation_files_than_those_asked_for(trial: Trial) -> None:
    found = trial.tagged({SIDECAR: without("evaluation", 0)})
    assert codes(found) == {"AR04"}
    assert "$.evaluation: AR04 lacks reports/confusion_matrix.csv, which versioning.yaml lists under paths" in said(found)
    other = {"path": "params.yaml", "sha256": hashlib.sha256(trial.read("params.yaml").encode()).hexdigest()}
    found = trial.tagged({SIDECAR: edited(lambda it: it["evaluation"].append(other))})
    assert codes(found) == {"AR04"} and "AR04 names params.yaml, which no line of versioning.yaml lists" in said(found)
    assert not trial.tagged({SIDECAR: edited(lambda it: it["evaluation"].reverse())})
