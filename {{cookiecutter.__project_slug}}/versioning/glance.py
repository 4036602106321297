"""`model` alone, where nothing moved since it last answered: the answer is kept, as Git keeps its index, and printed again.

Python's start is most of its time, so this imports nothing that Python has not loaded by itself. What it keeps is the answer,
and beside it everything that the answer was made from: `git status`, every ref, the rules, and each file that was read or asked
for, by size, times and inode. Where any of that is another, or could be (a file that changed in the moment of the answer, as Git
treats it), the answer is made anew.
"""

from __future__ import annotations

import os
import sys
import time

FILE = "look"
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=all", "-z")
#: What may lead to other files being read, or to other commands being named.
_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME", "DVC_GLOBAL_CONFIG_DIR")
#: What points Git elsewhere than the folder that we are in.
_REPOINTING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")
#: Refs and settings of Git, in the common directory and in a worktree's own.
_GIT_FILES = (
    "HEAD", "config", "config.worktree", "packed-refs", "shallow", "refs", "reftable",
    "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG",
)  # fmt: skip
#: A file's time is as coarse as its file system's clock: one that changed so shortly before could change again unseen.
_MOMENT = 100_000_000
_COARSE = 2_000_000_000


class Place:
    """A working tree, found without asking git."""

    def __init__(self, top: str, git: str, common: str) -> None:
        self.top = top
        self.git = git
        self.common = common

    @property
    def kept(self) -> str:
        """Where the answer of this working tree is kept: each worktree has its own."""
        return f"{self.git}/model-gate-{FILE}" if self.git != self.common else f"{self.common}/model-gate/{FILE}"


def find(start: str) -> Place | None:
    """The working tree around a folder; None where it takes git to tell, or a system that starts no program as POSIX does."""
    if any(name in os.environ for name in _REPOINTING) or not hasattr(os, "posix_spawnp"):
        return None
    top = os.path.realpath(start)
    while not os.path.lexists(f"{top}/.git"):
        if top == os.path.dirname(top):
            return None
        top = os.path.dirname(top)
    git = f"{top}/.git"
    if os.path.isfile(git):  # a worktree, or a submodule
        said = _read(git).strip()
        if not said.startswith("gitdir: "):
            return None
        git = os.path.normpath(os.path.join(top, said[8:]))
    common = _read(f"{git}/commondir").strip()
    return Place(top, git, os.path.normpath(os.path.join(git, common)) if common else git)


def answer(start: str) -> str | None:
    """The kept answer, where all that it was made from is as it was; else None."""
    place = find(start)
    if place is None:
        return None
    kept = _read(place.kept)
    # What cannot be taken apart, half of it or an older program's, is no answer.
    head, mark, rest = kept.partition("\0\0watched\0")
    watched, mark_too, text = rest.partition("\0\0answer\0")
    if not mark or not mark_too or not text.endswith("\0end\n"):
        return None
    paths = [entry.partition("\t")[2] for entry in watched.split("\0") if entry]
    if "\0".join(_seen(path) for path in paths) != watched or state(place) != head:
        return None
    return text.removesuffix("\0end\n")


def main() -> None:
    """Print the kept answer; ends with 1 where there is none to be trusted."""
    kept = answer(os.getcwd())
    if kept is None:
        sys.exit(1)
    print(kept)


def keep(place: Place, began: int, before: str, looked_at: set[str], text: str) -> bool:
    """Keep an answer with what it was made from, unless some of that changed while it was made or just before.

    Args:
        began: the file system's clock when the judgement began, as `clock` tells it.
        before: the state then.
        looked_at: every path that was read or asked for.
    """
    watched = [_seen(path) for path in sorted(looked_at) if "\0" not in path]
    if any(_is_fresh(entry, began) for entry in watched) or state(place) != before:
        return False
    if _just_moved(place, began):
        return False
    draft = f"{place.kept}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(draft), exist_ok=True)
        with open(draft, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(before + "\0\0watched\0" + "\0".join(watched) + "\0\0answer\0" + text + "\0end\n")
        os.replace(draft, place.kept)
    except OSError:
        return False  # only a shortcut: the next look judges again
    return True


def clock(place: Place) -> int:
    """Now, by the clock of the file system on which the repository lies: a server's may differ from ours."""
    draft = f"{place.git}/model-gate-clock.{os.getpid()}"
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600))
        now = os.stat(draft).st_mtime_ns
        os.unlink(draft)
    except OSError:
        return 0  # where nothing can be written, everything counts as just changed
    return now


