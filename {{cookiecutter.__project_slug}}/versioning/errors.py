"""What can go wrong, and the exit code that each kind ends with."""

from __future__ import annotations


class VersioningError(Exception):
    """A fault that the user can mend: one sentence with the value, and the command that mends it."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(VersioningError):
    """The command line, the place or the repository is not one the verb can work with."""

    exit_code = 2


class GitError(VersioningError):
    """Git answered with an error; the message is Git's own."""


class Malformed(VersioningError):
    """A file that does not hold what its format says."""
