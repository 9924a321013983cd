"""Tasks: what a learner is shown, each behind one small protocol.

A new task is a new file here with a `TASK` in it, or such a file anywhere, named by its path in a model.
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


def _known() -> dict[str, Any]:
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return {kind.name: kind for module in modules if (kind := vars(module).get("TASK")) is not None}


TASKS: Mapping[str, Any] = _known()
"""The tasks of this package by name."""

WANTED = (
    "name", "grid", "channels", "classes", "chance", "depth", "branching", "second_views", "content",
    "distinct_samples", "draw",
)  # fmt: skip


def task_class(name: str, beside: Path = Path()) -> Any:
    """Find the class of a task by its name, or in a Python file that holds a dataclass `TASK`, which is named by it.

    Args:
        name: a known name, or a path ending in ``.py``, relative to ``beside``.
        beside: folder of the model that names the task.

    Raises:
        UserError: where there is no such task, or the file holds none.
    """
    if not name.endswith(".py"):
        if name not in TASKS:
            raise UserError(f"task '{name}' is not known ({nearest(name, TASKS)}; or give the path of a .py file)")
        return TASKS[name]
    path = beside / name
    found: Any = load_variable(path, "TASK", "task")
    if not isinstance(found, type) or not is_dataclass(found):
        raise UserError(f"task file '{path}' holds no dataclass named TASK")
    if missing := [name for name in WANTED if not hasattr(found, name) and name not in found.__dataclass_fields__]:
        raise UserError(f"task file '{path}': TASK has no '{missing[0]}' (a task has {', '.join(WANTED)})")
    file = str(path.resolve())
    return type(found.__name__, (found,), {"name": file, "__module__": found.__module__})
