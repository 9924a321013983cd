"""Training that survives: checkpoints now and then, at the end, and when it is asked to stop."""

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
from cortexsim.errors import about
from cortexsim.learners import BatchEnd, Callback, Cursor, Event, Learner, check_cursor, load_exactly
from cortexsim.processes import ENDING, signals_heard
from cortexsim.storage.atomic_io import append_line, write_whole
from cortexsim.storage.checkpoint import Checkpoint
from cortexsim.storage.folders import hold
from cortexsim.storage.records import LineRecord, line, parsed
from cortexsim.storage.run_directory import METRICS, RunFolder
from cortexsim.training.alignment_monitor import AlignmentMonitor
from cortexsim.training.measurement import Prepared, prepare, train_and_measure

EVERY = 30.0  # Seconds between checkpoints.
PATIENCE = 10.0  # Seconds that the worker of a command that was killed may take to end.


def run_kept(
    folder: RunFolder,
    prepared: Prepared,
    every: float = EVERY,
    say: Callable[[str], None] = print,
    callbacks: Sequence[Callback] = (),
) -> Row:
    """Train and measure in a run's folder, from its newest checkpoint on; answer with the row of its result.

    Args:
        folder: of the run, held.
        prepared: the run's learner, untrained, and its data.
        every: seconds between checkpoints; 0 writes one after every batch.
        say: told what a user should know.
        callbacks: told every batch and epoch that ends.

    Raises:
        UserError: where the run cannot go on.
    """
    for warning in folder.check():
        say(warning)
    return train_and_measure(folder.trial, prepared, callbacks, Checkpointer(folder, prepared.learner, every, say))


def run_in(trial: Trial, path: Path) -> Row:
    """Run a trial in a folder, from its newest checkpoint on; the row stays there too, until it is kept elsewhere."""
    with hold(path, "the same command, and --resume", PATIENCE):
        folder = RunFolder.begin(path, trial)
        row = folder.result
        if row is None:
            row = run_kept(folder, prepare(folder.trial), say=lambda line: None)
            folder.finish(row)
    return {**row, "key": trial.key}


class Metrics:
    """Lines of `metrics.jsonl`, one an epoch, each written at once.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.path, self.key = folder.path / METRICS, folder.record["asked"]
        self.epochs = folder.trial.model.training.epochs

    def forget(self, cursor: Cursor, say: Callable[[str], None]) -> None:
        """Drop the lines of epochs that are still to come, half a line that was being written, and damaged ones."""
        lines = []
        for text in self.path.read_bytes().decode(errors="replace").splitlines() if self.path.exists() else []:
            entry = parsed(text, LineRecord, self.key)
            if entry is not None and (entry["stage"] - 1, entry["epoch"] - 1) < cursor[:2]:
                lines.append(f"{text}\n")
        if lost := cursor.stage * self.epochs + cursor.epoch - len(lines):
            say(f"{self.path}: {abs(lost)} lines are damaged, or missing; the result does not depend on them")
        if self.path.exists():
            write_whole(self.path, "".join(lines).encode())

    def add(self, entry: dict[str, Any]) -> None:
        """Write a line."""
        append_line(self.path, line(entry, self.key))

    def sync(self) -> None:
        """Let what is written last through a loss of power."""
        if self.path.exists():
            with self.path.open("a") as file:
                os.fsync(file.fileno())


class Checkpointer:
    """Train in a run's folder, from the newest checkpoint on.

    Args:
        folder: of the run.
        learner: built as the run says, untrained.
        every: seconds between checkpoints; 0 writes one after every batch.
        say: told what a user should know.
    """

    def __init__(self, folder: RunFolder, learner: Learner, every: float, say: Callable[[str], None]) -> None:
        self.folder, self.learner, self.every, self.say = folder, learner, every, say
        self.checkpoints, self.metrics = folder.checkpoints, Metrics(folder)
        self.spent, self.start, self.written = 0.0, time.monotonic(), time.monotonic()
        self.following: AlignmentMonitor | None = None
        self.stop = Stop()

    @contextmanager
    def kept(self, following: AlignmentMonitor) -> Iterator[Cursor]:
        """Say where training begins, and keep where it ends; what was followed is kept with it."""
        self.following = following
        begin = self._load()
        self.metrics.forget(begin, self.say)
        self.start = self.written = time.monotonic()
        with self.stop.heard():
            yield begin
            if begin.stage < self.learner.stages or self.learner.stages == 0:
                self._write(Cursor(self.learner.stages))

    def __call__(self, event: Event) -> None:
        """Hear what has ended: after a batch a checkpoint may be due, after an epoch a line of metrics is."""
        if isinstance(event, BatchEnd):
            self._batch_ended(event.cursor)
        else:
            self._epoch_ended(event.stage, event.epoch)

    def _batch_ended(self, cursor: Cursor) -> None:
        if self.stop.asked or time.monotonic() - self.written >= self.every:
            self._write(cursor)
            if self.stop.asked:
                raise KeyboardInterrupt

    def _epoch_ended(self, stage: int, epoch: int) -> None:
        assert self.following is not None
        sizes = {name: _size(tensor) for name, tensor in self.learner.network.state().items()}
        self.metrics.add({"stage": stage + 1, "epoch": epoch + 1, "rms": sizes, **self.following.latest(epoch + 1)})

    def _load(self) -> Cursor:
        assert self.following is not None
        self.checkpoints.tidy()
        found = self.checkpoints.newest(self.say)
        if found is None:
            if (self.folder.path / METRICS).exists():
                self.say("There is no checkpoint yet: beginning anew, to the same result")
            return Cursor()
        trial, forged = self.folder.trial, f"{self.checkpoints.manifest(found.cursor)}: sound, but of another run"
        with about(f"{forged} (take it out, with its .safetensors, to go on from the one before)"):
            check_cursor(found.cursor, self.learner, trial.samples, budget(trial.model))
            self.following.see_possible(found.followed, found.cursor, self.learner.stages)
            load_exactly(self.learner, found.state)
        self.following.found, self.spent = found.followed, found.seconds
        return found.cursor

    def _write(self, cursor: Cursor) -> None:
        assert self.following is not None
        self.metrics.sync()
        spent = self.spent + time.monotonic() - self.start
        self.checkpoints.write(Checkpoint(cursor, self.learner.state(), spent, self.following.found))
        self.written = time.monotonic()


class Stop:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into a wish; the second interrupts at once."""

    asked = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen meanwhile, where signals can be heard: in the main thread."""
        with signals_heard(self._hear, signal.SIGINT, *ENDING):
            yield

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        # Not `print`, which may be at work already.
        os.write(2, b"Stopping after this batch, or epoch of spikes, with a checkpoint (once more: at once)\n")


def _size(tensor: torch.Tensor) -> float | None:
    """Root mean square; None where it is beyond all bounds."""
    found = float(tensor.detach().double().square().mean().sqrt())
    return found if torch.isfinite(torch.tensor(found)) else None
