"""Index of runs on disk: found, listed, and compared."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from cortexsim.config.schema import settings_used
from cortexsim.config.trial import Row
from cortexsim.errors import UserError
from cortexsim.report.console import new_table
from cortexsim.storage.folders import FAILED, POINTS, RECORD
from cortexsim.storage.records import FailureRecord, LineRecord, parse_line, read_record
from cortexsim.storage.run_directory import METRICS, RunFolder

REPEATED = ("seed", "grammar_seed", "test_samples", "code", "versions")
"""In which runs of the same settings may differ; ``test_samples`` follow from other settings."""


@dataclass(frozen=True)
class StoredRun:
    """A run as its folder holds it.

    Attributes:
        name: of the folder.
        folder: the run.
        row: its result; None where it is not finished.
        metrics: per epoch, what ``metrics.jsonl`` has of it.
        error: why it failed; empty where it did not.
    """

    name: str
    folder: RunFolder
    row: Row | None
    metrics: list[dict[str, Any]]
    error: str = ""

    @property
    def state(self) -> str:
        """How far it is, in words."""
        if self.row is not None:
            return "finished"
        if self.error:
            return f"failed: {self.error}"
        if not self.metrics:
            return "begun"
        last, epochs = self.metrics[-1], self.folder.trial.model.training.epochs
        return f"stage {last['stage']}, epoch {last['epoch']} of {epochs}"

    def configuration(self) -> dict[str, Any]:
        """All settings, versions and code that the run was made with, by dotted key."""
        record = self.folder.record
        made = {"model": settings_used(self.folder.trial.model), "versions": record["versions"], "code": record["code"]}
        return _flat({**record["trial"], **made})


def find_runs(path: Path, notify: Callable[[str], None] | None = None) -> list[StoredRun]:
    """Find the runs in a folder: the folder itself, or those within it, also the points of sweeps.

    >>> from cortexsim.config.overrides import changed
    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.config.trial import Trial
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> from cortexsim.training.checkpointing import run_in_folder
    >>> model = changed(find_model("untrained"), {"readout.epochs": 2})
    >>> _ = run_in_folder(Trial(model, Hierarchy(depth=2), 64, 32, 10, 0), Path("runs/first"))
    >>> [(run.name, run.state) for run in find_runs(Path("runs"))]
    [('first', 'finished')]

    Args:
        path: of the folder.
        notify: called with a line about each run that cannot be read, which is then left out.

    Raises:
        UserError: where the folder does not exist, or, without ``notify``, a run in it cannot be read.
    """
    if not path.is_dir():
        raise UserError(f"{path}: no such folder (--out of a run, or runs/)")
    found = []
    for folder in sorted({record.parent for name in (RECORD, METRICS) for record in path.glob(f"**/{name}")}):
        try:
            found.append(_read(folder, path))
        except UserError as error:
            if notify is None:
                raise
            notify(str(error))
        except OSError as error:
            if notify is None:
                raise
            notify(f"{error.filename or folder}: {error.strerror or error}")
    return found


def read_runs(paths: Iterable[Path], notify: Callable[[str], None] | None = None) -> list[StoredRun]:
    """Read the runs of several folders, each run once.

    Args:
        paths: of the folders.
        notify: called with a line about each run that cannot be read, which is then left out.

    Raises:
        UserError: where a folder holds no run.
    """
    found: dict[Path, StoredRun] = {}
    for path in paths:
        here = find_runs(path, notify)
        if not here:
            raise UserError(f"{path}: no run in it (a folder that `cortexsim train` or `sweep` has written)")
        found |= {run.folder.path.resolve(): run for run in here}
    names = [run.name for run in found.values()]
    return [replace(run, name=str(path)) if names.count(run.name) > 1 else run for path, run in found.items()]


def listing(runs: Iterable[StoredRun]) -> Table:
    """Tabulate runs by their folders, which ``--resume`` takes: model, task, progress and test accuracy."""
    columns = ["run", "model", "task", "layers", "samples", "grammar", "seed", "begun", "state", "test accuracy"]
    table = new_table("Runs", columns, left=2)
    for run in runs:
        trial, row = run.folder.trial, run.row
        numbers = (trial.task.name, trial.model.layers_on(trial.task), trial.samples, trial.grammar_seed, trial.seed)
        accuracy = f"{row['accuracy']:.3f}" if row is not None else "-"
        begun = str(run.folder.record.get("begun", "-"))[:16].replace("T", " ")
        table.add_row(str(run.folder.path), trial.model.name, *map(str, numbers), begun, run.state, accuracy)
    return table


def differences(runs: list[StoredRun]) -> dict[str, list[Any]]:
    """The settings in which runs differ, each with its value in every run; None where a run has no such setting."""
    settings = [run.configuration() for run in runs]
    keys = dict.fromkeys(key for several in settings for key in several)
    table = {key: [several.get(key) for several in settings] for key in keys}
    table.pop("model.description", None)
    return {key: values for key, values in table.items() if any(value != values[0] for value in values)}


def swept(runs: list[StoredRun]) -> tuple[str, list[Any]] | None:
    """Find the one setting in which runs differ, but for seeds, and its value in each; None where it is not one."""
    found = {key: values for key, values in differences(runs).items() if key.partition(".")[0] not in REPEATED}
    distinct = {json.dumps(values): key for key, values in reversed(found.items())}  # Samples are listed twice.
    if len(distinct) != 1:
        return None
    key = next(iter(distinct.values()))
    return key.removeprefix("model."), found[key]


def _read(path: Path, above: Path) -> StoredRun:
    folder, error, metrics = RunFolder(path), "", []
    row = folder.result
    if (path / METRICS).exists():
        lines = (path / METRICS).read_bytes().decode(errors="replace").splitlines(keepends=True)
        for number, text in enumerate(lines, 1):
            if not text.endswith("\n"):  # The last line may be half written.
                continue
            if (entry := parse_line(text, LineRecord, folder.record["asked"])) is None:
                raise UserError(f"{path / METRICS}: line {number} is damaged (take it out, or go on with the run)")
            metrics.append(entry)
    if row is None and len(metrics) < (known := folder.epochs_done):
        raise UserError(f"{path / METRICS}: has {len(metrics)} of {known} lines (go on with the run)")
    if (path / FAILED).exists():
        error = read_record(path / FAILED, FailureRecord, "not why a run failed (take it out)")["error"]
    name = path.name if path == above else str(path.relative_to(above)).replace(f"{POINTS}/", "")
    return StoredRun(name, folder, row, metrics, error)


def _flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = value
    return found
