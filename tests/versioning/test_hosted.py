"""A server that runs no hook of ours, as hosted ones do: what `infra/README.md` says of a false release there is so."""

from __future__ import annotations

import pytest

from .conftest import Project


@pytest.fixture
def hosted(released: Project) -> Project:
    """A released project whose server has no gate, and on it two false releases from a clone that had none either."""
    released.model("hooks", "uninstall", "--server", f"../{released.path.name}-storage/git")
    released.edit_sidecar(lambda content: content.update(version="v0.2.0", metrics=content["metrics"] | {"accuracy": 0.99}))
    released.replace("params.yaml", "version: v0.1.0", "version: v0.2.0")
    released.force_commit()
    for tag in ("v0.2.0", "v9.9.9"):
        released.git("-c", "core.hooksPath=/dev/null", "tag", "-a", tag, "-m", "False")
    released.git("push", "-q", "--no-verify", "origin", "main", "v0.2.0", "v9.9.9")
    assert released.remote_tags() == ["v0.1.0", "v0.2.0", "v9.9.9"]
    return released


def test_a_false_release_is_named(hosted: Project) -> None:
    said = hosted.refused("model", "check", "v0.2.0")
    assert "ME01" in said and "0.99" in said
    assert "VE02" in hosted.refused("model", "check", "v9.9.9")
    named = hosted.refused("model", "doctor")
    assert "v0.2.0 is not true" in named and "v9.9.9 is not true" in named


def test_a_false_release_does_not_stand_in_the_way_of_the_next(hosted: Project) -> None:
    hosted.ok("sh", "-ec", "dvc repro -f -s sidecar && git add -A && git commit -q -m Mend && model release patch")
    hosted.git("push", "-q", "--follow-tags")
    hosted.assert_released("v0.2.1")
    assert not hosted.trained()
    assert "nothing contradicts it" in hosted.model("check", "v0.2.1")
