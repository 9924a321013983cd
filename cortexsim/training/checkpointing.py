"""Training that can be interrupted: checkpoints are written at intervals, at the end, and on Ctrl-C."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from cortexsim.config.building import budget
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import error_prefix
from cortexsim.learners import BatchEnd, Callback, Cursor, Event, Learner, check_cursor, load_exactly
from cortexsim.processes import TERMINATION_SIGNALS, handling_signals
from cortexsim.storage.atomic_io import append_line, write_atomically
from cortexsim.storage.checkpoint import Checkpoint
from cortexsim.storage.folders import locked
from cortexsim.storage.records import LineRecord, format_line, parse_line
from cortexsim.storage.run_directory import METRICS, RunFolder
from cortexsim.training.alignment_monitor import AlignmentMonitor
from cortexsim.training.measurement import Prepared, prepare, train_and_measure
from cortexsim.training.weight_recorder import WeightRecorder

EVERY = 30.0  # Seconds between checkpoints.
PATIENCE = 10.0  # Seconds that a worker of a killed command may take to end and release its folder.


def run_with_checkpoints(
    folder: RunFolder,
    prepared: Prepared,
    every: float = EVERY,
    notify: Callable[[str], None] = print,
    callbacks: Sequence[Callback] = (),
) -> Row:
    """Train and measure the run of a folder, starting from its newest checkpoint.

    Args:
        folder: the run's folder, locked.
        prepared: the run's data, and its learner, untrained.
        every: seconds between checkpoints; 0 writes one after every batch.
        notify: called with one line about anything that a user should know.
        callbacks: called at the end of each batch and epoch.

    Returns:
        The measurements, which are not yet written to the folder.

    Raises:
        UserError: the run cannot be resumed with this installation, or from its checkpoint.
        KeyboardInterrupt: the run was interrupted, after a checkpoint was written.
    """
    for warning in folder.check():
        notify(warning)
    checkpointer = Checkpointer(folder, prepared.learner, every, notify)
    return train_and_measure(folder.trial, prepared, callbacks, checkpointer)


def run_in_folder(trial: Trial, path: Path) -> Row:
    """Run a trial in a folder, from its newest checkpoint if there is one, and write the result there.

    >>> from cortexsim.config.overrides import changed
    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> model = changed(find_model("untrained"), {"readout.epochs": 2})
    >>> trial = Trial(model, Hierarchy(depth=2), samples=64, test_samples=32, grammar_seed=10, seed=0)
    >>> row = run_in_folder(trial, Path("first"))
    >>> row["samples"], row == run_in_folder(trial, Path("first"))  # The second time it is read.
    (64, True)

    Args:
        trial: what to run.
        path: the folder; created if needed.

    Returns:
        The measurements, from ``result.json`` if the run is finished already.

    Raises:
        UserError: the folder is in use, holds something else, or the run cannot be resumed.
    """
    with locked(path, "the same command, and --resume", PATIENCE):
        folder = RunFolder.begin(path, trial)
        row = folder.result
        if row is None:
            row = run_with_checkpoints(folder, prepare(folder.trial), notify=lambda line: None)
            folder.finish(row)
    return {**row, "key": trial.key}


class Metrics:
    """The file ``metrics.jsonl`` of a run, with one line per epoch.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.path, self.key = folder.path / METRICS, folder.record["asked"]
        self.epochs = folder.trial.model.training.epochs

    def rewind(self, cursor: Cursor, notify: Callable[[str], None]) -> None:
        """Delete lines of epochs after a position in the training, and lines that are incomplete or damaged.

        Args:
            cursor: the position from which training continues.
            notify: called with one line if lines were damaged or missing.
        """
        lines = []
        for text in self.path.read_bytes().decode(errors="replace").splitlines() if self.path.exists() else []:
            entry = parse_line(text, LineRecord, self.key)
            if entry is not None and (entry["stage"] - 1, entry["epoch"] - 1) < cursor[:2]:
                lines.append(f"{text}\n")
        if lost := cursor.stage * self.epochs + cursor.epoch - len(lines):
            notify(f"{self.path}: {abs(lost)} lines are damaged or missing; the result does not depend on them")
        if self.path.exists():
            write_atomically(self.path, "".join(lines).encode())

    def add(self, entry: dict[str, Any]) -> None:
        """Append the line of an epoch."""
        append_line(self.path, format_line(entry, self.key))

    def sync(self) -> None:
        """Sync the file to disk, so that it survives a power failure."""
        if self.path.exists():
            with self.path.open("a") as file:
                os.fsync(file.fileno())


