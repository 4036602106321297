"""Which releases stand before a commit. A walk of the whole history is made once, however many commits are asked about."""

from __future__ import annotations

import json
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from . import releases
from . import sidecar as sidecars
from .errors import Malformed, UsageError
from .git import Repository
from .names import Version
from .releases import Release
from .snapshot import CommitSnapshot


class History:
    """The releases of a repository, ordered by version and by descent.

    Sets of releases are integers, a bit a release in the order of versions: the newest of a set is its highest bit, and
    ten thousand releases before a commit fit into a kilobyte.
    """

    def __init__(self, repository: Repository, *, walked: bool = False, coming: Sequence[Release] = ()) -> None:
        """With `walked`, one walk serves all commits that carry a release; else each commit asked about costs one git.

        Args:
            coming: releases that a push brings, which are no refs yet while it is judged.
        """
        self._repository = repository
        self._walked = walked or len(coming) > 1  # Git lists no release that is no ref yet before a commit
        self._coming = coming
        self._sidecars: dict[tuple[str, str], dict[str, Any]] = {}
        self._before: dict[str, int] = {}
        self._trained_on: dict[str, dict[str, dict[str, int]]] = {}

    @cached_property
    def releases(self) -> list[Release]:
        """All of them, oldest version first."""
        there = releases.find(self._repository)
        known = {release.tag for release in there}
        found = [*there, *(one for one in self._coming if one.tag not in known)]
        return sorted(found, key=lambda release: release.version.order)

    @cached_property
    def experiments(self) -> set[str]:
        """The names that DVC gave to the experiments of this clone, `refs/exps/<2>/<38>/<name>`."""
        listing = self._repository.run("for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps")
        return set(filter(None, listing.splitlines()))

    def earlier(
        self,
        commit: str,
        model: str,
        wanted: Callable[[Release], bool] = lambda _: True,
        *,
        but: str = "",
        including: bool = False,
        least: Version | None = None,
    ) -> Iterator[Release]:
        """The releases of a model on proper ancestors of a commit, newest version first.

        A release whose own sidecar does not name its version is none: a false v9.9.9 that was fetched closes no line.

        Args:
            wanted: a cheap question that is asked before a sidecar is read.
            but: a tag that does not count, the one on trial.
            least: the lowest version that matters.
            including: those on the commit itself as well, since something newer is about to be committed on top.

        Raises:
            UsageError: a shallow clone, in which earlier releases may be missing.
        """
        rest = self._standing_before(commit, including=including)
        if least is not None:  # the releases stand in the order of their versions
            first = bisect_left(self.releases, least, key=lambda release: release.version)
            rest = rest >> first << first
        while rest:
            position = rest.bit_length() - 1
            rest ^= 1 << position
            release = self.releases[position]
            if release.model not in (None, model) or release.tag == but or not wanted(release):
                continue
            if sidecars.field(self.sidecar(release, model), "version") == str(release.version):
                yield release

    def other_data(self, commit: str, model: str, data_id: str, md5: str, *, including: bool = False) -> Release | None:
        """The newest release before a commit in which a data id named other bytes."""
        standing = self._standing_before(commit, including=including)
        named = [places & standing for other, places in self._data(model).get(data_id, {}).items() if other != md5]
        newest = max(named, default=0)
        return self.releases[newest.bit_length() - 1] if newest else None

    def _data(self, model: str) -> dict[str, dict[str, int]]:
        """By data id, by MD5: the releases that were trained on it."""
        if model not in self._trained_on:
            index: dict[str, dict[str, int]] = {}
            facts = _Facts(self._repository)
            for position, release in enumerate(self.releases):
                if release.model not in (None, model):
                    continue
                version, data_id, md5 = facts.of(release, model) or facts.learn(release, model, self.sidecar(release, model))
                if version == str(release.version) and isinstance(data_id, str) and isinstance(md5, str):
                    known = index.setdefault(data_id, {})
                    known[md5] = known.get(md5, 0) | 1 << position
            facts.keep()
            self._trained_on[model] = index
        return self._trained_on[model]

    def sidecar(self, release: Release, model: str) -> dict[str, Any]:
        """A model's sidecar at a release; empty where there is none that can be read."""
        key = (release.commit, model)
        if key not in self._sidecars:
            try:
                content = CommitSnapshot(self._repository, release.commit).json(sidecars.path_of(model))
            except Malformed:
                content = None
            self._sidecars[key] = content or {}
        return self._sidecars[key]

    def _standing_before(self, commit: str, *, including: bool = False) -> int:
        before = self._proper(commit)
        if including:
            before |= sum(1 << position for position, release in enumerate(self.releases) if release.commit == commit)
        return before

    def _proper(self, commit: str) -> int:
        if self._repository.is_cut(commit):
            raise UsageError(f"this shallow clone lacks commits before {commit[:7]}", "git fetch --unshallow --tags")
        if self._walked and not self._before:
            self._walk()
        if commit not in self._before:
            listing = self._repository.run("for-each-ref", f"--merged={commit}", "--format=%(refname:strip=2)", "refs/tags")
            names = set(listing.splitlines())
            self._before[commit] = sum(
                1 << position
                for position, release in enumerate(self.releases)
                if release.tag in names and release.commit != commit
            )
        return self._before[commit]

    def _walk(self) -> None:
        """Hand the set of releases on from each commit to its children, and forget it after the last child."""
        at: dict[str, int] = {}
        for position, release in enumerate(self.releases):
            at[release.commit] = at.get(release.commit, 0) | 1 << position
        lines = self._repository.run("rev-list", "--topo-order", "--reverse", "--parents", "--stdin", text="\n".join(at))
        commits = [line.split() for line in lines.splitlines()]
        children = Counter(parent for _, *parents in commits for parent in parents)
        reached: dict[str, int] = {}
        for commit, *parents in commits:
            before = 0
            for parent in parents:
                before |= reached[parent]
                children[parent] -= 1
                if not children[parent]:
                    del reached[parent]
            own = at.get(commit, 0)
            if own:
                self._before[commit] = before
            if children[commit]:
                reached[commit] = before | own


class _Facts:
    """What the sidecars of releases say of their data, kept in the common Git directory by commit, whose content never changes.

    To read a thousand sidecars takes longer than all else that is asked of a tag.
    """

    def __init__(self, repository: Repository) -> None:
        self._file = repository.common_dir / "model-gate" / "facts.json"
        self._fresh = False
        try:
            known = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            known = {}
        self._known: dict[str, list[Any]] = known if isinstance(known, dict) else {}

    def of(self, release: Release, model: str) -> list[Any] | None:
        """Version, data id and MD5 as one commit has them for a model; None where it was never read."""
        found = self._known.get(f"{release.commit}:{model}")
        return found if isinstance(found, list) and len(found) == 3 else None

    def learn(self, release: Release, model: str, sidecar: dict[str, Any]) -> list[Any]:
        """Take them from the sidecar."""
        self._fresh = True
        found = [sidecar.get("version"), sidecar.get("data_id"), sidecars.field(sidecar, "data", "md5")]
        self._known[f"{release.commit}:{model}"] = found
        return found

    def keep(self) -> None:
        """Write what is new; only a shortcut, so where it cannot be written the next run reads again."""
        if self._fresh:
            with suppress(OSError):
                draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
                draft.write_text(json.dumps(self._known), "utf-8")
                draft.replace(self._file)
