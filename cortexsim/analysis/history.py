"""A figure of several runs: their results, and the size of their weights through training."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

LEGEND = 12  # The most runs that the figure has a legend for.


def runs(rows: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Draw runs: test accuracy, linear decoding by layer, and the size of feedforward weights through training.

    Args:
        rows: of the runs that are finished, by number.
        metrics: lines of ``metrics.jsonl`` of all runs, by number.
    """
    figure = Figure(figsize=(12, 4), layout="constrained")
    accuracy, decoding, weights = figure.subplots(1, 3)
    colours = matplotlib.colormaps["turbo"]
    for index, name in enumerate(metrics):
        colour = colours((index + 0.5) / len(metrics))
        if name in rows:
            row = rows[name]
            layers = range(1, len(row["decoding"]) + 1)
            accuracy.plot(index + 1, row["accuracy"], "o", color=colour)
            decoding.plot(layers, row["decoding"], "o-", color=colour, markersize=3)
        _weights(weights, metrics[name], colour, name)
    for chance in {row["chance"] for row in rows.values()}:
        accuracy.axhline(chance, color="black", linewidth=0.8, linestyle=":")
    accuracy.set(xlabel="run", ylabel="test accuracy", ylim=(0, 1.05), title="(a)")
    accuracy.set_xlim(0, len(metrics) + 1)
    decoding.set(xlabel="layer", ylabel="decoding of the latent", ylim=(0, 1.05), title="(b)")
    weights.set(xlabel="epoch, stages one after the other", ylabel="rms of feedforward weights", title="(c)")
    for axes in (accuracy, decoding):
        axes.xaxis.get_major_locator().set_params(integer=True)
    if len(metrics) <= LEGEND and weights.get_legend_handles_labels()[0]:
        weights.legend(fontsize=7)
    return figure


def _weights(axes: Axes, lines: Sequence[Mapping[str, Any]], colour: Any, name: str) -> None:
    """Draw the weights of one run: a line per layer, the higher the fainter."""
    layers = [key for key in (lines[0]["rms"] if lines else {}) if key.endswith(".feedforward")]
    for depth, key in enumerate(layers):
        values = [line["rms"][key] if line["rms"][key] is not None else float("nan") for line in lines]
        label = name if depth == 0 else None
        axes.plot(range(1, len(values) + 1), values, color=colour, alpha=0.8 ** (2 * depth), label=label)
