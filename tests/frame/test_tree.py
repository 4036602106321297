"""The repository itself: nothing in it that belongs to one machine, and nothing in the template that is not shipped."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = "{{cookiecutter.__project_slug}}"
# Written so that no pattern finds itself.
STRANGE = {
    "a folder of one machine": r"/(?:root|home/[a-z]+|Users/[a-z]+|work/[a-z]+|tmp/[a-z])/",
    "a folder beside the repository": r"[.][.]/shared",
    "a package index": r"(?:pypi|pythonhosted|npmjs|debian)[.]org",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a cloud's access key": r"\bA(?:KIA|SIA)[0-9A-Z]{16}\b",
    "a token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|glpat-[0-9A-Za-z_-]{20}|xox[abp]-[0-9A-Za-z-]{10,})",
}


def _git(*arguments: str) -> list[str]:
    command = ["git", "-C", str(REPOSITORY), "ls-files", "-z", *arguments]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return [name for name in listed.split("\0") if name]


def _texts() -> list[tuple[str, str]]:
    """Every file that is tracked, or would be by `git add -A`."""
    names = _git("--cached", "--others", "--exclude-standard")
    files = [(name, REPOSITORY / name) for name in names]
    return [(name, path.read_bytes().decode("utf-8", "replace")) for name, path in files if path.is_file()]


@pytest.mark.parametrize("what", STRANGE)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(STRANGE[what])
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], what


def test_git_ignores_no_file_that_cookiecutter_would_copy() -> None:
    """Also caches of Python: cookiecutter copies all that lies in the template's folder."""
    ignored = _git("--others", "--ignored", "--exclude-standard", "--", f":(literal){TEMPLATE}")
    assert ignored == [], "remove caches; `git add -f` what an inner .gitignore hides"


def test_the_template_has_no_empty_folder() -> None:
    """Git would not bring it along, cookiecutter would copy it."""
    empty = [str(path) for path in (REPOSITORY / TEMPLATE).rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert empty == []


def test_ci_runs_what_the_readme_says() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "exec python3 dev.py test"


def test_every_tracked_text_ends_its_lines_as_git_stores_them() -> None:
    """Where a file's bytes are hashed, a carriage return that one platform adds makes another model's data."""
    names = {line.split("\t")[1] for line in _eol() if line.startswith(("i/crlf", "i/mixed"))}
    assert {name for name in names if not name.endswith(".csv")} == set()


def _eol() -> list[str]:
    command = ["git", "-C", str(REPOSITORY), "ls-files", "--eol"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
