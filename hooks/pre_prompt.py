"""Check what must be there, before any question is asked.

Any Python runs this far enough to say that it is too old: no syntax here is newer than 3.6.
"""

import re
import subprocess
import sys

PYTHON = (3, 11)
GIT = (2, 28)


def complaint():
    # type: () -> str
    """Return what is missing and its cure in one line, or an empty text."""
    if sys.version_info < PYTHON:
        return "Python {}.{} is too old: 3.11 or newer is needed. Try: uvx --python 3.11 cookiecutter".format(
            *sys.version_info[:2]
        )
    try:
        said = subprocess.run(["git", "--version"], stdout=subprocess.PIPE, check=True).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.CalledProcessError):
        return "git does not run here: 2.28 or newer must be on the PATH. Get it from https://git-scm.com/downloads"
    found = re.search(r"(\d+)\.(\d+)(\.\d+)*", said)
    if found and (int(found.group(1)), int(found.group(2))) < GIT:
        return "git {} is too old: 2.28 or newer is needed. Get it from https://git-scm.com/downloads".format(found.group(0))
    return ""


if __name__ == "__main__":
    sys.exit(complaint() or 0)
