"""Code generation targets of layers in Brian2."""

from typing import Literal, get_args

from cortexsim.errors import UserError, nearest

Target = Literal["cpp", "numpy", "cython"]


def checked_target(name: str) -> str:
    """Check the name of a target.

    >>> checked_target("cp")
    Traceback (most recent call last):
    cortexsim.errors.UserError: --target cp: not known (did you mean 'cpp'?)

    Raises:
        UserError: where it is unknown.
    """
    if name not in get_args(Target):
        raise UserError(f"--target {name}: not known ({nearest(str(name), get_args(Target))})")
    return name
