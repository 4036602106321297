"""Pipelines made at random from a number, which use what `dvc.yaml` offers, and changes to them."""

from __future__ import annotations

import json
import os
import posixpath
import random
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

ODD_NAMES = [
    "in.txt",
    "a b/c d.txt",
    "数据/ü ñ.txt",
    "we'ird.txt",
    "#hash.txt",
    "x,y;z.txt",
    "p.d/q.e",
    "-dash",
    "50%.csv",
    "e=mc[2].txt",
]
FOLDERS = ["folder", "more data/ünder", "nest"]
WDIRS = ["", "", "", "sub", "more data/wörk", "a b"]
#: A scalar as a person may write it; DVC compares what it means.
YAML_VALUES = [
    "1", "1.0", "true", "'1'", "1e-3", "0.001", "1E-3", "1.e-3", ".5", "0x1F", "31", "2024-01-01", "'2024-01-01'", "2024-01-01 00:00:00",
    "null", "~", "''", "[1, 2]", "[1, 2.0]", "[true, 2]", "{a: 1}", "{a: {b: [1, 2]}}", "yes", "no", "'yes'", "1_000", "1000", "010", "8", "0o10",
    "+1", "-0.0", "0", "false", "1:30", "90", ".inf", "text", "\"text\"", "2024-01-01T10:00:00+02:00", "2024-01-01T08:00:00Z", "|\n  text\n",
    "&x text", "!!str 1", "!!float 1", "0b11", "1e400", "\"\\u00fc\"", "ü", "[]", "{}", "[{}, []]", "2024-13-01", "12e03", "0.1e1", "-1", "!!set {a, b}",
]  # fmt: skip
JSON_VALUES = [
    "1",
    "1.0",
    "true",
    '"1"',
    "1e-3",
    "0.001",
    "null",
    "[1, 2]",
    "[1.0, 2]",
    "{}",
    '{"a": 1}',
    '"ü"',
    '"\\u00fc"',
    "-0.0",
    "0",
    "false",
    '""',
    "1E5",
    "100000.0",
]
TOML_VALUES = [
    "1", "1.0", "true", "'1'", "1e-3", "0.001", "[1, 2]", "[1.0, 2.0]", "{a = 1}", "2024-01-01", "'2024-01-01'", "2024-01-01T00:00:00", "0x1F", "31",
    "1_000", "1000", "inf", "'ü'", '"\\u00fc"', "[]", "[[1], ['a']]", "{a.b = 1}", '"""text"""', "2024-01-01T10:00:00+02:00", "2024-01-01T08:00:00Z",
]  # fmt: skip
PY_VALUES = [
    "1",
    "1.0",
    "True",
    "'1'",
    "1e-3",
    "0.001",
    "None",
    "[1, 2]",
    "(1, 2)",
    "{'a': 1}",
    "{'a': (1, 2)}",
    "[(1, 2)]",
    "{1, 2}",
    "-1",
    "'ü'",
    "1_000",
    "()",
    "b'x'",
    "{1: 2}",
]
FORMS: dict[str, tuple[str, list[str]]] = {
    "params.yaml": ("{key}: {value}\n", YAML_VALUES),
    "conf/p.yml": ("{key}: {value}\n", YAML_VALUES),
    "conf/p.toml": ("{key} = {value}\n", TOML_VALUES),
    "conf/p.py": ("{key} = {value}\n", PY_VALUES),
    "conf/p.json": ('"{key}": {value}', JSON_VALUES),
    "sub/params.yaml": ("{key}: {value}\n", YAML_VALUES),
}
#: Values with which DVC cannot run a stage: its run cache is JSON.
DVC_STOPS = re.compile(r"2024-|!!set|^b'|^\{1")
KEYS = ["k0", "k1", "k2", "k3", "k4"]


