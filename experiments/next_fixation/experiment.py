"""What spiking and rate columns learn from one fixation to the next: ``cortexsim experiment next_fixation``.

One column sees a patch of photographs through ON and OFF cells, and learns by CLAPP to predict itself in the next
fixation, a few pixels away: with the contrast of the photographs, and with patches of equal contrast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from cortexsim.analysis.receptive_fields import (
    draw_fields,
    orientation_selectivity,
    orientation_tuning,
    preferred_orientation,
)
from cortexsim.analysis.summary import Spread
from cortexsim.config.building import assemble, budget
from cortexsim.config.overrides import changed
from cortexsim.config.registry import read_model
from cortexsim.config.schema import Model
from cortexsim.learners import EpochEnd, Event, HybridNetwork, train
from cortexsim.rate import Network
from cortexsim.rate.threads import one_thread
from cortexsim.report.markdown import table
from cortexsim.seeds import stream
from cortexsim.storage.records import digest
from cortexsim.studies.program_experiment import Program, Row
from cortexsim.tasks.patches import Patches

COLUMNS, CONTRASTS = ("spiking", "rate"), ("equal", "photograph")
FOLDER = Path(__file__).parent
SEEDS = range(10)  # Constants were chosen on seed 100.
HELD_OUT = 500  # Pairs of fixations in the strips that are not shown, on which is measured.
UNTRAINED, SECTORS = "untrained", 6  # Sectors of 30 degrees, into which preferred orientations are counted.


def measure(case: Mapping[str, Any]) -> list[Row]:
    """Train a column, and measure it before, after each epoch, and at the end.

    Args:
        case: ``columns``, ``contrast``, ``seed``; and ``samples`` where they are fewer.

    Returns:
        A row of the column, and one of the same before it learns, with what `describe` and `predicts` return.
    """
    seed = case["seed"]
    model = read_model(FOLDER / f"{case['columns']}.toml")
    model = changed(model, {"training.samples": case.get("samples", model.training.samples)})
    task = Patches(polarity="on-off", contrast=case["contrast"])
    with one_thread():
        learner, network = (built := assemble(model, task, seed)), built.network
        data, held_out = task.draw(model.training.samples, HELD_OUT, seed, seed)
        views = [torch.from_numpy(data.second_view(1, stream(seed, "view")).inputs)]
        shown = (held_out, held_out.second_view(1, stream(seed, "held out")))
        pair = [torch.from_numpy(samples.inputs) for samples in shown]
        course = [predicts(network, model, pair)]

        def follow(event: Event) -> None:
            if isinstance(event, EpochEnd):
                course.append(predicts(network, model, pair))

        contrast = replace(task, contrast="photograph").draw(1, HELD_OUT, seed, seed)[1].inputs
        power = np.sqrt((contrast**2).sum((1, 2)))
        before = describe(network, task, pair, power)
        inputs, labels = torch.from_numpy(data.inputs), torch.from_numpy(data.labels)
        train(learner, inputs, labels, budget(model), seed, [follow], views=views)
        after = describe(network, task, pair, power)
    if seed == SEEDS[0]:
        after["fields"] = np.round(fields(network, task), 4).tolist()
    about = {"contrast": case["contrast"], "seed": seed}
    rows = [
        {"columns": case["columns"], **about, **after},
        {"columns": f"{UNTRAINED}, {case['columns']}", **about, **before},
    ]
    rows[0]["course"] = course
    return rows


def fields(network: Network, task: Patches) -> NDArray[np.floating]:
    """Weights of ON minus those of OFF cells as images, (cells, rows, columns), 0 outside the circle."""
    weights = network.layers[0].feedforward.weights[0].double().numpy().reshape(-1, *task.grid, 2)
    return (weights[..., 0] - weights[..., 1]) * task.inside


def describe(network: Network, task: Patches, pair: Sequence[Tensor], power: NDArray[np.floating]) -> Row:
    """Measure each cell: its tuning, and what its activity tells of a patch.

    Args:
        network: the column.
        task: which it sees.
        pair: successive fixations, (samples, positions, channels) each.
        power: contrast that the first has in the photograph, (samples,).

    Returns:
        ``selectivity``, ``orientation``, ``activity``; ``persistence``, its correlation from one fixation to the next;
        and ``contrast_told``, its correlation with the contrast; each of all cells, 0 where a cell is silent.
    """
    tuning = orientation_tuning(fields(network, task))
    first, second = (activity(network, inputs) for inputs in pair)
    found = {
        "selectivity": orientation_selectivity(tuning),
        "orientation": preferred_orientation(tuning),
        "activity": first.mean(0),
        "persistence": correlation(first, second),
        "contrast_told": correlation(first, np.broadcast_to(power[:, None], first.shape)),
    }
    return {name: np.round(values, 4).tolist() for name, values in found.items()}


def activity(network: Network, inputs: Tensor) -> NDArray[np.floating]:
    """Activity of the cells, (samples, cells)."""
    return network.activities(inputs)[0][:, 0].double().numpy()


def correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """Correlate columns of two arrays of (samples, cells); 0 where one is constant."""
    one, other = (values - values.mean(0) for values in (first, second))
    scale = np.sqrt((one**2).sum(0) * (other**2).sum(0))
    return (one * other).sum(0) / np.where(scale > 0, scale, 1)


def predicts(network: Network, model: Model, pair: Sequence[Tensor]) -> Row:
    """Measure, without a readout, how well the column predicts itself from one fixation to the next.

    Args:
        network: the column.
        model: whose margins it has.
        pair: successive fixations, (samples, positions, channels) each.

    Returns:
        ``surprised``: fraction of fixations whose score with the one before is below the margin; ``surprised_after``:
        the same after a saccade to another patch; ``told``: how often the score of a fixation with the one before is
        above that with one before a saccade; .5 is chance.
    """
    context = network.layers[0].context
    assert context is not None
    weights = context.weights[0].double().numpy()
    mean = network.layers[0].mean.double().numpy()[0] if isinstance(network, HybridNetwork) else 0.0
    first, second = (activity(network, inputs) - mean for inputs in pair)
    same = np.einsum("ni,ij,nj->n", second, weights, first)
    other = np.einsum("ni,ij,nj->n", np.roll(first, 1, 0), weights, second)  # The saccade leads from the second.
    (surprise,) = model.plasticity_rule().modulators
    above = (same[:, None] > other).mean() + (same[:, None] == other).mean() / 2
    found = {
        "surprised": (same < surprise.constants["margin"]).mean(),
        "surprised_after": (-other < surprise.constants["margin_after"]).mean(),
        "told": above,
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Tabulate what cells have learned, and how well they predict."""
    groups = grouped(rows)
    return {
        "cells": table(
            ["", "contrast", "seeds", "selectivity", "cells above .4", "least cell", "greatest cell", "sectors"],
            [_selectivity(several) for several in groups],
        ),
        "activity": table(
            ["", "contrast", "activity, least and greatest cell", "persistence", "correlation with contrast"],
            [_activity(several) for several in groups],
        ),
        "prediction": table(
            [
                "",
                "contrast",
                "told, first epoch",
                "last epoch",
                "surprised, first epoch",
                "last epoch",
                "after a saccade",
            ],
            [_prediction(several) for several in groups if "course" in several[0]],
        ),
    }


