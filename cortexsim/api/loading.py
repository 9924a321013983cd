"""Load results and trained models that the command line has stored."""

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

from cortexsim.api.results import Run, frame
from cortexsim.config.trial import Row
from cortexsim.errors import UserError, error_prefix
from cortexsim.learners import load_exactly
from cortexsim.report import run_index
from cortexsim.storage.committed_rows import ROWS
from cortexsim.storage.run_directory import RESULT, RunFolder
from cortexsim.training.measurement import prepare

if TYPE_CHECKING:
    import pandas as pd


def load_results(path: str | Path) -> "pd.DataFrame":
    """Load results into a pandas table with one row per trial.

    >>> import cortexsim
    >>> small = {"depth": 2, "features": 4, "multiplicity": 2}
    >>> _ = cortexsim.compare(["untrained"], small, [8, 16], seeds=1, settings={"readout.epochs": 2}, out="compared")
    >>> load_results("compared")[["learner", "samples"]].values.tolist()
    [['untrained', 8], ['untrained', 16]]

    Among the columns are:

    - ``learner`` (the model's name), ``rule``, ``substrate``, ``context``;
    - ``samples``: number of training samples; ``labels``: how many of them had a label; ``grammar_seed``, ``seed``;
    - ``accuracy`` and ``chance``: on test samples, 0 to 1;
    - ``selectivity``, ``participation``, ``decoding``, ``readout_by_layer``: lists with one value per layer;
    - ``spikes`` and ``synaptic_operations``: per sample; ``seconds``: duration of the trial.

    The results of a search for thresholds have the columns of `Thresholds.entries` instead.

    Args:
        path: folder of a run, comparison, sweep or experiment; a folder of runs; or a file of rows, such as
            ``rows.jsonl.gz`` of an experiment.

    Raises:
        UserError: there are no results, they cannot be read, or pandas is not installed.
    """
    return frame(result_rows(Path(path)))


def result_rows(path: Path) -> list[Row]:
    """Read the rows of results; see `load_results`.

    Raises:
        UserError: there are no results, or they cannot be read.
    """
    if path.is_dir():
        for name in (RESULT, ROWS, "rows.jsonl"):
            if (path / name).exists():
                return result_rows(path / name)
        stored = [{"run": run.name, **run.row} for run in run_index.find_runs(path) if run.row is not None]
        if not stored:
            raise UserError(f"{path}: no results in it (a folder that cortexsim has written)")
        return stored
    try:
        text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
        if path.suffix == ".json":
            result = json.loads(text)
            rows: list[Row] = result["rows"] if "rows" in result else result["thresholds"]
        else:
            rows = [json.loads(line) for line in text.splitlines()]
        if not rows or not all(isinstance(row, dict) for row in rows):
            raise ValueError
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from None
    except (EOFError, ValueError, KeyError, TypeError):
        raise UserError(f"{path}: no results (result.json, rows.jsonl or rows.jsonl.gz)") from None
    return rows


def load_run(path: str | Path) -> Run:
    """Load a run that ``cortexsim train`` has stored: its measurements, and its network with the trained weights.

    The example stores a run as ``cortexsim train untrained --out trained`` does:

    >>> import cortexsim
    >>> from cortexsim.training.checkpointing import run_in_folder
    >>> task = {"depth": 2, "features": 4, "multiplicity": 2}
    >>> run = cortexsim.train("untrained", task, samples=16, settings={"readout.epochs": 2})
    >>> row = run_in_folder(run.trial, Path("trained"))
    >>> loaded = load_run("trained")
    >>> loaded.accuracy == run.accuracy, loaded.weights["layer1.feedforward"].shape
    (True, (1, 64, 8))

    Args:
        path: the run's folder.

    Raises:
        UserError: the folder holds no run, or one without a checkpoint, or one of another version of cortexsim.
    """
    folder = RunFolder(Path(path))
    folder.check()
    checkpoint = folder.checkpoints.newest(lambda line: None)
    if checkpoint is None and folder.trial.model.learner != "untrained":
        raise UserError(f"{path}: no checkpoint yet (cortexsim train --resume {path})")
    prepared = prepare(folder.trial)
    if checkpoint is not None:
        with error_prefix(f"{path}"):
            load_exactly(prepared.learner, checkpoint.state)
    return Run(folder.trial, folder.result, prepared, folder)
