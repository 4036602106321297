"""Which releases stand before a commit. A walk of the whole history is made once, however many commits are asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from . import releases
from . import sidecar as sidecars
from .errors import Malformed, UsageError
from .git import Repository
from .releases import Release
from .snapshot import CommitSnapshot


class History:
    """The releases of a repository, ordered by version and by descent.

    Sets of releases are integers, a bit a release in the order of versions: the newest of a set is its highest bit, and
    ten thousand releases before a commit fit into a kilobyte.
    """

    def __init__(self, repository: Repository, *, walked: bool = False) -> None:
        """With `walked`, one walk serves all commits that carry a release; else each commit asked about costs one git."""
        self._repository = repository
        self._walked = walked
        self._sidecars: dict[tuple[str, str], dict[str, Any]] = {}
        self._before: dict[str, int] = {}

    @cached_property
    def releases(self) -> list[Release]:
        """All of them, oldest version first."""
        return sorted(releases.find(self._repository), key=lambda release: release.version)

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
    ) -> Iterator[Release]:
        """The releases of a model on proper ancestors of a commit, newest version first.

        A release whose own sidecar does not name its version is none: a false v9.9.9 that was fetched closes no line.

        Args:
            wanted: a cheap question that is asked before a sidecar is read.
            but: a tag that does not count, the one on trial.
            including: those on the commit itself as well, since something newer is about to be committed on top.

        Raises:
            UsageError: a shallow clone, in which earlier releases may be missing.
        """
        rest = self._standing_before(commit)
        if including:
            rest |= sum(1 << position for position, release in enumerate(self.releases) if release.commit == commit)
        while rest:
            position = rest.bit_length() - 1
            rest ^= 1 << position
            release = self.releases[position]
            if release.model not in (None, model) or release.tag == but or not wanted(release):
                continue
            if sidecars.field(self.sidecar(release, model), "version") == str(release.version):
                yield release

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

    def _standing_before(self, commit: str) -> int:
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
