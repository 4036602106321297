"""What arrives at a guarded server is judged there, whatever the client left out; over real transports."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dulwich.client import get_transport_and_path
from dulwich.repo import Repo

from .conftest import MODEL, SIDECAR, Project, copy_of, shell_environment
from .test_histories import clone

UNGUARDED = ("-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True)
class Server:
    """A guarded bare repository, and the addresses at which it is served."""

    bare: Path
    port: int

    def url(self, transport: str) -> str:
        return f"file://{self.bare}" if transport == "file" else f"git://127.0.0.1:{self.port}/{self.bare.name}"

    @property
    def refs(self) -> str:
        done = subprocess.run(
            ["git", "--git-dir", str(self.bare), "for-each-ref"], capture_output=True, text=True, check=True
        )  # fmt: skip
        return done.stdout

    @property
    def tags(self) -> list[str]:
        return re.findall(r"refs/tags/(.*)", self.refs)


def serve(bare: Path) -> Iterator[Server]:
    """Git's own daemon, which has nothing of the client's shell."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    programs = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    daemon = subprocess.Popen(
        [
            f"{programs}/git-daemon", "--verbose", "--log-destination=stderr", "--listen=127.0.0.1", f"--port={port}",
            "--reuseaddr", "--export-all", "--enable=receive-pack", f"--base-path={bare.parent}", str(bare.parent),
        ],
        env={"PATH": "/usr/bin:/bin", "HOME": os.devnull}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert daemon.stderr
    try:
        assert any("Ready to rumble" in line for line in daemon.stderr), "git daemon did not start"
        yield Server(bare, port)
    finally:
        daemon.terminate()
        daemon.wait()
        daemon.stderr.close()


def origin(project: Project) -> Path:
    return project.path.with_name(f"{project.path.name}-storage") / "git"


@pytest.fixture
def server(released: Project) -> Iterator[Server]:
    """The origin of `released`, served; the project pushes to the daemon."""
    yield from _served(released)


