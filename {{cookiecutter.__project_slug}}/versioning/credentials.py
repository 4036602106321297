"""Secrets in a text. Kingfisher's rules know what keys look like; what says of itself that it is a password is found here.

Loading those rules takes a quarter of a second, so it is done for a text only that holds something a key could be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any


@dataclass(frozen=True)
class Secret:
    """Where a secret stands and what it seems to be."""

    line: int
    kind: str
    #: All of it; never to be printed.
    text: str = field(repr=False)

    @property
    def shown(self) -> str:
        """So little of it that nobody can use it: four letters at most, and a quarter."""
        return f"{self.text[: min(4, len(self.text) // 4)]}…"


@lru_cache(maxsize=4096)
def find(content: bytes) -> tuple[Secret, ...]:
    """The secrets in a file, one a line and kind."""
    text = content.decode("utf-8", "replace")
    known = list(_known(text)) if is_suspicious(text) else []
    lines = {secret.line for secret in known}
    named = [secret for secret in _named(text) if secret.line not in lines]
    return tuple(sorted(dict.fromkeys([*known, *named]), key=lambda secret: secret.line))


# --- what Kingfisher knows --------------------------------------------------------------------------------------------


def _known(text: str) -> Iterator[Secret]:
    lines = text.splitlines()
    for found in _scanner().scan(text):
        line = found.location["line"]
        if found.visible and not _is_honest(found.secret, lines[line - 1] if line <= len(lines) else ""):
            yield Secret(line, found.rule_id.partition(".")[2], found.secret)


def _is_honest(value: str, line: str) -> bool:
    """Hashes, UUIDs and numbers, of which honest files are full: the name of a service near one makes no key of it."""
    return value.isdigit() or bool(_HASH.fullmatch(value) and not _is_called_so(line))


@cache
def _scanner() -> Any:
    from kingfisher_sdk import Rules, Scanner

    # Not what is hidden in Base64: names of categories and digests are written so, keys in YAML and JSON are not.
    return Scanner(Rules(), base64=False)


_HASH = re.compile(
    r"""(?<![\w.-])(?:[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?!\w)"""
)
_SUSPICIOUS = re.compile(r"-----BEGIN|://[^/\s:@]{0,200}:[^/\s@]{1,200}@")
_WORD = re.compile(r"[A-Za-z0-9_-]{16,}")
_CALLED_SO = re.compile(
    r"(?i:secret|passw|pwd|token|key|credential|auth|account|bearer|sig|cookie|session|webhook|connection)[^=:]*[=:](.*)"
)
_VALUE = re.compile(r"[^\s\"',]{8,}")
#: Of a line that is longer the rules always look at; ours stay quick whatever they are given.
_LONG = 1000


def is_suspicious(text: str) -> bool:
    """Whether a text holds anything that the rules have to look at; hashes and names alone are no reason."""
    return any(len(line) > _LONG or _is_suspicious(line) for line in text.splitlines())


@lru_cache(maxsize=4096)  # of releases, most lines are the same
def _is_suspicious(line: str) -> bool:
    if _SUSPICIOUS.search(line) or _is_called_so(line):
        return True
    return any(_is_random(word) for word in _WORD.findall(_HASH.sub("", line)))


def _is_random(word: str) -> bool:
    """Letters and digits without the gaps of names: a run of many, a shorter one of both, or all three kinds."""
    runs = re.split("[_-]", word)
    if any(len(run) >= 30 or (len(run) >= 16 and _has(run, str.isdigit, str.isalpha)) for run in runs):
        return True
    return len(word) >= 20 and _has(word, str.isdigit, str.isupper, str.islower)


def _is_called_so(line: str) -> bool:
    """Whether a word says that what follows is a key, and it is no mere word: a hash then is one too."""
    found = _CALLED_SO.search(line[:_LONG])
    return found is not None and any(_has(value, str.isdigit, str.isalpha) for value in _VALUE.findall(found[1]))


def _has(text: str, *kinds: Callable[[str], bool]) -> bool:
    return all(any(map(kind, text)) for kind in kinds)


# --- what is called a password ----------------------------------------------------------------------------------------

_NAMES = (
    "password", "passwd", "pwd", "passphrase", "secret", "client_secret", "secret_key", "secret_access_key", "api_key", "apikey",
    "access_token", "auth_token", "refresh_token", "bearer_token", "sas_token", "account_key", "accountkey", "private_key",
)  # fmt: skip
#: What Kingfisher does not report, or only beside its other half.
_FORMS = {
    "aws-access-key-id": re.compile(r"(?<![A-Za-z0-9])A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])"),
    "azure-shared-access-signature": re.compile(r"(?<=[?&]sig=)[A-Za-z0-9%+/]{40,}"),
}
_ASSIGNED = re.compile(
    r"""(?<![A-Za-z0-9_.:/-])(?P<name>[A-Za-z][\w.-]*)["']?\s*[:=]\s*(?=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"',;&}\]]+)))"""
)
#: What stands for a secret that is elsewhere, or for none.
_REFERENCE = re.compile(r"[$<{/~.]|arn:|env:|!|%|\w+://|\W*$")
_PLACEHOLDER = re.compile(r"(?i)your|example|placeholder|change.?me|x{4}|dummy|redacted|\*{3}")
_PLAIN_NAME = re.compile(r"[A-Za-z]+[0-9]?|[A-Za-z]+([_.:-]([A-Za-z]+|[0-9]+|v[0-9]+))+")


def _named(text: str) -> Iterator[Secret]:
    for number, line in enumerate(text.splitlines(), 1):
        for found in _ASSIGNED.finditer(line):
            name = found["name"].lower().replace("-", "_")
            value = found["double"] or found["single"] or found["bare"] or ""
            if name.endswith(_NAMES) and _is_chosen(value):
                yield Secret(number, name, value)
        for kind, form in _FORMS.items():
            if (match := form.search(line)) and not _PLACEHOLDER.search(match[0]):
                yield Secret(number, kind, match[0])


def _is_chosen(value: str) -> bool:
    """Whether a value is one that somebody chose or drew: neither words, nor a number, nor a place where a secret is."""
    if len(value) < 6 or any(letter.isspace() for letter in value) or _HASHED.fullmatch(value):
        return False
    if _REFERENCE.match(value) or _PLACEHOLDER.search(value) or _PLAIN_NAME.fullmatch(value):
        return False
    return any(letter.isalpha() for letter in value) and any(not letter.isalpha() for letter in value)


_HASHED = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
