"""A second model in a repository whose first one is released already: as `docs/second-model.md` says, word by word.

It is declared and trained once, in a copy of the released project, and then released and lied about in copies of that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import METRICS, MODEL, SIDECAR, Project, copy_of, shell_environment

HOW_TO = Path(__file__).parents[2] / "docs/second-model.md"
OWN = "models/uplift.json"
PARAMS = "params-uplift.yaml"
NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


def blocks(language: str) -> list[str]:
    """What the how-to says to write or to type."""
    return re.findall(rf"^```{language}\n(.*?)^```", HOW_TO.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def declare(project: Project) -> None:
    """The four steps of the how-to."""
    params, stages, artifact, rules = blocks("yaml")
    project.write(PARAMS, params)
    project.replace("dvc.yaml", "\nartifacts:\n", f"\n{stages}\nartifacts:\n")
    project.write("dvc.yaml", project.read("dvc.yaml") + artifact)
    project.write("versioning.yaml", project.read("versioning.yaml") + "\n" + rules)


@pytest.fixture(scope="module")
def two_once(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both models trained and committed; released is v0.1.0 of the first."""
    path = copy_of(released_once, tmp_path_factory.mktemp("two"))
    project = Project(path, shell_environment(tmp_path_factory.mktemp("home"), path))
    declare(project)
    project.commit("Declare uplift")
    project.dvc("repro")
    assert "Stage 'train' didn't change" in project.story, "of the first model nothing has changed"
    project.commit("Train uplift")
    return path


@pytest.fixture
def two(two_once: Path, tmp_path: Path, home: Path) -> Project:
    """A copy of the project with two models, for this test alone."""
    path = copy_of(two_once, tmp_path)
    return Project(path, shell_environment(home, path))


@pytest.fixture
def both(two: Project) -> Project:
    """Both models released on one commit, by `git tag` and by the verb, and pushed."""
    two.model("release", "minor")
    two.git("tag", "-a", "uplift/v0.1.0", "-m", "First uplift")
    two.git("push", "-q", "--follow-tags")
    return two


def own(project: Project) -> dict[str, Any]:
    return json.loads(project.read(OWN))


def edit(project: Project, change: Callable[[dict[str, Any]], object]) -> None:
    content = own(project)
    change(content)
    project.write(OWN, json.dumps(content, indent=2) + "\n")


def retrain(project: Project) -> None:
    """Another uplift; the first model stays as it is."""
    project.replace(PARAMS, "C: 0.3", "C: 0.25")
    project.dvc("repro")
    project.commit("Train uplift with another C")


def hints(output: str) -> list[str]:
    return re.findall(r"hint: (.*)", output)


# --- declared, trained, released --------------------------------------------------------------------------------------


def test_the_first_model_is_released_while_the_second_waits_for_its_training(released: Project) -> None:
    declare(released)
    released.commit("Declare uplift")
    said = released.run("model", "check")
    assert said.status == 1 and re.findall(r" ([A-Z]{2}\d\d) ", said.output) == ["SC03"], "v0.1.0 of the first is released"
    assert len(re.findall(r"^  \d\. dvc repro .* && git tag -a uplift/v0.1.0 -m uplift/v0.1.0$", said.output, re.MULTILINE)) == 1
    assert released.model("release", "minor").startswith("released customer-churn/v0.2.0 on main")
    released.git("push", "-q", "--follow-tags")
    assert not released.trained(), released.story
    assert released.remote_tags() == ["customer-churn/v0.2.0", "v0.1.0"]


def test_a_sidecar_of_its_own(two: Project) -> None:
    first, second = two.sidecar(), own(two)
    assert (second["model_name"], second["version"], second["data_id"]) == ("uplift", "v0.1.0", "telco-contracts-2020-06-25")
    assert second["hyperparameters"]["train"]["C"] == 0.3 and second["seed"] == 7
    assert second["metrics"] == json.loads(two.read("reports/uplift/metrics.json")) != first["metrics"]
    assert second["data"]["md5"] == first["data"]["md5"] and second["evaluation_data"] != first["evaluation_data"]
    assert first["hyperparameters"]["train"]["C"] == 1.0 and first["data_id"] == "telco-churn-2020-06-25"


