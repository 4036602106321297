"""A generated repository is complete when cookiecutter returns, whatever the machine lacks."""

from __future__ import annotations

import configparser
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, TEMPLATE, Generate, Generated, git, run_cookiecutter
from versioning import clouds

SERVICE_FILES = {
    "github": {".github/workflows/release.yml", "infra/github-ruleset.json"},
    "gitlab": {".gitlab-ci.yml", "infra/gitlab-protected-tag.json"},
    "jenkins": {"Jenkinsfile"},
}
# All of a generated repository but `versioning/`, which is copied as it is.
FILES = """
.dvc/.gitignore
.dvc/config
.dvcignore
.gitattributes
.gitignore
.pre-commit-config.yaml
README.md
data/.gitignore
data/raw/.gitignore
data/raw/LICENSE-telco-customer-churn.txt
data/raw/README.md
data/raw/telco-customer-churn.csv.dvc
dvc.yaml
infra/README.md
models/.gitignore
notebooks/explore.ipynb
params.yaml
pyproject.toml
reports/.gitignore
requirements-dev.lock
requirements.lock
src/customer_churn/evaluate.py
src/customer_churn/featurize.py
src/customer_churn/predict.py
src/customer_churn/prepare.py
src/customer_churn/train.py
tests/test_pipeline.py
versioning.yaml
""".split()
NEXT = [
    "cd customer-churn",
    "python3 -m versioning setup",
    ". .venv/bin/activate",
    "dvc repro",
    'git add -A && git commit -m "Train"',
    'git tag -a v0.1.0 -m "First release"',
    "git push --follow-tags",
]


@pytest.mark.parametrize("ci", SERVICE_FILES)
def test_repository_holds_exactly_these_files(generate: Generate, ci: str) -> None:
    made = generate(ci=ci)
    expected = {*FILES, *SERVICE_FILES[ci], *versioning_files()}
    assert set(made.git("ls-files").splitlines()) == expected
    on_disk = {
        path.relative_to(made.project).as_posix()
        for path in made.project.rglob("*")
        if path.is_file() and not path.is_relative_to(made.project / ".git")
    }
    unversioned = {path for path in on_disk - expected if not path.startswith((".dvc/", "versioning/"))}
    assert unversioned == {"data/raw/telco-customer-churn.csv"}


def test_no_template_syntax_is_left(sample: Generated) -> None:
    for name in sample.git("ls-files").splitlines():
        text = (sample.project / name).read_text(encoding="utf-8")
        if not name.startswith("versioning/"):
            assert "cookiecutter" not in text, name
            assert "{{" not in text.replace("${{", ""), name
            assert "{%" not in text, name
        if name.endswith((".yaml", ".yml", ".py", ".md", ".toml", "config", "ignore")):
            assert text.endswith("\n") and not text.startswith("\n"), name


