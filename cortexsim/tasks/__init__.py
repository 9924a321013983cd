"""Tasks: sources of training and test samples, all with the interface `Task`.

A module of this package that defines `TASK` adds a task. Users' tasks are Python files with a dataclass `TASK`; a model
names them by their path.
"""

from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from cortexsim.errors import UserError, nearest
from cortexsim.tasks.protocol import UNLABELLED, Data, Layout, Task
from cortexsim.user_files import load_variable

__all__ = ["TASKS", "UNLABELLED", "Data", "Layout", "Task", "task_class"]


def _built_in() -> dict[str, Any]:
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return {kind.name: kind for module in modules if (kind := vars(module).get("TASK")) is not None}


TASKS: Mapping[str, Any] = _built_in()
"""Task classes of this package, by name."""

REQUIRED = (
    "name", "grid", "channels", "classes", "chance", "depth", "branching", "second_views", "content",
    "distinct_samples", "draw",
)  # fmt: skip
"""Attributes that a task class must have: see `Task`."""


def task_class(name: str, beside: Path = Path()) -> Any:
    """Return a task class: one of this package, or the dataclass `TASK` of a user's Python file.

    Args:
        name: a name in `TASKS`, or a path ending in ``.py``.
        beside: folder that a relative path starts from.

    Returns:
        A dataclass with the interface of `Task`. The ``name`` of a user's task is the absolute path of its file.

    Raises:
        UserError: if the name is unknown, or the file cannot be run, or defines no complete task.

    >>> task_class("digits")().grid
    (8, 8)
    """
    if not name.endswith(".py"):
        if name not in TASKS:
            raise UserError(f"task '{name}' is not known ({nearest(name, TASKS)}; or give the path of a .py file)")
        return TASKS[name]
    path = beside / name
    kind: Any = load_variable(path, "TASK", "task")
    if not isinstance(kind, type) or not is_dataclass(kind):
        raise UserError(f"task file '{path}' defines no dataclass named TASK")
    if missing := [name for name in REQUIRED if not hasattr(kind, name) and name not in kind.__dataclass_fields__]:
        raise UserError(f"task file '{path}': TASK has no '{missing[0]}' (a task has {', '.join(REQUIRED)})")
    file = str(path.resolve())
    return type(kind.__name__, (kind,), {"name": file, "__module__": kind.__module__})
