"""Move the storage: copy all data, models and published releases, compare each with what is read back, and only then switch."""

from __future__ import annotations

import argparse
import importlib
import logging
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .. import clouds
from .. import storage as places
from ..answers import Change, read
from ..errors import Malformed, UsageError, VersioningError
from ..git import Repository

if TYPE_CHECKING:
    from .. import transfer

EXAMPLE = "model storage move s3://my-bucket/customer-churn"

PYPROJECT = "pyproject.toml"
_NOTE = """dvc/ holds the bytes of data and models by their MD5, in DVC's layout; releases/ holds the published releases.
`model storage move` made this place.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model storage`."""
    parser.add_argument("act", choices=("move",))
    parser.add_argument("url", metavar="URL", help="s3://bucket/path, gs://bucket/path, azure://container/path or a folder")
    parser.add_argument("--endpoint-url", metavar="ADDRESS", help="of a server of your own that speaks S3, such as MinIO")
    parser.add_argument("--no-install", action="store_true", help="leave the environment as it is")


def storage(arguments: argparse.Namespace) -> int:
    """Copy, compare, switch; run again after an interruption, it goes on. The old place keeps all that it has.

    Returns:
        0 moved, or there already; 1 nothing was switched.
    """
    with Repository.discover() as repository:
        options = target(arguments.url, arguments.endpoint_url)
        refuse_inside(repository, options)
        old = source_of(repository)
        stays = old["url"] == options["url"]
        installed = [] if stays else _make_reachable(repository, options["url"], install=not arguments.no_install)
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)  # clients print whole tracebacks; what went wrong is said in one line
        try:
            (_copy_late if stays else _copy)(repository, old, {**_own(repository, options["url"]), **options})
        except VersioningError:
            for change in installed:
                Change(change.path, change.after, change.before).apply(repository.path)
            raise
        finally:
            logging.disable(before)
        changed = [change.path for change in planned(repository, options)]
        switch(repository, options)
        _say_next(repository, old["url"], options["url"], changed)
    return 0


def source_of(repository: Repository) -> dict[str, str]:
    """The storage as it is: its DVC remote, with the options that reach it.

    Raises:
        VersioningError: there is none, or this machine cannot reach it.
    """
    unconnected = places.connect(repository)
    if unconnected:
        raise VersioningError(unconnected)
    here = places.Storage(repository)
    if here.remote is None:
        raise VersioningError("this repository has no DVC remote", "dvc remote add --default storage URL")
    if here.remote_name != places.REMOTE:
        cure = f"dvc remote rename {here.remote_name} {places.REMOTE}"
        raise UsageError(f"the default DVC remote is «{here.remote_name}», not «{places.REMOTE}»", cure)
    url = _written(here) or here.remote
    if here.remote_folder is not None and not here.remote_folder.is_dir():
        raise VersioningError(places.unreachable(repository, f"{url} is not there: the storage"))
    return here.remote_options | {"url": url}


def is_elsewhere(repository: Repository, options: dict[str, str]) -> bool:
    """Whether the storage is another place than this now."""
    here = places.Storage(repository)
    return (_written(here) or here.remote) != options["url"]


def _written(here: places.Storage) -> str | None:
    """The storage's folder as it is named: `dvc` may be a link to another disk, and `releases` lies beside the link."""
    if here.remote is None or here.remote_folder is None:
        return None
    named = here.root / ".dvc" / here.remote
    return str(named.parent.resolve() / named.name) if named.name == "dvc" else str(here.remote_folder)


def planned(repository: Repository, options: dict[str, str]) -> list[Change]:
    """What the move to a place changes in files that Git holds."""
    root = repository.path
    changes = tools(root, [cloud] if (cloud := clouds.of(options["url"])) else [])
    config = places.CONFIG.as_posix()
    before = read(root / config) or ""
    shared = options if cloud else {}
    changes.append(Change(config, before, places.with_remote(before, shared, drop=places.options_of(before))))
    return [change for change in changes if change.before != change.after]


def tools(root: Path, wanted: Sequence[str]) -> list[Change]:
    """The changes after which `pyproject.toml` and the lock ask for what reaches these clouds, and for no other one's."""
    changes = []
    pyproject, lock = read(root / PYPROJECT), read(root / clouds.TOOLS)
    if pyproject is not None:
        changes.append(Change(PYPROJECT, pyproject, clouds.with_extras(pyproject, wanted)))
    if lock is not None:
        changes.append(Change(clouds.TOOLS, lock, clouds.with_pins(lock, wanted)))
    return changes


