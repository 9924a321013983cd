"""What users write in Python files of their own: rules, tasks."""

from pathlib import Path
from runpy import run_path
from typing import Any

from cortexsim.errors import UserError


def load_variable(path: Path, name: str, kind: str) -> Any:
    """Run a user's file, and give the value that it has under a name; None where it has none.

    Args:
        path: of the file.
        name: such as ``RULE``.
        kind: what the file is said to hold, such as ``rule``.

    Raises:
        UserError: one line naming the file, where there is none or it cannot be run.
    """
    if not path.is_file():
        raise UserError(f"{kind} file '{path}' does not exist")
    try:
        return run_path(str(path)).get(name)
    except UserError:
        raise
    except Exception as error:  # Whatever a user's file does wrong, its name belongs in front.
        raise UserError(f"{kind} file '{path}': {type(error).__name__}: {error}") from None
