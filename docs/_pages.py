"""Write the reference pages from the code, the schema and the questions: `python docs/_pages.py`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "{{cookiecutter.__project_slug}}"))

from versioning import cli, sidecar  # noqa: E402
from versioning.checks import FAMILIES, RULES  # noqa: E402
from versioning.policy import NEVER_WAIVED  # noqa: E402

MADE = "This page is made from {source}: `python docs/_pages.py`.\n"
WHERE = {
    "git": "everywhere, and at the server: reads Git alone",
    "cache": "at `git tag`, at the push and in CI: reads the bytes in DVC's cache, or in a remote that is a folder",
    "store": "at the push: asks the DVC remote",
    "act": "when somebody acts on a tag",
}
RULES_HEAD = """\
# The rules of the gate

What refuses a release, why, and what mends it. `model check --explain CODE` prints the same text in a generated repository.
A rule marked with «commit» also judges a staged sidecar at `git commit`. A rule that may be waived is waived for one release,
under `waivers:` in `versioning.yaml`, with a reason, a name and an end; what was waived is shown wherever the release is.
{never} are never waived.

"""
COMMANDS_HEAD = """\
# The verbs of `model`

Everything daily is plain `git` and `dvc`; `model` does the rest. `python3 -m versioning VERB` is the same, and goes on in
`.venv` whatever Python it was started with. `model` without a verb says where you are.

Exit codes: 0 done; 1 refused, with findings; 2 wrong usage; 3 unexpected, with the path of a log; 130 interrupted.

"""
SIDECAR_HEAD = """\
# The fields of a sidecar

`models/<model>.json`, in Git beside the model; the last stage of the pipeline writes it from facts. How its schema may change:
[the schema](schema.md). What holds its claims to the truth: [the rules](rules.md).

"""
QUESTIONS_HEAD = """\
# The questions

What `cookiecutter` asks. Each has a default, `--no-input` takes them all, and `model setup` changes an answer later:
[change an answer](answers.md).

"""


def rules() -> str:
    """What each rule refuses, from its help text."""
    never = f"{', '.join(NEVER_WAIVED[:-1])} and {NEVER_WAIVED[-1]}"
    parts = [RULES_HEAD.format(never=never), MADE.format(source="the rules themselves")]
    for family in FAMILIES:
        parts.append(f"\n## {(family.__doc__ or '').strip()}\n")
        for rule in (rule for rule in RULES.values() if rule.check.__module__ == family.__name__):
            marks = [
                WHERE[rule.needs],
                *(["commit"] if rule.recorded else []),
                *([] if waivable(rule.code) else ["never waived"]),
            ]
            parts.append(f"\n### {rule.code}: {rule.title}\n\n*{'; '.join(marks)}*\n\n{rule.help}\n")
    return "".join(parts)


def waivable(code: str) -> bool:
    """Whether a person may let a finding of this rule pass."""
    return not code.startswith(NEVER_WAIVED)


def commands() -> str:
    """The verbs, from their parsers."""
    parts = [COMMANDS_HEAD, MADE.format(source="the parsers themselves")]
    verbs = _subparsers(cli.parser())
    for group, titles in cli.VERBS.items():
        parts.append(f"\n## {group.capitalize()}\n")
        parts += [_verb(f"model {name}", verbs[name], title) for name, title in titles.items()]
    return "".join(parts)


def _verb(name: str, parser: argparse.ArgumentParser, title: str) -> str:
    lines = [f"\n### `{name}`\n", f"\n{title[0].upper()}{title[1:]}.\n"]
    if parser.epilog:
        lines.append(f"\n```text\n{parser.epilog.removeprefix('example: ')}\n```\n")
    below = _subparsers(parser)
    rows = [*_options(parser)] if not below else []
    if rows:
        lines.append("\n| option | what it does |\n|---|---|\n" + "".join(f"| {left} | {right} |\n" for left, right in rows))
    return "".join([*lines, *(_verb(f"{name} {act}", one, one.description or act) for act, one in below.items())])


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        value = action.metavar or ("\\|".join(map(str, action.choices)) if action.choices else action.dest.upper())
        value = value if isinstance(value, str) else " ".join(value)
        takes = "" if action.nargs == 0 else value.replace("|", "\\|").replace("\\\\|", "\\|")
        name = " ".join(filter(None, [", ".join(action.option_strings), takes])) if action.option_strings else takes
        yield f"`{name}`", (action.help or "").replace("|", "\\|")


def fields() -> str:
    """The fields of a sidecar, from its schema."""
    schema = sidecar.schema()
    made = MADE.format(source=f"`versioning/schemas/{sidecar.schema_name(sidecar.SCHEMA_VERSION)}`")
    lines = ["| field | form | required | what it says |", "|---|---|---|---|"]
    for name, kind, required, text in _fields(schema, schema):
        lines.append(f"| `{name}` | {kind} | {'yes' if required else ''} | {text} |")
    return f"{SIDECAR_HEAD}{made}\n" + "\n".join(lines) + "\n"


def _fields(schema: dict[str, Any], part: dict[str, Any], above: str = "") -> Iterator[tuple[str, str, bool, str]]:
    for name, entry in part.get("properties", {}).items():
        meant = schema["$defs"][entry["$ref"].rpartition("/")[2]] | entry if "$ref" in entry else entry
        kind = meant.get("type") or (" or ".join(f"`{value}`" for value in meant.get("enum", [meant.get("const")])))
        required = name in part.get("required", [])
        text = meant.get("description", "").replace("<", "&lt;")
        yield above + name, kind if isinstance(kind, str) else " or ".join(kind), required, text
        yield from _fields(schema, meant, f"{above}{name}.")
        yield from _fields(schema, _items(schema, meant), f"{above}{name}[].")


def _items(schema: dict[str, Any], array: dict[str, Any]) -> dict[str, Any]:
    items: dict[str, Any] = array.get("items", {})
    return schema["$defs"][items["$ref"].rpartition("/")[2]] if "$ref" in items else items


def questions() -> str:
    """What is asked at generation, from cookiecutter.json."""
    answers = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
    parts = [QUESTIONS_HEAD, MADE.format(source="`cookiecutter.json`")]
    for key, default in answers.items():
        if key.startswith("_"):
            continue
        asked = answers["__prompts__"][key]
        choices = asked if isinstance(asked, dict) else {"__prompt__": asked}
        shown = default[0] if isinstance(default, list) else re.sub(r"\{\{.*\}\}", "", default)
        parts.append(f"\n## `{key}`\n\n{choices['__prompt__']} Default: {f'`{shown}`' if shown else 'empty'}.\n")
        options = [f"- {text}\n" for name, text in choices.items() if name != "__prompt__"]
        parts += ["\n", *options] if options else []
    return "".join(parts)


PAGES = {"rules.md": rules, "commands.md": commands, "sidecar.md": fields, "questions.md": questions}


if __name__ == "__main__":
    for page, made in PAGES.items():
        (ROOT / "docs" / page).write_text(made(), encoding="utf-8")
