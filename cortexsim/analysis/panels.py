"""Figures of experiments: groups of learners in rows, comparisons or layers in columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cortexsim.analysis.plots import COLOURS, MARKERS, legend_name, line, style
from cortexsim.analysis.summary import Spread, Summary

Groups = Mapping[str, Sequence[str]]


def in_units_of_the_law(
    found: Mapping[str, Sequence[Summary]], units: Mapping[str, float], chance: float, groups: Groups
) -> Figure:
    """Draw accuracy against samples in units of n_c m^L, with a column per comparison and a row per group of learners.

    Args:
        found: the summaries of each comparison, by its name.
        units: n_c m^L of each comparison.
        chance: accuracy of guessing.
        groups: names of learners, by the title of their row.
    """
    figure, panels = _grid(len(groups), len(found))
    for row, (title, names) in zip(panels, groups.items(), strict=True):
        for axes, (name, summaries) in zip(row, found.items(), strict=True):
            for index, summary in _chosen(summaries, names):
                sizes = [size / units[name] for size in summary.samples]
                line(axes, sizes, summary.accuracy.values(), summary.learner, **style(summary, index))
            axes.axhline(chance, color="black", linewidth=0.8, linestyle=":")
            sizes = sorted({size / units[name] for summary in summaries for size in summary.samples})
            axes.set_xscale("log")
            axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
            axes.set_xticks([], minor=True)
            axes.set(ylim=(0, 1.05), xlabel="P / $n_c m^L$")
            axes.set_title(legend_name(name.replace("-", " ")), fontsize=10)
        _name_row(row, title, "test accuracy")
    return figure


def courses(
    curves: Mapping[str, Mapping[str, Sequence[Spread]]], places: Sequence[float], ylim: tuple[float, float]
) -> tuple[Figure, NDArray[Any]]:
    """Draw how a quantity goes, a panel for each experiment, with a line for each condition; label the axes yourself.

    >>> learned = [Spread(0.5, 0.1, 3), Spread(0.9, 0.02, 3)]
    >>> figure, (panel,) = courses({"digits": {"clapp": learned}}, places=[1, 10], ylim=(0, 1))
    >>> _ = panel.set(xlabel="epoch", ylabel="test accuracy")
    >>> panel.get_title()
    'digits'

    Args:
        curves: by title of the panel and name of the line, (places,).
        places: abscissae.
        ylim: of the vertical axis.

    Returns:
        The figure, and its panels.
    """
    figure = Figure(figsize=(9, 3.7), layout="constrained")
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (title, lines) in zip(panels, curves.items(), strict=True):
        for index, (name, spreads) in enumerate(lines.items()):
            line(axes, places, spreads, name, color=COLOURS[index], marker=MARKERS[index])
        axes.set(title=title, ylim=ylim)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def across(found: Mapping[str, Mapping[str, Sequence[Summary]]], samples: Mapping[str, int], chance: float) -> Figure:
    """Draw test accuracy by learner, one marker for each comparison, with a panel for each group of comparisons.

    Args:
        found: the summaries of each comparison, by its name, by the name of the group.
        samples: training-set size of each group.
        chance: accuracy of guessing.
    """
    learners = list(
        dict.fromkeys(each.learner for group in found.values() for several in group.values() for each in several)
    )
    figure, (row,) = _grid(1, len(found))
    figure.set_size_inches(1.5 + 3.2 * len(found), 1.2 + 0.3 * len(learners))
    for axes, (title, group) in zip(row, found.items(), strict=True):
        for index, (name, summaries) in enumerate(group.items()):
            shift = 0.15 * (index - (len(group) - 1) / 2)
            places = [learners.index(summary.learner) + shift for summary in summaries]
            spreads = [summary.accuracy[samples[title]] for summary in summaries]
            means, deviations = [spread.mean for spread in spreads], [spread.deviation for spread in spreads]
            look = {**style(None, index), "linestyle": ""}
            axes.errorbar(means, places, xerr=deviations, label=legend_name(name), capsize=2, markersize=4, **look)
        axes.axvline(chance, color="black", linewidth=0.8, linestyle=":")
        axes.set(xlim=(0, 1.05), xlabel="test accuracy")
        axes.set_yticks(range(len(learners)), [legend_name(name) for name in learners])
        axes.set_title(f"{title}, P = {samples[title]}", fontsize=10)
    row[0].invert_yaxis()
    _name_row(row, "", "")
    return figure


def alignment(rows: Sequence[Mapping[str, Any]], quantity: str, ylabel: str, groups: Groups) -> Figure:
    """Draw alignment over training, averaged over rows, with a column per layer and a row per group of learners.

    Args:
        rows: of one comparison, at one number of samples.
        quantity: ``"cosine"`` or ``"input_share"``.
        ylabel: of the vertical axes.
        groups: names of learners, by the title of their row.
    """
    measured = [row for row in rows if row.get("alignment") and row["alignment"][quantity][0] is not None]
    groups = {title: [n for n in names if any(r["learner"] == n for r in measured)] for title, names in groups.items()}
    groups = {title: names for title, names in groups.items() if names}
    depth = len(measured[0]["alignment"][quantity][0])
    figure, panels = _grid(len(groups), depth)
    for row, (title, names) in zip(panels, groups.items(), strict=True):
        for layer, axes in enumerate(row):
            for index, name in enumerate(names):
                several = [r["alignment"] for r in measured if r["learner"] == name]
                values = np.mean([[layers[layer] for layers in found[quantity]] for found in several], axis=0)
                axes.plot(several[0]["epoch"], values, label=legend_name(name), markersize=4, **style(None, index))
            axes.axhline(0, color="black", linewidth=0.8, linestyle=":")
            axes.set_xscale("symlog", linthresh=1)
            epochs = max((row["alignment"]["epoch"] for row in measured), key=max)
            axes.set_xticks(epochs, [str(epoch) for epoch in epochs], fontsize=8)
            axes.set_xticks([], minor=True)
            axes.set(ylim=(-1 if quantity == "cosine" else -0.05, 1.05), xlim=(-0.2, epochs[-1] * 1.3), xlabel="epoch")
            axes.set_title(f"layer {layer + 1}", fontsize=10)
        _name_row(row, title, ylabel)
    return figure


def against_values(
    summaries: Sequence[Summary], points: Mapping[str, tuple[str, Mapping[str, str]]], chance: float, title: str
) -> Figure:
    """Draw results against a setting of the model, at the largest training set.

    Panels show accuracy and, for each trained layer, selectivity and participation: a collapsed code can be selective.

    Args:
        summaries: of variants of models, and of controls, which have no point.
        points: by variant, its model and its settings: the first is the abscissa, others have a line each.
        chance: accuracy of guessing.
        title: of the figure.
    """
    varied = [summary for summary in summaries if summary.learner in points]
    controls = [summary for summary in summaries if summary.learner not in points]
    key, *others = points[varied[0].learner][1]
    ticks = list(dict.fromkeys(points[summary.learner][1][key] for summary in varied))
    many = len({points[summary.learner][0] for summary in varied}) > 1
    lines: dict[str, list[Summary]] = {}
    for summary in varied:
        model, values = points[summary.learner]
        first = [model] if many or not others else []
        name = ", ".join([*first, *(f"{other.rpartition('.')[2]} {values[other]}" for other in others)])
        lines.setdefault(name, []).append(summary)
    trained = max(summary.trained for summary in varied)
    figure, panels = _grid(2, 1 + trained, sharey=False)
    panels[1][0].set_axis_off()

    def draw(axes: Axes, quantity: str, layer: int, top: float) -> None:
        for index, (name, several) in enumerate(lines.items()):
            places = [ticks.index(points[summary.learner][1][key]) for summary in several]
            spreads = [_spread(summary, quantity, layer) for summary in several]
            line(axes, places, spreads, name, **style(several[0], index))
        for index, control in enumerate(controls, len(lines)):
            found, colour = _spread(control, quantity, layer), style(control, index)["color"]
            axes.axhline(found.mean, color=colour, linestyle="--", label=legend_name(control.learner))
            axes.axhspan(found.mean - found.deviation, found.mean + found.deviation, color=colour, alpha=0.2)
        axes.set_xticks(range(len(ticks)), [legend_name(tick) for tick in ticks])
        axes.set(ylim=(0, top), xlabel=key)
        axes.set_title(f"{quantity}, layer {layer + 1}" if quantity in summaries[0].layers else quantity, fontsize=10)

    draw(panels[0][0], "test accuracy", 0, 1.05)
    panels[0][0].axhline(chance, color="black", linewidth=0.8, linestyle=":")
    for layer in range(trained):
        highest = max(_spread(summary, "participation", layer).mean for summary in summaries)
        draw(panels[0][layer + 1], "selectivity", layer, 1.05)
        draw(panels[1][layer + 1], "participation", layer, 1.2 * max(highest, 1))
    _name_row(panels[0], "", "")
    figure.suptitle(f"{title}; P = {varied[0].samples[-1]}", fontsize=9)
    return figure


def against_operations(
    rows: Sequence[Mapping[str, Any]], points: Mapping[str, tuple[str, Mapping[str, str]]]
) -> Figure:
    """Draw test accuracy against the operations of one sample.

    Operations are synapses that spikes reach; of rate networks multiplications with an addition, of which filled
    markers leave out those by an activity of zero, which hollow ones count.

    Args:
        rows: of learners, those of some size of the training set.
        points: by variant, its model and its settings; variants of a model share a line.
    """
    lines: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in rows:
        model, _ = points.get(row["learner"], (row["learner"], {}))
        lines.setdefault(model, {}).setdefault(row["learner"], []).append(row)
    figure, ((axes,),) = _grid(1, 1)
    figure.set_size_inches(6.4, 4.2)
    for index, (name, variants) in enumerate(lines.items()):
        spreads = [Spread.of([row["accuracy"] for row in several]) for several in variants.values()]
        places = [float(np.mean([_operations(row) for row in several])) for several in variants.values()]
        look = style(None, index)
        line(axes, places, spreads, name, **look)
        for place, spread, several in zip(places, spreads, variants.values(), strict=True):
            if (most := several[0].get("multiply_adds")) is not None:
                axes.plot([place, most], [spread.mean] * 2, color=look["color"], linewidth=0.7)
                axes.plot(most, spread.mean, marker=look["marker"], color=look["color"], markerfacecolor="white")
    axes.set(xscale="log", ylim=(0, 1.05), xlabel="operations of one sample", ylabel="test accuracy")
    axes.legend(fontsize=8, loc="lower right")
    return figure


def _operations(row: Mapping[str, Any]) -> float:
    spent = row.get("synaptic_operations")
    return float(row["used_multiply_adds"] if spent is None else spent)


def _spread(summary: Summary, quantity: str, layer: int) -> Spread:
    """A quantity of a layer, or the test accuracy, at the largest training set."""
    return summary.layers[quantity][layer] if quantity in summary.layers else summary.accuracy[summary.samples[-1]]


def _grid(rows: int, columns: int, sharey: bool = True) -> tuple[Figure, list[list[Axes]]]:
    figure = Figure(figsize=(1.5 + 2.7 * columns, 2.9 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=sharey)
    for axes in panels.flat:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, [list(row) for row in panels]


def _chosen(summaries: Sequence[Summary], names: Sequence[str]) -> list[tuple[int, Summary]]:
    """The learners of a row, each with its place there, which determines its colour in every panel."""
    by_name = {summary.learner: summary for summary in summaries}
    return [(index, by_name[name]) for index, name in enumerate(names) if name in by_name]


def _name_row(row: Sequence[Axes], title: str, ylabel: str) -> None:
    row[0].set_ylabel(f"{legend_name(title)}\n{ylabel}" if title else ylabel)
    drawn = [axes.get_legend_handles_labels() for axes in row]
    by_label = {label: handle for handles, labels in drawn for handle, label in zip(handles, labels, strict=True)}
    row[-1].legend(
        list(by_label.values()),
        list(by_label),
        frameon=False,
        fontsize=8,
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
    )