def test_the_commands_of_the_how_to(two: Project) -> None:
    first, *_ = blocks("sh")
    *_, check, tag, push = first.splitlines()
    assert check == "model check"
    said = two.sh(check).output
    assert "1. model release\n" in said, "the first model's v0.1.0 is released, under a plain tag"
    tagged = "git tag -a uplift/v0.1.0 -m uplift/v0.1.0 && git push && git push --follow-tags"
    assert f"2. {tagged}" in said, "the server judges by the rules that it has: those of both models go first"
    for line in (tag, push):
        assert two.sh(line).status == 0, two.story
    assert not two.trained()
    two.assert_released("uplift/v0.1.0")
    assert two.tags() == two.remote_tags() == ["uplift/v0.1.0", "v0.1.0"]
    assert two.git("rev-parse", "uplift/v0.1.0^{}") == two.git("rev-parse", "origin/main")


def test_the_verb_releases_the_model_that_is_named(two: Project) -> None:
    two.log.clear()
    said = two.model("release", "--model", "uplift")
    assert said == "uplift has no final release yet\nNext: model release --model uplift v0.1.0"
    pasted = two.sh(said.rpartition("Next: ")[2])
    assert pasted.output.startswith("released uplift/v0.1.0 on main"), two.story
    assert two.sh(pasted.output.rpartition("Next: ")[2]).status == 0, two.story
    retrain(two)
    said = two.model("release", "--model", "uplift")
    assert said.startswith("since uplift/v0.1.0:\n  minor  parameter train.C: 0.3 -> 0.25\n"), said
    assert said.endswith("proposed: minor, v0.2.0\nNext: model release --model uplift minor")
    two.log.clear()
    assert two.sh("model release --model uplift minor").output.startswith("released uplift/v0.2.0"), two.story
    assert "since v0.1.0:" in two.model("release"), "the first model's last release has a plain tag"
    assert two.model("release", f"{MODEL}/v0.2.0").startswith(f"released {MODEL}/v0.2.0")
    two.git("push", "-q", "--follow-tags")
    assert not two.trained(), two.story
    assert two.remote_tags() == [f"{MODEL}/v0.2.0", "uplift/v0.1.0", "uplift/v0.2.0", "v0.1.0"]
    assert (two.sidecar()["version"], own(two)["version"]) == ("v0.2.0", "v0.2.0")


def test_each_model_has_an_order_of_its_own(both: Project) -> None:
    _changed(both)
    both.model("release", f"{MODEL}/v2.0.0", "-m", "A jump")
    retrain(both)
    assert both.model("release", "patch", "--model", "uplift").startswith("released uplift/v0.1.1 on main")
    _changed(both)
    assert both.model("release", "uplift/v2.0.0").startswith("released uplift/v2.0.0"), "a number that the other has as well"
    both.git("push", "-q", "--follow-tags")
    assert {f"{MODEL}/v2.0.0", "uplift/v0.1.1", "uplift/v2.0.0"} <= {*both.remote_tags()}
    assert both.git("merge-base", "--is-ancestor", f"{MODEL}/v2.0.0", "uplift/v0.1.1") == ""
    said = both.refused("model", "release", "uplift/v1.9.0")
    assert "VE03 v1.9.0 is not newer than uplift/v2.0.0" in said and hints(said) == ["model release uplift/v2.0.1"]
    said = both.refused("model", "release", f"{MODEL}/v0.1.0")
    assert f"VE03 v0.1.0 is not newer than {MODEL}/v2.0.0" in said
    said = both.model("check", "--all-releases")
    assert said.endswith("6 releases: nothing contradicts them")
    assert both.git("status", "--porcelain") == ""


def _changed(project: Project) -> str:
    """Something new in the shared code, which no stage reads."""
    path = f"src/{MODEL.replace('-', '_')}/serve.py"
    project.write(path, project.read(path) + "# To come.\n")
    return project.commit("Go on with the service")


