"""`model stamp`: the commit that a sidecar names, made true where it is not, and nothing else."""

from __future__ import annotations

from tests.versioning.conftest import SIDECAR, Project


def one_commit_flow(project: Project) -> None:
    """Code, parameters and training in one commit: the sidecar names the commit before it."""
    project.replace("params.yaml", "C: 1.0", "C: 0.5")
    project.dvc("repro")
    project.commit("Less regularisation, trained")


def test_a_true_claim_is_left_alone(released: Project) -> None:
    before, head = released.read(SIDECAR), released.git("rev-parse", "HEAD")
    assert "holds what made the model" in released.model("stamp", "--commit")
    assert released.read(SIDECAR) == before
    assert released.git("rev-parse", "HEAD") == head


def test_it_changes_the_commit_line_only(released: Project) -> None:
    one_commit_flow(released)
    head = released.git("rev-parse", "HEAD")
    released.log.clear()
    said = released.model("stamp")
    assert f"-> {head[:7]}" in said
    assert said.splitlines()[-1].startswith("Next: git commit")
    changed = [line for line in released.git("diff", "-U0").splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert [line[:12] for line in changed] == ['-  "commit":', '+  "commit":']
    assert f'"commit": "{head}"' in changed[1]
    assert "up to date" in released.dvc("status")
    assert not released.trained()


def test_with_commit_only_the_sidecar_is_committed(released: Project) -> None:
    one_commit_flow(released)
    released.write("NOTES.md", "Staged.\n")
    released.git("add", "NOTES.md")
    released.model("stamp", "--commit")
    assert released.git("show", "--name-only", "--format=", "HEAD") == SIDECAR
    assert released.git("status", "--porcelain") == "A  NOTES.md"


def test_written_but_not_committed_it_is_run_again(released: Project) -> None:
    one_commit_flow(released)
    released.model("stamp")
    released.model("stamp", "--commit")
    assert released.git("status", "--porcelain") == ""


def test_it_needs_no_data_and_no_model(released: Project) -> None:
    one_commit_flow(released)
    for path in released.path.glob("models/*.skops"):
        path.unlink()
    released.model("stamp", "--commit")
    assert released.sidecar()["commit"] == released.git("rev-parse", "HEAD~")


def test_it_hides_nothing_else_that_is_false(released: Project) -> None:
    one_commit_flow(released)
    released.edit_sidecar(lambda content: content["metrics"].update(roc_auc=0.99))
    before = released.read(SIDECAR)
    said = released.refused("model", "stamp", "--commit")
    assert "$.metrics.roc_auc" in said
    assert "a stamp changes the commit only" in said
    assert released.read(SIDECAR) == before


def test_uncommitted_code_cannot_be_stamped(released: Project) -> None:
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.dvc("repro")
    said = released.refused("model", "stamp")
    assert "does not hold what made customer-churn" in said
    assert 'hint: git add -A && git commit -m "Train"' in said


def test_without_a_sidecar(released: Project) -> None:
    (released.path / SIDECAR).unlink()
    said = released.refused("model", "stamp")
    assert f"{SIDECAR} is not there" in said
    assert "hint: dvc repro -f -s sidecar" in said
