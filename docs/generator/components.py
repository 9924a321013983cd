"""Tables of signals, contexts, tasks and cells, and of the keys of a model file."""

import inspect
from dataclasses import MISSING, fields
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cortexsim.config import schema
from cortexsim.contexts import CONTEXTS
from cortexsim.rules import SIGNALS, SUBSTRATES
from cortexsim.spiking.cells import known_cells
from cortexsim.tasks import TASKS
from generator.text import code, fence, prose, section, table


def pages() -> dict[str, str]:
    """Write the parts that pages of the reference include."""
    return {
        "reference/_signals.md": _signals(),
        "reference/_contexts.md": _contexts(),
        "reference/_tasks.md": _tasks(),
        "reference/_cells.md": _cells(),
        "reference/_keys.md": _keys(),
    }


def _in_order(substrates: frozenset[str]) -> str:
    return ", ".join(name for name in SUBSTRATES if name in substrates)


def _signals() -> str:
    rows = [
        (code(s.name), prose(s.meaning), _in_order(s.substrates), str(s.implied_synapses or "-"))
        for s in SIGNALS.values()
    ]
    return table(["name", "what it is", "substrates", "plastic synapses that it implies"], rows)


def _contexts() -> str:
    rows = [(code(c.name), prose(c.meaning), _in_order(c.substrates)) for c in CONTEXTS.values()]
    return table(["context", "input to the dendrite", "substrates"], rows)


def _tasks() -> str:
    rows = []
    for name, kind in TASKS.items():
        settings = [f.name if f.default is MISSING else f"{f.name} = {f.default!r}" for f in fields(kind)]
        first = (kind.__doc__ or "").strip().split("\n\n")[0]
        rows.append((code(name), prose(first), ", ".join(map(code, settings)) or "-"))
    return table(["task", "samples", "fields and their defaults"], rows)


def _cells() -> str:
    parts = []
    for name, cell in known_cells().items():
        lines = [line.strip() for line in cell.equations.strip().splitlines()]
        spike = [f"threshold: {cell.threshold}", f"reset: {cell.reset}"] if cell.spikes else []
        values = table(["parameter", "value"], [(code(key), value) for key, value in cell.parameters.items()])
        parts.append(section(code(name), f"*{cell.source}*\n\n{fence(chr(10).join(lines + spike))}\n\n{values}"))
    return "\n".join(parts)


def _keys() -> str:
    """The tables of a model file, with the keys of each, their types and defaults."""
    parts = []
    for name, field in schema.Model.model_fields.items():
        for table_type in _tables(field.annotation):
            rows = [(code(key), _type(each), _default(each)) for key, each in table_type.model_fields.items()]
            about = prose(inspect.cleandoc(table_type.__doc__ or "").split("\n\nAttributes:")[0])
            parts.append(section(f"`[{name}]`", f"{about}\n\n{table(['key', 'value', 'default'], rows)}"))
    return "\n".join(parts)


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """The tables in a type, as in ``dict[str, Table] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _tables(part)]


def _type(field: FieldInfo) -> str:
    return prose(_named(field.annotation))


def _named(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(
            f"`{value!r}`" if not isinstance(value, str) else f'`"{value}"`' for value in get_args(annotation)
        )
    if annotation is type(None):
        return "none"
    if get_origin(annotation) is dict:
        return "names and values"
    if isinstance(annotation, type) and not get_args(annotation):
        return {"int": "whole number", "float": "number", "str": "text", "bool": "true or false"}.get(
            annotation.__name__, annotation.__name__
        )
    return " or ".join(dict.fromkeys(_named(part) for part in get_args(annotation) if not _is_note(part)))


def _is_note(part: Any) -> bool:
    """Whether a part of a type is a constraint on its values."""
    return not (isinstance(part, type) or get_origin(part) is not None)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel):
        return "-"
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
