"""Python files written by users, which define a rule, a cell, a task or an experiment."""

from importlib import import_module
from pathlib import Path
from runpy import run_path
from typing import Any, TypeVar

from cortexsim.errors import UserError, nearest

Found = TypeVar("Found")


def load_variable(path: Path, name: str, kind: str) -> Any:
    """Run a Python file and return one of its global variables, or None if it does not define that variable.

    >>> _ = Path("my_rule.py").write_text("from cortexsim.rules.oja import RULE\\n")
    >>> load_variable(Path("my_rule.py"), "RULE", "rule").name
    'oja'

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


def module_variable(name: str, kind: type[Found], what: str, module: str = "") -> Found:
    """Import a module and return one of its global variables.

    Args:
        name: ``package.module:VARIABLE``.
        kind: what the variable should be.
        what: the same in words, such as ``rule``; used in error messages.
        module: to import, where it is not the one that the name says.

    Raises:
        UserError: the module cannot be imported, or has no such variable of this kind.
    """
    said, _, variable = name.partition(":")
    try:
        found = vars(import_module(module or said))
    except Exception as error:  # A user's module can raise anything; the message has to name it.
        raise UserError(f"{what} '{name}': {type(error).__name__}: {error}") from None
    known = {key: value for key, value in found.items() if isinstance(value, kind)}
    if variable not in known:
        raise UserError(f"{what} '{name}': module '{said}' has no such {kind.__name__} ({nearest(variable, known)})")
    return known[variable]