class Checkpointer:
    """A training callback that writes checkpoints, metrics, and weights over time, into the folder of a run.

    Args:
        folder: the run's folder.
        learner: the run's learner, untrained.
        every: seconds between checkpoints; 0 writes one after every batch.
        notify: called with one line about anything that a user should know.

    Attributes:
        spent: seconds of training before the run was resumed.
    """

    def __init__(self, folder: RunFolder, learner: Learner, every: float, notify: Callable[[str], None]) -> None:
        self.folder, self.learner, self.every, self.notify = folder, learner, every, notify
        self.checkpoints, self.metrics = folder.checkpoints, Metrics(folder)
        self.spent, self.start, self.written = 0.0, time.monotonic(), time.monotonic()
        self.alignment: AlignmentMonitor | None = None
        self.recorder: WeightRecorder | None = None
        if folder.sampling is not None:
            self.recorder = WeightRecorder(folder, folder.sampling, learner, budget(folder.trial.model))
        self.stop = StopRequest()

    @contextmanager
    def session(self, alignment: AlignmentMonitor) -> Iterator[Cursor]:
        """Load the newest checkpoint, yield the position to train from, and write a checkpoint when training ends.

        Args:
            alignment: monitor whose measurements are stored in the checkpoints.

        Raises:
            UserError: a checkpoint cannot be read, or belongs to another run.
        """
        self.alignment = alignment
        begin = self._load()
        self.metrics.rewind(begin, self.notify)
        if self.recorder is not None:
            self.recorder.begin(begin, self.notify)
        self.start = self.written = time.monotonic()
        with self.stop.listening():
            yield begin
            if begin.stage < self.learner.stages or self.learner.stages == 0:
                self._write(Cursor(self.learner.stages))
            if self.stop.requested:  # In the last batch.
                raise KeyboardInterrupt

    def __call__(self, event: Event) -> None:
        """Called at the end of each batch, to write a checkpoint if one is due, and of each epoch, to write metrics."""
        if isinstance(event, BatchEnd):
            if self.recorder is not None:
                self.recorder(event.cursor)
            self._batch_ended(event.cursor)
        else:
            self._epoch_ended(event.stage, event.epoch)

    def _batch_ended(self, cursor: Cursor) -> None:
        if self.stop.requested or time.monotonic() - self.written >= self.every:
            self._write(cursor)
            if self.stop.requested:
                raise KeyboardInterrupt

    def _epoch_ended(self, stage: int, epoch: int) -> None:
        assert self.alignment is not None
        magnitudes = {name: _rms(tensor) for name, tensor in self.learner.network.state().items()}
        self.metrics.add(
            {"stage": stage + 1, "epoch": epoch + 1, "rms": magnitudes, **self.alignment.latest(epoch + 1)}
        )

    def _load(self) -> Cursor:
        assert self.alignment is not None
        self.checkpoints.tidy()
        checkpoint = self.checkpoints.newest(self.notify)
        if checkpoint is None:
            if (self.folder.path / METRICS).exists():
                self.notify("There is no checkpoint yet: training starts again, with the same result")
            return Cursor()
        trial, cursor, manifest = self.folder.trial, checkpoint.cursor, self.checkpoints.manifest(checkpoint.cursor)
        remedy = "delete it and its .safetensors file to resume from the previous checkpoint"
        with error_prefix(f"{manifest}: intact, but of another run ({remedy})"):
            check_cursor(cursor, self.learner, trial.samples, budget(trial.model))
            self.alignment.restore(checkpoint.alignment, cursor, self.learner.stages)
            load_exactly(self.learner, checkpoint.state)
        self.spent = checkpoint.seconds
        return cursor

    def _write(self, cursor: Cursor) -> None:
        assert self.alignment is not None
        self.metrics.sync()
        if self.recorder is not None:
            self.recorder.sync()
        spent = self.spent + time.monotonic() - self.start
        self.checkpoints.write(Checkpoint(cursor, self.learner.state(), spent, self.alignment.history))
        self.written = time.monotonic()


class StopRequest:
    """Turns the first Ctrl-C, SIGTERM or SIGHUP into a request to stop; the second interrupts immediately."""

    requested = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle these signals during the block; outside the main thread, do nothing."""
        with handling_signals(self._handle, signal.SIGINT, *TERMINATION_SIGNALS):
            yield

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        # `print` is not reentrant: the signal may have interrupted one.
        os.write(
            2, b"Stopping with a checkpoint after this batch, or this epoch of spiking layers (again to stop now)\n"
        )


def _rms(tensor: torch.Tensor) -> float | None:
    """Return the root mean square, or None if it is not finite."""
    value = float(tensor.detach().double().square().mean().sqrt())
    return value if torch.isfinite(torch.tensor(value)) else None
