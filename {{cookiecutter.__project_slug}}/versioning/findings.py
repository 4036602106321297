"""What a rule found, and the three ways to print it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Finding:
    """One contradiction: where it stands, both values, and the command that mends it."""

    code: str
    file: str
    message: str
    path: str = ""
    expected: Any = None
    actual: Any = None
    hint: str = ""
    ref: str = ""


class Unreadable(Finding):
    """A file that cannot be read, so that no rule that reads it has judged: no exception covers that."""


@dataclass(frozen=True)
class Waived:
    """A finding that a recorded exception lets pass, and who answers for it."""

    finding: Finding
    reason: str
    by: str
    until: str

    @property
    def by_whom(self) -> str:
        """Who lets it pass, until when, and why."""
        return f"waived until {self.until} by {self.by}: {self.reason}"


@dataclass(frozen=True)
class Report:
    """All findings of a run, those that were waived, and the codes that could not be checked where it ran."""

    findings: Sequence[Finding]
    not_checked: Sequence[str] = ()
    subject: str = ""
    waived: Sequence[Waived] = ()
    #: What is allowed, and still worth knowing.
    notes: Sequence[str] = ()


def joined(reports: Iterable[Report], subject: str = "") -> Report:
    """Several reports as one, each thing said once."""
    known = [*reports]
    return Report(
        once(finding for report in known for finding in report.findings),
        once(code for report in known for code in report.not_checked),
        subject,
        once(waived for report in known for waived in report.waived),
        once(note for report in known for note in report.notes),
    )


def once(items: Iterable[_T]) -> list[_T]:
    """Each item once, in the order of its first place."""
    kept: dict[str, _T] = {}
    for item in items:
        kept.setdefault(repr(item), item)  # what a finding compares may be a list, which no set takes
    return [*kept.values()]


def as_text(report: Report) -> str:
    """One line a finding, `file::$.path: CODE message`, each with the hint that mends it; the hint once for many."""
    lines: list[str] = []
    for position, finding in enumerate(report.findings):
        lines.append(_line(finding))
        following = report.findings[position + 1 :]
        if finding.hint and not (following and following[0].hint == finding.hint):
            lines.append(f"  hint: {finding.hint}")
    for waived in report.waived:
        lines.append(_line(waived.finding))
        lines.append(f"  {waived.by_whom}")
    lines += [f"note: {note}" for note in report.notes]
    if report.not_checked:
        lines.append(f"not checked here: {', '.join(report.not_checked)}")
    return "".join(f"{line}\n" for line in lines)


def as_json(report: Report) -> str:
    """One object; docs/findings.md of the template says what its keys hold, and they keep their meaning."""
    content = {
        "subject": report.subject,
        "findings": [asdict(finding) for finding in report.findings],
        "waived": [
            {**asdict(waived.finding), "waiver": {"reason": waived.reason, "by": waived.by, "until": waived.until}}
            for waived in report.waived
        ],
        "notes": list(report.notes),
        "not_checked": list(report.not_checked),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"


def as_github(report: Report) -> str:
    """GitHub's workflow commands, which show each finding beside the file in a pull request."""
    lines = [_command("error", found, f"\nhint: {found.hint}" if found.hint else "") for found in report.findings]
    lines += [_command("warning", waived.finding, f"\n{waived.by_whom}") for waived in report.waived]
    lines += [f"::notice::{_escaped(note)}" for note in report.notes]
    return "".join(f"{line}\n" for line in lines)


FORMATS = {"text": as_text, "json": as_json, "github": as_github}


def _command(level: str, finding: Finding, more: str) -> str:
    where = f"{finding.path}: " if finding.path else ""
    properties = f"file={_escaped(finding.file, in_property=True)},title={_escaped(finding.code, in_property=True)}"
    return f"::{level} {properties}::{_escaped(where + finding.message + more)}"


def _line(finding: Finding) -> str:
    where = f"{finding.file}::{finding.path}" if finding.path else finding.file
    return f"{where}: {finding.code} {finding.message}"


def _escaped(text: str, *, in_property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text
