"""Figures of sample complexities over sweeps of the hierarchy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from cortexsim.analysis.plots import CONTROL, MATHS, legend_name, style
from cortexsim.analysis.sample_complexity import FRACTION, Threshold
from cortexsim.analysis.thresholds import SYMBOLS, SweepThresholds

LAWS: tuple[dict[str, Any], ...] = (
    {"color": "black", "linestyle": "--"},
    {"color": "#888888", "linestyle": (0, (6, 2, 1, 2))},
)
LABELS = {"depth": "depth L", "multiplicity": "synonyms m", "features": "features v", "fraction": "f = m / $v^{s-1}$"}
ACROSS = 3  # Panels per row.
ASIDE = 0.012  # Relative shift of a learner's points, so that they do not hide those of the next.


def thresholds(found: Sequence[SweepThresholds]) -> Figure:
    """Draw P* against the size that varies, with a panel per sweep, a line per learner, and dashed laws.

    Symbols with bars are geometric means with their 95 % interval, small dashes are single grammars; open triangles are
    bounds: lower bounds if they point up, upper bounds if down.

    >>> needed = Threshold((90.0,), (110.0,)), Threshold((350.0,), (420.0,))
    >>> laws = {"n_c m^L": (128.0, 512.0), "v m³/(1-f)": (1024.0, 1024.0)}
    >>> swept = SweepThresholds("depth", "depth", "v = 8, m = 4", (2, 3), laws, {"clapp": needed}, reference=None)
    >>> thresholds([swept]).axes[0].get_legend_handles_labels()[1]
    ['$n_c m^L$', '$v m^3/(1-f)$', 'clapp']

    Args:
        found: one for each panel, with the same learners or some of them.
    """
    names = list(dict.fromkeys(name for swept in found for name in swept.thresholds))
    columns = min(ACROSS, len(found))
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(1.5 + 3.6 * columns, 3.4 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, swept in zip(panels, found, strict=False):
        _sweep(axes, swept, names)
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    _legend(figure, panels[: len(found)])
    return figure


def selectivity(rows: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Draw synonym selectivity, averaged over seeds, against training samples, with a panel per layer.

    Args:
        rows: of one hierarchy; layers that a learner has not trained are left out.
        title: what they were measured on.
    """
    names = list(dict.fromkeys(row["learner"] for row in rows))
    depth = len(rows[0]["selectivity"])
    figure = Figure(figsize=(1.5 + 2.4 * depth, 3.0), layout="constrained")
    panels = list(figure.subplots(1, depth, squeeze=False, sharex=True, sharey=True).flat)
    for layer, axes in enumerate(panels):
        for index, name in enumerate(names):
            shown = [row for row in rows if row["learner"] == name and row["trained_layers"] > layer]
            sizes = sorted({row["samples"] for row in shown})
            means = [np.mean([row["selectivity"][layer] for row in shown if row["samples"] == P]) for P in sizes]
            if sizes:
                axes.plot(sizes, means, label=legend_name(name), markersize=4, **style(None, index))
        axes.set(xscale="log", xlabel="training samples P", ylim=(0, 1))
        _plain(axes.xaxis)
        axes.set_title(f"layer {layer + 1}", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel(f"{title}\nsynonym selectivity")
    _legend(figure, panels)
    return figure


def runs(swept: SweepThresholds, rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the test accuracy of every run against samples, with a panel per value and a colour per learner.

    The bar at the height of the criterion is P* with its 95 % interval; open circles are, for untrained networks,
    the readout from the best layer.

    Args:
        swept: the thresholds.
        rows: of all runs, each with its ``value`` of the size that varies.
    """
    figure = Figure(figsize=(2.2 + 3.6 * len(swept.values), 3.6), layout="constrained")
    panels = list(figure.subplots(1, len(swept.values), squeeze=False, sharey=True).flat)
    for index, (value, axes) in enumerate(zip(swept.values, panels, strict=True)):
        for place, (name, several) in enumerate(swept.thresholds.items()):
            shown = [row for row in rows if (row["learner"], row["value"]) == (name, value)]
            look = {**CONTROL, "marker": "."} if shown[0]["rule"] == "untrained" else style(None, place)
            _runs(axes, shown, name, look)
            _bar(axes, several[index], 1 - FRACTION * (1 - shown[0]["chance"]), look)
        axes.axhline(shown[0]["chance"], color="black", linewidth=0.8, linestyle=":")
        axes.set(xscale="log", xlabel="training samples P", ylim=(0, 1.05))
        _plain(axes.xaxis)
        axes.set_title(f"{SYMBOLS[swept.varies]} = {value:g}", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("test accuracy")
    figure.suptitle(swept.title, fontsize=8)
    _legend(figure, panels)
    return figure


def _runs(axes: Axes, rows: Sequence[Mapping[str, Any]], name: str, look: Mapping[str, Any]) -> None:
    thin = {**look, "markersize": 3, "linewidth": 0.7, "alpha": 0.6}
    for index, seed in enumerate(sorted({row["seed"] for row in rows})):
        curve = sorted((row["samples"], row["accuracy"]) for row in rows if row["seed"] == seed)
        axes.plot(*zip(*curve, strict=True), label=None if index else legend_name(name), **thin)
    best = [(row["samples"], max(row["readout_by_layer"])) for row in rows if row.get("readout_by_layer")]
    if best:
        label = f"{legend_name(name)}, best layer"
        axes.plot(*zip(*best, strict=True), "o", color=look["color"], markerfacecolor="none", label=label)


def _bar(axes: Axes, needed: Threshold, height: float, look: Mapping[str, Any]) -> None:
    found = needed.estimate
    if found.low is not None and found.high is not None:
        sides = [[found.mean - found.low], [found.high - found.mean]]
        axes.errorbar(found.mean, height, xerr=sides, color=look["color"], marker=look["marker"], capsize=4)


def _sweep(axes: Axes, swept: SweepThresholds, names: Sequence[str]) -> None:
    for (law, predicted), look in zip(swept.laws.items(), LAWS, strict=True):
        drawn = np.where(np.isinf(predicted), np.nan, predicted)
        axes.plot(swept.values, drawn, label=MATHS[law], zorder=0, **look)
    for place, (name, several) in enumerate(swept.thresholds.items()):
        aside = 1 + ASIDE * (place - (len(swept.thresholds) - 1) / 2)
        _curve(axes, np.multiply(swept.values, aside), several, name, style(None, names.index(name)))
    axes.set(xscale="log" if swept.varies in ("multiplicity", "features") else "linear", yscale="log")
    axes.set(xlabel=LABELS[swept.varies], ylabel="P* (samples)")
    axes.set_xticks(swept.values, [f"{value:g}" for value in swept.values])
    axes.set_xticks([], minor=True)
    if len(swept.values) == 1:
        axes.set_xlim(0.8 * swept.values[0], 1.2 * swept.values[0])
    _plain(axes.yaxis)
    axes.set_title(f"{legend_name(swept.name.replace('-', ' '))}\n", fontsize=10)
    axes.annotate(swept.title, (0.5, 1.02), xycoords="axes fraction", ha="center", fontsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _curve(axes: Axes, x: NDArray[np.floating], several: Sequence[Threshold], name: str, look: dict[str, Any]) -> None:
    """Draw a learner: bars where its means have intervals, triangles, apart from its line, where they are bounds."""
    colour, marker = look["color"], look["marker"]
    means = [threshold.estimate.mean for threshold in several]
    axes.plot(
        x,
        [np.nan if t.censored else mean for t, mean in zip(several, means, strict=True)],
        label=legend_name(name),
        **look,
    )
    for place, threshold, mean in zip(x, several, means, strict=True):
        axes.plot([place] * len(threshold.values), threshold.values, "_", color=colour, alpha=0.5, markersize=5)
        low, high = threshold.estimate.low, threshold.estimate.high
        if threshold.censored:
            axes.plot(place, mean, "^" if threshold.beyond else "v", color=colour, markerfacecolor="none", markersize=9)
        elif low is not None and high is not None:
            axes.errorbar(place, mean, [[mean - low], [high - mean]], color=colour, marker=marker, capsize=3)


def _plain(axis: Axis) -> None:
    """Label a logarithmic axis in plain numbers, at 1, 2 and 5 of each decade."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_locator(NullLocator())


def _legend(figure: Figure, panels: Sequence[Axes]) -> None:
    drawn = [axes.get_legend_handles_labels() for axes in panels]
    by_label = {label: handle for handles, labels in drawn for handle, label in zip(handles, labels, strict=True)}
    figure.legend(list(by_label.values()), list(by_label), frameon=False, fontsize=9, loc="outside right center")
