"""Cosine between local and end-to-end updates: ``python experiments/linear_theory/linear_theory.py``.

Six layers, linear or ReLU; one batch of pairs of views, each view with the other as its context; the mathematics, with
its source, is in ``cortexsim/analysis/linear_theory.py``. Measured rows are written to ``--out``; copied beside the
README, ``--from-rows`` makes of them, and of nothing else, its tables and figure.
"""

import argparse
import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from cortexsim.analysis.linear_theory import (
    DeepNetwork,
    Loss,
    Pairs,
    cosines,
    default_weights,
    end_to_end_updates,
    identity,
    linear,
    local_updates,
    semi_orthogonal,
    softplus,
)
from cortexsim.analysis.plots import COLOURS, CONTROL, MARKERS
from cortexsim.analysis.summary import Spread
from cortexsim.report.markdown import fill, table
from cortexsim.seeds import stream
from cortexsim.storage.atomic_io import write_atomically
from cortexsim.tasks.rhm import Grammar, Hierarchy, sample

Views = Callable[[int, int], tuple[Tensor, ...]]  # Of a seed and a number of objects: two, (pairs, input) each.
Found = dict[str, dict[str, list[list[float]]]]  # By input and condition: (seeds, layers).

HERE = Path(__file__).parent
ROWS, README, FIGURE = "cosines.jsonl.gz", "README.md", "figure.png"
HIERARCHY = Hierarchy(features=32, multiplicity=8, depth=2, tuple_size=4)
CELLS, EQUAL, SHRINKING = 128, [128] * 6, [116, 104, 92, 80, 68, 56]
HIDDEN = range(1, len(EQUAL))  # The sixth layer is the top, whose own loss is the end-to-end one.
DIRECT, SOFTPLUS, CHANCE = ", direct feedback", ", softplus", "random direction"


@dataclass(frozen=True)
class Network:
    """State how a network is drawn."""

    draw: Callable[..., tuple[Tensor, ...]]
    widths: Sequence[int] = tuple(EQUAL)
    rectified: bool = False

    def of(self, inputs: int, seed: int) -> DeepNetwork:
        """Draw it for inputs of this width."""
        return DeepNetwork(self.draw([inputs, *self.widths], stream(seed, "weights")), self.rectified)


