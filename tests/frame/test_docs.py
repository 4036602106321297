"""Pages that are made from the code are as the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_rules_is_what_the_rules_say() -> None:
    page = runpy.run_path(str(ROOT / "docs/_rules.py"))["page"]
    assert (ROOT / "docs/rules.md").read_text("utf-8") == page(), "python docs/_rules.py"
