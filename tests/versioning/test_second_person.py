"""The second person: `docs/second-person.md`, word by word, over a path; and what differs over other transports."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from .conftest import MODEL, Done, Project

PAGE = Path(__file__).parents[2] / "docs/second-person.md"
ARTIFACT = f"models/{MODEL}.skops"
BLOCKS = re.findall(r"^```sh\n# (Ada|Grace)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
CLONE, BACK, BRANCH, RELEASE, ADA, MOVE, FOLLOW = BLOCKS


@pytest.fixture
def grace(released: Project, tmp_path: Path) -> Project:
    """Where her clone will be; Ada is `released`."""
    (tmp_path / "grace").mkdir()
    return Project(tmp_path / "grace" / MODEL, dict(released.environment))


def types(person: Project, block: tuple[str, str], address: str = "") -> Done:
    """Type a block. The environment is there already, and shared with other tests: everything of `setup` but making it."""
    lines = block[1].replace("ORIGIN", f"'{address}'").replace("versioning setup", "versioning setup --no-install")
    here = person.path
    if "cd customer-churn\n" in lines:
        here = person.path.parent
        lines = lines.replace("cd customer-churn\n", f"cd customer-churn\nln -s {sys.prefix} .venv\n")
    return person.sh(f"set -e\n{lines}", cwd=here)


def typed(person: Project, block: tuple[str, str], address: str = "") -> str:
    done = types(person, block, address)
    assert done.status == 0, person.story
    return done.output


def test_over_a_path_as_the_page_says(released: Project, grace: Project) -> None:
    first = (released.path / ARTIFACT).read_bytes()
    typed(grace, CLONE, released.git("remote", "get-url", "origin"))
    assert (grace.path / ARTIFACT).read_bytes() == first
    there, home = BACK[1].splitlines()
    typed(grace, ("Grace", there))
    assert (grace.path / ARTIFACT).read_bytes() == first and "up to date" in grace.dvc("status")
    typed(grace, ("Grace", home))
    typed(grace, BRANCH)
    second = (grace.path / ARTIFACT).read_bytes()
    assert second != first
    typed(grace, RELEASE)
    grace.assert_released("v0.2.0")
    assert "nothing contradicts it" in typed(released, ADA)
    assert (released.path / ARTIFACT).read_bytes() == second
    assert "up to date" in released.dvc("status") and released.git("status", "--porcelain") == ""
    assert [name for name, _ in BLOCKS] == ["Grace"] * 4 + ["Ada"] * 2 + ["Grace"]


def test_over_a_file_url(released: Project, grace: Project) -> None:
    typed(grace, CLONE, Path(released.git("remote", "get-url", "origin")).as_uri())
    assert (grace.path / ARTIFACT).read_bytes() == (released.path / ARTIFACT).read_bytes()
    typed(grace, BACK)
    grace.model("release", "minor")
    grace.git("push", "-q", "--follow-tags")
    grace.assert_released("v0.2.0")


@pytest.fixture
def served(released: Project) -> Iterator[str]:
    """Ada's origin behind Git's own server: nobody reaches the storage through it."""
    bare = Path(released.git("remote", "get-url", "origin"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all", "--enable=receive-pack", "--reuseaddr"]
    # Not by `git`, which would start it as a child of its own: what is stopped below is the server.
    command[:2] = [str(Path(subprocess.check_output(["git", "--exec-path"], text=True).strip(), "git-daemon"))]
    server = subprocess.Popen([*command, f"--base-path={bare.parent}", str(bare.parent)], env=released.environment)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                break
    yield f"git://127.0.0.1:{port}/{bare.name}"
    server.terminate()
    server.wait()


@pytest.fixture
def bucket(released: Project, grace: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket `models` on an S3 server on loopback, which both reach."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
    for person in (released, grace):
        person.environment |= keys | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="models")
    yield client
    server.stop()


def test_where_the_storage_cannot_be_reached_until_it_is_moved(
    released: Project, grace: Project, served: str, bucket: Any
) -> None:
    # One line each, and nothing half done.
    done = types(grace, ("Grace", CLONE[1].replace("dvc pull\n", "")), served)
    lines = [line for line in done.output.splitlines() if "storage of this repository" in line]
    assert len(lines) == 1 and lines[0].startswith("left to do: ") and "Traceback" not in done.output
    line = lines[0].removeprefix("left to do: ")
    told = " ".join(re.findall(r"```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0].split())
    assert line == told.replace("git://example.org/churn.git", served)
    assert line in grace.run("model", "doctor").output
    pulled = grace.run("dvc", "pull")
    assert pulled.status == 1 and "remote 'storage' doesn't exist" in pulled.output and "Traceback" not in pulled.output
    went = grace.run("git", "checkout", "v0.1.0")
    assert went.status == 0 and went.output.count("model-gate: ") == 1 and line in went.output
    assert grace.git("status", "--porcelain") == "" and not (grace.path / ".dvc/config.local").exists()

    # Nothing else is hindered.
    grace.git("switch", "-q", "-c", "notes", "main")
    grace.write("notes.md", "mine\n")
    grace.commit("Take notes")
    grace.git("push", "-q", "-u", "origin", "notes")
    grace.git("switch", "-q", "main")

    # Ada moves it, and all is well for everybody; her own machine may go.
    typed(released, MOVE)
    storage = released.path.parent / f"{released.path.name}-storage"
    shutil.rmtree(storage / "dvc")
    typed(grace, FOLLOW)
    assert (grace.path / ARTIFACT).read_bytes() == (released.path / ARTIFACT).read_bytes()
    shutil.rmtree(grace.path / ".dvc/cache")
    (grace.path / ARTIFACT).unlink()
    grace.git("checkout", "-q", "v0.1.0")
    grace.dvc("pull")
    assert (grace.path / ARTIFACT).read_bytes() == (released.path / ARTIFACT).read_bytes()
    assert "nothing contradicts it" in grace.model("check", "v0.1.0")
    grace.git("checkout", "-q", "main")
    before = bucket.list_objects_v2(Bucket="models")["KeyCount"]
    grace.write("reports/notes.md", "more\n")
    grace.commit("Take more notes")
    grace.model("release", "minor")
    grace.git("push", "-q", "--follow-tags")
    assert "v0.2.0" in grace.remote_tags() and before == bucket.list_objects_v2(Bucket="models")["KeyCount"]
    assert "up to date" in grace.dvc("status")
    assert "ok  DVC remote: s3://models/churn/dvc" in grace.run("model", "doctor").output
