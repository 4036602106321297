"""The sessions behind `python3 dev.py COMMAND`; they run in the environment that dev.py makes."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
TEMPLATE = ROOT / "{{cookiecutter.__project_slug}}"
LINTED = [
    "dev.py",
    "noxfile.py",
    "demo.py",
    "hooks",
    "template_answers",
    "tests",
    "benchmarks",
    "docs",
    f"{TEMPLATE.name}/versioning",
    f"{TEMPLATE.name}/src",
]
TYPED = ["dev.py", "noxfile.py", "template_answers"]
LOCKS = {
    "runtime": "requirements.lock",
    "parquet": "requirements.parquet.lock",
    "tools": "requirements-dev.lock",
}
# What each needs beyond the tools: appended to their lock where it is chosen, at generation or by `model storage move`.
CLOUDS = ["s3", "gs", "azure"]
PIPELINE_TESTS = [f"tests/versioning/test_pipeline{part}.py" for part in ("", "_below", "_generated")]
COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
COMPILE += ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "none"
nox.options.envdir = ".dev/nox"
nox.options.sessions = ["test"]


def _existing(paths: list[str]) -> list[str]:
    return [path for path in paths if (ROOT / path).exists()]


def _close_with(session: nox.Session, *command: str) -> None:
    """Run the session's last command, whose own last lines are the result to read: nox adds none after it."""
    logging.getLogger("nox").setLevel(logging.CRITICAL)
    session.run(*command)


def _lint(session: nox.Session, *, fix: bool = False) -> None:
    # Named, or ruff would read the template's own pyproject.toml, which is not TOML before it is rendered.
    linted = ["--config", "pyproject.toml", *_existing(LINTED)]
    session.run("ruff", "check", *(["--fix"] if fix else []), *linted)
    session.run("ruff", "format", *([] if fix else ["--check"]), *linted)
    session.run("mypy", *TYPED)
    session.run("mypy", "--package", "versioning")


@nox.session
def test(session: nox.Session) -> None:
    """Lint, types, then pytest; arguments go to pytest, and then nothing else runs."""
    if not session.posargs:
        _lint(session)
    # Bytecode is written, as on a user's machine, but not beside the sources: cookiecutter copies all that lies
    # in the template's folder.
    session.env["PYTHONDONTWRITEBYTECODE"] = None
    session.env["PYTHONPYCACHEPREFIX"] = str(ROOT / ".dev" / "pycache")
    _close_with(session, "python", "-m", "pytest", "-n", "2", "--dist", "worksteal", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Run ruff and mypy; `-- --fix` mends what can be mended."""
    _lint(session, fix="--fix" in session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Tell the ten-minute story, step by step."""
    _close_with(session, "python", "demo.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Write the pages that are made from the code, and build the site strictly, in .dev/site."""
    session.run("python", "docs/_pages.py")
    _close_with(session, "python", "-m", "mkdocs", "build", "--strict")


@nox.session
def newest(session: nox.Session) -> None:
    """Compare our verdicts with those of the newest DVC, or of the one that ARGS name (`dvc==3.56.0`)."""
    # Beside the main environment, not here: cookiecutter copies a local template whole before its first question.
    folder = Path(sys.prefix).parent / "newest"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    session.run("uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
    install = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    session.run(*install, "--requirement", "requirements-dev.lock")
    session.run(*install, "--upgrade", *(session.posargs or ["dvc"]))
    session.run(str(python), "-c", "import dvc; print('DVC', dvc.__version__)")
    session.env.update(PYTHONDONTWRITEBYTECODE=None, PYTHONPYCACHEPREFIX=str(ROOT / ".dev" / "pycache"))
    _close_with(session, str(python), "-m", "pytest", "-n", "2", "--dist", "worksteal", *PIPELINE_TESTS)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what benchmarks/ has, or what is named, and print one table."""
    _close_with(session, "python", "-m", "benchmarks", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Resolve every lock anew, from the index; `-- --upgrade` takes new versions, else pins stay."""
    _compile(session, "requirements-dev.in", ROOT / "requirements-dev.lock", *session.posargs)
    for name, lock_name in LOCKS.items():
        _compile(session, f"requirements/{name}.in", TEMPLATE / lock_name, "--constraint", "requirements-dev.lock")
    tools = _entries(TEMPLATE / LOCKS["tools"])
    for cloud in CLOUDS:
        target = TEMPLATE / "versioning/services" / f"{cloud}.lock"
        _compile(session, f"requirements/{cloud}.in", target, "--constraint", "requirements-dev.lock")
        whole = _entries(target)
        other = [name for name, entry in tools.items() if whole.get(name) != entry]
        if other:
            session.error(f"with {cloud}, the tools' own pins are others: {', '.join(other)}")
        head = f"# dvc[{cloud}]>=3.67\n# beyond requirements-dev.lock and from the same resolution; "
        head += f"`model storage move {cloud}://…` appends it there.\n"
        text = head + "".join(entry for name, entry in whole.items() if name not in tools)
        target.write_text(text, encoding="utf-8", newline="\n")


def _entries(lock: Path) -> dict[str, str]:
    """The lines of each pin by its name."""
    entries: dict[str, str] = {}
    name = ""
    for line in lock.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.startswith("#"):
            name = name if line.startswith(" ") else line.partition("==")[0]
            entries[name] = entries.get(name, "") + line
    return entries


def _compile(session: nox.Session, source: str, target: Path, *options: str) -> None:
    """Write a lock that says what it was made from, but no machine, no path and no index."""
    session.run(*COMPILE, *options, "--output-file", str(target), source, silent=True)
    asked = ", ".join(sorted(_asked_for(ROOT / source)))
    header = f"# {asked}\n# and all that they need, for Python 3.11 and newer on every platform.\n"
    target.write_text(header + target.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def _asked_for(source: Path) -> set[str]:
    names: set[str] = set()
    for line in source.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            names |= _asked_for(source.parent / line[3:])
        elif line and not line.startswith("#"):
            names.add(line)
    return names
