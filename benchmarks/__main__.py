"""Measure, and print one table; exit with 1 where a budget is not kept."""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path

FAMILIES = ("generate", "first_hour", "look", "gate")


def main(names: list[str]) -> int:
    """Each family's rows, as they come."""
    unknown = [name for name in names if name not in FAMILIES]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(FAMILIES)}", file=sys.stderr)
        return 2
    print("| what | measured | reference, same run | budget | kept |\n|---|---|---|---|---|", flush=True)
    kept = True
    for name in names or FAMILIES:
        with tempfile.TemporaryDirectory() as scratch:
            for row in import_module(f"benchmarks.{name}").rows(Path(scratch)):
                print(row, flush=True)
                kept = kept and row.kept
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
