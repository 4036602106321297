"""What each Git hook does once a release tag is touched. The shims in `shims/` start this, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import judge, remotes
from . import pipeline as dvc
from . import policy as policies
from .checks import GIT, artifact, version
from .errors import VersioningError
from .findings import Finding, Report, as_text
from .git import Repository, hook_environment, is_null
from .names import parse_tag
from .policy import Policy
from .progress import meter
from .snapshot import CommitSnapshot, DiskSnapshot

_TAGS = "refs/tags/"
#: Git's own commands that hand on refs which others made, or rewrite the store of refs: never hindered.
_PASSING = {"fetch", "gc", "pack-refs", "receive-pack", "clone", "prune", "maintenance", "remote", "submodule"}


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


def reference_transaction(lines: Iterable[str], asker: Sequence[str]) -> int:
    """`git tag`, `git tag -d`, `git tag -f`, `git update-ref`: refuse a release that is not true.

    Args:
        asker: the command line of the git that runs the hook.
    """
    updates = [Update(*line.split(" ", 2)) for line in lines if line]
    command = _subcommand(asker)
    # GIT_DIR is the worktree's; the top of the tree is where the command runs.
    with Repository(Path.cwd(), keep=hook_environment()) as repository:
        if command == "fetch":  # one that the shim did not know, as `git -c a=b fetch`
            remotes.remember(repository, [update.tag for update in updates])
        if command in _PASSING:
            return 0
        _go_to_top(repository)
        findings: list[Finding] = []
        for update in updates:
            findings += _judge_update(repository, update)
    return _answer(findings, "tag")


def _judge_update(repository: Repository, update: Update) -> list[Finding]:
    current = repository.resolve(update.ref, kind="")
    if current == update.new or parse_tag(update.tag) is None:
        return []  # `gc` and `pack-refs` write each ref with the value it has
    findings = []
    if current is not None:
        moving = not is_null(update.new)
        findings += _held(repository, update.tag, moving=moving)
    if is_null(update.new) or findings:
        return findings
    commit = repository.resolve(update.new)
    if commit is None:
        return []  # a tag on a file or a tree carries no sidecar, and is no release
    moment = judge.Moment(progress=meter("hashing"))
    report = judge.tagged(repository, update.tag, update.new, moment)
    return list(report.findings) if report else []


def _held(repository: Repository, tag: str, *, moving: bool) -> list[Finding]:
    where = remotes.holder(repository, tag)
    if where is None:
        return []
    return [version.stays(tag, where, moving=moving)]


def pre_push(lines: Iterable[str], remote: str) -> int:
    """`git push` of a release tag: its data goes to the DVC remote first, then every rule is judged."""
    releases: list[tuple[str, str, str]] = []
    findings: list[Finding] = []
    with Repository.discover() as repository:
        for line in lines:
            _, local, remote_ref, there = line.rsplit(" ", 3)
            tag = remote_ref.removeprefix(_TAGS)
            if parse_tag(tag) is None:
                continue
            if is_null(local) or not is_null(there):
                findings.append(version.stays(tag, remote, moving=not is_null(local)))
                continue
            commit = repository.resolve(local)
            if commit:
                releases.append((tag, local, commit))
        judged = []
        for tag, oid, commit in releases:
            report = judge.tagged(repository, tag, oid, judge.Moment(progress=meter("hashing")))
            if report is not None:
                judged.append(commit)
                findings += report.findings
        if judged and not findings:
            findings += push_data(repository, [tag for tag, *_ in releases], judged)
        if not findings:
            remotes.remember(repository, [tag for tag, *_ in releases])
    return _answer(findings, "push")


def push_data(repository: Repository, tags: Sequence[str], commits: Sequence[str]) -> list[Finding]:
    """Push what the commits' locks and pointers name to the DVC remote."""
    print(f"model-gate: pushing the data and models of {', '.join(tags)} to the DVC remote", file=sys.stderr)
    script = "import sys; from dvc.repo import Repo; print(Repo().push(revs=sys.argv[1:], workspace=False), 'files pushed')"
    done = subprocess.run(
        [sys.executable, "-c", script, *commits],
        cwd=repository.path,
        env=repository.environment | {"DVC_NO_ANALYTICS": "1"},
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
    findings: list[Finding] = []
    with Repository(Path.cwd(), keep=hook_environment()) as repository:
        policy = _default_policy(repository)
        for update in (Update(*line.split(" ", 2)) for line in lines):
            if not update.ref.startswith(_TAGS) or parse_tag(update.tag) is None:
                continue
            if not is_null(update.old):
                findings.append(version.stays(update.tag, "this server", moving=not is_null(update.new)))
                continue
            report = judge.tagged(repository, update.tag, update.new, judge.Moment(frozenset({GIT}), authority=policy))
            findings += report.findings if report else []
    return _answer(findings, "push")


def _default_policy(repository: Repository) -> Policy | None:
    """The policy of the server's default branch; None where it has none yet, which means that of the pushed commit."""
    head = repository.head()
    if head is None:
        return None
    snapshot = CommitSnapshot(repository, head)
    return policies.load(snapshot) if snapshot.read(policies.FILE) is not None else None


def after_checkout() -> int:
    """`git checkout`, `pull`, `rebase`: bring data and model to what is checked out. Never an error."""
    from . import storage

    repository = Repository.discover()
    os.chdir(repository.path)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        os.environ.pop(name, None)  # DVC opens the repository by its place
    storage.connect(repository)
    from dvc.repo import Repo

    try:
        with Repo() as project:
            project.checkout(allow_missing=True)
            if _absent(repository) and storage.Storage(repository).remote_folder:
                project.pull(allow_missing=True)  # a folder is near; what is behind a network, the user asks for
    except Exception as error:  # noqa: BLE001 (whatever DVC says, the checkout is done and stays)
        print(f"model-gate: not all data and models are back ({_one_line(error)}): dvc checkout", file=sys.stderr)
        return 0
    absent = _absent(repository)
    if absent:
        shown = ", ".join(absent[:3]) + (" …" if len(absent) > 3 else "")
        print(f"model-gate: not on this machine yet: {shown}: dvc pull", file=sys.stderr)
    return 0


def _absent(repository: Repository) -> list[str]:
    """What the lock names and is not on disk."""
    disk = DiskSnapshot(repository)
    locked = dvc.read_lock(disk).values()
    paths = {path for stage in locked for path in [*stage.deps, *stage.outs] if "://" not in path}
    return sorted(path for path in paths if not disk.path(path).exists())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _go_to_top(repository: Repository) -> None:
    """Stand at the top of the working tree, so that paths are those of the tree."""
    top = repository.run("rev-parse", "--show-toplevel", check=False).strip()
    repository.path = Path(top) if top else repository.path


def _answer(findings: Sequence[Finding], what: str) -> int:
    if not findings:
        return 0
    print(f"model-gate: this {what} is refused", file=sys.stderr)
    sys.stderr.write(as_text(Report(findings)))
    return 1


def _subcommand(command: Sequence[str]) -> str:
    """`fetch` of `/usr/bin/git -c a=b -C there fetch origin`."""
    words = list(command)
    if not words:
        return ""
    name = os.path.basename(words.pop(0)).removesuffix(".exe")
    if name.startswith("git-"):
        return name.removeprefix("git-")
    while words:
        word = words.pop(0)
        if word in ("-c", "-C", "--git-dir", "--work-tree", "--namespace", "--super-prefix", "--config-env", "--exec-path"):
            words[:1] = []
        elif not word.startswith("-"):
            return word
    return ""


def asker() -> list[str]:
    """The command line of the git that runs this hook; empty where the system does not tell."""
    pid = os.environ.get("MODEL_GATE_ASKER", "")
    try:
        return Path(f"/proc/{int(pid)}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")[:-1]
    except (OSError, ValueError):
        pass
    try:
        said = subprocess.run(["ps", "-o", "args=", "-p", str(int(pid))], capture_output=True, text=True, check=False)
        return said.stdout.split()
    except (OSError, ValueError):
        return []


def main(arguments: Sequence[str]) -> int:
    """Run one hook: its name, then what Git gives it."""
    name, *given = arguments
    try:
        lines = [] if name == "after-checkout" else sys.stdin.read().splitlines()
        if name == "reference-transaction":
            return reference_transaction(lines, asker())
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
