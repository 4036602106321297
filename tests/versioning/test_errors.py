"""Each kind of error has its exit code, and carries the command that mends it."""

from __future__ import annotations

import pytest

from versioning.errors import GitError, Malformed, UsageError, VersioningError


@pytest.mark.parametrize(("kind", "code"), [(VersioningError, 1), (GitError, 1), (Malformed, 1), (UsageError, 2)])
def test_the_exit_code_goes_with_the_kind(kind: type[VersioningError], code: int) -> None:
    error = kind("what is wrong", "git status")
    assert (str(error), error.hint, error.exit_code) == ("what is wrong", "git status", code)
    assert kind("what is wrong").hint is None
