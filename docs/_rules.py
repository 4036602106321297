"""Write `docs/rules.md` from the help texts of the rules: `python docs/_rules.py`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/rules.md"
sys.path.insert(0, str(ROOT / "{{cookiecutter.__project_slug}}"))

from versioning.checks import FAMILIES, RULES  # noqa: E402
from versioning.policy import NEVER_WAIVED  # noqa: E402

WHERE = {
    "git": "everywhere, and at the server: reads Git alone",
    "cache": "at `git tag`, at the push and in CI: reads the bytes in DVC's cache, or in a remote that is a folder",
    "store": "at the push: asks the DVC remote",
    "act": "when somebody acts on a tag",
}
HEAD = """\
# The rules of the gate

What refuses a release, why, and what mends it. `model check --explain CODE` prints the same text in a generated repository.
A rule marked with «commit» also judges a staged sidecar at `git commit`. A rule that may be waived is waived for one release,
under `waivers:` in `versioning.yaml`, with a reason, a name and an end; what was waived is shown wherever the release is.
{never} are never waived.

This page is made from the rules themselves: `python docs/_rules.py`.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD.format(never=f"{', '.join(NEVER_WAIVED[:-1])} and {NEVER_WAIVED[-1]}")]
    for family in FAMILIES:
        parts.append(f"\n## {(family.__doc__ or '').strip()}\n")
        for rule in (rule for rule in RULES.values() if rule.check.__module__ == family.__name__):
            marks = [WHERE[rule.needs], *(["commit"] if rule.recorded else []), *([] if waivable(rule.code) else ["never waived"])]
            parts.append(f"\n### {rule.code}: {rule.title}\n\n*{'; '.join(marks)}*\n\n{rule.help}\n")
    return "".join(parts)


def waivable(code: str) -> bool:
    """Whether a person may let a finding of this rule pass."""
    return not code.startswith(NEVER_WAIVED)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
