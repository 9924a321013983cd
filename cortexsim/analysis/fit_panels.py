"""The figure of a fit: measured points, the rule before and after, and the profile of the error for each constant."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from cortexsim.analysis.card_panels import panel
from cortexsim.analysis.plots import COLOURS, legend_name
from cortexsim.protocols.fitting import Fit, Profile

ACROSS = 2  # Profiles side by side.


def figure(fit: Fit) -> Figure:
    """Draw a fit.

    >>> from cortexsim.protocols.cards import find_card
    >>> from cortexsim.protocols.fitting import fit
    >>> from cortexsim.protocols.least_squares import Problem
    >>> from cortexsim.rules import load_rule
    >>> problem = Problem(load_rule("stdp_pair"), find_card("pair_window"), ["potentiation"])
    >>> drawn = figure(fit(problem, starts=1, seed=0))
    >>> [axes.get_xlabel() for axes in drawn.axes if axes.axison]
    ['t_post - t_pre [ms]', 'potentiation']

    Args:
        fit: of a rule to a card.
    """
    rows = -(-len(fit.profiles) // ACROSS)
    drawn = Figure(figsize=(11, max(4.2, 2.1 * rows)), layout="constrained")
    grid = drawn.add_gridspec(1, 2, width_ratios=(5, 6))
    left, right = drawn.add_subfigure(grid[0]), drawn.add_subfigure(grid[1])
    _points(left.subplots(), fit)
    axes = right.subplots(rows, ACROSS, sharey=True, squeeze=False)
    for each, (name, profile) in zip(axes.flat, fit.profiles.items(), strict=False):
        _profile(each, name, profile, fit)
    for empty in axes.flat[len(fit.profiles) :]:
        empty.set_axis_off()
    for each in axes[:, 0]:
        each.set_ylabel("error E")
    return drawn


def _points(axes: Axes, fit: Fit) -> None:
    panel(axes, fit.after)
    for index, series in enumerate(dict.fromkeys(point.series for point in fit.before)):
        own = sorted((point.x, point.model) for point in fit.before if point.series == series)
        axes.plot(*zip(*own, strict=True), color=COLOURS[index % len(COLOURS)], linestyle=":", linewidth=1)
    axes.plot([], [], color="black", linestyle=":", linewidth=1, label="rule before the fit")
    axes.legend(fontsize=7)
    axes.set(xlabel=fit.card.axes[0], ylabel=fit.card.axes[1])
    before, after = fit.errors
    axes.set_title(
        f"{legend_name(fit.rule.name)} fitted to {fit.card.source}\nE {before:.3g} to {after:.3g}", fontsize=9
    )


def _profile(axes: Axes, name: str, profile: Profile, fit: Fit) -> None:
    """Draw the error against one constant, with the others fitted; where it is below the line is the interval."""
    unit, label = (1e3, f"{name} [ms]") if name in fit.times else (1.0, name)
    axes.plot(profile.values * unit, profile.errors, color=COLOURS[0], marker=".")
    axes.axhline(fit.level, color="#888888", linewidth=0.8, linestyle="--")
    axes.axvline(profile.start * unit, color="black", linewidth=0.8, linestyle=":")
    axes.plot([profile.fitted * unit], [fit.errors[1]], color=COLOURS[1], marker="o", linestyle="none")
    if name in fit.times:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xticks([], minor=True)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    lowest, rise = fit.errors[1], fit.level - fit.errors[1]
    axes.set_xlabel(label)
    if rise:
        axes.set_ylim(lowest - 0.2 * rise, lowest + 3 * rise)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
