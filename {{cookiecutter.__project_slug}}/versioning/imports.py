"""Which files of a snapshot a command of a pipeline runs: the module or script that it names, and what those import.

Nothing is executed or imported. The libraries that draw import graphs (grimp, modulegraph, findimports, the standard
`modulefinder`) read a folder on disk, with its installed packages; here it is a commit, without a folder.
"""

from __future__ import annotations

import ast
import posixpath
import re
import shlex
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from .snapshot import Snapshot

#: The gate's own package, which describes and trains nothing.
OWN = "versioning/"
_PYTHON = re.compile(r"python[0-9.]*(\.exe)?")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PREFIXES = ("env", "exec", "time", "nohup")
_RUNNERS = ("poetry", "uv", "pipenv", "pdm", "hatch", "rye", "conda", "micromamba")
_SEPARATORS = frozenset(";&|")
#: Options of Python that take the next word, and those that take the working directory off the search path.
_WITH_VALUE, _ISOLATED = "WX", "IP"


@dataclass(frozen=True)
class Program:
    """What a command starts Python with."""

    #: A dotted name (`-m`), a path, or source text (`-c`); one of the three.
    module: str = ""
    script: str = ""
    source: str = ""
    folder: str = ""
    search: tuple[str, ...] = ()


@dataclass(frozen=True)
class Import:
    """One import as written; `names` are what `from … import` takes from the module."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What a Python file says of itself."""

    imports: tuple[Import, ...] = ()
    #: What it defines at its top, and so does not take from a file of that name.
    defined: frozenset[str] = frozenset()
    exported: tuple[str, ...] = ()
    is_empty: bool = True


# --- the command ------------------------------------------------------------------------------------------------------


def programs(command: object, folder: str) -> Iterator[Program]:
    """Each start of Python in a stage's command; what is not understood is passed over, never guessed.

    Args:
        folder: where the command runs.
    """
    for line in command if isinstance(command, list) else [command]:
        place = folder
        for words in _commands(line) if isinstance(line, str) else ():
            if words[0] == "cd" and len(words) == 2 and _is_plain(words[1]):
                place = posixpath.normpath(posixpath.join(place, words[1]))
                continue
            if words[0] in ("cd", "pushd", "popd"):
                return  # somewhere, which only a shell knows
            program = _program(words, place)
            if program:
                yield program


