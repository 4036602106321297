"""What goes wrong becomes a message and an exit code, in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from versioning import cli
from versioning.commands import list as list_command
from versioning.errors import GitError, Malformed, UsageError, VersioningError

Streams = pytest.CaptureFixture[str]


def end_with(monkeypatch: pytest.MonkeyPatch, outcome: BaseException | int) -> int:
    def run(arguments: object) -> int:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(list_command, "list", run)
    return cli.main(["list"])


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (0, 0, ""),
        (1, 1, ""),
        (VersioningError("it is so", "mend it"), 1, "error: it is so\n  hint: mend it\n"),
        (GitError("git tag: fatal"), 1, "error: git tag: fatal\n"),
        (Malformed("a.json is not JSON"), 1, "error: a.json is not JSON\n"),
        (UsageError("no such release", "git fetch --tags"), 2, "error: no such release\n  hint: git fetch --tags\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_outcome_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams, outcome: BaseException | int, code: int, said: str
) -> None:
    assert end_with(monkeypatch, outcome) == code
    assert capsys.readouterr().err == said


def test_the_unexpected_is_one_line_and_a_log(monkeypatch: pytest.MonkeyPatch, capsys: Streams, tmp_path: Path) -> None:
    monkeypatch.setattr(cli.tempfile, "tempdir", str(tmp_path))
    assert end_with(monkeypatch, ZeroDivisionError("division by zero")) == 3
    found = re.fullmatch(r"error: unexpected: ZeroDivisionError\('division by zero'\)\ndetails: (.*)\n", capsys.readouterr().err)
    assert found
    log = Path(found[1]).read_text("utf-8")
    assert (
        log.startswith("model list\nPython 3.") and "Traceback" in log and log.endswith("ZeroDivisionError: division by zero\n")
    )


def test_the_help_groups_the_verbs(capsys: Streams) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = capsys.readouterr().out
    for group, verbs in cli.VERBS.items():
        assert f"\n  {group}\n" in said
        assert all(f"\n    {name:<10} {title}" in said for name, title in verbs.items())


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["list", "--nothing"], ["check", "a", "b"], ["check", "--format", "xml"], ["--nothing"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize("verb", [verb for group in cli.VERBS.values() for verb in group])
def test_every_option_of_a_verb_is_explained(verb: str) -> None:
    top = cli.parser(verb)
    choices = next(action.choices for action in top._actions if action.choices)
    for action in dict(choices)[verb]._actions:  # type: ignore[call-overload]
        assert action.help or action.choices, f"model {verb} {'/'.join(action.option_strings) or action.dest}"


def test_only_the_verb_that_is_asked_for_is_loaded() -> None:
    assert set(next(action.choices for action in cli.parser("list")._actions if action.choices) or ()) == {"list"}
