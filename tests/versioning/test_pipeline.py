"""The verdict on every stage is the one of the real `dvc status`, on disk and for a commit.

Two pipelines of `cat` and `cp` are run once by DVC itself. Each test changes one thing in a copy of one of them, and asks both.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import isolated_environment
from versioning import pipeline as dvc
from versioning.errors import Malformed
from versioning.git import Repository
from versioning.snapshot import CommitSnapshot, DiskSnapshot, Snapshot

# From a library of DVC's, when it adds data.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

Change = Callable[[Path], object]

PLAIN = {
    "dvc.yaml": """\
stages:
  copy:
    cmd: cat code.sh in.txt > copy.txt
    deps: [code.sh, in.txt]
    outs: [copy.txt]
  keys:
    cmd: cp params.yaml keys.txt
    params: [rate, section.deep.key, section.list.0]
    outs: [keys.txt]
  section:
    cmd: cp params.yaml section.txt
    params: [section, empty]
    outs: [section.txt]
  formats:
    cmd: cat conf/p.yaml conf/p.json conf/p.toml conf/p.py > formats.txt
    params:
      - conf/p.yaml: [x.y]
      - conf/p.json: [x.y]
      - conf/p.toml: [x.y]
      - conf/p.py: [X, Train.y]
    outs: [formats.txt]
  whole:
    cmd: cat conf/whole.yaml conf/whole.toml > whole.txt
    params:
      - conf/whole.yaml:
      - conf/whole.toml:
    outs: [whole.txt]
  folder:
    cmd: ls folder > listing.txt
    deps: [folder]
    outs: [listing.txt]
  pointer:
    cmd: cp data/raw.csv raw.txt
    deps: [data/raw.csv]
    outs: [raw.txt]
  images:
    cmd: ls images > images.txt
    deps: [images]
    outs: [images.txt]
  image:
    cmd: cp images/a.txt image.txt
    deps: [images/a.txt]
    outs: [image.txt]
  parts:
    cmd: mkdir -p parts/more && cp in.txt parts/one.txt && cp in.txt parts/more/two.txt
    deps: [in.txt]
    outs: [parts]
  part:
    cmd: cp parts/one.txt part.txt
    deps: [parts/one.txt]
    outs: [part.txt]
  all_parts:
    cmd: ls parts > all_parts.txt
    deps: [parts]
    outs: [all_parts.txt]
  score:
    cmd: cp copy.txt score.json
    deps: [copy.txt]
    metrics:
      - score.json: {cache: false}
  judge:
    cmd: cp score.json judged.txt
    deps: [score.json]
    outs: [judged.txt]
  elsewhere:
    cmd: cp in.txt out.txt
    wdir: sub
    deps: [in.txt, ../in.txt]
    params: [k, ../params.yaml: [rate]]
    outs: [out.txt]
  frozen:
    cmd: cp in.txt frozen.txt
    frozen: true
    deps: [in.txt]
    params: [rate]
    outs: [frozen.txt]
  commands:
    cmd:
      - cp in.txt one.txt
      - cp in.txt two.txt
    deps: [in.txt]
    outs: [one.txt, two.txt]
  reports:
    cmd: mkdir -p report && cp in.txt report/a.txt && cp in.txt report/b.txt
    deps: [in.txt]
    outs:
      - report: {cache: false}
  mixed:
    cmd: ls mixed > mixed.txt
    deps: [mixed]
    outs: [mixed.txt]
  mixes:
    cmd: cp in.txt mixed/made.txt
    deps: [in.txt]
    outs: [mixed/made.txt]
  linked:
    cmd: cp link.txt linked.txt
    deps: [link.txt]
    outs: [linked.txt]
  inner:
    cmd: ls deep/inner > inner.txt
    deps: [deep/inner]
    outs: [inner.txt]
  nested_images:
    cmd: ls images/nested > nested_images.txt
    deps: [images/nested]
    outs: [nested_images.txt]
  all_data:
    cmd: ls data > all_data.txt
    deps: [data]
    outs: [all_data.txt]
  gallery:
    cmd: ls gallery > gallery.txt
    deps: [gallery]
    outs: [gallery.txt]
  made_gallery:
    cmd: mkdir -p gallery/made && cp in.txt gallery/made/a.txt
    deps: [in.txt]
    outs: [gallery/made]
  one_report:
    cmd: cp report/a.txt one_report.txt
    deps: [report/a.txt]
    outs: [one_report.txt]
  slashed:
    cmd: ls folder/nested > slashed.txt
    deps: [folder/nested/, ./in.txt]
    outs: [slashed.txt]
