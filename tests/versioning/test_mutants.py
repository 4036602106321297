"""From a release that is true, any one thing changed: what `git tag` lets through, and why it may."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.versioning import small
from tests.versioning.mutants import mutants, places, with_value
from versioning import documents, judge, snapshot
from versioning.findings import as_text
from versioning.git import Repository

SIDECAR, POINTER = small.SIDECAR, f"{small.DATA}.dvc"
#: What gets through, `FILE:PATH HOW`, and why that is no lie. A line that explains nothing any more fails the tests.
SURVIVORS: dict[str, str] = {
    # The sidecar: what no file of the repository says a second time.
    f"{SIDECAR}:created_by *": "who described it; Git's own author and tagger stand beside it",
    f"{SIDECAR}:environment.python *": "of the machine that trained; only `model reproduce` can tell",
    f"{SIDECAR}:environment.platform *": "of the machine that trained; only `model reproduce` can tell",
    f"{SIDECAR}:tags.experiment_id *": "a note of DVC's, gone with the experiment",
    # The sidecar: what a schema of version 1 does not require, and no checklist asks for.
    f"{SIDECAR}:tags is gone": "optional, and says again what stands elsewhere",
    f"{SIDECAR}:tags is {{}}": "optional, and says again what stands elsewhere",
    f"{SIDECAR}:tags.data_snapshot is gone": "optional, and says again what stands elsewhere",
    f"{SIDECAR}:tags.approved is gone": "optional, and may be false only",
    f"{SIDECAR}:evaluation.? has its neighbour's place": "the order means nothing",
    # Equal, as DVC compares.
    "params.yaml:* is 42.0": "an equal number: `dvc status` is silent",
    "params.yaml:* is 2": "an equal number: `dvc status` is silent",
    "params.yaml:* is 1000.0": "an equal number: `dvc status` is silent",
    "params.yaml: has a note more": "a parameter that no stage takes",
    "params.yaml:data has a note more": "a parameter that no stage takes",
    # The data pointer and the lock: the hash is what counts, and that is compared.
    f"{POINTER}:*has a note more": "nothing reads it",
    f"{POINTER}:outs has its first twice": "said twice is as true",
    f"{POINTER}:outs.0 is there twice": "said twice is as true",
    f"{POINTER}:outs.0.hash is gone": "the name of the algorithm; DVC 2 wrote none",
    f"{POINTER}:outs.0.hash has its key in other case": "the name of the algorithm; DVC 2 wrote none",
    f"{POINTER}:outs.0.size is gone": "claims nothing; the hash does",
    f"{POINTER}:outs.0.size is None": "claims nothing; the hash does",
    f"{POINTER}:outs.0.size has its key in other case": "claims nothing; the hash does",
    "dvc.lock:*has a note more": "nothing reads it",
    "dvc.lock:*.[do]*.* has its neighbour's place": "the order means nothing",
    "dvc.lock:*.deps.*.hash is gone": "the name of the algorithm; DVC 2 wrote none",
    "dvc.lock:*.deps.*.hash has its key in other case": "the name of the algorithm; DVC 2 wrote none",
    "dvc.lock:*.size is gone": "claims nothing; the hash does",
    "dvc.lock:*.size is None": "claims nothing; the hash does",
    "dvc.lock:*.size has its key in other case": "claims nothing; the hash does",
    # The pipeline: as `dvc status`, which compares what is declared. Undeclaring changes no byte of what was made.
    "dvc.yaml:*has a note more": "nothing reads it",
    "dvc.yaml:*has its first twice": "said twice is as true",
    "dvc.yaml:*.* is there twice": "said twice is as true",
    "dvc.yaml:*.* has its neighbour's place": "the order means nothing",
    "dvc.yaml:artifacts.*.desc *": "words for people",
    "dvc.yaml:stages.*.deps*": "what is declared no more is not compared, by DVC neither",
    "dvc.yaml:stages.*.params*": "what is declared no more is not compared, by DVC neither",
    "dvc.yaml:stages.evaluate.metrics*": "the metrics file is compared with the lock by ME01, declared or not",
    "dvc.yaml:stages.sidecar *": "describes, and makes nothing",
}


@pytest.fixture
def repository(tmp_path: Path) -> small.Small:
    return small.build(tmp_path / "small")


@pytest.fixture(autouse=True)
def quick_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read what was read before from memory, and JSON, which is YAML 1.2, as JSON: the verdict is the same, in a fifth of the time."""
    known: dict[bytes, bytes] = {}
    read = documents.load_yaml

    def load(content: bytes) -> Any:
        if content not in known:
            try:
                value = json.loads(content) or {}
            except ValueError:
                value = read(content)
            known[content] = pickle.dumps(value)
        return pickle.loads(known[content])  # noqa: S301 (our own)

    monkeypatch.setattr(snapshot, "load_yaml", load)


