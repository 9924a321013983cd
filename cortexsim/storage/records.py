"""Records as they are written, and read back: each with a digest of itself, and held to what it must hold.

Records of other versions may lack the digest, and are held to the rest.
"""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cortexsim.config.validation import explain
from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import write_json

NonNegativeInt = Annotated[int, Field(ge=0, strict=True)]
PositiveInt = Annotated[int, Field(ge=1, strict=True)]
Number = Annotated[float, Field(strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Text = Annotated[str, Field(strict=True)]
Target = Literal["cpp", "numpy", "cython"]
DIGEST, CHECK = "sha256", "check"


class OpenRecord(BaseModel):
    """What a record must hold; what else it holds is kept."""

    model_config = ConfigDict(extra="allow")


class ClosedRecord(BaseModel):
    """What a record must hold, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class TrialRecord(ClosedRecord):
    """A trial; its model is held to the tables of models, its task to its own."""

    model: dict[str, Any]
    task: dict[str, Any]
    samples: PositiveInt
    test_samples: PositiveInt
    grammar_seed: NonNegativeInt
    seed: NonNegativeInt
    device: Text
    target: Target


class VersionRecord(OpenRecord):
    """Versions that decide whether a run can go on."""

    cortexsim: Text
    torch: Text
    numpy: Text
    brian2: Text


class CodeRecord(OpenRecord):
    """The code that ran."""

    folder: Text
    digest: Text
    git: dict[str, Any] | None


class RunRecord(OpenRecord):
    """The file ``run.json``."""

    trial: TrialRecord
    asked: Text
    content: str = ""
    versions: VersionRecord
    code: CodeRecord
    begun: Text = "-"


class RowRecord(OpenRecord):
    """A row of a result."""

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
    alignment: dict[str, list[Any]] | None
    diverged: Annotated[bool, Field(strict=True)]
    seconds: Number
    seconds_training: Number | None = None
    cpu_seconds: Number | None = None
    clipped: Share | None = None
    readout_linear: list[Share] = []
    readout_by_layer: list[Share] | None = None


class ResultRecord(OpenRecord):
    """The file ``result.json`` of a run; ``metrics`` is the digest of its lines."""

    rows: Annotated[list[RowRecord], Field(min_length=1, max_length=1)]
    asked: Text
    metrics: Text | None = None


class LineRecord(OpenRecord):
    """A line of ``metrics.jsonl``."""

    stage: PositiveInt
    epoch: PositiveInt
    rms: dict[str, Number | None]


class FailureRecord(OpenRecord):
    """The file ``error.json``."""

    error: Text


Record = TypeVar("Record", bound=BaseModel)


def digest(values: dict[str, Any]) -> str:
    """Digest values that JSON can hold."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def write_record(path: Path, values: dict[str, Any]) -> None:
    """Write a record, whole or not at all, with a digest of itself."""
    write_json(path, {**values, DIGEST: digest(values)})


def read_record(path: Path, table: type[Record], otherwise: str) -> dict[str, Any]:
    """Read what `write_record` wrote.

    Args:
        path: of the file.
        table: what it must hold.
        otherwise: what to say where it is none at all.

    Raises:
        UserError: one line naming the file, and what is wrong.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; {otherwise}") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}: no JSON; {otherwise}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: {otherwise}")
    written = values.pop(DIGEST, None)
    if written not in (None, digest(values)):
        raise UserError(f"{path}: is not what was written (damaged; or edited: then take out its '{DIGEST}')")
    validate(values, table, str(path))
    return values


def validate(values: Any, table: type[Record], where: str) -> Record:
    """See that values are what a table wants.

    Raises:
        UserError: one line that begins with where they are.
    """
    try:
        return table.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{where}: {_line(error, table)}") from None


def format_line(values: dict[str, Any], of: str = "") -> str:
    """Write values as a line of JSON that ends with a checksum; it holds for lines of one run alone."""
    return json.dumps({**values, CHECK: _check(values, of)})


def parse_line(text: str, table: type[Record], of: str = "") -> dict[str, Any] | None:
    """Read what `format_line` wrote; None where it is damaged."""
    try:
        values = json.loads(text)
        if values.pop(CHECK, None) not in (None, _check(values, of)):
            return None
        table.model_validate(values)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return dict(values)


def _check(values: dict[str, Any], of: str) -> str:
    return f"{zlib.crc32((of + json.dumps(values, sort_keys=True)).encode()):08x}"


def _line(error: ValidationError, table: type[BaseModel]) -> str:
    try:
        return explain(error, table)
    except (StopIteration, KeyError, ValueError, IndexError):  # Deep in a list, where no table has a name for it.
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
