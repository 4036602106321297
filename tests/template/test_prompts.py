"""Whatever is answered: a valid project, or one line and nothing left behind."""

from __future__ import annotations

import ast
import importlib.util
import json
import keyword
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import configobj
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from template_answers import names
from tests.conftest import ROOT, Generate, Generated

ANSWERS = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
ASKED = [name for name in ANSWERS if not name.startswith("_")]
MODEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")

PROJECT_NAMES = [
    ("Attrition des Clients de Zürich", "attrition-des-clients-de-zurich", "attrition_des_clients_de_zurich"),
    ("../evil", "evil", "evil"),
    ("/etc/passwd", "etc-passwd", "etc_passwd"),
    (".", "model", "model"),
    ("Bob's churn", "bob-s-churn", "bob_s_churn"),
    ('"quoted" \\ back', "quoted-back", "quoted_back"),
    ("two\nlines: [", "two-lines", "two_lines"),
    ("# - & *", "model", "model"),
    ("{{ 7*7 }}", "49", "model_49"),
    ("{{ '{{ x }} {% if %}' }}", "x-if", "x_if"),
    ("2nd try", "2nd-try", "model_2nd_try"),
    ("class", "class", "class_model"),
    ("None", "none", "none_model"),
    ("match", "match", "match_model"),
    ("json", "json", "json_model"),
    ("test", "test", "test_model"),
    ("versioning", "versioning", "versioning_model"),
    ("src", "src", "src_model"),
    ("pandas", "pandas", "pandas_model"),
    ("CON", "con-model", "con_model"),
    ("x" * 200, "x" * 63, "x" * 63),
    ("y" * 62 + " " + "z" * 99, "y" * 62, "y" * 62),
    ("😀", "model", "model"),
    ("😀 churn\x7f", "churn", "churn"),
    ("", "model", "model"),
]


@pytest.mark.parametrize("name", ASKED)
def test_prompt_is_a_human_sentence(name: str) -> None:
    prompt = ANSWERS["__prompts__"][name]
    if isinstance(ANSWERS[name], list):
        assert list(prompt) == ["__prompt__", *ANSWERS[name]]
        prompt = prompt["__prompt__"]
    assert " " in prompt and prompt.endswith(("?", ")"))


@pytest.mark.parametrize(("answer", "folder", "package"), PROJECT_NAMES)
def test_project_name_makes_a_valid_project(generate: Generate, answer: str, folder: str, package: str) -> None:
    made = generate(project_name=answer)
    assert made.status == 0, made.output
    assert sorted(path.name for path in made.folder.iterdir()) == [folder, f"{folder}-storage"]
    assert sorted(path.name for path in (made.project / "src").iterdir()) == [package]
    assert can_be_imported(made.project, f"src.{package}.prepare")
    assert_documents_are_valid(made.project)
    assert policy(made)["model"] == folder
    assert made.git("status", "--porcelain") == ""
    assert made.git("log", "--format=%s").startswith("Start ")


@pytest.mark.parametrize(
    ("answer", "team"),
    [
        ("Équipe Données", "equipe-donnees"),
        ("../../etc", "etc"),
        ("a: [b", "a-b"),
        ('"; rm -rf / #', "rm-rf"),
        ("x\ny: z", "x-y-z"),
        ("{{ 7*7 }}", "49"),
        ("no", "no"),
        ("1e3", "1e3"),
        ("😀", "team"),
        ("t" * 200, "t" * 63),
    ],
)
def test_team_is_a_name(generate: Generate, answer: str, team: str) -> None:
    made = generate(team=answer)
    assert_documents_are_valid(made.project)
    assert policy(made)["team"] == team


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "gs://bucket/é/path",
        "azure://container/a,b#c%20;d=e",
        "s3://bucket/it's",
        's3://bucket/"x"',
        "s3://bucket/'\"x",
        "s3://bucket/{{ 7*7 }}".replace(" ", ""),
    ],
)
def test_storage_url_reaches_dvc_as_it_was_written(generate: Generate, url: str) -> None:
    made = generate(storage_url=f" {url}/ ")
    remote = configobj.ConfigObj(str(made.project / ".dvc/config"), encoding="utf-8")['remote "storage"']
    assert remote["url"] == f"{url}/dvc".replace("{{7*7}}", "49")
    assert_documents_are_valid(made.project)
    assert [path.name for path in made.folder.iterdir()] == ["customer-churn"]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"storage_url": "my-bucket"}, "storage_url: 'my-bucket' is not a bucket"),
        ({"storage_url": "https://example.org/x"}, "is not a bucket"),
        ({"storage_url": "s3://"}, "is not a bucket"),
        ({"storage_url": "s3://bucket/a b"}, "is not a bucket"),
        ({"storage_url": "s3://bucket\n[core]"}, "is not a bucket"),
        ({"storage_url": "s3://bucket/%(here)s"}, "is not a bucket"),
        ({"data_csv": "missing.csv", "target": "y"}, "there is no file"),
        ({"data_csv": "/", "target": "y"}, "there is no file /"),
        ({"target": "gender"}, "target: 'gender' without data_csv"),
    ],
)
def test_impossible_answer_is_refused_in_one_line(generate: Generate, answers: dict[str, str], words: str) -> None:
    assert_refused(generate(**answers), words)


