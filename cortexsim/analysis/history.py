"""A figure of several runs: their results, and the size of their weights through training."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cortexsim.analysis.plots import legend_name

LEGEND = 12  # The most runs that the figure has a legend for.
DECADE = 10.0  # Ratio of the largest to the smallest value from which an axis is logarithmic.


def runs(
    rows: Mapping[str, Mapping[str, Any]],
    metrics: Mapping[str, Sequence[Mapping[str, Any]]],
    swept: tuple[str, Sequence[Any]] | None = None,
) -> Figure:
    """Draw runs: test accuracy, linear decoding by layer, and the size of feedforward weights through training.

    >>> row = {"accuracy": 0.9, "chance": 0.125, "decoding": [0.8, 0.9]}
    >>> lines = [{"stage": 1, "epoch": epoch, "rms": {"layer1.feedforward": 0.1 * epoch}} for epoch in (1, 2, 3)]
    >>> figure = runs({"1": row, "2": row}, {"1": lines, "2": lines}, swept=("training.eta", [0.01, 0.1]))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['test accuracy', 'decoding of the latent', 'rms of feedforward weights']

    Args:
        rows: of the runs that are finished, by number.
        metrics: lines of ``metrics.jsonl`` of all runs, by number.
        swept: setting that accuracy is drawn against, and its value in each run; None for the number of the run.
    """
    figure = Figure(figsize=(12, 4), layout="constrained")
    accuracy, decoding, weights = figure.subplots(1, 3)
    colours = matplotlib.colormaps["turbo"]
    places = _by_number(accuracy, len(metrics)) if swept is None else _by_setting(accuracy, *swept)
    for index, name in enumerate(metrics):
        colour = colours((index + 0.5) / len(metrics))
        if name in rows:
            row = rows[name]
            layers = range(1, len(row["decoding"]) + 1)
            accuracy.plot(places[index], row["accuracy"], "o", color=colour)
            decoding.plot(layers, row["decoding"], "o-", color=colour, markersize=3)
        _weights(weights, metrics[name], colour, name)
    for chance in {row["chance"] for row in rows.values()}:
        accuracy.axhline(chance, color="black", linewidth=0.8, linestyle=":")
    accuracy.set(ylabel="test accuracy", ylim=(0, 1.05), title="(a)")
    decoding.set(xlabel="layer", ylabel="decoding of the latent", ylim=(0, 1.05), title="(b)")
    weights.set(xlabel="epoch, stages one after the other", ylabel="rms of feedforward weights", title="(c)")
    decoding.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(metrics) <= LEGEND and weights.get_legend_handles_labels()[0]:
        weights.legend(fontsize=7)
    return figure


def _by_number(axes: Axes, count: int) -> Sequence[float]:
    """Prepare an axis of the numbers of runs, and return them."""
    axes.set(xlabel="run", xlim=(0, count + 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return range(1, count + 1)


def _by_setting(axes: Axes, name: str, values: Sequence[Any]) -> Sequence[float]:
    """Prepare an axis of the values of a setting, and return the place of each: a number, or that of a word in turn."""
    axes.set_xlabel(legend_name(name))
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        if min(values) > 0 and max(values) >= DECADE * min(values):
            axes.set_xscale("log")
        return values
    words = list(dict.fromkeys(map(str, values)))
    axes.set_xticks(range(len(words)), [legend_name(word) for word in words])
    axes.set_xlim(-0.5, len(words) - 0.5)
    return [words.index(str(value)) for value in values]


def _weights(axes: Axes, lines: Sequence[Mapping[str, Any]], colour: Any, name: str) -> None:
    """Draw the weights of one run: a line per layer, the higher the fainter."""
    layers = [key for key in (lines[0]["rms"] if lines else {}) if key.endswith(".feedforward")]
    for depth, key in enumerate(layers):
        values = [line["rms"][key] if line["rms"][key] is not None else float("nan") for line in lines]
        label = name if depth == 0 else None
        axes.plot(range(1, len(values) + 1), values, color=colour, alpha=0.8 ** (2 * depth), label=label)
