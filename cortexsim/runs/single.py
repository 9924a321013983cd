"""One model trained by itself, every layer read out."""

import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from cortexsim.runs import assemble
from cortexsim.runs.configuration import resolved
from cortexsim.runs.record import open_folder, versions
from cortexsim.runs.tell import new_table
from cortexsim.runs.trial import Row, Trial, layer_accuracy, prepare, train_and_measure


def train_one(trial: Trial, out: Path, console: Console) -> Row:
    """Train, print what each layer has learned, and write ``result.json`` and ``weights.npz``.

    Every layer is read out by a linear and by a two-layer decoder.
    """
    open_folder(out)
    prepared = prepare(trial)
    row = train_and_measure(
        trial, prepared, Progress(console, prepared.learner.stages, assemble.budget(trial.model).epochs)
    )
    layers = range(len(prepared.learner.network.layers))
    for kind in ("linear", "two-layer"):
        row[f"readout_{kind}"] = [layer_accuracy(trial, prepared, layer, kind) for layer in layers]
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in prepared.learner.network.state().items()}
    np.savez(out / "weights.npz", allow_pickle=False, **weights)
    configuration = {"hierarchy": asdict(trial.hierarchy), "model": resolved(trial.model), "device": trial.device}
    result = {"rows": [row], "versions": versions(), "configuration": configuration}
    (out / "result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    console.print(_layers(row))
    console.print(_sensitivity(row))
    if row["diverged"]:
        console.print("The weights grew without bound: lower training.eta.")
    answer = f"Test accuracy {row['accuracy']:.3f} with {row['samples']} samples (chance {row['chance']:.3f})."
    console.print(answer)
    return row


class Progress:
    """Say every tenth of the epochs how far training is."""

    def __init__(self, console: Console, stages: int, epochs: int) -> None:
        self.console, self.stages, self.epochs, self.start = console, stages, epochs, time.monotonic()

    def __call__(self, stage: int, epoch: int) -> None:
        """Hear that an epoch has ended."""
        done, whole = stage * self.epochs + epoch + 1, self.stages * self.epochs
        if done % max(1, whole // 10) and done != whole:
            return
        left = (time.monotonic() - self.start) * (whole / done - 1)
        where = f"stage {stage + 1} of {self.stages}, epoch {epoch + 1} of {self.epochs}"
        self.console.print(f"{where}, {left:.0f} s left")


def _layers(row: Row) -> Table:
    columns = ("selectivity", "participation", "decoding", "readout_linear", "readout_two-layer")
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
