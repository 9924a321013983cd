"""Cells by themselves: what NumPy integrates is what Brian2 does, and a rule can read the voltage that results."""

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.protocols import Protocol, respond, run
from cortexsim.rules import Rule, SpikeTiming, Trace, load_rule
from cortexsim.spiking.cells import Cell, known_cells, load_cell

NAMES = sorted(name for name, cell in known_cells().items() if cell.spikes)
DRIVE = np.vstack([np.tile([0.5, 1.5, 3.0], (600, 1)), np.tile([4.0, -1.0, 0.0], (400, 1))])


@pytest.mark.parametrize("name", NAMES)
def test_brian_and_numpy_agree_on_a_cell(name: str) -> None:
    cell = load_cell(name)
    found, wanted = respond(cell, DRIVE, engine="brian2"), respond(cell, DRIVE)
    assert [len(times) for times in found.spikes] == [len(times) for times in wanted.spikes]
    assert sum(map(len, wanted.spikes)) > 2
    step = 0.0 if cell.integrator == "rk4" else 1e-4  # Other methods may cross the threshold a step apart.
    for ours, theirs in zip(wanted.spikes, found.spikes, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=step + 1e-9)
    if cell.integrator == "rk4":
        np.testing.assert_allclose(found.potential, wanted.potential, rtol=1e-7, atol=1e-6)


def test_parameters_can_be_changed() -> None:
    drive, cell = np.full(500, 2.0), load_cell("lif")
    slow = respond(cell, drive, parameters={"tau_membrane": "20 ms"}).potential[:50, 0]
    np.testing.assert_allclose(slow, 2 * (1 - np.exp(-np.arange(50) * 1e-4 / 20e-3)), rtol=1e-9)
    with pytest.raises(UserError, match=r"cell 'lif': has no parameter 'tau_membran' .did you mean 'tau_membrane'"):
        respond(cell, drive, parameters={"tau_membran": "20 ms"})
    with pytest.raises(UserError, match="cell 'rate': does not spike"):
        respond(load_cell("rate"), drive)
    with pytest.raises(UserError, match="engine = 'nest': not known"):
        respond(cell, drive, engine="nest")  # type: ignore[arg-type]


def test_conditions_are_joined_for_each_cell() -> None:
    cell = Cell(
        name="late",
        equations="""
            dv/dt = (drive - v) / tau_membrane : 1
            dcurrent/dt = -current / tau_synapse : 1
            drive = current + bias : 1
            derivative = int(v > 0 and not v > 1) : 1
        """,
        parameters={"tau_membrane": "10 ms", "tau_synapse": "5 ms", "t_refractory": "0 ms"},
        threshold="v > 1 and t > 20*ms or v > 3",
        reset="v /= 2",
        on_saccade={"v": "0", "current": "0"},
        source="this test",
    )
    early, late = respond(cell, np.full((400, 2), [4.0, 2.0])).spikes
    assert early[0] < 15e-3
    assert late[0] == pytest.approx(20e-3, abs=2e-4)
    assert [len(each) for each in respond(cell, np.full((400, 2), [4.0, 2.0]), engine="brian2").spikes] == [
        len(early),
        len(late),
    ]


def test_a_rule_reads_the_voltage_of_a_cell_that_is_driven() -> None:
    """Pairs at -10 ms: the depolarisation that a spike leaves behind depresses, in proportion to its filter."""
    drive = np.zeros(2000)
    drive[500:520] = 20.0
    response = respond(load_cell("adex"), drive)
    (times,) = response.spikes
    assert len(times) == 1
    protocol = Protocol([times + 0.01], [times], 0.2, potential=response.potential, potential_step=1e-4)
    rule = load_rule("clopath")
    low = Rule(
        "low",
        "",
        "",
        SpikeTiming(at_pre="low_post", traces={"low": Trace("10 ms", "post", of="voltage", delay="3 ms")}),
    )
    depolarised = run(low, protocol)[0] + 70.6
    assert depolarised > 0.1
    np.testing.assert_allclose(run(rule, protocol)[0], -14e-5 * depolarised, rtol=0.05)
