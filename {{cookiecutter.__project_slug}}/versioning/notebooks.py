"""Notebooks are stored without outputs: what Git runs on each one that is staged (its clean filter), and the check at commit.

Standard library only, and no other module of ours above: as a filter it is started for a file at a time, on any Python.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
import uuid
from typing import Any

#: The filter's name in .gitattributes, and what Git runs. Where there are no rules or no Python, a notebook passes as it is.
FILTER = "filter.notebook"
# Git hands this to a shell, but the Git that DVC has of its own (`dvc exp run`) splits it into words and starts the first one.
COMMAND = (
    """sh -c 'f=$(git rev-parse --git-common-dir)/model-gate/versioning/shims/notebook; """
    """if [ -f "$f" ]; then sh "$f"; else cat; fi'"""
)
# What a run writes into the metadata of a cell, and of the notebook.
_OF_A_RUN = ("ExecuteTime", "collapsed", "execution", "scrolled")
_OF_A_SESSION = ("signature", "widgets")
_WIDGET = "application/vnd.jupyter.widget-view+json"
# JSON may name half of a character, which no text in UTF-8 holds.
_HALF = re.compile("[\ud800-\udfff]")


def stripped(content: bytes) -> bytes:
    """A notebook without outputs, run counts and other traces of a run; byte for byte the same where there is nothing to take.

    A cell that is tagged `keep_output` keeps what it has. What is no notebook (half of a merge, an older format) stays as it is.
    """
    try:
        numbers = _Numbers()
        notebook = json.loads(content, parse_float=numbers.float, parse_int=numbers.int)
        if not _strip(notebook):
            return content
        text = numbers.written(json.dumps(notebook, ensure_ascii=False, indent=1))
        text = _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
        return (text + "\n" * content.endswith(b"\n")).encode()
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return content


class _Numbers:
    """Keeps a number as it is written, where Python would write it otherwise (`1e400` is none in JSON then)."""

    def __init__(self) -> None:
        self._mark = uuid.uuid4().hex

    def float(self, text: str) -> object:
        return number if repr(number := float(text)) == text else self._mark + text

    def int(self, text: str) -> object:
        return int(text) if text != "-0" and len(text) < 1000 else self._mark + text

    def written(self, text: str) -> str:
        """The JSON with these numbers in place of what stands for them."""
        return re.sub(f'"{self._mark}([^"]*)"', r"\1", text)


def _strip(notebook: dict[str, Any]) -> bool:
    """Take out what a run leaves; say whether there was anything."""
    session = [key for key in _OF_A_SESSION if key != "widgets" or not any(map(_shows_a_widget, notebook["cells"]))]
    taken = [notebook["metadata"].pop(key, None) for key in session]
    # Another person's Python is no change of the notebook.
    taken.append(notebook["metadata"].get("language_info", {}).pop("version", None))
    for cell in notebook["cells"]:
        taken += [cell["metadata"].pop(key, None) for key in _OF_A_RUN]
        if _holds_outputs(cell):
            taken.append(True)
            cell.update(outputs=[], execution_count=None)
    return any(one is not None for one in taken)


def _is_kept(cell: dict[str, Any]) -> bool:
    return bool(cell["metadata"].get("keep_output") or "keep_output" in cell["metadata"].get("tags", []))


def _shows_a_widget(cell: dict[str, Any]) -> bool:
    """Whether an output that is kept draws on the state of widgets, which the notebook's metadata hold."""
    return _is_kept(cell) and any(_WIDGET in output.get("data", {}) for output in cell.get("outputs", []))


def _holds_outputs(cell: dict[str, Any]) -> bool:
    return not _is_kept(cell) and bool(cell.get("outputs") or cell.get("execution_count") is not None)


def _has_outputs(content: bytes) -> bool:
    try:
        return any(_holds_outputs(cell) for cell in json.loads(content)["cells"])
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return False


def check(paths: list[str]) -> int:
    """Say which notebooks are staged with outputs, which happens where the filter is not set up; 1 if there is any."""
    from .git import Repository

    with Repository.discover(keep=("GIT_INDEX_FILE",)) as repository:
        staged = {path: repository.cat(f":{path}") for path in paths}
    # What the filter gives up on is let through: no hint would end the refusal.
    found = [path for path, blob in staged.items() if blob and _has_outputs(blob[2]) and stripped(blob[2]) != blob[2]]
    for path in found:
        print(f"{path} is staged with outputs")
    if found:
        print(f"  hint: python3 -m versioning hooks install && git add --renormalize -- {shlex.join(found)}")
    return 1 if found else 0


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(check(sys.argv[1:]))
    sys.stdout.buffer.write(stripped(sys.stdin.buffer.read()))
