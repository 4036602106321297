"""The only caller of git: cleaned environment, NUL-separated answers, one `cat-file` process a repository."""

from __future__ import annotations

import builtins
import os
import subprocess
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Self

from .errors import GitError, UsageError

# Those that point git at another repository, index or object store than the one in the working directory
# (`git rev-parse --local-env-vars`), and those a hook inherits from the git that runs it.
_REPOINTING = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_DIR "
    "GIT_GRAFT_FILE GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_INTERNAL_SUPER_PREFIX GIT_NAMESPACE "
    "GIT_NO_REPLACE_OBJECTS GIT_OBJECT_DIRECTORY GIT_PREFIX GIT_QUARANTINE_PATH GIT_REFLOG_ACTION "
    "GIT_REPLACE_REF_BASE GIT_SHALLOW_FILE GIT_WORK_TREE"
).split()
QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
#: How many commits are looked at before a git process is asked, and how large a file may be that is kept.
_NEAR, _SMALL = 16, 1 << 16
_LEADING_OUT = (b"symlink", b"dangling", b"loop", b"notdir")


def clean_environment(keep: tuple[str, ...] = ()) -> dict[str, str]:
    """The caller's environment without what would point git elsewhere; `keep` names what a hook needs of it."""
    environment = {k: v for k, v in os.environ.items() if k not in _REPOINTING or k in keep}
    # A replace ref may show other content under a commit's name: what is judged is the commit itself.
    environment |= {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    return environment


def is_null(oid: str) -> bool:
    """Whether an object id is git's «nothing»."""
    return not oid.strip("0")


class Repository:
    """A Git repository: its place, its objects, its refs."""

    def __init__(self, path: Path, keep: tuple[str, ...] = ()) -> None:
        self.path = path
        self.environment = clean_environment(keep)
        self._trees: dict[str, dict[str, tuple[bytes, str]]] = {}
        self._blobs: dict[str, bytes] = {}

    @classmethod
    def discover(cls, start: Path | None = None, keep: tuple[str, ...] = ()) -> Repository:
        """The repository that holds `start` (default: the working directory).

        Raises:
            UsageError: not inside a Git working tree.
        """
        probe = cls(start or Path.cwd(), keep)
        top = probe.run("rev-parse", "--show-toplevel", check=False).strip()
        if not top:
            raise UsageError(f"{probe.path} is not in a Git repository", "git init -b main")
        return cls(Path(top), keep)

    def run(self, *arguments: str, check: bool = True, text: str | None = None, timeout: float | None = None) -> str:
        """What git prints.

        Raises:
            GitError: git ended with an error and `check` is set.
        """
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=self.environment,
            input=None if text is None else text.encode("utf-8", "surrogateescape"),
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise GitError(f"git {arguments[0]}: {said}")
        return done.stdout.decode("utf-8", "surrogateescape") if not done.returncode or check else ""

    def succeeds(self, *arguments: str) -> bool:
        """Whether git ends without an error."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return not done.returncode

    @cached_property
    def common_dir(self) -> Path:
        """Where all worktrees keep what they share: the `.git` of the main one, or the bare repository."""
        return (self.path / self.run("rev-parse", "--git-common-dir").strip()).resolve()

    @cached_property
    def git_dir(self) -> Path:
        """The `.git` of this worktree."""
        return (self.path / self.run("rev-parse", "--git-dir").strip()).resolve()

    @cached_property
    def main_worktree(self) -> Path:
        """The working tree that owns the common directory: there are the environment and DVC's cache."""
        if self.common_dir.name == ".git":
            return self.common_dir.parent
        told = self.run("config", "--file", str(self.common_dir / "config"), "core.worktree", check=False).rstrip("\n")
        return (self.common_dir / told).resolve() if told else self.path  # told of a submodule

    @cached_property
    def is_shallow(self) -> bool:
        """Whether ancestors of some commit are missing here."""
        return (self.common_dir / "shallow").is_file()

    def is_cut(self, commit: str) -> bool:
        """Whether ancestors of this commit are missing here."""
        if not self.is_shallow:
            return False
        ends = set((self.common_dir / "shallow").read_text("utf-8").split())
        return not ends.isdisjoint(self.run("rev-list", commit).split())

    def peel(self, name: str) -> str | None:
        """The commit that an object is or leads to, asked of the running `cat-file`; None for a tree or a file."""
        found = self.cat(f"{name}^{{commit}}")
        return found[0] if found else None

    def is_on_a_branch(self, commit: str) -> bool:
        """Whether a branch of this clone, or one that it knows of a remote, holds a commit."""
        return bool(self.run("for-each-ref", "--count=1", f"--contains={commit}", "refs/heads", "refs/remotes"))

    def is_related(self, one: str, other: str) -> bool:
        """Whether two commits share history."""
        return self.succeeds("merge-base", one, other)

    def resolve(self, revision: str, kind: str = "commit") -> str | None:
        """The object id of a revision peeled to `kind`, or None."""
        name = f"{revision}^{{{kind}}}" if kind else revision
        oid = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", name, check=False).strip()
        return oid if oid and not oid.startswith("^") else None  # `^main` means all but main

    def kind(self, oid: str) -> str | None:
        """What an object is: commit, tag, tree or blob; None where it is not there."""
        found = self.cat(oid)
        return found[1] if found else None

    def head(self) -> str | None:
        """The commit that is checked out, or None before the first one."""
        return self.resolve("HEAD")

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `old` is `new` or stands before it."""
        # It mostly stands a step or two before, and a process costs more than to look there.
        near = [new]
        for commit in near:
            if commit == old:
                return True
            if len(near) < _NEAR:
                near += [parent for parent in self._parents(commit) if parent not in near]
        return self.succeeds("merge-base", "--is-ancestor", old, new)

    def _parents(self, commit: str) -> list[str]:
        found = self.cat(commit)
        lines = found[2].split(b"\n\n", 1)[0].splitlines() if found and found[1] == "commit" else []
        return [line[7:].decode() for line in lines if line.startswith(b"parent ")]

    def entries(self, tree: str) -> dict[str, tuple[bytes, str]]:
        """Mode and object id by name of what a tree object holds; trees are read once, since most stay the same for years."""
        if tree not in self._trees:
            found = self.cat(tree)
            content = found[2] if found and found[1] == "tree" else b""
            self._trees[tree] = dict(_entries(content, len(tree) // 2))
        return self._trees[tree]

    def blob(self, oid: str) -> bytes | None:
        """The content of a file; small ones are kept, and the few of them that change are read anew."""
        if oid not in self._blobs:
            found = self.cat(oid)
            content = found[2] if found and found[1] == "blob" else None
            if content is None or len(content) > _SMALL:
                return content
            self._blobs[oid] = content
        return self._blobs[oid]

    def config(self, name: str) -> str | None:
        """A configured value, or None."""
        return self.run("config", "--get", name, check=False).rstrip("\n") or None

    def identity(self) -> str | None:
        """`Name <mail>` as git would sign a commit now, or None where it would refuse to."""
        said = self.run("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT", check=False)
        return said.rsplit(" ", 2)[0] if said else None

    @cached_property
    def _batch(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            # A symlink inside the repository is read as DVC and Python read it: through.
            ["git", "cat-file", "--batch", "--follow-symlinks"],
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._end = weakref.finalize(self, _end, process)  # also of a repository that nobody closed
        return process

    def cat(self, name: str) -> tuple[str, str, bytes] | None:
        """`(object id, kind, content)` of an object such as `HEAD:params.yaml`, or None."""
        if "\n" in name:  # the protocol is one name a line
            oid = self.resolve(name, kind="")
            return self.cat(oid) if oid else None
        pipe_in, pipe_out = _pipes(self._batch)
        pipe_in.write(name.encode("utf-8", "surrogateescape") + b"\n")
        pipe_in.flush()
        header = pipe_out.readline().split()
        if len(header) == 2 and header[0] in _LEADING_OUT and header[1].isdigit():
            pipe_out.read(int(header[1]) + 1)  # a symlink that leads to nothing here, and where it leads
            return None
        if len(header) != 3 or not header[2].isdigit():  # `<name> missing`, `<name> ambiguous`
            return None
        content = pipe_out.read(int(header[2]))
        pipe_out.read(1)
        return header[0].decode(), header[1].decode(), content

    def cat_many(self, names: Sequence[str], *, ids_only: bool = False) -> list[bytes | None]:
        """The contents of many objects (with `ids_only`, their ids), asked all at once, which takes a tenth of the time."""
        form = "--batch-check=%(objectname)" if ids_only else "--batch"
        done = subprocess.run(
            ["git", "cat-file", "--buffer", "--follow-symlinks", form],
            cwd=self.path,
            env=self.environment,
            input="".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
        found: list[bytes | None] = []
        start = 0
        while len(found) < len(names):
            end = done.stdout.find(b"\n", start)
            if end < 0:
                raise GitError(f"git cat-file: {done.stderr.decode('utf-8', 'replace').strip()}")
            header, start = done.stdout[start:end].split(b" "), end + 1
            if header[0] in _LEADING_OUT and len(header) == 2 and header[1].isdigit():
                found.append(None)  # a symlink that leads to nothing here, and where it leads
                start += int(header[1]) + 1
            elif header[-1] in (b"missing", b"ambiguous"):
                found.append(None)
            elif ids_only:
                found.append(header[0])
            else:
                found.append(done.stdout[start : start + int(header[2])])
                start += int(header[2]) + 1
        return found

    def tree(self, commit: str, *prefixes: str) -> dict[str, str]:
        """Object ids by path of every file that a commit (or a part of it) holds; submodules are left out."""
        listing = self.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *prefixes)
        return {path: meta.split()[2] for meta, path in _records(listing) if meta.split()[1] == "blob"}

    def index(self) -> dict[str, str]:
        """Object ids by path of what is staged; submodules are left out."""
        listing = self.run("ls-files", "--stage", "-z", "--full-name", ":/")
        return {path: meta.split()[1] for meta, path in _records(listing) if not meta.startswith("160000")}

    def close(self) -> None:
        """End the `cat-file` process, if one was started."""
        if self.__dict__.pop("_batch", None) is not None:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: builtins.object) -> None:
        self.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in _pipes(process):
        with suppress(OSError):
            pipe.close()
    process.wait()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin and process.stdout  # noqa: S101 (both are opened as pipes above)
    return process.stdin, process.stdout


def _records(listing: str) -> Iterator[tuple[str, str]]:
    for record in filter(None, listing.split("\0")):
        meta, _, path = record.partition("\t")
        yield meta, path


def _entries(tree: bytes, width: int) -> Iterator[tuple[str, tuple[bytes, str]]]:
    """Name, mode and object id of each entry of a tree object; ids are `width` bytes."""
    start = 0
    while start < len(tree):
        space = tree.index(b" ", start)
        end = tree.index(b"\0", space)
        name = tree[space + 1 : end].decode("utf-8", "surrogateescape")
        yield name, (tree[start:space], tree[end + 1 : end + 1 + width].hex())
        start = end + 1 + width


def hook_environment(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What a hook must hand on to its git calls: the repository, and the quarantine of a push that is on trial."""
    given = os.environ if environment is None else environment
    return tuple(name for name in ("GIT_DIR", *QUARANTINE) if given.get(name))
