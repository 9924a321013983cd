"""Each cell by itself: what it does at constant drive, against its closed form."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cortexsim.errors import UserError
from cortexsim.rate import TRANSFERS
from cortexsim.spiking import LayerSpec, Settings, Stack, Stream, Timing, cells, describe
from cortexsim.spiking.cells import Cell, known_cells

TAU, REFRACTORY, DT = 10e-3, 2e-3, 1e-4
DRIVES = np.array([0.5, 0.99, 1.05, 1.2, 1.5, 2.0, 3.0, 5.0])


def driven(cell: str, substrate: str) -> tuple[np.ndarray, np.ndarray]:
    """Drive cells with a constant bias for a second: spikes as (step, cell), and the activity at the end."""
    settings = Settings(timing=Timing(DT, 1.0, 2e-3), cell=cell)
    spec = LayerSpec(1, 1, len(DRIVES), 1, substrate, False, "none", False, 100.0 if substrate == "spiking" else 0.0)
    stack = Stack(*describe([spec], 2, None, settings, 1, traced_cell=0), "numpy")
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


QIF = Cell(
    name="qif",
    equations="""
        dv/dt = (v**2 + current + bias) / tau_membrane : 1 (unless refractory)
        dcurrent/dt = -current / tau_synapse : 1
        drive = current + bias : 1
        derivative = int(v > 0) : 1
    """,
    parameters={"tau_membrane": "10 ms", "tau_synapse": "5 ms", "t_refractory": "2 ms"},
    threshold="v > 5",
    reset="v = -1",
    on_saccade={"v": "0", "current": "0"},
    source="Ermentrout & Kopell 1986",
    method="rk4",
)


@pytest.mark.parametrize("method", ["rk4", "euler"])
def test_a_cell_that_is_not_linear_fires_as_its_closed_form_says(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(cells, "known_cells", lambda: known_cells() | {"qif": replace(QIF, method=method)})
    events, _ = driven("qif", "spiking")
    for cell, drive in enumerate(DRIVES):
        root = np.sqrt(drive)  # dv/dt = (v^2 + I) / tau from -1 to 5.
        interval = REFRACTORY + TAU / root * (np.arctan(5 / root) - np.arctan(-1 / root))
        measured = intervals(events, cell)
        assert len(measured) > 20
        assert (np.abs(measured - interval) < (1.5 if method == "rk4" else 6) * DT).all()


def test_a_method_integrates_what_it_can() -> None:
    assert {cell.name: cell.method for cell in known_cells().values()} == {
        "alif": "exact",
        "lif": "exact",
        "rate": "exponential_euler",
    }
    with pytest.raises(
        UserError, match=r"cell .qif.: method = .exact.: dv.dt = .* is not linear in current and v .*rk4"
    ):
        replace(QIF, method="exact")
    with pytest.raises(UserError, match=r"method = .exponential_euler.: dv/dt = .* is not linear in v"):
        replace(QIF, method="exponential_euler")
    own = QIF.equations.replace("v**2", "-v * current")  # Linear in v, and in current, but not in both.
    assert replace(QIF, equations=own, method="exponential_euler")
    with pytest.raises(UserError, match="not linear in current and v"):
        replace(QIF, equations=own, method="exact")
    hidden = QIF.equations.replace("v**2", "square") + "square = v * v : 1"
    with pytest.raises(UserError, match="not linear in current and v"):
        replace(QIF, equations=hidden, method="exact")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"method": "rk5"}, "method = 'rk5' is not known"),
        ({"parameters": {}}, "parameters: 'tau_synapse' is missing"),
        ({"parameters": {"tau_membrane": "1 ms", "tau_synapse": "5 ms"}}, "'t_refractory' is missing"),
        ({"equations": QIF.equations.replace("dv/dt", "du/dt").replace("v**2", "u")}, "equations: 'v' is missing"),
        ({"equations": QIF.equations.replace("derivative =", "slope =")}, "equations: 'derivative' is missing"),
        ({"equations": QIF.equations + "\nand more"}, "'and more' cannot be read"),
        ({"equations": QIF.equations + "\nx = v + : 1"}, "equations: x: 'v \\+' is not an expression"),
        ({"equations": QIF.equations + "\nx = u : 1"}, "equations: x reads 'u', which is not known"),
        ({"equations": QIF.equations + "\nx = sinh(v) : 1"}, "x reads 'sinh'"),
        ({"equations": QIF.equations + "\ncurrent : 1"}, "'current' is there twice"),
        ({"threshold": "w > 1"}, "threshold reads 'w'"),
        ({"threshold": ""}, "'rate' is missing"),
        ({"reset": "v := 0"}, "reset: 'v := 0' sets no variable"),
        ({"on_saccade": {"u": "0"}}, "on_saccade: 'u' is no variable of the cell"),
    ],
)
def test_a_cell_is_audited_when_it_is_made(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=f"cell 'qif': .*{complaint}") as refused:
        replace(QIF, **changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(known_cells()))
def test_every_cell_says_where_it_is_from(name: str) -> None:
    assert known_cells()[name].source