@lru_cache(maxsize=256)
def _commands(text: str) -> list[list[str]]:
    """The simple commands of a line of shell, as words; none where it is more than that."""
    commands: list[list[str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:
            return []
        if "(" in words or any("<<" in word for word in words):
            return []
        commands.append([])
        for word in words:
            if _SEPARATORS.issuperset(word):
                commands.append([])
            else:
                commands[-1].append(word)
    return [words for words in commands if words]


def _program(words: list[str], folder: str) -> Program | None:
    search: list[str] = []
    while words and (words[0] in _PREFIXES or _ASSIGNMENT.match(words[0])):
        name, _, value = words[0].partition("=")
        if name == "PYTHONPATH":
            search += [posixpath.normpath(posixpath.join(folder, place)) for place in value.split(":") if _is_plain(place)]
        words = words[1:]
    if not words:
        return None
    runner = posixpath.basename(words[0])
    if runner in _RUNNERS and "run" in words:
        words = words[words.index("run") + 1 :]
        start = next((at for at, word in enumerate(words) if _PYTHON.fullmatch(posixpath.basename(word))), None)
        if start is None and runner != "uv":
            return None
        arguments = words if start is None else words[start + 1 :]
    elif _PYTHON.fullmatch(runner):
        arguments = words[1:]
    elif runner.endswith(".py"):
        arguments = words
    else:
        return None
    return _started(arguments, folder, tuple(search))


def _started(arguments: list[str], folder: str, search: tuple[str, ...]) -> Program | None:
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            return Program(script=word, folder=folder, search=search) if _is_plain(word) else None
        letters = "" if word.startswith("--") else word[1:]
        found = re.search(r"[mcWXIP]", letters)
        if found is None:
            continue
        kind, rest = found[0], letters[found.end() :]
        if kind in _ISOLATED:
            return None
        value = rest or next(words, "")
        if kind == "m":
            return Program(module=value, folder=folder, search=search) if _is_name(value) else None
        if kind == "c":
            return Program(source=value, folder=folder, search=search)
    return None


def _is_plain(word: str) -> bool:
    """A path inside the repository that the shell does not make from something else."""
    return bool(word) and word.isprintable() and not word.startswith(("/", "~", "-")) and not set(word) & set("$`*?[{<>\\:")


def _is_name(name: str) -> bool:
    return bool(name) and all(part.isidentifier() for part in name.split("."))


# --- one file ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def read_source(content: bytes, *, is_main: bool = False) -> Source:
    """What a Python file imports and defines; nothing where it is no Python.

    Args:
        is_main: whether it is the program, and so runs what stands under `if __name__ == "__main__"`.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Source(is_empty=False)
    defined: set[str] = set()
    exported: tuple[str, ...] = ()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names = {target.id for target in _targets(node) if isinstance(target, ast.Name)}
            defined |= names
            if "__all__" in names and isinstance(node.value, ast.List | ast.Tuple):
                exported = tuple(filter(None, map(_text, node.value.elts)))
    statements = [node for node in tree.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    return Source(tuple(_imports(tree, is_main=is_main)), frozenset(defined), exported, not statements)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _imports(tree: ast.AST, *, is_main: bool) -> Iterator[Import]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.module or "", node.level, tuple(alias.name for alias in node.names))
        elif isinstance(node, ast.If):
            waiting += [node.test, *_running(node, is_main=is_main)]
        else:
            if isinstance(node, ast.Call):
                yield from _called(node)
            waiting += ast.iter_child_nodes(node)


def _running(node: ast.If, *, is_main: bool) -> list[ast.stmt]:
    """The branches of a condition that can run."""
    said = ast.unparse(node.test) if isinstance(node.test, ast.Name | ast.Attribute | ast.UnaryOp | ast.Compare) else ""
    if said.removeprefix("typing.") == "TYPE_CHECKING" or (said == "__name__ == '__main__'" and not is_main):
        return node.orelse
    if said.removeprefix("not ").removeprefix("typing.") == "TYPE_CHECKING":
        return node.body
    return [*node.body, *node.orelse]


def _called(node: ast.Call) -> Iterator[Import]:
    """`importlib.import_module("a.b")` and `__import__("a.b")`, where the name is written there."""
    function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    name = _text(node.args[0]) if node.args and function in ("import_module", "__import__") else ""
    if name and _is_name(name.lstrip(".")):
        yield Import(name.lstrip("."), len(name) - len(name.lstrip(".")))


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


# --- all that is reached ----------------------------------------------------------------------------------------------


@dataclass
class Imports:
    """The files that Python would read for the programs of a command, found in a snapshot."""

    snapshot: Snapshot
    #: Packages that are installed, by their names: an import finds them before a mere folder of the repository.
    installed: Collection[str] = ()
    #: Each file reached, and the file that imports it; empty for what the command itself names.
    reached: dict[str, str] = field(default_factory=dict)

    def follow(self, program: Program) -> None:
        """Add what a program reads."""
        search = [program.folder or ".", *program.search]
        if program.source:
            self._imported(read_source(program.source.encode(), is_main=True), "", search)
        elif program.module:
            places = self._module(program.module, "", search, is_main=True)
            self._file(f"{places[0]}/__main__.py" if places else "", "", search, is_main=True)
        else:
            path = posixpath.join(search[0], program.script)
            for file in (path, f"{path}/__main__.py"):
                if self._file(file, "", [posixpath.dirname(file), *program.search], is_main=True):
                    return

    def _file(self, path: str, through: str, search: list[str], *, is_main: bool = False) -> bool:
        """Follow a file, the first time that it is met; whether there is one."""
        path = posixpath.normpath(path)
        content = self._read(path)
        if content is None:
            return False
        if path.startswith(OWN) or (path in self.reached and not is_main):
            return True
        source = read_source(content, is_main=is_main)
        if not source.is_empty:  # whatever becomes of an empty `__init__.py` is seen once it says something
            self.reached.setdefault(path, through)
            self._imported(source, path, search)
        return True

    def _imported(self, source: Source, path: str, search: list[str]) -> None:
        for item in source.imports:
            if item.level:
                folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), *[".."] * (item.level - 1)))
                places = self._parts(item.module.split("."), path, [folder], search) if item.module else [folder]
            else:
                places = self._module(item.module, path, search)
            self._taken(item.names, places, path, search)

    def _module(self, name: str, through: str, search: list[str], *, is_main: bool = False) -> list[str]:
        """Follow a module by its full name; the folders that hold its submodules, if it is a package."""
        parts = name.split(".")
        return self._parts(parts, through, self._roots(parts[0], search), search, is_main=is_main)

    def _roots(self, name: str, search: list[str]) -> list[str]:
        """Where the first part of a name is looked up: as Python does, else where an installed project has its code."""
        if name in sys.builtin_module_names:
            return []
        if any(self._read(f"{place}/{name}{end}") is not None for place in search for end in ("/__init__.py", ".py")):
            return search
        if name in sys.stdlib_module_names or name.lower() in self.installed:
            return []
        return [*search, "src", "."]

    def _parts(self, parts: list[str], through: str, places: list[str], search: list[str], *, is_main: bool = False) -> list[str]:
        for position, part in enumerate(parts):
            is_last = position == len(parts) - 1
            package = next((place for place in places if self._file(f"{place}/{part}/__init__.py", through, search)), None)
            if package is not None:
                places = [f"{package}/{part}"]
                continue
            if any(self._file(f"{place}/{part}.py", through, search, is_main=is_main and is_last) for place in places):
                return []
            places = [f"{place}/{part}" for place in places]  # a folder without `__init__.py`, if it is there at all
        return places

    def _taken(self, names: tuple[str, ...], places: list[str], through: str, search: list[str]) -> None:
        """Follow those names of `from package import …` that are files of the package."""
        own = read_source((self._read(f"{places[0]}/__init__.py") if places else None) or b"")
        for name in (*names, *own.exported) if "*" in names else names:
            if name.isidentifier() and name not in own.defined:
                self._parts([name], through, places, search)

    def _read(self, path: str) -> bytes | None:
        path = posixpath.normpath(path)
        if path.startswith(("../", "/")) or (self._in_git is not None and path not in self._in_git):
            return None
        return self.snapshot.read(path)

    @cached_property
    def _in_git(self) -> frozenset[str] | None:
        """On disk: the Python files that Git holds or would; None where the snapshot knows no others."""
        if not self.snapshot.on_disk:
            return None
        listing = self.snapshot.repository.run("ls-files", "-z", "-co", "--exclude-standard", "--", "*.py")
        return frozenset(listing.split("\0"))
