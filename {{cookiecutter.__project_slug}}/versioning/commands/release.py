"""Release a version: bump it, describe, commit and tag. Trains nothing, and does not push."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from .. import judge, policy, proposal, pushing, releases
from .. import pipeline as dvc
from .. import sidecar as sidecars
from ..checklist import declared_version
from ..checks.base import next_release
from ..checks.commit import branch_for
from ..errors import UsageError, VersioningError
from ..findings import Report, as_text
from ..git import Repository
from ..history import History
from ..names import BUMPS, FIRST, Attempt, Version, parse_tag
from ..progress import meter
from ..snapshot import DiskSnapshot

EXAMPLE = "model release minor"
_COMMIT = 'git add -A && git commit -m "Train"'
_LINE = re.compile(rb"^version:[ \t]*[^#\n]*?(?=[ \t]*(?:#.*)?$)", re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model release`."""
    parser.add_argument(
        "version", nargs="?", metavar="VERSION|major|minor|patch",
        help="the version, or the part that grows; without one, say which part should grow and why",
    )  # fmt: skip
    parser.add_argument("--model", help="which of several models, as `uplift/v0.2.0` says too; default: `model:`")
    parser.add_argument("-m", "--message", help="the tag's message; default: the version")


def release(arguments: argparse.Namespace) -> int:
    """Release, and print the command that pushes."""
    with Repository.discover() as repository:
        disk = DiskSnapshot(repository)
        declared = policy.load(disk)
        wanted = arguments.version or ""
        prefix = wanted.rpartition("/")[0]
        if arguments.model and prefix not in ("", arguments.model):
            raise UsageError(f"{wanted} is a version of {prefix}, and --model says {arguments.model}", f"model release {wanted}")
        model = judge.known_model(disk, arguments.model or prefix) or declared.model
        rules = declared.of(model)
        if not wanted:
            return _propose(repository, rules, named=model != declared.model)
        version = _wanted(repository, rules, wanted)
        tag = releases.tag_name(version, model, several=judge.has_several(disk))
        _refuse_if_taken(repository, tag)
        _refuse_if_dirty(repository, rules)
        report = _prepare(repository, rules, version, tag)
        if report.findings:
            sys.stdout.write(as_text(report))
            print(f"{tag} is not released", file=sys.stderr)
            return 1
        _commit(repository, rules, tag)
        branch = _leave_no_stray(repository, tag)
        _tag(repository, rules, tag, arguments.message or tag)
        push = "git push --follow-tags -u origin HEAD" if branch else pushing.command(repository)
        judged_by = pushing.judged_by(repository)
        if not repository.run("remote"):
            push = "git remote add origin URL && git push --follow-tags -u origin HEAD"
        if judged_by and not push.startswith("git push && "):
            print(
                f"versioning.yaml of {judged_by} on origin has other rules, by which a server judges: merge this one there first"
            )
    print(f"released {tag} on {_branch(repository)}, commit {_short_head(repository)}\nNext: {push}")
    return 0


def _propose(repository: Repository, rules: policy.Policy, *, named: bool) -> int:
    """Say what changed since the last final release, and which part of the version that makes grow."""
    verb = f"model release{f' --model {rules.model}' if named else ''}"
    commit = f"{_COMMIT} && " if _not_committed(repository, rules) else ""
    last = proposal.last_final(repository, rules.model)
    if last is None:
        declared = declared_version(DiskSnapshot(repository), rules) or FIRST
        print(f"{rules.model} has no final release yet\nNext: {commit}{verb} {declared.final}")
        return 0
    found = [*proposal.reasons(repository, rules, last)]
    if not found:
        print(f"nothing changed since {last.tag}: there is nothing to release")
        return 0
    part = next(part for part in BUMPS if any(reason.part == part for reason in found))
    print(f"since {last.tag}:")
    for reason in sorted(found, key=lambda reason: BUMPS.index(reason.part)):
        print(f"  {reason.part:<5}  {reason.what}")
    print(f"proposed: {part}, {_wanted(repository, rules, part)}\nNext: {commit}{verb} {part}")
    return 0


def next_version(declared: Version | None, released: list[Version], part: str) -> Version:
    """The version that a bump of `part` leads to.

    A declared version that was never released, or a candidate, is finished first, as `npm version` does.
    """
    last = max(released, default=None)
    if declared is not None and declared not in released and (last is None or declared > last):
        waiting = declared if declared.pre else Version(declared.major, declared.minor, declared.patch, ("0",))
        return declared.final if last is None else waiting.bump(part)
    if last is None:
        return FIRST
    return last.bump(part)


def _wanted(repository: Repository, rules: policy.Policy, text: str) -> Version:
    if text in BUMPS:
        head = repository.head()
        if head is None:
            raise VersioningError("there is no commit to release", 'git add -A && git commit -m "Start"')
        known = [one.version for one in History(repository).earlier(head, rules.model, including=True)]
        return next_version(declared_version(DiskSnapshot(repository), rules), known, text)
    version = Version.parse(text.rpartition("/")[2])
    if version is None:
        meaning = parse_tag(text)
        right = f"; did you mean {meaning.right}?" if isinstance(meaning, Attempt) else ""
        raise UsageError(f"{text!r} is no version{right}", "model release v1.2.0, or one of major, minor, patch")
    return version


