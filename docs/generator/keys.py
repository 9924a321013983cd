"""The keys of model files, and of files of experiments and searches: what each does, its type, and its default."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cortexsim.analysis.readout import Readout
from cortexsim.config import schema, values
from cortexsim.config.registry import COMPARISONS, THRESHOLDS
from cortexsim.config.schema import TaskTable
from cortexsim.learners import Budget
from cortexsim.rate import Architecture, Optimization
from cortexsim.spiking import Control, Settings, Timing
from cortexsim.studies.comparison_experiment import ComparisonsFile
from cortexsim.studies.random_search import RandomSearch
from cortexsim.studies.search_space import Range
from cortexsim.studies.threshold_sweep import ThresholdsFile
from generator.text import code, prose, section, table

FILES: dict[str, tuple[type[BaseModel], ...]] = {
    "reference/_keys.md": (schema.Model,),
    "reference/_study_keys.md": (ComparisonsFile, ThresholdsFile, RandomSearch),
}
"""The files whose keys are listed, by generated page."""

SETTINGS: dict[type[BaseModel], tuple[type, ...]] = {
    schema.NetworkTable: (Architecture,),
    schema.TrainingTable: (Optimization, Budget),
    schema.ReadoutTable: (Readout,),
    values.SpikingTable: (Settings, Timing),
    values.ModulatorTable: (Control,),
}
"""What tables are converted to; it describes keys that a table itself does not."""

QUANTITIES = {get_args(values.Time)[1:]: "time", get_args(values.Frequency)[1:]: "frequency"}
"""Kinds of quantities, which a file has as text with a unit."""

UNIT = re.compile(r",? in (seconds|Hz)\b")
"""What descriptions of settings in SI units say, and files write."""

NAMES = {int: "whole number", float: "number", str: "text", bool: "true or false"}
BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


def pages() -> dict[str, str]:
    """Write the tables of keys of all files."""
    return {page: "\n".join(_text(file, len(files)) for file in files) for page, files in FILES.items()}


def parts(file: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel], dict[str, FieldInfo]]]:
    """List the parts of a file: title, table and keys; first those at the top, then each table within.

    >>> [(title, len(keys)) for title, _, keys in parts(schema.Model)][:3]
    [('At the top of the file', 3), ('`[rule]`', 10), ('`[task]`', 1)]
    """
    within: dict[type[BaseModel], list[str]] = {}
    for name, field in file.model_fields.items():
        for kind in _tables(field.annotation):
            within.setdefault(kind, []).append(_heading(name, field.annotation))
    title = "At the top of the file" if file is schema.Model else _file_name(file)
    yield title, file, {name: field for name, field in file.model_fields.items() if not _tables(field.annotation)}
    for kind, titles in within.items():
        yield " and ".join(map(code, titles)), kind, kind.model_fields


def meanings(kind: type[BaseModel]) -> dict[str, str]:
    """What the keys of a table do, from its own docstring, or that of the settings that it is converted to.

    >>> meanings(values.SpikingTable)["tau_eligibility"]
    'time constant of eligibility traces.'
    """
    found = {name: text for settings in SETTINGS.get(kind, ()) for name, text in _entries(settings).items()}
    return {
        name: UNIT.sub("", text) if tuple(kind.model_fields[name].metadata) in QUANTITIES else text
        for name, text in (found | _entries(kind)).items()
        if name in kind.model_fields
    }


def _text(file: type[BaseModel], files: int) -> str:
    """The sections of a file; where there are several files, those of its tables are below that of the file."""
    first, *others = [_section(*part) for part in parts(file)]
    return "\n".join([first, *("#" * (files > 1) + other for other in others)])


def _section(title: str, kind: type[BaseModel], keys: Mapping[str, FieldInfo]) -> str:
    about, known = prose(inspect.cleandoc(kind.__doc__ or "").split("\n\nAttributes:")[0]), meanings(kind)
    rows = [(code(key), prose(known[key]), _type(field), _default(field)) for key, field in keys.items()]
    return section(title, f"{about}\n\n{table(['key', 'what it does', 'value', 'default'], rows)}")


def _file_name(file: type[BaseModel]) -> str:
    known: dict[type[BaseModel], str] = {ComparisonsFile: COMPARISONS, ThresholdsFile: THRESHOLDS}
    return code(known[file]) if file in known else "Files of searches"


def _heading(name: str, annotation: Any) -> str:
    """How a file writes the table of a key: once, several times, or once for each name."""
    if get_origin(annotation) is list:
        return f"[[{name}]]"
    return f"[{name}.NAME]" if get_origin(annotation) is dict else f"[{name}]"


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """The tables in a type, as in ``dict[str, Table] | None``; ranges are values of search spaces."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation] if annotation is not Range else []
    return [found for part in get_args(annotation) for found in _tables(part)]


def _entries(kind: type) -> dict[str, str]:
    """Read the names and texts under ``Args:`` or ``Attributes:`` of a docstring."""
    listed = "".join(re.split(r"\n(?:Args|Attributes):\n", inspect.cleandoc(kind.__doc__ or ""))[1:2])
    lines = re.sub(r"\n {5,}", " ", re.split(r"\n\s*\n", listed)[0]).splitlines()
    entries = (line.strip().partition(": ") for line in lines)
    return {name: text for names, _, text in entries for name in names.split(", ")}


def _type(field: FieldInfo) -> str:
    kind = QUANTITIES.get(tuple(field.metadata))
    return f"{kind}, with its unit" if kind else prose(_named(field.annotation, field.metadata))


def _named(annotation: Any, notes: Iterable[Any] = ()) -> str:
    """Name a type in words, with the bounds of its values."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _named(inner[0], inner[1:])
    if origin is Literal:
        return ", ".join(code(f'"{value}"') for value in inner)
    if origin is dict:
        return "table of names and values"
    if origin in (list, tuple):
        return f"{_named(inner[0])}{', or a list of them' if origin is tuple else ', as a list'}"
    if inner:
        return " or ".join(_named(part) for part in inner if part is not type(None))
    return ", ".join([NAMES.get(annotation, "a table" if annotation is TaskTable else "any value"), *_bounds(notes)])


def _bounds(notes: Iterable[Any]) -> Iterator[str]:
    for note in notes:
        yield from _bounds(note.metadata) if isinstance(note, FieldInfo) else ()
        yield from (f"{words} {getattr(note, name):g}" for name, words in BOUNDS.items() if hasattr(note, name))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", [], {}) or isinstance(value, BaseModel):
        return "-"
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
