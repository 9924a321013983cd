"""Ocular dominance of cells that learn from patches of photographs: ``cortexsim experiment ocular_dominance``.

One column of rate cells sees the same patches with two eyes; then one eye is closed and sees noise; then the other one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cortexsim.analysis.panels import courses
from cortexsim.analysis.receptive_fields import ORIENTATIONS, gratings, ocular_dominance, orientation_selectivity
from cortexsim.analysis.summary import Spread
from cortexsim.learners import Local
from cortexsim.rate import Architecture, Network, Optimization
from cortexsim.rate.threads import one_thread
from cortexsim.report.markdown import table
from cortexsim.rules import load_rule
from cortexsim.seeds import stream
from cortexsim.studies.program_experiment import Program, Row
from cortexsim.tasks.patches import Patches
from cortexsim.topology import all_to_all, stacked

SEEDS = range(10)  # Constants were chosen on seed 100.
CELLS, PATCHES, BATCH = 24, 30_000, 100
REARING, REVERSAL = 2000, 2800  # Batches with both eyes open; and with the other eye closed.
STEPS = (200, 600, 1400)  # Batches after which the eyes are compared.
NOISE = (0.1, 0.3, 0.6, 1.0)
RULES: dict[str, tuple[Any, Optimization]] = {
    "bcm": ("bounded", Optimization("sgd", eta=4e-3)),
    "oja": ("linear", Optimization("sgd", eta=3e-3)),
}
CLOSED, REVERSED = "left eye closed", "reversed"


def measure(case: Mapping[str, Any]) -> list[Row]:
    """Rear a column with both eyes open, close one eye, with several levels of noise, and then the other eye.

    Args:
        case: ``rule`` and ``seed``; ``shorter``, a divisor of all numbers of batches.

    Returns:
        A row per level of noise, and one of the reversal, with ``dominance``, of which the first is that before, and
        ``selectivity`` through both eyes before, means over cells.
    """
    rule, seed, shorter = case["rule"], case["seed"], case.get("shorter", 1)
    transfer, optimization = RULES[rule]
    task, rows = Patches(eyes=2), []
    architecture = Architecture(cells=CELLS, transfer=transfer, initial_scale=0.1, mean_rate=1.0, covariance_rate=1.0)
    with one_thread():
        topology = stacked(task.grid, task.channels, (all_to_all(task.grid),))
        network = Network.build(architecture, topology, task.classes, seed)
        learner = Local(network, load_rule(rule), optimization, trained_layers=1)
        rear(learner, task, seed, [REARING // shorter])
        reared = learner.state()
        tuning = np.sum([through(network, task, eye) for eye in range(2)], 0)
        about = {"rule": rule, "seed": seed, "selectivity": round(float(orientation_selectivity(tuning).mean()), 4)}
        steps = [step // shorter for step in STEPS]
        for noise in NOISE:
            learner.load(reared)
            before = dominance(network, task)
            after = rear(learner, Patches(eyes=2, closed="left", noise=noise), seed, steps)
            rows.append({**about, "phase": CLOSED, "noise": noise, "dominance": [before, *after]})
        reopened = Patches(eyes=2, closed="right", noise=NOISE[-1])
        found = rear(learner, reopened, seed, [REVERSAL // shorter])  # After the strongest noise.
    return [*rows, {**about, "phase": REVERSED, "noise": NOISE[-1], "dominance": [rows[-1]["dominance"][-1], *found]}]


def rear(learner: Local, task: Patches, seed: int, steps: Sequence[int]) -> list[float]:
    """Train on patches at a constant rate, and measure the mean ocular dominance after so many batches."""
    inputs = torch.from_numpy(task.draw(PATCHES, 1, seed, seed)[0].inputs)
    order, labels, done, found = stream(seed, "order", task.closed), torch.zeros(BATCH, dtype=torch.long), 0, []
    while done < steps[-1]:
        for chosen in torch.from_numpy(order.permutation(len(inputs))).split(BATCH)[: steps[-1] - done]:
            learner.step(0, inputs[chosen], labels, None)
            done += 1
            if done in steps:
                found.append(dominance(learner.network, task))
    return found


def through(network: Network, task: Patches, eye: int) -> NDArray[np.floating]:
    """Orientation tuning through one eye, (cells, orientations): the mean of positive parts of W x for gratings x."""
    weights = network.layers[0].feedforward.weights[0].double().numpy().reshape(CELLS, -1, task.eyes)[..., eye]
    shown = gratings(task.size).reshape(len(ORIENTATIONS), -1, task.size**2)
    return np.maximum(np.einsum("ogp,cp->cog", shown, weights), 0).mean(2)


def dominance(network: Network, task: Patches) -> float:
    """Mean ocular dominance of the cells: 1 where only the right eye drives them, -1 where only the left one does."""
    left, right = (through(network, task, eye).mean(1) for eye in range(2))
    return round(float(ocular_dominance(left, right).mean()), 4)


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Tabulate ocular dominance by rule, noise and batches, and in how many seeds it follows the order of the noise."""
    found = {}
    for rule in dict.fromkeys(row["rule"] for row in rows):
        closed = [[row for row in rows if row["rule"] == rule and row["noise"] == noise] for noise in NOISE]
        closed = [[row for row in several if row["phase"] == CLOSED] for several in closed]
        body = [[f"noise {several[0]['noise']:g}", *_spreads(several)] for several in closed]
        values = np.array([[row["dominance"] for row in several] for several in closed])  # (noise, seeds, steps + 1)
        for name, sign in (("more noise, faster", 1), ("more noise, slower", -1)):
            ordered = (sign * np.diff(values, axis=0) > 0).all(0).sum(0)
            body.append([name, "-", *(f"{count} of {values.shape[1]}" for count in ordered[1:])])
        found[rule] = table(["", "before", *(f"after {step}" for step in STEPS)], body)
    head = ["", "selectivity before", "left eye closed", "then the right one"]
    return found | {"reversal": table(head, [_reversal(rows, rule) for rule in found])}


