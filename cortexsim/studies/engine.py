"""The engine of every study: it runs the trials that a study asks for, each once, and keeps what is finished."""

import shutil
import threading
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from cortexsim.config.provenance import versions
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.execution.scheduler import run_trials
from cortexsim.storage.atomic_io import write_json
from cortexsim.storage.folders import FAILED, POINTS, locked
from cortexsim.storage.ledger import Ledger
from cortexsim.storage.records import write_record
from cortexsim.storage.run_directory import RESULT, RunFolder
from cortexsim.training.checkpointing import EVERY, PATIENCE, run_in_folder, run_with_checkpoints
from cortexsim.training.measurement import prepare

ROWS, UNFINISHED = "rows.jsonl", "unfinished"  # Finished rows; the folder of trials that are running, or were stopped.
CHANGED = "a file of its model, rule, cell or task has changed since the command was started"
_ONE_AT_A_TIME = threading.Lock()  # A Dask worker may have several threads; torch has one thread count for them all.


class Engine:
    """Run trials for a study in its folder, where an interrupted study resumes.

    A study is a set of trials, and a strategy that asks for more when it has seen their rows. It calls the engine with
    the trials that it needs next, as often as it likes: a row that is there already, whichever part of the study has
    asked for it, is not computed again.

    >>> from cortexsim.config.overrides import changed
    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> model = changed(find_model("untrained"), {"readout.epochs": 2})
    >>> task = Hierarchy(depth=2, features=4, multiplicity=2)
    >>> few, more = (Trial(model, task, samples, test_samples=8, grammar_seed=10, seed=0) for samples in (4, 8))
    >>> engine = Engine(Path("study"), Console(), workers=1)
    >>> [row["samples"] for row in engine([few])]
    1 runs, 0 of them done before, ...
    1/1 runs, ...
    [4]
    >>> [row["samples"] for row in engine([few, more])]  # The row of the first is in ``study/rows.jsonl``.
    2 runs, 1 of them done before, ...
    2/2 runs, ...
    [4, 8]

    Args:
        out: folder of the study, which is made where it does not exist.
        console: where progress and tables go.
        workers: processes side by side; 0 takes one per core, and one where a GPU is used.
        cluster: address of a Dask scheduler, whose workers see the same folder and run the trials instead.

    Attributes:
        trials: every trial that was asked for, by key.

    Raises:
        UserError: where finished rows are damaged.
    """

    def __init__(self, out: Path, console: Console, workers: int = 0, cluster: str | None = None) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.out, self.console, self.workers, self.cluster = out, console, workers, cluster
        self.ledger = Ledger(out / ROWS)
        self.trials: dict[str, Trial] = {}

    def __call__(self, trials: Sequence[Trial], title: str = "") -> list[Row]:
        """Return the row of every trial; those that are not in ``rows.jsonl`` yet are run first.

        Args:
            trials: what to run.
            title: what stands before the number of runs.
        """
        keys = [trial.key for trial in trials]
        asked = dict(zip(keys, trials, strict=True))
        self.trials |= asked
        missing = {key: trial for key, trial in asked.items() if key not in self.ledger.rows}
        unfinished = self.out / UNFINISHED
        done = len(asked) - len(missing)
        for row in self._run(run_asked, missing, lambda key: (key, missing[key], unfinished / key), done, title):
            self.ledger.add(row)
            shutil.rmtree(unfinished / row["key"], ignore_errors=True)
        if missing:
            with suppress(OSError):  # Something else may be in it.
                unfinished.rmdir()
        return [self.ledger.rows[key] for key in keys]

    def in_folders(self, trials: Mapping[str, Trial]) -> dict[str, Row]:
        """Return the row of every trial by name; each is a run in a folder of its own, which stays.

        A trial that fails does not stop the others: its row has an ``error``.

        Args:
            trials: by the name of the folder in ``points/``.

        Raises:
            UserError: a point that is finished is of another model, rule, cell or task.
        """
        folders = {name: (self.out / POINTS / name).resolve() for name in trials}
        asked = {name: trial.settings_digest for name, trial in trials.items()}
        rows = {name: row for name, path in folders.items() if (row := _finished(path, trials[name])) is not None}
        missing = {name: trial for name, trial in trials.items() if name not in rows}
        arguments = {name: (name, folders[name], trial, asked[name]) for name, trial in missing.items()}
        for row in self._run(run_point, missing, arguments.__getitem__, len(rows), ""):
            rows[row["key"]] = row
        return {name: rows[name] for name in trials}

    def _run(self, work: Any, missing: Mapping[str, Trial], arguments: Any, done: int, title: str) -> Iterable[Row]:
        return run_trials(work, missing, arguments, self.console, self.workers, self.cluster, done, title)


def write_result(out: Path, rows: Iterable[Row], configuration: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Write ``result.json``: one long table of rows, and what made them.

    Args:
        out: folder of the study.
        rows: one per trial. Before what was measured, a row names what it is of: the ``comparison`` of an experiment;
            the ``sweep`` and the ``value`` of a sweep of hierarchies; the ``stage`` and ``draw`` of a search; and, as
            ``point``, the settings by which its model differs from others of its name.
        configuration: all that the rows depend on.
        more: what else the study has found.

    Returns:
        What was written.
    """
    result = {"rows": list(rows), **more, "versions": versions(), "configuration": configuration}
    write_json(out / RESULT, result)
    return result


def run_asked(key: str, trial: Trial, path: Path) -> Row:
    """Run a trial in a folder, as `run_in_folder`, if it is still what it was when its key was taken.

    Raises:
        UserError: a file that it depends on has changed since, or a worker of a cluster has other versions.
    """
    if trial.key != key:
        raise UserError(f"{trial.model.name}: {CHANGED}, or a worker has other versions (start the command again)")
    return {**run_in_folder(trial, path), "key": key}


def run_point(name: str, path: Path, trial: Trial, asked: str) -> Row:
    """Run a trial in its folder, from its newest checkpoint on.

    Args:
        name: of the trial, which becomes the ``key`` of its row.
        path: of the folder.
        trial: what is run.
        asked: digest of its settings when the sweep began.

    Returns:
        The row of its result, or a row with the ``error`` that it ended in.
    """
    try:
        with _ONE_AT_A_TIME, locked(path, "cortexsim sweep --resume, and the folder of the sweep", PATIENCE):
            folder = RunFolder.begin(path, trial)
            if folder.record["asked"] != asked:
                raise UserError(f"{CHANGED} (give another folder, or none)")
            (path / FAILED).unlink(missing_ok=True)
            row = run_with_checkpoints(folder, prepare(folder.trial), EVERY, lambda line: None)
            folder.finish(row)
    except Exception as error:  # Whatever it is, the other points have nothing to do with it.
        reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        row = {"error": " ".join(reason.split()), "traceback": traceback.format_exc()}
        if path.is_dir():
            write_record(path / FAILED, row)
    return {**row, "key": name}


def _finished(path: Path, trial: Trial) -> Row | None:
    """The row of a finished run, if this code would compute the same; otherwise None.

    Raises:
        UserError: the run is of another trial.
    """
    if not (path / RESULT).exists():
        return None
    try:
        folder = RunFolder(path)
        folder.check()
        row = folder.result
    except (
        UserError
    ):  # It is run again, to the same row; where that is impossible, the row of this point has the error.
        return None
    if not folder.is_of(trial):
        raise UserError(f"{path}: {CHANGED} (give another --out, or none)")
    return None if row is None else {**row, "key": path.name}
