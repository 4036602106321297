"""The sidecars of `examples/`: each file there is a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import ROOT
from tests.versioning import small
from tests.versioning.mutants import mutants
from versioning import documents, judge, sidecar
from versioning.checks import RULES
from versioning.documents import MAX_JSON_BYTES
from versioning.errors import Malformed
from versioning.findings import Finding, Report, as_text
from versioning.git import Repository

EXAMPLES = ROOT / "examples"
VALID = sorted((EXAMPLES / "valid").glob("*.json"))
INVALID = sorted((EXAMPLES / "invalid").glob("*/*.json"))
#: What another rule must say of the same words: a wrong form is a wrong value too, and what is left out is off the checklist.
ALSO = {
    "SC02": set(RULES),
    "ME02": {"ME01", "ME03"},
    "ME01": {"ME03"},
    "AR01": {"AR03", "AR04"},
    "AR02": {"AR01"},
    "DA01": {"AR04", "DA02"},
    "EN01": {"AR04"},
}
REWRITE = "the small repository is another; bring that into the examples: python -m tests.versioning.small"


def name(path: Path) -> str:
    return path.relative_to(EXAMPLES).as_posix()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> small.Small:
    return small.build(tmp_path_factory.mktemp("examples") / "small")


def judged(repository: small.Small, content: bytes, version: str | None = None) -> list[Finding]:
    """What the gate finds when the release of the small repository has this sidecar in place of its own."""
    tag = version or repository.version
    with Repository(repository.path) as opened:
        report = judge.tagged(opened, tag, repository.forge({**repository.renamed(tag), small.SIDECAR: content}))
    assert report is not None
    return list(report.findings)


def is_valid_by_schema(content: bytes) -> bool:
    """By the schema of its version, which a stranger's validator would take from its `$id`; by ours where it names none."""
    value = documents.load_json(content)
    version = value.get("schema_version") if isinstance(value, dict) else None
    known = type(version) is int and 1 <= version <= sidecar.SCHEMA_VERSION
    return Draft202012Validator(sidecar.schema(version if known else sidecar.SCHEMA_VERSION)).is_valid(value)


def test_the_examples_are_of_the_small_repository_as_it_is(repository: small.Small) -> None:
    """A change of the small repository changes its commit ids: then the examples are to be rewritten."""
    assert (EXAMPLES / "valid/full.json").read_bytes() == repository.files[small.SIDECAR], REWRITE


@pytest.mark.parametrize("path", VALID, ids=name)
def test_valid(repository: small.Small, path: Path) -> None:
    found = judged(repository, path.read_bytes(), json.loads(path.read_bytes())["version"])
    assert not found, as_text(Report(found))
    assert is_valid_by_schema(path.read_bytes())


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_invalid_by_exactly_this_rule(repository: small.Small, path: Path) -> None:
    code = path.parent.name
    assert code in RULES, f"{path.parent} is named for no rule"
    found = judged(repository, path.read_bytes())
    codes = {finding.code for finding in found}
    assert code in codes and codes <= {code, *ALSO.get(code, set())}, as_text(Report(found))
    assert all(finding.hint for finding in found)


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_the_schema_alone_refuses_form_and_nothing_else(path: Path) -> None:
    """SC02 is the schema's, but for what JSON Schema cannot say; other lies have a sound form, and SC01 has none."""
    code, content = path.parent.name, path.read_bytes()
    if code == "SC01":
        with pytest.raises(Malformed):
            documents.load_json(content)
    else:
        beyond = path.stem.startswith("beyond-schema-")
        assert is_valid_by_schema(content) == (code != "SC02" or beyond)


def test_a_sidecar_that_is_too_large(repository: small.Small) -> None:
    """Made here, not stored."""
    value = json.loads(repository.files[small.SIDECAR])
    room = MAX_JSON_BYTES - len(documents.dump_json(value | {"extra": {"note": ""}}))
    fits = documents.dump_json(value | {"extra": {"note": "x" * room}})
    assert len(fits) == MAX_JSON_BYTES and judged(repository, fits) == []
    found = judged(repository, fits + b"\n")
    assert {finding.code for finding in found} == {"SC01"} and "at most 1,048,576 are read" in found[0].message


def test_there_is_an_example_of_every_lie_that_a_sidecar_alone_can_tell() -> None:
    there = {path.parent.name for path in INVALID}
    assert there >= {
        "SC01",
        "SC02",
        "AR01",
        "AR02",
        "AR03",
        "CO01",
        "CO03",
        "DA01",
        "HP01",
        "ME01",
        "ME02",
        "VE02",
        "EN01",
        "ST01",
    }


def test_the_quick_validator_says_yes_only_where_the_slow_one_does() -> None:
    """Every example, and every example with one value changed."""
    slow, quick, accepted = sidecar._validator(1), sidecar._quick(1), 0
    for path in (*VALID, *INVALID):
        try:
            content = documents.load_json(path.read_bytes())
        except Malformed:
            continue
        for value in [content, *(mutant.value for mutant in mutants(content, thin=True))]:
            if quick.is_valid(value):
                accepted += 1
                assert slow.is_valid(value), f"{path}: {value}"
    assert accepted > 1000
