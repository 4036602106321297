"""Name what is missing or odd in this clone, and the command that mends it. Starts under any Python, before all else."""

from __future__ import annotations

import argparse
import json
import textwrap
from dataclasses import asdict

from .. import health
from ..git import Repository

EXAMPLE = "model doctor"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model doctor`."""
    parser.add_argument("--json", action="store_true", help="for machines")


def doctor(arguments: argparse.Namespace) -> int:
    """Print a line a point.

    Returns:
        0 all sound, 1 something is not.
    """
    with Repository.discover() as repository:
        found = [*health.examine(repository)]
    if arguments.json:
        print(json.dumps([asdict(diagnosis) for diagnosis in found], indent=2, ensure_ascii=False))
    else:
        for diagnosis in found:
            mark = "BAD" if not diagnosis.sound else "see" if diagnosis.cure else "ok "
            line = f"{mark} {diagnosis.point}: {diagnosis.says}"
            # What is wrong stays one line, to be searched for and passed on.
            print("\n".join(textwrap.wrap(line, 100, subsequent_indent="      ")) if diagnosis.sound else line)
            if diagnosis.cure:
                print(f"      {diagnosis.cure}")
    return 0 if all(diagnosis.sound for diagnosis in found) else 1
