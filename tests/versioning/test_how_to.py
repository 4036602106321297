"""The how-to pages, typed line by line by somebody whose v0.1.0 is released."""

from __future__ import annotations

import json

import pytest

from tests.conftest import ROOT
from tests.pages import Reader, blocks

from .conftest import MODEL, Project

PAGES = ("release", "go-back")


@pytest.mark.slow
def test_release(released: Project) -> None:
    _follow(released, "release")
    assert released.remote_tags() == ["v0.1.0", "v0.2.0", "v0.3.0", "v0.3.0-rc.1", "v0.4.0"]
    assert _digest(released, "v0.3.0") == _digest(released, "v0.3.0-rc.1") != _digest(released, "v0.2.0")


@pytest.mark.slow
def test_go_back(released: Project) -> None:
    released.replace("params.yaml", "C: 1.0", "C: 0.5")
    released.dvc("repro")
    released.commit("Train with more regularisation")
    released.model("release", "minor")
    released.git("push", "-q", "--follow-tags")
    _follow(released, "go-back")
    released.assert_released("v0.2.1")
    assert _digest(released, "v0.2.1") == _digest(released, "v0.1.0") != _digest(released, "v0.2.0")


@pytest.mark.parametrize("page", PAGES)
def test_no_block_of_a_page_is_passed_over(page: str) -> None:
    path = ROOT / f"docs/{page}.md"
    assert path.read_text("utf-8").count("\n```") == 2 * len(blocks(path))


def _follow(project: Project, page: str) -> None:
    Reader(project.path, project.environment).follow(ROOT / f"docs/{page}.md")


def _digest(project: Project, version: str) -> str:
    sidecar = json.loads(project.git("show", f"{version}:models/{MODEL}.json"))
    return str(sidecar["artifact"]["sha256"])
