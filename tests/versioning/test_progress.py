"""Progress is shown on a terminal, of long work only."""

from __future__ import annotations

import pytest

from versioning import progress


class Terminal:
    """Standard error that says whether it is a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.written = ""
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None: ...


def shown(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, seconds: float) -> str:
    terminal = Terminal(is_terminal=is_terminal)
    clock = iter([0.0, seconds, seconds])
    monkeypatch.setattr(progress.sys, "stderr", terminal)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    show = progress.meter("hashing")
    show(1_500_000_000, 3_000_000_000)
    show(3_000_000_000, 3_000_000_000)
    return terminal.written


def test_long_work_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, is_terminal=True, seconds=2.0) == (
        "\rmodel-gate: hashing 1,500 of 3,000 MB\rmodel-gate: hashing 3,000 of 3,000 MB\n"
    )


def test_short_work_is_not_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, is_terminal=True, seconds=0.5) == ""


def test_nothing_is_shown_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, is_terminal=False, seconds=60.0) == ""
