"""The one way to refuse an answer."""

from __future__ import annotations

from cookiecutter.exceptions import FailedHookException


class RefusedAnswer(FailedHookException):  # type: ignore[misc]
    """An answer nothing can be made of; cookiecutter prints the message alone and exits with 1."""
