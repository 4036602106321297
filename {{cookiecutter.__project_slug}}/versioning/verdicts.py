"""What was found true of releases stays true: kept, so that only what is new is judged again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import judge
from .checks import GIT
from .findings import Report
from .git import Repository
from .history import History
from .snapshot import CommitSnapshot

#: With more moved tags than that, all are judged anew: to ask Git for each what stands on it would take as long.
_FEW = 20


class Verdicts:
    """The release tags that nothing contradicted, kept in the common Git directory; what was found false is judged each time.

    A verdict by Git's rules depends on the tag's commit, on the releases before it, on the rules, and (whether it is ours) on
    the models that HEAD knows. Nothing else.
    """

    def __init__(self, repository: Repository, rules: str) -> None:
        """`rules` is what tells these rules from others."""
        self._repository = repository
        self._rules = rules
        self._file = repository.common_dir / "model-gate" / "judged.json"

    def judge(self, refs: Sequence[tuple[str, str]]) -> list[tuple[str, Report]]:
        """Those of all release tags that are not true, each with what contradicts it."""
        now, basis = dict(refs), self._basis(refs)
        sound = self._still_sound(now, basis)
        moment = judge.Moment(frozenset({GIT}), history=History(self._repository, walked=True))
        bad: list[tuple[str, Report]] = []
        for tag, oid in refs:
            if tag in sound:
                continue
            report = judge.tagged(self._repository, tag, oid, moment)
            if report and report.findings:
                bad.append((tag, report))
        false = {tag for tag, _ in bad}
        self._keep({"basis": basis, "refs": now, "sound": sorted(tag for tag in now if tag not in false)})
        return bad

    def _basis(self, refs: Sequence[tuple[str, str]]) -> str:
        experiments = self._repository.run("for-each-ref", "--format=%(refname)", "refs/exps")
        head = self._repository.head() if any("/" in tag for tag, _ in refs) else None
        models = judge.models(CommitSnapshot(self._repository, head)) if head else []
        return hashlib.sha256(json.dumps([self._rules, experiments, models]).encode()).hexdigest()

    def _still_sound(self, now: dict[str, str], basis: str) -> set[str]:
        """What was sound, without what moved and what stands on that."""
        kept = self._read()
        before: dict[str, str] = kept.get("refs", {})
        if kept.get("basis") != basis:
            return set()
        sound = {tag for tag in kept.get("sound", []) if before.get(tag) == now.get(tag)}
        moved = {*before.items()} ^ {*now.items()}
        if len(moved) > _FEW:
            return set()
        for _, oid in moved:
            commit = self._repository.peel(oid)
            if commit is None:
                return set()
            above = self._repository.run("for-each-ref", f"--contains={commit}", "--format=%(refname:strip=2)", "refs/tags")
            sound -= {*above.splitlines()}
        return sound

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        shapes = {"basis": str, "refs": dict, "sound": list}
        is_whole = isinstance(kept, dict) and all(isinstance(kept.get(key), kind) for key, kind in shapes.items())
        return kept if is_whole else {}

    def _keep(self, content: dict[str, Any]) -> None:
        with suppress(OSError):  # only a shortcut: the next run judges all of them
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(f"{self._file}.{os.getpid()}")
            draft.write_text(json.dumps(content), "utf-8")
            draft.replace(self._file)