""",
    "params.yaml": "rate: 1e-3\nzeros: 010\nempty:\nsection:\n  deep: {key: 1, other: 2}\n  list: [3, 4]\n",
    "code.sh": "# code\n",
    "in.txt": "in\n",
    "conf/p.yaml": "x: {y: 1}\nz: 1\n",
    "conf/p.json": '{"x": {"y": 1}, "z": 1}\n',
    "conf/p.toml": "z = 1\n[x]\ny = 1\n",
    "conf/p.py": "X = 1\nZ = 1\n\n\nclass Train:\n    y = 1\n    z = 1\n",
    "conf/whole.yaml": "a: 1\nb: [1, 2]\n",
    "conf/whole.toml": "a = 1\n",
    "folder/a.txt": "a\n",
    "folder/b c ü.txt": "b\n",
    "folder/nested/c.txt": "c\n",
    "folder/nested/deeper/d.txt": "d\n",
    "folder-beside/e.txt": "e\n",
    "folder/noise.log": "noise\n",
    "folder/nested/secret.tmp": "not for Git\n",
    "data/raw.csv": "1,2\n",
    "images/a.txt": "a\n",
    "images/nested/b.txt": "b\n",
    "mixed/kept.txt": "kept\n",
    "gallery/kept.txt": "kept\n",
    "gallery/old/a.txt": "old\n",
    "deep/inner/a.txt": "a\n",
    "deep/inner/a.out": "noise\n",
    "deep/.dvcignore": "*.out\n!keep.log\n",
    "sub/in.txt": "in\n",
    "sub/params.yaml": "k: 1\n",
    ".dvcignore": "# a comment\n*.log\n*.tmp\n",
    ".gitignore": "",
}

TEMPLATED = {
    "dvc.yaml": """\
vars:
  - conf/vars.yaml
  - inline: {suffix: txt}
stages:
  one:
    cmd: cp ${source} one.${inline.suffix}
    deps: ["${source}"]
    outs: ["one.${inline.suffix}"]
  each:
    foreach: [x, y]
    do:
      cmd: cp ${item}.in ${item}.out && echo ${rate}
      deps: ["${item}.in"]
      params: [rate]
      outs: ["${item}.out"]
  named:
    foreach: ${names}
    do:
      cmd: echo ${item.size} ${key} > ${key}.txt
      outs: ["${key}.txt"]
      deps: [in.txt]
  grid:
    matrix:
      size: [1, 2]
      kind: [a, b]
    cmd: echo ${item.size} ${item.kind} > grid-${item.size}-${item.kind}.txt
    deps: [in.txt]
    outs: ["grid-${item.size}-${item.kind}.txt"]
  own:
    vars:
      - conf/own.json
    cmd: echo ${own} > own.txt
    deps: [in.txt]
    outs: [own.txt]
  plain:
    cmd: cp in.txt plain.txt
    deps: [in.txt]
    outs: [plain.txt]
