"""Notebooks: stored without outputs, kept with them on disk, and in nobody's way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from versioning import notebooks

from .conftest import MODEL, Project, copy_of, shell_environment

EXPLORE = "notebooks/explore.ipynb"


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def code(source: str, *outputs: str, count: int | None = None, **metadata: Any) -> dict[str, Any]:
    shown = [{"name": "stdout", "output_type": "stream", "text": [text]} for text in outputs]
    return {"cell_type": "code", "execution_count": count, "id": "a", "metadata": metadata, "outputs": shown, "source": [source]}


def as_bytes(content: dict[str, Any]) -> bytes:
    """As Jupyter writes it."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


# --- what is taken out ------------------------------------------------------------------------------------------------


def test_outputs_counts_and_traces_of_a_session_are_taken_out() -> None:
    text = {"cell_type": "markdown", "id": "b", "metadata": {"tags": ["x"]}, "source": ["# Ünder"]}
    ran = notebook(
        text, code("1 + 1", "2\n", count=7, execution={"iopub.status.busy": "now"}, scrolled=True, collapsed=False, mine=1),
        kernelspec={"name": "python3"}, language_info={"name": "python", "version": "3.12.1"}, widgets={"state": {}},
    )  # fmt: skip
    stored = notebook(text, code("1 + 1", mine=1), kernelspec={"name": "python3"}, language_info={"name": "python"})
    assert notebooks.stripped(as_bytes(ran)) == as_bytes(stored)
    assert notebooks.stripped(as_bytes(stored)) == as_bytes(stored)


def test_a_tagged_cell_keeps_its_output() -> None:
    for kept in (code("1", "1", count=1, tags=["keep_output"]), code("1", "1", count=1, keep_output=True)):
        assert notebooks.stripped(as_bytes(notebook(kept))) == as_bytes(notebook(kept))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"cells": 3}', b'<<<<<<< HEAD\n{"cells": []}\n', b'{"cells": [{}], "metadata": {}}', b"[" * 100_000],
    ids=str,
)  # fmt: skip
def test_what_is_no_notebook_passes_as_it_is(content: bytes) -> None:
    assert notebooks.stripped(content) == content


@pytest.mark.parametrize("indent", [None, 2, 4])
def test_where_there_is_nothing_to_take_no_byte_changes(indent: int | None) -> None:
    content = json.dumps(notebook(code("x = 1")), indent=indent).encode()
    assert notebooks.stripped(content) == content


def test_it_takes_what_nbstripout_takes() -> None:
    ran = as_bytes(notebook(code("1 + 1", "2\n", count=3, collapsed=True, execution={}), code("", count=1)))
    command = [sys.executable, "-m", "nbstripout", "--keep-id", "--verify"]
    assert subprocess.run(command, input=ran, capture_output=True, check=False).returncode == 1
    assert subprocess.run(command, input=notebooks.stripped(ran), capture_output=True, check=False).returncode == 0


def test_half_a_character_is_written_as_it_was() -> None:
    ran = as_bytes(notebook(code("x = 'HALF ü 😀'", "HALF", count=1))).replace(b"HALF", rb"\ud83d")
    assert notebooks.stripped(ran) == as_bytes(notebook(code("x = 'HALF ü 😀'"))).replace(b"HALF", rb"\ud83d")


@pytest.mark.parametrize("number", ["1e400", "-1E5", "1.10", "-0", "-0.0", "0.1", "3", "9" * 5000, "1" * 400 + ".5", "NaN"])
def test_a_number_is_written_as_it_was(number: str) -> None:
    ran = as_bytes(notebook(code("1", "1", count=1), mine="NUMBER"))
    stored = as_bytes(notebook(code("1"), mine="NUMBER"))
    assert notebooks.stripped(ran.replace(b'"NUMBER"', number.encode())) == stored.replace(b'"NUMBER"', number.encode())


def test_the_state_of_a_widget_stays_with_the_output_that_shows_it() -> None:
    view = {
        "output_type": "display_data",
        "data": {"application/vnd.jupyter.widget-view+json": {"model_id": "m"}},
        "metadata": {},
    }
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"m": {}}}}
    shown = code("1", tags=["keep_output"]) | {"outputs": [view]}
    ran = notebook(shown, code("2", "2", count=1), widgets=state)
    assert notebooks.stripped(as_bytes(ran)) == as_bytes(notebook(shown, code("2"), widgets=state))
    for cell in (code("1") | {"outputs": [view]}, code("1", "1", tags=["keep_output"])):
        assert b"widget-state" not in notebooks.stripped(as_bytes(notebook(cell, widgets=state)))


