"""What each Git hook does once a release tag is touched. The shims in `shims/` start this, and nothing else."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import judge, pushing, remotes, storage
from . import pipeline as dvc
from . import policy as policies
from .checks import GIT, artifact, program, version
from .checks.commit import on_no_branch, unrelated
from .errors import Malformed, VersioningError
from .findings import Finding, Report, as_text, joined
from .git import Repository, clean_environment, hook_environment, is_null
from .history import History
from .names import ReleaseTag, parse_tag
from .objectives import Rollbacks
from .policy import Policy
from .progress import meter
from .releases import Release
from .snapshot import CommitSnapshot, DiskSnapshot

_TAGS = "refs/tags/"


#: DVC pushes what is here, and says nothing of what is nowhere: so it is asked what the remote holds afterwards.
_PUSH = """
import sys
from dvc.repo import Repo
repo, revs = Repo(), sys.argv[1:]
repo.push(revs=revs, workspace=False)
objects = [found for held in repo.used_objs(revs=revs, push=True).values() for found in held]
state = repo.cloud.status(objects)
absent = sorted({found.value for found in state.missing | state.new})
if absent:
    sys.exit(f"neither here nor there: {len(absent)} of {len(objects)} files, such as the one with the MD5 {absent[0]}")
"""


@dataclass(frozen=True)
class Update:
    """One line of a hook's input: a ref, what it holds and what it is to hold."""

    old: str
    new: str
    ref: str

    @property
    def tag(self) -> str:
        """The tag's name."""
        return self.ref.removeprefix(_TAGS)


def reference_transaction(lines: Iterable[str]) -> int:
    """`git tag`, `git tag -d`, `git tag -f`, `git update-ref`: refuse a release that is not true.

    What hands on refs that others made (`git fetch`), or rewrites the store of refs, the shim has let through already.
    """
    # GIT_DIR is the worktree's; the top of the tree is where the command runs.
    with Repository(Path.cwd(), keep=hook_environment()) as repository:
        _go_to_top(repository)
        reports = [_judge_update(repository, update) for update in _updates(lines)]
    return _answer(filter(None, reports), "tag")


def _updates(lines: Iterable[str]) -> list[Update]:
    """Those of a hook's lines that touch what is, or is meant as, a release tag."""
    updates = [Update(*line.split(" ", 2)) for line in lines if line]
    return [update for update in updates if update.ref.startswith(_TAGS) and parse_tag(update.tag) is not None]


def _judge_update(repository: Repository, update: Update) -> Report | None:
    current = repository.resolve(update.ref, kind="")
    if current == update.new:
        return None  # `gc` and `pack-refs` write each ref with the value it has
    if current is not None and judge.is_ours(repository, update.tag, current):
        where = remotes.holder(repository, update.tag)
        if where is not None:
            return Report([version.stays(update.tag, where, moving=not is_null(update.new))])
    return None if is_null(update.new) else _judge(repository, update.tag, update.new, new=True)


def _judge(repository: Repository, tag: str, target: str, *, new: bool) -> Report | None:
    """A release tag; a new one has to be on a commit that some branch holds."""
    report = judge.tagged(repository, tag, target, judge.Moment(progress=meter("hashing"), acting=True))
    commit = repository.peel(target) if new and isinstance(parse_tag(tag), ReleaseTag) else None
    if report is None or commit is None or repository.is_on_a_branch(commit):
        return report
    stray = on_no_branch(repository, tag, commit)
    if {finding.code for finding in report.findings} & {"CO01", "CO03"} and commit == repository.head():
        # Trained and committed in one go, as a fix on the spot is: the one line names the commit as well.
        make, _, tagging = stray.hint.partition(" && ")
        stray = replace(stray, hint=f"{make} && {program()} stamp --commit && {tagging}")
        return replace(report, findings=[stray, *(found for found in report.findings if found.code not in {"CO01", "CO03"})])
    return replace(report, findings=[stray, *report.findings])