def switch(repository: Repository, options: dict[str, str]) -> None:
    """Make another place the storage: a cloud for everybody by `.dvc/config`, a folder for this clone and its neighbours."""
    cloud = clouds.of(options["url"])
    before = places.Storage(repository).remote or ""
    if clouds.of(before) != cloud:
        places.set_aside(repository)
    if not cloud:
        places.set_local(repository, options)
    places.leave_word(repository, None if cloud else Path(options["url"]))
    for change in planned(repository, options):
        change.apply(repository.path)
    if cloud:
        places.set_local(repository, {})


def refuse_inside(repository: Repository, options: dict[str, str]) -> None:
    """What lies in the working tree, the next `git add -A` takes.

    Raises:
        UsageError: the place is a folder in the repository.
    """
    if clouds.of(options["url"]):
        return
    folder = Path(options["url"]).parent.resolve()
    for top in (repository.path, repository.main_worktree, repository.common_dir):
        if folder.is_relative_to(top.resolve()):
            beside = repository.main_worktree.with_name(f"{repository.main_worktree.name}-storage")
            cure = f"model storage move {shlex.quote(str(beside))}"
            raise UsageError(f"{folder} is inside the repository, {top}, and Git would take the data for its own", cure)


def target(url: str, endpoint: str | None) -> dict[str, str]:
    """The new place as the options of DVC's remote."""
    top = clouds.place(url)
    if endpoint and clouds.of(top) != "s3":
        raise UsageError(f"--endpoint-url is for s3://…, not for {top}")
    return {"url": f"{top}/dvc"} | ({"endpointurl": endpoint} if endpoint else {})


def _own(repository: Repository, url: str) -> dict[str, str]:
    """What a person wrote in `.dvc/config.local` for the same kind of place, such as a profile."""
    if clouds.of(places.Storage(repository).remote or "") != clouds.of(url):
        return {}
    options = places.options_of(read(repository.path / places.LOCAL_CONFIG) or "")
    return {key: value for key, value in options.items() if key not in {"url", "endpointurl"}}


def _make_reachable(repository: Repository, url: str, *, install: bool) -> list[Change]:
    """Install what speaks with a cloud, where it is not; what reaches the old place stays until the move is done.

    Returns:
        The changes of files that this took.
    """
    from . import setup

    cloud = clouds.of(url)
    if cloud is None or find_spec(clouds.CLIENTS[cloud]):
        return []
    if not install:
        raise VersioningError(f"what speaks with {cloud}:// is not installed", f"model storage move {url.removesuffix('/dvc')}")
    asked = clouds.asked(read(repository.path / PYPROJECT) or "")
    changes = tools(repository.path, [*(name for name in asked if name != cloud), cloud])
    for change in changes:
        change.apply(repository.path)
    setup.make_environment(repository.main_worktree)
    importlib.invalidate_caches()
    return changes


def _copy(repository: Repository, old: dict[str, str], new: dict[str, str]) -> None:
    from .. import transfer

    source, into = _tops(old, new)
    if f"{into.url}/".startswith(f"{source.url}/dvc/") or f"{source.url}/".startswith(f"{into.url}/dvc/"):
        raise UsageError(f"{into.url} and {source.url} lie in one another: choose a place beside")
    _refuse_another(repository, source)
    transfer.write_note(into, "README.txt", _NOTE)
    for part in ("dvc", "releases"):
        copied = transfer.copy(source.below(part), into.below(part), f"copying {part} to {into.url}")
        if copied.damaged:
            raise _damaged(source.below(part), copied.damaged)
        if copied.files:
            size = f"{copied.size / 1e6:,.1f} MB" if copied.size >= 1e5 else f"{copied.size:,} bytes"
            there = f" ({copied.files - copied.copied} were there already)" if copied.copied < copied.files else ""
            print(f"{part}: {copied.files} files, {size}, read back from {into.url}/{part} and equal{there}")


