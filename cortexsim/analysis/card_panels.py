"""The figure of a card: a rule's changes of weight, and the measured points with their errors."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cortexsim.analysis.plots import COLOURS, MARKERS, legend_name
from cortexsim.protocols.cards import Outcome, Point


def figure(outcome: Outcome) -> Figure:
    """Draw the outcome of a card.

    >>> from cortexsim.protocols.cards import find_card
    >>> from cortexsim.rules import load_rule
    >>> drawn = figure(find_card("pair_window").examine(load_rule("stdp_pair")))
    >>> drawn.axes[0].get_xlabel()
    't_post - t_pre [ms]'

    Args:
        outcome: with its points.
    """
    drawn = Figure(figsize=(6, 4), layout="constrained")
    axes = panel(drawn.subplots(), outcome.points)
    axes.set(xlabel=outcome.card.axes[0], ylabel=outcome.card.axes[1])
    axes.set_title(f"{legend_name(outcome.rule.name)}: {outcome.card.title}\n{outcome.number}", fontsize=9)
    return drawn


def panel(axes: Axes, points: Sequence[Point]) -> Axes:
    """Draw each series: what was measured as points with standard errors, the rule as a line; return the axes.

    Args:
        axes: to draw into.
        points: of a card.
    """
    axes.axhline(0, color="#888888", linewidth=0.6)
    for index, series in enumerate(dict.fromkeys(point.series for point in points)):
        own = sorted((point for point in points if point.series == series), key=lambda point: point.x)
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        axes.plot([p.x for p in own], [p.model for p in own], color=colour, marker=".", label=legend_name(series))
        measured = [(p.x, p.data, p.error or 0.0) for p in own if p.data is not None]
        if measured:
            x, data, errors = zip(*measured, strict=True)
            bars = errors if any(errors) else None
            axes.errorbar(x, data, bars, color=colour, marker=marker, fillstyle="none", linestyle="none", capsize=3)
    axes.plot([], [], color="black", marker=MARKERS[0], fillstyle="none", linestyle="none", label="data or theory")
    axes.legend(fontsize=7)
    return axes
