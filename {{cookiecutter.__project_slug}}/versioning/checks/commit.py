"""CO: the commit that a sidecar names made the model, and the tagged commit still describes it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from .. import pipeline as dvc
from .. import runs
from .. import sidecar as sidecars
from ..errors import UsageError
from ..findings import Finding
from ..git import Repository
from .base import Case, program, rule


@rule("CO01", "the commit is a known ancestor")
def known(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar whose `commit` is not in the history of the tagged commit, as after a rebase, an amended commit or a
    squash merge: whoever follows it would find nothing, or another branch. Refuses as well a release tag on what is no commit,
    a new one on a commit that no branch holds, and on a server one whose history is not that of the default branch.

    Name a commit that is there, which trains nothing: `model stamp --commit`.
    """
    named, here = case.claim("commit"), case.snapshot.commit
    if not isinstance(named, str) or here is None:
        return
    if case.repository.kind(named) != "commit":
        if case.repository.is_shallow:
            raise UsageError(f"this shallow clone does not have commit {named[:7]}", "git fetch --unshallow --tags")
        message = f"is {named[:12]}, which is no commit of this repository"
    elif not case.repository.is_ancestor(named, here):
        if case.repository.is_shallow:
            raise UsageError(f"this shallow clone does not reach commit {named[:7]}", "git fetch --unshallow --tags")
        message = f"is {named[:7]}, which is no ancestor of {here[:7]}"
    else:
        return
    yield case.finding("CO01", message, "commit", actual=named, hint=case.stamp)


def no_commit(repository: Repository, tag: str, target: str) -> Finding:
    """A release tag on a tree or a file."""
    found = repository.cat(f"{target}^{{}}")
    message = f"{tag} names a {found[1] if found else 'thing'}, and a release is a commit"
    drop = f"git tag -d {tag} && " if repository.resolve(f"refs/tags/{tag}", kind="") else ""
    hint = f"{drop}{program()} release {tag}"
    return Finding("CO01", f"refs/tags/{tag}", message, expected="commit", actual=target, ref=tag, hint=hint)


def on_no_branch(repository: Repository, tag: str, commit: str) -> Finding:
    """A new release tag on a commit that no branch holds: whoever looks for the release's history would not find it."""
    branch = branch_for(repository, tag)
    make, at = f"git branch {branch} {commit[:12]}", f" {commit[:12]}"
    if commit == repository.head():  # which is detached: further work goes on from there
        make, at = f"git switch -c {branch}", ""
    message = f"{tag} would be on {commit[:7]}, which no branch holds"
    force = "-f " if repository.resolve(f"refs/tags/{tag}", kind="") else ""
    hint = f"{make} && git tag {force}-a {tag} -m {tag}{at}"
    return Finding("CO01", f"refs/tags/{tag}", message, actual=commit, ref=tag, hint=hint)


def unrelated(tag: str, commit: str, branch: str) -> Finding:
    """A release tag on a commit from which no earlier release can be seen: versions are judged by their ancestors."""
    message = f"{tag} is on {commit[:7]}, which shares no history with {branch}"
    join = f"git fetch origin && git merge -s ours --allow-unrelated-histories origin/{branch}"
    hint = f"{join} && git tag -f -a {tag} -m {tag}"
    return Finding("CO01", f"refs/tags/{tag}", message, expected=branch, actual=commit, ref=tag, hint=hint)


def branch_for(repository: Repository, tag: str) -> str:
    """A new branch to release a tag from."""
    wanted = f"release-{tag.replace('/', '-')}"
    names = (f"{wanted}{number}" for number in ("", *(f"-{count}" for count in range(2, 100))))
    return next(name for name in names if repository.resolve(f"refs/heads/{name}") is None)


@rule("CO02", "dvc.lock is up to date")
def up_to_date(case: Case) -> Iterator[Finding]:
    """Refuses a commit at which `dvc status` would say that a stage behind the model is stale: its command, code, data or a
    parameter is not what `dvc.lock` recorded, or a metrics file was changed after it was made. A formatter that touched code
    after training is a change of code as well. Refuses a lock that contradicts itself too, which `dvc status` does not see:
    two sizes of one content. Where a release is made, also a record that a merge put together of two sides, which nobody ran.

    Run what is stale, and commit it: `dvc repro && git add -A && git commit -m "Train"`.
    """
    comparison = dvc.Comparison(case.snapshot, case.pipeline)
    stages = behind(case)
    stale = list(comparison.stale(stages))
    for difference in stale:
        yield _difference(case, "CO02", difference, case.retrain)
    if stale:
        return  # running those writes the lock anew
    for difference in comparison.contradictions(stages):
        yield _difference(case, "CO02", difference, _recorded_anew(case, difference))