#: A kind of stage: what makes several of it, what tells their outputs apart, and what they print.
KINDS: dict[str, Callable[[random.Random], tuple[dict[str, Any], str, str]]] = {
    "plain": lambda pick: ({}, "", ""),
    "templated": lambda pick: (
        {},
        "-${inline.suffix}",
        pick.choice(
            ["${vt} ${tom.n}", "${VP} ${Cls.size} ${vj.l[1]}", "${inline.n} ${vy.list[1]}", "${flag}", "\\${not} ${only}"]
        ),
    ),
    "list": lambda pick: ({"foreach": pick.choice([["x", "y z"], "${vj.l}"])}, "-${item}", "${item}"),
    "dict": lambda pick: ({"foreach": {"k one": 1, 2: "zwei"}}, "-${key}", "${item}"),
    "items": lambda pick: ({"foreach": [{"v": 1, "w": True}, {"v": "b", "w": 2.50}]}, "-${item.v}", "${item.v} ${item.w}"),
    "names": lambda pick: ({"foreach": "${vy.names}"}, "-${key}", "${item.size}"),
    "matrix": lambda pick: (
        {"matrix": {"a": [1, "zwei"], "b": pick.choice(["${vy.list}", [0.1, False]])}},
        "-${item.a}-${item.b}",
        "${item.b}",
    ),
}


