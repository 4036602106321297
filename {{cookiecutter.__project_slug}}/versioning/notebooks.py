"""Notebooks are stored without outputs: what Git runs on each one that is staged (its clean filter), and the check at commit.

Standard library only, and no other module of ours above: as a filter it is started for a file at a time, on any Python.
"""

from __future__ import annotations

import json
import shlex
import sys
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


def stripped(content: bytes) -> bytes:
    """A notebook without outputs, run counts and other traces of a run; byte for byte the same where there is nothing to take.

    A cell that is tagged `keep_output` keeps what it has. What is no notebook (half of a merge, an older format) stays as it is.
    """
    try:
        notebook = json.loads(content)
        if not _strip(notebook):
            return content
        text = json.dumps(notebook, ensure_ascii=False, indent=1)
        return (text + "\n" * content.endswith(b"\n")).encode()
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return content


def _strip(notebook: dict[str, Any]) -> bool:
    """Take out what a run leaves; say whether there was anything."""
    taken = [notebook["metadata"].pop(key, None) for key in _OF_A_SESSION]
    # Another person's Python is no change of the notebook.
    taken.append(notebook["metadata"].get("language_info", {}).pop("version", None))
    for cell in notebook["cells"]:
        taken += [cell["metadata"].pop(key, None) for key in _OF_A_RUN]
        if _holds_outputs(cell):
            taken.append(True)
            cell.update(outputs=[], execution_count=None)
    return any(one is not None for one in taken)


def _holds_outputs(cell: dict[str, Any]) -> bool:
    kept = cell["metadata"].get("keep_output") or "keep_output" in cell["metadata"].get("tags", [])
    return not kept and bool(cell.get("outputs") or cell.get("execution_count") is not None)


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
    found = [path for path, blob in staged.items() if blob and _has_outputs(blob[2])]
    for path in found:
        print(f"{path} is staged with outputs")
    if found:
        print(f"  hint: python3 -m versioning hooks install && git add --renormalize -- {shlex.join(found)}")
    return 1 if found else 0


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(check(sys.argv[1:]))
    sys.stdout.buffer.write(stripped(sys.stdin.buffer.read()))
