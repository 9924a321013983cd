"""Read configurations, and explain the first error in one line."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from cortexsim.errors import UserError, nearest

Written = TypeVar("Written", bound=BaseModel)


def read(path: Path, table: type[Written]) -> Written:
    """Read a TOML file and validate it.

    >>> from cortexsim.config.schema import Model
    >>> _ = Path("mine.toml").write_text('learner = "backprop"\\n[training]\\nepoch = 3\\n')
    >>> read(Path("mine.toml"), Model)
    Traceback (most recent call last):
    cortexsim.errors.UserError: mine.toml: unknown key 'training.epoch' (did you mean 'epochs'?)

    Args:
        path: the file.
        table: the expected keys and types.

    Raises:
        UserError: the file cannot be read, or a key or value is invalid.
    """
    try:
        return table.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, table)}") from None
    except RecursionError:
        raise UserError(f"{path}: arrays or tables are nested too deep") from None
    except ValueError as error:  # Not TOML, or not UTF-8.
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None


def explain(error: ValidationError, table: type[BaseModel]) -> str:
    """Describe the first error of a validation in one line: key, value, and what would be right.

    Args:
        error: the error.
        table: what was expected.
    """
    # A misspelt key comes first, since it can be the reason why another one is missing; then errors of validators.
    order = {"extra_forbidden": 0, "value_error": 1}
    fault = min(error.errors(), key=lambda fault: order.get(fault["type"], 2))
    where = [
        str(part) for part in fault["loc"] if "[" not in str(part)
    ]  # Parts with brackets name validators, not keys.
    key = ".".join(where)
    if fault["type"] == "extra_forbidden":
        known = _table_at(table, where[:-1]).model_fields
        return f"unknown key '{key}' ({nearest(where[-1], known)})"
    if fault["type"] == "missing":
        return f"key '{key}' is missing ({_wanted(table, where)})"
    if fault["type"] == "literal_error":
        key = ".".join(part for part in where if not part.isdecimal())
        field = key.split(".")[-1]
        annotation = _table_at(table, where[: where.index(field)]).model_fields[field].annotation
        choices = get_args(annotation if get_origin(annotation) is Literal else get_args(annotation)[0])
        return f"{key} = {fault['input']!r} is not known ({nearest(str(fault['input']), map(str, choices))})"
    message = fault["msg"].removeprefix("Input ").removeprefix("Value error, ")
    return f"{key} = {fault['input']!r}: {message}" if key else message


def _table_at(table: type[BaseModel], where: list[str]) -> type[BaseModel]:
    for key in where:
        if key.isdecimal():  # The index in an array of tables.
            continue
        if key not in table.model_fields:  # A name chosen by the user, such as that of a modulator.
            continue
        table = next(_tables(table.model_fields[key].annotation), table)
    return table


def _tables(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the tables in a type annotation, at any depth, as in ``dict[str, Range | Choices]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _tables(part)


def _wanted(table: type[BaseModel], where: list[str]) -> str:
    annotation = _table_at(table, where[:-1]).model_fields[where[-1]].annotation
    return f"one of: {', '.join(get_args(annotation))}" if get_origin(annotation) is Literal else "it has no default"