@pytest.mark.parametrize("answer", ["{{", "{% if %}", "{{ nothing_of_this_name }}"])
def test_answer_that_is_no_jinja_leaves_nothing_behind(generate: Generate, answer: str) -> None:
    made = generate(project_name=answer)
    assert made.status == 1
    assert not any(made.folder.iterdir())


@pytest.mark.parametrize("options", [(), ("--output-dir", "out")])
def test_storage_folder_of_another_project_is_refused(generate: Generate, tmp_path: Path, options: tuple[str, ...]) -> None:
    taken = tmp_path / "work" / Path(*options[1:]) / "customer-churn-storage"
    taken.mkdir(parents=True)
    (taken / "release").write_text("of another project")
    made = generate(options=options)
    assert made.status == 1
    assert "customer-churn-storage is there already" in made.output
    assert len(made.output.splitlines()) == 1
    assert [path.name for path in taken.parent.iterdir()] == ["customer-churn-storage"]
    assert (taken / "release").read_text() == "of another project"


def test_storage_folder_is_refused_in_a_replay_too(generate: Generate, tmp_path: Path, template: Path) -> None:
    made = generate()
    project = made.project.rename(tmp_path / "moved")
    command = [sys.executable, "-m", "cookiecutter", str(template), "--replay"]
    again = subprocess.run(command, cwd=made.folder, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "customer-churn-storage is there already" in again.stderr
    assert [path.name for path in made.folder.iterdir()] == ["customer-churn-storage"]
    assert (project / "params.yaml").exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo git version 2.27.0", "git 2.27.0 is too old: 2.28 or newer is needed."),
        ("echo git version 1.8.3.1", "git 1.8.3.1 is too old: 2.28 or newer is needed."),
        ("exit 1", "git does not run here: 2.28 or newer must be on the PATH."),
    ],
)
def test_old_git_is_refused_before_any_question(
    generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    monkeypatch.setenv("PATH", str(executable(tmp_path / "bin/git", script).parent), prepend=os.pathsep)
    made = generate()
    assert made.output.splitlines()[0].startswith(words)
    assert "Traceback" not in made.output
    assert made.status == 1
    assert not any(made.folder.iterdir())


def test_missing_git_is_refused(generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert generate().output.startswith("git does not run here")


@pytest.mark.parametrize("version", ["git version 2.28.0", "git version 2.39.5 (Apple Git-154)", "git version 3.0.0"])
def test_new_git_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    script = executable(tmp_path / "bin/git", f"echo '{version}'")
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)
    assert hook("pre_prompt").complaint() == ""


def test_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    assert hook("pre_prompt").complaint().startswith("Python 3.9 is too old: 3.11 or newer is needed.")


@given(st.text())
def test_slug_of_any_text_is_a_model_name(text: str) -> None:
    slug = names.slug(text, "model")
    assert MODEL.fullmatch(slug) and len(slug) <= 63 + len("-model")


@given(st.text())
def test_package_of_any_text_is_an_identifier(text: str) -> None:
    package = names.package(names.slug(text, "model"))
    assert package.isidentifier() and package.isascii()
    assert not keyword.iskeyword(package) and not keyword.issoftkeyword(package)
    assert package not in sys.stdlib_module_names


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quoted_text_is_the_same_in_every_language(text: str) -> None:
    quoted = names.quoted(text)
    assert json.loads(quoted) == text
    assert ast.literal_eval(quoted) == text
    assert yaml.safe_load(f"key: {quoted}") == {"key": text}
    assert YAML(typ="safe").load(f"key: {quoted}") == {"key": text}
    assert tomllib.loads(f"key = {quoted}") == {"key": text}


def test_quoted_text_survives_a_lone_surrogate() -> None:
    assert yaml.safe_load(names.quoted("caf\udce9")) == "caf?"


def assert_refused(made: Generated, words: str) -> None:
    """Refused in one line that says why, with nothing made."""
    assert made.status == 1, made.output
    assert words in made.output
    assert len(made.output.splitlines()) == 1, made.output
    assert [path.name for path in made.folder.iterdir() if path.suffix != ".csv"] == []


def assert_documents_are_valid(project: Path) -> None:
    """Every YAML file is read alike by both parsers, and the TOML file is read."""
    paths = [path for pattern in ("*.yaml", "*.yml", "data/**/*.dvc") for path in project.glob(pattern)]
    assert len(paths) >= 4
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert yaml.safe_load(text) == YAML(typ="safe").load(text), path
    tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def policy(made: Generated) -> dict[str, object]:
    """Return what versioning.yaml says."""
    content: dict[str, object] = yaml.safe_load((made.project / "versioning.yaml").read_text(encoding="utf-8"))
    return content


def can_be_imported(project: Path, module: str) -> bool:
    """Whether Python finds the module, and finds it here."""
    code = f"import importlib.util as u; print(u.find_spec({module!r}).origin)"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False)
    return done.returncode == 0 and Path(done.stdout.strip()).is_relative_to(project.resolve())


def executable(path: Path, script: str) -> Path:
    """Write a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def hook(name: str) -> ModuleType:
    """Load a hook that has no Jinja in it."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "hooks" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