""",
    "params.yaml": "rate: 0.5\nnames:\n  red: {size: 1}\n  blue: {size: 2}\n",
    "conf/vars.yaml": "source: in.txt\n",
    "conf/own.json": '{"own": 7}\n',
    "in.txt": "in\n",
    "x.in": "x\n",
    "y.in": "y\n",
}


def build(folder: Path, files: dict[str, str], tracked: Sequence[str] = ()) -> Path:
    """A repository whose pipeline DVC has run, committed."""
    folder.mkdir()
    environment = isolated_environment(folder.parent / "home")
    program = [sys.executable, "-m", "dvc"]

    def run(*command: str) -> None:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run("git", "init", "-q", "-b", "main")
    run(*program, "init", "-q")
    for path, text in files.items():
        write(path, text)(folder)
    write("dvc.yaml", files["dvc.yaml"].replace("    frozen: true\n", ""))(folder)  # a frozen stage never runs
    (folder / "link.txt").symlink_to("conf/p.yaml")
    if tracked:
        run(*program, "add", "-q", *tracked)
    run(*program, "repro", "--all-pipelines")
    write("dvc.yaml", files["dvc.yaml"])(folder)
    with (folder / ".gitignore").open("a") as stream:
        stream.write("*.tmp\n")
    run("git", "add", "-A")
    run("git", "commit", "-q", "-m", "Run")
    return folder


@pytest.fixture(scope="session")
def plain_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("plain") / "repo", PLAIN, ("data/raw.csv", "images", "gallery/old"))


@pytest.fixture(scope="session")
def templated_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("templated") / "repo", TEMPLATED)


@pytest.fixture
def plain(plain_once: Path, tmp_path: Path) -> Path:
    return copied(plain_once, tmp_path / "repo")


@pytest.fixture
def templated(templated_once: Path, tmp_path: Path) -> Path:
    return copied(templated_once, tmp_path / "repo")


def copied(once: Path, folder: Path) -> Path:
    return Path(shutil.copytree(once, folder, symlinks=True))


def dvc_says(folder: Path) -> set[str]:
    """The stages of dvc.yaml that `dvc status` lists; in this process, as its start takes longer than its work."""
    from dvc.repo import Repo

    with Repo(str(folder)) as repo:
        return {name.rpartition(":")[2] for name in repo.status() if not name.endswith(".dvc")}


def we_say(snapshot: Snapshot) -> set[str]:
    pipeline = dvc.load(snapshot)
    return {difference.stage for difference in dvc.Comparison(snapshot, pipeline).stale(pipeline.stages)}


def on_disk(folder: Path) -> set[str]:
    with Repository(folder) as repository:
        return we_say(DiskSnapshot(repository))


def committed(folder: Path) -> set[str]:
    for command in (["add", "-A"], ["commit", "-q", "--allow-empty", "-m", "Change"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    with Repository(folder) as repository:
        head = repository.head()
        assert head
        return we_say(CommitSnapshot(repository, head))


def write(path: str, text: str) -> Change:
    def change(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")

    return change


def replace(path: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / path).read_text("utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1), "utf-8")

    return change


def append(path: str, text: str) -> Change:
    return lambda folder: (folder / path).write_text((folder / path).read_text("utf-8") + text, "utf-8")


def remove(path: str) -> Change:
    return lambda folder: shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink()


def rename(old: str, new: str) -> Change:
    return lambda folder: (folder / old).rename(folder / new)


def added(path: str, text: str, target: str | None = None) -> Change:
    """Change data, and let DVC write its pointer."""

    def change(folder: Path) -> None:
        from dvc.repo import Repo

        write(path, text)(folder)
        with Repo(str(folder)) as repo:
            repo.add(str(folder / (target or path)))

    return change


CHANGES: dict[str, tuple[Change, set[str]]] = {
    "nothing": (lambda folder: None, set()),
    "code": (write("code.sh", "# other\n"), {"copy"}),
    "code that is not there": (remove("code.sh"), {"copy"}),
    "a byte of line ending": (write("code.sh", "# code\r\n"), {"copy"}),
    "mode only": (lambda folder: (folder / "code.sh").chmod(0o755), set()),
    "a parameter": (replace("params.yaml", "1e-3", "2e-3"), {"keys", "elsewhere"}),
    "a parameter written otherwise": (replace("params.yaml", "1e-3", "0.001"), set()),
    "a parameter as text": (replace("params.yaml", "1e-3", "'1e-3'"), {"keys", "elsewhere"}),
    "an integer as float": (replace("params.yaml", "key: 1", "key: 1.0"), set()),
    "a comment in params.yaml": (replace("params.yaml", "rate", "# rate\nrate"), set()),
    "a parameter of no stage": (replace("params.yaml", "zeros: 010", "zeros: 8"), set()),
    "a deep key": (replace("params.yaml", "key: 1", "key: 5"), {"keys", "section"}),
    "its neighbour": (replace("params.yaml", "other: 2", "other: 5"), {"section"}),
    "an item of a list": (replace("params.yaml", "[3, 4]", "[5, 4]"), {"keys", "section"}),
    "another item of it": (replace("params.yaml", "[3, 4]", "[3, 5]"), {"section"}),
    "null to a value": (replace("params.yaml", "empty:", "empty: 0"), {"section"}),
    "null that is not there": (replace("params.yaml", "empty:\n", ""), {"section"}),
    "a parameter that is not there": (replace("params.yaml", "rate: 1e-3\n", ""), {"keys", "elsewhere"}),
    "a section that is not there": (write("params.yaml", "rate: 1e-3\nempty:\n"), {"keys", "section"}),
    "no params.yaml": (remove("params.yaml"), {"keys", "section", "elsewhere"}),
    "an empty params.yaml": (write("params.yaml", ""), {"keys", "section", "elsewhere"}),
    "parameters in YAML": (write("conf/p.yaml", "x: {y: 2}\nz: 1\n"), {"formats", "linked"}),
    "parameters in JSON": (write("conf/p.json", '{"x": {"y": 2}}'), {"formats"}),
    "parameters in TOML": (write("conf/p.toml", "[x]\ny = 2\n"), {"formats"}),
    "parameters in Python": (replace("conf/p.py", "X = 1", "X = 2"), {"formats"}),
    "parameters in a Python class": (replace("conf/p.py", "y = 1", "y = 2"), {"formats"}),
    "another line of the Python file": (replace("conf/p.py", "Z = 1", "Z = 2"), set()),
    "other keys of JSON and TOML": (write("conf/p.json", '{"z": 2, "x": {"y": 1}}'), set()),
    "no JSON parameters": (remove("conf/p.json"), {"formats"}),
    "a file of parameters, one of them": (write("conf/whole.yaml", "a: 2\nb: [1, 2]\n"), {"whole"}),
    "a file of parameters, one more": (write("conf/whole.yaml", "a: 1\nb: [1, 2]\nc: 1\n"), {"whole"}),
    "a file of parameters, one less": (write("conf/whole.yaml", "a: 1\n"), {"whole"}),
    "a file of parameters, another order": (write("conf/whole.yaml", "b: [1, 2]\na: 1\n"), set()),
    "no file of parameters": (remove("conf/whole.toml"), {"whole"}),
    "a file of a folder": (write("folder/a.txt", "b\n"), {"folder"}),
    "a nested file of a folder": (write("folder/nested/c.txt", "d\n"), {"folder", "slashed"}),
    "one more file in a folder": (write("folder/new.txt", "n\n"), {"folder"}),
    "one less file in a folder": (remove("folder/nested/deeper"), {"folder", "slashed"}),
    "a renamed file in a folder": (rename("folder/a.txt", "folder/z.txt"), {"folder"}),
    "an empty folder in a folder": (lambda folder: (folder / "folder/empty").mkdir(), set()),
    "a folder beside with a longer name": (write("folder-beside/e.txt", "f\n"), set()),
    "a file that .dvcignore names": (write("folder/noise.log", "more\n"), set()),
    "a new file that .dvcignore names": (write("folder/nested/x.log", "more\n"), set()),
    "another .dvcignore": (write(".dvcignore", "*.tmp\n"), {"folder"}),
    "a .dvcignore that names a folder": (write(".dvcignore", "*.log\n*.tmp\ndeeper/\n"), {"folder", "slashed"}),
    "a .dvcignore with an anchor": (write(".dvcignore", "*.log\n*.tmp\n/a.txt\n"), set()),
    "a .dvcignore with an exception": (write(".dvcignore", "*.log\n*.tmp\n!noise.log\n"), {"folder"}),
    "a file that a .dvcignore above the folder names": (write("deep/inner/b.out", "more\n"), set()),
    "a file that a nearer .dvcignore lets in": (write("deep/inner/keep.log", "more\n"), {"inner"}),
    "another .dvcignore above the folder": (write("deep/.dvcignore", ""), {"inner"}),
    "no folder": (remove("folder"), {"folder", "slashed"}),
    "a file in place of a folder": (
        lambda folder: (remove("folder")(folder), write("folder", "x\n")(folder)),
        {"folder", "slashed"},
    ),
    "data, with its pointer": (added("data/raw.csv", "3,4\n"), {"pointer", "all_data"}),
    "data of a folder, with its pointer": (added("images/a.txt", "b\n", "images"), {"images", "image"}),
    "nested data of a folder, with its pointer": (added("images/nested/b.txt", "c\n", "images"), {"images", "nested_images"}),
    "one more file in a folder of data": (added("images/nested/c.txt", "c\n", "images"), {"images", "nested_images"}),
    "data inside a folder of both": (added("gallery/old/a.txt", "new\n", "gallery/old"), {"gallery"}),
    "a hand-made file beside data": (write("gallery/kept.txt", "other\n"), {"gallery"}),
    "a note beside data": (write("data/README.md", "Where it comes from.\n"), {"all_data"}),
    "a hand-made file in a folder of both": (write("mixed/kept.txt", "other\n"), {"mixed"}),
    "metrics": (write("score.json", "9\n"), {"score", "judge"}),
    "no metrics": (remove("score.json"), {"score", "judge"}),
    "a folder of reports": (write("report/a.txt", "9\n"), {"reports", "one_report"}),
    "one more report": (write("report/c.txt", "9\n"), {"reports"}),
    "no reports": (remove("report"), {"reports", "one_report"}),
    "a dependency in another working directory": (write("sub/in.txt", "x\n"), {"elsewhere"}),
    "a parameter in another working directory": (write("sub/params.yaml", "k: 2\n"), {"elsewhere"}),
    "what a symlink names": (write("conf/p.yaml", "x: {y: 1}\nz: 2\n"), {"linked"}),
    "a symlink to equal bytes": (
        lambda folder: (remove("link.txt")(folder), write("link.txt", PLAIN["conf/p.yaml"])(folder)),
        set(),
    ),
    "a command": (replace("dvc.yaml", "cat code.sh in.txt", "cat  code.sh in.txt"), {"copy"}),
    "one of several commands": (replace("dvc.yaml", "      - cp in.txt one.txt\n", ""), {"commands"}),
    "the command of a frozen stage": (replace("dvc.yaml", "cp in.txt frozen.txt", "cp -f in.txt frozen.txt"), {"frozen"}),
    "a stage no longer frozen": (replace("dvc.yaml", "    frozen: true\n", ""), set()),
    "a description": (replace("dvc.yaml", "  copy:\n", "  copy:\n    desc: copies\n    meta: {by: me}\n"), set()),
    "a dependency that was not one": (
        replace("dvc.yaml", "deps: [code.sh, in.txt]", "deps: [code.sh, in.txt, sub/in.txt]"),
        {"copy"},
    ),
    "a dependency dropped": (replace("dvc.yaml", "deps: [code.sh, in.txt]", "deps: [in.txt]"), set()),
    "a parameter that was not one": (
        replace("dvc.yaml", "params: [section, empty]", "params: [section, empty, zeros]"),
        {"section"},
    ),
    "an output that was not one": (replace("dvc.yaml", "outs: [copy.txt]", "outs: [copy.txt, more.txt]"), {"copy"}),
    "an output dropped": (replace("dvc.yaml", "outs: [one.txt, two.txt]", "outs: [one.txt]"), set()),
    "an output that Git keeps, kept by DVC": (replace("dvc.yaml", "{cache: false}", "{cache: true}"), set()),
    "a stage that never ran": (
        append("dvc.yaml", "  fresh:\n    cmd: cp in.txt f.txt\n    deps: [in.txt]\n    outs: [f.txt]\n"),
        {"fresh"},
    ),
    "a stage that never ran and makes nothing": (
        append("dvc.yaml", "  fresh:\n    cmd: cat in.txt\n    deps: [in.txt]\n"),
        {"fresh"},
    ),
    "a stage renamed": (replace("dvc.yaml", "  copy:\n", "  duplicate:\n"), {"duplicate"}),
    "a stage removed": (
        replace("dvc.yaml", "  judge:\n    cmd: cp score.json judged.txt\n    deps: [score.json]\n    outs: [judged.txt]\n", ""),
        set(),
    ),
    "a stage without dependencies": (append("dvc.yaml", "  alone:\n    cmd: echo\n"), {"alone"}),
    "no lock": (remove("dvc.lock"), set(re.findall(r"^  (\w+):$", PLAIN["dvc.yaml"], re.MULTILINE))),
    "a hash in the lock": (replace("dvc.lock", hashlib.md5(b"# code\n").hexdigest(), "a" * 32), {"copy"}),
    "a parameter in the lock": (replace("dvc.lock", "rate: 0.001", "rate: 0.002"), {"keys"}),
    "a stage less in the lock": (replace("dvc.lock", "  copy:\n", "  removed:\n"), {"copy"}),
}


EVERYWHERE = ("dvc", "disk", "commit")


def verdicts(folder: Path) -> dict[str, set[str]]:
    """What DVC says, what we say of the disk, and what we say of a commit of the same content."""
    return dict(zip(EVERYWHERE, (dvc_says(folder), on_disk(folder), committed(folder)), strict=True))


def everywhere(*stages: str) -> dict[str, set[str]]:
    return {place: {*stages} for place in EVERYWHERE}


@pytest.mark.parametrize("name", CHANGES)
def test_plain(plain: Path, name: str) -> None:
    change, expected = CHANGES[name]
    change(plain)
    assert verdicts(plain) == dict.fromkeys(EVERYWHERE, expected)


TEMPLATED_CHANGES: dict[str, tuple[Change, set[str]]] = {
    "nothing": (lambda folder: None, set()),
    "a value in a file of vars": (
        lambda folder: (write("conf/vars.yaml", "source: other.in\n")(folder), write("other.in", "in\n")(folder)),
        {"one"},
    ),
    "a value of vars written inline": (replace("dvc.yaml", "suffix: txt", "suffix: text"), {"one"}),
    "a value of a stage's own vars": (write("conf/own.json", '{"own": 8}'), {"own"}),
    "an item of foreach": (replace("dvc.yaml", "foreach: [x, y]", "foreach: [x]"), set()),
    "the dependency of an item of foreach": (write("y.in", "z\n"), {"each@y"}),
    "a parameter in the command of foreach": (replace("params.yaml", "rate: 0.5", "rate: 0.25"), {"each@x", "each@y"}),
    "one key of a mapping of foreach": (replace("params.yaml", "red: {size: 1}", "red: {size: 3}"), {"named@red"}),
    "one more key of a mapping of foreach": (append("params.yaml", "  green: {size: 4}\n"), {"named@green"}),
    "one key less of a mapping of foreach": (replace("params.yaml", "  red: {size: 1}\n", ""), set()),
    "one more value of a matrix": (replace("dvc.yaml", "size: [1, 2]", "size: [1, 2, 3]"), {"grid@3-a", "grid@3-b"}),
    "a matrix with its values in another order": (replace("dvc.yaml", "size: [1, 2]", "size: [2, 1]"), set()),
    "what all read": (
        write("in.txt", "other\n"),
        {"one", "named@red", "named@blue", "grid@1-a", "grid@1-b", "grid@2-a", "grid@2-b", "own", "plain"},
    ),
}


@pytest.mark.parametrize("name", TEMPLATED_CHANGES)
def test_templated(templated: Path, name: str) -> None:
    change, expected = TEMPLATED_CHANGES[name]
    change(templated)
    assert verdicts(templated) == dict.fromkeys(EVERYWHERE, expected)


# --- where we differ from `dvc status`, on purpose --------------------------------------------------------------------


def test_a_commit_is_judged_by_pointers_and_not_by_data_beside_them(plain: Path) -> None:
    """Data that was changed and not added is not in the commit: who checks it out gets what the pointer names."""
    write("data/raw.csv", "3,4\n")(plain)
    write("images/nested/b.txt", "c\n")(plain)
    stale = {"pointer", "all_data", "images", "nested_images"}
    assert verdicts(plain) == {"dvc": stale, "disk": stale, "commit": set()}


def test_a_pointer_alone_is_judged_in_a_commit(plain: Path) -> None:
    """DVC looks at the data first, which nobody else has; in a commit the pointer is all there is of it."""
    replace("data/raw.csv.dvc", hashlib.md5(b"1,2\n").hexdigest(), hashlib.md5(b"3,4\n").hexdigest())(plain)
    said = verdicts(plain)
    assert said["commit"] == {"pointer", "all_data"}
    assert said["dvc"] == said["disk"] == {"all_data"}  # the pointer is a file of that folder as well


def test_outputs_that_dvc_keeps_need_not_be_on_disk(plain: Path) -> None:
    """A clone without `dvc pull` can stamp and be judged: the lock says what they were, and AR03 looks at the bytes."""
    for path in ("copy.txt", "parts", "raw.txt"):
        remove(path)(plain)
    assert dvc_says(plain) == {"copy", "score", "parts", "part", "all_parts", "pointer"}
    assert on_disk(plain) == committed(plain) == set()


def test_an_output_of_dvc_changed_on_disk_makes_stale_what_reads_it(plain: Path) -> None:
    """DVC names the stage that made it as well; for a release AR03 compares the bytes."""
    (plain / "copy.txt").unlink()  # a link into the cache would change the cache
    write("copy.txt", "other\n")(plain)
    assert dvc_says(plain) == {"copy", "score"}
    assert on_disk(plain) == {"score"}
    assert committed(plain) == set()


@pytest.mark.parametrize("stage", ["copy", "frozen"])
def test_a_stage_that_always_runs_can_be_released(plain: Path, stage: str) -> None:
    """DVC calls it changed for ever; a gate that did so would never let such a repository release."""
    replace("dvc.yaml", f"  {stage}:\n", f"  {stage}:\n    always_changed: true\n")(plain)
    assert verdicts(plain) == {"dvc": {stage}, "disk": set(), "commit": set()}


def test_a_folder_that_git_cannot_hold(plain: Path) -> None:
    """A file that Git ignores and DVC does not is part of the folder's hash: nobody else can have it, and the commit says so."""
    append(".gitignore", "*.secret\n")(plain)
    write("folder/x.secret", "x\n")(plain)
    assert dvc_says(plain) == on_disk(plain) == {"folder"}
    assert committed(plain) == set()


