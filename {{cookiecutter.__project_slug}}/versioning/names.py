"""The grammar of versions and of release tags, built and parsed in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

MODEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = r"(?:0|[1-9]\d*)"
_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
# SemVer 2.0.0, item 2, 9 and 11, with the `v` and without build metadata (it does not order, so two releases would tie).
VERSION = re.compile(rf"v({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?", re.ASCII)
_ATTEMPT = re.compile(r"[vV]?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)", re.ASCII)
_DATE = re.compile(r"[vV]?(?:19|20)\d\d[.-]?\d\d?[.-]?\d\d?(?:\D.*)?", re.ASCII)
_CANDIDATE = re.compile(r"[-._]?(alpha|beta|a|b|rc|pre|dev)[-._]?(\d+)", re.ASCII)
STAGES = ("dev", "staging", "canary", "prod", "retired")


@total_ordering
@dataclass(frozen=True)
class Version:
    """A SemVer 2.0.0 version, ordered as its item 11 says."""

    major: int
    minor: int
    patch: int
    pre: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """The version that `text` writes in the one accepted form, or None."""
        match = VERSION.fullmatch(text)
        if not match:
            return None
        major, minor, patch, pre = match.groups()
        return cls(int(major), int(minor), int(patch), tuple(pre.split(".")) if pre else ())

    def __str__(self) -> str:
        pre = "-" + ".".join(self.pre) if self.pre else ""
        return f"v{self.major}.{self.minor}.{self.patch}{pre}"

    def _order(self) -> tuple[object, ...]:
        # Numeric identifiers sort below words, a final version above all of its pre-releases.
        pre = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre)
        return (self.major, self.minor, self.patch, not self.pre, pre)

    def __lt__(self, other: Version) -> bool:
        return self._order() < other._order()

    @property
    def order(self) -> tuple[object, ...]:
        """What versions are sorted by: thousands of them, ten times as fast as by comparing each two."""
        return self._order()

    @property
    def final(self) -> Version:
        """The release that this one is a candidate of; a final version is its own."""
        return Version(self.major, self.minor, self.patch)

    def bump(self, part: str) -> Version:
        """The next version; a candidate is finished first where it already stands for that bump (as `npm version`)."""
        if self.pre and (part == "patch" or (part == "minor" and not self.patch)):
            return self.final
        if self.pre and part == "major" and not (self.minor or self.patch):
            return self.final
        if part == "major":
            return Version(self.major + 1, 0, 0)
        if part == "minor":
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)


FIRST = Version(0, 1, 0)
BUMPS = ("major", "minor", "patch")


@dataclass(frozen=True)
class ReleaseTag:
    """A tag name that means a release: `v1.2.0`, or `churn/v1.2.0` where a repository has several models."""

    model: str | None
    version: Version


@dataclass(frozen=True)
class Attempt:
    """A tag name that was meant as a release and is not one."""

    name: str
    why: str
    right: str


def parse_tag(name: str) -> ReleaseTag | Attempt | None:
    """What a tag name (without `refs/tags/`) means: a release, an attempt at one, or nothing of ours."""
    prefix, slash, last = name.rpartition("/")
    if slash and not MODEL.fullmatch(prefix):
        return None
    version = Version.parse(last)
    if version is None:
        attempt = _attempt(last)
        return Attempt(name, attempt[0], prefix + slash + attempt[1]) if attempt else None
    if version.pre and version.pre[0] in STAGES:
        why = f"«{version.pre[0]}» is a stage, and sorts before {version.final}"
        return Attempt(name, why, f"{prefix}{slash}{version.final}")
    return ReleaseTag(prefix or None, version)


def _attempt(text: str) -> tuple[str, str] | None:
    match = _ATTEMPT.fullmatch(text)
    if not match or _DATE.fullmatch(text):
        return None
    major, minor, patch, rest = match.groups()
    if patch is None and (rest or text[0] not in "vV"):  # `v2-notes`, `20`, `3.11` mean many other things
        return None
    if rest and text[0] not in "vV" and rest[0] not in "-+":  # `10.0.0.1`
        return None
    right = f"v{int(major)}.{int(minor or 0)}.{int(patch or 0)}"
    candidate = _CANDIDATE.fullmatch(rest)
    if candidate:
        right = f"{right}-{candidate[1]}.{int(candidate[2])}"
    elif Version.parse(right + rest):
        right += rest
    if rest.startswith("+"):
        return "build metadata (+…) does not order versions", right
    return "a version is written vMAJOR.MINOR.PATCH, with no leading zeros (SemVer 2.0.0)", right
