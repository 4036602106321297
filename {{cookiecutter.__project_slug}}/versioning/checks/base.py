"""What a rule is, and the case that it judges."""

from __future__ import annotations

import posixpath
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import pipeline as dvc
from .. import sidecar as sidecars
from ..errors import Malformed
from ..findings import Finding
from ..git import Repository
from ..history import History
from ..names import Attempt, ReleaseTag, Version
from ..policy import FILE as RULES_FILE
from ..policy import Policy
from ..releases import Release
from ..snapshot import DiskSnapshot, Snapshot
from ..storage import Digests, Progress, Storage

GIT, CACHE, STORE = "git", "cache", "store"
#: Judged when somebody acts on a tag, not by reading a snapshot.
ACT = "act"


@dataclass(frozen=True)
class Rule:
    """One thing that must be true of a release."""

    code: str
    title: str
    #: What it reads: Git alone, bytes in DVC's cache, or the DVC remote.
    needs: str
    #: Whether it compares with what the lock *records* only, and so may judge work in progress at `git commit`.
    recorded: bool
    check: Callable[..., Any]

    @property
    def help(self) -> str:
        """What it refuses, why, and what mends it; the documentation is made from this."""
        lines = (self.check.__doc__ or "").strip().splitlines()
        return "\n".join(line.removeprefix("    ") for line in lines)


RULES: dict[str, Rule] = {}


def rule(code: str, title: str, *, needs: str = GIT, recorded: bool = False) -> Callable[..., Any]:
    """Register a rule; its docstring is its help text."""

    def register(check: Callable[..., Any]) -> Callable[..., Any]:
        RULES[code] = Rule(code, title, needs, recorded, check)
        return check

    return register