def pre_push(lines: Iterable[str], remote: str) -> int:
    """`git push` of a release tag: its data goes to the DVC remote first, then every rule is judged."""
    reports: list[Report] = []
    releases: dict[str, str] = {}
    with Repository(Path.cwd(), keep=hook_environment()) as repository:
        _go_to_top(repository)
        for line in lines:
            local_ref, local, remote_ref, there = line.rsplit(" ", 3)
            for update in _updates([f"{there} {local} {remote_ref}"]):
                if not is_null(there) and judge.is_ours(repository, update.tag, there):
                    reports.append(Report([version.stays(update.tag, remote, moving=not is_null(local))]))
                    continue
                if is_null(local):
                    continue
                # `git push origin SHA:refs/tags/v1.0.0` makes it there.
                report = _judge(repository, update.tag, local, new=not local_ref.startswith(_TAGS))
                if report is not None:
                    reports.append(report)
                    releases[update.tag] = repository.peel(local) or local
        if releases and not any(report.findings for report in reports):
            reports.append(Report(push_data(repository, [*releases], [*releases.values()])))
        if not any(report.findings for report in reports):
            remotes.remember(repository, [*releases])
        branch = pushing.judged_by(repository) if releases else ""
    if branch:
        print(f"model-gate: a server judges by {policies.FILE} of {branch} as it is there, not by the one here", file=sys.stderr)
        print(f"  hint: git push origin {branch} && git push --follow-tags", file=sys.stderr)
    return _answer(reports, "push")


