"""Errors that a user can fix: one line each, and exit code 2 on the command line."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class UserError(ValueError):
    """Invalid input; the message names the setting, its value and what would be right."""


class OutputClosed(Exception):
    """The reader of the standard output has closed it, as in ``cortexsim models | head -1``."""


@contextmanager
def error_prefix(what: str) -> Iterator[None]:
    """Prefix the message of any `UserError` raised in the block with ``what`` and a colon.

    >>> with error_prefix("a.toml"):
    ...     raise UserError("eta = -1: negative (above 0)")
    Traceback (most recent call last):
    cortexsim.errors.UserError: a.toml: eta = -1: negative (above 0)
    """
    try:
        yield
    except UserError as error:
        raise UserError(f"{what}: {error}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name closest to a misspelt one, or list all known names if none is close.

    >>> nearest("clap", ["clapp", "hebb"])
    "did you mean 'clapp'?"
    """
    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
