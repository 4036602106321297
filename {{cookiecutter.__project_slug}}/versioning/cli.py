"""The command line: finds the verb, and turns what goes wrong into a message and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from .errors import VersioningError

#: The verbs by group, in the order of `--help`; each is a module of `commands`.
VERBS: dict[str, dict[str, str]] = {
    "every day": {
        "setup": "make this clone ready: environment, storage, hooks; or change an answer of the generation",
        "check": "say what stands between here and a release, or judge one",
        "sidecar": "describe the model on disk in its sidecar (a stage of dvc.yaml runs this)",
        "merge": "end a conflict of two trainings: one side whole, or both",
        "stamp": "name a commit that holds what made the model; trains nothing",
        "diff": "what changed between two releases, or a release and the working tree",
    },
    "release": {"release": "bump the version, describe, commit and tag; trains nothing"},
    "look": {"list": "the releases", "show": "one release, whole; several side by side"},
    "repair": {
        "doctor": "what is missing or odd in this clone, and the command that mends it",
        "hooks": "install or uninstall the Git hooks",
        "storage": "move data, models and published releases to another place",
    },
}


def parser(verb: str | None = None) -> argparse.ArgumentParser:
    """The parser of all verbs; with `verb`, only that one's module is loaded."""
    top = argparse.ArgumentParser(
        prog="model",
        description="Releases of machine-learning models that say only what is true.",
        epilog=_overview(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="model VERB [--help]",
    )
    verbs = top.add_subparsers(dest="verb", metavar="VERB", help=argparse.SUPPRESS)
    for name, title in ((name, title) for group in VERBS.values() for name, title in group.items()):
        if verb in (None, name):
            module = import_module(f".commands.{name}", __package__)
            one = verbs.add_parser(
                name,
                help=title,
                description=title[0].upper() + title[1:] + ".",
                epilog=f"example: {module.EXAMPLE}",
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            module.add_arguments(one)
            one.set_defaults(run=getattr(module, name))
    return top


def main(arguments: Sequence[str]) -> int:
    """Run a verb.

    Returns:
        0 done, 1 refused, 2 wrong usage, 3 unexpected, 130 interrupted.
    """
    known = {name for group in VERBS.values() for name in group}
    verb = arguments[0] if arguments and arguments[0] in known else None
    try:
        if not arguments:
            from .standing import look

            return look()
        parsed = parser(verb).parse_args(arguments) if verb or not arguments[0].startswith("-") else _top(arguments)
        return int(parsed.run(parsed))
    except VersioningError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `model list | head` is no fault
        return 0
    except (ModuleNotFoundError, SystemExit):
        raise
    except Exception as error:  # noqa: BLE001 (the one place that turns the unexpected into an exit code)
        print(f"error: unexpected: {error!r}\ndetails: {_log(arguments)}", file=sys.stderr)
        return 3


def _top(arguments: Sequence[str]) -> argparse.Namespace:
    return parser("hooks").parse_args(arguments)


def _overview() -> str:
    lines = ["verbs:"]
    for group, verbs in VERBS.items():
        lines += [f"  {group}", *(f"    {name:<10} {title}" for name, title in verbs.items())]
    return "\n".join(
        [*lines, "", "model alone says where you are and what comes next; model VERB --help shows options and an example."]
    )


def _log(arguments: Sequence[str]) -> Path:
    handle, name = tempfile.mkstemp(prefix="model-", suffix=".log")
    with open(handle, "w", encoding="utf-8") as stream:
        stream.write(f"model {' '.join(arguments)}\nPython {sys.version}\n\n{traceback.format_exc()}")
    return Path(name)