# --- looked at, gone back to ------------------------------------------------------------------------------------------


def test_every_verb_speaks_of_the_model_that_is_meant(both: Project) -> None:
    rows = {row["tag"]: row for row in json.loads(both.model("list", "--json"))}
    assert {tag: row["model"] for tag, row in rows.items()} == {
        "v0.1.0": MODEL, f"{MODEL}/v0.2.0": MODEL, "uplift/v0.1.0": "uplift",
    }  # fmt: skip
    assert rows["uplift/v0.1.0"]["metrics"] == own(both)["metrics"] != rows["v0.1.0"]["metrics"]
    shown = {name: json.loads(both.model("show", name, "--json")) for name in ("v0.1.0", "v0.2.0", *rows)}
    assert [(name, found["tag"]) for name, found in shown.items() if found["tag"] != name] == [("v0.2.0", f"{MODEL}/v0.2.0")]
    assert shown["v0.1.0"]["sidecar"]["model_name"] == MODEL, "the plain tag is no other model's v0.1.0"
    assert not any(found["findings"] for found in shown.values())
    for tag in rows:
        assert both.model("check", tag).endswith(f"{tag}: nothing contradicts it")
    assert both.model("check", "--all-releases").endswith("3 releases: nothing contradicts them")
    assert "ok  releases: 3, and nothing contradicts them" in both.run("model", "doctor").output
    assert both.model("check").endswith(f"nothing changed since {MODEL}/v0.2.0 and uplift/v0.1.0: there is nothing to release")
    _changed(both)
    assert both.model("check").endswith("Next:\n  1. model release\n  2. model release --model uplift")
    assert both.model("stamp", "--commit", "uplift").endswith("holds what made the model")


def test_a_name_that_could_be_two_releases_is_asked_about(both: Project) -> None:
    said = both.refused("model", "show", "commit:uplift/v0.1.0")
    assert f"could be any of {MODEL}/v0.2.0 and uplift/v0.1.0" in said
    assert both.sh(hints(said)[0]).output.startswith(f"tag                          {MODEL}/v0.2.0\n")


def test_a_stamp_of_the_second_model(two: Project) -> None:
    two.replace(PARAMS, "C: 0.3", "C: 0.25")
    two.dvc("repro")
    two.commit("Change and train uplift in one commit")
    said = two.refused("git", "tag", "-a", "uplift/v0.1.0", "-m", "First")
    assert f"{OWN}::$.commit: CO03 " in said and "train-uplift" in said
    assert hints(said) == ["model stamp --commit uplift && git tag -a uplift/v0.1.0 -m uplift/v0.1.0"]
    first = two.read(SIDECAR)
    assert two.sh(hints(said)[0]).status == 0, two.story
    two.git("push", "-q", "--follow-tags")
    two.assert_released("uplift/v0.1.0")
    assert two.read(SIDECAR) == first


def test_going_back_brings_both_models(both: Project) -> None:
    paths = (OWN, SIDECAR, PARAMS, "models/uplift.skops", f"models/{MODEL}.skops", "reports/uplift/calibration.png")
    before = {path: (both.path / path).read_bytes() for path in paths}
    retrain(both)
    assert (both.path / "models/uplift.skops").read_bytes() != before["models/uplift.skops"]
    both.git("checkout", "-q", "uplift/v0.1.0")
    found = {path: (both.path / path).read_bytes() for path in paths}
    assert found == before
    assert hashlib.sha256(found["models/uplift.skops"]).hexdigest() == own(both)["artifact"]["sha256"]
    assert "up to date" in both.dvc("status")
    both.git("checkout", "-q", "v0.1.0")
    assert not (both.path / OWN).exists() and not (both.path / "models/uplift.skops").exists()
    both.git("checkout", "-q", "main")
    assert own(both)["hyperparameters"]["train"]["C"] == 0.25 and "up to date" in both.dvc("status")