@dataclass
class Case:
    """One sidecar of one snapshot, perhaps under a tag, and everything that a rule compares it with."""

    repository: Repository
    snapshot: Snapshot
    #: As it is for this model.
    policy: Policy
    #: The sidecar's path, and its model by that name.
    file: str
    model: str
    history: History
    #: The tag on trial, without `refs/tags/`, and what it means.
    tag: str = ""
    meaning: ReleaseTag | Attempt | None = None
    #: What the tag's ref names or is to name: a tag object, or the commit itself; empty where there is no tag yet.
    oid: str = ""
    #: Judged before a commit is made: there is no release to ask for yet.
    committing: bool = False
    progress: Progress | None = None

    @cached_property
    def sidecar(self) -> dict[str, Any] | None:
        """The sidecar, or None where it is not there or not readable (which SC01 and SC03 say)."""
        try:
            return self.snapshot.json(self.file)
        except Malformed:
            return None

    @cached_property
    def pipeline(self) -> dvc.Pipeline:
        """The pipeline of the snapshot; raises Malformed, which the engine turns into a finding."""
        return dvc.load(self.snapshot)

    @cached_property
    def locked(self) -> dict[str, dvc.Locked]:
        """What `dvc.lock` recorded of the stages that there are: DVC ignores others, which anybody could have written."""
        return {name: stage for name, stage in self.pipeline.locked.items() if name in self.pipeline.stages}

    @cached_property
    def storage(self) -> Storage:
        """The bytes behind the lock's hashes."""
        return Storage(self.repository)

    @cached_property
    def digests(self) -> Digests:
        """SHA-256 by file."""
        return Digests(self.repository)

    def claim(self, *keys: str) -> Any:
        """What the sidecar says under the keys, or None."""
        return sidecars.field(self.sidecar, *keys)

    def finding(self, code: str, message: str, *keys: str, file: str = "", **values: Any) -> Finding:
        """A finding on the sidecar (or on `file`), at the path of the keys."""
        path = "".join(f".{key}" for key in keys)
        return Finding(code, file or self.file, message, f"${path}" if path else "", ref=self.tag, **values)

    def earlier(self, wanted: Callable[[Release], bool] = lambda _: True, *, least: Version | None = None) -> Iterator[Release]:
        """The model's releases before this one, newest version first."""
        if self.snapshot.commit is None:
            return iter(())
        here = self.snapshot.on_disk
        return self.history.earlier(self.snapshot.commit, self.model, wanted, but=self.tag, including=here, least=least)

    @property
    def prefix(self) -> str:
        """What stands before the version in the tag's name: `uplift/`, or nothing."""
        return f"{self.meaning.model}/" if isinstance(self.meaning, ReleaseTag) and self.meaning.model else ""

    @property
    def several(self) -> bool:
        """Whether the repository has more than one model, so that each has to be named."""
        try:
            return len([item for item in self.pipeline.artifacts.values() if sidecars.field(item, "type") == "model"]) > 1
        except Malformed:
            return False

    # --- hints: the one command that mends, as it must be typed here ---

    @property
    def redescribe(self) -> str:
        """Write the sidecar anew from facts."""
        return self.then(f"dvc repro -f -s {self.describing}")

    @property
    def describing(self) -> str:
        """The stage that writes this sidecar."""
        try:
            declared = self.pipeline.artifacts.get(self.model)
            return self.pipeline.describing(str(sidecars.field(declared, "path") or self.claim("artifact", "path")))
        except Malformed:
            return dvc.SIDECAR_STAGE

    @property
    def stamp(self) -> str:
        """Name a commit that holds what made the model."""
        return self.then_tag(self._stamping)

    @property
    def _stamping(self) -> str:
        return f"{program()} stamp --commit{f' {self.model}' if self.several else ''}"

    @property
    def retrain(self) -> str:
        """Run what is stale."""
        return self.then("dvc repro", everything=True)

    def then(self, command: str, *, everything: bool = False) -> str:
        """A command, and the commit and tag that follow from it."""
        if self.committing:
            return f"{command} && git add {dvc.LOCK} {shlex.quote(self.file)}"
        paths = "-A" if everything or self._has_new_rules else f"{dvc.LOCK} {shlex.quote(self.file)}"
        message = "Train" if everything else "Describe the model as it is"
        # What was trained and committed in one go is held by that new commit only; a true claim is left alone.
        stamp = f" && {self._stamping}" if everything and self.tagging else ""
        return f'{command} && git add {paths} && git commit -m "{message}"{stamp}{self.tagging}'

    @property
    def _has_new_rules(self) -> bool:
        """Whether the rules are changed and not committed: the sidecar that is written by them is committed with them."""
        if not self.snapshot.on_disk:
            return False
        return bool(self.repository.run("status", "--porcelain", "--untracked-files=no", "--", RULES_FILE))

    def then_tag(self, command: str) -> str:
        """A command after which nothing is to be committed, and the tag that follows from it."""
        return f"{command}{self.tagging}"

    @property
    def tagging(self) -> str:
        """The end of a hint: make the tag on trial, which is then true."""
        if not isinstance(self.meaning, ReleaseTag):
            return ""
        # A tag that is there already (judged by `check`, or moved) has to be replaced.
        force = "-f " if self.repository.resolve(f"refs/tags/{self.tag}") else ""
        return f" && git tag {force}-a {self.tag} -m {self.tag}"

    def bytes_of(self, path: str) -> Path | None:
        """A file that holds what the snapshot has under a path that DVC keeps: on disk, in the cache, in the remote."""
        if isinstance(self.snapshot, DiskSnapshot) and self.snapshot.path(path).is_file():
            return self.snapshot.path(path)
        recorded = self.recorded_content(path)
        return self.storage.find(recorded) if recorded else None

    def recorded_content(self, path: str) -> str | None:
        """The MD5 that DVC recorded of an output, or of a file inside a folder that is one."""
        exact = self.pipeline.output(path)
        if exact:
            return exact.md5
        folder = posixpath.dirname(path)
        while folder:
            whole = self.pipeline.output(folder)
            if whole:
                return (self.storage.listing(whole.md5) or {}).get(posixpath.relpath(path, folder))
            folder = posixpath.dirname(folder)
        return None


def next_release(tag: str) -> str:
    """How to release the version after a tag's, of the same model."""
    model = tag.rpartition("/")[0]
    return f"{program()} release patch{f' --model {model}' if model else ''}"


def program() -> str:
    """How to call us so that a pasted line works: `model` where it is on the path."""
    return "model" if shutil.which("model") else "python3 -m versioning"
