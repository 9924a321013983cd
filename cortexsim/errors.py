"""Errors that a user can mend: one clear line each, and exit code 2 on the command line."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class UserError(ValueError):
    """A setting that cannot work; its text names the thing, the value, and what would be right."""


class OutputClosed(Exception):
    """Whoever read the standard output has closed it."""


@contextmanager
def error_prefix(what: str) -> Iterator[None]:
    """Put the name of a thing in front of whatever is wrong with it."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{what}: {error}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """Name the known word nearest to a misspelt one, or else list them all."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
