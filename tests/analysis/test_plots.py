import io
from typing import Any

import pytest
from matplotlib.figure import Figure

from cortexsim.analysis import panels
from cortexsim.analysis.plots import LONGEST, legend_name


@pytest.mark.parametrize("name", ["clapp", "_mine", r"$\bad{$", "x" * 180, "_" + "y" * 180])
def test_a_legend_holds_any_name(name: str) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], label=legend_name(name))
    (label,) = axes.get_legend_handles_labels()[1]
    assert len(label) <= LONGEST + 2
    axes.legend()
    figure.savefig(io.BytesIO(), format="svg")


def test_a_long_name_keeps_both_ends() -> None:
    assert legend_name("begin-" + "x" * 180 + "-end").startswith("begin-x")
    assert legend_name("begin-" + "x" * 180 + "-end").endswith("x-end")
    assert legend_name("clapp-spiking") == "clapp-spiking"


def test_alignment_is_drawn_over_the_longest_training() -> None:
    def row(learner: str, epochs: list[int]) -> dict[str, Any]:
        return {"learner": learner, "alignment": {"epoch": epochs, "cosine": [[0.5, 1.0]] * len(epochs)}}

    rows = [row("short", [0, 1, 2]), row("long", [0, 1, 2, 5]), {"learner": "untrained"}]
    figure = panels.alignment(rows, "cosine", "cosine", {"both": ["short", "long", "untrained"]})
    assert all(axes.get_xlim()[1] > 5 for axes in figure.axes)
    assert [line.get_label() for line in figure.axes[0].get_lines()[:2]] == ["short", "long"]


def test_rates_are_drawn_with_all_multiply_adds_and_without_those_by_zero() -> None:
    spikes = [{"learner": f"s, cells {n}", "accuracy": 0.5, "synaptic_operations": 100.0 * n} for n in (1, 1, 4)]
    rates = [{"learner": "r", "accuracy": 0.9, "multiply_adds": 500, "used_multiply_adds": 200.0}]
    points = {f"s, cells {n}": ("s", {"network.cells": str(n)}) for n in (1, 4)}
    (axes,) = panels.against_operations([*spikes, *rates], points).axes
    found, names = axes.get_legend_handles_labels()
    places = {name: list(bars.lines[0].get_xdata()) for bars, name in zip(found, names, strict=True)}
    assert places == {"s": [100, 400], "r": [200]}
    assert [200, 500] in [list(line.get_xdata()) for line in axes.get_lines()]
    assert axes.get_xscale() == "log"
