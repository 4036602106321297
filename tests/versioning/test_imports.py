"""Which files a command runs, for commands and imports as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from versioning.imports import Imports, Program, programs


class Tree:
    """A snapshot of a few files."""

    on_disk = False

    def __init__(self, files: dict[str, str]) -> None:
        self.held = files

    def read(self, path: str) -> bytes | None:
        return self.held[path].encode() if path in self.held else None


def reached(command: object, files: dict[str, str], folder: str = "", installed: tuple[str, ...] = ()) -> dict[str, str]:
    tree: Any = Tree(files)
    found = Imports(tree, installed)
    for program in programs(command, folder):
        found.follow(program)
    return found.reached


TRAIN = Program(module="src.pkg.train")
SCRIPT = Program(script="src/pkg/train.py")
COMMANDS: dict[str, tuple[object, list[Program]]] = {
    "a module": ("python -m src.pkg.train params.yaml", [TRAIN]),
    "a script": ("python src/pkg/train.py --C 1", [SCRIPT]),
    "python3": ("python3 -m src.pkg.train", [TRAIN]),
    "a version": ("python3.11 -m src.pkg.train", [TRAIN]),
    "an environment's": (".venv/bin/python -m src.pkg.train", [TRAIN]),
    "options": ("python -u -W ignore -X dev -m src.pkg.train", [TRAIN]),
    "options in one": ("python -um src.pkg.train", [TRAIN]),
    "an executable script": ("./src/pkg/train.py x", [Program(script="./src/pkg/train.py")]),
    "a variable before it": ("SEED=1 PYTHONHASHSEED=0 python -m src.pkg.train", [TRAIN]),
    "env": ("env SEED=1 python -m src.pkg.train", [TRAIN]),
    "a search path": ("PYTHONPATH=src python -m pkg.train", [Program(module="pkg.train", search=("src",))]),
    "poetry": ("poetry run python -m src.pkg.train", [TRAIN]),
    "uv": ("uv run --frozen python -m src.pkg.train", [TRAIN]),
    "uv alone": ("uv run src/pkg/train.py", [SCRIPT]),
    "conda": ("conda run -n ml python src/pkg/train.py", [SCRIPT]),
    "two commands": ("mkdir -p out && python -m src.pkg.train; python src/pkg/train.py", [TRAIN, SCRIPT]),
    "a list": (["mkdir out", "python -m src.pkg.train", "python src/pkg/train.py"], [TRAIN, SCRIPT]),
    "lines": ("python -m src.pkg.train\npython src/pkg/train.py\n", [TRAIN, SCRIPT]),
    "a line in two": ("python -m src.pkg.train \\\n  params.yaml", [TRAIN]),
    "a pipe": ("cat x | python -m src.pkg.train > log", [TRAIN]),
    "a variable after it": ("python -m src.pkg.train $SEED", [TRAIN]),
    "cd": ("cd src && python -m pkg.train", [Program(module="pkg.train", folder="src")]),
    "cd for one line only": (["cd src", "python -m src.pkg.train"], [TRAIN]),
    "source": ("python -c 'import src.pkg'", [Program(source="import src.pkg")]),
    # Nothing is guessed.
    "a module from a variable": ("python -m $MODULE", []),
    "a script from a variable": ("python ${SCRIPT}", []),
    "a folder from a variable": ("cd $HOME && python train.py", []),
    "a subshell": ("(cd src; python train.py)", []),
    "text": ("python - <<EOF\nimport src.pkg.train\nEOF", []),
    "an open quote": ("python -m src.pkg.train 'x", []),
    "a notebook": ("papermill notebooks/train.ipynb out.ipynb", []),
    "another program": ("Rscript train.R && make train", []),
    "an isolated Python": ("python -I src/pkg/train.py", []),
    "a file elsewhere": ("python /opt/train.py", []),
    "no arguments": ("python", []),
    "only options": ("python -m", []),
    "an empty one": ("", []),
    "none": (None, []),
    "a number": (3, []),
    "a list of odd things": ([None, {"a": 1}], []),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_starts(case: str) -> None:
    command, expected = COMMANDS[case]
    assert list(programs(command, "")) == expected


# What `src/pkg/train.py` says, and what else is there: the files that it reads.
USED = "x = 1\n"
IMPORTS: dict[str, tuple[str, list[str]]] = {
    "a dotted name": ("import src.pkg.util", ["util"]),
    "another name": ("import src.pkg.util as u, json", ["util"]),
    "from a package": ("from src.pkg import util, other", ["other", "util"]),
    "from a module": ("from src.pkg.util import x", ["util"]),
    "a neighbour": ("from . import util", ["util"]),
    "out of a neighbour": ("from .util import x", ["util"]),
    "two folders up": ("from ...src.pkg import util", ["util"]),
    "in a function": ("def f():\n    import src.pkg.util", ["util"]),
    "in a condition": ("if x:\n    from . import util\nelse:\n    from . import other", ["other", "util"]),
    "in a try": ("try:\n    import numpy\nexcept ImportError:\n    from . import util", ["util"]),
    "by text": ("import importlib\nimportlib.import_module('src.pkg.util')", ["util"]),
    "by relative text": ("from importlib import import_module\nimport_module('.util', __package__)", ["util"]),
    "a subpackage": ("from src.pkg.sub import deep", ["sub/__init__", "sub/deep"]),
    "everything of a package": ("from .sub import *", ["sub/__init__", "sub/deep"]),
    "through another": ("from . import chain", ["chain", "util"]),
    "in a circle": ("from . import circle", ["circle"]),
    "if it is the program": ("if __name__ == '__main__':\n    from . import util", ["util"]),
    "a neighbour that runs alone": ("from . import alone", ["alone"]),
    # Not run, or no file of ours.
    "a type": ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import util", []),
    "a type, in full": ("import typing\nif typing.TYPE_CHECKING:\n    from . import util", []),
    "all but a type": ("if not TYPE_CHECKING:\n    from . import util\nelse:\n    from . import other", ["util"]),
    "libraries": ("import numpy.linalg, os.path\nfrom sklearn import svm", []),
    "text that is made": ("import_module('src.pkg.' + name)", []),
    "odd text": ("import_module('src/../../x')\nimport_module('')\nimport_module()", []),
    "a name that the package has": ("from src.pkg.sub import shown", ["sub/__init__"]),
    "a comment": ("x = 1  # import src.pkg.util\n'from . import util'", []),
    "too far up": ("from ......x import y", []),
    "what is broken": ("from . import broken", ["broken"]),
    "what is empty": ("from . import empty", []),
    "a folder of that name": ("import json\nimport mlflow.tracking", []),
}


@pytest.mark.parametrize("case", IMPORTS)
@pytest.mark.parametrize("command", ["python -m src.pkg.train", "uv run -m src.pkg.train"])
def test_an_import_reaches(case: str, command: str) -> None:
    text, expected = IMPORTS[case]
    files = {
        "src/pkg/train.py": text,
        "src/pkg/util.py": USED,
        "src/pkg/other.py": USED,
        "src/pkg/chain.py": "from .util import x",
        "src/pkg/circle.py": "from . import train, circle",
        "src/pkg/alone.py": "if __name__ == '__main__':\n    from . import util",
        "src/pkg/broken.py": "def (",
        "src/pkg/empty.py": "",
        "src/pkg/sub/__init__.py": "__all__ = ['deep']\nshown = 1",
        "src/pkg/sub/deep.py": USED,
        "src/pkg/sub/shown.py": USED,
        "json/decoder.py": USED,
        "mlflow/tracking.py": USED,
    }
    found = reached(command, files, installed=("mlflow", "numpy"))
    assert sorted(found) == sorted(f"src/pkg/{name}.py" for name in (*expected, "train"))


PLACES: dict[str, tuple[object, str, dict[str, str], list[str]]] = {
    "a script finds its neighbour": ("python src/train.py", "", {"src/train.py": "import util", "src/util.py": USED}, ["src/util.py"]),
    "a script before the libraries": ("python src/train.py", "", {"src/train.py": "import yaml", "src/yaml.py": USED}, ["src/yaml.py"]),
    "a working folder": ("python train.py", "code", {"code/train.py": "import util", "code/util.py": USED}, ["code/util.py"]),
    "a working folder above": ("python ../train.py", "code", {"train.py": "import util", "util.py": USED}, ["util.py"]),
    "beside a script, though": ("python src/train.py", "", {"src/train.py": "import util", "util.py": USED, "src/util.py": USED},
                                ["src/util.py"]),
    "an installed project": ("python scripts/train.py", "", {"scripts/train.py": "import pkg.util", "src/pkg/util.py": USED},
                             ["src/pkg/util.py"]),
    "the packages above": ("python -m a.b.train", "", {"a/__init__.py": USED, "a/b/__init__.py": USED, "a/b/train.py": "import os"},
                           ["a/__init__.py", "a/b/__init__.py"]),
    "a package as program": ("python -m a", "", {"a/__init__.py": USED, "a/__main__.py": "from . import c", "a/c.py": USED},
                             ["a/__init__.py", "a/__main__.py", "a/c.py"]),
    "a folder as program": ("python a", "", {"a/__main__.py": "import c", "a/c.py": USED}, ["a/__main__.py", "a/c.py"]),
    "source": ("python -c 'from a import c'", "", {"a/c.py": USED}, ["a/c.py"]),
    "a search path": ("PYTHONPATH=lib python -m a", "", {"a.py": "import c", "lib/c.py": USED}, ["lib/c.py"]),
    "cd": ("cd lib && python a.py", "", {"lib/a.py": "import c", "lib/c.py": USED}, ["lib/c.py"]),
    "a package before the program in it": (
        "python -m a.b", "",
        {"a/__init__.py": "from . import b", "a/b.py": "if __name__ == '__main__':\n    import a.c", "a/c.py": USED}, ["a/c.py"],
    ),
    "a package without __init__": ("python -m a.b.train", "", {"a/b/train.py": "import a.d.e", "a/d/e.py": USED}, ["a/d/e.py"]),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_a_name_is_looked_up(case: str) -> None:
    command, folder, files, expected = PLACES[case]
    found = reached(command, files, folder)
    assert set(expected) <= set(found) <= set(files), found
    if case == "beside a script, though":
        assert "util.py" not in found


def test_the_way_to_a_file_is_told() -> None:
    files = {"a/train.py": "from . import b", "a/b.py": "from . import c", "a/c.py": USED}
    assert reached("python -m a.train", files) == {"a/train.py": "", "a/b.py": "a/train.py", "a/c.py": "a/b.py"}


def test_the_gate_itself_is_left_out() -> None:
    files = {"versioning/__main__.py": "from . import cli", "versioning/cli.py": USED, "a.py": "import versioning.cli"}
    assert reached("python -m versioning sidecar && python a.py", files) == {"a.py": ""}


def test_names_that_no_file_can_have_are_asked_of_no_snapshot() -> None:
    assert reached("python -m '..'", {}) == {} and reached("python 'a\nb.py'", {}) == {} and reached("python ../x.py", {}) == {}
