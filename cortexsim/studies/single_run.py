"""One model trained by itself, every layer read out."""

import time
from functools import partial
from io import BytesIO

import numpy as np
from rich.console import Console
from rich.table import Table

from cortexsim.config.trial import Row
from cortexsim.learners import CLIPPED, EpochEnd, Event
from cortexsim.report import run_index, run_pages
from cortexsim.report.console import new_table, put
from cortexsim.storage.atomic_io import write_atomically
from cortexsim.storage.run_directory import RunFolder
from cortexsim.training.checkpointing import EVERY, run_with_checkpoints
from cortexsim.training.measurement import layer_accuracy, prepare


def train_one(folder: RunFolder, console: Console, every: float = EVERY) -> Row:
    """Train, print what each layer has learned, and write results, weights, figure and report.

    Every layer is read out by a linear and by a two-layer decoder.

    Args:
        folder: of the run, held, which goes on from its newest checkpoint.
        console: where progress and tables go.
        every: seconds between checkpoints.
    """
    row = folder.result
    if row is None:
        row = _train(folder, console, every)
    else:
        console.print(f"{folder.path}: finished before", soft_wrap=True)
    if not (folder.path / "report.html").exists():
        run_pages.write(folder.path / "report.html", run_index.find(folder.path), folder.path / "figure.svg")
    put(_layers(row), console)
    if row["sensitivity"][0]:
        put(_sensitivity(row), console)
    if row["diverged"]:
        console.print("The weights grew without bound: lower training.eta.")
    if row.get("clipped"):
        console.print(CLIPPED.format(row["clipped"]), soft_wrap=True)
    tested = f"{row.get('test_samples', folder.trial.test_samples)} test samples, chance {row['chance']:.3f}"
    answer = f"Test accuracy {row['accuracy']:.3f} with {row['samples']} samples ({tested})."
    console.print(answer)
    return row


def _train(folder: RunFolder, console: Console, every: float) -> Row:
    trial, prepared = folder.trial, prepare(folder.trial)
    progress = Progress(console, prepared.learner.stages, trial.model.training.epochs)
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


class Progress:
    """Say every tenth of the epochs how far training is.

    What is left is told by the epochs measured so far. The first of a stage is none of them: a compiler may be in it.

    Args:
        console: where it is said.
        stages, epochs: of the training.
    """

    def __init__(self, console: Console, stages: int, epochs: int) -> None:
        self.console, self.stages, self.epochs = console, stages, epochs
        self.stage, self.ended = -1, 0.0
        self.measured: list[float] = []

    def __call__(self, event: Event) -> None:
        """Hear what has ended."""
        if not isinstance(event, EpochEnd):
            return
        stage, epoch = event
        now = time.monotonic()
        if stage == self.stage:
            self.measured.append(now - self.ended)
        self.stage, self.ended = stage, now
        done, whole = stage * self.epochs + epoch + 1, self.stages * self.epochs
        if done % max(1, whole // 10) and done != whole:
            return
        said = f"stage {stage + 1} of {self.stages}, epoch {epoch + 1} of {self.epochs}"
        if self.measured:
            said += f", {sum(self.measured) / len(self.measured) * (whole - done):.0f} s left"
        self.console.print(said)


def _layers(row: Row) -> Table:
    known = ("selectivity", "participation", "decoding", "readout_linear", "readout_two-layer")
    columns = [column for column in known if column in row]  # The point of a sweep has no such readouts.
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
