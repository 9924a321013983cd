"""A single run: one model is trained, and every layer is read out."""

import time
from functools import partial
from io import BytesIO

import numpy as np
from rich.console import Console
from rich.table import Table

from cortexsim.analysis import weight_panels
from cortexsim.config.tasks import task_title
from cortexsim.config.trial import Row
from cortexsim.learners import CLIPPED, EpochEnd, Event, HybridNetwork
from cortexsim.rate import Network
from cortexsim.report import run_index, run_pages
from cortexsim.report.console import new_table, print_table
from cortexsim.storage.atomic_io import write_atomically, write_figure
from cortexsim.storage.run_directory import RunFolder
from cortexsim.training.checkpointing import EVERY, run_with_checkpoints
from cortexsim.training.measurement import layer_accuracy, prepare
from cortexsim.verbosity import quiet, verbose

INTERVAL = 10.0  # Seconds between two lines within an epoch.


def train_one(folder: RunFolder, console: Console, every: float = EVERY) -> Row:
    """Train a model, print what each layer has learned, and write result, weights, figure and report.

    Every layer is read out by a linear and by a two-layer decoder.

    Args:
        folder: of the run, locked by the caller; training resumes from its newest checkpoint.
        console: where progress and tables go.
        every: seconds between checkpoints.

    Returns:
        The row of the result.

    Raises:
        UserError: where the run cannot be resumed.
    """
    row = folder.result
    if row is None:
        row = _train(folder, console, every)
    else:
        console.print(f"{folder.path}: finished before", soft_wrap=True)
    if not (folder.path / "report.html").exists():
        _write_report(folder)
    print_table(layers_table(row), console)
    if row["sensitivity"][0]:
        print_table(_sensitivity(row), console)
    if row["diverged"]:
        console.print("The weights grew without bound: lower training.eta.")
    if row.get("clipped"):
        console.print(CLIPPED.format(row["clipped"]), soft_wrap=True)
    tested = f"{row.get('test_samples', folder.trial.test_samples)} test samples, chance {row['chance']:.3f}"
    answer = f"Test accuracy {row['accuracy']:.3f} with {row['samples']} samples ({tested})."
    console.print(answer)
    return row


def _write_report(folder: RunFolder) -> None:
    """Write the report of a finished run, and its figures as files."""
    if (found := folder.weights_over_time) is not None:
        title = f"{folder.trial.model.name} on {task_title(folder.trial.task)}"
        write_figure(weight_panels.courses(found, title), folder.path / "weights_over_time", dpi=150)
    run_pages.write(folder.path / "report.html", run_index.find_runs(folder.path), folder.path / "figure.svg")


def _train(folder: RunFolder, console: Console, every: float) -> Row:
    trial, prepared = folder.trial, prepare(folder.trial)
    progress = EpochProgress(console, prepared.learner.stages, trial.model.training.epochs, folder.epochs_done)
    progress.follow(prepared.learner.network)
    row = run_with_checkpoints(folder, prepared, every, partial(console.print, soft_wrap=True), [progress])
    layers = range(len(prepared.learner.network.layers))
    for kind in ("linear", "two-layer"):
        row[f"readout_{kind}"] = [layer_accuracy(trial, prepared, layer, kind) for layer in layers]
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in prepared.learner.network.state().items()}
    file = BytesIO()
    np.savez(file, allow_pickle=False, **weights)
    write_atomically(folder.path / "weights.npz", file.getvalue())
    folder.finish(row)
    return row


class EpochProgress:
    """A callback of training that prints progress and the remaining time, after every tenth of the epochs.

    >>> progress = EpochProgress(Console(), stages=2, epochs=3, done=2)  # Resumed after two epochs.
    >>> progress(EpochEnd(stage=0, epoch=2))
    stage 1 of 2, epoch 3 of 3
    >>> progress(EpochEnd(stage=1, epoch=0))
    stage 2 of 2, epoch 1 of 3

    The remaining time is estimated from finished epochs, but not from the first of each stage, in which layers below
    are evaluated. Within an epoch of spiking layers progress is printed every ten seconds, with an estimate from that
    epoch if no other has been timed.

    Args:
        console: where it is printed.
        stages: number of stages of the training.
        epochs: number of epochs in a stage.
        done: number of epochs that were finished before.
    """

    def __init__(self, console: Console, stages: int, epochs: int, done: int = 0) -> None:
        self.console, self.stages, self.epochs, self.done = console, stages, epochs, done
        self.ended = self.spoken = time.monotonic()
        self.begun = False
        self.measured: list[float] = []

    def follow(self, network: Network) -> None:
        """Be told by the spiking layers of a network how far their epoch is."""
        for segment in network.segments if isinstance(network, HybridNetwork) else ():
            segment.progress = self.within

    def within(self, shown: int, samples: int) -> None:
        """Called within an epoch, after some of its fixations.

        Args:
            shown: how many have passed.
            samples: fixations of the epoch.
        """
        now = time.monotonic()
        if quiet() or now - self.spoken < INTERVAL or shown == samples:
            return
        pace = self._pace() or (now - self.ended) * samples / shown
        left = (self.stages * self.epochs - self.done - shown / samples) * pace
        self._print(f"{self._place(self.done)}, {shown} of {samples} fixations, {left:.0f} s left")

    def __call__(self, event: Event) -> None:
        """Called at the end of every batch and epoch."""
        if not isinstance(event, EpochEnd):
            return
        now, whole = time.monotonic(), self.stages * self.epochs
        if self.begun and event.epoch > 0:
            self.measured.append(now - self.ended)
        self.begun, self.ended, self.done = True, now, event.stage * self.epochs + event.epoch + 1
        if quiet() or (self.done % max(1, whole // 10) and self.done != whole and not verbose()):
            return
        text = self._place(self.done - 1)
        if (pace := self._pace()) is not None:
            text += f", {pace * (whole - self.done):.0f} s left"
        self._print(text)

    def _place(self, epoch: int) -> str:
        stage, within = divmod(epoch, self.epochs)
        return f"stage {stage + 1} of {self.stages}, epoch {within + 1} of {self.epochs}"

    def _pace(self) -> float | None:
        """Seconds an epoch, of those that have been timed."""
        return sum(self.measured) / len(self.measured) if self.measured else None

    def _print(self, text: str) -> None:
        self.spoken = time.monotonic()
        self.console.print(text)


def layers_table(row: Row) -> Table:
    """Tabulate what each layer of a run has learned."""
    known = ("selectivity", "participation", "decoding", "readout_linear", "readout_two-layer")
    columns = [column for column in known if column in row]  # Points of a sweep have no such readouts.
    heads = ["layer", *(column.replace("readout_", "label, ") for column in columns)]
    table = new_table(f"{row['learner']}: what each layer has learned", heads)
    for layer, values in enumerate(zip(*(row[column] for column in columns), strict=True), 1):
        table.add_row(str(layer), *(f"{value:.3f}" for value in values))
    return table


def _sensitivity(row: Row) -> Table:
    caption = "Response change when synonyms of a level are exchanged, over that between unrelated samples."
    heads = ["layer", *(f"level {level}" for level in range(1, len(row["sensitivity"][0]) + 1))]
    table = new_table("Synonymic sensitivity", heads, caption)
    for layer, values in enumerate(row["sensitivity"], 1):
        table.add_row(str(layer), *(f"{value:.3f}" for value in values))
    return table
