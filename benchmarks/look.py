"""What looking costs: `model` alone, `doctor`, `diff`, and `list` over thousands of releases; each beside its reference."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .bench import ROUNDS, TEMPLATE, Bench, Row, medians, ratio

sys.path.insert(0, str(TEMPLATE))

from versioning.commands.setup import PROGRAM

STATUS = ["git", "status"]


def bench(folder: Path, releases: int) -> Bench:
    """A repository in which `model` is a program, as `setup` installs it, that starts from compiled rules as a user's does."""
    folder.mkdir()
    made = Bench(folder / "project", releases)
    (made.folder / "versioning").symlink_to(TEMPLATE / "versioning")
    (made.folder / ".git/info").mkdir(exist_ok=True)
    (made.folder / ".git/info/exclude").write_text("/versioning\n/.venv\n", "utf-8")
    program = folder / "bin/model"
    program.parent.mkdir()
    program.write_text(PROGRAM.replace('"${0%/*}/python"', f"'{sys.executable}'"), "utf-8")
    program.chmod(0o755)
    made.environment |= {"PATH": f"{program.parent}:{made.environment['PATH']}", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    made.environment.pop("PYTHONDONTWRITEBYTECODE", None)
    made.run("git", "pack-refs", "--all")
    made.run("model")
    return made


def row(what: str, times: list[tuple[float, float]], reference: str, budget: str, kept: bool) -> Row:
    """One line of two medians."""
    ours, theirs = medians(times)
    return Row(what, f"{ours:.0f} ms", f"{reference} {theirs:.0f} ms", budget, kept)


def beside(
    made: Bench, ours: Sequence[str], theirs: Sequence[str], before: Callable[[], object] = lambda: None
) -> list[tuple[float, float]]:
    """Times of both commands in turn, without the first pair; `before` each of ours, something is made ready."""
    times = []
    for _ in range(ROUNDS + 1):
        before()
        times.append((made.time(*ours), made.time(*theirs)))
    return times[1:]


def alone(made: Bench) -> list[Row]:
    """`model` alone: where nothing moved, and judged anew; Python's own start is what no program in Python can be faster than."""
    start = statistics.median(made.time(sys.executable, "-S", "-c", "pass") for _ in range(ROUNDS)) * 1000
    warm = beside(made, ["model"], STATUS)
    ours, status = medians(warm)
    least = (start + status) or 1
    floor = f"{ours / least:.1f} of 3 x with Python's start ({start:.0f} ms)"
    cold = beside(made, ["model"], STATUS, lambda: (made.folder / ".git/model-gate/look").unlink(missing_ok=True))
    return [
        row("`model` alone, nothing moved", warm, "`git status`", f"{ratio(warm):.1f} x; {floor}", ours / least <= 3),
        row("`model` alone, judged anew", cold, "`git status`", f"{ratio(cold):.0f} x", True),
    ]


def doctor(made: Bench, releases: int) -> Row:
    """`model doctor`; what a release was judged to be is known since the run that comes first."""
    made.time("sh", "-c", "model doctor >/dev/null || :")
    times = beside(made, ["sh", "-c", "model doctor >/dev/null || :"], ["git", "tag"])
    ours = medians(times)[0]
    return row(f"`model doctor`, {releases:,} releases", times, "`git tag`", f"{ours:.0f} ms of 400", ours <= 400)


def diff(made: Bench) -> Row:
    """`model diff` of two releases, beside Git's own."""
    times = beside(made, ["model", "diff", "v0.1.0", "v0.2.0"], ["git", "diff", "--stat", "v0.1.0", "v0.2.0"])
    return row(
        "`model diff v0.1.0 v0.2.0`", times, "`git diff --stat`", f"{medians(times)[0]:.0f} ms of 400", medians(times)[0] <= 400
    )


def listing(made: Bench, releases: int) -> list[Row]:
    """`model list`, the first time and later."""
    first = made.time("model", "list")
    times = beside(made, ["model", "list"], ["git", "for-each-ref"])
    later = medians(times)[0] / 1000
    what = f"`model list`, {releases:,} releases"
    return [
        Row(f"{what}, first time", f"{first:.2f} s", "-", f"{first:.2f} s", True),
        row(what, times, "`git for-each-ref`", f"{later:.2f} s of 1", later <= 1),
    ]


def rows(scratch: Path, releases: int = 1000) -> Iterator[Row]:
    """The rows of looking, as they are measured."""
    few, many = bench(scratch / "few", 3), bench(scratch / "many", releases)
    yield from alone(few)
    yield doctor(few, 3)
    yield doctor(many, releases)
    yield diff(few)
    yield from listing(many, releases)
    yield from listing(bench(scratch / "most", releases * 10), releases * 10)
