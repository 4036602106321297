"""The releases of this repository: its release tags, read in one `git for-each-ref`."""

from __future__ import annotations

from dataclasses import dataclass

from .git import Repository
from .names import ReleaseTag, Version, parse_tag

_FIELDS = (
    "%(refname:strip=2)",
    "%(objecttype)",
    "%(objectname)",
    "%(*objectname)",
    "%(*objecttype)",
    "%(creatordate:iso-strict)",
    "%(taggername) %(taggeremail)",
)


@dataclass(frozen=True)
class Release:
    """A release tag."""

    tag: str
    model: str | None
    version: Version
    #: The object that the ref names: the tag object of an annotated tag, else the commit.
    oid: str
    commit: str
    annotated: bool
    #: RFC 3339; the commit's where the tag is lightweight.
    date: str
    by: str


def find(repository: Repository) -> list[Release]:
    """All releases, oldest version first."""
    listing = repository.run("for-each-ref", f"--format={'%00'.join(_FIELDS)}", "refs/tags")
    found = []
    for line in listing.splitlines():
        tag, kind, oid, peeled, of, date, by = line.split("\0")
        parsed = parse_tag(tag)
        if isinstance(parsed, ReleaseTag) and not {kind, of} & {"tree", "blob"}:
            # Git before 2.45 peels a tag of a tag once only.
            commit = repository.resolve(oid) if of == "tag" else peeled or oid
            if commit is None:
                continue  # and what is no commit is no release
            found.append(Release(tag, parsed.model, parsed.version, oid, commit, kind == "tag", date, by.strip()))
    return sorted(found, key=lambda release: (release.model or "", release.version.order))


def tag_name(version: Version | str, model: str | None, *, several: bool) -> str:
    """The tag of a release: with the model's name in front where the repository has several."""
    return f"{model}/{version}" if several and model else str(version)
