"""Name a commit that holds what made the model, in its sidecar and nowhere else. Trains nothing."""

from __future__ import annotations

import argparse

from .. import judge, policy
from .. import pipeline as dvc
from .. import sidecar as sidecars
from ..errors import VersioningError
from ..git import Repository
from ..snapshot import DiskSnapshot

EXAMPLE = "model stamp --commit && git tag -a v0.1.0 -m v0.1.0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model stamp`."""
    parser.add_argument("model", nargs="?", help="default: the model of versioning.yaml")
    parser.add_argument("--commit", action="store_true", help="commit the stamped sidecar as well")


def stamp(arguments: argparse.Namespace) -> int:
    """Stamp, perhaps commit, and say what was done."""
    with Repository.discover() as repository:
        rules = policy.load(DiskSnapshot(repository))
        model = judge.known_model(DiskSnapshot(repository), arguments.model or "") or rules.model
        rules = rules.of(model)
        path = sidecars.path_of(model)
        before, after = restamp(repository, rules, model)
        if before == after:
            print(f"{path}: commit {before[:7]} holds what made the model")
        else:
            print(f"{path}: commit {before[:7]} -> {after[:7]}")
        # Also one that an earlier, interrupted run has written and not committed.
        if arguments.commit and repository.run("status", "--porcelain", "--", path):
            repository.run("add", "--", path)
            repository.run("commit", "--quiet", "-m", f"Stamp {model} with commit {after[:7]}", "--", path)
            print(f"committed: {repository.run('log', '-1', '--format=%h %s').strip()}")
        elif before != after:
            print(f"Next: git commit -m 'Stamp {model}' {path}")
    return 0


def restamp(repository: Repository, rules: policy.Policy, model: str) -> tuple[str, str]:
    """Make the sidecar's `commit` true where it is not; data and model need not be on disk.

    Returns:
        The commit it named, and the one it names now.

    Raises:
        VersioningError: there is no sidecar; HEAD does not hold what made the model; or the sidecar says something else
            that `dvc.lock` contradicts, which a stamp must not hide.
    """
    disk = DiskSnapshot(repository)
    path = sidecars.path_of(model)
    content = disk.json(path)
    if content is None:
        raise VersioningError(f"{path} is not there", f"dvc repro -f -s {_describing(disk, model)}")
    report = judge.recorded(repository, model)
    if report.findings:
        first = report.findings[0]
        raise VersioningError(f"{path} {first.path} {first.message} ({first.code}); a stamp changes the commit only", first.hint)
    pipeline = dvc.load(disk)
    stages = sidecars.claimed_stages(pipeline, str(sidecars.field(content, "artifact", "path")), rules, model)
    before = str(content.get("commit"))
    head = repository.head()
    for candidate in (before, head):
        if candidate and repository.resolve(candidate) == candidate and repository.is_ancestor(candidate, "HEAD"):
            differences = sidecars.claim_differences(repository, disk, candidate, stages)
            if not differences:
                if candidate != before:
                    sidecars.write(repository.path, {**content, "commit": candidate})
                return before, candidate  # a true claim is left alone
    if head is None:
        raise VersioningError("there is no commit yet", 'git add -A && git commit -m "Train"')
    first_difference = differences[0]
    raise VersioningError(
        f"HEAD ({head[:7]}) does not hold what made {model}: "
        f"stage {first_difference.stage} {first_difference.what} ({first_difference.path})",
        _cure(repository, first_difference.path),
    )


def _describing(disk: DiskSnapshot, model: str) -> str:
    pipeline = dvc.load(disk)
    return pipeline.describing(str(sidecars.field(pipeline.artifacts.get(model), "path")))


def _cure(repository: Repository, path: str) -> str:
    """Commit the files that the model was made from; where they are committed already, they changed since."""
    return 'git add -A && git commit -m "Train"' if repository.run("status", "--porcelain", "--", path) else "dvc repro"
