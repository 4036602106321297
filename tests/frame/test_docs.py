"""The documentation: what is made from the code is as the code says, what it names exists, and the site can be built."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from versioning.cli import VERBS
from versioning.findings import Finding, Report, Waived, as_json

ROOT = Path(__file__).resolve().parents[2]


DOCS = ROOT / "docs"
MADE = runpy.run_path(str(DOCS / "_pages.py"))["PAGES"]


@pytest.mark.parametrize("page", MADE)
def test_a_page_that_is_made_from_the_code_is_as_the_code_says(page: str) -> None:
    assert (DOCS / page).read_text("utf-8") == MADE[page](), "python docs/_pages.py"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """A link that leads nowhere, an anchor that is not there and a page that no menu has are warnings.

    Not with `--quiet`: MkDocs then counts none.
    """
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path.relative_to(tmp_path / "site"): path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")}
    assert len(pages) > len(MADE)
    # Where a list follows a line of text, Python-Markdown makes no list of it; GitHub does.
    assert [str(path) for path, html in pages.items() if re.search(r"<p>[^<]*\n(- |\d\. )", html)] == []
    assert [str(path) for path, html in pages.items() if re.search(r"(src|href)=\"https?://fonts", html)] == []


def test_every_decision_is_listed() -> None:
    listed = re.findall(r"\((\d{4}-[^)]*\.md)\)", (DOCS / "decisions/README.md").read_text("utf-8"))
    assert listed == sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))


def test_every_verb_that_a_page_names_exists_and_the_other_way_round() -> None:
    known = {verb for group in VERBS.values() for verb in group}
    pages = "".join(path.read_text("utf-8") for path in DOCS.glob("*.md"))
    named = set(re.findall(r"(?:`|\$ |&& |^)(?:model|python3 -m versioning) ([a-z]+)\b", pages, re.MULTILINE))
    assert named == known


def test_the_page_of_findings_has_the_keys_that_are_printed() -> None:
    text = (ROOT / "docs/findings.md").read_text("utf-8")
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    finding = Finding("ME01", "models/churn.json", "says 1, it is 2")
    printed = json.loads(as_json(Report([finding], ["AR05"], "v0.1.0", [Waived(finding, "x", "Ada", "2999-01-01")], ["a note"])))
    assert printed.keys() == example.keys()
    assert printed["findings"][0].keys() == example["findings"][0].keys()
    told = set(re.findall(r"`(?:findings\[\]\.)?([a-z_]+)`", text))
    assert {*printed, *printed["findings"][0], *printed["waived"][0]["waiver"]} <= told
