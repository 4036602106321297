"""`model storage move`: everything is copied, compared with what is read back, and only then switched."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.conftest import ROOT, TEMPLATE, git, run_cookiecutter
from tests.versioning import small
from versioning import clouds, gate, transfer
from versioning.cli import main
from versioning.git import Repository
from versioning.storage import CONFIG, LOCAL_CONFIG, Storage, connect, unreachable

PYPROJECT = '[dependency-groups]\ndev = [\n    "dvc>=3.67",\n]\n'
BUCKET = "models"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3 server on loopback."""
    one = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    one.start()
    host, port = one.get_host_and_port()
    yield f"http://{host}:{port}"
    one.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of that server, with an empty bucket."""
    for name, value in {"ACCESS_KEY_ID": "none", "SECRET_ACCESS_KEY": "none", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=found["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository with one release, and its storage in the folder beside it; a published release lies there too."""
    path = tmp_path / "work" / "churn"
    path.mkdir(parents=True)
    small.build(path)
    storage = path.with_name("churn-storage")
    (storage / "dvc").mkdir(parents=True)
    for place in sorted((path / ".dvc/cache").rglob("*")):
        if place.is_file():
            copy = storage / "dvc" / place.relative_to(path / ".dvc/cache")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(place.read_bytes())
    published = storage / "releases/data-science/churn/versions/v0.1.0"
    published.mkdir(parents=True)
    (published / "churn.skops").write_bytes(b"a model, published\n")
    (published / "odd name, ü.json").write_bytes(b"{}")
    (path / "pyproject.toml").write_text(PYPROJECT)
    (path / clouds.TOOLS).write_bytes((ROOT / TEMPLATE / clouds.TOOLS).read_bytes())
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "Ask for tools")
    git(path, "clone", "-q", "--bare", ".", str(storage / "git"))
    git(path, "remote", "add", "origin", str(storage / "git"))
    git(path, "fetch", "-q", "origin")
    git(path, "branch", "-q", "--set-upstream-to=origin/main")
    assert connect(Repository(path)) is None
    monkeypatch.chdir(path)
    return path


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def kept(folder: Path) -> dict[str, bytes]:
    """Data and releases of a storage."""
    return {name: content for name, content in bytes_of(folder).items() if name.startswith(("dvc/", "releases/"))}


def objects(client: Any, prefix: str) -> dict[str, bytes]:
    found = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix): client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read() for item in found}


def clone(project: Path, name: str = "colleague") -> Path:
    path = project.parent.parent / name
    subprocess.run(["git", "clone", "-q", git(project, "remote", "get-url", "origin"), str(path)], check=True)
    return path