def _copy_late(repository: Repository, old: dict[str, str], new: dict[str, str]) -> None:
    """Copy what came to the folder beside `origin` after the storage had moved away from there: some clone had not followed."""
    beside, cloud = places.embedded(repository), clouds.of(new["url"])
    if beside is None or str(beside) == new["url"] or (cloud and not find_spec(clouds.CLIENTS[cloud])):
        return
    from .. import transfer

    source, into = _tops({"url": str(beside)}, {**old, **new})
    for part in ("dvc", "releases"):
        copied = transfer.copy(source.below(part), into.below(part), f"copying {part} to {into.url}", late=True)
        if copied.damaged:
            raise _damaged(source.below(part), copied.damaged)
        if copied.files:
            print(f"{part}: {copied.files} files came to {source.url} after the move, and are copied to {into.url} now")


def _refuse_another(repository: Repository, source: transfer.Place) -> None:
    """A place that holds nothing of any release is not the one where they lie, whatever the configuration says."""
    named, held = dict(_released(repository)), source.below("dvc").files()
    if named and not any(f"files/md5/{md5[:2]}/{md5[2:]}" in held for md5 in named):
        md5, what = next(reversed(named.items()))
        raise VersioningError(
            f"{source.url}/dvc holds nothing of any release, such as {what} with the MD5 {md5}; nothing was switched",
            "dvc push --all-tags, in a clone that has the data; then move again",
        )


def _released(repository: Repository) -> Iterator[tuple[str, str]]:
    """The MD5 of each file that a release's sidecar names, and what it is, the newest release's last."""
    from .. import releases
    from .. import sidecar as sidecars
    from ..snapshot import CommitSnapshot

    for release in releases.find(repository):
        snapshot = CommitSnapshot(repository, release.commit)
        with suppress(Malformed):
            for path in sidecars.find(snapshot):
                content = snapshot.json(path)
                for section in ("data", "artifact"):
                    md5, name = (sidecars.field(content, section, key) for key in ("md5", "path"))
                    if isinstance(md5, str) and md5:
                        yield md5, f"{name} of {release.tag}"


def _tops(old: dict[str, str], new: dict[str, str]) -> tuple[transfer.Place, transfer.Place]:
    """The places that hold `dvc` and `releases`."""
    from .. import transfer

    if not old["url"].endswith("/dvc"):
        raise UsageError(
            f"the DVC remote is {old['url']}; this verb moves a place that holds dvc/ and releases/, and so ends with /dvc",
            "dvc remote modify storage url URL/dvc",
        )
    tops = [
        transfer.place(
            options["url"].removesuffix("/dvc"),
            {key: value for key, value in options.items() if key not in {"url", "checksum_jobs"}},
        )
        for options in (old, new)
    ]
    return tops[0], tops[1]


def _damaged(source: transfer.Place, names: Sequence[str]) -> VersioningError:
    shown = ", ".join(f"{source.url}/{name}" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    cure = f"remove {'it' if len(names) == 1 else 'them'} there and, in a clone that has the data: dvc push --all-commits"
    if clouds.of(source.url) is None:
        files = " ".join(shlex.quote(source.at(name)) for name in names)
        cure = f"rm -f {files} && dvc push --all-commits, in a clone that has the data; then move again"
    return VersioningError(f"damaged, for the bytes are not those of the MD5 in the name: {shown}; nothing was switched", cure)


def _say_next(repository: Repository, old: str, new: str, changed: Sequence[str]) -> None:
    if old == new and not changed:
        print(f"the storage is {new.removesuffix('/dvc')} already")
        return
    print(f"the storage is now {new.removesuffix('/dvc')}; {old.removesuffix('/dvc')} keeps all that it had")
    if changed:
        message = shlex.quote(f"Move the storage to {new.removesuffix('/dvc')}")
        push = " && git push" if repository.run("remote", check=False).strip() else ""
        print(f"Next: git add {shlex.join(changed)} && git commit -m {message}{push}")
    if clouds.of(new):
        print("Colleagues, then: git pull && python3 -m versioning setup")
    else:
        print("Other clones on this machine follow with: python3 -m versioning setup")
    beside = places.beside_origin(repository)
    if beside is not None and clouds.of(new):
        print(
            f"The Git repository stays in {beside}; to move that too, make an empty one and: "
            "git remote set-url origin ADDRESS && git push --all && git push --tags"
        )