def grouped(rows: Sequence[Row]) -> list[list[Row]]:
    """Group rows by contrast and columns."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["contrast"], row["columns"]), []).append(row)
    return list(found.values())


def _named(rows: Sequence[Row]) -> list[str]:
    return [rows[0]["columns"], rows[0]["contrast"]]


def _selectivity(rows: Sequence[Row]) -> list[str]:
    cells = np.array([row["selectivity"] for row in rows])  # (seeds, cells)
    sectors = (np.array([row["orientation"] for row in rows]) / np.pi * SECTORS).astype(int) % SECTORS
    used = np.mean([len(set(cells_of_seed)) for cells_of_seed in sectors.tolist()])
    ends = [f"{(cells > 0.4).sum()} of {cells.size}", f"{cells.min():.2f}", f"{cells.max():.2f}", f"{used:.1f}"]
    return [*_named(rows), str(len(rows)), str(Spread.of(cells.mean(1).tolist())), *ends]


def _activity(rows: Sequence[Row]) -> list[str]:
    cells = {name: np.array([row[name] for row in rows]) for name in ("activity", "persistence", "contrast_told")}
    told = np.abs(cells["contrast_told"]).mean(1)
    spreads = [str(Spread.of(values.tolist())) for values in (cells["persistence"].mean(1), told)]
    return [*_named(rows), f"{cells['activity'].min():.3f} to {cells['activity'].max():.3f}", *spreads]


def _prediction(rows: Sequence[Row]) -> list[str]:
    def spread(name: str, epoch: int) -> str:
        return str(Spread.of([row["course"][epoch][name] for row in rows]))

    ends = [spread(name, epoch) for name in ("told", "surprised") for epoch in (1, -1)]
    return [*_named(rows), *ends, spread("surprised_after", -1)]


def draw(rows: Sequence[Row]) -> Figure:
    """Draw the fields that each column has learned with the first seed."""
    shown = [row for row in rows if "fields" in row]
    figure = Figure(figsize=(11, 2.3), layout="constrained")
    for axes, row in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        title = f"{row['columns']}, {'equal contrast' if row['contrast'] == 'equal' else 'contrast of the photograph'}"
        draw_fields(axes, np.array(row["fields"]), columns=6).set_title(title, fontsize=9)
    return figure


MODELS = {columns: digest({"model": (FOLDER / f"{columns}.toml").read_text(encoding="utf-8")}) for columns in COLUMNS}

EXPERIMENT = Program(
    "What spiking and rate columns learn from one fixation to the next",
    cases=[
        {"columns": columns, "contrast": contrast, "seed": seed, "model": MODELS[columns]}
        for contrast, seeds in (("equal", SEEDS), ("photograph", SEEDS[:5]))
        for columns in COLUMNS
        for seed in seeds
    ],
    measure=measure,
    tables=tables,
    figures=lambda rows: {"figure": lambda: draw(rows)},
    quick=[
        {"columns": columns, "contrast": contrast, "seed": 0, "samples": 1000}
        for contrast in CONTRASTS
        for columns in COLUMNS
    ],
)
