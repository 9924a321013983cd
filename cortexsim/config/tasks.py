"""Build tasks from a table ``[task]`` or from the option ``--task``, and convert them back to tables."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from cortexsim.config.validation import explain
from cortexsim.errors import UserError
from cortexsim.tasks import Task, task_class
from cortexsim.tasks.rhm import Hierarchy

FILES = (".csv", ".npy", ".npz")  # File types of user data.


def build_task(values: Mapping[str, Any], base: Path = Path()) -> Task:
    """Build the task that a table describes.

    >>> build_task({"depth": 2, "features": 4}).leaves
    4

    Args:
        values: the table. The default of ``name`` is ``"rhm"``, the Random Hierarchy Model.
        base: folder that a relative ``path``, or a name that is the path of a Python file, starts from.

    Raises:
        UserError: there is no such task or field, or a value is invalid.
    """
    given = dict(values)
    kind = task_class(str(given.pop("name", Hierarchy.name)), base)
    try:
        table = _fields_table(kind)
    except Exception as error:  # Annotations in a user's file can raise anything.
        raise UserError(
            f"task '{kind.name}': its fields cannot be read: {str(error).splitlines()[0]} (annotate them with int,"
            " float, str or bool, without `from __future__ import annotations`)"
        ) from None
    if isinstance(given.get("path"), str):
        given["path"] = str((base / given["path"]).resolve())
    try:
        table.model_validate(given)
    except ValidationError as error:
        unknown = error.errors()[0]["type"] == "extra_forbidden"
        if unknown and not table.model_fields:
            raise UserError(
                f"task '{kind.name}' has no field '{error.errors()[0]['loc'][-1]}' (it has no fields)"
            ) from None
        raise UserError(f"{'task: ' if unknown else 'task.'}{explain(error, table)}") from None
    try:
        return kind(**given)
    except UserError as error:
        named = str(error).startswith(("hierarchy: ", f"{kind.name}: "))
        raise UserError(str(error) if named else f"task: {error}") from None


@lru_cache(maxsize=64)
def _fields_table(kind: type[Task]) -> type[BaseModel]:
    """Make the table that validates the fields of a class of tasks."""
    hints = get_type_hints(kind)
    settable: dict[str, Any] = {
        field.name: (hints[field.name], ... if field.default is MISSING else field.default)
        for field in fields(kind)  # type: ignore[arg-type]
        if field.init
    }
    return create_model("Task", __config__=ConfigDict(extra="forbid", strict=True), **settable)


def task_table(task: Task) -> dict[str, Any]:
    """Return the table that a task is built from; a Python file that defines it is named without its folder."""
    name = Path(task.name).name if task.name.endswith(".py") else task.name
    return {"name": name, **asdict(task)}  # type: ignore[call-overload]


def content_digest(task: Task) -> str:
    """Return a digest of the files that a task reads and of the Python file that defines it; empty if none."""
    own = Path(task.name).read_text(encoding="utf-8") if task.name.endswith(".py") else ""
    return sha256(f"{task.content}\n{own}".encode()).hexdigest() if task.content or own else ""


def task_title(task: Task) -> str:
    """Describe a task in one line, without texts that are empty."""
    if isinstance(task, Hierarchy):
        return (
            f"Random Hierarchy Model: v = {task.features}, m = {task.multiplicity}, s = {task.tuple_size},"
            f" L = {task.depth}, n_c = {task.classes}"
        )
    grid = " x ".join(map(str, task.grid))
    settings = ", ".join(f"{key} = {value}" for key, value in task_table(task).items() if key != "name" and value != "")
    return f"{task.name}: {grid} positions, {task.classes} classes{', ' if settings else ''}{settings}"


def parse_task(text: str) -> dict[str, Any]:
    """Parse a value of ``--task``: a name or a file, optionally followed by fields, all separated by commas.

    >>> parse_task("digits,test=100")
    {'name': 'digits', 'test': 100}

    Returns:
        The table of the task, for `build_task`.

    Raises:
        UserError: there is no name, a field has no value, or it is given twice.
    """
    name, *settings = text.split(",")
    if not name.strip():
        raise UserError(f"--task {text}: no task or file (for example digits, or flowers.csv,label=species)")
    table: dict[str, Any] = {"name": name.strip()}
    if name.strip().endswith(FILES):
        table = {"name": "arrays", "path": str(Path(name.strip()).resolve())}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise UserError(f"--task {text}: '{setting}' is not a key and a value (such as label=species)")
        if key.strip() in table:
            raise UserError(f"--task {text}: {key.strip()} is given twice (give it once)")
        try:
            table[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            table[key.strip()] = value.strip()
    return table
