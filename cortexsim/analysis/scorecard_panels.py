"""The figure of the scorecard: a line for each rule, with the cards that it passes and the samples that it needs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cortexsim.analysis.estimates import geometric_mean
from cortexsim.analysis.plots import COLOURS
from cortexsim.analysis.sample_complexity import Threshold

LAYERS = ("rate", "brian-rate", "spiking")
LOOKS = {
    (3, False): (COLOURS[0], "o", "3 levels, rate cells", -0.24),
    (4, False): (COLOURS[1], "s", "4 levels, rate cells", 0.0),
    (3, True): (COLOURS[2], "^", "3 levels, spiking cells", 0.24),
}  # Colour, marker, name, and height within a line.
GREY, PALE = "#777777", "#E8E8E8"
HEADING, SMALL = 1.25, 8  # Height of a family's heading, in lines; size of the letters, in points.


@dataclass(frozen=True)
class Line:
    """What is known of a rule.

    >>> verdicts = {"pair_window": "pass", "frequency": "fail", "voltage": "not applicable"}
    >>> Line("stdp_pair", "spike timing", verdicts, ["protocols"], {}).passed
    '1 of 2'

    Attributes:
        rule: its name.
        family: of rules.
        verdicts: by card: ``"pass"``, ``"fail"`` or ``"not applicable"``.
        substrates: of layers that it runs in.
        needed: P* by levels and whether cells are spiking; None where that is not measured.
    """

    rule: str
    family: str
    verdicts: Mapping[str, str]
    substrates: Sequence[str]
    needed: Mapping[tuple[int, bool], Threshold | None]

    @property
    def passed(self) -> str:
        """How many cards it passes, of those that can be asked; empty where none can."""
        asked = [verdict for verdict in self.verdicts.values() if verdict != "not applicable"]
        return f"{asked.count('pass')} of {len(asked)}" if asked else ""

    @property
    def order(self) -> tuple[float, float, str]:
        """Its place in its family: by the samples that it needs, or by the cards that it passes."""
        found = self.needed[3, False]
        passes = -list(self.verdicts.values()).count("pass")
        if found is None:
            return math.inf, passes, self.rule
        return math.inf if found.beyond == len(found.low) else geometric_mean(found.values).mean, passes, self.rule


def scorecard(lines: Sequence[Line], references: Mapping[int, Threshold]) -> Figure:
    """Draw the scorecard.

    Args:
        lines: by family.
        references: P* of backpropagation by levels.
    """
    places = dict(_places(lines))
    height = 1 + max(places.values())
    figure = Figure(figsize=(9, 1.5 + 0.205 * height), layout="constrained")
    cards, samples, layers = figure.subplots(1, 3, sharey=True, width_ratios=(10, 15, 3))
    for axes in (cards, samples, layers):
        axes.set_ylim(height, -0.8)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=SMALL)
        for line in lines:
            axes.axhline(places[line.rule], color=PALE, linewidth=0.6, zorder=0)
    cards.set_yticks(list(places.values()), [line.rule for line in lines])
    for line in lines:
        if (first := next(each for each in lines if each.family == line.family)) is line:
            heading: dict[str, Any] = {
                "transform": cards.get_yaxis_transform(),
                "fontsize": SMALL,
                "fontweight": "bold",
            }
            cards.text(-0.02, places[first.rule] - 1, line.family, ha="left", va="center", **heading)
    _cards(cards, lines, places)
    _samples(samples, lines, places, references)
    _layers(layers, lines, places)
    handles, labels = samples.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=SMALL)
    return figure


def _places(lines: Sequence[Line]) -> Iterator[tuple[str, float]]:
    """Height of each rule, from the top, with room for the headings of families."""
    place, family = -1.0, ""
    for line in lines:
        place += 1 if line.family == family else 1 + HEADING
        family = line.family
        yield line.rule, place


def _cards(axes: Axes, lines: Sequence[Line], places: Mapping[str, float]) -> None:
    names = list(lines[0].verdicts)
    for line in lines:
        for x, verdict in enumerate(line.verdicts.values()):
            filled = {"pass": COLOURS[2], "fail": "none"}.get(verdict)
            if filled is not None:
                looks: dict[str, Any] = {
                    "markerfacecolor": filled,
                    "markeredgecolor": COLOURS[2] if verdict == "pass" else GREY,
                }
                axes.plot(x, places[line.rule], marker="s", markersize=7, linestyle="none", **looks)
        if not line.passed:
            _say(axes, places[line.rule], "reads more than the spikes of two cells")
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=60, ha="left")
    axes.set_xlabel("experiments on synapses:\nfilled: passed; open: failed; empty: not asked", fontsize=SMALL)


def _say(axes: Axes, place: float, text: str) -> None:
    """Write into a line why nothing is drawn there."""
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    where: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "va": "center",
        "fontsize": SMALL - 1,
        "bbox": behind,
    }
    axes.text(0.02, place, text, color=GREY, **where)


def _samples(
    axes: Axes, lines: Sequence[Line], places: Mapping[str, float], references: Mapping[int, Threshold]
) -> None:
    axes.set_xscale("log")
    for depth, threshold in references.items():
        colour, _, name, _ = LOOKS[depth, False]
        label = f"backpropagation, {name.split(',')[0]}"
        axes.axvline(threshold.estimate.mean, color=colour, linestyle="--", linewidth=1, label=label, zorder=1)
    for (depth, spiking), (colour, marker, label, lower) in LOOKS.items():
        looks: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 5, "linestyle": "none"}
        axes.plot([], [], label=label, **looks)
        for line in lines:
            if (found := line.needed[depth, spiking]) is not None:
                _threshold(axes, found, places[line.rule] + lower, colour, marker)
    for line in lines:
        if not any(line.needed.values()):
            _say(axes, places[line.rule], "not measured")
    sizes = [2**power for power in range(7, 15)]
    axes.set_xlim(sizes[0], sizes[-1])
    axes.xaxis.tick_top()
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("samples needed to learn the hierarchy, P*;\n< or >: beyond the sizes tried", fontsize=SMALL)


def _threshold(axes: Axes, found: Threshold, place: float, colour: str, marker: str) -> None:
    """Draw P* with its interval, or a bound with the side on which P* lies."""
    looks: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 5}
    if not found.censored:
        mean, low, high = _ends(found)
        axes.errorbar(mean, place, xerr=[[mean - low], [high - mean]], capsize=2, elinewidth=1.2, **looks)
        return
    bound = found.estimate.mean or max(found.low)  # On some grammars below, on others beyond: the size between.
    axes.plot(bound, place, fillstyle="none", linestyle="none", **looks)
    for several, sign, side, away in ((found.beyond, ">", "left", 5), (found.below, "<", "right", -5)):
        if several:
            where: dict[str, Any] = {"xytext": (away, 0), "textcoords": "offset points", "ha": side, "va": "center"}
            axes.annotate(sign, (bound, place), color=colour, fontsize=SMALL, **where)


def _ends(found: Threshold) -> tuple[float, float, float]:
    """Mean, and ends of the interval, or where sizes lie too far apart for one, of all brackets."""
    mean, low, high = found.estimate.mean, found.estimate.low, found.estimate.high
    if found.coarse or low is None or high is None:
        return mean, min(found.low), max(found.high)
    return mean, low, high


def _layers(axes: Axes, lines: Sequence[Line], places: Mapping[str, float]) -> None:
    for line in lines:
        for x, name in enumerate(LAYERS):
            if name in line.substrates:
                axes.plot(x, places[line.rule], marker="o", markersize=5, color="black", linestyle="none")
    axes.set_xlim(-0.7, len(LAYERS) - 0.3)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(LAYERS)), ["rate", "rate, in Brian2", "spiking"], rotation=60, ha="left")
    axes.set_xlabel("layers it\nruns in", fontsize=SMALL)
