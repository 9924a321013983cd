"""Python files written by users, which define a rule, a task or an experiment."""

from pathlib import Path
from runpy import run_path
from typing import Any

from cortexsim.errors import UserError


def load_variable(path: Path, name: str, kind: str) -> Any:
    """Run a Python file and return one of its global variables, or None if it does not define that variable.

    Args:
        path: the file.
        name: the variable, such as ``RULE``.
        kind: what the file should define, such as ``rule``; used in error messages.

    Raises:
        UserError: the file does not exist, or raises an exception when it is run.
    """
    if not path.is_file():
        raise UserError(f"{kind} file '{path}' does not exist")
    try:
        return run_path(str(path)).get(name)
    except UserError:
        raise
    except Exception as error:  # A user's file can raise anything; the message has to name the file.
        raise UserError(f"{kind} file '{path}': {type(error).__name__}: {error}") from None
