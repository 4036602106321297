#!/usr/bin/env python3
"""Run the development commands in a private environment, made from requirements-dev.lock at the first run.

Standard library only, and no syntax newer than Python 3.6: an old interpreter prints one line, not a traceback.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

MINIMUM = (3, 11)
ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements-dev.lock"
ENVIRONMENTS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "model-versioning-template"
# Not in this folder: before it asks its questions, cookiecutter copies all of a template that it is given as a folder.
# Clones with the same lock share one.
PRIVATE = ENVIRONMENTS / hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
ENV = PRIVATE / "env"
BIN = ENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
# Written last: an environment without it is half made, and is made again.
MARKER = ENV / "made-from.json"

COMMANDS = {
    "demo": "the ten-minute story, told step by step",
    "test": "ruff, mypy, then pytest: what CI runs; with ARGS, which go to pytest, pytest alone",
    "lint": "ruff and mypy; `-- --fix` mends what can be mended",
    "docs": "the documentation as a site, in .dev/site; writes the pages that are made from the code",
    "newest": "our verdicts on pipelines against the newest DVC's, or that of ARGS: `-- dvc==3.67.1`",
    "bench": "the benchmarks, or those that ARGS name",
    "lock": "resolve the lock files anew, from the package index; `-- --upgrade` takes new versions",
}
NEED_GIT = ("demo", "test", "newest", "bench")
# Settings of a user's shell that put packages elsewhere, bring others in, or make every start of a program slow.
DROPPED = ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")


class Refused(Exception):
    """A reason to stop, in the words that the user reads."""


def usage() -> str:
    lines = ["usage: python3 dev.py COMMAND [-- ARGS]", ""]
    lines += ["  {:<6} {}".format(name, text) for name, text in COMMANDS.items()]
    return "\n".join([*lines, "", "example: python3 dev.py test -- -k rollback"])


def check_python(version: "Sequence[int]") -> None:
    if tuple(version[:2]) < MINIMUM:
        found = ".".join(str(part) for part in version[:3])
        raise Refused("Python 3.11 or newer is needed, this one is {}: {}".format(found, sys.executable))


def check_git(command: str) -> None:
    if command in NEED_GIT and not shutil.which("git"):
        raise Refused("git is not on the PATH, and `{}` needs it (Debian: apt install git)".format(command))


def fingerprint() -> "Dict[str, str]":
    """What an environment is made from; its path too, since programs in it name their interpreter by path."""
    return {
        "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
        "python": "{} {}".format(sys.version.split()[0], base_python()),
        "path": str(ENV),
    }


def base_python() -> str:
    """Return the interpreter that outlives the environment, also where dev.py is run by the environment's own."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def is_ready(wanted: "Dict[str, str]") -> bool:
    try:
        return PYTHON.exists() and json.loads(MARKER.read_text(encoding="utf-8")) == wanted
    except (OSError, ValueError):
        return False


def ensure_environment() -> None:
    wanted = fingerprint()
    if is_ready(wanted):
        return
    try:
        PRIVATE.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(PRIVATE / "making"):
            if not is_ready(wanted):
                say("making {} from requirements-dev.lock, once: about 280 packages, 1.3 GB".format(ENV))
                shutil.rmtree(str(ENV), ignore_errors=True)
                make_environment()
                MARKER.write_text(json.dumps(wanted), encoding="utf-8")
                forget_others()
    except OSError as error:
        raise Refused("cannot make {}: {}".format(ENV, error)) from error


def forget_others(days: int = 30) -> None:
    """Delete the environments of older locks that nobody has made anew for a month."""
    for other in ENVIRONMENTS.iterdir():
        if other != PRIVATE and other.stat().st_mtime < time.time() - days * 86400:
            shutil.rmtree(str(other), ignore_errors=True)


@contextlib.contextmanager
def one_at_a_time(path: "Path") -> "Iterator[None]":
    try:
        import fcntl
    except ImportError:  # Windows: two first runs at once are left to the user
        yield
        return
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make_environment() -> None:
    """Install the lock with uv if it is there or can be had; with pip, many times slower, where it cannot."""
    uv = shutil.which("uv")
    if uv:
        make_venv("--without-pip")
        if install_with_uv(uv):
            return
        say("{} could not install the lock; going on with pip".format(uv))
    pip = find_pip()
    if install_uv(pip) and install_with_uv(str(BIN / "uv")):
        return
    if not run([*pip, *PIP_INSTALL, "--requirement", str(LOCK)]):
        raise Refused("requirements-dev.lock could not be installed (pip says why, above); run the command again")


