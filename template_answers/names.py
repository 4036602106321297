"""Names derived from free text: whatever is answered, the name is valid everywhere it goes."""

from __future__ import annotations

import json
import keyword
import re
import sys
from typing import Any

from slugify import slugify

MAX_LENGTH = 63  # what object stores, DNS labels and registries accept

# What no column may have in its name: YAML cannot hold it, or a comment would end with it.
UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

# A folder cannot have these names on Windows.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))}

# A package of one of these names would be mistaken for what the pipeline itself imports.
_TAKEN = {
    *map(str.lower, [*keyword.kwlist, *keyword.softkwlist]),
    *map(str.lower, sys.stdlib_module_names),
    *("data", "dvc", "matplotlib", "models", "numpy", "pandas", "pip", "pytest", "ruamel", "scipy", "setuptools"),
    *("skl2onnx", "sklearn", "skops", "src", "test", "tests", "versioning", "yaml"),
}


def one_line(text: str) -> str:
    """Return the text as a person reads it, without line breaks and control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def slug(text: str, fallback: str) -> str:
    """Return a name of `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, at most 63 long; the fallback where nothing is left of the text."""
    name = slugify(text)[:MAX_LENGTH].strip("-")
    if name in _DEVICES:
        return f"{name}-{fallback}"
    return name or fallback


def package(name: str) -> str:
    """Return the slug as a Python package name that hides no module and is no keyword."""
    identifier = name.replace("-", "_")
    if identifier[0].isdigit():
        identifier = f"model_{identifier}"
    return f"{identifier}_model" if identifier in _TAKEN else identifier


def quoted(value: Any, **_options: Any) -> str:
    r"""Return JSON that is also valid YAML, TOML and Python.

    `json.dumps` writes an emoji as two surrogate escapes, which YAML reads as two broken characters. So printable characters stay
    as they are; control characters, which YAML refuses, are escaped.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", text)