def pull(path: Path) -> str:
    done = subprocess.run([sys.executable, "-m", "dvc", "pull"], cwd=path, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    return out + err


def configs(path: Path) -> tuple[str, str]:
    return ((path / CONFIG).read_text(), (path / LOCAL_CONFIG).read_text() if (path / LOCAL_CONFIG).exists() else "")


# --- from a folder ----------------------------------------------------------------------------------------------------


def test_to_another_folder(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, before = project.with_name("churn-storage"), configs(project)
    there = kept(old)
    new = tmp_path / "a nas, ü" / "churn"
    assert main(["storage", "move", str(new)]) == 0
    assert kept(new) == there == kept(old)
    assert configs(project)[0] == before[0], "a folder of this machine is nobody else's business"
    assert Storage(Repository(project)).remote_folder == new / "dvc"
    output = said(capsys)
    assert f"the storage is now {new}; {old} keeps all that it had" in output and "Next: git add" not in output
    assert git(project, "status", "--porcelain") == ""
    # Another clone on this machine follows, a new one too.
    other = clone(project)
    assert connect(Repository(other)) is None
    assert Storage(Repository(other)).remote_folder == new / "dvc"
    # And back: all is as it was.
    assert main(["storage", "move", str(old)]) == 0
    assert connect(Repository(other)) is None
    for path in (project, other):
        assert Storage(Repository(path)).remote_folder == old / "dvc"
    assert configs(project) == before and not (old / "moved-to").exists()


def test_to_a_bucket_and_a_fresh_clone_pulls_from_there(project: Path, s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    there = kept(project.with_name("churn-storage"))
    assert main(["storage", "move", f"s3://{BUCKET}/a/churn/"]) == 0
    found = objects(s3, "a/churn/")
    assert {name: content for name, content in found.items() if name != "README.txt"} == there
    config, local = configs(project)
    assert config.endswith(f"['remote \"storage\"']\n    url = s3://{BUCKET}/a/churn/dvc\n") and local == ""
    assert '"dvc[s3]>=3.67"' in (project / "pyproject.toml").read_text()
    shipped = (ROOT / TEMPLATE / clouds.TOOLS).read_text()
    assert (project / clouds.TOOLS).read_text() == clouds.with_pins(shipped, ["s3"])
    (step,) = [line.removeprefix("Next: ") for line in said(capsys).splitlines() if line.startswith("Next: ")]
    subprocess.run(["sh", "-ec", step], check=True, capture_output=True)
    assert git(project, "status", "--porcelain", "--branch") == "## main...origin/main"
    project.with_name("churn-storage").joinpath("dvc").rename(project.with_name("nowhere"))
    other = clone(project)
    assert connect(Repository(other)) is None
    pull(other)
    assert (other / small.ARTIFACT).read_bytes() == (project / small.ARTIFACT).read_bytes()
    # A release from before the move has the old configuration: the bytes come from the new place all the same.
    git(other, "checkout", "-q", "v0.1.0")
    assert connect(Repository(other)) is None
    assert Storage(Repository(other)).remote == f"s3://{BUCKET}/a/churn/dvc"
    pull(other)
    assert (other / small.ARTIFACT).read_bytes() == b"a model with C=1.0\n"
    assert git(other, "status", "--porcelain") == ""
    git(other, "checkout", "-q", "main")
    assert connect(Repository(other)) is None
    assert configs(other)[1].strip() == ""


def test_a_clone_from_before_follows_when_the_move_is_pulled(project: Path, s3: Any) -> None:
    other = clone(project)
    assert connect(Repository(other)) is None
    assert main(["storage", "move", f"s3://{BUCKET}/x"]) == 0
    git(project, "commit", "-qam", "Move")
    git(project, "push", "-q")
    assert connect(Repository(other)) is None
    assert Storage(Repository(other)).remote_folder == project.with_name("churn-storage") / "dvc", "not pulled yet"
    git(other, "pull", "-q")
    assert connect(Repository(other)) is None
    assert Storage(Repository(other)).remote == f"s3://{BUCKET}/x/dvc"


def test_what_a_person_chose_for_a_clone_stays(project: Path, s3: Any, tmp_path: Path) -> None:
    other, mirror = clone(project), tmp_path / "mirror"
    mirror.mkdir()
    (other / LOCAL_CONFIG).write_text(f"['remote \"storage\"']\n    url = {mirror}\n")
    assert connect(Repository(other)) is None
    assert Storage(Repository(other)).remote_folder == mirror


def test_from_a_bucket_to_a_folder_and_all_is_as_it_was(project: Path, s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    old = project.with_name("churn-storage")
    there, before = kept(old), configs(project)
    assert main(["storage", "move", f"s3://{BUCKET}/x"]) == 0
    git(project, "commit", "-qam", "Move")
    git(project, "push", "-q")
    (published := old / "releases/data-science/churn/versions/v0.1.0/churn.skops").unlink()
    capsys.readouterr()
    assert main(["storage", "move", str(old)]) == 0
    assert kept(old) == there and published.exists()
    assert f"read back from {old}/dvc and equal ({len([n for n in there if n.startswith('dvc')])} were there already)" in said(
        capsys
    )
    assert configs(project) == before
    git(project, "commit", "-qam", "Move back")
    assert git(project, "diff", "HEAD~2", "--stat") == ""


def test_an_own_server_is_named_with_the_place(
    project: Path, s3: Any, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert main(["storage", "move", f"s3://{BUCKET}/x", "--endpoint-url", server]) == 0
    assert configs(project)[0].endswith(f"    url = s3://{BUCKET}/x/dvc\n    endpointurl = {server}\n")
    git(project, "commit", "-qam", "Move")
    git(project, "checkout", "-q", "v0.1.0")
    assert connect(Repository(project)) is None
    assert configs(project)[1] == configs_of(server)
    git(project, "checkout", "-q", "main")
    assert main(["storage", "move", str(tmp_path / "nas")]) == 0
    assert "endpointurl" not in "".join(configs(project))


def configs_of(server: str) -> str:
    return f"['remote \"storage\"']\n    url = s3://{BUCKET}/x/dvc\n    endpointurl = {server}\n"


def test_as_an_answer_it_is_as_good_as_at_generation(
    template: Path, tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"s3://{BUCKET}/x"
    for name in ("made", "other"):
        (tmp_path / name).mkdir()
    made = run_cookiecutter(template, tmp_path / "made", (), {}).project
    other = run_cookiecutter(template, tmp_path / "other", (), {"storage_url": url}).project
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    def setup(*options: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "versioning", "setup", "--no-install", *options]
        done = subprocess.run(command, cwd=made, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout

    status, output = setup("--storage", url)
    assert status == 1 and git(made, "status", "--porcelain") == "" and objects(s3, "x/") == {}
    assert '+    "dvc[s3]>=3.67",' in output and f"+    url = {url}/dvc" in output
    assert output.splitlines()[-1].endswith(f"setup --no-install --storage {url} --yes")
    assert setup("--storage", url, "--yes")[0] == 0
    git(made, "add", "-A")
    assert git(made, "ls-files", "-s") == git(other, "ls-files", "-s")
    assert setup("--storage", url, "--yes") == (0, "nothing to change: these answers are given already\n")
    assert setup("--storage", str(made.with_name("customer-churn-storage")), "--yes")[0] == 0
    git(made, "add", "-A")
    assert git(made, "status", "--porcelain") == ""


def test_a_clone_that_has_not_followed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, other = project.with_name("churn-storage"), tmp_path / "nas", clone(project)
    assert connect(Repository(other)) is None
    pull(other)
    assert main(["storage", "move", str(new)]) == 0
    before, there = configs(other), kept(old)
    assert str(old) in before[1]
    name = f"dvc/files/md5/{(md5 := hashlib.md5(b'a model with C=1.0' + bytes([10])).hexdigest())[:2]}/{md5[2:]}"
    git(other, "checkout", "-q", "v0.1.0")
    pull(other)
    release = [["v0.1.0"], [git(other, "rev-parse", "v0.1.0^{commit}")]]
    monkeypatch.chdir(other)
    capsys.readouterr()
    main(["doctor"])
    assert f"the storage moved to {new}, and this clone still has {old}/dvc" in said(capsys)
    # The new place is not there now: nothing goes to the old one, where nobody looks any more.
    new.rename(tmp_path / "unplugged")
    (old / name).unlink()
    (finding,) = gate.push_data(Repository(other), *release)
    assert f"is {new}/dvc, which is not here" in finding.message and finding.hint == "python3 -m versioning setup"
    assert configs(other) == before and not (old / name).exists()
    (tmp_path / "unplugged").rename(new)
    (new / name).unlink()
    assert gate.push_data(Repository(other), *release) == []
    assert f"the storage moved to {new}, and this clone with it" in said(capsys)
    assert kept(new) == there and not (old / name).exists()
    assert Storage(Repository(other)).remote_folder == new / "dvc"


def test_what_came_late_to_the_old_place_is_brought(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = project.with_name("churn-storage"), tmp_path / "nas"
    assert main(["storage", "move", str(new)]) == 0
    name = f"dvc/files/md5/{(md5 := hashlib.md5(b'late').hexdigest())[:2]}/{md5[2:]}"
    (old / name).parent.mkdir(exist_ok=True)
    (old / name).write_bytes(b"late")
    capsys.readouterr()
    assert main(["storage", "move", str(new)]) == 0
    came = f"dvc: 1 files came to {old}/dvc after the move, and are copied to {new}/dvc now"
    assert said(capsys).splitlines() == [came.replace("/dvc ", " "), f"the storage is {new} already"]
    assert kept(new) == kept(old)
    assert main(["storage", "move", str(new)]) == 0
    assert said(capsys) == f"the storage is {new} already\n"


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_interrupted_it_goes_on(
    project: Path, s3: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = configs(project)
    real, calls = transfer._copy_one, []

    def dies(*arguments: Any) -> bool | None:
        calls.append(arguments[2])
        if len(calls) > 5:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(transfer, "_copy_one", dies)
    assert main(["storage", "move", f"s3://{BUCKET}/x"]) == 130
    assert configs(project) == before and git(project, "status", "--porcelain") == ""
    monkeypatch.setattr(transfer, "_copy_one", real)
    capsys.readouterr()
    assert main(["storage", "move", f"s3://{BUCKET}/x"]) == 0
    assert "were there already)" in said(capsys)
    assert {k: v for k, v in objects(s3, "x/").items() if k != "README.txt"} == kept(project.with_name("churn-storage"))
    assert main(["storage", "move", f"s3://{BUCKET}/x"]) == 0
    assert said(capsys) == f"the storage is s3://{BUCKET}/x already\n"


def test_half_an_object_is_copied_again(project: Path, tmp_path: Path) -> None:
    there = kept(project.with_name("churn-storage"))
    name, other = [name for name in there if name.startswith("dvc/")][:2]
    for place, content in ((name, there[name][:-3]), (other, b"x" * len(there[other]))):
        (tmp_path / "nas" / place).parent.mkdir(parents=True)
        (tmp_path / "nas" / place).write_bytes(content)
    assert main(["storage", "move", str(tmp_path / "nas")]) == 0
    assert kept(tmp_path / "nas") == there


def test_a_damaged_object_is_named_and_nothing_is_switched(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = next(name for name in kept(project.with_name("churn-storage")) if name.startswith("dvc/"))
    place, before = project.with_name("churn-storage") / name, configs(project)
    content = place.read_bytes()
    place.write_bytes(content + b"!")
    assert main(["storage", "move", str(tmp_path / "nas")]) == 1
    output = said(capsys)
    assert f"damaged, for the bytes are not those of the MD5 in the name: {place}; nothing was switched" in output
    assert configs(project) == before and not (tmp_path / "nas" / name).exists()
    hint = output.partition("hint: ")[2].partition(" && ")[0]
    subprocess.run(["sh", "-ec", hint], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "push", "-q", "--all-commits"], check=True)
    assert place.read_bytes() == content
    assert main(["storage", "move", str(tmp_path / "nas")]) == 0


def test_what_reads_back_otherwise_is_not_switched_to(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dvc.fs import LocalFileSystem

    def loses_a_byte(self: Any, local: str, remote: str, **options: Any) -> None:
        Path(remote).parent.mkdir(parents=True, exist_ok=True)
        content = Path(local).read_bytes()
        Path(remote).write_bytes(content[:-1] if "/releases/" in remote else content)

    monkeypatch.setattr(LocalFileSystem, "put_file", loses_a_byte)
    before = configs(project)
    assert main(["storage", "move", str(tmp_path / "nas")]) == 1
    assert "does not read back as it was written" in said(capsys)
    assert configs(project) == before


def test_what_lies_behind_links_is_copied_too(project: Path, tmp_path: Path) -> None:
    old = project.with_name("churn-storage")
    there = kept(old)
    for part in ("dvc/files", "releases"):
        (old / part).rename(tmp_path / part.replace("/", "-"))
        (old / part).symlink_to(tmp_path / part.replace("/", "-"))
    (old / "dvc/files/around").symlink_to(old / "dvc")
    assert main(["storage", "move", str(tmp_path / "nas")]) == 0
    assert kept(tmp_path / "nas") == there


@pytest.mark.parametrize("name", ["dvc", "another"])
def test_releases_are_copied_where_dvc_itself_is_a_link(project: Path, tmp_path: Path, name: str) -> None:
    old = project.with_name("churn-storage")
    there = kept(old)
    (tmp_path / "disk").mkdir()
    (old / "dvc").rename(tmp_path / "disk" / name)
    (old / "dvc").symlink_to(tmp_path / "disk" / name)
    assert main(["storage", "move", str(tmp_path / "nas")]) == 0
    assert kept(tmp_path / "nas") == there
    assert main(["storage", "move", str(old)]) == 0
    assert Storage(Repository(project)).remote_folder == tmp_path / "disk" / name


@pytest.mark.parametrize("part", ["dvc/files", "releases", "dvc/files/md5/00"])
def test_a_link_that_leads_nowhere_is_named(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str) -> None:
    place, before = project.with_name("churn-storage") / part, configs(project)
    if place.exists():
        place.rename(tmp_path / "away")
    place.symlink_to(tmp_path / "unplugged")
    assert main(["storage", "move", str(tmp_path / "nas")]) == 1
    assert f"{place} is a link to {tmp_path / 'unplugged'}, which is not there" in said(capsys)
    assert configs(project) == before


def test_a_place_without_anything_of_the_releases_is_not_moved(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, before = project.with_name("churn-storage"), configs(project)
    (old / "dvc/files").rename(tmp_path / "away")
    assert main(["storage", "move", str(tmp_path / "nas")]) == 1
    output = said(capsys)
    assert f"{old}/dvc holds nothing of any release, such as {small.ARTIFACT} of v0.1.0 with the MD5 " in output
    assert "nothing was switched" in output
    assert configs(project) == before and not (tmp_path / "nas").exists()
    subprocess.run([sys.executable, "-m", "dvc", "push", "-q", "--all-tags"], check=True)
    assert main(["storage", "move", str(tmp_path / "nas")]) == 0


@pytest.mark.parametrize("cloud", [False, True])
def test_nothing_that_is_there_is_overwritten(
    project: Path, s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], cloud: bool
) -> None:
    there, before = kept(project.with_name("churn-storage")), configs(project)
    name = next(name for name in there if name.endswith("churn.skops"))
    own = {"README.txt": b"mine\n", name: b"another one's model\n"}
    url = f"s3://{BUCKET}/x" if cloud else str(tmp_path / "nas")

    def put(place: str, content: bytes) -> None:
        if cloud:
            s3.put_object(Bucket=BUCKET, Key=f"x/{place}", Body=content)
        else:
            (tmp_path / "nas" / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "nas" / place).write_bytes(content)

    def found() -> dict[str, bytes]:
        return objects(s3, "x/") if cloud else bytes_of(tmp_path / "nas")

    for place, content in own.items():
        put(place, content)
    assert main(["storage", "move", url]) == 1
    one, other = (f"{len(it)} bytes with the SHA-256 {hashlib.sha256(it).hexdigest()[:10]}…" for it in (own[name], there[name]))
    output = said(capsys)
    assert f"{url}/{name} is there already with other bytes ({one}; to be copied: {other}); nothing is overwritten" in output
    assert configs(project) == before and {place: found()[place] for place in own} == own
    put(name, there[name])
    assert main(["storage", "move", url]) == 0
    assert found() == {**there, "README.txt": b"mine\n"}


@pytest.mark.parametrize("place", [".", "store", "a/b", ".git/store", "{linked}"])
def test_a_place_in_the_repository_is_refused(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    before = configs(project)
    (tmp_path / "linked").symlink_to(project)
    url = place.format(linked=tmp_path / "linked/store")
    assert main(["storage", "move", url]) == 2
    output = said(capsys)
    assert f"{(project / url).resolve()} is inside the repository, " in output
    assert f"hint: model storage move {project}-storage" in output
    assert main(["setup", "--no-install", "--storage", url, "--yes"]) == 2
    assert configs(project) == before and git(project, "status", "--porcelain") == ""


def test_a_place_whose_name_begins_as_that_of_the_repository(project: Path) -> None:
    assert main(["storage", "move", f"../{project.name}-2"]) == 0
    assert Storage(Repository(project)).remote_folder == project.with_name(f"{project.name}-2") / "dvc"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://bucket/x", "'ftp://bucket/x' is not a storage"),
        ("s3://", "'s3://' is not a storage"),
        ("", "'' is not a storage"),
        ("s3://bucket/a b", "is not a storage"),
        ("{project}/params.yaml", "params.yaml is a file"),
        ("{project}/../churn-storage/dvc/x", "lie in one another"),
    ],
)
def test_a_place_that_is_none(project: Path, capsys: pytest.CaptureFixture[str], url: str, message: str) -> None:
    before = configs(project)
    assert main(["storage", "move", url.format(project=project)]) == 2
    output = said(capsys)
    assert message in output and output.startswith("error: ") and len(output.splitlines()) == 1
    assert configs(project) == before and git(project, "status", "--porcelain") == ""


def test_a_bucket_that_is_not_there_and_one_without_credentials(project: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = configs(project)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / TEMPLATE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def refused(url: str) -> list[str]:
        command = [sys.executable, "-P", "-m", "versioning", "storage", "move", url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stdout == ""
        assert configs(project) == before and git(project, "status", "--porcelain") == ""
        return done.stderr.splitlines()

    error, hint = refused("s3://nosuchbucket/x")
    assert error.startswith("error: s3://nosuchbucket/x cannot be written: The specified bucket does not exist")
    assert hint == "  hint: make the bucket first, or mend its name"
    del environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    error, hint = refused(f"s3://{BUCKET}/x")
    assert "Unable to locate credentials" in error and "AWS_ACCESS_KEY_ID" in hint


def test_a_folder_that_cannot_be_written(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["storage", "move", str(tmp_path / "file/below")]) == 1
    output = said(capsys)
    assert output.startswith(f"error: {tmp_path}/file/below cannot be written: ") and len(output.splitlines()) == 1


def test_a_remote_of_another_name_or_layout(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / LOCAL_CONFIG).write_text(f"[core]\n    remote = own\n['remote \"own\"']\n    url = {tmp_path}\n")
    assert main(["storage", "move", str(tmp_path / "nas")]) == 2
    assert "hint: dvc remote rename own storage" in said(capsys)
    (project / LOCAL_CONFIG).write_text(f"['remote \"storage\"']\n    url = {tmp_path}\n")
    assert main(["storage", "move", str(tmp_path / "nas")]) == 2
    assert "so ends with /dvc" in said(capsys)


def test_a_lock_that_was_resolved_anew_and_does_not_fit(project: Path, s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with (project / clouds.TOOLS).open("a") as stream:
        stream.write(f"wrapt==0.0.1 \\\n    --hash=sha256:{'0' * 64}\n")
    git(project, "commit", "-qam", "Resolve anew")
    before = configs(project)
    assert main(["storage", "move", f"s3://{BUCKET}/x"]) == 2
    assert "requirements-dev.lock was resolved anew and has wrapt 0.0.1" in said(capsys)
    assert configs(project) == before and git(project, "status", "--porcelain") == ""


# --- a machine that cannot reach it -----------------------------------------------------------------------------------


def test_where_the_storage_cannot_be_reached_one_line_says_so(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = clone(project)
    git(other, "remote", "set-url", "origin", "ada@example.org:churn.git")
    line = connect(Repository(other)) or ""
    assert "\n" not in line and line == unreachable(Repository(other))
    maker = git(project, "log", "--max-parents=0", "--format=%an <%ae>")
    assert f"is a folder on the machine of {maker}, who made it, beside ada@example.org:churn.git" in line
    assert "model storage move s3://" in line
    monkeypatch.chdir(other)
    capsys.readouterr()
    assert main(["storage", "move", "s3://anywhere/x"]) == 1
    assert said(capsys) == f"error: {line}\n"
    assert main(["doctor"]) == 1
    assert line in said(capsys)
    assert configs(other)[1] == "" and git(other, "status", "--porcelain") == ""


# --- parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [["s3"], ["gs"], ["azure"], ["s3", "azure"]])
def test_pins_are_appended_and_taken_out(chosen: list[str]) -> None:
    shipped = (ROOT / TEMPLATE / clouds.TOOLS).read_text()
    more = clouds.with_pins(shipped, chosen)
    assert more.startswith(shipped) and all(f"\ndvc-{name}==" in more for name in chosen)
    names = [line.partition("==")[0] for line in more.removeprefix(shipped).splitlines() if not line.startswith(("#", " "))]
    assert len(names) == len(set(names)) > 5
    assert clouds.with_pins(more, chosen) == more
    assert clouds.with_pins(more, []) == shipped


@pytest.mark.parametrize(
    ("text", "more", "less"),
    [
        ('  "dvc>=3.67",', '  "dvc[s3]>=3.67",', '  "dvc>=3.67",'),
        ('  "dvc",', '  "dvc[s3]",', '  "dvc",'),
        ('  "dvc[ssh, gs]>=3",', '  "dvc[ssh,s3]>=3",', '  "dvc[ssh]>=3",'),
        ('  "dvc-objects",\n  "dvc ~=3",', '  "dvc-objects",\n  "dvc[s3] ~=3",', '  "dvc-objects",\n  "dvc ~=3",'),
    ],
)
def test_extras(text: str, more: str, less: str) -> None:
    assert clouds.with_extras(text, ["s3"]) == more
    assert clouds.with_extras(more, []) == less
    assert clouds.asked(more) == ["s3"] and clouds.asked(less) == []


@pytest.mark.parametrize("url", ["s3://b", "s3://b/a/c", "gs://b/ü", "azure://c/x%20y", "s3://b/it's"])
def test_a_url_is_what_generation_takes(url: str) -> None:
    from template_answers import storage

    assert clouds.place(f" {url}/ ") == storage.storage_url(f" {url}/ ", "churn") == url


def test_digests_of_a_place(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"content")
    here = transfer.place(str(tmp_path), {})
    assert here.files() == {"x": 7} and here.digest("x", "sha256") == hashlib.sha256(b"content").hexdigest()
    assert here.below("none").files() == {}
