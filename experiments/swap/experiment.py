"""Objects that are exchanged during saccades: ``cortexsim experiment swap``.

One column of rate cells sees three positions: two in the periphery, and the fovea. An object appears in the periphery,
and a saccade brings it to the fovea; after rearing, one of two objects becomes the other during every saccade that
begins at the swap position (Li & DiCarlo, "Unsupervised natural experience rapidly alters invariant object
representation in visual cortex", Science 321, 1502, 2008).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cortexsim.analysis.panels import courses
from cortexsim.analysis.plots import CONTROL
from cortexsim.analysis.summary import Spread
from cortexsim.learners import Local
from cortexsim.rate import Architecture, Network, Optimization, Synapses
from cortexsim.rate.threads import one_thread
from cortexsim.report.markdown import table
from cortexsim.rules import load_rule
from cortexsim.seeds import stream
from cortexsim.studies.program_experiment import Program, Row
from cortexsim.topology import all_to_all, stacked

Values = NDArray[np.float32]

SEEDS = range(10)  # Constants were chosen on seeds 100 to 102.
POSITIONS = SWAP, FOVEA, OTHER = (0, 1, 2)
CHANNELS, CELLS, NOISE = 30, 40, 0.1
REARING, EXPOSURES = 1000, (0, 100, 200, 300, 400)
ETA = 1e-3
# In the units of the rule, the published constants for so many cells.
PUBLISHED_LPL = {"hebbian": 0.5, "decorrelation": 10 / (CELLS - 1)}


@dataclass(frozen=True)
class Condition:
    """What learns, what its context is, and whether objects are swapped.

    Attributes:
        rule: name of the rule.
        context: ``next``, the other fixation of the saccade, ``fixation``, its own, or ``none``.
        synapses: initial context synapses.
        scale: of the initial weights.
        both: whether both fixations of a saccade are learned, each with the other as context; or the second alone.
        swapped: whether objects are swapped after rearing.
        constants: of the rule.
    """

    rule: str
    context: str = "next"
    synapses: Any = "one_to_one"
    scale: float = 1.0
    both: bool = True
    swapped: bool = True
    constants: Mapping[str, float] = field(default_factory=lambda: PUBLISHED_LPL)


CONDITIONS = {
    "lpl": Condition("lpl"),
    "clapp": Condition("clapp", synapses="silent", scale=0.3, constants={}),
    "hebb": Condition("hebb", "none", constants={}),
    "lpl, own fixation": Condition("lpl", "fixation"),
    "lpl, not swapped": Condition("lpl", swapped=False),
    "lpl, second fixation learns": Condition("lpl", both=False),
    "clapp, not swapped": Condition("clapp", synapses="silent", scale=0.3, swapped=False, constants={}),
}
CONTROLS = ("hebb", "lpl, own fixation")
# Selectivity in spikes/s, as digitised in the released notebooks of Halvagal & Zenke 2023.
PUBLISHED = {
    "swap position": (10.78, 8.85, 8.36, 6.33, 6.11),
    "non-swap position": (9.26, 8.29, 8.52, 9.08, 8.41),
    "control objects": (4.15, 4.94, 3.00, 4.21, 3.76),
}


def measure(case: Mapping[str, Any]) -> list[Row]:
    """Rear a column, expose it, and follow the selectivity of its cells.

    Args:
        case: ``condition`` and ``seed``; ``shorter``, a divisor of all numbers of exposures.

    Returns:
        One row, with ``selectivity``, (exposures, positions): response to the preferred minus response to the other
        object, mean over cells; a cell prefers the object to which it responds more, over all positions, before.
    """
    seed, condition, shorter = case["seed"], CONDITIONS[case["condition"]], case.get("shorter", 1)
    objects = stream(seed, "objects").normal(size=(2, CHANNELS))
    objects /= np.sqrt((objects**2).mean(1, keepdims=True))
    with one_thread():
        learner = build(condition, seed)
        expose(learner, objects, condition, REARING // shorter, stream(seed, "rearing"), swapped=False)
        before = respond(learner.network, objects)  # (objects, positions, cells)
        preferred, cells = before.mean(1).argmax(0), np.arange(CELLS)
        generator, found = stream(seed, "exposure"), []
        for count in np.diff(EXPOSURES, prepend=0):
            expose(learner, objects, condition, count // shorter, generator, condition.swapped)
            now = respond(learner.network, objects)
            difference = now[preferred, :, cells] - now[1 - preferred, :, cells]  # (cells, positions)
            found.append(np.round(difference.mean(0), 4).tolist())
    return [{"condition": case["condition"], "seed": seed, "selectivity": found}]


def build(condition: Condition, seed: int) -> Local:
    """Build a column that sees all positions, and its learner."""
    architecture = Architecture(cells=CELLS, initial_scale=condition.scale, mean_rate=0.1, covariance_rate=0.1)
    topology = stacked((len(POSITIONS),), CHANNELS, (all_to_all((len(POSITIONS),)),))
    network = Network.build(architecture, topology, 2, seed, Synapses((condition.context,), condition.synapses))
    rule = load_rule(condition.rule).with_constants(condition.constants, {})
    return Local(network, rule, Optimization(eta=ETA), trained_layers=1)


def expose(
    learner: Local,
    objects: NDArray[np.floating],
    condition: Condition,
    times: int,
    generator: np.random.Generator,
    swapped: bool,
) -> None:
    """Show both objects at both peripheral positions, each before a saccade, so many times; a batch is one time."""
    first, places = np.array([0, 1, 0, 1]), np.array([SWAP, SWAP, OTHER, OTHER])
    second = np.where(swapped & (places == SWAP), 1 - first, first)
    for _ in range(times):
        seen = render(objects, first, places, generator)
        then = render(objects, second, np.full(len(first), FOVEA), generator)
        learned, context = (
            (np.concatenate([seen, then]), np.concatenate([then, seen])) if condition.both else (then, seen)
        )
        order = generator.permutation(len(learned))
        batch = torch.from_numpy(np.stack([learned, context], 1)[order])
        labels = torch.zeros(len(batch), dtype=torch.long)
        learner.step(0, batch if condition.context == "next" else batch[:, 0], labels, None)


def render(
    objects: NDArray[np.floating], shown: NDArray[np.integer], places: NDArray[np.integer], noise: np.random.Generator
) -> Values:
    """Render fixations, (samples, positions, channels): an object with noise at one position."""
    inputs = np.zeros((len(shown), len(POSITIONS), CHANNELS), np.float32)
    inputs[np.arange(len(shown)), places] = objects[shown] + noise.normal(0, NOISE, (len(shown), CHANNELS))
    return inputs


def respond(network: Network, objects: NDArray[np.floating]) -> NDArray[np.floating]:
    """Activity for each object at each position, without noise, (objects, positions, cells)."""
    inputs = torch.zeros(len(objects), len(POSITIONS), len(POSITIONS), CHANNELS)
    for place in POSITIONS:
        inputs[:, place, place] = torch.from_numpy(objects).float()
    activity = network.layers[0].respond(inputs.flatten(0, 1)).activity
    return activity.unflatten(0, (len(objects), len(POSITIONS)))[:, :, 0].double().numpy()


def changes(rows: Sequence[Row], condition: str) -> NDArray[np.floating]:
    """Relative change of selectivity since before exposure, (seeds, exposures, positions)."""
    values = np.array([row["selectivity"] for row in rows if row["condition"] == condition])
    return values / values[:, :1] - 1


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Tabulate the relative change at each position, and lay the published curves beside ours."""
    conditions = list(dict.fromkeys(row["condition"] for row in rows))
    body = []
    for condition in conditions:
        last = changes(rows, condition)[:, -1]
        more = int((last[:, SWAP] < last[:, OTHER]).sum())
        spreads = [str(Spread.of(last[:, place].tolist())) for place in (SWAP, OTHER, FOVEA)]
        difference = str(Spread.of((last[:, SWAP] - last[:, OTHER]).tolist()))
        body.append([condition, *spreads, difference, f"{more} of {len(last)}"])
    head = ["", "swap", "non-swap", "fovea", "swap minus non-swap", "swap lower"]
    beside = [[f"published, {name}", *(f"{value / of[0]:.2f}" for value in of)] for name, of in PUBLISHED.items()]
    for condition in (name for name in conditions if name in ("lpl", "clapp", "hebb")):
        for name, place in (("swap position", SWAP), ("non-swap position", OTHER)):
            curve = 1 + changes(rows, condition)[:, :, place].mean(0)
            beside.append([f"{condition}, {name}", *(f"{value:.2f}" for value in curve)])
    return {
        "change": table(head, body),
        "published": table(["exposures", *(str(count) for count in EXPOSURES)], beside),
    }


