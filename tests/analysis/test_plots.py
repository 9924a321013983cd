import io

import pytest
from matplotlib.figure import Figure

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
