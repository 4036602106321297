"""EX: experiments that would be releases."""

from __future__ import annotations

import pytest

from tests.versioning.checks.conftest import Trial, bumped, codes, hints, refused_tag, said
from tests.versioning.conftest import Project


@pytest.mark.parametrize("version", ["v0.2.0-exp", "v0.2.0-exp.3", "v0.2.0-exp-3", "v0.2.0-exp3", "v0.2.0-experiment.1"])
def test_ex01_named_as_an_experiment(trial: Trial, version: str) -> None:
    found = trial.tagged(bumped(trial, version), version)
    assert codes(found) == {"EX01"} and f"refs/tags/{version}: EX01 {version} is named as an experiment" in said(found)
    assert found[0].hint.endswith(" release v0.2.0")


@pytest.mark.parametrize("version", ["v0.2.0-rc.1", "v0.2.0-expert.1", "v0.2.0-beta.2", "v0.2.0-muddy-cots"])
def test_ex01_other_candidates(trial: Trial, version: str) -> None:
    assert not trial.tagged(bumped(trial, version), version)


def test_ex01_the_name_of_an_experiment_of_this_clone(project: Project) -> None:
    project.dvc("exp", "run", "--name", "muddy-cots", "-S", "train.C=0.5")
    project.git("restore", ".")
    project.git("clean", "-fdq")
    project.dvc("checkout")
    project.replace("params.yaml", "version: v0.1.0", "version: v0.1.0-muddy-cots")
    project.dvc("repro")
    project.commit("Name it after the experiment")
    message = "EX01 v0.1.0-muddy-cots is named as an experiment, muddy-cots; a release has a version of its own"
    output = refused_tag(project, message, tag="v0.1.0-muddy-cots")
    assert project.sh(*hints(output)).status == 0, project.story
    assert project.tags() == ["v0.1.0"]
