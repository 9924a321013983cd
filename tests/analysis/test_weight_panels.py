"""The figure of weights over time: a panel per layer and kind, and no more lines than can be told apart."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cortexsim.analysis.weight_panels import LINES, POINTS, courses
from cortexsim.analysis.weights_over_time import RecordedSynapses, WeightsOverTime


def recorded(synapses: int, times: int, generator: np.random.Generator) -> RecordedSynapses:
    cells = np.arange(synapses)
    return RecordedSynapses(cells, cells, cells, generator.normal(size=(times, synapses)))


def counted(side: Axes) -> float:
    """How many synapses the bars at the side of a panel show."""
    return sum(patch.get_width() for patch in side.patches if isinstance(patch, Rectangle))


def test_every_layer_has_a_panel_with_a_line_per_synapse_and_all_of_its_weights_at_the_side(
    generator: np.random.Generator,
) -> None:
    kinds = {"layer1.feedforward": 5, "layer1.context": 7, "layer2.feedforward": 9}
    found = WeightsOverTime(np.arange(4) * 10, {name: recorded(n, 4, generator) for name, n in kinds.items()})
    axes = courses(found, "title").axes
    titles = [each.get_title(loc="left") for each in axes]
    names = ["layer 1, feedforward weights", "layer 1, context weights", "layer 2, feedforward weights"]
    assert [title for title in titles if title] == names
    for name, count in zip(names, kinds.values(), strict=True):
        lines, side = axes[titles.index(name)], axes[titles.index(name) + 1]
        assert len(lines.lines) == count + 1  # And the line at zero.
        assert counted(side) == count
        assert lines.get_ylim() == side.get_ylim()


def test_thousands_of_synapses_and_times_are_thinned_out(generator: np.random.Generator) -> None:
    found = WeightsOverTime(np.arange(1000), {"layer1.feedforward": recorded(3000, 1000, generator)})
    lines, side = courses(found).axes
    times = np.asarray(lines.lines[0].get_xdata())
    assert len(lines.lines) == LINES + 1
    assert (len(times), times[0], times[-1]) == (POINTS, 0, 999)
    assert counted(side) == 3000
    assert lines.texts[0].get_text() == "256 of 3000 drawn"


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_weights_that_stay_or_are_not_finite_are_drawn_too(value: float) -> None:
    cells = np.arange(2)
    synapses = RecordedSynapses(cells, cells, cells, np.full((3, 2), value))
    assert len(courses(WeightsOverTime(np.arange(3), {"layer1.feedforward": synapses})).axes) == 2
