"""Where data and models are kept: a cloud URL, or a folder beside the project."""

from __future__ import annotations

import re
from pathlib import Path

import click

from template_answers.errors import RefusedAnswer

_EXTRAS = {"s3": "s3", "gs": "gs", "azure": "azure"}
# `%(name)s` is an interpolation in DVC's configuration.
_URL = re.compile(r"(?P<scheme>s3|gs|azure)://[^\s/%][^\s\x00-\x1f\x7f]*")


def storage_url(answer: str, project_slug: str) -> str:
    """Return the URL without a trailing slash; empty for the folder beside the project, which must not exist yet."""
    url = answer.strip().rstrip("/")
    if not url:
        _refuse_existing(project_slug)
    elif not _URL.fullmatch(url) or "%(" in url or "'''" in url:
        raise RefusedAnswer(
            f"storage_url: {answer!r} is not a bucket; write s3://bucket/path, gs://bucket/path or azure://container/path, "
            "or leave it empty for a folder beside the project"
        )
    return url


def dvc_extra(url: str) -> str:
    """Return what DVC needs to reach the URL, as the end of a requirement: `[s3]`, or nothing."""
    scheme = url.partition("://")[0]
    return f"[{_EXTRAS[scheme]}]" if scheme in _EXTRAS else ""


def ini(value: str) -> str:
    """Quote a value for DVC's configuration file, which knows no escapes; a common one needs no quotes."""
    if re.fullmatch(r"[\w.:/@~+=-]+", value):
        return value
    for quote in ('"', "'", "'''"):
        if quote not in value:
            return f"{quote}{value}{quote}"
    raise RefusedAnswer(f"{value!r} cannot be written to .dvc/config: it holds every kind of quote")


def _refuse_existing(project_slug: str) -> None:
    """Refuse a storage folder of another project; rendering over an existing repository keeps its own."""
    context = click.get_current_context(silent=True)
    output_dir = Path((context.params.get("output_dir") if context else None) or ".")
    folder = output_dir / f"{project_slug}-storage"
    if folder.exists() and not (output_dir / project_slug / ".git").exists():
        raise RefusedAnswer(
            f"{folder} is there already and may hold another project's releases; "
            "choose another project name or output folder, or move it away"
        )
