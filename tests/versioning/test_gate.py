"""What the gate must never hinder, and where it must still hold."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import MODEL, SIDECAR, Project, shell_environment
from .test_histories import clone

SHIMS = Path(__file__).resolve().parents[2] / "{{cookiecutter.__project_slug}}/versioning/shims"
HOOKS = ("pre-commit", "reference-transaction", "pre-push", "post-checkout", "post-merge", "post-rewrite")
CURE = "python3 -m versioning setup"


def lie(project: Project, tag: str = "v9.9.9") -> None:
    """A release tag that is not true, made past the hooks and sent past them to an origin without a gate."""
    origin = Path(project.git("remote", "get-url", "origin"))
    project.git("-c", "core.hooksPath=/dev/null", "tag", "-a", tag, "-m", tag)
    (origin / "hooks/pre-receive").unlink()
    project.git("push", "--quiet", "--no-verify", "origin", tag)


def quiet(output: str) -> None:
    assert "model-gate" not in output and "rror" not in output, output


def test_branches_tags_notes_and_stash(released: Project) -> None:
    released.git("branch", "v9.9.9")
    released.git("branch", "-m", "v9.9.9", "v9.9.8")
    released.git("branch", "-D", "v9.9.8")
    released.git("tag", "ordinary")
    released.git("tag", "-a", "-f", "ordinary", "-m", "Moved", "HEAD~")
    released.git("tag", "-d", "ordinary")
    released.git("notes", "add", "-m", "A note")
    released.git("update-ref", "refs/custom/v9.9.9", "HEAD")
    released.write("README.md", "In progress.\n")
    released.git("stash")
    released.git("stash", "pop")
    assert released.read("README.md") == "In progress.\n"
    assert "model-gate" not in released.story
    assert released.git("for-each-ref", "--format=%(refname)", "refs/tags", "refs/notes", "refs/custom").split() == [
        "refs/custom/v9.9.9", "refs/notes/commits", "refs/tags/v0.1.0",
    ]  # fmt: skip


def test_a_tag_on_what_is_no_commit(released: Project) -> None:
    released.git("tag", "a-tree", "HEAD^{tree}")
    released.git("tag", "a-file", f"HEAD:{SIDECAR}")
    assert released.tags() == ["a-file", "a-tree", "v0.1.0"]


def test_worktrees_and_submodules(released: Project) -> None:
    other = released.path.parent / "library"
    released.ok("git", "init", "-q", "-b", "main", str(other))
    released.ok("git", "commit", "-q", "--allow-empty", "-m", "Start", cwd=other)
    released.ok("git", "tag", "v1", cwd=other)
    released.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "library")
    released.git("commit", "-q", "-m", "A library")
    released.git("-c", "protocol.file.allow=always", "submodule", "update", "--init", "--remote")
    beside = released.path.parent / "beside"
    released.git("worktree", "add", "-q", str(beside))
    assert "VE02" in released.refused("git", "tag", "v0.2.0", cwd=beside)
    released.git("worktree", "remove", str(beside))
    released.model("release", "patch")  # a submodule in the tree is no reason to refuse
    assert released.tags() == ["v0.1.0", "v0.1.1"]


@pytest.mark.parametrize(
    "command", ["gc --quiet --prune=now", "pack-refs --all", "maintenance run --task=pack-refs", "repack -adq"]
)
def test_what_rewrites_the_store_of_refs(released: Project, command: str) -> None:
    lie(released)
    released.git("branch", "side")
    before = released.git("for-each-ref")
    done = released.run("git", *command.split())
    assert done.status == 0 or "maintenance" in command, done.output  # an older git has no such task
    assert "model-gate" not in done.output
    assert released.git("for-each-ref") == before
    released.git("pack-refs", "--all", "--no-prune")
    assert released.git("for-each-ref") == before


@pytest.mark.parametrize(
    "command",
    [
        "fetch", "fetch --tags origin", "fetch --all", "-c x.y=z fetch --tags", "-C . fetch --tags", "pull",
        "pull --rebase --tags", "remote update", "fetch origin refs/tags/v9.9.9:refs/tags/v9.9.9",
    ],
)  # fmt: skip
def test_a_bad_release_is_fetched_and_then_named(released: Project, command: str) -> None:
    colleague = clone(released, "colleague")
    lie(released)
    quiet(colleague.git(*command.split()))
    if command in ("fetch --all", "remote update", "fetch", "pull"):
        colleague.git("fetch", "--quiet", "--tags")
    assert colleague.tags() == ["v0.1.0", "v9.9.9"]
    doctor = colleague.refused("python3", "-m", "versioning", "doctor")
    assert "v9.9.9 is not true: VE02 says v0.1.0, the tag says v9.9.9" in doctor and "v0.1.0 is not" not in doctor
    check = colleague.refused("python3", "-m", "versioning", "check", "--all-releases")
    assert "VE02 says v0.1.0, the tag says v9.9.9" in check and "not checked here: AR03, AR05" in check
    colleague.git("remote", "set-url", "origin", "/nowhere/at/all")
    assert "VE07" in colleague.refused("git", "tag", "-d", "v9.9.9"), "what was fetched is known to be held"


def test_a_bad_release_is_cloned(released: Project) -> None:
    lie(released)
    colleague = clone(released, "colleague")
    assert colleague.tags() == ["v0.1.0", "v9.9.9"]


def test_tags_that_were_deleted_elsewhere_are_pruned(released: Project) -> None:
    colleague = clone(released, "colleague")
    lie(released)
    colleague.git("fetch", "--quiet", "--tags")
    colleague.git("pack-refs", "--all")
    released.git("-c", "core.hooksPath=/dev/null", "push", "--quiet", "--delete", "origin", "v9.9.9")
    quiet(colleague.git("fetch", "--prune", "--prune-tags"))
    assert colleague.tags() == ["v0.1.0"]


def test_a_moved_release_is_fetched_by_force(released: Project) -> None:
    colleague = clone(released, "colleague")
    lie(released, "v0.0.1")
    colleague.git("fetch", "--quiet", "--tags")
    released.git("-c", "core.hooksPath=/dev/null", "tag", "-f", "v0.0.1", "HEAD~")
    released.git("-c", "core.hooksPath=/dev/null", "push", "--quiet", "--force", "origin", "v0.0.1")
    colleague.git("fetch", "--tags", "--force")
    assert colleague.git("rev-parse", "v0.0.1") == released.git("rev-parse", "HEAD~")


def test_rebase_cherry_pick_and_bisect(released: Project) -> None:
    released.git("switch", "-q", "-c", "side")
    for name in ("one", "two", "three"):
        released.write(f"{name}.md", name)
        released.commit(name)
    released.git("switch", "-q", "main")
    released.write("README.md", "Meanwhile.\n")
    released.commit("Meanwhile")
    released.git("cherry-pick", "side~2")
    released.git("rebase", "-q", "main", "side")
    assert released.git("log", "-3", "--format=%s").split("\n") == ["three", "two", "one"]
    released.git("bisect", "start", "side", "v0.1.0")
    released.git("bisect", "run", "test", "!", "-e", "two.md")
    assert "two" in released.git("bisect", "log")
    released.git("bisect", "reset")
    assert "v0.1.0" in released.tags()


def test_without_the_environment_only_releases_wait(released: Project) -> None:
    released.model("release", "patch")
    (released.path / ".venv").unlink()
    released.write("README.md", "Another.\n")
    released.git("add", "-A")
    said = released.ok("git", "commit", "-q", "-m", "Go on")
    assert said.splitlines() == [f"model-gate: not checked, the environment is missing: {CURE}"]
    released.git("tag", "ordinary")
    released.git("switch", "-q", "-c", "side")
    released.git("switch", "-q", "main")
    quiet(released.git("push", "--quiet", "origin", "main", "side"))
    for command in (("tag", "v0.2.0"), ("tag", "-d", "v0.1.1"), ("push", "origin", "v0.1.1")):
        output = released.refused("git", *command)
        assert f"the environment with the rules' Python is missing: {CURE}" in output and "Traceback" not in output
    assert released.tags() == ["ordinary", "v0.1.0", "v0.1.1"]
    quiet(released.git("gc", "--quiet"))
    lie(released)
    released.git("-c", "core.hooksPath=/dev/null", "tag", "-d", "v9.9.9")
    for command in (("fetch", "--tags"), ("-c", "x.y=z", "fetch", "--tags"), ("pull", "--tags")):
        quiet(released.git(*command))
        assert "v9.9.9" in released.tags()
        released.git("-c", "core.hooksPath=/dev/null", "tag", "-d", "v9.9.9")


def test_without_the_rules_releases_wait(released: Project) -> None:
    shutil.rmtree(released.path / ".git/model-gate")
    assert f"its rules are missing here: {CURE}" in released.refused("git", "tag", "v0.2.0")
    released.git("tag", "ordinary")
    released.git("switch", "-q", "--detach", "HEAD~")
    released.git("switch", "-q", "main")


def test_caches_of_python_make_nothing_dirty(released: Project) -> None:
    environment = {name: value for name, value in released.environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    used = Project(released.path, environment)
    used.ok(sys.executable, "-c", f"import src.{MODEL.replace('-', '_')}.train, versioning.cli")
    used.model("check")
    assert list((used.path / "versioning").glob("**/*.pyc")) and list((used.path / "src").glob("**/*.pyc"))
    assert used.git("status", "--porcelain") == ""
    assert "up to date" in used.dvc("status")
    used.model("release", "patch")


def test_a_moved_repository_goes_on(released: Project, home: Path) -> None:
    folder = released.path.parent / "été # 2026"
    folder.mkdir()
    for name in (MODEL, f"{MODEL}-storage"):
        shutil.move(released.path.with_name(name), folder / name)
    path = folder / MODEL
    moved = Project(path, shell_environment(home, path))
    assert "VE02" in moved.refused("git", "tag", "v0.2.0"), "the hooks are found before anything is mended"
    moved.git("remote", "set-url", "origin", str(path.with_name(f"{MODEL}-storage") / "git"))
    moved.ok("python3", "-m", "versioning", "setup", "--no-install")
    assert "model-gate" not in moved.git("commit", "-q", "--allow-empty", "-m", "Moved")
    moved.model("release", "patch")
    moved.git("push", "--quiet", "--follow-tags")
    moved.assert_released("v0.1.1")
    assert not released.path.exists()


def stranger(project: Project, name: str, status: int = 0) -> Path:
    """A hook of somebody else, which tells what it was given."""
    hook = project.path / ".git/hooks" / name
    hook.write_text(
        f'#!/bin/sh\necho "STRANGER {name} $*" >>"$PWD/.git/stranger"\ncat >>"$PWD/.git/stranger"\nexit {status}\n', "utf-8"
    )
    hook.chmod(0o755)
    return hook


def test_a_stranger_s_hooks_are_kept_and_run_and_put_back(released: Project) -> None:
    before = {name: stranger(released, name).read_bytes() for name in HOOKS}
    heard = released.path / ".git/stranger"
    installed = []
    for _ in range(2):
        released.model("hooks", "install")
        installed.append({path.name: path.read_bytes() for path in (released.path / ".git/hooks").iterdir() if path.is_file()})
    assert installed[0] == installed[1]
    released.write("README.md", "Another.\n")
    released.git("add", "-A")
    released.git("commit", "-q", "-m", "Another")
    released.git("switch", "-q", "-c", "side", "HEAD~")
    released.git("commit", "-q", "--allow-empty", "-m", "Aside")
    released.git("rebase", "-q", "main")
    released.git("switch", "-q", "main")
    released.git("merge", "-q", "side")
    released.git("push", "--quiet", "origin", "main")
    text = heard.read_text("utf-8")
    for name in HOOKS:
        assert f"STRANGER {name}" in text, text
    main = released.git("rev-parse", "main")
    assert re.search(rf"STRANGER pre-push origin .*\nrefs/heads/main {main} refs/heads/main [0-9a-f]{{40}}\n", text), text
    assert re.search(r"STRANGER reference-transaction (prepared|committed)\n[0-9a-f]{40} [0-9a-f]{40} \S+\n", text), text
    assert re.search(r"STRANGER post-rewrite rebase\n[0-9a-f]{40} [0-9a-f]{40}\n", text), text
    assert "VE02" in released.refused("git", "tag", "v0.2.0"), "ours runs after theirs"
    released.model("hooks", "uninstall")
    released.model("hooks", "uninstall")
    assert {name: (released.path / ".git/hooks" / name).read_bytes() for name in HOOKS} == before
    assert not list((released.path / ".git/hooks").glob("*.before-model-gate"))
    released.git("tag", "v0.2.0")


@pytest.mark.parametrize("name", ["pre-commit", "reference-transaction", "pre-push"])
def test_a_stranger_s_refusal_counts(released: Project, name: str) -> None:
    stranger(released, name, status=1)
    released.model("hooks", "install")
    released.write("README.md", "Another.\n")
    released.run("git", "add", "-A")
    push = ("push", "origin", "HEAD:refs/heads/side")
    released.refused("git", *(push if name == "pre-push" else ("commit", "-m", "Another")))


def test_pre_commit_s_own_hook_is_replaced_and_not_run_twice(released: Project) -> None:
    released.ok("pre-commit", "install", "-f")
    released.model("hooks", "install")
    assert "# model-gate:" in (released.path / ".git/hooks/pre-commit").read_text("utf-8")
    assert not list((released.path / ".git/hooks").glob("*.before-model-gate"))


def test_uninstalled_hooks_guard_nothing(released: Project) -> None:
    released.model("hooks", "uninstall")
    released.git("tag", "v9.9.9")
    assert not (released.path / ".git/model-gate").exists()
    assert "not installed: " in released.refused("python3", "-m", "versioning", "doctor")


def test_a_global_hooks_path_is_respected_and_said(released: Project) -> None:
    folder = released.path.parent / "my hooks"
    folder.mkdir()
    released.git("config", "--global", "core.hooksPath", str(folder))
    done = released.run("python3", "-m", "versioning", "setup", "--no-install")
    assert f"core.hooksPath is {folder}, so Git does not run the hooks of this repository" in done.output
    assert not list(folder.iterdir())
    doctor = released.refused("python3", "-m", "versioning", "doctor")
    assert f"core.hooksPath is {folder}" in doctor
    (cure,) = re.findall(r"git config core.hooksPath \S+", done.output)
    assert cure in doctor.replace("'", "")
    assert released.sh(cure).status == 0
    assert "VE02" in released.refused("git", "tag", "v9.9.9")


def test_an_old_checkout_is_judged_by_the_installed_rules(released: Project) -> None:
    released.git("checkout", "-q", "--orphan", "old")
    released.git("rm", "-rfq", ".")
    released.write("README.md", "Before there was a pipeline.\n")
    released.git("add", "README.md")
    released.git("commit", "-q", "-m", "Old")
    assert not (released.path / "versioning").is_dir() or not list((released.path / "versioning").glob("*.py"))
    assert "SC03" in released.refused("git", "tag", "v9.9.9")
    released.git("tag", "ordinary")
    released.git("checkout", "-q", "main")
    assert released.git("status", "--porcelain") == ""


def test_from_a_folder_further_down(released: Project) -> None:
    below = released.path / "src"
    assert "VE02" in released.refused("git", "tag", "v0.2.0", cwd=below)
    released.ok("git", "tag", "ordinary", cwd=below)
    released.edit_sidecar(lambda it: it.update(stage="prod"))
    assert "ST01" in released.refused("git", "commit", "-am", "Lie", cwd=below)
    released.git("checkout", "-q", "--", SIDECAR)
    released.ok("git", "commit", "-q", "--allow-empty", "-m", "Empty", cwd=below)
    released.git("-c", "core.hooksPath=/dev/null", "tag", "v9.9.9")
    assert "VE02" in released.refused("git", "push", "origin", "v9.9.9", cwd=below)


def test_from_elsewhere_by_git_dir(released: Project) -> None:
    outside = released.path.parent
    options = (f"--git-dir={released.path / '.git'}", f"--work-tree={released.path}")
    assert "VE02" in released.refused("git", *options, "tag", "v0.2.0", cwd=outside)
    assert "VE02" in released.refused("git", options[0], "tag", "v0.2.0", cwd=outside)
    assert "VE02" in released.refused("git", "-C", str(released.path), "tag", "v0.2.0", cwd=outside)


def test_a_program_with_a_bare_path(project: Project) -> None:
    """An IDE or a graphical client knows nothing of the activated environment."""
    bare = Project(project.path, {**project.environment, "PATH": "/usr/bin:/bin"})
    bare.edit_sidecar(lambda it: it.update(stage="prod"))
    bare.git("add", "-A")
    assert "ST01" in bare.refused("git", "commit", "-m", "Lie")
    bare.edit_sidecar(lambda it: it.update(stage="staging", extra={}))
    bare.git("commit", "-q", "-a", "-m", "True")
    assert "VE02" in bare.refused("git", "tag", "v0.2.0")
    bare.tag("v0.1.0")
    bare.git("push", "--quiet", "--follow-tags")
    bare.assert_released("v0.1.0")


@pytest.mark.parametrize("shim", sorted(path.name for path in SHIMS.iterdir()))
@pytest.mark.parametrize("shell", [["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"]], ids=" ".join)
def test_the_shims_are_posix(shim: str, shell: list[str]) -> None:
    program = shutil.which(shell[0]) or "/bin/sh"  # where a shell is not there, the system's own stands in
    options = shell[1:] if program.endswith(shell[0]) else []
    done = subprocess.run([program, *options, "-n", str(SHIMS / shim)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    text = (SHIMS / shim).read_text("utf-8")
    assert text.startswith("#!/bin/sh\n") and "\r" not in text
    assert not re.search(r"\[\[|\bfunction\b|<<<|<\(|\bsource\b|\$'|&>", text)


def test_the_shims_run_no_program_for_an_ordinary_ref(released: Project) -> None:
    """The hook runs for every ref of every fetch: it starts nothing, not even `cat`."""
    hook = released.path / ".git/hooks/reference-transaction"
    line = f"{'0' * 40} {'1' * 40} refs/tags/ordinary\n{'0' * 40} {'1' * 40} refs/heads/v1.0.0\n"
    environment = {"PATH": "/nowhere", "HOME": os.devnull}
    done = subprocess.run([str(hook), "prepared"], input=line, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("asker", "asked"),
    [
        (("git", "fetch"), False), (("/usr/bin/git", "fetch", "origin"), False), (("/usr/lib/git-core/git", "fetch"), False),
        (("/opt/git/libexec/git-core/git", "pack-refs", "--all"), False), (("git-receive-pack", "x.git"), False),
        (("/usr/libexec/git-core/git-fetch", "x"), False),
        (("git", "gc"), False), (("git", "tag", "-a", "v1.0.0", "-m", "fetch"), True), (("git", "tag", "fetch"), True),
        (("/usr/bin/git", "tag", "-mx/git-core/git", "fetch"), True), (("/usr/bin/git", "tag", "-mx/git", "fetch"), True),
        (("git", "update-ref", "refs/tags/v1.0.0"), True), (("/srv/gituser/git-core/git", "tag"), True), (("sh", "fetch"), True),
    ],
)  # fmt: skip
def test_only_what_hands_refs_on_is_let_through_unasked(tmp_path: Path, asker: tuple[str, ...], asked: bool) -> None:
    """The shim reads its parent's command line; here a parent is dressed up as each git."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    hook = shutil.copy(SHIMS / "reference-transaction", tmp_path / ".git/hooks/reference-transaction")
    (tmp_path / ".git/model-gate").mkdir()
    (tmp_path / ".git/model-gate/run").write_text("echo asked\n", "utf-8")
    # A shell that goes by git's name, and runs the file that is called like the subcommand.
    script = f"sh {shlex.quote(str(hook))} prepared <<INPUT\n{'0' * 40} {'1' * 40} refs/tags/v1.0.0\nINPUT\n"
    (tmp_path / asker[1]).write_text(script, "utf-8")
    done = subprocess.run(asker, executable="/bin/sh", cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("asked" in done.stdout) is asked, done.stdout
    held = tmp_path / ".git/model-gate/held"
    assert held.exists() is (not asked and "fetch" in "".join(asker))
