"""Pages that are made from the code are as the code says."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

from versioning.findings import Finding, Report, Waived, as_json

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_rules_is_what_the_rules_say() -> None:
    page = runpy.run_path(str(ROOT / "docs/_rules.py"))["page"]
    assert (ROOT / "docs/rules.md").read_text("utf-8") == page(), "python docs/_rules.py"


def test_the_page_of_findings_has_the_keys_that_are_printed() -> None:
    text = (ROOT / "docs/findings.md").read_text("utf-8")
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    finding = Finding("ME01", "models/churn.json", "says 1, it is 2")
    printed = json.loads(as_json(Report([finding], ["AR05"], "v0.1.0", [Waived(finding, "x", "Ada", "2999-01-01")], ["a note"])))
    assert printed.keys() == example.keys()
    assert printed["findings"][0].keys() == example["findings"][0].keys()
    told = set(re.findall(r"`(?:findings\[\]\.)?([a-z_]+)`", text))
    assert {*printed, *printed["findings"][0], *printed["waived"][0]["waiver"]} <= told
