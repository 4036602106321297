"""The fenced places of a generated project's `src/`, and what is put into them."""

from __future__ import annotations

import re
from pathlib import Path

FILES = {
    "YOUR OWN CLEANING": "prepare.py",
    "YOUR OWN FEATURES": "featurize.py",
    "FREE TEXT": "featurize.py",
    "YOUR OWN MODEL": "train.py",
    "YOUR OWN METRICS": "evaluate.py",
    "TYPES THAT YOUR MODEL NEEDS": "predict.py",
}
FENCE = re.compile(r"^ *# ---- REPLACE: ([A-Z ]+) -+\n(.*?)^ *# ---- END OF REPLACE -+\n", re.MULTILINE | re.DOTALL)


def found(source: str) -> dict[str, str]:
    """What stands between the lines, by the fence's name."""
    return dict(FENCE.findall(source))


def fill(package: Path, name: str, content: str) -> None:
    """Replace what stands in a fence, and nothing else."""
    path = package / FILES[name]
    text = path.read_text("utf-8")
    (place,) = (match for match in FENCE.finditer(text) if match[1] == name)
    path.write_text(text[: place.start(2)] + content + text[place.end(2) :], "utf-8")
