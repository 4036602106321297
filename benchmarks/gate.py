"""What the gate costs: at a commit, a tag, a fetch, a checkout, and over thousands of releases; each beside its reference."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.versioning import small

from .bench import PYTHON, ROUNDS, TEMPLATE, Bench, Row, medians, ratio

IMPORTS = [*PYTHON, "-c", "import jsonschema, yaml"]
EMPTY_SHIM = "#!/bin/sh\nexit 0\n"
EMPTY_HOOK = "repos:\n- {repo: local, hooks: [{id: none, name: none, entry: 'true', language: system, pass_filenames: false}]}\n"
#: The schema rules over the files of a folder, as one process; what is found is printed.
RULES = """
import sys
from pathlib import Path
from versioning.documents import load_json
from versioning.sidecar import faults
for path in sorted(Path(sys.argv[1]).iterdir()):
    for fault in faults(load_json(path.read_bytes())):
        print(path, fault)
"""


def other_tag(bench: Bench) -> Row:
    """A tag that is no release: the shim alone."""
    tag = ["tag", "nightly-1"]
    times = bench.pairs(["git", *tag], bench.bare(*tag), lambda: bench.run(*bench.bare("tag", "-d", "nightly-1")))
    more = statistics.median(ours - bare for ours, bare in times) * 1000
    ours, bare = medians(times)
    return Row("`git tag nightly-1`", f"{ours:.0f} ms", f"without hooks {bare:.0f} ms", f"{more:+.1f} ms of 15", more <= 15)


def release_tag(bench: Bench, releases: int) -> Row:
    """A release tag, all rules that read Git and the cache."""
    version = f"v0.{releases + 1}.0"
    tag = ["git", "tag", "-a", version, "-m", version]
    times = [(bench.time(*tag), (forget(bench, version), bench.time(*IMPORTS))[1]) for _ in range(ROUNDS + 1)][1:]
    share = ratio(times)
    ours, reference = medians(times)
    bench.run(*tag)
    what = f"`git tag -a {version}`, {releases:,} earlier"
    return Row(what, f"{ours:.0f} ms", f"`import jsonschema, yaml` {reference:.0f} ms", f"{share:.2f} of 2", share <= 2)


def forget(bench: Bench, version: str) -> None:
    """Take a tag away, so that it can be made again."""
    bench.run(*bench.bare("tag", "-d", version))


def commit_hook(bench: Bench) -> Row:
    """pre-commit with our hook and a staged sidecar, beside pre-commit with a hook that does nothing."""
    sidecar = bench.folder / small.SIDECAR
    content = json.loads(sidecar.read_text("utf-8"))
    sidecar.write_text(json.dumps({**content, "extra": {"note": "staged"}}, indent=2) + "\n", "utf-8")
    bench.run("git", "add", small.SIDECAR)
    empty = bench.folder.parent / "empty.yaml"
    empty.write_text(EMPTY_HOOK, "utf-8")
    hook = [*PYTHON, "-m", "pre_commit", "run", "--config"]
    times = bench.pairs([*hook, ".pre-commit-config.yaml"], [*hook, str(empty)])
    bench.run("git", "restore", "--staged", "--worktree", small.SIDECAR)
    own = statistics.median(ours - alone for ours, alone in times) * 1000
    ours, alone = medians(times)
    return Row(
        "commit hook, a sidecar staged", f"{ours:.0f} ms", f"pre-commit alone {alone:.0f} ms", f"{own:.0f} ms of 200", own <= 200
    )


def going_back(bench: Bench, releases: int) -> Row:
    """`git checkout` of a release, data and model with it, beside the two bare commands."""
    here, there = f"v0.{releases + 1}.0", f"v0.{releases}.0"
    bench.run("git", "checkout", "-q", here)
    both = "git -c core.hooksPath=/dev/null checkout -q %s && python -m dvc checkout -q"
    times = []
    for _ in range(ROUNDS + 1):
        ours = bench.time("git", "checkout", "-q", there)
        bench.run("git", "checkout", "-q", here)
        times.append((ours, bench.time("sh", "-c", both % there)))
        bench.run("sh", "-c", both % here)
    bench.run("git", "checkout", "-q", "main")
    share = ratio(times[1:])
    ours, bare = medians(times[1:])
    return Row(
        "going back to a release",
        f"{ours:.0f} ms",
        f"`git checkout` and `dvc checkout` {bare:.0f} ms",
        f"{share:.2f} of 1.2",
        share <= 1.2,
    )


def fetch(bench: Bench, releases: int) -> Row:
    """New release tags fetched into a clone with the gate, beside a clone with an empty shim."""
    clones = []
    for name in ("guarded", "empty"):
        clone = bench.folder.parent / name
        bench.run(*bench.bare("clone", "-q", "--no-tags", bench.folder.as_uri(), str(clone)))
        (clone / ".venv").symlink_to(sys.prefix)
        bench.run("sh", "-c", f"cd '{clone}' && python -B -m versioning hooks install && git config gc.auto 0")
        clones.append(clone)
    (clones[1] / ".git/hooks/reference-transaction").write_text(EMPTY_SHIM, "utf-8")
    times = []
    for _ in range(4):
        pair = []
        for clone in clones:
            pair.append(bench.time("git", "fetch", "-q", "--tags", folder=clone))
            bench.run("sh", "-c", f"cd '{clone}' && git tag | xargs git -c core.hooksPath=/dev/null tag -d")
        times.append((pair[0], pair[1]))
    share = ratio(times[1:])
    ours, empty = (milliseconds / releases for milliseconds in medians(times[1:]))
    return Row(
        f"`git fetch` of {releases:,} release tags",
        f"{ours:.2f} ms a tag",
        f"an empty shim {empty:.2f} ms",
        f"{share:.2f} of 1.2",
        share <= 1.2,
    )


def all_releases(scratch: Path, few: Bench, count: int) -> list[Row]:
    """Every release of a clone judged, and how that grows."""
    check = [*PYTHON, "-m", "versioning", "check", "--all-releases"]
    many = Bench(scratch / "many", count * 10)
    one = statistics.median(few.time(*check) for _ in range(3))
    ten = many.time(*check)
    growth = ten / one / 10
    return [
        Row(f"`model check --all-releases`, {count:,}", f"{one:.1f} s", "-", f"{one:.1f} s of 5", one <= 5),
        Row(f"the same, {count * 10:,}", f"{ten:.1f} s", f"10 x {one:.1f} s", f"{growth:.2f} of 1.2", growth <= 1.2),
    ]


def schema(bench: Bench, count: int) -> Row:
    """The schema of many sidecars, beside check-jsonschema on the same files."""
    folder = bench.folder.parent / "sidecars"
    folder.mkdir()
    content = json.loads((bench.folder / small.SIDECAR).read_text("utf-8"))
    for number in range(count):
        (folder / f"{number}.json").write_text(json.dumps({**content, "version": f"v1.{number}.0"}, indent=2), "utf-8")
    theirs = [
        "sh",
        "-c",
        f"cd '{folder}' && ls | xargs check-jsonschema --schemafile '{TEMPLATE}/versioning/schemas/sidecar.v1.json'",
    ]
    ours = [*PYTHON, "-c", RULES, str(folder)]
    times = [(bench.time(*theirs), bench.time(*ours)) for _ in range(3)]
    share = ratio(times)
    one, other = medians(times)
    return Row(
        f"schema of {count:,} sidecars",
        f"{other / 1000:.2f} s",
        f"check-jsonschema {one / 1000:.2f} s",
        f"{share:.1f} x faster, at least 2",
        share >= 2,
    )


def rows(scratch: Path, releases: int = 1000) -> Iterator[Row]:
    """The rows of the gate, as they are measured."""
    for part in ("a", "b", "c"):
        (scratch / part).mkdir()
    few, many = Bench(scratch / "a" / "few", 3), Bench(scratch / "b" / "many", releases)
    yield other_tag(few)
    yield release_tag(few, 3)
    yield release_tag(many, releases)
    yield commit_hook(few)
    yield going_back(few, 3)
    yield fetch(many, releases)
    yield schema(few, 10 * releases)
    yield from all_releases(scratch / "c", many, releases)
