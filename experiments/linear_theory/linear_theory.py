"""Cosine between local and end-to-end updates: ``python experiments/linear_theory/linear_theory.py``.

Six layers, linear or ReLU; one batch of positive and as many negative pairs; the mathematics, with its source, is in
``cortexsim/analysis/linear_theory.py``.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from cortexsim.analysis.linear_theory import (
    ContextWeights,
    DeepNetwork,
    Pairs,
    cosines,
    default_weights,
    end_to_end_updates,
    identity,
    local_updates,
    optimal,
    semi_orthogonal,
)
from cortexsim.analysis.plots import COLOURS, CONTROL, MARKERS
from cortexsim.analysis.summary import Spread
from cortexsim.hierarchy import Grammar, Hierarchy, sample
from cortexsim.seeds import stream

HIERARCHY = Hierarchy(features=32, multiplicity=8, depth=2, tuple_size=4)
EQUAL, SHRINKING = [128] * 7, [128, 116, 104, 92, 80, 68, 56]
LAYERS = range(1, len(EQUAL))
DIRECT, CHANCE = ", direct feedback", "random direction"


@dataclass(frozen=True)
class Condition:
    """State a network, and which of its updates are compared."""

    draw: Callable[..., tuple[Tensor, ...]]
    widths: Sequence[int] = tuple(EQUAL)
    rectified: bool = False
    context_weights: ContextWeights = optimal
    direct: bool = False
    both: bool = False  # The derivative goes through the context as well.

    def measure(self, pairs: Pairs, seed: int) -> list[float]:
        """Compare a fresh network's local updates with its end-to-end ones, layer by layer."""
        network = DeepNetwork(self.draw(self.widths, stream(seed, "weights")), self.rectified)
        batches = [pairs, pairs.swapped()] if self.both else [pairs]
        local = [local_updates(network, batch, self.context_weights, self.direct) for batch in batches]
        end_to_end = [end_to_end_updates(network, batch, self.context_weights) for batch in batches]
        return cosines(*[[sum(layer) for layer in zip(*found, strict=True)] for found in (local, end_to_end)])


