"""The demo, run as the README says, ends with the proof."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .conftest import ROOT


@pytest.mark.slow
def test_the_story_holds(home: object) -> None:
    done = subprocess.run([sys.executable, "demo.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    digests = re.findall(r"sha256 ([0-9a-f]{64})$", done.stdout, re.MULTILINE)
    assert len(digests) == 3
    assert len(set(digests)) == 1
    assert "verified: the same bytes" in done.stdout
    for refused in ("ME01", "AR01", "VE02", "VE01"):
        assert re.search(rf"{refused} ", done.stdout), done.stdout
