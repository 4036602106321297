"""Two releases, revisions or the working tree side by side: what changed, in one table."""

from __future__ import annotations

import argparse
import json

from .. import comparison, judge, table
from ..errors import UsageError
from ..git import Repository
from ..releases import Release
from ..snapshot import CommitSnapshot, DiskSnapshot, Snapshot
from . import show

EXAMPLE = "model diff v0.1.0 v0.2.0"
_RELEASE = "a release as `model show` names it, a commit or a branch"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model diff`."""
    parser.add_argument("one", metavar="V1", help=_RELEASE)
    parser.add_argument("other", metavar="V2", nargs="?", help="the same; left out, the working tree as it is on disk")
    parser.add_argument("--model", default="", help="which of several models; default: that of V1's tag, else `model:`")
    parser.add_argument("--all", action="store_true", help="every row, also those that are the same")
    parser.add_argument("--json", action="store_true", help="for machines: whole values")


def diff(arguments: argparse.Namespace) -> int:
    """Print what differs."""
    with Repository.discover() as repository:
        names = [arguments.one, *([arguments.other] if arguments.other else [])]
        model = arguments.model or next((show.model_named(name) for name in names if show.model_named(name)), "")
        found = [_find(repository, name, model) for name in names]
        releases = [release for _, _, release in found if release is not None]
        model = model or next((release.model for release in releases if release.model), "")
        if not arguments.other:
            found.append((DiskSnapshot(repository), "working tree", None))
        # A model that only one of the two has is one that came or went in between.
        newest = next(
            (snapshot for snapshot, _, _ in reversed(found) if not model or model in judge.models(snapshot)), found[-1][0]
        )
        model = comparison.model_of(repository, newest, model)
        sides = [comparison.side(snapshot, name, model, release) for snapshot, name, release in found]
        content = comparison.of(repository, sides)
    if arguments.json:
        print(json.dumps(content.as_data(every=arguments.all), indent=2, ensure_ascii=False, default=str))
    else:
        print(table.render(content, every=arguments.all), end="")
    return 0


def _find(repository: Repository, name: str, model: str) -> tuple[Snapshot, str, Release | None]:
    """A release, else any revision."""
    try:
        release = show.find(repository, name, model, verb="diff")
    except UsageError as error:
        commit = repository.resolve(name.partition(":")[2] if name.startswith(("commit:", "tag:")) else name)
        if commit is None or show.is_ambiguous(error):
            raise
        return CommitSnapshot(repository, commit), name if len(name) < 40 else commit[:12], None
    return CommitSnapshot(repository, release.commit), release.tag, release