class Made:
    """A repository with a generated pipeline that DVC ran."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.params: dict[str, dict[str, str]] = {}
        self.stages: dict[str, Any] = {}
        self.vars: list[Any] = []
        #: What a stage may depend on, and those that hold more than one file.
        self.sources: list[str] = []
        self.made: list[str] = []
        self.tracked: list[str] = []
        self.uncached: list[str] = []
        self.frozen: list[str] = []

    # --- files ---

    def write(self, path: str, text: str) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink():
            place.unlink()
        place.write_bytes(text.encode())

    def read(self, path: str) -> str:
        return (self.folder / path).read_bytes().decode()

    def write_params(self, file: str) -> None:
        form, _ = FORMS[file]
        lines = [form.format(key=key, value=value) for key, value in self.params[file].items()]
        self.write(file, "{" + ", ".join(lines) + "}" if file.endswith(".json") else "".join(lines) + self.deep(file))

    def deep(self, file: str) -> str:
        """Keys under keys, which `params` reaches with dots."""
        if file.endswith(".toml"):
            return "[deep]\nx = 1\ny = 2\n[deep.er]\nlist = [1, {z = 2}]\n"
        if file.endswith(".py"):
            return "class Deep:\n    x: int = 1\n    y = 2\n\n\nclass Net:\n    def __init__(self):\n        self.z = 3\n"
        return "deep:\n  x: 1\n  y: 2\n  er: {list: [1, {z: 2}]}\n\nwhere: " + ("sub\n" if file == "params.yaml" else "there\n")

    def deep_keys(self, file: str) -> list[str]:
        if file.endswith(".json"):
            return []
        if file.endswith(".py"):
            return ["Deep", "Deep.x", "Net.z"]
        return ["deep", "deep.x", "deep.er", "deep.er.list", "deep.er.list.0", "deep.er.list.1.z"]

    # --- making one ---

    def make(self) -> None:
        """Write it, have DVC run it, and commit."""
        self.folder.mkdir(parents=True, exist_ok=True)
        git(self.folder, "init", "-q", "-b", "main")
        from dvc.repo import Repo

        Repo.init(str(self.folder)).close()
        self.make_sources()
        self.make_data()
        self.make_links()
        self.make_parameters()
        self.make_settings()
        for number in range(self.random.randint(5, 8)):
            self.add_stage(number)
        for wdir in WDIRS:
            self.write(posixpath.join(wdir, ".keep"), "")
        self.dump()
        with Repo(str(self.folder)) as repo:
            for name in self.tracked:
                repo.add(str(self.folder / name))
        self.reproduce()
        for name in self.frozen:  # a frozen stage never runs
            body = self.stages[name]
            (body.get("do") or body)["frozen"] = True
        self.dump()
        self.base = self.commit("Run")

    def make_sources(self) -> None:
        pick = self.random
        for name in pick.sample(ODD_NAMES, 5):
            self.write(name, f"{name} {pick.random()}\n" * pick.randint(1, 3))
            self.sources.append(name)
        for name in pick.sample(FOLDERS, 2):
            for inside in ("a.txt", "ü b.txt", "deep/c.txt", "deep/d.log", "ä/e.txt"):
                self.write(f"{name}/{inside}", f"{inside} {pick.random()}\n")
            self.sources += [name, f"{name}/deep", f"{name}/a.txt", f"{name}/"][: pick.randint(1, 4)]

    def make_data(self) -> None:
        pick = self.random
        kinds = {
            "data/raw.csv": (["data/raw.csv"], [""]),
            "data/images": (["data/images", "data/images/two", "data/images/1.png"], ["/1.png", "/two/2.png"]),
        }
        for name, (sources, parts) in kinds.items():
            if pick.random() < 0.7:
                for inside in parts:
                    self.write(name + inside, f"{name}{inside} {pick.random()}\n")
                self.tracked.append(name)
                self.sources += sources[: pick.randint(1, 3)]
        if self.tracked and pick.random() < 0.4:
            self.write("data/note.md", "by hand\n")
            self.sources.append("data")

    def make_links(self) -> None:
        for link, target in (("link.txt", "conf/p.yml"), ("linked", "conf")):
            if self.random.random() < 0.5:
                (self.folder / link).symlink_to(target)
                self.sources.append(link)

    def make_parameters(self) -> None:
        pick = self.random
        for file in FORMS:
            self.params[file] = {
                key: pick.choice([value for value in values_of(file) if not DVC_STOPS.search(value)]) for key in KEYS
            }
            self.write_params(file)
        self.write("conf/vars.json", json.dumps({"vj": {"n": 1, "l": ["p", "q"]}, "flag": True}))
        self.write("conf/vars.toml", "vt = 'tee'\n[tom]\nn = 1.50\n")
        self.write("conf/vars.py", "VP = 3\n\n\nclass Cls:\n    size = 0.5\n")
        self.write(
            "conf/vars.yaml", "vy: {names: {red: {size: 1}, blue: {size: 2}}, list: [1, two, 3.0]}\nonly: 1\nnot_this: 2\n"
        )
        self.write("conf/own.yaml", "own: 7\n")
        files = ["conf/vars.json", "conf/vars.toml", "conf/vars.py"]
        self.vars = pick.choice([
            ["conf/vars.yaml", *files, {"inline": {"suffix": "txt", "n": 1e-3}}],
            [{"inline": {"suffix": "out", "n": True}}, "conf/vars.yaml:vy,only", *files],
        ])  # fmt: skip

    def make_settings(self) -> None:
        if self.random.random() < 0.6:
            self.write(
                ".dvcignore", self.random.choice(["*.log\n", "# none\n", "deep/*.log\n!c.txt\n", "d*.log\n/nest/\n", "**/ä/\n"])
            )
        if self.random.random() < 0.3:
            with (self.folder / ".dvc/config").open("a") as stream:
                stream.write("[parsing]\n    bool = boolean_optional\n    list = append\n")

    def reproduce(self) -> None:
        from dvc.repo import Repo

        with quiet(), Repo(str(self.folder)) as repo:
            repo.reproduce(all_pipelines=True)

    def dump(self, **options: Any) -> None:
        content = {"vars": self.vars, "stages": self.stages, "artifacts": {"m": {"path": "m-${inline.suffix}", "type": "model"}}}
        if not self.uses_templates:
            content.pop("vars")
            content.pop("artifacts")
        self.write("dvc.yaml", yaml.safe_dump(content, allow_unicode=True, sort_keys=False, **options))

    @property
    def uses_templates(self) -> bool:
        text = json.dumps(self.stages)
        return "${" in text or "foreach" in text or "matrix" in text

    def add_stage(self, number: int) -> None:
        pick = self.random
        name, wdir = f"s{number}", pick.choice(WDIRS)
        kind = pick.choice(["plain", "plain", *KINDS])
        group, mark, said = KINDS[kind](pick)
        out = f"o{number}{mark}" if pick.random() < 0.6 else f"out{number}/o{mark}"
        up = "/".join([".."] * len(wdir.split("/"))) if wdir else ""
        known = self.sources + self.made
        parts = ["/x.txt", "/in ner/ÿ.txt"] if pick.random() < 0.3 else [""]
        options = pick.choice(
            [{"cache": False}, {"cache": False, "desc": "kept"}, {"persist": False}, {"push": False}, None, None, None, None]
        )
        body: dict[str, Any] = {
            "cmd": self.commands(kind, [out + part for part in parts], said or str(number)),
            "deps": [posixpath.join(up, dep) for dep in pick.sample(known, pick.randint(1, 3))],
            "outs" if len(parts) > 1 else pick.choice(["outs", "outs", "metrics", "plots"]): [{out: options} if options else out],
        }
        if wdir:
            body["wdir"] = "${where}" if wdir == "sub" and kind != "plain" else wdir
        if pick.random() < 0.8:
            body["params"] = self.pick_params(wdir, up)
        if kind == "templated" and pick.random() < 0.4:
            self.write(posixpath.join(wdir, "own.yaml"), "own: 7\n")
            body |= {
                "vars": ["own.yaml"],
                "cmd": [body["cmd"], "echo ${own}"] if isinstance(body["cmd"], str) else [*body["cmd"], "echo ${own}"],
            }
        if pick.random() < 0.2:
            body |= {"desc": "says", "meta": {"by": ["me", {"x": 1}]}}
        if pick.random() < 0.15:
            self.frozen.append(name)
        self.stages[name] = {**group, "do": body} if "foreach" in group else {**group, **body}
        if kind == "plain":
            places = [posixpath.normpath(posixpath.join(wdir, out + part)) for part in parts]
            self.made += [posixpath.normpath(posixpath.join(wdir, out)), *places]
            self.uncached += places if options and options.get("cache") is False else []

    def commands(self, kind: str, written: list[str], said: str) -> str | list[str]:
        folders = sorted({posixpath.dirname(item) for item in written} - {""})
        commands = [f"mkdir -p {' '.join(map(quoted, folders))}"] if folders else []
        commands += [f"echo {said} > {quoted(item)}" for item in written]
        if kind == "templated" and self.random.random() < 0.3:
            commands.append("echo ${vj}")
        return commands if self.random.random() < 0.4 else " && ".join(commands)

    def pick_params(self, wdir: str, up: str) -> list[Any]:
        pick = self.random
        params: list[Any] = []
        if wdir in ("", "sub"):
            params += pick.sample([*KEYS, *self.deep_keys("params.yaml")], pick.randint(1, 3))
        for file in pick.sample([file for file in FORMS if file not in {"params.yaml", "sub/params.yaml"}], pick.randint(0, 2)):
            keys = pick.sample([*KEYS, *self.deep_keys(file)], pick.randint(1, 3)) if pick.random() < 0.7 else None
            params.append({posixpath.join(up, file): keys})
        if params and pick.random() < 0.15 and wdir == "":
            params.append({"params.yaml": pick.choice([None, ["k3"]])})
        return params

    # --- changing one ---

    def commit(self, message: str = "Change") -> str:
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.folder, "rev-parse", "HEAD").strip()

    def reset(self) -> None:
        git(self.folder, "reset", "-q", "--hard", self.base)
        self.check_out()

    def check_out(self) -> None:
        """What a clone of the commit has after `dvc checkout`."""
        from dvc.repo import Repo

        git(self.folder, "clean", "-q", "-fdx", "-e", ".dvc/cache", "-e", ".dvc/tmp", "-e", ".dvc/config.local")
        with quiet(), Repo(str(self.folder)) as repo, suppress(Exception):
            repo.checkout(force=True, allow_missing=True)

    def change(self, pick: random.Random) -> str:
        """Change one thing; its name."""
        name = pick.choice(sorted(CHANGES))
        return f"{name}: {CHANGES[name](self, pick)}"


def values_of(file: str) -> list[str]:
    # All of params.yaml is there for templates, and DVC's know no dates and no sets.
    values = FORMS[file][1]
    return [value for value in values if "-01" not in value and "!!" not in value] if file == "params.yaml" else values


def quoted(path: str) -> str:
    return shlex.quote(path) if "$" not in path else '"' + path + '"'


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the commands of stages print off the screen."""
    saved = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)