def test_going_back_with_one_model(both: Project) -> None:
    released, first = own(both)["artifact"], both.sidecar()["artifact"]
    retrain(both)
    both.model("release", "minor", "--model", "uplift")
    both.log.clear()
    *_, back = blocks("sh")
    for line in back.splitlines():
        assert both.sh(line).status == 0, both.story
    assert "Running stage 'train-uplift'" not in both.story, "DVC knows that run"
    assert "uplift/v0.2.1" in both.remote_tags() and own(both)["artifact"] == released
    assert both.sidecar()["artifact"] == first
    both.assert_released("uplift/v0.2.1")


def test_releases_that_come_in_one_push_stand_on_each_other(both: Project) -> None:
    """The server sees none of them as a ref while it judges: the lower version on top is refused all the same."""
    _changed(both)
    retrain(both)
    both.model("release", "minor", "--model", "uplift")
    _changed(both)
    both.replace(PARAMS, "version: v0.2.0", "version: v0.1.1")
    both.dvc("repro")
    both.commit("Go down")
    both.git(*NO_HOOKS, "tag", "-a", "uplift/v0.1.1", "-m", "Below")
    said = both.refused("git", *NO_HOOKS, "push", "--follow-tags")
    assert "refs/tags/uplift/v0.1.1: VE03 v0.1.1 is not newer than uplift/v0.2.0" in said
    assert "uplift/v0.2.0" not in both.remote_tags()
    both.git("tag", "-d", "uplift/v0.1.1")
    both.git("push", "-q", "--follow-tags")
    assert "uplift/v0.2.0" in both.remote_tags()


def test_a_colleague_who_clones_has_both(both: Project) -> None:
    path = both.path.parent / "colleague" / both.path.name
    both.ok("git", "clone", "-q", both.git("remote", "get-url", "origin"), str(path))
    (path / ".venv").symlink_to(both.path / ".venv")
    colleague = Project(path, both.environment)
    colleague.ok("python3", "-m", "versioning", "setup", "--no-install")
    colleague.ok("dvc", "pull")
    assert "up to date" in colleague.dvc("status")
    assert colleague.model("check", "uplift/v0.1.0").endswith("nothing contradicts it")
    retrain(colleague)
    assert colleague.model("release", "minor", "--model", "uplift").startswith("released uplift/v0.2.0")
    colleague.git("push", "-q", "--follow-tags")
    colleague.assert_released("uplift/v0.2.0")


# --- merged -----------------------------------------------------------------------------------------------------------


def _fork(project: Project, *, same: bool = False) -> None:
    """A branch on which the second model is trained (`same`: the first one too), and main, on which the first one is."""
    project.git("switch", "-q", "-c", "apart")
    project.replace(PARAMS, "C: 0.3", "C: 0.25")
    if same:
        project.replace("params.yaml", "C: 1.0", "C: 0.75")
    project.dvc("repro")
    project.commit("Train apart")
    project.git("switch", "-q", "main")
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.dvc("repro")
    project.commit("Train the first")
    project.log.clear()


def test_each_branch_has_trained_another_model(two: Project) -> None:
    """Git may merge the lock or not; joined stage by stage it is true of both, and nothing has to be trained."""
    _fork(two)
    two.run("git", "merge", "--no-commit", "apart")
    said = two.model("merge")
    assert "Nothing has to be chosen:\n  model merge both " in said and "model merge main" not in said
    assert "there is nothing to choose" in two.refused("model", "merge", "main")
    said = two.model("merge", "both")
    assert "nothing has to be trained" in said and said.endswith("Next: git commit --no-edit"), said
    two.git("commit", "-q", "--no-edit")
    assert "up to date" in two.dvc("status")
    assert own(two)["hyperparameters"]["train"]["C"] == 0.25 and two.sidecar()["hyperparameters"]["train"]["C"] == 0.5
    two.model("release", "uplift/v0.1.0")
    two.model("release", "minor")
    two.git("push", "-q", "--follow-tags")
    assert not two.trained() and "uplift/v0.1.0" in two.remote_tags(), two.story


