"""How much commands print, in all of their processes: results alone, progress as well, or every step."""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from cortexsim.errors import UserError

VARIABLE = "CORTEXSIM_VERBOSITY"


def quiet() -> bool:
    """Whether progress and notices are left out."""
    return os.environ.get(VARIABLE) == "quiet"


def verbose() -> bool:
    """Whether every epoch, every run, versions, and the origin of errors are printed."""
    return os.environ.get(VARIABLE) == "verbose"


@contextmanager
def verbosity(only_results: bool, every_step: bool) -> Iterator[None]:
    """Set how much is printed in the block, in this process and in those that it starts.

    >>> with verbosity(only_results=True, every_step=False):
    ...     quiet()
    True

    Raises:
        UserError: both were asked for.
    """
    if only_results and every_step:
        raise UserError("--quiet: not with --verbose (leave one of them out)")
    before = os.environ.get(VARIABLE)
    if only_results or every_step:
        os.environ[VARIABLE] = "quiet" if only_results else "verbose"
    try:
        yield
    except UserError:
        if verbose():
            traceback.print_exc()
        raise
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before
