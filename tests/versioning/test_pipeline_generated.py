"""The verdict on generated pipelines is the one of the real `dvc status`: on disk, and of a commit that is checked out afresh.

Each number makes a pipeline of its own (`generated.py`), which DVC runs; then one thing after another is changed. To look into
one: `Made(NUMBER, folder).make()`.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.versioning.generated import CHANGES, Made, git
from versioning import pipeline as dvc
from versioning.errors import Malformed
from versioning.git import Repository
from versioning.snapshot import CommitSnapshot, DiskSnapshot, Snapshot

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

PIPELINES, ROUNDS = 5, 2
ERROR = "cannot be read"


def dvc_says(made: Made) -> set[str] | str:
    """The stages that `dvc status` lists, in this process; ERROR where it stops, as at an output that `.dvcignore` names.

    Two of its words do not make a release untrue, and test_pipeline.py tells why: that a stage always changes, and that an
    output which DVC keeps is not the one on disk.
    """
    from dvc.repo import Repo

    try:
        with Repo(str(made.folder)) as repo:
            status = repo.status()
            kept = {str(out) for stage in repo.index.stages for out in stage.outs if out.use_cache}
    except Exception:  # noqa: BLE001 - whatever it raises, it gives no verdict
        return ERROR
    return {name for name, said in status.items() if not name.endswith(".dvc") and any(_speaks(part, kept) for part in said)}


def _speaks(part: Any, kept: set[str]) -> bool:
    return bool(set(part.get("changed outs", {"": ""})) - kept) if isinstance(part, dict) else part != "always changed"


def we_say(snapshot: Snapshot) -> set[str] | str:
    try:
        pipeline = dvc.load(snapshot)
        return {difference.stage for difference in dvc.Comparison(snapshot, pipeline).stale(pipeline.stages)}
    except Malformed:
        return ERROR


def judged(made: Made, what: str) -> Iterator[tuple[str, set[str] | str, set[str] | str]]:
    with Repository(made.folder) as repository:
        yield f"{what} on disk", we_say(DiskSnapshot(repository)), dvc_says(made)
    head = made.commit()
    made.check_out()
    with Repository(made.folder) as repository:
        yield f"{what} in a commit", we_say(CommitSnapshot(repository, head)), dvc_says(made)


@pytest.mark.parametrize("number", range(PIPELINES))
def test_a_generated_pipeline(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(number, tmp_path / "repo")
    made.folder.mkdir()
    monkeypatch.chdir(made.folder)
    made.make()
    changes = [name for position, name in enumerate(sorted(CHANGES)) for _ in range(ROUNDS) if position % PIPELINES == number]
    for turn, name in enumerate(["nothing", *changes]):
        what = f"{number}/{turn} {name}: {CHANGES[name](made, random.Random(1000 * number + turn))}"
        for where, ours, theirs in judged(made, what):
            assert theirs in (ours, ERROR), where
        made.reset()


def test_the_verdict_in_this_process_is_that_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(PIPELINES, tmp_path / "repo")
    made.folder.mkdir()
    monkeypatch.chdir(made.folder)
    made.make()
    CHANGES["edit"](made, random.Random(2))
    done = subprocess.run([sys.executable, "-m", "dvc", "status", "--json"], cwd=made.folder, capture_output=True, check=True)
    listed = {name for name in dvc_says(made) if f'"{name}"' in done.stdout.decode()}
    assert listed == dvc_says(made) != set()


# --- parts of it, many times ------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from(["", "a", "0", "1.0", "a.b", "ü"])
NAMES = st.sampled_from(["a", "b", "0", "1", "ü", "x-y", "A", "a b"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4), st.lists(NAMES | st.sampled_from(["-1", "01", "2"]), min_size=1, max_size=4))
@example({"a": [1, 2]}, ["a", "-1"])
@example({"a": [1, 2]}, ["a", "-3"])
@example({"a": {1: 2}}, ["a", "1"])
def test_a_dotted_key_finds_what_dvc_finds(values: dict[str, Any], parts: list[str]) -> None:
    import dpath

    key = ".".join(parts)
    mark = dvc.lookup({}, "nothing")
    try:
        expected = dpath.get(values, key, separator=".")
    except KeyError:
        expected = mark
    assert dvc.lookup(values, key) is expected or dvc.lookup(values, key) == expected


LINES = st.sampled_from(
    ["a", "b/", "/a", "*.t", "!a", "!b/", "a/b", "**/c.t", "b/**", "a/*", "!*.t", "*", "!*/", "# a", "", "\\#a", " a ", "[ab]", "c?t", "!/a/b/c.t", "a/**/c.t"]
)  # fmt: skip
PLACES = [f"{above}{name}" for above in ("", "a/", "b/", "a/b/", "a/a/", "b/a/") for name in ("c.t", "#a", "d")]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=5), st.sampled_from(["", "a", "a/b", "b"]), st.lists(LINES, max_size=3))
def test_dvcignore_hides_what_dvc_does_not_see(lines: list[str], folder: str, nearer: list[str]) -> None:
    import tempfile

    from dvc.fs import LocalFileSystem
    from dvc.ignore import DvcIgnoreFilter

    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        git(top, "init", "-q")
        for place in PLACES:
            (top / place).parent.mkdir(parents=True, exist_ok=True)
            (top / place).write_text("")
        (top / folder / ".dvcignore").write_text("\n".join(nearer))
        if folder:
            (top / ".dvcignore").write_text("\n".join(lines))
        fs = LocalFileSystem()
        seen = {str(Path(path).relative_to(top)) for path in DvcIgnoreFilter(fs, str(top)).find(fs, str(top))}
        with Repository(top) as repository:
            ignore = dvc.DvcIgnore(DiskSnapshot(repository))
            ours = {place for place in PLACES if not ignore.hides(place)}
    assert ours == {place for place in seen if place in PLACES}


# --- many files -------------------------------------------------------------------------------------------------------


def test_folders_of_ten_thousand_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(0, tmp_path / "repo")
    for number in range(10_000):
        made.write(f"images/{number % 40}/ü{number}.txt", f"{number}\n")
    git(made.folder, "init", "-q", "-b", "main")
    monkeypatch.chdir(made.folder)
    from dvc.repo import Repo

    Repo.init(".").close()
    copy = {"cmd": "mkdir -p made && cp -r images/. made/", "deps": ["images"], "outs": ["made"]}
    made.stages = {"copy": copy, "part": {"cmd": "ls made/1 > part.txt", "deps": ["made/1"], "outs": ["part.txt"]}}
    made.dump()
    made.reproduce()
    made.commit()
    assert [(ours, theirs) for _, ours, theirs in judged(made, "nothing")] == [(set(), set())] * 2
    made.write("images/1/ü1.txt", "other\n")
    assert [(ours, theirs) for _, ours, theirs in judged(made, "one file")] == [({"copy"}, {"copy"})] * 2