def test_one_side_is_taken_of_the_model_that_both_have_trained(two: Project) -> None:
    _fork(two, same=True)
    two.refused("git", "merge", "apart")
    said = two.model("merge")
    assert f"\n{MODEL}:\n" in said and "\nuplift:\n" not in said
    assert re.search(r"^  train\.C +0\.5 +0\.75$", said, re.MULTILINE), said
    said = two.model("merge", "main")
    assert said.startswith(f"{MODEL}: main whole") and "nothing has to be trained" in said, said
    assert (own(two)["hyperparameters"]["train"]["C"], two.sidecar()["hyperparameters"]["train"]["C"]) == (0.25, 0.5)
    said = two.model("merge", "apart")
    assert (own(two)["hyperparameters"]["train"]["C"], two.sidecar()["hyperparameters"]["train"]["C"]) == (0.25, 0.75)
    assert "nothing has to be trained" in said and said.endswith("Next: git commit --no-edit")
    two.git("commit", "-q", "--no-edit")
    assert "up to date" in two.dvc("status") and not two.trained(), two.story
    assert two.git("status", "--porcelain") == ""


# --- lies -------------------------------------------------------------------------------------------------------------


def test_a_plain_version_could_be_either_models(two: Project) -> None:
    said = two.refused("git", "tag", "-a", "v0.2.0", "-m", "v0.2.0")
    assert "refs/tags/v0.2.0: VE01 v0.2.0 could be a release of any of 2 models: customer-churn, uplift" in said
    assert hints(said) == ["git tag -a customer-churn/v0.2.0 -m customer-churn/v0.2.0"]
    (said,) = [two.sh(hints(said)[0]).output]
    assert f"{SIDECAR}::$.version: VE02 says v0.1.0, the tag says v0.2.0" in said
    assert hints(said) == [f"model release {MODEL}/v0.2.0"]
    assert two.sh(hints(said)[0]).output.startswith(f"released {MODEL}/v0.2.0"), two.story
    retrain(two)
    two.model("release", "uplift/v0.3.0")
    said = two.refused("git", "tag", "-a", "v0.3.0", "-m", "v0.3.0")
    assert hints(said) == ["git tag -a uplift/v0.3.0 -m uplift/v0.3.0"], "it is uplift that says v0.3.0"


def test_a_tag_that_the_sidecar_does_not_say(two: Project) -> None:
    said = two.refused("git", "tag", "-a", "uplift/v0.2.0", "-m", "Two")
    assert f"{OWN}::$.version: VE02 says v0.1.0, the tag says v0.2.0" in said
    assert hints(said) == ["model release uplift/v0.2.0"]
    assert two.sh(hints(said)[0]).output.startswith("released uplift/v0.2.0"), two.story
    assert two.tags() == ["uplift/v0.2.0", "v0.1.0"] and two.sidecar()["version"] == "v0.1.0"


def with_first(name: str) -> Callable[[Project], None]:
    """The second model's sidecar with a field of the first's."""
    return lambda project: edit(project, lambda content: content.update({name: project.sidecar()[name]}))


LIES: dict[str, tuple[Callable[[Project], None], str]] = {
    "metrics": (with_first("metrics"), "$.metrics.roc_auc: ME01 "),
    "artifact": (with_first("artifact"), "$.artifact.path: AR01 "),
    "features": (with_first("features"), "$.features.path: AR03 "),
    "hyperparameters": (with_first("hyperparameters"), "$.hyperparameters.train.C: HP01 says 1.0, dvc.lock recorded 0.3"),
    "seed": (with_first("seed"), "$.seed: HP01 says 42, dvc.lock recorded 7"),
    "data_id": (with_first("data_id"), "$.data_id: DA01 says 'telco-churn-2020-06-25', dvc.lock recorded 'telco-contracts-"),
    "evaluation_data": (with_first("evaluation_data"), "$.evaluation_data.path: DA01 "),
    "evaluation": (with_first("evaluation"), "$.evaluation: AR04 "),
    "model_name": (with_first("model_name"), "$.model_name: SC02 says customer-churn, and the file is uplift's"),
}


