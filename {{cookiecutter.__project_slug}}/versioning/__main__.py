"""`python3 -m versioning VERB`: goes on in the project's own environment, whatever Python it was started with."""

from __future__ import annotations

import os
import sys

_STANDARD_LIBRARY_ONLY = {"setup", "hooks", "doctor"}


def _environment() -> str | None:
    """The Python of the project's environment: of this working tree, else of the main one."""
    import subprocess

    said = subprocess.run(["git", "rev-parse", "--git-common-dir"], capture_output=True, text=True, check=False).stdout.strip()
    places = [os.getcwd(), *([os.path.dirname(os.path.realpath(said))] if said else [])]
    found = [os.path.join(place, ".venv", folder) for place in places for folder in ("bin/python", "Scripts/python.exe")]
    return next((python for python in found if os.path.isfile(python)), None)


def _start() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 (whoever starts us may have an older one)
        print(f"error: Python 3.11 or newer is needed, this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    if not sys.argv[1:]:
        from .glance import answer

        kept = answer(os.getcwd())
        if kept is not None:
            print(kept)
            return 0
    verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    python = _environment()
    inside = python is not None and os.path.realpath(sys.prefix) == os.path.realpath(os.path.dirname(os.path.dirname(python)))
    if python is not None and not inside and verb != "setup":
        os.execv(python, [python, "-m", "versioning", *sys.argv[1:]])
    from .cli import main

    try:
        return main(sys.argv[1:])
    except ModuleNotFoundError as error:
        if verb in _STANDARD_LIBRARY_ONLY or (error.name or "").startswith("versioning"):
            raise
        print(f"error: {error.name} is not installed here\n  hint: python3 -m versioning setup", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(_start())