def draw(rows: Sequence[Row]) -> Figure:
    """Draw selectivity, relative to that before, against exposures: a panel a position."""
    places = {"swap position": SWAP, "non-swap position": OTHER}
    curves = {
        name: {
            condition: [Spread.of(values) for values in (1 + changes(rows, condition)[:, :, place]).T.tolist()]
            for condition in ("lpl", "clapp", *CONTROLS)
        }
        for name, place in places.items()
    }
    figure, panels = courses(curves, EXPOSURES, (-0.6, 1.8))
    for axes, name in zip(panels, places, strict=True):
        published = np.array(PUBLISHED[name]) / PUBLISHED[name][0]
        axes.plot(EXPOSURES, published, **CONTROL, marker="X", label="Li & DiCarlo 2008")
        axes.set_xlabel("exposures")
        axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    panels[0].set_ylabel("selectivity, relative to before")
    panels[0].legend(frameon=False, fontsize=8)
    return figure


EXPERIMENT = Program(
    "Selectivity for objects that are exchanged during saccades",
    cases=[{"condition": condition, "seed": seed} for condition in CONDITIONS for seed in SEEDS],
    measure=measure,
    tables=tables,
    figures=lambda rows: {"figure": lambda: draw(rows)},
    quick=[{"condition": condition, "seed": seed, "shorter": 10} for condition in CONDITIONS for seed in range(2)],
)