@pytest.mark.parametrize("name", LIES)
def test_what_is_the_first_models_is_untrue_of_the_second(two: Project, name: str) -> None:
    lie, message = LIES[name]
    lie(two)
    two.force_commit()
    said = two.refused("git", "tag", "-a", "uplift/v0.1.0", "-m", "First")
    assert OWN + "::" + message in said, said
    assert all("uplift" in hint for hint in hints(said)), said
    assert two.tags() == ["v0.1.0"]
    assert two.sh("git tag -a customer-churn/v0.1.0 -m Again").status != 0, "that version is released"


def test_metrics_that_were_measured_on_the_other_model(two: Project) -> None:
    """The line `metrics:` forgotten: the first model's file, which is true of that, and of nothing else."""
    two.replace("versioning.yaml", "      metrics: reports/uplift/metrics.json\n", "")
    refused = two.run("dvc", "repro", "-f", "-s", "sidecar-uplift")
    assert refused.status and f"{METRICS}, which versioning.yaml names as the metrics of uplift, is made from" in refused.output
    edit(two, lambda content: content.update(metrics=two.sidecar()["metrics"]))
    two.force_commit()
    said = two.refused("git", "tag", "-a", "uplift/v0.1.0", "-m", "First")
    message = f"stands for {METRICS}, which is made from models/{MODEL}.skops, not from models/uplift.skops"
    assert f"{OWN}::$.metrics: ME01 {message}" in said
    two.git(*NO_HOOKS, "tag", "-a", "uplift/v0.1.0", "-m", "First")
    assert message in two.refused("git", *NO_HOOKS, "push", "origin", "main", "uplift/v0.1.0"), "the server's own judgement"
    assert two.remote_tags() == ["v0.1.0"]
    two.git("tag", "-d", "uplift/v0.1.0")
    # What the hint says: the line, and what stands behind it.
    two.replace("versioning.yaml", "    paths:\n      eval", "    paths:\n      metrics: reports/uplift/metrics.json\n      eval")
    (hint,) = {hint.partition("then: ")[2] for hint in hints(said) if "its paths:" in hint}
    assert two.sh(hint).status == 0, two.story
    assert "uplift/v0.1.0" in two.tags() and not two.trained()


def test_parameters_of_the_other_model(two: Project) -> None:
    two.replace("versioning.yaml", f"    params: {PARAMS}\n", "")
    refused = two.run("dvc", "repro", "-f", "-s", "sidecar-uplift")
    assert refused.status and f"stage sidecar-uplift takes its parameters from {PARAMS}" in refused.output
    two.force_commit()
    assert "uplift/v0.1.0" not in two.tags()
    two.refused("git", "tag", "-a", "uplift/v0.1.0", "-m", "First")


def test_the_second_models_threshold_is_its_own(two: Project) -> None:
    two.replace("versioning.yaml", "min: 0.7\n", "min: 0.99\n")
    two.commit("Ask more of uplift")
    said = two.refused("git", "tag", "-a", "uplift/v0.1.0", "-m", "First")
    assert "ME03 is 0.8" in said and "at least 0.99" in said
    assert two.model("release", "minor").startswith(f"released {MODEL}/v0.2.0"), "the first model is not asked that"


def test_the_server_judges_each_model(both: Project) -> None:
    """Tags that were made without hooks."""
    both.git(*NO_HOOKS, "tag", "-a", "uplift/v0.9.0", "-m", "x")
    both.git(*NO_HOOKS, "tag", "-a", "v0.9.0", "-m", "x")
    said = both.refused("git", *NO_HOOKS, "push", "origin", "uplift/v0.9.0", "v0.9.0")
    assert f"{OWN}::$.version: VE02 says v0.1.0, the tag says v0.9.0" in said and "VE01 v0.9.0 could be a release of any" in said
    said = both.refused("git", *NO_HOOKS, "push", "origin", ":uplift/v0.1.0")
    assert "VE07 uplift/v0.1.0 cannot be deleted: this server holds it" in said
    assert both.remote_tags() == [f"{MODEL}/v0.2.0", "uplift/v0.1.0", "v0.1.0"]
    assert "BAD release: v0.9.0 is not true: VE01" in both.run("model", "doctor").output


