"""Receptive fields that rules learn from patches of photographs: ``cortexsim experiment receptive_fields``.

One column of rate cells sees a circular patch of filtered photographs, ``cortexsim.tasks.patches``. Cells of BCM and
Oja learn by themselves; the context of CLAPP and LPL is the next fixation, a patch a few pixels away. Spiking cells see
the same patches through Poisson spikes of ON and OFF cells, and learn by triplet STDP with a sliding threshold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
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
from cortexsim.learners import Budget, Local, train
from cortexsim.protocols.driven_cells import DrivenCells
from cortexsim.rate import Architecture, Network, Optimization, Synapses
from cortexsim.rate.threads import one_thread
from cortexsim.report.markdown import table
from cortexsim.rules import load_rule
from cortexsim.seeds import stream
from cortexsim.studies.program_experiment import Program, Row
from cortexsim.tasks.patches import Patches
from cortexsim.topology import all_to_all, stacked

SEEDS = range(10)  # Constants were chosen on seed 100.
TWO, SIX = "china+flower", "china+flower+camera+astronaut+chelsea+coffee"
CELLS, PATCHES, BATCH = 24, 60_000, 100
UNTRAINED, COMPONENTS = "untrained", 2
SECTORS = 6  # Of 30 degrees each, into which preferred orientations are counted.


@dataclass(frozen=True)
class Learning:
    """How a rule learns: its transfer function, contexts, initial scale, running statistics, epochs and rates."""

    transfer: Any = "relu"
    scale: float = 0.1
    context: str = "none"
    one_to_one: bool = False
    covariance_rate: float = 1.0
    epochs: int = 4
    optimization: Optimization = field(default_factory=Optimization)


RULES = {
    "bcm": Learning("bounded", optimization=Optimization("sgd", eta=4e-3)),
    "oja": Learning("linear", optimization=Optimization("sgd", eta=3e-3)),
    "clapp": Learning(context="next", epochs=6, optimization=Optimization("adamw", eta=3e-3)),
    "lpl": Learning(
        context="next", one_to_one=True, scale=0.3, covariance_rate=0.1, epochs=6, optimization=Optimization(eta=3e-3)
    ),
}
SPIKING = "stdp_triplet:SLIDING"
SHOWN, FIXATIONS = 100, 8000  # Steps of 1 ms that a patch is shown, and patches that a spiking cell sees.
GAIN, MOST = 80.0, 200.0  # Rate of an input cell for a pixel of one standard deviation, and its highest, Hz.
PSP, INHIBITION, ETA = 0.15, 1.0, 0.1  # Of `DrivenCells`.


def measure(case: Mapping[str, Any]) -> list[Row]:
    """Train a column, and measure it before and after.

    Args:
        case: ``rule``, ``photographs``, ``seed``; and ``patches`` and ``epochs`` where they are fewer.

    Returns:
        A row of the rule, and one of the untrained control, with ``selectivity`` and ``orientation`` of each cell, and
        for the first seed its ``fields``, (cells, rows, columns); for Oja, ``norm`` and ``subspace`` of each cell.
    """
    rule, seed = case["rule"], case["seed"]
    if rule == SPIKING:
        seeds = (seed,) if "patches" in case else tuple(SEEDS)  # All seeds side by side, in one simulation.
        return spiking(case["photographs"], seeds, case.get("patches", FIXATIONS))[seed]
    learning = RULES[rule]
    task = Patches(photographs=case["photographs"])
    with one_thread():
        data, _ = task.draw(case.get("patches", PATCHES), 1, seed, seed)
        inputs, labels = torch.from_numpy(data.inputs), torch.from_numpy(data.labels)
        network = build(task, learning, seed)
        control = describe(network, task)
        learner = Local(network, load_rule(rule), learning.optimization, trained_layers=1)
        views = []
        if learning.context != "none":
            views = [torch.from_numpy(data.second_view(1, stream(seed, "view")).inputs)]
        train(learner, inputs, labels, Budget(case.get("epochs", learning.epochs), BATCH), seed, views=views)
        found = describe(network, task)
        if rule == "oja":
            found |= components(network, inputs)
        if seed == SEEDS[0]:
            found["fields"] = np.round(fields(network, task), 4).tolist()
    about = {"photographs": case["photographs"], "seed": seed}
    return [{"rule": rule, **about, **found}, {"rule": UNTRAINED, "beside": rule, **about, **control}]


@cache
def spiking(photographs: str, seeds: Sequence[int], shown: int) -> dict[int, list[Row]]:
    """Train a column of spiking cells for each seed, and return its rows by seed.

    Args:
        photographs: as of `Patches`.
        seeds: of data, first weights and spikes.
        shown: number of patches that each sees.
    """
    task = Patches(photographs=photographs)
    drawn = [task.draw(min(shown, PATCHES), 1, seed, seed)[0].inputs[:, task.inside.ravel(), 0] for seed in seeds]
    rates = np.minimum(GAIN * np.concatenate([np.maximum(drawn, 0), np.maximum(np.negative(drawn), 0)], 2), MOST)
    weights = np.stack([stream(s, "weights").uniform(0.5, 1.5, (CELLS, rates.shape[2])) for s in seeds])
    generators = [stream(seed, "spikes") for seed in seeds]
    cells = DrivenCells(load_rule(SPIKING), weights, PSP, INHIBITION, ETA, generators)
    with one_thread():
        for number in range(shown):
            cells.show(rates[:, number % rates.shape[1]], SHOWN)
    found: dict[int, list[Row]] = {}
    for seed, before, after, spikes in zip(seeds, weights, cells.weights, cells.spikes, strict=True):
        about = {"photographs": photographs, "seed": seed}
        learned = image(after, task)
        row = {"rule": SPIKING, **about, **tuned(learned)}
        row["rate"] = np.round(spikes / (shown * SHOWN * 1e-3), 2).tolist()
        if seed == SEEDS[0]:
            row["fields"] = np.round(learned, 4).tolist()
        found[seed] = [row, {"rule": UNTRAINED, "beside": SPIKING, **about, **tuned(image(before, task))}]
    return found


def image(weights: NDArray[np.floating], task: Patches) -> NDArray[np.floating]:
    """Weights of ON minus those of OFF cells as images, (cells, rows, columns), 0 outside the circle."""
    on, off = np.split(weights.astype(float), 2, axis=1)
    found = np.zeros((len(weights), *task.grid))
    found[:, task.inside] = on - off
    return found


def build(task: Patches, learning: Learning, seed: int) -> Network:
    """Build a column that sees the whole patch."""
    architecture = Architecture(
        cells=CELLS,
        transfer=learning.transfer,
        initial_scale=learning.scale,
        mean_rate=1.0,
        covariance_rate=learning.covariance_rate,
    )
    synapses = Synapses((learning.context,), "one_to_one" if learning.one_to_one else "silent")
    topology = stacked(task.grid, task.channels, (all_to_all(task.grid),))
    return Network.build(architecture, topology, task.classes, seed, synapses)


def fields(network: Network, task: Patches) -> NDArray[np.floating]:
    """Weights of the cells as images, (cells, rows, columns), 0 outside the circle."""
    weights = network.layers[0].feedforward.weights[0].double().numpy()
    return weights.reshape(-1, *task.grid) * task.inside


def describe(network: Network, task: Patches) -> Row:
    """Measure the orientation tuning of the fields of a network."""
    return tuned(fields(network, task))


def tuned(images: NDArray[np.floating]) -> Row:
    """Measure the orientation tuning of fields: of the mean of positive parts of their responses to gratings."""
    tuning = orientation_tuning(images)
    return {
        "selectivity": np.round(orientation_selectivity(tuning), 4).tolist(),
        "orientation": np.round(preferred_orientation(tuning), 4).tolist(),
    }


def components(network: Network, inputs: Tensor) -> Row:
    """Measure the length of weights, and of the part of a unit vector along them in the space of first components."""
    weights = network.layers[0].feedforward.weights[0].double().numpy()
    _, vectors = np.linalg.eigh(np.cov(inputs[:, :, 0].double().numpy().T))
    norm = np.linalg.norm(weights, axis=1)
    inside = np.linalg.norm(weights @ vectors[:, -COMPONENTS:], axis=1) / norm
    return {"norm": np.round(norm, 4).tolist(), "subspace": np.round(inside, 4).tolist()}


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Tabulate selectivity by rule and photographs, and norm and subspace of Oja."""
    return {
        "selectivity": table(
            ["", "photographs", "seeds", "selectivity", "cells above .4", "least cell", "greatest cell", "sectors"],
            [_selectivity(several) for several in grouped(rows)],
        ),
        "oja": table(
            ["", "photographs", "norm, least and greatest", "cells above .95", "mean", "least"],
            [_components(several) for several in grouped(rows) if several[0]["rule"] == "oja"],
        ),
    }


