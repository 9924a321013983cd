"""From a table ``[task]``, or what the command line says, to a task; and how a task is written out."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import ConfigDict, ValidationError, create_model

from cortexsim.config.validation import explain
from cortexsim.errors import UserError
from cortexsim.tasks import Task, task_class
from cortexsim.tasks.rhm import Hierarchy

FILES = (".csv", ".npy", ".npz")  # What `--task` takes for arrays of the user's.


def build_task(values: Mapping[str, Any], beside: Path = Path()) -> Task:
    """Build the task that a table describes; its ``path``, and a name that is a file, start from a folder.

    Args:
        values: the table; its ``name`` is that of the Random Hierarchy Model unless given.
        beside: folder of the file that holds the table.

    Raises:
        UserError: where there is no such task, or it has no such field, or the value is not possible.
    """
    given = dict(values)
    kind = task_class(str(given.pop("name", Hierarchy.name)), beside)
    try:
        hints = get_type_hints(kind)
        settable: dict[str, Any] = {
            field.name: (hints[field.name], ... if field.default is MISSING else field.default)
            for field in fields(kind)
            if field.init
        }
        table = create_model("Task", __config__=ConfigDict(extra="forbid", strict=True), **settable)
    except Exception as error:  # Whatever a user's file annotates.
        raise UserError(
            f"task '{kind.name}': its fields cannot be read: {str(error).splitlines()[0]} (annotate them with int,"
            " float, str or bool, and as they are, without `from __future__ import annotations`)"
        ) from None
    if isinstance(given.get("path"), str):
        given["path"] = str((beside / given["path"]).resolve())
    try:
        table.model_validate(given)
    except ValidationError as error:
        unknown = error.errors()[0]["type"] == "extra_forbidden"
        if unknown and not settable:
            raise UserError(
                f"task '{kind.name}' has no field '{error.errors()[0]['loc'][-1]}' (nor any other)"
            ) from None
        raise UserError(f"{'task: ' if unknown else 'task.'}{explain(error, table)}") from None
    try:
        return kind(**given)
    except UserError as error:
        named = str(error).startswith(("hierarchy: ", f"{kind.name}: "))
        raise UserError(str(error) if named else f"task: {error}") from None


def task_table(task: Task) -> dict[str, Any]:
    """Write a task out as the table that it is built from; a file that defines it by its name, without its folder."""
    name = Path(task.name).name if task.name.endswith(".py") else task.name
    return {"name": name, **asdict(task)}  # type: ignore[call-overload]


def content_digest(task: Task) -> str:
    """Digest what a task is made of beside its fields: its own files, and the one that defines it."""
    own = Path(task.name).read_text(encoding="utf-8") if task.name.endswith(".py") else ""
    return sha256(f"{task.content}\n{own}".encode()).hexdigest() if task.content or own else ""


def task_title(task: Task) -> str:
    """Name a task in one line."""
    if isinstance(task, Hierarchy):
        return (
            f"Random Hierarchy Model: v = {task.features}, m = {task.multiplicity}, s = {task.tuple_size},"
            f" L = {task.depth}, n_c = {task.classes}"
        )
    grid = " x ".join(map(str, task.grid))
    settings = ", ".join(f"{key} = {value}" for key, value in task_table(task).items() if key != "name")
    return f"{task.name}: {grid} positions, {task.classes} classes{', ' if settings else ''}{settings}"


def parse_task(text: str) -> dict[str, Any]:
    """Read what ``--task`` says: a name or a file, and after commas ``key=value``, as in ``flowers.csv,label=species``.

    Raises:
        UserError: where it says nothing of the kind.
    """
    name, *settings = text.split(",")
    if not name.strip():
        raise UserError(f"--task {text}: name a task, or a file (such as digits, or flowers.csv,label=species)")
    found: dict[str, Any] = {"name": name.strip()}
    if name.strip().endswith(FILES):
        found = {"name": "arrays", "path": str(Path(name.strip()).resolve())}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise UserError(f"--task {text}: '{setting}' is no key and value (such as label=species)")
        if key.strip() in found:
            raise UserError(f"--task {text}: {key.strip()} is given twice (give it once)")
        try:
            found[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key.strip()] = value.strip()
    return found