def test_a_hint_names_the_model_that_it_is_about(both: Project) -> None:
    said = both.refused("git", "tag", "-d", "uplift/v0.1.0")
    assert "VE07" in said and hints(said) == ["model release patch --model uplift"]
    said = both.refused("model", "release", "uplift/v0.1.0")
    assert hints(said) == ["model release patch --model uplift"]
    _changed(both)
    assert both.sh(hints(said)[0]).output.startswith("released uplift/v0.1.1"), both.story
    said = both.refused("git", "tag", "-a", "uplift/v0.2", "-m", "x")
    assert "VE01 uplift/v0.2 is no release" in said and hints(said) == ["git tag -a uplift/v0.2.0 -m uplift/v0.2.0"]


@pytest.mark.parametrize(
    "command", ["release --model nosuch", "release minor --model nosuch", "release nosuch/v0.2.0", "stamp nosuch"]
)
def test_a_model_that_is_not_there(two: Project, command: str) -> None:
    done = two.sh(f"model {command}")
    assert (done.status, done.output) == (2, "error: there is no model «nosuch» here; there are customer-churn, uplift\n")
    assert two.tags() == ["v0.1.0"] and two.git("status", "--porcelain") == ""


def test_a_version_of_one_model_and_the_name_of_another(two: Project) -> None:
    done = two.sh("model release uplift/v0.1.0 --model customer-churn")
    assert done.status == 2 and "is a version of uplift, and --model says customer-churn" in done.output
    assert two.sh(hints(done.output)[0]).output.startswith("released uplift/v0.1.0"), two.story


# --- near misses ------------------------------------------------------------------------------------------------------


def test_one_model_is_released_while_the_other_is_stale(two: Project) -> None:
    two.replace("params.yaml", "C: 1.0", "C: 0.5")
    two.commit("Another C, to be trained")
    two.git("tag", "-a", "uplift/v0.1.0", "-m", "First")
    two.git("push", "-q", "--follow-tags")
    assert "uplift/v0.1.0" in two.remote_tags()
    said = two.refused("model", "release", "minor")
    assert "CO02 stage train ran with another train" in said


def test_a_prefix_that_is_no_models_name_is_nobodys_release(two: Project) -> None:
    for name in ("data/v1.0.0", "uplift-notes/v1", "uplift/notes", "v2-notes", "uplift/2024-11-05"):
        two.git("tag", "-a", name, "-m", "Not a release")
    assert two.model("check", "--all-releases").endswith("1 release: nothing contradicts it")


def test_one_metrics_file_made_from_both_models_is_each_ones(two: Project) -> None:
    """A comparison reads both models; that is no other model's file."""
    two.write("src/customer_churn/compare.py", COMPARE)
    two.replace("dvc.yaml", "\n  sidecar-uplift:\n", f"\n{COMPARISON}\n  sidecar-uplift:\n")
    two.replace(
        "dvc.yaml",
        "      - reports/uplift/metrics.json\n      - reports/uplift/conf",
        "      - reports/both.json\n      - reports/uplift/conf",
    )
    two.replace("versioning.yaml", "metrics: reports/uplift/metrics.json", "metrics: reports/both.json")
    two.commit("Compare the models")
    two.dvc("repro")
    two.commit("Train")
    two.git("tag", "-a", "uplift/v0.1.0", "-m", "First")
    assert own(two)["metrics"]["roc_auc"] == json.loads(two.read("reports/uplift/metrics.json"))["roc_auc"]


COMPARE = '''"""What is better in one model than in the other."""

import json
import sys

first, second = (json.load(open(path)) for path in sys.argv[1:3])
with open(sys.argv[3], "w") as stream:
    json.dump({**second, "gain": second["roc_auc"] - first["roc_auc"]}, stream)
'''
COMPARISON = """  compare:
    cmd: python -m src.customer_churn.compare reports/metrics.json reports/uplift/metrics.json reports/both.json
    deps:
      - reports/metrics.json
      - reports/uplift/metrics.json
      - src/customer_churn/compare.py
    metrics:
      - reports/both.json:
          cache: false
"""