def test_without_the_cache_a_file_inside_a_folder_of_data_is_not_judged(plain: Path) -> None:
    """Only the folder's hash is in Git; what it lists is in DVC's cache, which a server does not have."""
    added("images/a.txt", "b\n", "images")(plain)
    shutil.rmtree(plain / ".dvc/cache")
    assert committed(plain) == {"images"}


# --- what `dvc status` does not look at -------------------------------------------------------------------------------


def contradictions(folder: Path) -> list[tuple[str, str, str]]:
    committed(folder)
    with Repository(folder) as repository:
        snapshot = CommitSnapshot(repository, repository.head() or "")
        pipeline = dvc.load(snapshot)
        found = list(dvc.Comparison(snapshot, pipeline).contradictions(pipeline.stages))
    return [(difference.stage, difference.path, difference.what) for difference in found]


def lock_with(change: Callable[[dict[str, Any]], object]) -> Change:
    def edit(folder: Path) -> None:
        content = YAML(typ="safe", pure=True).load(folder / "dvc.lock")
        change(content["stages"])
        YAML(typ="safe", pure=True).dump(content, folder / "dvc.lock")

    return edit


def _of(stage: dict[str, Any], kind: str, path: str) -> dict[str, Any]:
    return next(item for item in stage[kind] if item["path"] == path)