# --- changes ----------------------------------------------------------------------------------------------------------


def _source_files(made: Made) -> list[str]:
    listed = git(made.folder, "ls-files", "-z").split("\0")
    kept = [name for name in listed if name and not name.startswith((".dvc", "dvc.", "conf/", ".git", "params", "sub/params"))]
    return [
        name
        for name in kept
        if not (made.folder / name).is_symlink() and not name.endswith((".dvc", ".gitignore", ".keep", "own.yaml"))
    ]


def edit(made: Made, pick: random.Random) -> str:
    name = pick.choice(_source_files(made))
    made.write(name, made.read(name) + pick.choice(["more\n", "\r\n", "\0", ""]))
    return name


def crlf(made: Made, pick: random.Random) -> str:
    name = pick.choice(_source_files(made))
    made.write(name, made.read(name).replace("\n", "\r\n"))
    return name


def delete(made: Made, pick: random.Random) -> str:
    name = pick.choice(_source_files(made))
    (made.folder / name).unlink()
    return name


def add(made: Made, pick: random.Random) -> str:
    name = posixpath.join(
        posixpath.dirname(pick.choice(_source_files(made))), pick.choice(["new ü.txt", "new.log", "sub dir/new.txt"])
    )
    made.write(name, "new\n")
    return name


