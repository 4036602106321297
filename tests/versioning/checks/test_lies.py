"""What a liar tried, and got through once: each is refused now, by the rule that knows better."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from tests.versioning.checks.conftest import Change, Trial, codes, edited, hints, in_cache, put, refused_tag, said, swap
from tests.versioning.conftest import MODEL, SIDECAR, Project
from versioning import judge
from versioning.git import Repository
from versioning.policy import Policy, Threshold

ARTIFACT = f"models/{MODEL}.skops"
TRAIN = f"src/{MODEL.replace('-', '_')}/train.py"


def ghost(stage: str) -> Change:
    """A stage in dvc.lock that dvc.yaml does not have: DVC ignores it, and so must we."""
    return lambda text: text.replace("stages:\n", f"stages:\n{stage}", 1)


def _output(path: str, md5: str, size: int) -> str:
    return f"  zz:\n    cmd: x\n    outs:\n    - path: {path}\n      hash: md5\n      md5: {md5}\n      size: {size}\n"


def test_a_stage_that_is_only_in_the_lock_proves_no_bytes(trial: Trial) -> None:
    lie = edited(lambda it: it["artifact"].update(md5="a" * 32, size=7))
    assert "AR01" in codes(trial.tagged({"dvc.lock": ghost(_output(ARTIFACT, "a" * 32, 7)), SIDECAR: lie}))


def test_a_stage_that_is_only_in_the_lock_names_no_data(trial: Trial) -> None:
    lines = "  sidecar-old:\n    cmd: x\n    params:\n      params.yaml:\n        data.id: telco-2099\n"
    lie = edited(lambda it: (it.update(data_id="telco-2099"), it["tags"].update(data_snapshot="telco-2099")))
    found = trial.tagged({"dvc.lock": ghost(lines), SIDECAR: lie})
    assert "DA01" in codes(found) and "says 'telco-2099', dvc.lock recorded 'telco-churn-2020-06-25'" in said(found)


def test_a_stage_that_is_only_in_the_lock_measures_nothing(trial: Trial) -> None:
    content = json.dumps({"roc_auc": 0.99})
    lines = _output("reports/final.json", hashlib.md5(content.encode()).hexdigest(), len(content))
    found = trial.tagged({
        "dvc.lock": ghost(lines), "reports/final.json": content, SIDECAR: put({"roc_auc": 0.99}, "metrics"),
        "versioning.yaml": swap("  metrics: reports/metrics.json", "  metrics: reports/final.json"),
    })  # fmt: skip
    assert "ME01" in codes(found) and "records no stage that made it" in said(found)


def test_a_parameter_that_no_stage_takes_is_none_of_the_model(trial: Trial) -> None:
    extra = swap("        train:\n", "        optimizer: adam\n        train:\n")
    found = trial.tagged({"dvc.lock": extra, SIDECAR: put("adam", "hyperparameters", "optimizer")})
    assert codes(found) == {"HP01"} and "says 'adam', dvc.lock recorded nothing" in said(found)


def test_a_size_that_the_lock_no_longer_has_is_that_of_the_pointer(trial: Trial) -> None:
    sizeless: dict[str, Change] = {"dvc.lock": swap("      size: 970457\n", "")}
    assert not trial.tagged(sizeless)
    found = trial.tagged({**sizeless, SIDECAR: put(1, "data", "size")})
    assert codes(found) == {"DA01"} and "$.data.size: DA01 says 1, data/raw/telco-customer-churn.csv.dvc says 970457" in said(
        found
    )


def test_code_that_git_holds_is_no_output_of_a_stage(trial: Trial) -> None:
    recorded = hashlib.md5(trial.read(TRAIN).encode()).hexdigest()
    found = trial.tagged({
        "dvc.yaml": lambda text: text.replace("\nstages:\n", f"\nstages:\n  zz:\n    cmd: x\n    outs:\n      - {TRAIN}\n", 1),
        "dvc.lock": ghost(_output(TRAIN, recorded, 1)),
        TRAIN: lambda text: text + "EVIL = 1\n",
    })  # fmt: skip
    assert "CO02" in codes(found) and f"{TRAIN}: CO02 stage train ran with another content" in said(found)


def test_a_commit_that_calls_its_code_an_output_does_not_hold_what_trained(trial: Trial) -> None:
    claimed = trial.commit({
        "dvc.yaml": lambda text: text.replace("\nstages:\n", "\nstages:\n  zz:\n    cmd: x\n    outs:\n      - src\n", 1),
        TRAIN: "EVIL = 1\n",
    })  # fmt: skip
    found = trial.tagged({SIDECAR: put(claimed, "commit")}, "v0.1.0", claimed)
    assert codes(found) == {"CO03"} and TRAIN in said(found), said(found)


@pytest.mark.parametrize("tag", [f"{MODEL}/v9.9.9", "v9.9.9"])
def test_a_commit_that_keeps_silent_about_its_model_is_judged_all_the_same(trial: Trial, tag: str) -> None:
    silent = edited(lambda it: (it.pop("artifact"), it.update(version="v9.9.9")))
    dvc_yaml = trial.read("dvc.yaml")
    found = trial.tagged({"dvc.yaml": dvc_yaml[: dvc_yaml.index("artifacts:")], SIDECAR: silent}, tag)
    assert {"SC03", "AR01"} <= codes(found), said(found)


def test_thresholds_hold_for_a_model_that_was_given_another_name() -> None:
    ours, theirs = Policy(model="other"), Policy(model=MODEL, thresholds=(Threshold("auc", least=0.9),))
    assert ours.under(theirs, several=False).thresholds == theirs.thresholds
    assert ours.under(theirs, several=True).thresholds == (), "a second model, which main does not know yet"
    known = Policy(model=MODEL, others={"other": {"thresholds": {"auc": {"min": 0.5}}}})
    assert ours.under(known, several=True).thresholds == (Threshold("auc", least=0.5),)


@pytest.mark.parametrize("rule", [" AR01", "\tSC02", "ar01", "AR01 ", "*"])
def test_a_waiver_is_for_the_code_of_a_rule(trial: Trial, rule: str) -> None:
    waiver = json.dumps([{"rule": rule, "version": "v0.1.0", "reason": "x", "by": "me", "until": "2999-01-01"}])
    lie = {"versioning.yaml": swap("waivers: []", f"waivers: {waiver}"), SIDECAR: put("0" * 64, "artifact", "sha256")}
    found = trial.tagged(lie)
    assert {"SC01", "AR03"} <= codes(found) and f"waivers[0].rule holds {rule!r}, not the code of a rule" in said(found)


def test_a_waiver_of_what_is_stale_covers_no_lock_that_cannot_be_read(trial: Trial) -> None:
    """Nothing that reads dvc.lock has judged then, neither the rules that are never waived."""
    waiver = '[{"rule": "CO02", "version": "v0.1.0", "reason": "x", "by": "me", "until": "2999-01-01"}]'
    waived: dict[str, Change] = {"versioning.yaml": swap("waivers: []", f"waivers: {waiver}")}
    lie = put("0" * 64, "artifact", "sha256")
    found = trial.tagged({**waived, SIDECAR: lie, "dvc.lock": "schema: '2.0'\nstages: [1]\n"})
    assert "CO02" in codes(found) and "is no lock that DVC reads" in said(found)
    stale = {**waived, "params.yaml": swap("C: 1.0", "C: 2.0")}
    assert not trial.tagged(stale)


def test_a_waiver_that_has_ended_is_not_revived_by_an_old_date_on_the_tag(project: Project) -> None:
    project.replace("versioning.yaml", "    min: 0.75\n", "    min: 0.99\n")
    waiver = "waivers:\n  - {rule: ME03, version: v0.1.0, reason: x, by: Ada, until: 2026-01-01}"
    project.replace("versioning.yaml", "waivers: []", waiver)
    project.commit("Waive until January")
    project.git("push", "-q")
    project.environment["GIT_COMMITTER_DATE"] = "2025-12-01T00:00:00+0000"
    project.git("-c", "core.hooksPath=/dev/null", "tag", "-a", "v0.1.0", "-m", "Backdated")
    assert "ME03" in project.refused("model", "check", "v0.1.0", "--policy", "origin/main")


def test_a_damaged_model_that_the_sidecar_describes_as_it_is(project: Project) -> None:
    md5 = project.sidecar()["artifact"]["md5"]
    place = project.path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    content = bytearray(place.read_bytes())
    content[100] ^= 1
    place.unlink()
    place.write_bytes(content)
    project.edit_sidecar(lambda it: it["artifact"].update(sha256=hashlib.sha256(content).hexdigest()))
    project.force_commit()
    refused_tag(project, f"$.artifact: AR03 the stored bytes of {ARTIFACT} are not those that dvc.lock names by {md5[:10]}…")


def test_data_that_is_stored_nowhere_is_not_pushed(project: Project) -> None:
    project.tag("v0.1.0")
    md5 = "3b0bfab28a8101b4e4fdd08025a5c235"
    storage = project.path.with_name(f"{MODEL}-storage") / "dvc"
    for folder in (project.path / ".dvc/cache", storage):
        os.remove(folder / "files/md5" / md5[:2] / md5[2:])
    output = project.refused("git", "push", "--follow-tags")
    assert "AR05 the DVC remote did not take v0.1.0: neither here nor there: 1 of" in output and md5 in output
    assert project.remote_tags() == []


def test_a_signature_in_the_message_is_none(project: Project) -> None:
    project.replace("versioning.yaml", "policy: solo", "policy: regulated")
    project.commit("Regulated")
    output = project.refused("git", "tag", "-a", "v0.1.0", "-m", "x\n-----BEGIN SSH SIGNATURE-----\nnothing")
    assert "VE06 v0.1.0 is not signed" in output


# --- and what was refused once, though it was honest ---


def test_reports_inside_a_folder_that_dvc_keeps(trial: Trial) -> None:
    report = b"a,b\n1,2\n"
    md5 = in_cache(trial, json.dumps([{"md5": in_cache(trial, report), "relpath": "curve.csv"}]).encode())
    place = trial.project.path / ".dvc/cache/files/md5" / md5[:2]
    (place / md5[2:]).rename(place / f"{md5[2:]}.dir")
    folder = f"    - path: reports/curves\n      hash: md5\n      md5: {md5}.dir\n      size: {len(report)}\n      nfiles: 1\n"
    described = {"path": "reports/curves/curve.csv", "sha256": hashlib.sha256(report).hexdigest()}
    found = trial.tagged({
        "dvc.yaml": swap("    plots:\n", "    outs:\n      - reports/curves\n    plots:\n"),
        "dvc.lock": swap("    - path: reports/calibration.csv\n", f"{folder}    - path: reports/calibration.csv\n"),
        "versioning.yaml": swap("  evaluation:\n", "  evaluation:\n    - reports/curves/curve.csv\n"),
        SIDECAR: edited(lambda it: it["evaluation"].append(described)),
    })  # fmt: skip
    assert not found, said(found)


def test_a_file_that_dvc_add_keeps_is_on_the_checklist(trial: Trial) -> None:
    for item in ("data/raw/telco-customer-churn.csv", "README.md"):
        assert not trial.tagged({"versioning.yaml": swap("  - README.md\n", f"  - {item}\n")})
    found = trial.tagged({"versioning.yaml": swap("  - README.md\n", "  - data.md\n")})
    assert codes(found) == {"AR04"} and found[0].file == "data.md"


@pytest.mark.parametrize(("least", "expected"), [(0.7, set()), (0.9, {"ME03"})])
def test_a_metric_with_a_dot_in_its_name(trial: Trial, least: float, expected: set[str]) -> None:
    before = trial.read("reports/metrics.json")
    metrics = {**json.loads(before), "recall@0.5": 0.8}
    content = json.dumps(metrics)
    lock = trial.read("dvc.lock").replace(*(hashlib.md5(text.encode()).hexdigest() for text in (before, content)))
    found = trial.tagged({
        "reports/metrics.json": content, SIDECAR: put(metrics, "metrics"),
        "dvc.lock": lock.replace(f"size: {len(before.encode())}\n", f"size: {len(content)}\n"),
        "versioning.yaml": swap("  roc_auc:\n    min: 0.75\n", f"  recall@0.5:\n    min: {least}\n"),
    })  # fmt: skip
    assert codes(found) == expected, said(found)


def test_a_fix_on_the_spot_takes_one_line(released: Project) -> None:
    released.git("checkout", "-q", "v0.1.0")
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.replace("params.yaml", "version: v0.1.0", "version: v0.1.1")
    released.dvc("repro", "-q")
    released.commit("Less regularisation")
    (hint,) = hints(released.refused("git", "tag", "-a", "v0.1.1", "-m", "v0.1.1"))
    assert hint.startswith("git switch -c release-v0.1.1 && ") and "stamp --commit && git tag" in hint
    assert released.sh(hint).status == 0, released.story
    assert "v0.1.1" in released.tags()


def test_release_describes_anew_what_dvc_did_not_run_again(released: Project) -> None:
    """A parameter more that changes no output: DVC does not run the sidecar stage for it."""
    released.replace("params.yaml", "  max_iter: 1000", "  max_iter: 1000\n  tol: 0.0001")
    released.dvc("repro", "-q")
    released.commit("Say the tolerance")
    released.model("release", "minor")
    assert released.sidecar()["hyperparameters"]["train"]["tol"] == 0.0001 and "v0.2.0" in released.tags()


def test_nobody_is_asked_about_tags_that_are_no_models(trial: Trial) -> None:
    with Repository(trial.project.path) as repository:
        assert judge.tagged(repository, "docs/v1.0.0", "HEAD") is None
