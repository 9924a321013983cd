"""Figures of comparisons, and the looks that all figures share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cortexsim.analysis.summary import Spread, Summary

# Okabe & Ito 2008: distinguishable for colour-blind readers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MATHS = {"n_c m^L": "$n_c m^L$", "v m³/(1-f)": "$v m^3/(1-f)$"}
LONGEST = 40  # Characters of a name in a legend.
ROW, HANDLE = 140, 6  # Characters side by side in the legend below a comparison, and those that a line in it takes.
Draw = Callable[[], Figure]
CONTROL = {"color": "#888888", "linestyle": "--"}
CONTROL_MARKERS = (".", "x", "+", "1")


def legend_name(name: str) -> str:
    """The name of a learner as text of a legend: shortened, and with nothing that matplotlib interprets."""
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 15]}...{name[-12:]}"
    plain = short.replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain  # Matplotlib leaves out what begins with _.


def legend_columns(names: Sequence[str]) -> int:
    """Count the names that fit side by side in the legend below a comparison.

    >>> legend_columns(["backprop", "clapp"]), legend_columns(["digits-untrained-spiking"] * 8)
    (2, 4)
    """
    widest = max(map(len, names), default=0) + HANDLE
    return max(1, min(len(names), len(COLOURS), ROW // widest))


def line(axes: Axes, places: Sequence[float], spreads: Iterable[Spread], label: str, **looks: Any) -> None:
    """Draw a line through means, with standard deviations as error bars.

    >>> from cortexsim.analysis.summary import Spread
    >>> axes = Figure().subplots()
    >>> accuracies = Spread.of([0.3, 0.4]), Spread.of([0.95, 0.97])  # At two sizes, each of two seeds.
    >>> line(axes, [64, 128], accuracies, "clapp", marker="o")
    >>> axes.get_legend_handles_labels()[1]
    ['clapp']

    Args:
        axes: to draw into.
        places: (points,), abscissae.
        spreads: (points,).
        label: of the line.
        looks: keywords of matplotlib.
    """
    means, deviations = zip(*((spread.mean, spread.deviation) for spread in spreads), strict=True)
    axes.errorbar(places, means, deviations, label=legend_name(label), capsize=3, **looks)


def accuracy(axes: Axes, summaries: Sequence[Summary], chance: float, laws: Mapping[str, float]) -> Axes:
    """Draw test accuracy against training samples, with chance and predicted laws, and return the axes.

    Args:
        axes: to draw into.
        summaries: of the learners.
        chance: accuracy of guessing.
        laws: predicted sample complexities by name, in samples.
    """
    for index, summary in enumerate(summaries):
        line(axes, summary.samples, summary.accuracy.values(), summary.learner, **style(summary, index))
    axes.axhline(chance, color="black", linewidth=0.8, linestyle=":")
    axes.annotate("chance", (0.99, chance), xycoords=("axes fraction", "data"), ha="right", va="top", fontsize=8)
    for text, samples in laws.items():
        axes.axvline(samples, color="#BBBBBB", linewidth=0.8, zorder=0)
        axes.annotate(
            MATHS.get(text, text), (samples, 1.06), xycoords=("data", "data"), ha="center", fontsize=8, color="#555555"
        )
    sizes = sorted({size for summary in summaries for size in summary.samples})
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xticks([], minor=True)
    axes.set(xlabel="training samples P", ylabel="test accuracy", ylim=(0, 1.13))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    return axes


def by_layer(axes: Axes, summaries: Sequence[Summary], quantity: str, ylabel: str, top: float) -> Axes:
    """Draw a quantity of the trained layers, at the largest training set, against the layer; return the axes.

    Args:
        axes: to draw into.
        summaries: of the learners.
        quantity: ``selectivity``, ``participation`` or ``decoding``.
        ylabel: of the vertical axis.
        top: its upper limit.
    """
    for index, summary in enumerate(summaries):
        spreads = summary.layers[quantity][: summary.trained or None]
        line(axes, range(1, len(spreads) + 1), spreads, summary.learner, **style(summary, index))
    axes.set(xlabel="layer", ylabel=ylabel, ylim=(0, top))
    axes.set_xticks(range(1, len(summaries[0].layers[quantity]) + 1))
    return axes


def comparison(
    summaries: Sequence[Summary], chance: float, laws: Mapping[str, float], latents: int, title: str, named: str
) -> Figure:
    """Draw accuracy, selectivity, participation and decoding in four panels.

    Args:
        summaries: of the learners.
        chance: accuracy of guessing.
        laws: predicted sample complexities by name, in samples.
        latents: number of values of a latent.
        title: of the figure.
        named: ``latent``, or ``label`` where no latents are known.
    """
    figure = Figure(figsize=(11, 7), layout="constrained")
    panels = figure.subplots(2, 2)
    accuracy(panels[0, 0], summaries, chance, laws)
    by_layer(panels[0, 1], summaries, "selectivity", f"selectivity for the {named}", 1.0)
    by_layer(panels[1, 0], summaries, "participation", "participation ratio (directions)", latents)
    panels[1, 0].axhline(latents - 1, color="black", linewidth=0.8, linestyle=":")
    by_layer(panels[1, 1], summaries, "decoding", f"linear decoding of the {named}", 1.05)
    panels[1, 1].axhline(1 / latents, color="black", linewidth=0.8, linestyle=":")
    for panel, letter in zip(panels.flat, "abcd", strict=True):
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_title(letter, loc="left", fontweight="bold")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns(labels), frameon=False)
    figure.suptitle(title, fontsize=11)
    return figure


def style(summary: Summary | None, index: int) -> dict[str, Any]:
    """Keywords of matplotlib for a learner: grey for the untrained control, colours in turn for the others.

    Args:
        summary: of the learner, if it is known.
        index: its place among the learners.
    """
    if summary is not None and summary.rule == "untrained":
        return {**CONTROL, "marker": CONTROL_MARKERS[index % len(CONTROL_MARKERS)]}
    again, colour = divmod(index, len(COLOURS))
    marker = MARKERS[(index + 2 * again) % len(MARKERS)]  # A repeated colour has another marker.
    return {"color": COLOURS[colour], "marker": marker, "linestyle": ("-", "--", ":")[min(again, 2)]}
