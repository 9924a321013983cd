"""JSON records that carry a digest of themselves and are validated when they are read.

Records of earlier versions may lack the digest; they are validated in every other respect.
"""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cortexsim.config.targets import Target
from cortexsim.config.validation import explain
from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import write_json

NonNegativeInt = Annotated[int, Field(ge=0, strict=True)]
PositiveInt = Annotated[int, Field(ge=1, strict=True)]
Number = Annotated[float, Field(strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Text = Annotated[str, Field(strict=True)]
DIGEST, CHECK = "sha256", "check"


class OpenRecord(BaseModel):
    """Required keys of a record; other keys are allowed."""

    model_config = ConfigDict(extra="allow")


class ClosedRecord(BaseModel):
    """All keys of a record; other keys are an error."""

    model_config = ConfigDict(extra="forbid")


class TrialRecord(ClosedRecord):
    """A trial; model and task are validated when they are built."""

    model: dict[str, Any]
    task: dict[str, Any]
    samples: PositiveInt
    test_samples: PositiveInt
    grammar_seed: NonNegativeInt
    seed: NonNegativeInt
    device: Text
    target: Target


class VersionRecord(OpenRecord):
    """Versions that decide whether a run can be resumed."""

    cortexsim: Text
    torch: Text
    numpy: Text
    brian2: Text


class CodeRecord(OpenRecord):
    """The code that made a run."""

    folder: Text
    digest: Text
    git: dict[str, Any] | None


class SamplingRecord(ClosedRecord):
    """Which weights of a run are recorded, and when; ``synapses`` is null for all."""

    every: PositiveInt
    synapses: PositiveInt | None


class RunRecord(OpenRecord):
    """The file ``run.json``; ``asked`` is the digest of the trial's settings, ``content`` that of the task's files."""

    trial: TrialRecord
    asked: Text
    content: str = ""
    versions: VersionRecord
    code: CodeRecord
    begun: Text = "-"
    weights_over_time: SamplingRecord | None = None


class RowRecord(OpenRecord):
    """The measurements of one trial."""

    key: Text
    learner: Text
    rule: Text
    substrate: Text
    context: Text
    labels_for: Text
    samples: PositiveInt
    test_samples: PositiveInt | None = None
    labels: NonNegativeInt
    grammar_seed: NonNegativeInt
    seed: NonNegativeInt
    trained_layers: NonNegativeInt
    accuracy: Share
    chance: Share
    selectivity: list[Number]
    participation: list[Number]
    decoding: list[Number]
    sensitivity: list[list[Number]]
    spikes: Number | None
    synaptic_operations: Number | None = None
    multiply_adds: Number | None
    used_multiply_adds: Number | None = None
    alignment: dict[str, list[Any]] | None
    diverged: Annotated[bool, Field(strict=True)]
    seconds: Number
    seconds_training: Number | None = None
    cpu_seconds: Number | None = None
    clipped: Share | None = None
    readout_linear: list[Share] = []
    readout_by_layer: list[Share] | None = None


class CaseRecord(ClosedRecord):
    """The measurements of one case of a Python experiment."""

    key: Text
    rows: list[dict[str, Any]]


class ResultRecord(OpenRecord):
    """The file ``result.json`` of a run; ``metrics`` is a digest of ``metrics.jsonl``."""

    rows: Annotated[list[RowRecord], Field(min_length=1, max_length=1)]
    asked: Text
    metrics: Text | None = None


class LineRecord(OpenRecord):
    """A line of ``metrics.jsonl``."""

    stage: PositiveInt
    epoch: PositiveInt
    rms: dict[str, Number | None]


class FailureRecord(OpenRecord):
    """The file ``error.json`` of a run that failed."""

    error: Text


Record = TypeVar("Record", bound=BaseModel)


def digest(values: dict[str, Any]) -> str:
    """Return the SHA-256 digest of values that can be written as JSON."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def write_record(path: Path, values: dict[str, Any]) -> None:
    """Write a record with a digest of itself, atomically.

    Raises:
        OSError: the file cannot be written.
    """
    write_json(path, {**values, DIGEST: digest(values)})


def read_record(path: Path, table: type[Record], otherwise: str) -> dict[str, Any]:
    """Read a record and validate it.

    >>> write_record(Path("error.json"), {"error": "no compiler"})
    >>> read_record(Path("error.json"), FailureRecord, "the error of a run")["error"]
    'no compiler'

    Args:
        path: the file.
        table: the expected keys and types.
        otherwise: end of the error message if the file is missing or not a JSON object: what it should be.

    Raises:
        UserError: the file is missing, edited, damaged or invalid.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; {otherwise}") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}: not a JSON file; {otherwise}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: {otherwise}")
    expected = values.pop(DIGEST, None)
    if expected not in (None, digest(values)):
        raise UserError(f"{path}: damaged or edited since it was written (if edited, remove its key '{DIGEST}')")
    validate(values, table, str(path))
    return values


def validate(values: Any, table: type[Record], where: str) -> Record:
    """Validate values and return them as an instance of ``table``.

    Args:
        values: what was read.
        table: the expected keys and types.
        where: start of the error message: file, or file and key.

    Raises:
        UserError: a key is missing or unknown, or a value is invalid.
    """
    try:
        return table.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{where}: {_line(error, table)}") from None


def format_line(values: dict[str, Any], run: str = "") -> str:
    """Format values as a line of JSON with a checksum, which also covers ``run``, so that lines cannot change runs."""
    return json.dumps({**values, CHECK: _checksum(values, run)})


def parse_line(text: str, table: type[Record], run: str = "") -> dict[str, Any] | None:
    """Parse and validate a line written by `format_line`; None if it is damaged, or belongs to another run."""
    try:
        values = json.loads(text)
        if values.pop(CHECK, None) not in (None, _checksum(values, run)):
            return None
        table.model_validate(values)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return dict(values)


def _checksum(values: dict[str, Any], run: str) -> str:
    return f"{zlib.crc32((run + json.dumps(values, sort_keys=True)).encode()):08x}"


def _line(error: ValidationError, table: type[BaseModel]) -> str:
    try:
        return explain(error, table)
    except (StopIteration, KeyError, ValueError, IndexError):  # Deep in a list, for which `explain` finds no table.
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