def _refuse_if_taken(repository: Repository, tag: str) -> None:
    commit = repository.resolve(f"refs/tags/{tag}")
    if commit:
        raise VersioningError(f"{tag} is released already, on commit {commit[:7]}", next_release(tag))


def _not_committed(repository: Repository, rules: policy.Policy) -> list[str]:
    """Only what a release is made of has to be committed; a README in progress may wait."""
    paths = [rules.params, dvc.PIPELINE, dvc.LOCK, policy.FILE, sidecars.path_of(rules.model)]
    changed = repository.run("status", "--porcelain", "-z", "--", *paths).split("\0")
    return [line[3:] for line in changed if line]


def _refuse_if_dirty(repository: Repository, rules: policy.Policy) -> None:
    names = _not_committed(repository, rules)
    if names:
        raise VersioningError(
            f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not committed as on disk",
            _COMMIT,
        )


def _prepare(repository: Repository, rules: policy.Policy, version: Version, tag: str) -> Report:
    """Write version, lock and sidecar, and judge them; put everything back where they are refused."""
    written = [repository.path / path for path in (rules.params, dvc.LOCK, sidecars.path_of(rules.model))]
    before = {path: path.read_bytes() if path.is_file() else None for path in written}
    try:
        _declare(repository.path / rules.params, version)
        declared = any(path.read_bytes() != before[path] for path in written[:1]) or before[written[2]] is None
        # What DVC did not run again, since no output of it changed, may be described as it was.
        described = before[written[2]] is not None and not judge.recorded(repository, rules.model).findings
        if declared or not described:
            _describe(repository, rules, anew=not described)
        _stamp(repository, rules)
        report = judge.release_on_disk(repository, tag, judge.Moment(progress=meter("hashing"), acting=True), rules.model)
    except BaseException:
        _restore(before)
        raise
    if report.findings:
        _restore(before)
    return report


def _declare(path: Path, version: Version) -> None:
    """Change the `version:` line and nothing else: comments and order are the user's."""
    content = path.read_bytes() if path.is_file() else b""
    changed, count = _LINE.subn(f"version: {version}".encode(), content, count=1)
    if not count:
        raise VersioningError(f"{path.name} has no line that begins with «version:»", f"git checkout HEAD -- {path.name}")
    if changed != content:
        path.write_bytes(changed)


def _describe(repository: Repository, rules: policy.Policy, *, anew: bool) -> None:
    """Run the sidecar stage alone, so that DVC itself records the version in `dvc.lock`."""
    pipeline = dvc.load(DiskSnapshot(repository))
    stage = pipeline.describing(str(sidecars.field(pipeline.artifacts.get(rules.model), "path")))
    binaries = str(Path(sys.executable).parent)
    environment = repository.environment | {"PATH": os.pathsep.join([binaries, repository.environment.get("PATH", "")])}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--quiet", *(["--force"] if anew else []), "--single-item", stage],
        cwd=repository.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise VersioningError(f"the sidecar stage failed: {' '.join(said[-3:])}", f"dvc repro -f -s {stage}")


def _stamp(repository: Repository, rules: policy.Policy) -> None:
    from .stamp import restamp

    restamp(repository, rules, rules.model)


def _restore(before: dict[Path, bytes | None]) -> None:
    for path, content in before.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content)


def _commit(repository: Repository, rules: policy.Policy, tag: str) -> None:
    paths = [rules.params, dvc.LOCK, sidecars.path_of(rules.model)]
    if repository.run("status", "--porcelain", "--", *paths):
        repository.run("add", "--", *paths)
        repository.run("commit", "--quiet", "-m", f"Release {tag}", "--", *paths)


def _tag(repository: Repository, rules: policy.Policy, tag: str, message: str) -> None:
    """As the user would, so that the gate itself has the last word."""
    kind = "--sign" if rules.signed else "--annotate"
    done = subprocess.run(
        ["git", "tag", kind, tag, "--message", message], cwd=repository.path, env=repository.environment, check=False
    )
    if done.returncode:
        raise VersioningError(f"Git refused the tag {tag}; its commit stays", f"model check && git tag -a {tag} -m {tag}")


def _leave_no_stray(repository: Repository, tag: str) -> str | None:
    """Give a detached HEAD that no branch holds a branch, so that the release can be found and maintained."""
    head = repository.head()
    if head is None or repository.is_on_a_branch(head):
        return None
    branch = branch_for(repository, tag)
    repository.run("switch", "--quiet", "--create", branch)
    return branch


def _branch(repository: Repository) -> str:
    return repository.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False).strip() or "a detached HEAD"


def _short_head(repository: Repository) -> str:
    return repository.run("rev-parse", "--short", "HEAD").strip()
