"""A merge without a conflict that makes of two trainings one that nobody ran."""

from __future__ import annotations

import re

import pytest

from .conftest import Project, copy_of, shell_environment

RAW = "data/raw/telco-customer-churn.csv"
PREPARE = "src/customer_churn/prepare.py"
FENCE = "    return raw\n    # ---- END OF REPLACE"
ALL_ROWS = FENCE.replace("return raw\n", "return raw  # every row\n")
NO_NEGATIVE = FENCE.replace("return raw\n", 'return raw[pd.to_numeric(raw["tenure"], errors="coerce") >= 0]\n')


def two_trainings(project: Project, cleaning: str) -> None:
    """More data on one branch; on the other, code that makes nothing else of the data so far. Git merges both in silence."""
    project.git("switch", "-q", "-c", "new-data")
    header, first, *_ = project.read(RAW).splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True)) | {"tenure": "-1", "Churn": "Yes"}
    project.write(RAW, project.read(RAW).rstrip("\n") + "\n" + f"{','.join(row.values())}\n" * 800)
    project.dvc("add", RAW)
    project.replace("params.yaml", "id: telco-churn-2020-06-25", "id: telco-churn-2026-11-01")
    project.replace("params.yaml", "version: v0.1.0", "version: v0.2.0")
    project.dvc("repro")
    project.commit("Train on more data")
    project.git("switch", "-q", "-c", "cleaning", "main")
    project.replace(PREPARE, FENCE, cleaning)
    project.dvc("repro")
    project.commit("Clean")
    project.git("switch", "-q", "main")
    project.git("merge", "-q", "new-data")
    project.git("merge", "-q", "--no-edit", "cleaning")
    assert "up to date" in project.dvc("status")


@pytest.mark.slow
def test_a_mixture_that_nobody_trained_is_no_release(released: Project) -> None:
    two_trainings(released, NO_NEGATIVE)
    before = released.sidecar()["metrics"]
    said = released.refused("model", "check")
    assert re.search(
        r"^dvc.lock: CO02 says that prepare\b.* ran as the merge [0-9a-f]{7} put it together, which nobody did$",
        said,
        re.MULTILINE,
    )
    released.model("stamp", "--commit")
    said = released.refused("git", "tag", "-a", "v0.2.0", "-m", "v0.2.0")
    assert released.tags() == ["v0.1.0"]
    released.log.clear()
    hint = re.findall(r"hint: (.*)", said)[0]
    assert hint.startswith("dvc repro -f -s prepare")
    assert released.sh(hint).status == 0, released.story
    assert released.trained(), "with other rows"
    released.commit("Train what was merged")
    assert released.sidecar()["metrics"] != before
    assert released.model("release", "v0.2.0").startswith("released v0.2.0")
    released.git("push", "-q", "--follow-tags")
    released.assert_released("v0.2.0")


@pytest.mark.slow
def test_the_same_outputs_are_proved_by_running_the_one_stage(
    released: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Code that turns out to make no difference: once the stage ran, nothing is left to commit, and the release passes."""
    two_trainings(released, ALL_ROWS)
    released.git("push", "-q", "origin", "main")
    released.dvc("push")
    colleague = Project(copy_of(released.path, tmp_path_factory.mktemp("colleague")), released.environment)
    for one in (released, colleague):
        one.environment = shell_environment(tmp_path_factory.mktemp("home"), one.path)
        *_, hint = re.findall(r"hint: (.*)", one.refused("model", "check"))
        assert one.sh(hint).status == 0, one.story
        assert one.git("status", "--porcelain") == "", "the same outputs: there is nothing to commit"
        assert one.model("release", "v0.2.0").startswith("released v0.2.0")
    released.git("push", "-q", "--follow-tags")
    released.assert_released("v0.2.0")


@pytest.mark.slow
def test_a_merge_that_was_run_is_no_mixture(released: Project) -> None:
    """Both changed, and the pipeline ran with both, before the merge was committed; later work stands on it."""
    released.git("switch", "-q", "-c", "more")
    released.replace("params.yaml", "test_size: 0.2 ", "test_size: 0.25 ")
    released.dvc("repro")
    released.commit("Test on more")
    released.git("switch", "-q", "main")
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.dvc("repro")
    released.commit("Regularise")
    released.run("git", "merge", "more")
    for line in ("model merge both", "dvc repro", "git add -A", "git commit --no-edit"):
        assert released.sh(line).status == 0, released.story
    assert released.model("release", "minor").startswith("released v0.2.0"), released.story
