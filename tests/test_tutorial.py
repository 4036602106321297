"""The tutorial, typed line by line from an empty folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .conftest import ROOT, isolated_environment
from .pages import Reader, blocks

PAGE = ROOT / "docs/tutorial.md"


@pytest.mark.slow
def test_the_tutorial_holds(template: Path, tmp_path: Path, home: Path) -> None:
    """Everything as it stands there, environments and all; only the questions are answered by an option."""

    def type_instead(line: str) -> str:
        return (
            f"{line.replace('PATH-OR-URL-OF-THIS-REPOSITORY', shlex.quote(str(template)))} --no-input"
            if "PATH-OR" in line
            else line
        )

    folder = tmp_path / "empty"
    folder.mkdir()
    Reader(folder, isolated_environment(home), type_instead).follow(PAGE)


def test_the_tutorial_has_no_block_that_is_not_followed() -> None:
    assert PAGE.read_text("utf-8").count("\n```") == 2 * len(blocks(PAGE))
