"""Each cell by itself: what it does at constant drive, against its closed form."""

import numpy as np
import pytest
import torch

from cortexsim.rate import TRANSFERS
from cortexsim.spiking import Plan, Settings, Stack, Stream, Timing, describe
from cortexsim.spiking.cells import known_cells

TAU, REFRACTORY, DT = 10e-3, 2e-3, 1e-4
DRIVES = np.array([0.5, 0.99, 1.05, 1.2, 1.5, 2.0, 3.0, 5.0])


def driven(cell: str, substrate: str) -> tuple[np.ndarray, np.ndarray]:
    """Drive cells with a constant bias for a second: spikes as (step, cell), and the activity at the end."""
    settings = Settings(timing=Timing(DT, 1.0, 2e-3), cell=cell)
    plan = Plan(1, 1, len(DRIVES), 1, substrate, False, "none", False, 100.0 if substrate == "spiking" else 0.0)
    stack = Stack(*describe([plan], 2, 2, None, settings, 1, traced_cell=0), "numpy")
    state = stack.initial_state() | {"layer1.bias": DRIVES}
    outcome, _ = stack.run(Stream(np.zeros((1, 1)), np.zeros(1)), state, seed=0)
    return outcome.events.get("layer1", np.empty((2, 0))), outcome.activity["layer1"][0]


def intervals(events: np.ndarray, cell: int) -> np.ndarray:
    return np.diff(np.sort(events[0][events[1] == cell])) * DT


def test_lif_fires_as_its_closed_form_says() -> None:
    events, activity = driven("lif", "spiking")
    for cell, drive in enumerate(DRIVES):
        if drive < 1:
            assert (events[1] != cell).all()
            continue
        interval = REFRACTORY + TAU * np.log(drive / (drive - 1))
        measured = intervals(events, cell)
        assert (np.abs(measured - interval) < 1.5 * DT).all()
        assert activity[cell] * 280 == pytest.approx(1 / interval, rel=0.35)  # Read over 60 ms: a few spikes.


def test_alif_settles_where_its_threshold_does() -> None:
    events, _ = driven("alif", "spiking")
    for cell, drive in enumerate(DRIVES):
        measured = intervals(events, cell)
        if len(measured) < 10:
            continue
        assert measured[0] < measured[-1]
        rise = 0.1 / (np.exp(measured[-1] / 50e-3) - 1)  # Adaptation left when the next spike is due.
        # Near its threshold the voltage climbs slowly: a time step late is several late.
        assert measured[-1] == pytest.approx(
            REFRACTORY + TAU * np.log(drive / (drive - 1 - rise)), rel=0.01, abs=2 * DT
        )


def test_rate_settles_on_the_rate_cell_of_torch() -> None:
    _, activity = driven("lif", "brian-rate")
    np.testing.assert_allclose(activity, TRANSFERS["relu"].rate(torch.from_numpy(DRIVES)), rtol=1e-9)


@pytest.mark.parametrize("name", sorted(known_cells()))
def test_every_cell_says_where_it_is_from(name: str) -> None:
    assert known_cells()[name].source