def make_venv(*options: str) -> bool:
    return run([base_python(), "-m", "venv", "--clear", *options, str(ENV)], quiet=True)


def find_pip() -> "List[str]":
    """Return a pip for the environment: its own, or where Debian left ensurepip out, that of the interpreter."""
    if make_venv():
        return [str(PYTHON), "-m", "pip"]
    pip = [base_python(), "-m", "pip", "--python", str(PYTHON)]
    if make_venv("--without-pip") and run([*pip, "--version"], quiet=True):
        return pip
    raise Refused(
        "{} has neither ensurepip nor pip, and uv is not on the PATH (Debian: apt install python3-venv)".format(base_python())
    )


PIP_INSTALL = ["install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"]
PIP_INSTALL += ["--no-deps", "--require-hashes"]


def install_uv(pip: "List[str]") -> bool:
    only_uv = PRIVATE / "uv.lock"
    only_uv.write_text(stanza("uv", LOCK.read_text(encoding="utf-8")), encoding="utf-8")
    return run([*pip, *PIP_INSTALL, "--only-binary", ":all:", "--requirement", str(only_uv)], quiet=True)


def stanza(package: str, lock: str) -> str:
    """Return the lines of one package, with its hashes."""
    lines = lock.splitlines(True)
    start = next(number for number, line in enumerate(lines) if line.startswith(package + "=="))
    end = start + 1
    while end < len(lines) and lines[end].startswith(" "):
        end += 1
    return "".join(lines[start:end])


def install_with_uv(uv: str) -> bool:
    install = [uv, "pip", "install", "--python", str(PYTHON), "--no-deps", "--require-hashes"]
    install += ["--requirement", str(LOCK)]
    # Where the cache has everything, a second needs no network; where not, this fails at once.
    if run([*install, "--offline"], quiet=True):
        return True
    return run(install if sys.stderr.isatty() else [*install, "--quiet"])


def run(command: "Sequence[str]", quiet: bool = False) -> bool:
    """Run an installer; what it prints goes to stderr, so that stdout is the command's own."""
    output = subprocess.DEVNULL if quiet else sys.stderr.fileno()
    try:
        return subprocess.call(command, env=environ(), stdin=subprocess.DEVNULL, stdout=output, stderr=output) == 0
    except OSError:
        return False


def environ() -> "Dict[str, str]":
    settings = {name: value for name, value in os.environ.items() if name not in DROPPED}
    # uv trusts its own list of certificates only, unless told to trust the machine's (older uv: the second name).
    settings.setdefault("UV_SYSTEM_CERTS", "1")
    settings.setdefault("UV_NATIVE_TLS", "1")
    settings["VIRTUAL_ENV"] = str(ENV)
    settings["PATH"] = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    return settings


def hand_over(command: str, arguments: "List[str]") -> int:
    """Become nox; return only where that is not possible."""
    nox = [str(PYTHON), "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), "--session", command]
    nox += ["--", *arguments]
    if os.name != "nt":  # there, exec returns to the shell before the command ends
        os.execve(nox[0], nox, environ())
    return subprocess.call(nox, env=environ())


def say(line: str) -> None:
    print("dev.py: " + line, file=sys.stderr, flush=True)


def parse(argv: "List[str]") -> "Tuple[str, List[str]]":
    command, arguments = argv[0], argv[1:]
    return command, arguments[1:] if arguments[:1] == ["--"] else arguments


def main(argv: "List[str]") -> int:
    try:
        check_python(sys.version_info[:3])
        if argv[:1] in (["-h"], ["--help"]):
            print(usage())
            return 0
        if not argv or argv[0] not in COMMANDS:
            print("dev.py: no command `{}`\n{}".format(" ".join(argv[:1]), usage()), file=sys.stderr)
            return 2
        command, arguments = parse(argv)
        check_git(command)
        ensure_environment()
        return hand_over(command, arguments)
    except Refused as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