def move(made: Made, pick: random.Random) -> str:
    name = pick.choice(_source_files(made))
    (made.folder / name).rename(made.folder / f"{name}.moved")
    return name


def parameter(made: Made, pick: random.Random) -> str:
    file = pick.choice(sorted(FORMS))
    key = pick.choice(KEYS)
    before = made.params[file][key]
    made.params[file][key] = pick.choice(values_of(file))
    made.write_params(file)
    after, made.params[file][key] = made.params[file][key], before
    return f"{file} {key}: {before} -> {after}"


def no_parameter(made: Made, pick: random.Random) -> str:
    file, key = pick.choice(sorted(FORMS)), pick.choice(KEYS)
    before = dict(made.params[file])
    made.params[file].pop(key)
    made.write_params(file)
    made.params[file] = before
    return f"{file} {key}"


def deep_parameter(made: Made, pick: random.Random) -> str:
    file = pick.choice([name for name in sorted(FORMS) if not name.endswith(".json")])
    old, new = pick.choice(
        [
            ("y: 2", "y: 5"),
            ("[1, {z: 2}]", "[1, {z: 3}]"),
            ("x = 1", "x = 9"),
            ("x: int = 1", "x: int = 2"),
            ("z = 3", "z = 4"),
            ("x: 1", "x: 1.0"),
        ]
    )
    made.write(file, made.read(file).replace(old, new))
    return f"{file} {old} -> {new}"


def no_file_of_parameters(made: Made, pick: random.Random) -> str:
    file = pick.choice(sorted(FORMS))
    (made.folder / file).unlink()
    return file


def comments(made: Made, pick: random.Random) -> str:
    for file in ("params.yaml", "conf/p.toml", "conf/p.py", "dvc.yaml", "dvc.lock"):
        made.write(file, "# a comment\n" + made.read(file) + "\n# another\n")
    return ""


def reformatted(made: Made, pick: random.Random) -> str:
    options: list[dict[str, Any]] = [
        {"width": 30},
        {"default_flow_style": True},
        {"indent": 6},
        {"width": 400},
    ]
    chosen = pick.choice(options)
    made.dump(**chosen)
    return str(chosen)


def reordered(made: Made, pick: random.Random) -> str:
    stages = list(made.stages.items())
    pick.shuffle(stages)
    before, made.stages = made.stages, {name: dict(sorted(body.items(), key=lambda item: pick.random())) for name, body in stages}
    made.dump()
    made.stages = before
    return " ".join(name for name, _ in stages)


def lock_reformatted(made: Made, pick: random.Random) -> str:
    from ruamel.yaml import YAML

    content = YAML(typ="safe", pure=True).load(made.read("dvc.lock"))
    content["stages"] = dict(sorted(content["stages"].items(), reverse=True))
    for stage in content["stages"].values():
        for kind in ("deps", "outs"):
            pick.shuffle(stage.get(kind, []))
    dumper = YAML(typ="safe", pure=True)
    dumper.default_flow_style = pick.choice([True, False])
    with (made.folder / "dvc.lock").open("w", encoding="utf-8") as stream:
        dumper.dump(content, stream)
    return str(dumper.default_flow_style)


