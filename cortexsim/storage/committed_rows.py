"""Rows that are committed with an experiment, reduced to what its tables and figures need."""

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cortexsim.config.tasks import task_table
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import write_atomically

Measure = Callable[[Sequence[Trial], str], Sequence[Row]]  # Takes trials, and a text to print before their number.
ROWS = "rows.jsonl.gz"
NUMBERED = (
    *("selectivity", "participation", "decoding", "readout_by_layer", "spikes", "synaptic_operations"),
    *("multiply_adds", "used_multiply_adds"),
)
COLUMNS = ("rule", "context", "labels", "labels_for", "trained_layers", "accuracy", "chance", "diverged", "alignment")
DIGITS = 5  # Significant digits stored; tables print three.


def write(folder: Path, rows: Iterable[tuple[str, Trial, Row]]) -> None:
    """Write rows into ``rows.jsonl.gz``.

    Args:
        folder: where to write.
        rows: part of the experiment, trial, and the measurements of the trial.

    Raises:
        OSError: the file cannot be written.
    """
    write_rows(folder, (_identity(part, trial) | _reduced(row) for part, trial, row in rows))


def write_rows(folder: Path, rows: Iterable[Row]) -> None:
    """Write rows into ``rows.jsonl.gz``, one JSON object per line, each row once."""
    lines = dict.fromkeys(json.dumps(row) for row in rows)
    text = "".join(f"{line}\n" for line in lines)
    write_atomically(folder / ROWS, gzip.compress(text.encode(), mtime=0))


def read_rows(path: Path) -> list[Row]:
    """Read rows that `write_rows` wrote.

    >>> write_rows(Path(), [{"learner": "clapp", "samples": 64, "accuracy": 0.9}])
    >>> read_rows(Path("rows.jsonl.gz"))
    [{'learner': 'clapp', 'samples': 64, 'accuracy': 0.9}]

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
        if all(isinstance(row, dict) for row in rows):
            return rows
    except OSError as error:
        reason = error.strerror or "not a gzip file"
        raise UserError(f"{path}: {reason} (run the experiment, and copy the file from its folder)") from None
    except (EOFError, ValueError):
        pass
    raise UserError(f"{path}: damaged (copy it again from the folder of the experiment's run)")


class StoredRows:
    """Committed rows, looked up in place of being computed again.

    Args:
        path: the file.

    Raises:
        UserError: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.rows = {_key(row): row for row in read_rows(path)}
        except KeyError:
            raise UserError(f"{path}: damaged (copy it again from the folder of the experiment's run)") from None

    def lookup(self, part: str) -> Measure:
        """Return a function that looks up the rows of trials of one part of the experiment."""

        def find(trials: Sequence[Trial], before: str) -> list[Row]:
            return [self._row(_identity(part, trial)) for trial in trials]

        return find

    def _row(self, asked: dict[str, Any]) -> Row:
        if (row := self.rows.get(_key(asked))) is None:
            wanted = ", ".join(f"{name} {value}" for name, value in asked.items() if value != "")
            raise UserError(f"{self.path}: no row of {wanted} (run the experiment again, and copy its {ROWS})")
        return row


def _identity(part: str, trial: Trial) -> dict[str, Any]:
    """Identify a trial by its settings, since its key differs between versions."""
    return {
        "part": part,
        "learner": trial.model.name,
        "task": task_table(trial.task),
        "samples": trial.samples,
        "test_samples": trial.test_samples,
        "grammar_seed": trial.grammar_seed,
        "seed": trial.seed,
    }


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("part", "learner", "samples", "test_samples", "grammar_seed", "seed")
    return (json.dumps(row["task"], sort_keys=True), *(row[name] for name in names))


def _reduced(row: Row) -> Row:
    exact = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    return exact | {name: _rounded(row[name]) for name in NUMBERED if row.get(name) is not None}


def _rounded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(f"{value:.{DIGITS}g}")