def _means(rows: Sequence[Row]) -> list[Spread]:
    return [Spread.of(values) for values in zip(*(row["dominance"] for row in rows), strict=True)]


def _spreads(rows: Sequence[Row]) -> list[str]:
    return [str(spread) for spread in _means(rows)]


def _reversal(rows: Sequence[Row], rule: str) -> list[str]:
    several = [row for row in rows if row["rule"] == rule and row["phase"] == REVERSED]
    return [rule, str(Spread.of([row["selectivity"] for row in several])), *_spreads(several)]


def draw(rows: Sequence[Row]) -> Figure:
    """Draw ocular dominance after closing the left eye, a panel a rule."""
    rules, curves = list(dict.fromkeys(row["rule"] for row in rows)), {}
    closed = [row for row in rows if row["phase"] == CLOSED]
    for rule in rules:
        several = {noise: [row for row in closed if (row["rule"], row["noise"]) == (rule, noise)] for noise in NOISE}
        curves[rule] = {f"noise {noise:g}": _means(found) for noise, found in several.items()}
    figure, panels = courses(curves, [0, *STEPS], (-0.1, 1.05))
    for axes in panels:
        axes.set_xlabel("batches with the left eye closed")
    panels[0].set_ylabel("ocular dominance index")
    panels[0].legend(frameon=False, fontsize=8)
    return figure


EXPERIMENT = Program(
    "Ocular dominance after one eye is closed, by the noise that the closed eye sees",
    cases=[{"rule": rule, "seed": seed} for seed in SEEDS for rule in RULES],
    measure=measure,
    tables=tables,
    figures=lambda rows: {"figure": lambda: draw(rows)},
    quick=[{"rule": rule, "seed": 0, "shorter": 10} for rule in RULES],
)