def test_quick_yaml_is_right(repository: small.Small) -> None:
    for file in ("dvc.lock", "dvc.yaml", "params.yaml", POINTER):
        value = documents.load_yaml(repository.files[file])
        assert documents.load_yaml(as_json(value)) == value
        assert all(
            documents.load_yaml(as_json(mutant.value)) == (mutant.value or {}) for mutant in [*mutants(value, thin=True)][::50]
        )


def survivors(repository: small.Small, trials: Iterable[tuple[str, dict[str, bytes | None]]]) -> tuple[list[str], int]:
    """The trials in which nothing is found, and how many there were; an exception is no finding."""
    through, count, crashes = [], 0, []
    with Repository(repository.path) as opened:
        for label, changes in trials:
            count += 1
            try:
                report = judge.tagged(opened, repository.version, repository.forge(changes))
            except Exception:  # noqa: BLE001 (all that a rule did not expect)
                crashes.append(f"{label}\n{traceback.format_exc()}")
                continue
            if report is None or not report.findings:
                through.append(label)
    assert not crashes, f"{len(crashes)} crashes, the first:\n{crashes[0]}"
    return through, count


def explained(file: str, through: list[str], count: int) -> None:
    """Fail for a survivor that no line of the table explains, and for a line that explains none."""
    lines = {pattern for pattern in SURVIVORS if pattern.startswith(f"{file}:")}
    used = {pattern for pattern in lines for label in through if fnmatchcase(label, pattern)}
    surprising = [label for label in through if not any(fnmatchcase(label, pattern) for pattern in lines)]
    assert not surprising, f"{len(surprising)} of {count} mutants of {file} get through, and nobody says why:\n" + "\n".join(
        surprising
    )
    assert used == lines, f"of {count} mutants of {file} these are refused by now, so they need no excuse: {sorted(lines - used)}"


def as_json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def of_document(file: str, document: Any, *, thin: bool = False) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    for mutant in mutants(document, thin=thin):
        yield f"{file}:{mutant.path} {mutant.how}", {file: as_json(mutant.value)}


#: The files and whether their mutants are thinned out: `dvc.lock` and `dvc.yaml` say the same kinds of things many times.
DOCUMENTS = {small.SIDECAR: False, small.METRICS: False, "params.yaml": False, POINTER: False, "dvc.lock": True, "dvc.yaml": True}


@pytest.mark.parametrize("file", DOCUMENTS)
def test_no_field_can_be_changed(repository: small.Small, file: str) -> None:
    read = json.loads if file.endswith(".json") else documents.load_yaml
    through, count = survivors(repository, of_document(file, read(repository.files[file]), thin=DOCUMENTS[file]))
    explained(file, through, count)


CODE = [f"{small.SRC}/{name}.py" for name in small.MODULES]


def of_lines(file: str, content: bytes) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """A text with one of its lines gone, doubled or touched, as a whole empty or gone."""
    lines = content.splitlines(keepends=True)
    for at, line in enumerate(lines):
        for how, others in {
            "is gone": [],
            "is there twice": [line, line],
            "has a comment": [line.rstrip() + b"  # a word\n"],
            "has a space": [line.rstrip() + b" \n"],
            "has a carriage return": [line.rstrip() + b"\r\n"],
            "has a tab": [line.replace(b"    ", b"\t", 1)] if line.startswith(b"    ") else [b"\n", line],
            "has another letter": [line[:1].swapcase() + line[1:]] if line[:1].isalpha() else [b"#" + line],
        }.items():
            yield f"{file}:{at} {how}", {file: b"".join([*lines[:at], *others, *lines[at + 1 :]])}
    yield f"{file}: is empty", {file: b""}
    yield f"{file}: has no last line break", {file: content.rstrip()}
    yield f"{file}: is gone", {file: None}


@pytest.mark.parametrize("file", [*CODE, "requirements.lock"])
def test_no_line_of_the_code_can_be_changed(repository: small.Small, file: str) -> None:
    through, count = survivors(repository, of_lines(file, repository.files[file]))
    explained(file, through, count)