def grouped(rows: Sequence[Row]) -> list[list[Row]]:
    """Group rows by photographs and rule; of the controls, those beside BCM and spiking cells."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["rule"] != UNTRAINED or row["beside"] in ("bcm", SPIKING):
            name = f"{UNTRAINED}, spiking" if row.get("beside") == SPIKING else row["rule"]
            found.setdefault((row["photographs"], name), []).append({**row, "rule": name})
    return list(found.values())


def _selectivity(rows: Sequence[Row]) -> list[str]:
    cells = np.array([row["selectivity"] for row in rows])  # (seeds, cells)
    sectors = (np.array([row["orientation"] for row in rows]) / np.pi * SECTORS).astype(int) % SECTORS
    used = [len(set(cells_of_seed)) for cells_of_seed in sectors.tolist()]
    spread = Spread.of(cells.mean(1).tolist())
    ends = [_share(cells > 0.4), f"{cells.min():.2f}", f"{cells.max():.2f}", f"{np.mean(used):.1f}"]
    return [rows[0]["rule"], _photographs(rows[0]), str(len(rows)), str(spread), *ends]


def _components(rows: Sequence[Row]) -> list[str]:
    norm, inside = (np.array([row[name] for row in rows]) for name in ("norm", "subspace"))
    shares = [_share(inside > 0.95), f"{inside.mean():.3f}", f"{inside.min():.3f}"]
    return ["oja", _photographs(rows[0]), f"{norm.min():.3f} to {norm.max():.3f}", *shares]


def _share(found: NDArray[np.bool_]) -> str:
    return f"{found.sum()} of {found.size}"


def _photographs(row: Row) -> str:
    return str(len(row["photographs"].split("+")))


def draw(rows: Sequence[Row]) -> Figure:
    """Draw the fields that each rule learned from two photographs, with the first seed."""
    shown = [row for row in rows if "fields" in row and row["photographs"] == TWO]
    figure = Figure(figsize=(12, 2.1), layout="constrained")
    for axes, row in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        draw_fields(axes, np.array(row["fields"]), columns=6).set_title(row["rule"])
    return figure


EXPERIMENT = Program(
    "Receptive fields that rules learn from patches of photographs",
    cases=[
        {"rule": rule, "photographs": photographs, "seed": seed}
        for photographs, rules in ((TWO, (*RULES, SPIKING)), (SIX, ("bcm", "oja", SPIKING)))
        for seed in SEEDS
        for rule in rules
    ],
    measure=measure,
    tables=tables,
    figures=lambda rows: {"figure": lambda: draw(rows)},
    quick=[{"rule": rule, "photographs": TWO, "seed": 0, "patches": 5000, "epochs": 2} for rule in (*RULES, SPIKING)],
)