@rule("CO03", "the commit holds what made the model")
def holds(case: Case) -> Iterator[Finding]:
    """Refuses a sidecar whose `commit` does not hold the code, the parameters and the data pointers that `dvc.lock` recorded
    for the stages behind artifact, features and metrics: the model was trained from files that were committed later, or never.

    Name a commit that holds them, which trains nothing: `model stamp --commit`.
    """
    named = case.claim("commit")
    if not isinstance(named, str) or case.repository.kind(named) != "commit":
        return  # CO01 says so
    stages = _claimed(case)
    differences = sidecars.claim_differences(case.repository, case.snapshot, named, stages, case.pipeline)
    if not differences:
        return
    first = differences[0]
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    message = f"is {named[:7]}, which does not hold what made the model: {_said(first)}{more}"
    yield case.finding(
        "CO03", message, "commit", expected=first.recorded, actual=first.actual, hint=case.stamp
    )  # fmt: skip


def never_run(case: Case) -> Iterator[Finding]:
    """A stage whose record a merge put together of two sides, line by line: nobody ran it so, and `dvc status` believes it.

    Asked of who acts, where DVC's cache of runs can tell; a server or CI has none.
    """
    commit = case.snapshot.commit
    if commit is None:
        return
    last = next(case.earlier(), None)
    found = runs.unrun(case.repository, commit, case.pipeline, _claimed(case), last.commit if last else None)
    if not found:
        return
    names = list(dict.fromkeys(one.stage for one in found))
    file = case.pipeline.stages[names[0]].lock
    message = f"says that {', '.join(names)} ran as the merge {found[0].merge[:7]} put it together, which nobody did"
    again = f"dvc repro -f -s {shlex.join(names)} && dvc repro"
    yield case.finding("CO02", message, file=file, actual=found[0].merge, hint=again)


def _recorded_anew(case: Case, difference: dvc.Difference) -> str:
    """Nothing is stale for `dvc repro`: what wrote the wrong line has to run again."""
    pointer = f"{difference.path}.dvc"
    add = f"dvc commit -f {shlex.quote(pointer)} && " if case.snapshot.read(pointer) is not None else ""
    return case.then(f"{add}dvc repro -f -s {shlex.quote(difference.stage)} && dvc repro", everything=True)


def _claimed(case: Case) -> list[str]:
    path = case.claim("artifact", "path")
    return sidecars.claimed_stages(case.pipeline, path if isinstance(path, str) else "", case.policy, case.model)


def behind(case: Case) -> list[str]:
    """The stages behind the model, and the sidecar's own; others may be stale without making this release untrue."""
    claimed = _claimed(case)
    path = case.claim("artifact", "path")
    own = [
        stage.name
        for stage in case.pipeline.stages.values()
        if dvc.is_sidecar_stage(stage.name) and (not claimed or path in stage.deps.values())
    ]
    above = case.pipeline.upstream(*(dep for name in own for dep in case.pipeline.stages[name].deps.values()))
    return [name for name in case.pipeline.stages if name in {*claimed, *own, *above}]


def _difference(case: Case, code: str, difference: dvc.Difference, hint: str) -> Finding:
    return case.finding(
        code,
        f"stage {difference.stage} {difference.what}{_values(difference)}",
        file=difference.path,
        expected=difference.recorded,
        actual=difference.actual,
        hint=hint,
    )


def _said(difference: dvc.Difference) -> str:
    return f"stage {difference.stage} {difference.what} ({difference.path}){_values(difference)}"


def _values(difference: dvc.Difference) -> str:
    if difference.recorded is None and difference.actual is None:
        return ""
    return f": {dvc.LOCK} says {_short(difference.recorded)}, here it is {_short(difference.actual)}"


def _short(value: object) -> str:
    text = str(value) if isinstance(value, str) else repr(value)
    is_hash = isinstance(value, str) and len(text) >= 32 and all(letter in "0123456789abcdef" for letter in text[:32])
    text = f"{text[:10]}…" if is_hash else text
    return "nothing" if value is None else text[:80]