def lock_edited(made: Made, pick: random.Random) -> str:
    from ruamel.yaml import YAML

    content = YAML(typ="safe", pure=True).load(made.read("dvc.lock"))
    stage = content["stages"][pick.choice(sorted(content["stages"]))]
    said = pick.choice(
        ["hash of a dependency", "no dependency", "no parameters", "one parameter less", "a size", "another path", "a command"]
    )
    if said == "hash of a dependency" and stage.get("deps"):
        stage["deps"][0]["md5"] = "0" * 32
    elif said == "no dependency":
        stage.pop("deps", None)
    elif said == "no parameters":
        stage.pop("params", None)
    elif said == "one parameter less" and stage.get("params"):
        values = next(iter(stage["params"].values()))
        if values:
            values.pop(next(iter(values)))
    elif said == "a size" and stage.get("deps"):
        stage["deps"][0]["size"] = 1
    elif said == "another path" and stage.get("deps"):
        stage["deps"][0]["path"] = "./" + stage["deps"][0]["path"]
    elif said == "a command":
        stage["cmd"] = [stage["cmd"]] if isinstance(stage["cmd"], str) else " && ".join(stage["cmd"])
    with (made.folder / "dvc.lock").open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(content, stream)
    return said


def command(made: Made, pick: random.Random) -> str:
    name, body = _some_body(made, pick)
    before = body["cmd"]
    body["cmd"] = pick.choice(
        [
            f"{before} ",
            f"  {before}",
            ["echo", before] if isinstance(before, str) else before[:1],
            f"{before}\n" if isinstance(before, str) else "true",
        ]
    )
    made.dump()
    after, body["cmd"] = body["cmd"], before
    return f"{name} {after!r}"


def frozen(made: Made, pick: random.Random) -> str:
    name, body = _some_body(made, pick)
    before = dict(body)
    body["frozen"] = not body.get("frozen")
    edited = edit(made, pick)
    made.dump()
    _put_back(body, before)
    return f"{name} and {edited}"


def described(made: Made, pick: random.Random) -> str:
    name, body = _some_body(made, pick)
    before = dict(body)
    body |= {"desc": "otherwise", "meta": {"x": [1, {"2024": "y"}]}}
    made.dump()
    _put_back(body, before)
    return name


def declared(made: Made, pick: random.Random) -> str:
    """Dependencies and outputs more or less, or in another order."""
    name, body = _some_body(made, pick)
    before = json.loads(json.dumps(body))
    said = pick.choice(
        ["dependency more", "dependency less", "parameter more", "parameters less", "order", "whole", "written otherwise"]
    )
    if said == "dependency more":
        body["deps"] = [*body["deps"], posixpath.join(_up(body), "conf/own.yaml")]
    elif said == "dependency less":
        body["deps"] = body["deps"][1:]
    elif said == "parameter more":
        body["params"] = [*body.get("params", []), {posixpath.join(_up(body), "conf/own.yaml"): ["own"]}]
    elif said == "parameters less":
        body.pop("params", None)
    elif said == "order":
        body["deps"] = body["deps"][::-1]
        body["params"] = body.get("params", [])[::-1]
    elif said == "whole" and body.get("params"):
        body["params"] = [*body["params"], {posixpath.join(_up(body), "conf/p.toml"): None}]
    elif said == "written otherwise":
        body["deps"] = ["./" + body["deps"][0], *body["deps"][1:]]
    made.dump()
    _put_back(body, before)
    return f"{name} {said}"


def _up(body: dict[str, Any]) -> str:
    wdir = {"${where}": "sub"}.get(body.get("wdir", ""), body.get("wdir", ""))
    return "/".join([".."] * len(wdir.split("/"))) if wdir else ""


def unrelated(made: Made, pick: random.Random) -> str:
    made.stages["unrelated"] = {"cmd": "echo", "deps": [made.sources[0]], "outs": ["unrelated.txt"]}
    made.dump()
    made.stages.pop("unrelated")
    return ""


def renamed(made: Made, pick: random.Random) -> str:
    name = pick.choice(sorted(made.stages))
    before, made.stages = made.stages, {f"{key}x" if key == name else key: body for key, body in made.stages.items()}
    made.dump()
    made.stages = before
    return name