def test_what_the_filter_cannot_take_out_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hint would end that refusal."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    ran = notebook(code("1", "1", count=1))
    for name, content in (("a.ipynb", ran), ("b.ipynb", {"cells": ran["cells"]})):
        (tmp_path / name).write_bytes(as_bytes(content))
    subprocess.run(["git", "add", "-A"], check=True)
    assert (notebooks.check(["a.ipynb"]), notebooks.check(["b.ipynb"])) == (1, 0)


# --- in a repository --------------------------------------------------------------------------------------------------


def execute(project: Project, path: str = EXPLORE) -> str:
    """Run a notebook in its place, as an editor does, and return what it showed."""
    place = project.path / path
    content = nbformat.read(place, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in project.environment.items():
            patch.setenv(name, value)
        NotebookClient(content, kernel_name="python3", resources={"metadata": {"path": str(place.parent)}}).execute()
    nbformat.write(content, place)
    outputs = [output for cell in content.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"], outputs
    return "\n".join(output.get("text") or output["data"]["text/plain"] for output in outputs)


def with_output(project: Project, path: str, source: str = "1") -> None:
    project.write(path, as_bytes(notebook(code(source, "a long output\n" * 50, count=1))).decode())


def stored(project: Project, path: str, revision: str = "HEAD") -> dict[str, Any]:
    return json.loads(project.git("show", f"{revision}:{path}"))


def test_the_notebook_as_it_is_generated(project: Project) -> None:
    content = nbformat.read(project.path / EXPLORE, as_version=4)
    nbformat.validate(content)
    assert notebooks.stripped((project.path / EXPLORE).read_bytes()) == (project.path / EXPLORE).read_bytes()
    assert json.loads(project.read(EXPLORE))["nbformat_minor"] == 5


@pytest.mark.filterwarnings("ignore:Proactor event loop", "default::ResourceWarning", "default::DeprecationWarning")
def test_it_runs_before_the_first_release_and_compares_after_it(project: Project) -> None:
    said = execute(project)
    assert "There is no release v0.1.0 here" in said and "0 of 1409 rows are predicted differently" in said
    project.git("add", "-A")
    assert project.git("status", "--porcelain") == "", "outputs are no change"
    project.tag("v0.1.0")
    project.git("push", "-q", "--follow-tags")
    project.replace("params.yaml", "C: 1.0", "C: 0.0001")
    project.dvc("repro")
    project.commit("Train a poor model")
    before = project.git("status", "--porcelain"), (project.path / f"models/{MODEL}.skops").read_bytes()
    said = execute(project)
    assert "There is no release" not in said and "0 of 1409" not in said and "of 1409 rows are predicted differently" in said
    assert "0.841714" in said, "the metrics of the release, beside those of the working tree"
    project.git("add", "-A")
    assert (project.git("status", "--porcelain"), (project.path / f"models/{MODEL}.skops").read_bytes()) == before
    assert "of 1409 rows are predicted differently" in project.read(EXPLORE), "on disk they are kept"
    assert project.model("release", "minor").startswith("released v0.2.0")


def test_what_is_committed_has_no_outputs_and_the_file_on_disk_has(released: Project) -> None:
    with_output(released, "notebooks/ünder way.ipynb")
    kept = released.read("notebooks/ünder way.ipynb")
    released.commit("A notebook")
    assert stored(released, "notebooks/ünder way.ipynb")["cells"][0]["outputs"] == []
    assert released.read("notebooks/ünder way.ipynb") == kept
    assert released.git("status", "--porcelain") == ""
    with_output(released, "notebooks/ünder way.ipynb", source="2")
    released.git("commit", "-q", "-a", "-m", "Another line")
    assert stored(released, "notebooks/ünder way.ipynb")["cells"][0]["source"] == ["2"]
    assert released.git("status", "--porcelain") == ""
    for there in ("v0.1.0", "main", "HEAD~1", "main"):
        released.git("checkout", "-q", there)
    assert released.git("status", "--porcelain") == ""


def test_it_holds_up_no_release(released: Project) -> None:
    with_output(released, EXPLORE)
    released.write("notebooks/half.ipynb", '{"cells": [')
    released.replace("params.yaml", "version: v0.1.0", "version: v0.1.1")
    released.replace(f"src/{MODEL.replace('-', '_')}/serve.py", "To come", "Soon to come")
    released.git("add", "src", "params.yaml")
    released.git("commit", "-q", "-m", "Say when")
    assert "up to date" not in released.dvc("repro")
    assert not released.trained()
    released.git("commit", "-q", "-m", "Describe", "--", "dvc.lock", f"models/{MODEL}.json")
    released.tag("v0.1.1")
    released.git("push", "-q", "--follow-tags")
    assert "v0.1.1" in released.remote_tags()
    assert sorted(released.git("status", "--porcelain").split()) == ["??", "M", EXPLORE, "notebooks/half.ipynb"], released.story


def test_a_worktree_and_a_colleague_store_without_outputs_too(released: Project, tmp_path: Path, home: Path) -> None:
    released.git("worktree", "add", "-q", "-b", "aside", str(tmp_path / "a side"))
    aside = Project(tmp_path / "a side", released.environment)
    with_output(aside, "notebooks/aside.ipynb")
    aside.commit("Aside")
    assert stored(aside, "notebooks/aside.ipynb")["cells"][0]["outputs"] == []
    bare = released.path.with_name(f"{released.path.name}-storage") / "git"
    released.ok("git", "clone", "-q", str(bare), str(tmp_path / "theirs"))
    theirs = Project(tmp_path / "theirs", shell_environment(home, tmp_path / "theirs"))
    with_output(theirs, EXPLORE)
    assert theirs.run("git", "status", "--porcelain").output == f" M {EXPLORE}\n", "a clone that is not set up"
    theirs.ok("python3", "-m", "versioning", "setup", "--no-install")
    theirs.commit("Mine")
    assert stored(theirs, EXPLORE)["cells"][0]["outputs"] == []


def test_it_works_without_the_environment_and_without_the_rules(released: Project) -> None:
    (released.path / ".venv").unlink()
    with_output(released, EXPLORE)
    assert released.run("git", "add", EXPLORE).output == ""
    assert json.loads(released.git("show", f":{EXPLORE}"))["cells"][0]["outputs"] == []
    gate = released.path / ".git/model-gate"
    gate.rename(gate.with_name("gone"))
    with_output(released, EXPLORE, source="2")
    done = released.run("git", "add", EXPLORE)
    assert (done.status, done.output) == (0, "")
    assert json.loads(released.git("show", f":{EXPLORE}"))["cells"][0]["outputs"]
    gate.with_name("gone").rename(gate)


def test_a_commit_with_outputs_is_refused_with_one_command(released: Project) -> None:
    released.git("config", "--unset", f"{notebooks.FILTER}.clean")
    for name in ("notebooks/a b.ipynb", "notebooks/c.ipynb"):
        with_output(released, name)
    released.git("add", "-A")
    said = released.refused("git", "commit", "-q", "-m", "With outputs")
    assert "notebooks/a b.ipynb is staged with outputs\nnotebooks/c.ipynb is staged with outputs\n" in said
    assert released.sh(said.partition("hint: ")[2].splitlines()[0]).status == 0, released.story
    released.git("commit", "-q", "-m", "Without")
    assert stored(released, "notebooks/a b.ipynb")["cells"][0]["outputs"] == []
    assert released.git("status", "--porcelain") == ""


def test_uninstalling_the_hooks_takes_the_filter_away(released: Project) -> None:
    for _ in range(2):
        released.model("hooks", "uninstall")
        assert released.run("git", "config", "--get-regexp", "^filter[.]").output == ""
    for _ in range(2):
        released.model("hooks", "install")
        assert released.git("config", "--get-all", "filter.notebook.clean") == notebooks.COMMAND


def test_an_experiment_and_a_stash_take_a_notebook_along(released: Project) -> None:
    with_output(released, EXPLORE)
    released.git("stash")
    released.git("stash", "pop")
    with_output(released, EXPLORE)
    released.git("add", "-A")
    released.git("commit", "-q", "-m", "A notebook")
    assert released.git("status", "--porcelain") == ""
    with_output(released, EXPLORE, source="3")
    released.dvc("exp", "run", "-S", "train.C=0.5", "-n", "try")
    released.commit("Apply")
    assert stored(released, EXPLORE)["cells"][0] | {"id": ""} == code("3") | {"id": ""}


def test_two_projects_have_no_filter_in_common(trained_once: Path, tmp_path: Path, home: Path) -> None:
    """A moved project goes on: the filter is found from the repository that it is asked in."""
    (tmp_path / "far away").mkdir()
    project = Project(copy_of(trained_once, tmp_path / "far away"), shell_environment(home, tmp_path))
    with_output(project, EXPLORE)
    project.commit("Moved")
    assert stored(project, EXPLORE)["cells"][0]["outputs"] == []
