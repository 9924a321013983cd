"""Checks of what is given to functions of the package, with messages that name the argument."""

from collections.abc import Iterable
from operator import index
from typing import Any, TypeVar

from cortexsim.errors import UserError

Item = TypeVar("Item")


def whole(name: str, value: Any, least: int) -> int:
    """Check that an argument is a whole number, of Python or of NumPy, that is not too small.

    >>> whole("samples", 16, least=2)
    16
    >>> whole("samples", 16.5, least=2)
    Traceback (most recent call last):
    cortexsim.errors.UserError: samples = 16.5: not a whole number of at least 2

    Raises:
        UserError: where it is not.
    """
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise UserError(f"{name} = {value!r}: not a whole number of at least {least}")
    return number


def several(name: str, values: Iterable[Item]) -> list[Item]:
    """Check that an argument is a list that is not empty.

    Raises:
        UserError: where it is empty, or a single thing.
    """
    found = [] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    if not found:
        raise UserError(f"{name} = {values!r}: not a list of one or more")
    return found