NETWORKS = {
    "orthonormal": Network(semi_orthogonal),
    "default": Network(default_weights),
    "orthonormal, ReLU": Network(semi_orthogonal, rectified=True),
    "shrinking": Network(semi_orthogonal, SHRINKING),
}
VARIANTS: dict[str, tuple[Loss, bool]] = {
    "": (linear, False),
    SOFTPLUS: (softplus, False),
    DIRECT: (linear, True),
    SOFTPLUS + DIRECT: (softplus, True),
    ", B = I": (identity, False),
}
CONDITIONS = {name + variant: (name, variant) for name in NETWORKS for variant in VARIANTS}
# Mean and deviation over 32 batches of MNIST, of one network each, as the released tutorial prints them.
PUBLISHED = {
    "default": ([0.250, 0.313, 0.403, 0.552, 0.711], [0.027, 0.027, 0.028, 0.024, 0.016]),
    "orthonormal, ReLU": ([0.198, 0.373, 0.506, 0.607, 0.670], [0.035, 0.022, 0.032, 0.026, 0.024]),
}
PANELS = {
    "f = 1 and softplus": [
        f"orthonormal{SOFTPLUS}",
        *(name + loss for name in ("default", "orthonormal, ReLU") for loss in ("", SOFTPLUS)),
    ],
    "softplus, same layer and top layer (direct)": [
        name + SOFTPLUS + context for name in list(NETWORKS)[1:] for context in ("", DIRECT)
    ],
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every condition on every input, or read what was measured; write tables and figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder; runs/linear_theory, or with --from-rows the experiment's own")
    parser.add_argument("--seeds", type=int, default=20, help="networks, grammars and batches, each fresh")
    parser.add_argument("--batch", type=int, default=32, help="objects; each gives two pairs of views")
    parser.add_argument("--from-rows", action="store_true", help="compute nothing")
    asked = parser.parse_args(arguments)
    out = asked.out or (HERE if asked.from_rows else Path("runs/linear_theory"))
    out.mkdir(parents=True, exist_ok=True)
    if asked.from_rows:
        found = read(HERE / ROWS)
        text = fill((HERE / README).read_text(encoding="utf-8"), tables(found))
        write_atomically(out / README, text.encode())
    else:
        torch.set_num_threads(1)
        found = {name: measure(views, asked.seeds, asked.batch) for name, views in INPUTS.items()}
        write(out / ROWS, found)
        found = read(out / ROWS)
        print("\n\n".join(f"{name}\n{text}" for name, text in tables(found).items()))
    draw(found).savefig(out / FIGURE, dpi=110)
    print(f"Written: {out}/{README if asked.from_rows else ROWS}, {FIGURE}")


def digit_views(seed: int, batch: int) -> tuple[Tensor, Tensor]:
    """Choose digits of scikit-learn, enlarged to 28 x 28 and standardised: upper and lower patches of 14 x 14."""
    from sklearn.datasets import load_digits

    pictures = torch.from_numpy(load_digits().images)[:, None]
    pictures = torch.nn.functional.interpolate(pictures, size=28, mode="bilinear")[:, 0]
    pictures = (pictures - pictures.mean()) / pictures.std()
    chosen = pictures[stream(seed, "data").choice(len(pictures), batch, replace=False)]
    upper, lower = (torch.cat([half[..., :14], half[..., 14:]]).flatten(1) for half in chosen.split(14, 1))
    return upper, lower


def hierarchy_views(seed: int, batch: int) -> tuple[Tensor, Tensor]:
    """Draw a grammar and samples: the patches of each (4 one-hot leaves of 32), the first and third with the next."""
    grammar = Grammar.draw(HIERARCHY, stream(seed, "grammar"))
    leaves = torch.from_numpy(sample(grammar, batch, stream(seed, "data")).one_hot()).double()
    patches = leaves.reshape(batch, HIERARCHY.tuple_size, -1)  # (batch, patches, 128)
    return torch.cat([patches[:, 0], patches[:, 2]]), torch.cat([patches[:, 1], patches[:, 3]])


def gaussian_views(seed: int, batch: int) -> tuple[Tensor, Tensor]:
    """Draw pairs that share half of their variance, white over all 128 inputs."""
    common, *own = torch.from_numpy(stream(seed, "data").normal(size=(3, 2 * batch, CELLS)))
    return common + own[0], common + own[1]


def scaled(views: Views, factor: float) -> Views:
    """Multiply inputs, and with them every score."""
    return lambda seed, batch: tuple(factor * view for view in views(seed, batch))


INPUTS: dict[str, Views] = {
    "digits": digit_views,
    "hierarchy": hierarchy_views,
    "Gaussian": gaussian_views,
    "digits x 1/7": scaled(digit_views, 1 / 7),  # As long as those of the hierarchy,
    "hierarchy x 7": scaled(hierarchy_views, 7),  # and these as the digits.
}
PLAIN = list(INPUTS)[:3]


def measure(views: Views, seeds: int, batch: int) -> dict[str, list[list[float]]]:
    """Find the cosines of every condition and of chance: (seeds, layers) each."""
    rows: dict[str, list[list[float]]] = {name: [] for name in [*CONDITIONS, CHANCE]}
    for seed in range(seeds):
        ways = Pairs.both_ways(*views(seed, batch))
        drawn = {name: network.of(ways[0].inputs.shape[1], seed) for name, network in NETWORKS.items()}
        for name, (network, variant) in CONDITIONS.items():
            rows[name].append(compare(drawn[network], *VARIANTS[variant], ways))
        rows[CHANCE].append(chance(drawn["default"], ways, seed))
    return rows


def compare(network: DeepNetwork, loss: Loss, direct: bool, ways: Sequence[Pairs]) -> list[float]:
    """Compare local updates with end-to-end ones, layer by layer, both directions added."""
    local = [local_updates(network, way, loss, direct) for way in ways]
    return cosines(added(local), added([end_to_end_updates(network, way, loss) for way in ways]))


def chance(network: DeepNetwork, ways: Sequence[Pairs], seed: int) -> list[float]:
    """Compare random directions with end-to-end updates."""
    generator = stream(seed, "control")
    random = [torch.from_numpy(generator.normal(size=weights.shape)) for weights in network.weights]
    return cosines(random, added([end_to_end_updates(network, way) for way in ways]))


def added(ways: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Add updates, layer by layer."""
    return [torch.stack(layer).sum(0) for layer in zip(*ways, strict=True)]


def write(path: Path, found: Found) -> None:
    """Write rows, one a line."""
    lines = [
        json.dumps({"input": name, "condition": condition, "seed": seed, "cosines": [round(v, 5) for v in values]})
        for name, rows in found.items()
        for condition, several in rows.items()
        for seed, values in enumerate(several)
    ]
    write_atomically(path, gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))


def read(path: Path) -> Found:
    """Read rows that were written."""
    found: Found = {}
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        row = json.loads(line)
        found.setdefault(row["input"], {}).setdefault(row["condition"], []).append(row["cosines"])
    return found


def tables(found: Found) -> dict[str, str]:
    """Set out the README's tables: mean and standard deviation over seeds, of hidden layers."""
    head = ["", *(f"layer {layer}" for layer in HIDDEN)]
    beside = []
    for name, (means, deviations) in PUBLISHED.items():
        texts = [f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(means, deviations, strict=True)]
        beside.append([f"{name}, published", *texts])
        beside += [[name + loss, *spreads(found["digits"][name + loss])] for loss in (SOFTPLUS, "")]
    lower = [
        [f"{title}: {name}", *spreads(np.subtract(rows[name + SOFTPLUS], rows[name]).tolist())]
        for name in PUBLISHED
        for title, rows in found.items()
    ]
    closer = [
        [name + loss, *(wins(found[title][name + loss], found[title][name + loss + DIRECT]) for title in PLAIN)]
        for name in list(NETWORKS)[1:]
        for loss in ("", SOFTPLUS)
    ]
    whole = {title: [[name, *spreads(several)] for name, several in rows.items()] for title, rows in found.items()}
    texts = {title: table(head, rows) for title, rows in ({"published": beside, "loss": lower} | whole).items()}
    return texts | {"direct": table(["", *PLAIN], closer)}


def spreads(several: Sequence[Sequence[float]]) -> list[str]:
    """Summarise every hidden layer over seeds."""
    return [str(Spread.of(layer)) for layer in list(zip(*several, strict=True))[: len(HIDDEN)]]


def wins(same: Sequence[Sequence[float]], direct: Sequence[Sequence[float]]) -> str:
    """Count in how many seeds direct feedback is closer, layer by layer."""
    counts = (np.array(direct) > np.array(same)).sum(0)[: len(HIDDEN)]
    return f"{' '.join(map(str, counts))} of {len(same)}"


def draw(found: Found) -> Figure:
    """Draw cosine against layer: a row an input, a column a panel."""
    figure = Figure(figsize=(11.5, 11), layout="constrained")
    panels = figure.subplots(len(PLAIN), len(PANELS), squeeze=False, sharex=True, sharey=True)
    for row, title in zip(panels, PLAIN, strict=True):
        for axes, (panel, names) in zip(row, PANELS.items(), strict=True):
            for name in [*names, CHANCE]:
                line(axes, found[title][name], name)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_xticks([*HIDDEN, len(EQUAL)])
            axes.set_title(f"{title}: {panel}", fontsize=10)
        for name, (values, _) in PUBLISHED.items():
            colour = look(name)["color"]
            row[0].plot(HIDDEN, values, color=colour, linestyle=":", label=f"{name}, published (MNIST)")
        row[0].set(ylim=(-0.08, 1.05), ylabel="cosine with the end-to-end update")
    for axes in panels[-1]:
        axes.set_xlabel("layer")
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    return figure


def line(axes: Axes, several: Sequence[Sequence[float]], name: str) -> None:
    """Draw mean and standard deviation over seeds."""
    of_layers = [Spread.of(values) for values in zip(*several, strict=True)]
    means, deviations = [s.mean for s in of_layers], [s.deviation for s in of_layers]
    axes.errorbar(range(1, len(means) + 1), means, deviations, label=name, capsize=2, **look(name))


def look(name: str) -> dict[str, Any]:
    """Choose how a condition is drawn: a colour a network, softplus filled, its variants dashed and open."""
    if name == CHANCE:
        return dict(CONTROL)
    network, variant = CONDITIONS[name]
    index = list(NETWORKS).index(network)
    plain = {"color": COLOURS[index], "marker": MARKERS[index], "markersize": 5}
    return plain if variant == SOFTPLUS else plain | {"markerfacecolor": "none", "markersize": 8, "linestyle": "--"}


if __name__ == "__main__":
    main()
