"""Filters that turn answers into names, and refuse impossible answers before anything is made.

Cookiecutter loads this inside its own process (`_extensions` in cookiecutter.json). That is the only place where an answer can be
refused in one line: a failing pre- or post-generation hook is always followed by a traceback.
"""

from __future__ import annotations

import json
import os
from typing import Any

from jinja2 import Environment
from jinja2.ext import Extension

from template_answers import names, storage, table


class Answers(Extension):
    """The filters of cookiecutter.json, and a `tojson` that YAML, TOML and Python read alike."""

    def __init__(self, environment: Environment) -> None:
        """Register the filters."""
        super().__init__(environment)
        environment.policies["json.dumps_function"] = names.quoted
        environment.filters.update(
            one_line=names.one_line,
            slug=names.slug,
            package=names.package,
            data_file=table.data_file,
            table=_table,
            check_room=_check_room,
            from_json=json.loads,
            storage_url=storage.storage_url,
            dvc_extra=storage.dvc_extra,
            ini=storage.ini,
            absolute=os.path.abspath,
        )


def _table(data_csv: str, target: str) -> str:
    """Describe the data as JSON: cookiecutter's private values are strings."""
    described: dict[str, Any] = table.describe(data_csv, target)
    return json.dumps(described)


def _check_room(described: str, url: str) -> str:
    """Return how many bytes the copies of the table take; refuse a disk that has fewer."""
    return table.check_room(json.loads(described), url)
