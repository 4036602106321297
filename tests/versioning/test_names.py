"""The grammar of versions and release tags: literal tables both ways, the round trip, and SemVer's order."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import git
from versioning.names import Attempt, ReleaseTag, Version, parse_tag

VERSIONS = {
    "v0.1.0": Version(0, 1, 0),
    "v1.2.3": Version(1, 2, 3),
    "v10.20.30": Version(10, 20, 30),
    "v1.2.0-rc.1": Version(1, 2, 0, ("rc", "1")),
    "v1.0.0-alpha-a.b-c.0a.x-y-z": Version(1, 0, 0, ("alpha-a", "b-c", "0a", "x-y-z")),
    "v1.0.0--": Version(1, 0, 0, ("-",)),
    "v99999999999999999999999.0.0": Version(99999999999999999999999, 0, 0),
}

NO_VERSIONS = (
    "", "v", "1.2.3", "V1.2.3", "v1", "v1.2", "v1.2.3.4", "v01.2.3", "v1.02.3", "v1.2.03", "v1.2.3-", "v1.2.3-rc..1", "v1.2.3-01",
    "v1.2.3-rc.01", "v1.2.3+build", "v1.2.3-rc.1+build", "v1.2.3 ", " v1.2.3", "v1.2.3\n", "v-1.2.3", "v1.2.3-é", "v١.٢.٣", "vv1.2.3",
)  # fmt: skip

TAGS = {
    "v1.2.0": ReleaseTag(None, Version(1, 2, 0)),
    "churn/v1.2.0": ReleaseTag("churn", Version(1, 2, 0)),
    "customer-churn-2/v1.2.0-rc.1": ReleaseTag("customer-churn-2", Version(1, 2, 0, ("rc", "1"))),
    "v1.2.0-staging2": ReleaseTag(None, Version(1, 2, 0, ("staging2",))),
    "v1.2.0-rc.prod": ReleaseTag(None, Version(1, 2, 0, ("rc", "prod"))),
}

#: Meant as a release, refused, and what is right.
ATTEMPTS = {
    "v1": "v1.0.0",
    "V1": "v1.0.0",
    "v1.2": "v1.2.0",
    "V1.0.0": "v1.0.0",
    "1.0.0": "v1.0.0",
    "v01.0.0": "v1.0.0",
    "v1.0.0+build": "v1.0.0",
    "1.2.3-rc.1": "v1.2.3-rc.1",
    "v1.0.0rc1": "v1.0.0-rc.1",
    "v1.0.0-rc1.": "v1.0.0",
    "v1.0.0.beta2": "v1.0.0-beta.2",
    "v1.0.0-01": "v1.0.0",
    "v1.2.0-prod": "v1.2.0",
    "v1.2.0-staging.1": "v1.2.0",
    "churn/1.2.0": "churn/v1.2.0",
    "churn/v1.2": "churn/v1.2.0",
    "churn/v1.2.0-prod": "churn/v1.2.0",
}

#: None of ours: dates, names, other people's.
NOTHING = (
    "2024-11-05", "20241105", "2024.11.05", "v2024.11.05", "2024-11-05-nightly", "nightly-1", "v2-notes", "v1.2-notes", "20", "3.11",
    "10.0.0.1", "latest", "release", "vision", "", "v", "approval/churn/prod/v1.2.0/ada", "a/b/v1.2.0", "Churn/v1.2.0", "-churn/v1.2.0",
    "churn-/v1.2.0", "churn@v1.2.0", "churn#prod#1", "refs/tags/v1.2.0", f"{'a' * 64}/v1.2.0", "/v1.2.0",
)  # fmt: skip

#: Item 11 of semver.org, its examples in rising order.
RISING = [
    "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta", "v1.0.0-beta.2", "v1.0.0-beta.11", "v1.0.0-rc.1",
    "v1.0.0", "v2.0.0", "v2.1.0", "v2.1.1",
]  # fmt: skip

BUMPS = {
    ("v1.2.3", "patch"): "v1.2.4",
    ("v1.2.3", "minor"): "v1.3.0",
    ("v1.2.3", "major"): "v2.0.0",
    ("v1.2.3-rc.1", "patch"): "v1.2.3",
    ("v1.2.3-rc.1", "minor"): "v1.3.0",
    ("v1.3.0-rc.1", "patch"): "v1.3.0",
    ("v1.3.0-rc.1", "minor"): "v1.3.0",
    ("v1.3.0-rc.1", "major"): "v2.0.0",
    ("v2.0.0-rc.1", "patch"): "v2.0.0",
    ("v2.0.0-rc.1", "minor"): "v2.0.0",
    ("v2.0.0-rc.1", "major"): "v2.0.0",
    ("v2.0.1-rc.1", "major"): "v3.0.0",
}


@pytest.mark.parametrize(("text", "version"), VERSIONS.items())
def test_a_version_is_read_and_written(text: str, version: Version) -> None:
    assert Version.parse(text) == version
    assert str(version) == text


@pytest.mark.parametrize("text", NO_VERSIONS)
def test_what_is_no_version_is_not_read(text: str) -> None:
    assert Version.parse(text) is None


@pytest.mark.parametrize(("name", "tag"), TAGS.items())
def test_a_release_tag_is_read(name: str, tag: ReleaseTag) -> None:
    assert parse_tag(name) == tag


@pytest.mark.parametrize(("name", "right"), ATTEMPTS.items())
def test_an_attempt_is_told_the_right_form(name: str, right: str) -> None:
    meaning = parse_tag(name)
    assert isinstance(meaning, Attempt)
    assert (meaning.name, meaning.right) == (name, right)
    assert isinstance(parse_tag(right), ReleaseTag)


@pytest.mark.parametrize("name", NOTHING)
def test_other_names_are_none_of_ours(name: str) -> None:
    assert parse_tag(name) is None


def test_a_model_name_has_at_most_63_letters() -> None:
    assert parse_tag(f"{'a' * 63}/v1.0.0") == ReleaseTag("a" * 63, Version(1, 0, 0))


def test_the_examples_of_semver_rise() -> None:
    versions = [Version.parse(text) for text in RISING]
    for one, other in itertools.combinations(versions, 2):
        assert one < other and other > one and one != other  # type: ignore[operator]


@pytest.mark.parametrize(("given_", "following"), BUMPS.items())
def test_a_bump_finishes_a_candidate_first(given_: tuple[str, str], following: str) -> None:
    version = Version.parse(given_[0])
    assert version and str(version.bump(given_[1])) == following


numbers = st.integers(min_value=0, max_value=10**30)
identifiers = st.one_of(
    numbers.map(str),
    st.from_regex(r"\A[0-9]*[A-Za-z-][0-9A-Za-z-]{0,8}\Z"),
)
versions = st.builds(Version, numbers, numbers, numbers, st.lists(identifiers, max_size=4).map(tuple))


@given(versions)
def test_what_is_written_is_read_back(version: Version) -> None:
    assert Version.parse(str(version)) == version
    meaning = parse_tag(str(version))
    assert meaning == ReleaseTag(None, version) or (isinstance(meaning, Attempt) and meaning.right == str(version.final))


@given(versions, versions, versions)
def test_the_order_is_total(one: Version, two: Version, three: Version) -> None:
    assert sum((one < two, one == two, one > two)) == 1
    low, middle, high = sorted((one, two, three))
    assert low <= middle <= high and low <= high


@given(versions, st.sampled_from(["major", "minor", "patch"]))
def test_a_bump_is_newer_and_final(version: Version, part: str) -> None:
    assert version.bump(part) > version
    assert not version.bump(part).pre


@given(st.text(max_size=40))
def test_any_name_is_read_without_an_error(name: str) -> None:
    meaning = parse_tag(name)
    if isinstance(meaning, ReleaseTag):
        assert name == f"{meaning.model}/{meaning.version}" if meaning.model else str(meaning.version)
    elif isinstance(meaning, Attempt):
        assert isinstance(parse_tag(meaning.right), ReleaseTag)


def test_every_release_tag_is_a_name_that_git_takes(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for name in (*TAGS, *(str(version) for version in VERSIONS.values())):
        git(tmp_path, "check-ref-format", f"refs/tags/{name}")
