"""Change the settings of a model by dotted keys such as ``training.eta``."""

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
"""Keys that cannot be set for individual depths."""


def changed(model: Model, values: Mapping[str, Any]) -> Model:
    """Return a copy of a model with other settings, which also replace those for individual depths.

    >>> from cortexsim.config.registry import find_model
    >>> model = changed(find_model("clapp"), {"training.eta": 0.01, "network.cells": 32})
    >>> model.training.eta, model.network.cells
    (0.01, 32)

    Args:
        model: the model.
        values: new values by dotted key.

    Raises:
        UserError: the model has no such key, a value is invalid, or the settings do not fit together.
    """

    def replaced(key: str) -> bool:  # Also as part of a table that is set as a whole.
        return any(f"{key}.".startswith(f"{other}.") for other in values)

    remaining = {
        depth: {key: value for key, value in own.items() if not replaced(key)} for depth, own in model.depth.items()
    }
    return _with(model, values, remaining)


def at_depth(model: Model, depth: int) -> Model:
    """Return a copy of a model with its settings for networks of ``depth`` layers, ``[depth.N]``, applied.

    Raises:
        UserError: the model has no such key, or a value is invalid.
    """
    if not model.depth:
        return model
    with error_prefix(f"depth.{depth}"):
        if fixed := [key for key in model.depth.get(depth, {}) if key.partition(".")[0] in FIXED]:
            raise UserError(f"{model.name}: {fixed[0]}: cannot differ between depths (set it outside of [depth.N])")
        return _with(model, model.depth.get(depth, {}), {})


def _with(model: Model, values: Mapping[str, Any], depths: Mapping[int, Any]) -> Model:
    tables = {key: value for key, value in resolved(model).items() if key != "name"} | {"depth": depths}
    for key, value in values.items():
        *path, last = key.split(".")
        table = tables
        for name in path:
            if not isinstance(table.get(name), dict | None):
                raise UserError(f"{model.name}: unknown key '{key}' ('{name}' is not a table)")
            table[name] = dict(table.get(name) or {})
            table = table[name]
        table[last] = value
    try:
        modified = Model.model_validate(tables)
    except ValidationError as error:
        raise UserError(f"{model.name}: {explain(error, Model)}{_suggestion(error)}") from None
    modified._name, modified._path = model._name, model._path
    check(modified)
    return modified


def variants(model: Model, values: Mapping[str, Sequence[Any]]) -> list[tuple[Model, dict[str, str]]]:
    """Return copies of a model for all combinations of some values, named after the model and the values.

    Args:
        model: the model.
        values: values to combine, by dotted key.

    Returns:
        Pairs of a model and its values as text, by dotted key.

    Raises:
        UserError: a value is given twice, or a combination is invalid.
    """
    for key, listed in values.items():
        if twice := [value for value in listed if listed.count(value) > 1]:
            raise UserError(f"change: '{key}' has {twice[0]} more than once (list each value once)")
    models = []
    for combination in product(*values.values()):
        variant = changed(model, dict(zip(values, combination, strict=True)))
        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in combination]
        chosen = dict(zip(values, texts, strict=True))
        suffix = ", ".join(f"{key.rpartition('.')[2]} {text}" for key, text in chosen.items())
        variant._name = f"{model.name}, {suffix}"
        models.append((variant, chosen))
    return models


def parse_assignment(option: str, text: str) -> tuple[str, list[Any]]:
    """Parse a command-line assignment of one or more values, which are written as in TOML or as bare words.

    >>> parse_assignment("--set", "training.optimizer=sgd,adamw")
    ('training.optimizer', ['sgd', 'adamw'])

    Args:
        option: name of the option, for error messages.
        text: its value, ``KEY=VALUE,VALUE``.

    Raises:
        UserError: there is no key or no value.
    """
    key, equals, values = text.partition("=")
    if not equals or not key.strip() or not values.strip():
        raise UserError(f"{option} {text}: not a key and its values (for example training.eta=0.001,0.003)")
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


def _suggestion(error: ValidationError) -> str:
    """Name the tables that have a key which was used in the wrong table."""
    fault = error.errors()[0]
    if fault["type"] != "extra_forbidden":
        return ""
    tables = [
        (name, table)
        for name, field in Model.model_fields.items()
        for table in (field.annotation, *get_args(field.annotation))
        if isinstance(table, type) and issubclass(table, BaseModel)
    ]
    elsewhere = [f"{name}.{fault['loc'][-1]}" for name, table in tables if fault["loc"][-1] in table.model_fields]
    return f"; there is {' and '.join(elsewhere)}" if elsewhere else ""