@pytest.fixture(scope="module")
def waiting_once(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with v0.1.1 released here and not pushed."""
    path = copy_of(released_once, tmp_path_factory.mktemp("waiting"))
    Project(path, shell_environment(tmp_path_factory.mktemp("home"), path)).model("release", "patch")
    return path


@pytest.fixture
def waiting(waiting_once: Path, tmp_path: Path, home: Path) -> Iterator[tuple[Project, Server]]:
    """A copy of it, and its origin, served."""
    path = copy_of(waiting_once, tmp_path)
    project = Project(path, shell_environment(home, path))
    for served in _served(project):
        yield project, served


def _served(project: Project) -> Iterator[Server]:
    for served in serve(origin(project)):
        project.git("remote", "set-url", "origin", served.url("git"))
        yield served


@pytest.fixture(scope="module")
def attacked(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Server]]:
    """One released project and its server, for lies that leave nothing behind."""
    path = copy_of(released_once, tmp_path_factory.mktemp("attacked"))
    project = Project(path, shell_environment(tmp_path_factory.mktemp("home"), path))
    for served in serve(origin(project)):
        yield project, served


def forged(project: Project, change: Callable[[Project], object]) -> str:
    """A commit on top of HEAD with something changed, past every hook and on no branch."""
    project.git("checkout", "-q", "--detach", "main")
    change(project)
    commit = project.force_commit()
    project.git(*UNGUARDED, "checkout", "-q", "main")
    return commit


def wrong_metrics(project: Project) -> str:
    return forged(project, lambda it: it.edit_sidecar(lambda sidecar: sidecar["metrics"].update(roc_auc=0.999)))


def orphan(project: Project) -> str:
    tree = project.git("rev-parse", "HEAD^{tree}")
    return project.git("commit-tree", tree, "-m", "No parents")


def annotated(project: Project, tag: str, target: str) -> str:
    """A tag object, and no ref that names it."""
    text = f"object {target}\ntype {project.git('cat-file', '-t', target)}\ntag {tag}\ntagger A <a@b.c> 0 +0000\n\n{tag}\n"
    made = subprocess.run(
        ["git", "hash-object", "-t", "tag", "-w", "--stdin"], cwd=project.path, input=text, capture_output=True, text=True, check=True
    )  # fmt: skip
    return made.stdout.strip()


def head(project: Project) -> str:
    return project.git("rev-parse", "main")


#: Ref, what it is to name, and what the server says.
LIES: dict[str, tuple[str, Callable[[Project], str], str]] = {
    "another version": ("v9.9.9", head, f"{SIDECAR}::$.version: VE02 says v0.1.0, the tag says v9.9.9"),
    "annotated": ("v9.9.9", lambda it: annotated(it, "v9.9.9", head(it)), "VE02 says v0.1.0, the tag says v9.9.9"),
    "tag of a tag": (
        "v9.9.9", lambda it: annotated(it, "v9.9.9", it.git("rev-parse", "v0.1.0")), "VE02 says v0.1.0, the tag says v9.9.9",
    ),
    "metrics edited": ("v0.2.0", wrong_metrics, f"{SIDECAR}::$.metrics.roc_auc: ME01 says 0.999, reports/metrics.json says 0."),
    "no sidecar": ("v0.2.0", lambda it: forged(it, lambda at: (at.path / SIDECAR).unlink()), "SC03"),
    "no version": ("v1.0", head, "refs/tags/v1.0: VE01 v1.0 is no release: a version is written vMAJOR.MINOR.PATCH"),
    "a tree": ("v9.9.9", lambda it: it.git("rev-parse", "main^{tree}"), "refs/tags/v9.9.9: CO01 v9.9.9 names a tree, and a release"),
    "a file": ("v9.9.9", lambda it: it.git("rev-parse", f"main:{SIDECAR}"), "refs/tags/v9.9.9: CO01 v9.9.9 names a blob"),
    "no history": ("v0.0.9", orphan, "which shares no history with main"),
    "moved": ("v0.1.0", lambda it: it.git("rev-parse", "main~"), "refs/tags/v0.1.0: VE07 v0.1.0 cannot be moved: this server holds it"),
    "deleted": ("v0.1.0", lambda it: "0" * 40, "refs/tags/v0.1.0: VE07 v0.1.0 cannot be deleted: this server holds it"),
}  # fmt: skip


def push_by_git(project: Project, url: str, ref: str, target: str) -> tuple[bool, str]:
    source = "" if not target.strip("0") else target
    done = project.run("git", "push", "--force", "--no-verify", url, f"{source}:{ref}")
    return done.status == 0, done.output


def push_by_dulwich(project: Project, url: str, ref: str, target: str) -> tuple[bool, str]:
    """A client in pure Python, which knows of no hook."""
    said: list[bytes] = []
    client, path = get_transport_and_path(url)
    with Repo(str(project.path)) as repository:
        result = client.send_pack(
            path, lambda _: {ref.encode(): target.encode()}, repository.generate_pack_data, progress=said.append
        )  # fmt: skip
    status = (result.ref_status or {}).get(ref.encode())
    return status is None, b"".join(said).decode()


WAYS = {
    "git over git://": ("git", push_by_git), "git over file://": ("file", push_by_git), "dulwich over git://": ("git", push_by_dulwich),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lie", LIES)
def test_what_bypassed_the_client_is_refused(attacked: tuple[Project, Server], lie: str, way: str) -> None:
    (project, server), (tag, make, message), (transport, push) = attacked, LIES[lie], WAYS[way]
    before = server.refs
    accepted, said = push(project, server.url(transport), f"refs/tags/{tag}", make(project))
    assert not accepted and "model-gate: this push is refused" in said and message in said, said
    assert server.refs == before


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_release_passes(attacked: tuple[Project, Server], way: str) -> None:
    (project, server), (transport, push) = attacked, WAYS[way]
    for name, target in (
        ("nightly-1", head(project)),
        ("docs/v1.0.0", orphan(project)),
        ("v2-tree", project.git("rev-parse", "HEAD^{tree}")),
    ):
        for value in (target, "0" * 40):
            accepted, said = push(project, server.url(transport), f"refs/tags/{name}", value)
            assert accepted and "model-gate" not in said, said
    assert server.tags == ["v0.1.0"]


def test_dulwich_on_a_path_writes_past_every_hook_and_is_named_afterwards(released: Project) -> None:
    """A folder that others may write to is no server: what appears there is fetched, and named."""
    colleague = clone(released, "colleague")
    accepted, _ = push_by_dulwich(released, str(origin(released)), "refs/tags/v9.9.9", head(released))
    assert accepted
    colleague.git("fetch", "--tags")
    assert "VE02 says v0.1.0, the tag says v9.9.9" in colleague.refused("python3", "-m", "versioning", "check", "--all-releases")


@pytest.mark.parametrize("options", [("--no-verify",), ("--no-verify", "--atomic")], ids=" ".join)
def test_one_false_tag_among_several_refs(waiting: tuple[Project, Server], options: tuple[str, ...]) -> None:
    project, server = waiting
    project.git("branch", "side")
    project.git(*UNGUARDED, "tag", "v9.9.9")
    before = server.refs
    said = project.refused("git", "push", *options, "origin", "main", "side", "v0.1.1", "v9.9.9")
    assert "VE02 says v0.1.1, the tag says v9.9.9" in said and "v0.1.1:" not in said
    assert server.refs == before
    project.git("push", "--quiet", "origin", "main", "side", "v0.1.1")
    assert server.tags == ["v0.1.0", "v0.1.1"]


HONEST = {
    "branch and tag": "git push origin main v0.1.1",
    "followed": "git push --follow-tags",
    "atomic": "git push --atomic origin main v0.1.1",
    "branch first": "git push origin main && git push origin v0.1.1",
    "tag alone, its commit new to the server": "git push origin v0.1.1",
    "tag alone, without the client's hooks": "git push --no-verify origin v0.1.1",
    "all tags": "git push --tags",
    "mirror": "git push origin 'refs/heads/*:refs/heads/*' 'refs/tags/*:refs/tags/*'",
    "twice": "git push origin v0.1.1 && git push origin v0.1.1 && git push --force origin v0.1.1",
    "as a commit": "git tag -d v0.1.1 && git push origin HEAD:refs/tags/v0.1.1",
}


@pytest.mark.parametrize("how", HONEST)
def test_honest_pushes(waiting: tuple[Project, Server], how: str) -> None:
    project, server = waiting
    done = project.sh(HONEST[how])
    assert done.status == 0, project.story
    assert server.tags == ["v0.1.0", "v0.1.1"]


def test_a_tag_from_a_branch_that_the_server_has_not(released: Project, server: Server) -> None:
    """A maintenance line beside main, of which only the tag is pushed."""
    released.git("switch", "-q", "-c", "line", "v0.1.0")
    released.write(f"src/{MODEL.replace('-', '_')}/mended.py", '"""A fix."""\n')
    released.commit("Mend it")
    released.model("release", "patch")
    released.git("push", "--quiet", "origin", "v0.1.1")
    assert server.tags == ["v0.1.0", "v0.1.1"] and "line" not in server.refs


def empty_server(project: Project, *options: str) -> Path:
    """A new bare repository under guard, that the project pushes to."""
    bare = project.path.parent / "new.git"
    project.ok("git", "init", "-q", "--bare", *options, str(bare))
    project.model("hooks", "install", "--server", str(bare))
    project.git("remote", "set-url", "origin", str(bare))
    return bare


@pytest.mark.parametrize("what", ["--follow-tags origin main", "origin v0.1.0", "origin main v0.1.0", "--mirror origin"])
@pytest.mark.parametrize("default", ["main", "master"])
def test_the_first_push_to_an_empty_server(released: Project, default: str, what: str) -> None:
    empty_server(released, "-b", default)
    released.git("push", "--quiet", *what.split())
    assert released.remote_tags() == ["v0.1.0"]


def test_an_empty_server_refuses_as_well(released: Project) -> None:
    empty_server(released)
    released.git(*UNGUARDED, "tag", "v9.9.9")
    said = released.refused("git", "push", "--no-verify", "origin", "main", "v0.1.0", "v9.9.9")
    assert "VE02 says v0.1.0, the tag says v9.9.9" in said and released.remote_tags() == []


def test_what_was_grown_apart_is_joined_by_the_hint(released: Project, server: Server) -> None:
    commit = orphan(released)
    released.git(*UNGUARDED, "tag", "-a", "v0.1.1", "-m", "v0.1.1", commit)
    said = released.refused("git", "push", "--no-verify", "origin", "v0.1.1")
    assert f"refs/tags/v0.1.1: CO01 v0.1.1 is on {commit[:7]}, which shares no history with main" in said
    assert "VE03" not in said, "from here no release before it can be seen: that is why it is refused"


def test_a_line_that_grew_apart_is_joined_by_the_hint(released: Project, server: Server) -> None:
    """Somebody began again: the same files, another first commit."""
    released.git("checkout", "-q", "--orphan", "again")
    released.git("commit", "-q", "-m", "Again")
    released.dvc("repro", "-f", "-s", "sidecar")
    released.commit("Describe")
    released.git("branch", "-D", "main")
    released.git(*UNGUARDED, "update-ref", "-d", "refs/tags/v0.1.0")
    released.model("release", "v0.2.0")
    said = released.refused("git", "push", "origin", "v0.2.0")
    assert "CO01 v0.2.0 is on" in said and "shares no history with main" in said and server.tags == ["v0.1.0"]
    (hint,) = re.findall(r"hint: (.*?) *\n", said)
    assert released.sh(hint).status == 0, released.story
    released.git("push", "--quiet", "origin", "v0.2.0")
    assert server.tags == ["v0.1.0", "v0.2.0"]


# --- two at once ---


def bump(project: Project, tag: str) -> None:
    """A release that is true to Git's rules, by hand and without the client's gate: five of them in a wink."""
    last = project.sidecar()["version"]
    project.replace("params.yaml", f"version: {last}", f"version: {tag}")
    project.replace("dvc.lock", f"version: {last}", f"version: {tag}")
    project.edit_sidecar(lambda it: it.update(version=tag))
    project.git(*UNGUARDED, "commit", "-q", "-a", "-m", f"Release {tag}")
    project.git(*UNGUARDED, "tag", "-a", tag, "-m", tag)


@pytest.mark.parametrize("transport", ["git", "file"])
def test_of_two_that_push_one_tag_at_once_one_wins(released: Project, server: Server, transport: str) -> None:
    url = server.url(transport)
    released.git("remote", "set-url", "origin", str(server.bare))  # by which `setup` knows the storage beside it
    people = [clone(released, name) for name in ("ada", "grace")]
    for person in people:
        person.git("remote", "set-url", "origin", url)
        person.git("switch", "-q", "-c", person.path.name)
        person.write(f"{person.path.name}.md", "Mine.\n")
        person.commit(f"By {person.path.name}")
    for turn in range(5):
        tag = f"v0.{turn + 2}.0"
        for person in people:
            person.write(f"src/{MODEL.replace('-', '_')}/serve.py", f"TURN = {turn}\n")  # something new to release
            bump(person, tag)
        # Without the client's hooks, which would spread the two over time.
        running = [
            subprocess.Popen(
                ["git", "push", "--no-verify", "origin", tag], cwd=person.path, env=person.environment, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            for person in people
        ]  # fmt: skip
        said = [push.communicate()[0] for push in running]
        won = [push.returncode == 0 for push in running]
        assert sorted(won) == [False, True], said
        winner, loser = people[won.index(True)], said[won.index(False)]
        assert re.search(rf"! \[(remote )?rejected\] +{re.escape(tag)} -> {re.escape(tag)}", loser), loser
        assert f"{winner.git('rev-parse', tag)} tag\trefs/tags/{tag}\n" in server.refs
        for person in people:  # the loser takes the winner's, and goes on
            person.git("fetch", "--quiet", "--force", "--tags")
            assert person.git("rev-parse", tag) == winner.git("rev-parse", tag)


# --- policy is the default branch's ---


def weaken(project: Project, key: str) -> None:
    """A release without what the checklist asks for, or one that claims to be in production."""
    if key == "checklist":
        project.replace("versioning.yaml", "  - seed\n", "")
        project.edit_sidecar(lambda it: it.pop("seed"))
    else:
        project.replace("versioning.yaml", "  - staging\n  - canary\n  - prod\n", "  - prod\n  - staging\n  - canary\n")
        project.edit_sidecar(lambda it: it.update(stage="prod"))
    project.commit("Weaken")


WEAKENED = {
    "checklist": f"{SIDECAR}::$.seed: AR04 is missing, and is on the checklist",
    "stages": f"{SIDECAR}::$.stage: ST01 says prod, a new release enters at staging",
}


def weakened(project: Project, key: str) -> None:
    """A release v0.1.1 that only its own policy allows; the client judges by that one, and lets it through."""
    project.model("release", "patch")
    project.git("tag", "-d", "v0.1.1")
    weaken(project, key)
    project.tag("v0.1.1")


@pytest.mark.parametrize("key", WEAKENED)
def test_a_commit_that_weakens_its_own_policy_does_not_free_itself(released: Project, server: Server, key: str) -> None:
    released.git("switch", "-q", "-c", "side")
    weakened(released, key)
    before = server.refs
    for what in (("v0.1.1",), ("side", "v0.1.1"), ("--atomic", "side:main", "v0.1.1")):
        said = released.refused("git", "push", "origin", *what)
        assert WEAKENED[key] in said, said
        assert "judged by versioning.yaml of main here, which is not that of v0.1.1" in said
        assert server.refs == before


@pytest.mark.parametrize("key", WEAKENED)
def test_a_policy_that_was_changed_on_main_first_counts(released: Project, server: Server, key: str) -> None:
    weakened(released, key)
    said = released.refused("git", "push", "--follow-tags", "origin", "main")
    hints = re.findall(r"hint: (git push.*?) *\n", said)
    here, there = "git push origin main && git push --follow-tags", "git push origin main && git push origin v0.1.1"
    assert hints == [here, there], "said before the push, and by the server"
    assert released.sh(hints[1]).status == 0, released.story
    assert server.tags == ["v0.1.0", "v0.1.1"]


@pytest.mark.parametrize("key", WEAKENED)
def test_a_default_branch_that_git_named_otherwise_is_no_way_around(released: Project, key: str) -> None:
    """`git init --bare` calls it master where nobody configured anything; nothing is ever pushed there."""
    empty_server(released, "-b", "master")
    released.git("push", "--quiet", "origin", "main", "v0.1.0")
    weakened(released, key)
    said = released.refused("git", "push", "origin", "main:side", "v0.1.1")
    assert WEAKENED[key] in said and released.remote_tags() == ["v0.1.0"]


def test_a_stricter_policy_on_main_binds_older_branches(released: Project, server: Server) -> None:
    released.git("switch", "-q", "-c", "line")
    weakened(released, "checklist")
    released.git("switch", "-q", "main")
    released.write("versioning.yaml", released.read("versioning.yaml") + "# Reviewed.\n")
    released.commit("A remark")
    released.git("push", "--quiet", "origin", "main")
    said = released.refused("git", "push", "origin", "v0.1.1")
    assert WEAKENED["checklist"] in said


def test_a_policy_on_main_that_cannot_be_read_is_said(released: Project, server: Server) -> None:
    released.write("versioning.yaml", released.read("versioning.yaml") + "stages: 7\n")
    released.force_commit()
    released.git("push", "--quiet", "origin", "main")
    released.git("reset", "--quiet", "--hard", "HEAD~")
    released.model("release", "patch")
    said = released.refused("git", "push", "origin", "v0.1.1")
    assert "versioning.yaml" in said and "Traceback" not in said and server.tags == ["v0.1.0"]
    released.git("push", "--quiet", "--force", "origin", "main")
    released.git("push", "--quiet", "origin", "v0.1.1")


# --- what the server needs, and what it leaves alone ---


def test_without_its_python_the_server_refuses_releases_only(released: Project, server: Server) -> None:
    released.model("release", "patch")
    (server.bare / "model-gate/config").unlink()
    said = released.refused("git", "push", "--no-verify", "origin", "v0.1.1")
    assert "the environment with the rules' Python is missing: python3 -m versioning setup" in said
    released.git("tag", "ordinary")
    released.git("push", "--quiet", "--no-verify", "origin", "main", "ordinary", "main:side")
    assert server.tags == ["ordinary", "v0.1.0"]


def test_a_stranger_s_hook_on_the_server_is_run_and_counts(released: Project, server: Server) -> None:
    released.model("hooks", "uninstall", "--server", str(server.bare))
    hook = server.bare / "hooks/pre-receive"
    hook.write_text(
        '#!/bin/sh\nwhile read -r old new ref; do [ "$ref" != refs/heads/locked ] || { echo LOCKED; exit 1; }; done\n'
    )
    hook.chmod(0o755)
    released.model("hooks", "install", "--server", str(server.bare))
    assert "LOCKED" in released.refused("git", "push", "origin", "main:locked")
    released.git(*UNGUARDED, "tag", "v9.9.9")
    assert "VE02" in released.refused("git", "push", "--no-verify", "origin", "v9.9.9")
    released.git("push", "--quiet", "origin", "main:side")


def test_a_careful_server_that_enters_no_bare_repository_by_itself(released: Project) -> None:
    released.git("config", "--global", "safe.bareRepository", "explicit")
    released.git(*UNGUARDED, "tag", "v9.9.9")
    assert "VE02" in released.refused("git", "push", "--no-verify", "origin", "v9.9.9")
    released.model("release", "patch")
    released.git("push", "--quiet", "origin", "main", "v0.1.1")
    released.assert_released("v0.1.1")
