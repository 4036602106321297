"""The hooks go on, and hinder nothing, wherever a repository lies, whoever runs Git, and whatever is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .checks.conftest import hints
from .conftest import MODEL, SIDECAR, Project, shell_environment
from .test_gate import CURE, SHIMS, lie, quiet
from .test_histories import clone

UNGUARDED = ("-c", "core.hooksPath=/dev/null")
VE02 = f"{SIDECAR}::$.version: VE02 says v0.1.0, the tag says v9.9.9"


def guards_and_releases(project: Project) -> None:
    """A false commit, tag and push are refused, everything else passes, and a true release arrives."""
    assert VE02 in project.refused("git", "tag", "-a", "v9.9.9", "-m", "v9.9.9")
    project.git(*UNGUARDED, "tag", "v9.9.9")
    assert VE02 in project.refused("git", "push", "origin", "v9.9.9")
    project.git("tag", "-d", "v9.9.9")
    true = project.read(SIDECAR)
    project.edit_sidecar(lambda it: it.update(stage="prod"))
    assert "ST01" in project.refused("git", "commit", "-a", "-m", "Lie")
    project.git("reset", "--quiet")
    project.write(SIDECAR, true)
    project.git("commit", "--quiet", "--allow-empty", "-m", "Empty")
    project.model("release", "patch")
    project.git("push", "--quiet", "--follow-tags", "origin", "HEAD")
    assert "v0.1.1" in project.remote_tags() and "v9.9.9" not in project.remote_tags()


# --- who runs Git ---


@pytest.mark.parametrize("place", ["nowhere", ""])
def test_a_graphical_client_with_a_bare_path_and_an_odd_home(released: Project, place: str) -> None:
    released.git("config", "user.name", "Ada Lovelace")
    released.git("config", "user.email", "ada@example.org")
    kept = {name: value for name, value in released.environment.items() if name.startswith("DVC_") or name == "XDG_CACHE_HOME"}
    bare = Project(released.path, {**kept, "PATH": "/usr/bin:/bin", "HOME": place, "GIT_CONFIG_GLOBAL": os.devnull})
    assert VE02 in bare.refused("git", "tag", "v9.9.9")
    bare.edit_sidecar(lambda it: it.update(stage="prod"))
    assert "ST01" in bare.refused("git", "commit", "-a", "-m", "Lie")
    bare.git("checkout", "--quiet", "--", SIDECAR)
    bare.git("commit", "--quiet", "--allow-empty", "-m", "Empty")
    bare.ok("python3", "-m", "versioning", "release", "patch")
    bare.git("push", "--quiet", "--follow-tags")
    assert "v0.1.1" in bare.remote_tags()


def test_an_ide_that_names_the_repository_in_the_environment(released: Project) -> None:
    """From anywhere, with `GIT_DIR` and `GIT_WORK_TREE`; the repository beside must not be mistaken for it."""
    outside = released.path.parent / "another"
    released.ok("git", "init", "-q", str(outside))
    named = {"GIT_DIR": str(released.path / ".git"), "GIT_WORK_TREE": str(released.path)}
    for variables in (named, {"GIT_DIR": named["GIT_DIR"]}):
        ide = Project(outside, {**released.environment, **variables})
        assert VE02 in ide.refused("git", "tag", "v9.9.9"), ide.story
        ide.git(*UNGUARDED, "tag", "v9.9.9")
        assert VE02 in ide.refused("git", "push", "origin", "v9.9.9"), ide.story
        ide.git("tag", "-d", "v9.9.9")
        ide.git("tag", "ordinary")
        ide.git("tag", "-d", "ordinary")
    released.model("release", "patch")
    ide.git("push", "--quiet", "--follow-tags", "origin", "main")
    released.assert_released("v0.1.1")


def test_a_careful_or_fancy_configuration(released: Project) -> None:
    for name, value in {
        "safe.bareRepository": "explicit", "core.fsmonitor": "true", "core.untrackedCache": "true", "core.quotePath": "false",
        "color.ui": "always", "status.short": "true", "status.showUntrackedFiles": "no", "log.showSignature": "true",
        "core.abbrev": "4", "tag.sort": "-version:refname", "diff.noprefix": "true", "core.autocrlf": "true",
        "fetch.prune": "true", "push.default": "current", "core.commentChar": "auto", "i18n.logOutputEncoding": "latin1",
    }.items():  # fmt: skip
        released.git("config", "--global", name, value)
    guards_and_releases(released)


# --- what is missing ---


def without_environment(project: Project, how: str) -> None:
    """No environment at all, one whose Python is gone, or one that is empty."""
    venv = project.path / ".venv"
    venv.unlink()
    if how == "dangling":
        (venv / "bin").mkdir(parents=True)
        (venv / "bin/python").symlink_to("/nowhere/python3")
    elif how == "empty":
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)


@pytest.mark.parametrize("how", ["deleted", "dangling", "empty"])
def test_without_a_working_environment_only_releases_wait(released: Project, how: str) -> None:
    released.model("release", "patch")
    colleague = clone(released, "colleague")
    lie(released, "v9.9.8")
    released.git(*UNGUARDED, "tag", "-d", "v9.9.8")
    without_environment(released, how)
    released.write("README.md", "Another.\n")
    released.git("add", "-A")
    said = released.ok("git", "commit", "-q", "-m", "Go on")
    assert "model-gate: not checked" in said and said.endswith(CURE) and "Traceback" not in said
    # A word in a message, or an option before the verb, makes no fetch of a tag.
    withdraw = [("tag", "-d", "v0.1.1")] if how != "empty" else []  # which the standard library is enough to judge
    for command in (
        *withdraw, ("tag", "v9.9.9"), ("tag", "-a", "v9.9.9", "-m", "fetch"), ("-c", "x.y=fetch", "tag", "v9.9.9"),
        ("push", "origin", "v0.1.1"), ("update-ref", "refs/tags/v9.9.9", "HEAD"),
    ):  # fmt: skip
        output = released.refused("git", *command)
        assert re.search(r"model-gate: .* (missing|is not in) ?.*: python3 -m versioning setup", output), output
        assert "Traceback" not in output
    quiet(released.git("tag", "ordinary"))
    quiet(released.git("branch", "v1.0.0"))
    quiet(released.git("push", "--quiet", "origin", "main", "v1.0.0", "ordinary"))
    for options in ((), ("-c", "x.y=z"), ("-c", "credential.helper=", "-c", "core.quotepath=false", "-C", ".", "--no-pager")):
        quiet(released.git(*options, "fetch", "--tags", "--prune"))
        assert "v9.9.8" in released.tags()
        released.git(*UNGUARDED, "tag", "-d", "v9.9.8")
    quiet(released.git("gc", "--quiet"))
    quiet(released.git("-C", ".", "pack-refs", "--all"))
    released.git("switch", "-q", "--detach", "v0.1.0")
    released.git("switch", "-q", "main")
    assert released.tags() == ["ordinary", "v0.1.0", "v0.1.1"]
    quiet(colleague.git("fetch", "--tags"))


# --- where it lies ---


def move(project: Project, folder: Path) -> Project:
    folder.mkdir()
    for name in (MODEL, f"{MODEL}-storage"):
        shutil.move(project.path.with_name(name), folder / name)
    path = folder / MODEL
    moved = Project(path, shell_environment(Path(project.environment["HOME"]), path))
    moved.git("remote", "set-url", "origin", str(path.with_name(f"{MODEL}-storage") / "git"))
    moved.ok("python3", "-m", "versioning", "setup", "--no-install")
    return moved


def test_a_path_with_all_that_a_shell_may_stumble_over(released: Project) -> None:
    guards_and_releases(move(released, released.path.parent / 'l\'été "1" $HOME `id` & 日本 \\n'))


def test_files_with_odd_names(released: Project) -> None:
    for name in ("line\nbreak.md", "tab\t.json", 'quo"te.yaml', "reports/été 日本.md", "models/notes\n.md", "-rf"):
        released.write(name, "Odd.\n")
    released.commit("Odd names")
    guards_and_releases(released)


def connected(project: Project, path: Path) -> Project:
    """A working tree that was made by other means than `git clone`, made ready."""
    made = Project(path, shell_environment(Path(project.environment["HOME"]), path))
    if not (path / ".venv").exists():
        (path / ".venv").symlink_to(sys.prefix)
    made.ok("python3", "-m", "versioning", "setup", "--no-install")
    made.write(".dvc/config.local", f"['remote \"storage\"']\n    url = {project.path.with_name(f'{MODEL}-storage') / 'dvc'}\n")
    made.dvc("pull", "--quiet")
    return made


def test_as_a_submodule_of_another_repository(released: Project) -> None:
    """Its `.git` is a file, and its common directory lies in `.git/modules` of the other."""
    product = released.path.parent / "product"
    released.ok("git", "init", "-q", "-b", "main", str(product))
    bare = released.path.with_name(f"{MODEL}-storage") / "git"
    released.ok("git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(bare), "parts/model", cwd=product)
    inside = connected(released, product / "parts/model")
    assert (inside.path / ".git").is_file()
    guards_and_releases(inside)
    assert "ok  hooks: all 6 are installed" in inside.run("python3", "-m", "versioning", "doctor").output
    released.ok("git", "commit", "-q", "-m", "With a model", cwd=product)
    quiet(released.ok("git", "fetch", "--recurse-submodules", cwd=product))
    beside = released.path.parent / "beside"
    inside.git("worktree", "add", "-q", str(beside))
    assert "VE02" in inside.refused("git", "tag", "v9.9.9", cwd=beside)
    (inside.path / ".venv").unlink()
    assert CURE in inside.refused("git", "tag", "v9.9.9")
    inside.git("tag", "ordinary")


def test_with_its_git_directory_elsewhere(released: Project) -> None:
    released.git("init", "--quiet", f"--separate-git-dir={released.path.parent / 'elsewhere.git'}")
    assert (released.path / ".git").is_file()
    guards_and_releases(released)


def test_as_a_worktree_of_a_bare_clone(released: Project) -> None:
    """Some keep `project/.bare` and a folder a branch."""
    bare = released.path.parent / "home/.bare"
    released.ok("git", "clone", "-q", "--bare", str(released.path.with_name(f"{MODEL}-storage") / "git"), str(bare))
    tree = released.path.parent / "home/main"
    released.ok("git", "worktree", "add", "-q", str(tree), "main", cwd=bare)
    guards_and_releases(connected(released, tree))


@pytest.mark.parametrize("scope", ["--global", "--local"])
def test_hooks_that_git_looks_for_elsewhere_are_named(released: Project, scope: str) -> None:
    """A company's folder for all, or a committed one as front-end tools set it up."""
    folder = ".githooks" if scope == "--local" else str(released.path.parent / "company")
    released.git("config", scope, "core.hooksPath", folder)
    doctor = released.refused("python3", "-m", "versioning", "doctor")
    assert "Git does not run the hooks of this repository" in doctor
    (cure,) = re.findall(r"git config core.hooksPath .*", doctor)
    assert released.sh(cure).status == 0
    guards_and_releases(released)


