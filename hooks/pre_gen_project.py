"""Refuse folders that are taken.

This is the net below `template_answers`, which does not see a replay or another tool's output folder.
"""

import json
import sys
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")


def complaint() -> str:
    """Return why nothing can be made here, or an empty text."""
    project = Path.cwd()
    storage = project.with_name(f"{project.name}-storage")
    if (project / ".git").exists():
        return ""
    if any(project.iterdir()):
        return f"{project} holds files, and is no repository of this template: choose another project name"
    if not ANSWERS["__storage_url"] and storage.exists():
        return f"{storage} is there already and may hold another project's releases: move it away, or choose another project name"
    return ""


if __name__ == "__main__":
    sys.exit(complaint() or 0)