LIES: dict[str, tuple[Change, list[tuple[str, str, str]]]] = {
    "the size of code that Git holds": (
        lock_with(lambda stages: _of(stages["copy"], "deps", "code.sh").update(size=1)),
        [("copy", "code.sh", "recorded 1 bytes of it, Git says 7 bytes of the same content")],
    ),
    "the size of an output that another stage read": (
        lock_with(lambda stages: _of(stages["copy"], "outs", "copy.txt").update(size=999)),
        [("score", "copy.txt", "recorded 10 bytes of it, stage copy says 999 bytes of the same content")],
    ),
    "the number of files of a folder": (
        lock_with(lambda stages: _of(stages["all_parts"], "deps", "parts").update(nfiles=7)),
        [("all_parts", "parts", "recorded 6 bytes in 7 files of it, stage parts says 6 bytes in 2 files of the same content")],
    ),
    "the size of data, against its pointer": (
        lock_with(lambda stages: _of(stages["pointer"], "deps", "data/raw.csv").update(size=5)),
        [("pointer", "data/raw.csv", "recorded 5 bytes of it, data/raw.csv.dvc says 4 bytes of the same content")],
    ),
    "the size in a pointer": (
        replace("data/raw.csv.dvc", "size: 4", "size: 5"),
        [("pointer", "data/raw.csv", "recorded 4 bytes of it, data/raw.csv.dvc says 5 bytes of the same content")],
    ),
    "the kind of hash of an output": (
        lock_with(lambda stages: _of(stages["copy"], "outs", "copy.txt").pop("hash")),
        [("copy", "copy.txt", "made it under DVC 2, and DVC 3 looks for it under another name (no `hash: md5`)")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lock_that_contradicts_itself(plain: Path, lie: str) -> None:
    change, expected = LIES[lie]
    change(plain)
    assert contradictions(plain) == expected


HONEST: dict[str, Change] = {
    "as DVC wrote it": lambda folder: None,
    "no sizes": lock_with(lambda stages: [item.pop("size") for stage in stages.values() for item in stage.get("deps", [])]),
    "keys that a newer DVC may write": lock_with(lambda stages: [item.update(new=1) for item in stages["copy"]["deps"]]),
    "versions in a cloud": lock_with(
        lambda stages: stages["copy"]["outs"][0].update(cloud={"storage": {"etag": "a", "version_id": "b"}})
    ),
    "a dependency with an etag": lambda folder: (
        replace("dvc.yaml", "deps: [code.sh, in.txt]", "deps: [code.sh, in.txt, 's3://bucket/x']")(folder),
        lock_with(lambda stages: stages["copy"]["deps"].append({"path": "s3://bucket/x", "etag": "e", "size": 3}))(folder),
    ),
    "a folder listed in the lock, as in a store that keeps versions": lock_with(
        lambda stages: (
            stages["parts"]["outs"][0].pop("md5"),
            stages["parts"]["outs"][0].update(
                files=[{"relpath": name, "md5": hashlib.md5(b"in\n").hexdigest(), "size": 3} for name in ("more/two.txt", "one.txt")]
            ),
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_lock_contradicts_nothing(plain: Path, name: str) -> None:
    HONEST[name](plain)
    assert contradictions(plain) == []
    assert committed(plain) == set()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replace("dvc.lock", "stages:\n", "stages:\n  copy: {cmd: x}\n"), "dvc.lock is not YAML"),
        (replace("dvc.lock", "schema: '2.0'", "schema: '1.0'"), "dvc.lock is no lock that DVC reads"),
        (replace("dvc.lock", "schema: '2.0'\n", ""), "dvc.lock is no lock that DVC reads"),
        (
            lock_with(lambda stages: stages["copy"]["deps"].append({"path": "in.txt", "md5": "0" * 32, "hash": "md5"})),
            "dvc.lock records for stage copy in.txt twice",
        ),
    ],
)
def test_a_lock_that_dvc_never_writes(plain: Path, change: Change, message: str) -> None:
    change(plain)
    with pytest.raises(Malformed, match=re.escape(message)):
        committed(plain)


def test_an_output_without_a_hash_was_not_made(plain: Path) -> None:
    lock_with(lambda stages: stages["copy"]["outs"][0].pop("md5"))(plain)
    assert verdicts(plain) == everywhere("copy")


# --- what the generated pipelines taught ------------------------------------------------------------------------------


def test_the_whole_file_outweighs_keys_of_it(plain: Path) -> None:
    replace("dvc.yaml", "      - conf/whole.yaml:\n", "      - conf/whole.yaml: [a]\n      - conf/whole.yaml:\n")(plain)
    write("conf/whole.yaml", "a: 1\nb: [1, 3]\n")(plain)
    assert verdicts(plain) == everywhere("whole")


def test_a_tuple_of_python_is_a_list_in_the_lock(plain: Path) -> None:
    write("conf/p.py", "X = (1, 2)\n\n\nclass Train:\n    y = 1\n")(plain)
    lock_with(lambda stages: stages["formats"]["params"]["conf/p.py"].update(X=[1, 2]))(plain)
    assert verdicts(plain) == everywhere()


def test_a_number_as_key_is_named_by_its_text(plain: Path) -> None:
    write("conf/p.yaml", "x: {y: 1, 2: {z: 3}}\nz: 1\n")(plain)
    replace("dvc.yaml", "conf/p.yaml: [x.y]", "conf/p.yaml: [x.y, x.2.z]")(plain)
    lock_with(lambda stages: stages["formats"]["params"]["conf/p.yaml"].update({"x.2.z": 3}))(plain)
    assert verdicts(plain) == everywhere("linked")


def test_a_folder_of_which_everything_is_hidden_is_an_empty_one(plain: Path) -> None:
    write(".dvcignore", "*.log\n*.tmp\nfolder/\n")(plain)
    empty = hashlib.md5(b"[]").hexdigest() + ".dir"
    lock_with(lambda stages: [stages["folder"]["deps"][0].update(md5=empty), stages["slashed"]["deps"][-1].update(md5=empty)])(
        plain
    )
    said = verdicts(plain)
    assert said["dvc"] == said["disk"] == said["commit"] and "folder" not in said["dvc"]


def test_an_output_that_is_hidden_is_judged_by_its_bytes(plain: Path) -> None:
    """DVC does not work there at all; to find that out costs each tag the import of a matcher, and makes no release truer."""
    write(".dvcignore", "*.log\n*.tmp\nscore.json\n")(plain)
    assert on_disk(plain) == committed(plain) == set()


@pytest.mark.parametrize("file", [".dvc/config", ".dvc/config.local"])
def test_truth_and_lists_are_written_into_commands_as_configured(templated: Path, file: str) -> None:
    append("params.yaml", "flags: {deep: true}\n")(templated)
    replace("dvc.yaml", "cmd: cp in.txt plain.txt", "cmd: cp in.txt plain.txt && echo ${flags}")(templated)
    lock_with(lambda stages: stages["plain"].update(cmd="cp in.txt plain.txt && echo --deep"))(templated)
    with (templated / file).open("a") as stream:
        stream.write("[parsing]\n    bool = boolean_optional\n")
    replace("params.yaml", "deep: true", "deep: false")(templated)
    assert dvc_says(templated) == on_disk(templated) == {"plain"}
    replace("params.yaml", "deep: false", "deep: true")(templated)
    assert dvc_says(templated) == on_disk(templated) == set()


def test_a_key_of_no_text_in_a_description(plain: Path) -> None:
    replace("dvc.yaml", "  copy:\n", "  copy:\n    meta: {2024-01-01: started}\n")(plain)
    assert verdicts(plain) == everywhere()


# --- reading the files ------------------------------------------------------------------------------------------------


def test_the_sources_of_a_commit_are_code_parameters_and_pointers(plain: Path) -> None:
    """Not what a stage made: the claim of a sidecar is about what a person wrote."""
    write("score.json", "9\n")(plain)
    write("code.sh", "# other\n")(plain)
    committed(plain)
    with Repository(plain) as repository:
        snapshot = CommitSnapshot(repository, repository.head() or "")
        pipeline = dvc.load(snapshot)
        found = list(dvc.Comparison(snapshot, pipeline).sources(["copy", "judge", "gone"], pipeline.stages))
    assert [(found.stage, found.path, found.what) for found in found] == [
        ("copy", "code.sh", "ran with another content"),
        ("gone", "dvc.yaml", "is not in dvc.yaml"),
    ]
    assert (found[0].recorded, found[0].actual) == (hashlib.md5(b"# code\n").hexdigest(), hashlib.md5(b"# other\n").hexdigest())


def test_a_changed_folder_says_what_it_holds(plain: Path) -> None:
    write("folder/new.txt", "n\n")(plain)
    with Repository(plain) as repository:
        snapshot = DiskSnapshot(repository)
        pipeline = dvc.load(snapshot)
        (found,) = dvc.Comparison(snapshot, pipeline).stale(["folder"])
    assert found.what == (
        "ran with another content of the folder (it now holds 7 files: folder/a.txt, folder/b c ü.txt, folder/nested/c.txt …)"
    )


def test_the_stages_behind_a_path_are_found(plain: Path) -> None:
    with Repository(plain) as repository:
        pipeline = dvc.load(DiskSnapshot(repository))
    assert pipeline.upstream("judged.txt") == ["copy", "score", "judge"]
    assert pipeline.upstream("part.txt", "keys.txt") == ["keys", "parts", "part"]
    assert pipeline.producer("parts/more/two.txt") == "parts"
    assert pipeline.producer("in.txt") is None
    assert pipeline.output("sub/out.txt") == dvc.Hash(hashlib.md5(b"in\n").hexdigest(), 3)
    assert pipeline.recorded_dependency("sub/in.txt") == dvc.Hash(hashlib.md5(b"in\n").hexdigest(), 3)
    assert (pipeline.is_cached("copy.txt"), pipeline.is_cached("score.json"), pipeline.is_cached("in.txt")) == (
        True,
        False,
        False,
    )


def test_recorded_parameters_are_nested_as_in_their_file(plain: Path) -> None:
    with Repository(plain) as repository:
        pipeline = dvc.load(DiskSnapshot(repository))
    assert pipeline.recorded_params(["keys"]) == {"rate": 0.001, "section": {"deep": {"key": 1}, "list": {"0": 3}}}
    assert pipeline.recorded_params(["section"]) == {"section": {"deep": {"key": 1, "other": 2}, "list": [3, 4]}, "empty": None}
    assert pipeline.recorded_params(["elsewhere"]) == {"rate": 0.001, "sub/params.yaml": {"k": 1}}


def test_a_dotted_key_is_looked_up() -> None:
    values = {"train": {"C": 1.0, "layers": [8, {"size": 4}]}, "a.b": 1}
    assert dvc.lookup(values, "train.C") == 1.0
    assert dvc.lookup(values, "train.layers.1.size") == dvc.lookup(values, "train.layers.-1.size") == 4
    mark = dvc.lookup({}, "nothing")
    for absent in ("train.D", "train.layers.2", "train.C.x", "train.layers.-3", ""):
        assert dvc.lookup(values, absent) is mark


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("dvc.yaml", "stages: [1]\n", "dvc.yaml is no pipeline that DVC reads"),
        ("dvc.yaml", "stages: {copy: 3}\n", "dvc.yaml is no pipeline that DVC reads"),
        ("dvc.yaml", "stages: {copy: {cmd: a, deps: 3}}\n", "dvc.yaml is no pipeline that DVC reads"),
        ("dvc.yaml", "stages:\n  copy: {cmd: 'echo ${nothing}'}\n", "dvc.yaml cannot be resolved"),
        ("dvc.yaml", "stages: [\n", "dvc.yaml is not YAML: line 2"),
        ("dvc.yaml", "- stages\n", "dvc.yaml holds a list, not a mapping"),
        ("dvc.lock", "stages: {copy: {deps: [in.txt]}}\n", "dvc.lock is no lock that DVC reads"),
        ("dvc.lock", "stages: 3\n", "dvc.lock is no lock that DVC reads"),
        ("dvc.lock", "<<<<<<< HEAD\nstages: {}\n", "dvc.lock holds the marks of a merge that is not done, at line 1"),
        ("params.yaml", "a: 1\na: 2\n", "params.yaml is not YAML: line 2"),
        ("conf/p.json", '{"x": 1, "x": 2}', "conf/p.json has the key 'x' twice"),
        ("conf/p.toml", "x = \n", "conf/p.toml "),
        ("conf/p.py", "X = (\n", "conf/p.py "),
        ("data/raw.csv.dvc", "outs: [3]\n", "data/raw.csv.dvc is no pointer that DVC reads"),
        ("data/raw.csv.dvc", "outs: 3\n", "data/raw.csv.dvc is no pointer that DVC reads"),
    ],
)
def test_what_cannot_be_read_is_named(plain: Path, path: str, content: str, message: str) -> None:
    write(path, content)(plain)
    with pytest.raises(Malformed, match=re.escape(message)):
        committed(plain)


def test_a_recorded_date_is_text_as_json_has_it() -> None:
    locked = dvc.Locked("cmd", {}, {}, {"dates.yaml": {"split": {"since": dt.date(2024, 11, 5), "days": [dt.date(2024, 1, 1)]}}})
    stage = dvc.Stage("prepare", "cmd", {}, {}, {"dates.yaml": ()})
    recorded = dvc.Pipeline({"prepare": stage}, {"prepare": locked}).recorded_params(["prepare"])
    assert recorded == {"dates.yaml": {"split": {"since": "2024-11-05", "days": ["2024-01-01"]}}}
