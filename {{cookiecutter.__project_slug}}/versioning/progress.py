"""Progress of long work: a line on a terminal, and nothing where there is none."""

from __future__ import annotations

import sys
import time

from .storage import Progress

#: Work that ends sooner is not spoken of.
_QUIET_SECONDS = 1.0


def meter(what: str) -> Progress:
    """A callback for bytes done and bytes in all."""
    began = time.monotonic()

    def show(done: int, size: int) -> None:
        if not sys.stderr.isatty() or time.monotonic() - began < _QUIET_SECONDS:
            return
        end = "\n" if done >= size else ""
        print(f"\rmodel-gate: {what} {done / 1e6:,.0f} of {size / 1e6:,.0f} MB", end=end, file=sys.stderr, flush=True)

    return show