CONDITIONS = {
    "orthonormal": Condition(semi_orthogonal),
    "orthonormal, B = I": Condition(semi_orthogonal, context_weights=identity),
    "default": Condition(default_weights),
    "default, B = I": Condition(default_weights, context_weights=identity),
    "orthonormal, ReLU": Condition(semi_orthogonal, rectified=True),
    "shrinking": Condition(semi_orthogonal, SHRINKING),
    f"shrinking{DIRECT}": Condition(semi_orthogonal, SHRINKING, direct=True),
    f"default{DIRECT}": Condition(default_weights, direct=True),
    f"orthonormal, ReLU{DIRECT}": Condition(semi_orthogonal, rectified=True, direct=True),
    "default, through both": Condition(default_weights, both=True),
    "orthonormal, ReLU, through both": Condition(semi_orthogonal, rectified=True, both=True),
}
PUBLISHED = {"default": [0.25, 0.31, 0.40, 0.55, 0.71, 1.0], "orthonormal, ReLU": [0.20, 0.37, 0.51, 0.61, 0.67, 1.0]}
NETWORKS = ("orthonormal", "default", "orthonormal, ReLU", "shrinking")  # Of one colour each in the figure.
PANELS = {
    "context of the same layer": list(CONDITIONS)[:5],
    "same layer and top layer (direct)": [
        name for name in CONDITIONS if name.removesuffix(DIRECT) + DIRECT in CONDITIONS
    ],
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every condition on both inputs; print the tables, write them and the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/linear_theory"))
    parser.add_argument("--seeds", type=int, default=20, help="networks, grammars and batches, each fresh")
    parser.add_argument("--batch", type=int, default=32, help="positive pairs, and negative ones")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found = {
        "Random Hierarchy Model": measure(hierarchy_pairs, asked.seeds, asked.batch),
        "Gaussian": measure(gaussian_pairs, asked.seeds, asked.batch),
    }
    for title, rows in found.items():
        print_table(title, rows)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "result.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    draw(found).savefig(asked.out / "figure.png", dpi=110)
    print(f"Written: {asked.out}/result.json, figure.png")


def hierarchy_pairs(seed: int, batch: int) -> Pairs:
    """Draw a grammar and samples: the first patch of each (4 one-hot leaves of 32), with its sibling as context."""
    grammar = Grammar.draw(HIERARCHY, stream(seed, "grammar"))
    leaves = torch.from_numpy(sample(grammar, batch, stream(seed, "data")).one_hot()).double()
    patches = leaves.reshape(batch, HIERARCHY.tuple_size, -1)  # (batch, patches, 128)
    return Pairs.contrast(patches[:, 0], patches[:, 1])


def gaussian_pairs(seed: int, batch: int) -> Pairs:
    """Draw pairs that share half of their variance, white over all 128 inputs."""
    common, *own = torch.from_numpy(stream(seed, "data").normal(size=(3, batch, EQUAL[0])))
    return Pairs.contrast(common + own[0], common + own[1])


def measure(pairs: Callable[[int, int], Pairs], seeds: int, batch: int) -> dict[str, list[list[float]]]:
    """Find the cosines of every condition and of chance: (seeds, layers) each."""
    drawn = list(enumerate(pairs(seed, batch) for seed in range(seeds)))
    rows = {name: [condition.measure(each, seed) for seed, each in drawn] for name, condition in CONDITIONS.items()}
    return rows | {CHANCE: [chance(each, seed) for seed, each in drawn]}


def chance(pairs: Pairs, seed: int) -> list[float]:
    """Compare the end-to-end updates of a network of default weights with random directions."""
    network, generator = DeepNetwork(default_weights(EQUAL, stream(seed, "weights"))), stream(seed, "control")
    random = [torch.from_numpy(generator.normal(size=weights.shape)) for weights in network.weights]
    return cosines(random, end_to_end_updates(network, pairs))


def print_table(title: str, rows: Mapping[str, list[list[float]]]) -> None:
    """Print mean and standard deviation over seeds, and how often direct feedback is closer."""
    print(f"\n{title}\n| | {' | '.join(f'layer {layer}' for layer in LAYERS)} |\n{'|---' * (len(LAYERS) + 1)}|")
    for name, several in rows.items():
        print(f"| {name} | {' | '.join(str(Spread.of(values)) for values in zip(*several, strict=True))} |")
    for name in rows:
        if name + DIRECT in rows:
            nearer = zip(rows[name], rows[name + DIRECT], strict=True)
            wins = [[d > s for s, d in zip(same, direct, strict=True)] for same, direct in nearer]
            counts = [sum(layer) for layer in zip(*wins, strict=True)][:-1]
            print(f"{name}: direct feedback is closer in {counts} of {len(wins)} seeds, hidden layers 1 to 5")


def draw(found: Mapping[str, Mapping[str, list[list[float]]]]) -> Figure:
    """Draw cosine against layer: a row an input, a column a panel."""
    figure = Figure(figsize=(11.5, 8), layout="constrained")
    panels = figure.subplots(len(found), len(PANELS), squeeze=False, sharex=True, sharey=True)
    for row, (title, rows) in zip(panels, found.items(), strict=True):
        for axes, (panel, names) in zip(row, PANELS.items(), strict=True):
            for name in [*names, CHANCE]:
                line(axes, rows[name], name)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_xticks(LAYERS)
            axes.set_title(f"{title}: {panel}", fontsize=10)
        for name, values in PUBLISHED.items():
            row[0].plot(LAYERS, values, color=look(name)["color"], linestyle=":", label=f"{name}, published (MNIST)")
        row[0].set(ylim=(-0.08, 1.05), ylabel="cosine with the end-to-end update")
    for axes in panels[-1]:
        axes.set_xlabel("layer")
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    return figure


def line(axes: Axes, several: list[list[float]], name: str) -> None:
    """Draw mean and standard deviation over seeds."""
    spreads = [Spread.of(values) for values in zip(*several, strict=True)]
    means, deviations = [s.mean for s in spreads], [s.deviation for s in spreads]
    axes.errorbar(LAYERS, means, deviations, label=name, capsize=2, **look(name))


def look(name: str) -> dict[str, Any]:
    """Choose how a condition is drawn: a colour a network, its variants dashed and open, the control in grey."""
    if name == CHANCE:
        return dict(CONTROL)
    network = name.removesuffix(DIRECT).removesuffix(", B = I")
    index = NETWORKS.index(network)
    plain = {"color": COLOURS[index], "marker": MARKERS[index], "markersize": 5}
    return plain if name == network else plain | {"markerfacecolor": "none", "markersize": 8, "linestyle": "--"}


if __name__ == "__main__":
    main()