def test_pre_commit_s_own_install_leaves_the_gate(released: Project) -> None:
    released.ok("pre-commit", "install", "-f", "--install-hooks")
    released.ok("pre-commit", "install", "-f", "-t", "pre-push")
    guards_and_releases(released)
    doctor = released.run("python3", "-m", "versioning", "doctor").output
    assert "not installed: pre-push" in doctor and "python3 -m versioning hooks install" in doctor
    released.model("hooks", "install")
    assert "ok  hooks: all 6 are installed" in released.run("python3", "-m", "versioning", "doctor").output


# --- shells ---


@pytest.mark.parametrize(
    "shell", [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"], ["zsh", "--emulate", "sh"]], ids=" ".join
)
def test_the_shims_do_the_same_in_every_shell(tmp_path: Path, shell: list[str]) -> None:
    program = shutil.which(shell[0])
    if program is None:
        pytest.skip(f"{shell[0]} is not on this machine")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("reference-transaction", "pre-push", "pre-receive"):
        shutil.copy(SHIMS / name, tmp_path / ".git/hooks" / name)
    (tmp_path / ".git/model-gate").mkdir()
    (tmp_path / ".git/model-gate/run").write_text('echo "asked $1"; cat\n', "utf-8")
    zero, one = "0" * 40, "1" * 40
    given = {
        "reference-transaction": f"{zero} {one} refs/heads/main\n{zero} {one} refs/tags/v1.0.0\n{zero} {one} refs/tags/ordinary\n",
        "pre-receive": f"{zero} {one} refs/heads/v1.0.0\n{zero} {one} refs/tags/V1\n",
        "pre-push": f"refs/tags/x {one} refs/tags/x {zero}\nHEAD@{{1 day ago}} {one} refs/tags/m/v1.0.0 {zero}\n",
    }
    touched = {"reference-transaction": "refs/tags/v1.0.0", "pre-receive": "refs/tags/V1", "pre-push": "refs/tags/m/v1.0.0"}
    for name, text in given.items():
        arguments = ["prepared"] if name == "reference-transaction" else ["origin", "url"]
        done = subprocess.run(
            [program, *shell[1:], f".git/hooks/{name}", *arguments], cwd=tmp_path, input=text, capture_output=True, text=True, check=False
        )  # fmt: skip
        lines = [line for line in text.splitlines() if touched[name] in line]
        assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, [f"asked {name}", *lines], "")


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("-c a.b=c fetch --tags", False), ("-C . --no-pager fetch --tags origin", False), ("--git-dir=.git fetch --tags", False),
        ("-c alias.up=fetch up --tags", False), ("-c a.b=c pull --tags origin main", False), ("-C . pack-refs --all", False),
        ("-c a.b=fetch tag v2.0.0", True), ("--git-dir .git -c a.b=c tag v2.0.0", True), ("tag -a v2.0.0 -m fetch", True),
        ("-c fetch.prune=1 tag -a v2.0.0 -m x", True), ("update-ref refs/tags/v2.0.0 HEAD", True), ("tag -d v0.9.0", True),
    ],
)  # fmt: skip
def test_the_word_after_the_options_says_who_asks(tmp_path: Path, command: str, asked: bool) -> None:
    """As graphical clients write it; found in plain sh, so that it needs no environment."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (there, here):
        subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
        subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "Start"], cwd=folder, check=True)
    subprocess.run(["git", "pull", "-q", "--rebase", str(there), "main"], cwd=here, check=True)
    for folder, tag in ((there, "v1.0.0"), (here, "v0.9.0")):
        subprocess.run(["git", "tag", tag], cwd=folder, check=True)
    subprocess.run(["git", "remote", "add", "origin", str(there)], cwd=here, check=True)
    shutil.copy(SHIMS / "reference-transaction", here / ".git/hooks/reference-transaction")
    (here / ".git/model-gate").mkdir()
    (here / ".git/model-gate/run").write_text("echo asked >&2\n", "utf-8")
    done = subprocess.run(["git", *command.split()], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("asked" in done.stderr) is asked, done.stderr
    if "--tags" in command:
        assert (here / ".git/model-gate/held").read_text("utf-8").split()[:1] == ["refs/tags/v1.0.0"]


# --- a shallow clone ---


def shallow(project: Project, depth: int, *options: str) -> Project:
    bare = project.path.with_name(f"{MODEL}-storage") / "git"
    path = project.path.parent / f"shallow-{depth}"
    project.ok("git", "clone", "-q", f"--depth={depth}", *options, f"file://{bare}", str(path))
    return connected(project, path)


UNSHALLOW = "git fetch --unshallow --tags"


def something_new(project: Project, what: str) -> str:
    """A commit that is worth a release."""
    project.write(f"src/{MODEL.replace('-', '_')}/{what.split(maxsplit=1)[0].lower()}.py", f'"""{what}."""\n')
    return project.commit(what)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_shallow_clone_gives_no_verdict_and_says_how_to_get_one(released: Project, depth: int) -> None:
    """At depth 2 all that the sidecar names may be there, and an earlier release with a higher number not."""
    released.model("release", "v0.5.0")
    something_new(released, "Later")
    released.model("release", "v0.6.0")
    released.git("push", "-q", "--follow-tags")
    near = shallow(released, depth)
    near.git("fetch", "-q", "--depth=1", "origin", "tag", "v0.6.0")
    done = near.run("python3", "-m", "versioning", "check", "v0.6.0")
    assert (done.status, hints(done.output)) == (2, [UNSHALLOW]) and "this shallow clone" in done.output, done.output
    near.git("tag", "ordinary")
    something_new(near, "Work goes on")
    # A version below one that is not here to be seen, and one that would be right.
    for wanted in ("v0.4.0", "v0.7.0"):
        done = near.run("git", "tag", wanted)
        assert done.status == 128 and hints(done.output) == [UNSHALLOW], done.output
        assert not re.search(r"\b[A-Z]{2}0\d\b", done.output), "no verdict"
    for command in (("check", "--all-releases"), ("release", "patch")):
        done = near.run("python3", "-m", "versioning", *command)
        assert (done.status, hints(done.output)) == (2, [UNSHALLOW]), done.output
    doctor = near.refused("python3", "-m", "versioning", "doctor")
    assert "BAD history: this clone is shallow" in doctor and UNSHALLOW in doctor and "Git remote: origin" in doctor
    assert near.sh(UNSHALLOW).status == 0
    assert near.run("python3", "-m", "versioning", "check", "v0.6.0").status == 0, near.story
    near.model("release", "minor")
    assert "v0.7.0" in near.tags() and near.git("status", "--porcelain") == ""
    near.git("commit", "-q", "--allow-empty", "-m", "On top")
    assert "VE03 v0.6.1 is not newer than v0.7.0" in near.refused("git", "tag", "v0.6.1")


def test_a_name_that_is_no_version_needs_no_history(released: Project) -> None:
    near = shallow(released, 1)
    assert "VE01 v1 is no release" in near.refused("git", "tag", "v1")


# --- a release tag is on a commit that some branch holds ---


def hotfix(project: Project) -> str:
    """Somebody went back to a release, and mends it right there."""
    project.git("checkout", "-q", "v0.1.0")
    project.write(f"src/{MODEL.replace('-', '_')}/mended.py", '"""A fix."""\n')
    project.replace("params.yaml", "version: v0.1.0", "version: v0.1.1")
    project.dvc("repro", "-q")
    return project.commit("Mend")


def test_a_release_of_a_commit_that_no_branch_holds(released: Project) -> None:
    commit = hotfix(released)
    output = released.refused("git", "tag", "-a", "v0.1.1", "-m", "v0.1.1")
    assert f"refs/tags/v0.1.1: CO01 v0.1.1 would be on {commit[:7]}, which no branch holds" in output
    assert "CO01" in released.refused("git", "push", "origin", "HEAD:refs/tags/v0.1.1")
    assert hints(output) == ["git switch -c release-v0.1.1 && git tag -a v0.1.1 -m v0.1.1"]
    released.git("branch", "release-v0.1.1", "main")  # the name is taken
    (hint,) = hints(released.refused("git", "tag", "v0.1.1"))
    assert released.sh(hint).status == 0, released.story
    assert released.git("symbolic-ref", "--short", "HEAD") == "release-v0.1.1-2"
    released.git("push", "-q", "--follow-tags", "-u", "origin", "HEAD")
    released.assert_released("v0.1.1")


def test_it_is_given_a_branch_from_elsewhere_too(released: Project) -> None:
    commit = hotfix(released)
    released.git("switch", "-q", "main")
    (hint,) = hints(released.refused("git", "update-ref", "refs/tags/v0.1.1", commit))
    assert hint == f"git branch release-v0.1.1 {commit[:12]} && git tag -a v0.1.1 -m v0.1.1 {commit[:12]}"
    assert released.sh(hint).status == 0, released.story
    assert released.git("rev-parse", "release-v0.1.1", "v0.1.1^{commit}").split() == [commit, commit]
    # Whoever deletes the branch later still has the tag; nobody judges it anew.
    released.git("branch", "-D", "release-v0.1.1")
    released.git("push", "-q", "origin", "v0.1.1")
    assert released.run("python3", "-m", "versioning", "check", "v0.1.1").status == 0, released.story


def test_a_commit_of_a_remote_branch_is_enough(released: Project) -> None:
    """As CI checks out: detached, with no branch of its own."""
    commit = hotfix(released)
    released.git("push", "-q", "origin", f"{commit}:refs/heads/line")
    colleague = clone(released, "ci")
    colleague.git("checkout", "-q", "--detach", "origin/line")
    colleague.git("branch", "-D", "main")
    colleague.dvc("pull", "-q")
    colleague.tag("v0.1.1")
    colleague.git("push", "-q", "origin", "v0.1.1")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("git tag v9.9.9 HEAD^{tree}", "refs/tags/v9.9.9: CO01 v9.9.9 names a tree, and a release is a commit"),
        (f"git tag -a v9.9.9 -m x HEAD:{SIDECAR}", "refs/tags/v9.9.9: CO01 v9.9.9 names a blob, and a release is a commit"),
        ("git push origin HEAD^{tree}:refs/tags/v9.9.9", "CO01 v9.9.9 names a tree"),
        (f"git tag {MODEL}/v9.9.9 HEAD^{{tree}}", f"CO01 {MODEL}/v9.9.9 names a tree"),
        ("git tag -a v9.9.9 -m x v0.1.0", VE02), ("git update-ref refs/tags/v9.9.9 HEAD", VE02), ("git push origin HEAD:refs/tags/v9.9.9", VE02),
        ("git push origin 'HEAD@{0 days ago}:refs/tags/v9.9.9'", VE02),
        ("git push . HEAD:refs/tags/v9.9.9", VE02), ("git update-ref --stdin <<X\ncreate refs/tags/v9.9.9 HEAD\nX", VE02),
        ("git tag -f v0.1.0 HEAD~", "VE07 v0.1.0 cannot be moved: origin holds it"),
        ("git update-ref refs/tags/v0.1.0 HEAD~", "VE07 v0.1.0 cannot be moved: origin holds it"),
        ("git tag -d v0.1.0", "VE07 v0.1.0 cannot be deleted: origin holds it"),
        ("git push origin :refs/tags/v0.1.0", "VE07 v0.1.0 cannot be deleted: origin holds it"),
        ("git push -f origin HEAD~:refs/tags/v0.1.0", "VE07 v0.1.0 cannot be moved: origin holds it"),
    ],
)  # fmt: skip
def test_other_ways_to_write_a_tag(released: Project, act: str, said: str) -> None:
    before = released.git("for-each-ref"), released.git("ls-remote", "origin")
    done = released.sh(act)
    assert done.status != 0 and said in done.output, released.story
    assert (released.git("for-each-ref"), released.git("ls-remote", "origin")) == before


@pytest.mark.parametrize("act", ["git fetch -q . HEAD:refs/tags/v9.9.9", "git fetch -q . HEAD^{tree}:refs/tags/v9.9.9"])
def test_what_a_fetch_makes_here_is_named_and_may_be_withdrawn(released: Project, act: str) -> None:
    """A fetch is never refused, not even one from here."""
    if "tree" in act:  # Git fetches no bare trees by name
        released.git(*UNGUARDED, "tag", "v9.9.9", "HEAD^{tree}")
    else:
        quiet(released.sh(act).output)
    said = "VE02 says v0.1.0, the tag says v9.9.9" if "tree" not in act else "CO01 v9.9.9 names a tree, and a release is a commit"
    for command in (("check", "--all-releases"), ("check", "v9.9.9"), ("doctor",)):
        assert said in released.refused("python3", "-m", "versioning", *command)
    assert "v9.9.9" not in released.model("list") or "tree" not in act
    assert said in released.refused("git", "push", "origin", "v9.9.9")
    released.git("tag", "-d", "v9.9.9")
    assert released.tags() == ["v0.1.0"]
