"""What other repositories hold of our tags."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

from .errors import GitError
from .git import Repository

_PATIENCE = 3.0


def holder(repository: Repository, tag: str) -> str | None:
    """The remote that holds a tag, or None.

    Each remote is asked once, three seconds at most. One that does not answer is judged by our own record of the tags that
    were pushed to it or fetched from it.
    """
    ref = f"refs/tags/{tag}"
    for remote in repository.run("remote", check=False).split():
        try:
            if repository.run("ls-remote", remote, ref, timeout=_PATIENCE).strip():
                return remote
        except (GitError, subprocess.TimeoutExpired):
            if ref in _record(repository):
                return f"{remote} (not reachable now; it was pushed there or fetched from there)"
    return None


def remember(repository: Repository, tags: list[str]) -> None:
    """Record that tags are known to a remote."""
    known = _record(repository)
    fresh = [f"refs/tags/{tag}" for tag in tags if f"refs/tags/{tag}" not in known]
    if fresh:
        with suppress(OSError):
            _file(repository).parent.mkdir(parents=True, exist_ok=True)
            with _file(repository).open("a", encoding="utf-8") as stream:
                stream.write("".join(f"{ref}\n" for ref in fresh))


def known(repository: Repository) -> set[str]:
    """The tags that were pushed from here or fetched, by our own record."""
    return {ref.removeprefix("refs/tags/") for ref in _record(repository) if ref}


def _record(repository: Repository) -> set[str]:
    # The reference-transaction shim appends what a fetch brings, in plain sh.
    try:
        return set(_file(repository).read_text("utf-8").split("\n"))
    except OSError:
        return set()


def _file(repository: Repository) -> Path:
    return repository.common_dir / "model-gate" / "held"
