"""A second schema comes: what was released by the first stays released, and nobody has to touch it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import ROOT
from tests.versioning import small
from versioning import judge, sidecar
from versioning.documents import dump_json

PACKAGE = Path(judge.__file__).parent
#: Released sidecars are judged by these bytes for ever: to say something new, make a v2 instead.
FROZEN = {1: "8292cc6598c8be42b838a08a3246d20329279f71c5616feb60759a9ac9a8a952"}
FIELD = {"description": "Under which terms the model may be used.", "type": "string", "minLength": 1}


@pytest.fixture
def repository(tmp_path: Path) -> small.Small:
    return small.build(tmp_path / "small")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """A copy of the package, as a later version of the template has it: schema 2 requires a field that 1 did not know."""
    package = tmp_path / "later/versioning"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    schema = json.loads((PACKAGE / "schemas/sidecar.v1.json").read_bytes())
    schema["$id"] = schema["$id"].replace(":1", ":2")
    schema["properties"] |= {"schema_version": {"const": 2}, "license": FIELD}
    schema["required"].append("license")
    (package / "schemas/sidecar.v2.json").write_bytes(dump_json(schema))
    code = (package / "sidecar.py").read_text("utf-8")
    for old, new in {
        "SCHEMA_VERSION = 1": "SCHEMA_VERSION = 2",
        '"extra": field(previous, "extra"),': '"extra": field(previous, "extra"),\n        "license": "Apache-2.0",',
    }.items():
        assert old in code
        code = code.replace(old, new)
    (package / "sidecar.py").write_text(code, "utf-8")
    return package


def model(repository: small.Small, package: Path, *arguments: str) -> tuple[int, str]:
    """`python -m versioning` of a package, in the repository."""
    environment = os.environ | {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "versioning", *arguments]
    done = subprocess.run(command, cwd=repository.path, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def git(repository: small.Small, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(["git", *arguments], cwd=repository.path, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def described_by_two(repository: small.Small) -> bytes:
    value = json.loads(repository.files[small.SIDECAR])
    return dump_json(value | {"schema_version": 2, "license": "Apache-2.0"})


@pytest.mark.parametrize("version", range(1, sidecar.SCHEMA_VERSION + 1))
def test_a_schema_that_was_shipped_is_not_changed(version: int) -> None:
    content = (PACKAGE / "schemas" / sidecar.schema_name(version)).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert digest == FROZEN.get(version), (
        f"releases are judged by sidecar.v{version}.json: leave it, make a v{version + 1} instead"
    )


@pytest.mark.parametrize("version", range(1, sidecar.SCHEMA_VERSION + 1))
def test_a_schema_is_one_of_2020_12_and_names_itself(version: int) -> None:
    schema = sidecar.schema(version)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:model-versioning:sidecar:{version}"
    assert schema["properties"]["schema_version"]["const"] == version


def test_there_is_no_schema_that_no_version_names() -> None:
    there = {path.name for path in (PACKAGE / "schemas").iterdir()}
    assert there == {sidecar.schema_name(version) for version in range(1, sidecar.SCHEMA_VERSION + 1)} and set(FROZEN) == set(
        range(1, sidecar.SCHEMA_VERSION + 1)
    )


def test_releases_of_the_first_schema_stay_valid(repository: small.Small, second: Path) -> None:
    git(repository, "tag", "-a", repository.version, "-m", repository.version)
    for tag in ("v0.1.0", repository.version):
        assert model(repository, second, "check", tag)[0] == 0
    status, said = model(repository, second, "check", "--all-releases")
    assert status == 0 and "2 releases" in said, said


def test_histories_of_both_are_judged_each_by_its_own(repository: small.Small, second: Path) -> None:
    git(
        repository,
        "tag",
        "-a",
        repository.version,
        "-m",
        "of the second",
        repository.forge({small.SIDECAR: described_by_two(repository)}),
    )
    assert model(repository, second, "check", repository.version)[0] == 0
    status, said = model(repository, second, "check", "--all-releases")
    assert status == 0 and "2 releases" in said, said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema_version": 2}, "'license' is a required property"),
        ({"license": "Apache-2.0"}, "Additional properties are not allowed ('license' was unexpected)"),
        ({"schema_version": 3, "license": "Apache-2.0"}, "is 3; this repository knows 1 to 2"),
    ],
)
def test_nobody_chooses_the_schema_that_suits(repository: small.Small, second: Path, change: dict[str, Any], says: str) -> None:
    value = dump_json(json.loads(repository.files[small.SIDECAR]) | change)
    git(repository, "tag", "-a", repository.version, "-m", "a lie", repository.forge({small.SIDECAR: value}))
    status, said = model(repository, second, "check", repository.version)
    assert status == 1 and f"SC02 {says}" in said and "hint: dvc repro -f -s sidecar" in said, said


def test_a_sidecar_described_anew_is_of_the_newest(repository: small.Small, second: Path) -> None:
    status, said = model(repository, second, "sidecar")
    assert status == 0, said
    made = json.loads((repository.path / small.SIDECAR).read_bytes())
    before = json.loads(repository.files[small.SIDECAR])
    # The commit that it names is the newest that holds what made the model; both do.
    assert made == before | {"schema_version": 2, "license": "Apache-2.0", "commit": repository.commit}
    git(repository, "commit", "-q", "-am", "Describe the model as it is")
    git(repository, "tag", "-a", repository.version, "-m", repository.version)
    assert model(repository, second, "check", repository.version)[0] == 0


def test_installed_rules_that_are_older_than_the_commit_say_so(repository: small.Small, second: Path) -> None:
    """After a pull that brought schema 2: the rules in the common Git directory know 1. The hint, pasted, ends that."""
    (repository.path / ".venv").symlink_to(sys.prefix)
    shutil.copytree(PACKAGE, repository.path / "versioning", ignore=shutil.ignore_patterns("__pycache__"))
    assert model(repository, PACKAGE, "hooks", "install")[0] == 0
    shutil.copytree(second, repository.path / "versioning", dirs_exist_ok=True)
    (repository.path / small.SIDECAR).write_bytes(described_by_two(repository))
    assert git(repository, "add", "-A")[0] == 0
    assert git(repository, "commit", "-q", "--no-verify", "-m", "Take the template's update")[0] == 0
    status, said = git(repository, "tag", "-a", repository.version, "-m", repository.version)
    assert status != 0 and "SC02 is 2; the rules installed here know 1 to 1, those of commit" in said, said
    hint = said.split("hint: ")[1].splitlines()[0]
    assert hint.startswith(("model hooks install &&", "python3 -m versioning hooks install &&"))
    pasted = hint.replace("python3", sys.executable)
    done = subprocess.run(["sh", "-c", pasted], cwd=repository.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert repository.version in git(repository, "tag")[1]


def test_the_page_on_the_schema_has_every_field() -> None:
    page = (ROOT / "docs/schema.md").read_text("utf-8")
    assert fields_table() in page, f"docs/schema.md is to hold:\n\n{fields_table()}"


def fields_table() -> str:
    """The fields of the newest schema with what they mean, as the page shows them."""
    schema = sidecar.schema()
    return "\n".join(["| field | required | what it says |", "|---|---|---|", *_rows(schema, schema)])


def _rows(schema: dict[str, Any], part: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, written in part.get("properties", {}).items():
        content = schema["$defs"][written["$ref"].rpartition("/")[2]] | written if "$ref" in written else written
        yield f"| `{above}{name}` | {'yes' if name in part.get('required', []) else ''} | {content['description'].replace('<', '&lt;')} |"
        items = content.get("items", {})
        inside = schema["$defs"][items["$ref"].rpartition("/")[2]] if "$ref" in items else content
        yield from _rows(schema, inside, f"{above}{name}{'[]' if items else ''}.")