def variables(made: Made, pick: random.Random) -> str:
    file, old, new = pick.choice([
        ("conf/vars.json", '"n": 1', '"n": 2'), ("conf/vars.json", '["p", "q"]', '["p", "q", "r"]'), ("conf/vars.json", "true", "false"),
        ("conf/vars.toml", "1.50", "1.5"), ("conf/vars.toml", "tee", "tea"), ("conf/vars.py", "VP = 3", "VP = 4"), ("conf/vars.py", "0.5", "0.25"),
        ("conf/vars.yaml", "size: 1", "size: 3"), ("conf/vars.yaml", "only: 1", "only: 2"), ("conf/vars.yaml", "not_this: 2", "not_this: 3"),
        ("conf/vars.yaml", "[1, two, 3.0]", "[1, two, 3]"), ("conf/vars.yaml", "blue", "green"),
    ])  # fmt: skip
    made.write(file, made.read(file).replace(old, new))
    return f"{file} {old} -> {new}"


def data(made: Made, pick: random.Random) -> str:
    """Data that is changed and added again."""
    if not made.tracked:
        return "none"
    from dvc.repo import Repo

    name = pick.choice(made.tracked)
    place = made.folder / name
    inside = place if place.is_file() else place / pick.choice(["1.png", "two/2.png", "three.png"])
    text = inside.read_bytes() if inside.exists() else b""
    with suppress(FileNotFoundError):
        inside.unlink()  # it may be a link into the cache
    inside.write_bytes(text + b"more")
    with quiet(), Repo(str(made.folder)) as repo:
        repo.add(str(place))
    return str(inside.relative_to(made.folder))


def ignored(made: Made, pick: random.Random) -> str:
    file = pick.choice([".dvcignore", "nest/../.dvcignore", "more data/.dvcignore"])
    text = pick.choice(
        [
            "*.log\n",
            "deep/\n",
            "deep\n!deep/c.txt\n",
            "*\n!*.txt\n!*/\n",
            "a.txt\n",
            "/a.txt\n",
            "ä/\n",
            "**/e.txt\n",
            "*.txt\n",
            "in.txt\nconf/p.toml\n",
            "sub/\n",
        ]
    )
    if not (made.folder / file).parent.is_dir():
        file = ".dvcignore"
    made.write(file, text)
    return f"{file} {text!r}"


def metrics(made: Made, pick: random.Random) -> str:
    if not made.uncached:
        return "none"
    name = pick.choice(made.uncached)
    place = made.folder / name
    if not place.exists():
        return "none"
    place.unlink()
    if pick.random() < 0.7:
        made.write(name, "by hand\n")
    return name


def parsing(made: Made, pick: random.Random) -> str:
    text = pick.choice(
        ["[parsing]\n    bool = boolean_optional\n", "[parsing]\n    list = append\n", "[core]\n    analytics = false\n"]
    )
    made.write(".dvc/config", text)
    return text


def relinked(made: Made, pick: random.Random) -> str:
    link = made.folder / pick.choice(["link.txt", "linked"])
    if not link.is_symlink():
        return "none"
    target = os.readlink(link)
    link.unlink()
    if link.name == "link.txt":
        shutil.copyfile(made.folder / target, link)
    elif pick.random() < 0.5:
        link.symlink_to("conf/own.yaml")
    return link.name


def nothing(made: Made, pick: random.Random) -> str:
    return ""


def _some_body(made: Made, pick: random.Random) -> tuple[str, dict[str, Any]]:
    name = pick.choice(sorted(made.stages))
    body = made.stages[name]
    return name, body.get("do") or body


def _put_back(body: dict[str, Any], before: dict[str, Any]) -> None:
    body.clear()
    body.update(before)


CHANGES: dict[str, Callable[[Made, random.Random], str]] = {
    function.__name__: function
    for function in (
        edit, crlf, delete, add, move, parameter, no_parameter, deep_parameter, no_file_of_parameters, comments, reformatted, reordered,
        lock_reformatted, lock_edited, command, frozen, described, declared, unrelated, renamed, variables, data, ignored, metrics, parsing,
        relinked, nothing,
    )
}  # fmt: skip