def push_data(repository: Repository, tags: Sequence[str], commits: Sequence[str]) -> list[Finding]:
    """Push what the commits' locks and pointers name to the DVC remote; where that moved, to its new place."""
    # DVC opens the repository by its place; from elsewhere (`git --git-dir`) that is the one that owns the common directory.
    home = repository.path if (repository.path / ".dvc").is_dir() else repository.main_worktree
    with Repository(home) as clone:
        moved = storage.not_followed(clone)
        unconnected = storage.connect(clone) if moved else None
    if unconnected:
        return [artifact.stored(" ".join(tags), unconnected, "python3 -m versioning setup")]
    if moved:
        print(f"model-gate: the storage moved to {moved.parent}, and this clone with it", file=sys.stderr)
    print(f"model-gate: pushing the data and models of {', '.join(tags)} to the DVC remote", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-c", _PUSH, *commits],
        cwd=home,
        env=clean_environment() | {"DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return []
    reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    pushed = " ".join(tags)
    hint = f"dvc push && git push origin {pushed}"
    if "NoRemoteError" in reason:
        hint = f"dvc remote add --default storage URL && git push origin {pushed}"
    return [artifact.stored(pushed, reason, hint)]


def pre_receive(lines: Iterable[str]) -> int:
    """A push that arrives at a guarded server: Git's rules only, by the policy of the default branch."""
    reports: list[Report] = []
    pushed: list[str] = []
    own = False
    with Repository(Path.cwd(), keep=hook_environment()) as repository:
        branch, main = _default_branch(repository)
        policy = _policy(repository, main) if main else None
        updates = _updates(lines)
        history = History(repository, coming=[*_coming(repository, updates)])
        moment = judge.Moment(frozenset({GIT}), authority=policy, history=history)
        for update in updates:
            if not is_null(update.old) and judge.is_ours(repository, update.tag, update.old):
                reports.append(Report([version.stays(update.tag, "this server", moving=not is_null(update.new))]))
                continue
            if is_null(update.new):
                continue
            report = judge.tagged(repository, update.tag, update.new, moment)
            if report is None:
                continue
            reports.append(report)
            commit = repository.peel(update.new)
            if commit and main and not repository.is_related(commit, main):
                reports.append(Report([unrelated(update.tag, commit, branch)]))
            pushed.append(update.tag)
            own = own or bool(commit and report.findings and policy and not _shares_policy(repository, commit, policy))
    status = _answer(reports, "push")
    if own:  # the hints speak of the file, which may say in that commit already what they ask for
        tags = " ".join(pushed)
        print(f"model-gate: judged by {policies.FILE} of {branch} here, which is not that of {tags}", file=sys.stderr)
        print(f"  hint: git push origin {branch} && git push origin {tags}", file=sys.stderr)
    return status


def _coming(repository: Repository, updates: Iterable[Update]) -> Iterator[Release]:
    """The releases that one push brings together: the later of them stand on the earlier ones."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")  # what a tag says of its own day, no waiver goes by
    for update in updates:
        meaning = parse_tag(update.tag)
        commit = None if is_null(update.new) else repository.peel(update.new)
        if isinstance(meaning, ReleaseTag) and commit is not None:
            annotated = repository.kind(update.new) == "tag"
            yield Release(update.tag, meaning.model, meaning.version, update.new, commit, annotated, now, "")


def _default_branch(repository: Repository) -> tuple[str, str | None]:
    """The name and the commit of the server's default branch; the commit is None before the first push to it.

    `git init --bare` may have named it as nobody here does; ours is `main`.
    """
    for ref in (repository.run("symbolic-ref", "HEAD", check=False).strip(), "refs/heads/main"):
        commit = repository.resolve(ref) if ref else None
        if commit:
            return ref.removeprefix("refs/heads/"), commit
    return "main", None


def _policy(repository: Repository, commit: str) -> Policy | None:
    """A commit's policy; None where it has none."""
    snapshot = CommitSnapshot(repository, commit)
    return policies.load(snapshot) if snapshot.read(policies.FILE) is not None else None


def _shares_policy(repository: Repository, commit: str, policy: Policy) -> bool:
    try:
        return _policy(repository, commit) == policy
    except Malformed:
        return False


def after_checkout() -> int:
    """`git checkout`, `pull`, `rebase`: bring data and model to what is checked out. Never an error."""
    began = time.monotonic()
    repository = Repository.discover()
    os.chdir(repository.path)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        os.environ.pop(name, None)  # DVC opens the repository by its place
    unconnected = storage.connect(repository)
    from dvc.repo import Repo

    try:
        with Repo() as project:
            project.checkout(allow_missing=True)
            if _absent(repository) and storage.Storage(repository).remote_folder:
                project.pull(allow_missing=True)  # a folder is near; what is behind a network, the user asks for
    except Exception as error:  # noqa: BLE001 (whatever DVC says, the checkout is done and stays)
        why = f": {unconnected}" if unconnected else f" ({_one_line(error)}): dvc checkout"
        print(f"model-gate: not all data and models are back{why}", file=sys.stderr)
        return 0
    absent = _absent(repository)
    if absent:
        shown = ", ".join(absent[:3]) + (" …" if len(absent) > 3 else "")
        disk = DiskSnapshot(repository)
        unpushed = dvc.never_pushed(disk, absent, dvc.kept(disk))
        print(f"model-gate: not on this machine yet: {shown}: {unconnected or unpushed or 'dvc pull'}", file=sys.stderr)
    else:
        _measure(repository, time.monotonic() - began)
    return 0


def _measure(repository: Repository, seconds: float) -> None:
    """Remember how long it took to go back to a release: `doctor` holds it against `rollback_within`."""
    if repository.run("symbolic-ref", "--quiet", "HEAD", check=False):
        return  # on a branch, which is no going back
    tags = repository.run("tag", "--points-at", "HEAD").split()
    tag = next((tag for tag in tags if isinstance(parse_tag(tag), ReleaseTag)), None)
    if tag:
        Rollbacks(repository).remember(tag, seconds)


def _absent(repository: Repository) -> list[str]:
    """What the locks and pointers name and is not on disk."""
    disk = DiskSnapshot(repository)
    try:
        return sorted(path for path in dvc.kept_paths(disk) if not disk.path(path).exists())
    except Malformed:
        return []  # which every judgement says, and no checkout fails by it


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _go_to_top(repository: Repository) -> None:
    """Stand at the top of the working tree, so that paths are those of the tree."""
    top = repository.run("rev-parse", "--show-toplevel", check=False).strip()
    repository.path = Path(top) if top else repository.path


def _answer(reports: Iterable[Report], what: str) -> int:
    """Say what is refused, or what passes only by a waiver or with a note; silent where all is well."""
    report = replace(joined(reports), not_checked=())
    if report.findings:
        report = replace(report, notes=())  # of what passes
        print(f"model-gate: this {what} is refused", file=sys.stderr)
    sys.stderr.write(as_text(report))
    return 1 if report.findings else 0


def main(arguments: Sequence[str]) -> int:
    """Run one hook: its name, then what Git gives it."""
    name, *given = arguments
    try:
        lines = [] if name == "after-checkout" else sys.stdin.read().splitlines()
        if name == "reference-transaction":
            return reference_transaction(lines)
        if name == "pre-push":
            return pre_push(lines, given[0] if given else "origin")
        if name == "pre-receive":
            return pre_receive(lines)
        return after_checkout()
    except VersioningError as error:
        print(f"model-gate: {error}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {error.hint}", file=sys.stderr)
        return error.exit_code