@pytest.mark.parametrize("file", [small.FEATURES, small.ARTIFACT, *small.REPORTS])
def test_no_byte_that_dvc_keeps_can_be_changed(repository: small.Small, file: str) -> None:
    """The stored bytes of the feature spec, the model and its reports: the commit is the true one, the cache lies."""
    true = (repository.path / file).read_bytes()
    wrong = [true + b"\n", true[:-1], true[1:], b"", true.replace(b"a", b"b", 1)]
    if file == small.FEATURES:
        wrong += [as_json(mutant.value) for mutant in mutants(json.loads(true))]
    place, through = repository.cached(file), []
    with Repository(repository.path) as opened:
        for content in wrong:
            swapped = place.with_name("swapped")
            swapped.write_bytes(content)
            swapped.replace(place)
            report = judge.tagged(opened, repository.version, repository.commit)
            if report is None or {finding.code for finding in report.findings} != {"AR03"}:
                through.append(content)
    assert not through, f"{len(through)} of {len(wrong)} contents of {file} get through: {through[0]!r}"


# --- values that nobody thought of ------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
QUIET = settings(
    deadline=None, derandomize=True, database=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("file", DOCUMENTS)
@QUIET
@given(data=st.data())
def test_no_other_value_gets_through(repository: small.Small, file: str, data: st.DataObject) -> None:
    document = (json.loads if file.endswith(".json") else documents.load_yaml)(repository.files[file])
    mutant = data.draw(
        st.sampled_from(places(document)).flatmap(lambda keys: VALUES.map(lambda value: with_value(document, keys, value)))
    )
    assume(mutant.value != document)
    through, _ = survivors(repository, [(f"{file}:{mutant.path} {mutant.how}", {file: as_json(mutant.value)})])
    assert all(any(fnmatchcase(label, pattern) for pattern in SURVIVORS) for label in through), through


# --- near misses ------------------------------------------------------------------------------------------------------


def shuffled(value: Any, chance: Random) -> Any:
    """The same value with the keys of its mappings in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], chance) for key in chance.sample(list(value), len(value))}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def rewritten(file: str, content: bytes, chance: Random) -> bytes:
    """The same document as another program, or a person, would write it."""
    if file.endswith(".json"):
        value = shuffled(json.loads(content), chance)
        text = json.dumps(value, indent=chance.choice([None, 0, 1, 4, "\t"]), ensure_ascii=chance.choice([True, False]))
        return (chance.choice(["", "\n", "  "]) + text + chance.choice(["", "\n", "\r\n\n"])).encode()
    stream, writer = io.StringIO(), YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = chance.choice([True, False, None]), chance.choice([40, 80, 4096])
    writer.indent = chance.choice([2, 4, 6])
    writer.dump(shuffled(documents.load_yaml(content), chance), stream)
    return (chance.choice(["", "# a word\n", "---\n", "\n\n"]) + stream.getvalue() + chance.choice(["", "# the end\n"])).encode()


@settings(QUIET, max_examples=25)
@given(
    files=st.sets(st.sampled_from([SIDECAR, "dvc.lock", "params.yaml", "dvc.yaml", POINTER, "versioning.yaml"])),
    seed=st.integers(),
)
def test_what_means_the_same_is_the_same(repository: small.Small, files: set[str], seed: int) -> None:
    """Formatting, order of keys, comments, line ends. Not of the metrics file: its hash stands in dvc.lock."""
    chance = Random(seed)
    commit = repository.forge({file: rewritten(file, repository.files[file], chance) for file in sorted(files)})
    with Repository(repository.path) as opened:
        report = judge.tagged(opened, repository.version, commit)
    assert report is not None and not report.findings, as_text(report)


UNRELATED: dict[str, dict[str, bytes | None]] = {
    "a README": {"README.md": b"# Another\n"},
    "a README with carriage returns": {"README.md": b"# Another\r\n"},
    "a notebook": {"notebooks/explore.ipynb": b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'},
    "a module that no stage uses": {f"{small.SRC}/serve.py": b"import os\n"},
    "a test": {"tests/test_more.py": b"def test_more():\n    assert True\n"},
    "labels beside the model": {"models/labels.json": b'{"0": "No", "1": "Yes"}'},
    "a word of a team": {"CODEOWNERS": b"* @ada\n"},
    "nothing at all": {},
}


@pytest.mark.parametrize("what", UNRELATED)
def test_what_says_nothing_of_the_model_is_free(repository: small.Small, what: str) -> None:
    assert survivors(repository, [(what, UNRELATED[what])]) == ([what], 1)


def test_a_bump_of_the_version_alone(repository: small.Small) -> None:
    """As `model stamp` leaves it: the version in params.yaml, in the lock of the sidecar's stage and in the sidecar."""
    old, new = repository.version.encode(), b"v0.3.0"
    changes = {file: repository.files[file].replace(old, new) for file in ("params.yaml", "dvc.lock", SIDECAR)}
    assert all(repository.files[file].count(old) == 1 for file in changes)
    with Repository(repository.path) as opened:
        report = judge.tagged(opened, "v0.3.0", repository.forge(changes))
    assert report is not None and not report.findings, as_text(report)


# --- git itself -------------------------------------------------------------------------------------------------------


def test_git_tag_says_what_the_judge_says(repository: small.Small, home: Path) -> None:
    """The verdicts above were asked for in process; a few of each kind through `git tag` and its hook."""
    (repository.path / ".venv").symlink_to(sys.prefix)
    rules = Path(judge.__file__).parents[1]
    install = [sys.executable, "-B", "-m", "versioning", "hooks", "install"]  # no bytecode into the template
    subprocess.run(install, cwd=repository.path, env={**os.environ, "PYTHONPATH": str(rules)}, check=True, capture_output=True)
    trials = [
        *list(of_document(SIDECAR, json.loads(repository.files[SIDECAR])))[7::97],
        *list(of_document("dvc.lock", documents.load_yaml(repository.files["dvc.lock"]), thin=True))[5::300],
        *list(of_lines(CODE[0], repository.files[CODE[0]]))[:1],
        ("a README", UNRELATED["a README"]),
    ]
    through, count = survivors(repository, trials)
    assert 0 < len(through) < count
    for label, changes in trials:
        commit = repository.forge(changes)
        subprocess.run(["git", "branch", "-f", "on-trial", commit], cwd=repository.path, check=True)
        command = ["git", "tag", "-a", repository.version, "-m", "On trial", commit]
        done = subprocess.run(command, cwd=repository.path, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == (label in through), f"{label}\n{done.stderr}"
        subprocess.run(["git", "tag", "-d", repository.version], cwd=repository.path, capture_output=True, check=False)


FOUND: dict[str, tuple[str, tuple[str | int, ...], Any, str]] = {
    "parameters that are a number": ("dvc.lock", ("stages", "train", "params"), 1, "is no lock that DVC reads"),
    "a file of parameters that is a list": (
        "dvc.lock",
        ("stages", "train", "params", "params.yaml"),
        [1],
        "is no lock that DVC reads",
    ),
    "a data id that is a list": ("dvc.lock", ("stages", "sidecar", "params", "params.yaml", "data.id"), ["x"], "recorded ['x']"),
    "an output without a hash": ("dvc.lock", ("stages", "featurize", "outs", 1, "md5"), "", "did not make it when it ran"),
    "a hash of another kind": ("dvc.lock", ("stages", "train", "outs", 0, "hash"), "md0", "is no lock that DVC reads"),
    "a size that is text": ("dvc.lock", ("stages", "prepare", "outs", 0, "size"), "41", "is no lock that DVC reads"),
    "a model of a list of paths": ("dvc.yaml", ("artifacts", small.MODEL, "path"), ["x"], "with the path ['x']"),
    "a pointer without a hash": (POINTER, ("outs", 0, "md5"), "", "is no pointer that DVC reads"),
    "a pointer to the folder it is in": (POINTER, ("outs", 0, "path"), "", "is no pointer that DVC reads"),
    "data of no path": ("params.yaml", ("data", "path"), None, "says nothing that is a path under data.path"),
}


@pytest.mark.parametrize("what", FOUND)
def test_what_once_got_through_or_ended_in_a_traceback(repository: small.Small, what: str) -> None:
    file, keys, value, says = FOUND[what]
    changed = with_value(documents.load_yaml(repository.files[file]), keys, value).value
    with Repository(repository.path) as opened:
        report = judge.tagged(opened, repository.version, repository.forge({file: as_json(changed)}))
    assert report is not None and says in as_text(report), what
    assert all(finding.hint for finding in report.findings)