def test_everything_is_committed_and_pushed(sample: Generated) -> None:
    assert sample.git("status", "--porcelain") == ""
    assert sample.git("log", "--format=%an <%ae> %s") == "Ada Lovelace <ada@example.org> Start Customer Churn from the template"
    assert sample.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert sample.git("rev-parse", "--abbrev-ref", "main@{upstream}") == "origin/main"
    bare = sample.storage / "git"
    assert git(bare, "rev-parse", "main") == sample.git("rev-parse", "HEAD")
    assert git(bare, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(bare, "rev-parse", "--is-bare-repository") == "true"
    assert git(bare, "config", "--local", "core.hooksPath") == "hooks"
    assert sorted(path.name for path in sample.storage.iterdir()) == ["dvc", "git", "releases"]


def test_output_ends_with_what_to_type_next(sample: Generated) -> None:
    assert sample.output.endswith("Next:\n" + "".join(f"  {command}\n" for command in NEXT))
    assert "Left to do:" not in sample.output


def test_dvc_finds_nothing_to_do(generate: Generate) -> None:
    project = generate().project
    assert dvc(project, "status", "data/raw/telco-customer-churn.csv.dvc") == "Data and pipelines are up to date.\n"
    assert dvc(project, "status", "--cloud", "data/raw/telco-customer-churn.csv.dvc") == (
        "Cache and remote 'storage' are in sync.\n"
    )
    dvc(project, "add", "data/raw/telco-customer-churn.csv")
    assert git(project, "status", "--porcelain") == ""


def test_data_comes_back_from_the_storage(generate: Generate) -> None:
    project = generate().project
    data = project / "data/raw/telco-customer-churn.csv"
    before = data.read_bytes()
    data.unlink()
    shutil.rmtree(project / ".dvc/cache")
    dvc(project, "pull", "data/raw/telco-customer-churn.csv.dvc")
    assert data.read_bytes() == before == (ROOT / TEMPLATE / "data/raw" / data.name).read_bytes()


def test_dvc_config_names_no_machine(sample: Generated) -> None:
    config = configparser.ConfigParser()
    config.read(sample.project / ".dvc/config")
    assert {name: dict(config[name]) for name in config.sections()} == {"core": {"analytics": "false", "remote": "storage"}}
    local = (sample.project / ".dvc/config.local").read_text(encoding="utf-8")
    assert str(sample.storage / "dvc") in local


@pytest.mark.parametrize("scheme", ["s3", "gs", "azure"])
def test_cloud_storage(generate: Generate, scheme: str) -> None:
    made = generate(storage_url=f"{scheme}://bucket/path")
    assert [path.name for path in made.folder.iterdir()] == ["customer-churn"]
    config = configparser.ConfigParser()
    config.read(made.project / ".dvc/config")
    assert config["'remote \"storage\"'"]["url"] == f"{scheme}://bucket/path/dvc"
    assert config["core"]["remote"] == "storage"
    shipped = (ROOT / TEMPLATE / "requirements-dev.lock").read_text("utf-8")
    lock = (made.project / "requirements-dev.lock").read_text("utf-8")
    assert lock.startswith(shipped) and f"\ndvc-{scheme}==" in lock.removeprefix(shipped)
    assert lock == clouds.with_pins(shipped, [scheme])
    assert f'"dvc[{scheme}]>=3.67"' in (made.project / "pyproject.toml").read_text(encoding="utf-8")
    assert made.git("remote") == ""
    assert made.git("status", "--porcelain") == ""
    commands = [line.strip() for line in made.output.partition("\nNext:\n")[2].splitlines()]
    assert commands[3].startswith("git remote add origin ")
    assert commands[4:6] == ["git push -u origin main", "dvc push"]
    assert commands[:3] + commands[6:] == NEXT


@pytest.mark.parametrize("folder", ["with space and é", "ünï 'quoted'", "a;b # c, d"])
def test_any_folder_will_do(generate: Generate, tmp_path: Path, folder: str) -> None:
    made = generate(folder=tmp_path / folder)
    assert made.git("status", "--porcelain") == ""
    assert git(made.storage / "git", "rev-parse", "main") == made.git("rev-parse", "HEAD")
    assert "in sync" in dvc(made.project, "status", "--cloud", "data/raw/telco-customer-churn.csv.dvc")


def test_without_identity_the_commit_is_left(generate: Generate, home: Path) -> None:
    (home / ".gitconfig").write_text("")
    made = generate()
    assert made.output.count("git does not know who you are") == 1
    assert made.git("diff", "--cached", "--name-only").splitlines() == made.git("ls-files").splitlines()
    left = next(line for line in made.output.splitlines() if "git does not know" in line).partition(": ")[2]
    subprocess.run(["sh", "-ec", left], cwd=made.project, check=True, capture_output=True)
    assert made.git("log", "--format=%an %s") == "Your Name Start Customer Churn from the template"
    assert made.git("status", "--porcelain", "--branch") == "## main...origin/main"


def test_without_dvc_the_repository_is_complete(generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("git", "sh"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(tools))
    made = generate()
    monkeypatch.undo()
    assert "Left to do:" not in made.output
    assert made.git("status", "--porcelain") == ""
    assert "in sync" in dvc(made.project, "status", "--cloud", "data/raw/telco-customer-churn.csv.dvc")


FAIL = "#!/bin/sh\necho refused by a stranger >&2\nexit 1\n"


@pytest.mark.parametrize(
    "setting",
    [
        "[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n",
        "[tag]\n\tgpgSign = true\n[push]\n\tgpgSign = if-asked\n\tdefault = nothing\n",
        "[init]\n\tdefaultBranch = master\n\ttemplateDir = {hooks}/..\n",
        "[core]\n\texcludesFile = {hooks}/../ignore\n",
        "[core]\n\tautocrlf = true\n\tsafecrlf = true\n\tattributesFile = /dev/null\n",
        "[safe]\n\tbareRepository = explicit\n",
        "[commit]\n\ttemplate = /nowhere\n\tverbose = true\n[core]\n\teditor = false\n",
    ],
)
def test_personal_git_settings_break_nothing(generate: Generate, home: Path, setting: str) -> None:
    hooks = home / "stranger/hooks"
    hooks.mkdir(parents=True)
    for name in ("pre-commit", "commit-msg", "prepare-commit-msg", "post-commit", "pre-push", "pre-receive", "update"):
        (hooks / name).write_text(FAIL)
        (hooks / name).chmod(0o755)
    (hooks.parent / "ignore").write_text("*.lock\n*.yaml\nversioning/\n")
    with (home / ".gitconfig").open("a") as stream:
        stream.write(setting.format(hooks=hooks))
    made = generate()
    assert "Left to do:" not in made.output, made.output
    assert git(made.storage / "git", "--git-dir=.", "rev-parse", "refs/heads/main") == made.git("rev-parse", "HEAD")
    assert set(made.git("ls-files").splitlines()) >= {"requirements.lock", "params.yaml", "versioning/__init__.py"}
    assert made.git("status", "--porcelain") == ""


def test_global_hooks_path_is_respected_and_said(generate: Generate, home: Path) -> None:
    hooks = home / "hooks"
    hooks.mkdir()
    (hooks / "commit-msg").write_text(FAIL)
    (hooks / "commit-msg").chmod(0o755)
    with (home / ".gitconfig").open("a") as stream:
        stream.write(f"[core]\n\thooksPath = {hooks}\n")
    made = generate()
    left = made.output.partition("Left to do:\n")[2].partition("\n\n")[0].splitlines()
    assert len(left) == 1 and left[0].startswith(f"  core.hooksPath is {hooks}")
    assert made.git("config", "core.hooksPath") == str(hooks)
    assert made.git("status", "--porcelain", "--branch") == "## main...origin/main"


def test_inside_a_git_hook_the_new_repository_is_meant(
    generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "commit", "-q", "--allow-empty", "-m", "Outer")
    before = git(outer, "for-each-ref")
    monkeypatch.setenv("GIT_DIR", str(outer / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(outer / ".git/index.lock"))
    monkeypatch.setenv("GIT_WORK_TREE", str(outer))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare=true'")
    made = generate(folder=outer)
    monkeypatch.undo()
    assert made.git("status", "--porcelain") == ""
    assert made.git("log", "--format=%s") == "Start Customer Churn from the template"
    assert git(outer, "for-each-ref") == before
    assert git(outer, "config", "--get-regexp", "core.bare") == "core.bare false"


def test_caches_in_the_template_are_not_copied(template: Path, tmp_path: Path) -> None:
    dirty = tmp_path / "dirty"
    shutil.copytree(template, dirty)
    for place in ("versioning", "versioning/checks", "src/{{cookiecutter.__package}}", "tests", ""):
        for cache in ("__pycache__", ".pytest_cache", ".ruff_cache"):
            folder = dirty / TEMPLATE / place / cache
            folder.mkdir()
            (folder / "x.cpython-311.pyc").write_bytes(b"\x00stale")
    command = [sys.executable, "-m", "cookiecutter", str(dirty), "--no-input", "_install=no"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    files = [path for path in (tmp_path / "customer-churn").rglob("*") if path.is_file()]
    assert [path for path in files if path.read_bytes() == b"\x00stale"] == []


def test_over_a_repository_only_files_are_written(generate: Generate) -> None:
    first = generate()
    head = first.git("rev-parse", "HEAD")
    (first.project / "src/customer_churn/train.py").write_text("mine = True\n")
    (first.project / "notes.md").write_text("kept\n")
    again = generate(options=("--overwrite-if-exists",))
    assert "only files were written" in again.output
    assert again.git("rev-parse", "HEAD") == head
    assert again.git("status", "--porcelain") == "?? notes.md"


def test_over_a_repository_own_data_stays_described(generate: Generate, tmp_path: Path) -> None:
    path = tmp_path / "flowers.csv"
    path.write_text("petal,sort\n" + "1.5,a\n2.5,b\n" * 10)
    answers = {"data_csv": str(path), "target": "sort"}
    first = generate(**answers)
    again = generate(options=("--overwrite-if-exists",), **answers)
    assert "only files were written" in again.output
    assert first.git("status", "--porcelain") == ""


def test_folder_of_something_else_is_not_written_over(generate: Generate, tmp_path: Path) -> None:
    folder = tmp_path / "work/customer-churn"
    folder.mkdir(parents=True)
    (folder / "thesis.md").write_text("years of work")
    made = generate(options=("--overwrite-if-exists",))
    assert made.status == 1
    assert made.output.startswith(f"{folder} holds files, and is no repository of this template")
    assert [path.name for path in folder.iterdir()] == ["thesis.md"]
    assert [path.name for path in folder.parent.iterdir()] == ["customer-churn"]


def test_failure_half_way_leaves_nothing_behind(generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrap_git(tmp_path, monkeypatch, "remote", "echo no more disk >&2; exit 1")
    made = generate()
    assert made.status == 1
    assert "git remote add origin" in made.output and ": no more disk\n" in made.output
    assert not any(made.folder.iterdir())


@pytest.mark.parametrize("uv", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_without_network_the_environment_is_left(
    generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uv: bool
) -> None:
    if not uv:
        tools = tmp_path / "bin"
        tools.mkdir()
        for tool in ("git", "sh"):
            (tools / tool).symlink_to(str(shutil.which(tool)))
        monkeypatch.setenv("PATH", str(tools))
    for name, value in {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1", "UV_CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    made = generate(_install="yes")
    left = made.output.partition("\nLeft to do:\n")[2].partition("\n\n")[0].splitlines()
    assert len(left) == 1 and left[0].endswith("python3 -m versioning setup"), made.output
    assert made.git("status", "--porcelain", "--branch") == "## main...origin/main"


def test_failing_push_is_said_and_the_rest_done(generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrap_git(tmp_path, monkeypatch, "push", "echo no more disk >&2; exit 1")
    made = generate()
    assert "Left to do:\n  the first push failed (no more disk): git push -u origin main\n" in made.output
    assert made.git("status", "--porcelain") == ""
    assert made.output.endswith(f"  {NEXT[-1]}\n")


def test_interrupted_generation_leaves_nothing_behind(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = tmp_path / "reached"
    wrap_git(tmp_path, monkeypatch, "push", f"touch '{reached}'; sleep 60")
    folder = tmp_path / "work"
    folder.mkdir()
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input", "_install=no"]
    process = subprocess.Popen(command, cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(reached.exists)
    assert len(list(folder.iterdir())) == 2
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) != 0
    wait_for(lambda: not any(folder.iterdir()))


def wrap_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, script: str) -> None:
    """Put a git on the PATH that does something else for one verb."""
    tools = tmp_path / "bin"
    tools.mkdir()
    real = shutil.which("git")
    wrapper = f'#!/bin/sh\nfor word in "$@"; do [ "$word" = {verb} ] && {{ {script}; }}\ndone\nexec {real} "$@"\n'
    (tools / "git").write_text(wrapper)
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)


def wait_for(condition: object, seconds: float = 30) -> None:
    """Wait until the condition holds."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def versioning_files() -> set[str]:
    """What the package has in the template."""
    package = ROOT / TEMPLATE / "versioning"
    return {
        path.relative_to(package.parent).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def dvc(project: Path, *arguments: str) -> str:
    """Return what dvc prints."""
    done = subprocess.run(["dvc", *arguments], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_leads_to_the_documentation_where_the_template_has_an_address(
    template: Path, tmp_path: Path, home: Path
) -> None:
    """A path of this machine, or an address with somebody's password in it, is none that others could follow."""
    source = tmp_path / "source"
    shutil.copytree(template, source)
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "Template")):
        subprocess.run(["git", *command], cwd=source, check=True)
    settings = home / ".gitconfig"
    texts = []
    for number, address in enumerate(("https://example.org/t.git", "https://ada:word@example.org/t.git", str(source))):
        settings.write_text(f'{settings.read_text("utf-8")}[url "{source.as_uri()}"]\n\tinsteadOf = {address}\n', "utf-8")
        folder = tmp_path / str(number)
        folder.mkdir()
        made = run_cookiecutter(address, folder, (), {})
        texts.append((made.project / "README.md").read_text("utf-8"))
    assert "made from [a template](https://example.org/t.git)" in texts[0]
    assert all("[a template]" not in text and "example.org" not in text for text in texts[1:])
