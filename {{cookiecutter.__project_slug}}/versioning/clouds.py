"""What a cloud needs of the tools: DVC's extra in `pyproject.toml`, and its client's packages in `requirements-dev.lock`.

Standard library only: generation and `setup` use it before there is an environment. The pins of each cloud come from the same
resolution as the lock, so that they fit by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .errors import UsageError

NAMES = ("s3", "gs", "azure")
#: What of DVC reaches each of them.
CLIENTS = {"s3": "dvc_s3", "gs": "dvc_gs", "azure": "dvc_azure"}
TOOLS = "requirements-dev.lock"
_PINS = Path(__file__).resolve().parent / "services"
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_MARK = "# To reach the storage: "
_EXTRAS = re.compile(r'(?m)^(?P<head>[ \t]*["\']dvc)(?:\[(?P<extras>[^\]]*)\])?(?=[ \t]*[<>=!~;"\'])')
# `%(name)s` is an interpolation in DVC's configuration.
_URL = re.compile(r"(?:s3|gs|azure)://[^\s/%][^\s\x00-\x1f\x7f]*")


def of(url: str) -> str | None:
    """The cloud that a URL leads to, or None for a folder."""
    scheme, found, _ = url.partition("://")
    return scheme if found and scheme in NAMES else None


def place(answer: str) -> str:
    """A cloud's URL without a trailing slash, or the absolute path of a folder.

    Raises:
        UsageError: neither.
    """
    url = answer.strip()
    if url.startswith("file://"):
        url = url.removeprefix("file://")
    if "://" not in url and url:
        folder = Path(url).expanduser().resolve()
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file: a folder is needed, or s3://bucket/path, gs://… or azure://…")
        return str(folder)
    url = url.rstrip("/")
    if not _URL.fullmatch(url) or "%(" in url or "'''" in url:
        raise UsageError(
            f"{answer!r} is not a storage: write s3://bucket/path, gs://bucket/path, azure://container/path, or a folder"
        )
    return url


def asked(pyproject: str) -> list[str]:
    """The clouds that `pyproject.toml` asks for."""
    found = _EXTRAS.search(pyproject)
    return [name for name in _names(found["extras"] or "") if name in NAMES] if found else []


def with_extras(pyproject: str, clouds: Sequence[str]) -> str:
    """`pyproject.toml`, asking for these clouds and no others; other extras stay.

    Raises:
        UsageError: it asks for no dvc.
    """
    found = _EXTRAS.search(pyproject)
    if not found:
        raise UsageError('pyproject.toml asks for no "dvc…": put "dvc>=3.67" back into [dependency-groups] dev')
    extras = [*(name for name in _names(found["extras"] or "") if name not in NAMES), *clouds]
    return pyproject[: found.start()] + found["head"] + (f"[{','.join(extras)}]" if extras else "") + pyproject[found.end() :]


def with_pins(lock: str, clouds: Sequence[str]) -> str:
    """The tools' lock with the packages of these clouds after its own, and no others.

    Raises:
        UsageError: what is there was changed by hand, or has another version of such a package.
    """
    own, mark, _ = lock.partition(_MARK)
    if mark and lock != own + _block(own, _names(lock[len(own) + len(_MARK) :].partition("\n")[0])):
        raise UsageError(
            f"{TOOLS} was changed below «{_MARK.strip()}», so what belongs to a cloud there cannot be told from what is yours",
            "resolve it anew: the commands stand at the top of pyproject.toml",
        )
    return own + _block(own, clouds)


def _block(own: str, clouds: Sequence[str]) -> str:
    """What these clouds need beyond the lock's own packages."""
    have: dict[str, set[str]] = {}  # a package may be there twice, for two Pythons
    for name, version in _PIN.findall(_without_comments(own)):
        have.setdefault(_canonical(name), set()).add(version)
    lines: list[str] = []
    for cloud in clouds:
        for name, version, entry in _entries(cloud):
            if name not in have:
                lines += [] if entry in lines else [entry]
            elif version not in have[name]:
                there = ", ".join(sorted(have[name]))
                raise UsageError(
                    f"{TOOLS} was resolved anew and has {name} {there}; the packages for {cloud}://, which come with the "
                    f"template, have {version}: ask for dvc[{cloud}] in pyproject.toml and resolve anew (the commands stand "
                    "at its top), then run this again"
                )
    return f"{_MARK}{', '.join(clouds)}\n{''.join(lines)}" if lines else ""


def _entries(cloud: str) -> list[tuple[str, str, str]]:
    """Name, version and lines of each package that a cloud needs."""
    text = _without_comments((_PINS / f"{cloud}.lock").read_text("utf-8"))
    entries = re.findall(r"(?m)^[^ \n].*\n(?:[ ]+.*\n)*", text)
    found = [(_PIN.match(entry), entry) for entry in entries]
    return [(_canonical(pin[1]), pin[2], entry) for pin, entry in found if pin]


def _without_comments(lock: str) -> str:
    return "".join(line for line in lock.splitlines(keepends=True) if not line.startswith("#"))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
