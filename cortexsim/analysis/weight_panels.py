"""A figure of weights over time: a panel for each layer and kind of synapse."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cortexsim.analysis.plots import COLOURS
from cortexsim.analysis.weights_over_time import RecordedSynapses, WeightsOverTime

LINES, POINTS = 256, 400  # The most synapses and times that a panel draws, evenly spaced among all.
BINS = 24
GREY = "#888888"


def courses(found: WeightsOverTime, title: str = "") -> Figure:
    """Draw weights over time: a row of panels per layer, and in each a line per synapse.

    At the side of each panel is the distribution of the recorded weights, before training and at its end.

    Args:
        found: the weights.
        title: of the figure; none unless given.
    """
    layers: dict[str, dict[str, RecordedSynapses]] = {}
    for name, synapses in found.items():
        layer, _, kind = name.partition(".")
        layers.setdefault(layer, {})[kind] = synapses
    kinds = list(dict.fromkeys(kind for several in layers.values() for kind in several))
    figure = Figure(figsize=(0.8 + 5.2 * len(kinds), 0.9 + 2.5 * len(layers)), dpi=150, layout="constrained")
    panels = figure.subplots(len(layers), 2 * len(kinds), squeeze=False, width_ratios=[4, 1] * len(kinds))
    for row, (layer, several) in zip(panels, layers.items(), strict=True):
        for column, kind in enumerate(kinds):
            pair = row[2 * column], row[2 * column + 1]
            if kind in several:
                _course(*pair, found.fixations, several[kind], COLOURS[column % len(COLOURS)])
                pair[0].set_title(f"{layer.replace('layer', 'layer ')}, {_words(kind)}", fontsize=10, loc="left")
            else:
                for axes in pair:
                    axes.set_axis_off()
    handles, labels = panels[0][1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right", ncols=2, fontsize=8, frameon=False)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def _course(lines: Axes, side: Axes, fixations: np.ndarray, synapses: RecordedSynapses, colour: str) -> None:
    """Draw the weights of synapses over time, and their distribution before and after."""
    times, chosen = _spaced(len(fixations), POINTS), _spaced(len(synapses), LINES)
    weights = synapses.weights[np.ix_(times, chosen)]
    strength = float(np.clip(30 / len(chosen), 0.2, 0.8))
    lines.plot(fixations[times], weights, color=colour, linewidth=0.6, alpha=strength, rasterized=True)
    lines.axhline(0, color="black", linewidth=0.6, linestyle=":")
    lines.set(xlabel="fixations", ylabel="weight", xlim=(0, max(fixations[-1], 1)))
    ends = [synapses.weights[k][np.isfinite(synapses.weights[k])] for k in (0, -1)]
    both = np.concatenate(ends)
    if both.size and np.ptp(both):
        bins = np.linspace(both.min(), both.max(), BINS + 1).tolist()
        before, after = (float(np.histogram(values, bins)[0].max()) for values in ends)
        side.hist(ends[1], bins, orientation="horizontal", color=colour, alpha=0.6, label="at the end")
        side.hist(ends[0], bins, orientation="horizontal", color="black", histtype="step", label="before training")
        side.set_xlim(0, 1.05 * max(after, min(before, 2 * after)))  # Synapses that begin silent are all in one bar.
    side.set(ylim=lines.get_ylim(), xlabel="synapses")
    side.tick_params(labelleft=False)
    for axes in (lines, side):
        axes.spines[["top", "right"]].set_visible(False)
    if len(chosen) < len(synapses):
        note = f"{len(chosen)} of {len(synapses)} drawn"
        lines.annotate(note, (0.99, 0.98), xycoords="axes fraction", ha="right", va="top", fontsize=7, color=GREY)


def _spaced(count: int, most: int) -> np.ndarray:
    """Choose at most so many of ``count`` indices, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _words(kind: str) -> str:
    """Name a kind of synapse.

    >>> _words("projection.dendrite2.context")
    'context weights, projection, dendrite 2'
    """
    *places, name = kind.split(".")
    return ", ".join([f"{name} weights", *(place.replace("dendrite", "dendrite ") for place in places)])
