"""Models with other values, by dotted keys such as ``training.eta``."""

import tomllib
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cortexsim.config.consistency import check
from cortexsim.config.schema import Model, resolved
from cortexsim.config.validation import explain
from cortexsim.errors import UserError, error_prefix

FIXED = ("description", "learner", "task", "layer", "depth")
"""Keys of a model that no depth has for itself."""


def changed(model: Model, values: Mapping[str, Any]) -> Model:
    """Give a model other values, at all depths, and see that it can be.

    Raises:
        UserError: where a model has no such key, or the value is not possible.
    """
    left = {
        depth: {key: value for key, value in own.items() if key not in values} for depth, own in model.depth.items()
    }
    return _with(model, values, left)


def at_depth(model: Model, depth: int) -> Model:
    """Give a model the values that it has for networks of so many layers, in the place of all ``[depth.N]``.

    Raises:
        UserError: where it has no such key, or the value is not possible.
    """
    if not model.depth:
        return model
    with error_prefix(f"depth.{depth}"):
        if fixed := [key for key in model.depth.get(depth, {}) if key.partition(".")[0] in FIXED]:
            raise UserError(f"{model.name}: {fixed[0]}: the same at every depth (give it once, outside)")
        return _with(model, model.depth.get(depth, {}), {})


def _with(model: Model, values: Mapping[str, Any], depths: Mapping[int, Any]) -> Model:
    tables = {key: value for key, value in resolved(model).items() if key != "name"} | {"depth": depths}
    for key, value in values.items():
        *path, last = key.split(".")
        table = tables
        for name in path:
            if not isinstance(table.get(name), dict | None):
                raise UserError(f"{model.name}: unknown key '{key}' ('{name}' is no table)")
            table[name] = dict(table.get(name) or {})
            table = table[name]
        table[last] = value
    try:
        found = Model.model_validate(tables)
    except ValidationError as error:
        raise UserError(f"{model.name}: {explain(error, Model)}{_elsewhere(error)}") from None
    found._name, found._path = model._name, model._path
    check(found)
    return found


def variants(model: Model, values: Mapping[str, Sequence[Any]]) -> list[tuple[Model, dict[str, str]]]:
    """Give a model each of several values, with each of those of every other key, and a name that says which.

    Returns:
        The models, each with its values as text.

    Raises:
        UserError: where one of them cannot be.
    """
    for key, listed in values.items():
        if twice := [value for value in listed if listed.count(value) > 1]:
            raise UserError(f"change: '{key}' has {twice[0]} more than once")
    found = []
    for several in product(*values.values()):
        one = changed(model, dict(zip(values, several, strict=True)))
        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in several]
        chosen = dict(zip(values, texts, strict=True))
        said = ", ".join(f"{key.rpartition('.')[2]} {text}" for key, text in chosen.items())
        one._name = f"{model.name}, {said}"
        found.append((one, chosen))
    return found


def parse_assignment(option: str, text: str) -> tuple[str, list[Any]]:
    """Read ``KEY=VALUE,VALUE``: values as in TOML, or bare words.

    Raises:
        UserError: where it is neither.
    """
    key, equals, values = text.partition("=")
    if not equals or not key.strip() or not values.strip():
        raise UserError(f"{option} {text}: not a key and its values (such as training.eta=0.001,0.003)")
    try:
        return key.strip(), tomllib.loads(f"values = [{values}]")["values"]
    except RecursionError:
        raise UserError(f"{option} {key}: values are nested too deep") from None
    except tomllib.TOMLDecodeError:
        return key.strip(), [_word(word.strip()) for word in values.split(",")]


def _word(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _elsewhere(error: ValidationError) -> str:
    """Say which table has the key that was looked for in another."""
    fault = error.errors()[0]
    if fault["type"] != "extra_forbidden":
        return ""
    tables = [
        (name, table)
        for name, field in Model.model_fields.items()
        for table in (field.annotation, *get_args(field.annotation))
        if isinstance(table, type) and issubclass(table, BaseModel)
    ]
    found = [f"{name}.{fault['loc'][-1]}" for name, table in tables if fault["loc"][-1] in table.model_fields]
    return f"; there is {' and '.join(found)}" if found else ""