def state(place: Place) -> str:
    """Everything but the files that were read: the day, Git's own view, its refs, the rules."""
    lines = [str(int(time.time()) // 86400), place.top]  # a waiver ends with its day
    lines += sorted(f"{name}={value}" for name, value in os.environ.items() if name in _VARIABLES or name.startswith("GIT_"))
    lines.append(status(place.top))
    for folder in {place.common, place.git}:
        for name in _GIT_FILES:
            lines += _below(f"{folder}/{name}")
    lines += _below(f"{place.top}/versioning")
    return "\0".join(lines)


def unfinished(place: Place) -> str:
    """What Git is in the middle of, or nothing."""
    names = {
        "MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert", "rebase-merge": "rebase",
        "rebase-apply": "rebase", "BISECT_LOG": "bisect",
    }  # fmt: skip
    return next((word for name, word in names.items() if os.path.lexists(f"{place.git}/{name}")), "")


def status(top: str) -> str:
    """What `git status` says, a line each: branch, commit, upstream, and every path that is not as committed."""
    reading, writing = os.pipe()
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    actions = [(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading), (os.POSIX_SPAWN_OPEN, 2, os.devnull, 1, 0)]
    try:
        child = os.posix_spawnp("git", ("git", "-C", top, *_STATUS), environment, file_actions=actions)
    except OSError:
        os.close(writing)
        os.close(reading)
        return f"no status {time.time()}"
    os.close(writing)
    pieces = []
    while piece := os.read(reading, 1 << 16):
        pieces.append(piece)
    os.close(reading)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    text = b"".join(pieces).decode("utf-8", "surrogateescape")
    # A NUL ends a part of what is kept.
    return text.replace("\0", "\n") if ended == 0 else f"no status {time.time()}"


def changed_paths(status: str) -> list[str]:
    """The paths that a status names: a second edit of a changed file leaves the status as it is."""
    fields = {"1": 8, "2": 9, "u": 10, "?": 1}
    found = []
    for line in status.splitlines():
        count = fields.get(line[:1])
        parts = line.split(" ", count) if count and line[1:2] == " " else []
        found += parts[count:] if count and len(parts) > count else []
    return found


def _below(path: str) -> list[str]:
    """A file, or a folder and all in it, as `_seen` has them."""
    found = [_seen(path)]
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:  # no folder, or not there
        return found
    for entry in entries:
        if entry.name == "__pycache__":
            continue
        if entry.is_dir(follow_symlinks=False):
            found += _below(entry.path)
        else:
            found.append(_seen(entry.path))
    return found


def _seen(path: str) -> str:
    """What tells a file from what it was before: size, times and inode; the time of a change cannot be set by anybody."""
    try:
        status = os.stat(path)
    except OSError:
        return f"-\t{path}"
    if os.path.isdir(path):  # the size of a folder and the links into it tell nothing
        return f"{status.st_mtime_ns} {status.st_ino}\t{path}"
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}\t{path}"


def _is_fresh(seen: str, began: int) -> bool:
    """Whether a file changed so shortly before the answer was made that another change could look the same."""
    numbers = seen.partition("\t")[0].split(" ")
    times = [int(number) for number in (numbers[1:3] if len(numbers) == 4 else numbers[:1]) if number != "-"]
    return any(moment + (_MOMENT if moment % 1_000_000_000 else _COARSE) >= began for moment in times)


def _just_moved(place: Place, began: int) -> bool:
    """Whether a ref or a rule changed as shortly before."""
    seen = [entry for name in _GIT_FILES for folder in {place.common, place.git} for entry in _below(f"{folder}/{name}")]
    return any(_is_fresh(entry, began) for entry in (*seen, *_below(f"{place.top}/versioning")))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except OSError:
        return ""


class Watch:
    """Every path in which Python looks while an answer is made: what it opens, lists, and (told by us) asks for."""

    #: Raised, as Python raises its own, where a file is only asked for.
    EVENT = "versioning.looked"

    def __init__(self, place: Place) -> None:
        self.paths: set[str] = set()
        self._ours = (f"{place.common}/", f"{place.git}/", f"{sys.prefix}/lib", f"{sys.base_prefix}/lib", "/dev/", "/proc/")
        self._rules = f"{os.path.dirname(os.path.abspath(__file__))}/"
        self._on = True
        sys.addaudithook(self._hook)  # which nobody can take away again, so it is told to stop

    def stop(self) -> None:
        """Look no longer."""
        self._on = False

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._on and event in ("open", "os.listdir", "os.scandir", self.EVENT):
            path = arguments[0]
            if isinstance(path, bytes):
                path = os.fsdecode(path)
            if isinstance(path, str | os.PathLike):
                full = os.path.join(os.getcwd(), os.fspath(path))
                if not full.startswith((*self._ours, self._rules)):
                    self.paths.add(full)


def looked(path: object) -> None:
    """Say that an answer depends on whether a file is there."""
    sys.audit(Watch.EVENT, str(path))
