"""Each cell by itself: what it does at constant drive, against its closed form."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from cortexsim.errors import UserError
from cortexsim.rate import TRANSFERS
from cortexsim.rules import load_rule
from cortexsim.seeds import stream
from cortexsim.spiking import Control, LayerSpec, Settings, Stack, Stream, Timing, describe
from cortexsim.spiking.cell_audit import TAKEN, TAKEN_PATTERN
from cortexsim.spiking.cells import Cell, known_cells

TAU, REFRACTORY, DT = 10e-3, 2e-3, 1e-4
DRIVES = np.array([0.5, 0.99, 1.05, 1.2, 1.5, 2.0, 3.0, 5.0])


def driven(cell: str | Cell, substrate: str, duration: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Drive cells with a constant bias, s: spikes as (step, cell), and the activity at the end."""
    settings = Settings(timing=Timing(DT, duration, 2e-3), cell=cell)
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


@pytest.mark.parametrize("method", ["rk4", "euler", ""])
def test_a_cell_that_is_not_linear_fires_as_its_closed_form_says(method: str) -> None:
    events, _ = driven(replace(QIF, method=method), "spiking")
    for cell, drive in enumerate(DRIVES):
        root = np.sqrt(drive)  # dv/dt = (v^2 + I) / tau from -1 to 5.
        interval = REFRACTORY + TAU / root * (np.arctan(5 / root) - np.arctan(-1 / root))
        measured = intervals(events, cell)
        assert len(measured) > 8
        assert (np.abs(measured - interval) < (1.5 if method == "rk4" else 6) * DT).all()


def test_a_method_integrates_what_it_can() -> None:
    assert {cell.name: cell.integrator for cell in known_cells().values()} == {
        "adex": "rk4",
        "alif": "exact",
        "conductance_lif": "exponential_euler",
        "izhikevich": "rk4",
        "lif": "exact",
        "rate": "exponential_euler",
        "two_compartment": "rk4",
    }
    assert replace(QIF, method="").integrator == ""  # Brian2 chooses.
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
        ({"on_saccade": {"v": "0", "current": "0", "u": "0"}}, "on_saccade: 'u' is no variable of the cell"),
        ({"on_saccade": {"v": "0"}}, "on_saccade: 'current' is missing"),
        ({"on_saccade": {"v": "0*mV", "current": "0"}}, r"on_saccade: v = 0\*mV is in V \(in a number\)"),
        ({"equations": QIF.equations + "\nw : 1"}, "'w' means something else in a layer"),
        ({"equations": QIF.equations + "\nlambda : 1"}, "'lambda' means something else"),
        ({"equations": QIF.equations + "\nread_out : 1"}, "'read_out' means something else"),
        ({"equations": QIF.equations + "\ntau_membrane : 1"}, "'tau_membrane' is both a parameter and a variable"),
        ({"equations": QIF.equations + "\nx = v + tau_membrane : 1"}, "x: 'v . tau_membrane' joins a number and s"),
        ({"equations": QIF.equations + "\nx = exp(tau_membrane) : 1"}, "is exp of s"),
        ({"equations": QIF.equations + "\nx = clip(v, 0) : 1"}, "clip takes 3 arguments"),
        ({"equations": QIF.equations + "\nx = tau_membrane**v : 1"}, "to a power that is no plain number"),
        ({"equations": QIF.equations + "\nx = v : volts"}, "the unit of x reads 'volts'.*did you mean 'volt'"),
        ({"equations": QIF.equations + "\nx = v[0] : 1"}, "'v.0.' is not allowed in a cell"),
        (
            {"equations": QIF.equations.replace("drive = current + bias : 1", "drive = v * mV : volt")},
            "'drive' is in V",
        ),
        ({"equations": QIF.equations.replace(" / tau_membrane", "")}, "dv/dt = .* is in a number .in s.-1."),
        ({"parameters": {**QIF.parameters, "tau_membrane": "10 mS"}}, "parameters: tau_membrane: '10 mS' has no unit"),
        ({"parameters": {**QIF.parameters, "tau_synapse": "5"}}, "tau_synapse = '5' is no time"),
        ({"reset": "drive = 0"}, "reset: 'drive = 0' sets no variable of the cell"),
        ({"reset": "v = -1; v -= tau_membrane"}, "reset: v = tau_membrane is in s"),
    ],
)
def test_a_cell_is_audited_when_it_is_made(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=f"cell 'qif': .*{complaint}") as refused:
        replace(QIF, **changes)
    assert "\n" not in str(refused.value)


def adex(state: np.ndarray, drive: float) -> np.ndarray:
    v, w = state
    rise = 30 * 2 * np.exp((v + 50.4) / 2)
    return np.array([(-30 * (v + 70.6) + rise - w + 627 * drive) / 281, (4 * (v + 70.6) - w) / 144])


def izhikevich(state: np.ndarray, drive: float) -> np.ndarray:
    v, u = state
    return np.array([(0.7 * (v + 60) * (v + 40) - u + 51.4 * drive) / 100, 0.03 * (-2 * (v + 60) - u)])


def conductance_lif(state: np.ndarray, drive: float) -> np.ndarray:
    return (10 * (-70 - state) + 4 * drive * (0 - state)) / 100


def two_compartment(state: np.ndarray, drive: float) -> np.ndarray:
    soma, dendrite = state
    into = 10 * (-70 - dendrite) + 100 * (soma - dendrite) + 420 * drive
    return np.array([(10 * (-70 - soma) + 100 * (dendrite - soma)) / 200, into / 200])


Slope = Callable[[np.ndarray, float], np.ndarray]
REFERENCES: list[tuple[Slope, float, list[float], tuple[float, float]]] = [
    (adex, -10, [-70.6, 0], (-70.6, 80.5)),
    (izhikevich, 35, [-60, 0], (-50, 100)),
    (conductance_lif, -50, [-70], (-70, 0)),
    (two_compartment, -50, [-70, -70], (-70, 0)),
]
"""In mV, ms, pA, nS and pF: slope, threshold, rest, and what a spike does: reset of v, rise of the other variable."""


def reference(case: tuple[Slope, float, list[float], tuple[float, float]], drive: float, until: float) -> list[float]:
    """Times of spikes by an integrator with a tolerance of its own, ms."""
    slope, threshold, rest, (reset, rise) = case
    state, now, spikes = np.array(rest, dtype=float), 0.0, []

    def reached(_: float, state: np.ndarray) -> float:
        return float(state[0] - threshold)

    def held(_: float, state: np.ndarray) -> np.ndarray:
        return slope(state, drive) * np.array([0.0, 1.0][: len(state)])

    reached.terminal, reached.direction = True, 1  # type: ignore[attr-defined]
    precise = {"rtol": 1e-8, "atol": 1e-8}
    while True:
        free = solve_ivp(lambda _, x: slope(x, drive), (now, until), state, events=reached, **precise)
        if not free.t_events[0].size:
            return spikes
        spikes.append(float(free.t_events[0][0]))
        state = np.array([reset, *(free.y[1:, -1] + rise)])
        now = spikes[-1] + 2
        if now >= until:
            return spikes
        state = solve_ivp(held, (now - 2, now), state, **precise).y[:, -1]


@pytest.mark.parametrize("case", REFERENCES, ids=lambda case: case[0].__name__)
def test_cells_in_real_units_fire_as_a_reference_integration_says(
    case: tuple[Slope, float, list[float], tuple[float, float]],
) -> None:
    """A spike is counted at the end of a step of .1 ms, so that an interval may be off by two, or by one per cent."""
    name = case[0].__name__
    events, activity = driven(name, "spiking", duration=0.3)
    for cell, drive in enumerate(DRIVES):
        wanted, measured = np.diff(reference(case, drive, 302.0)), intervals(events, cell) * 1e3
        assert abs(len(measured) - len(wanted)) <= 1, drive
        count = min(len(measured), len(wanted))
        np.testing.assert_allclose(measured[:count], wanted[:count], rtol=0.01, atol=0.2)
    assert (events[1] == len(DRIVES) - 1).sum() > 3
    assert not (events[1] == 0).any()  # At half the rheobase.
    assert np.isfinite(activity).all()


@pytest.mark.parametrize("name", ["adex", "izhikevich", "conductance_lif", "two_compartment"])
def test_at_a_long_time_step_cells_go_on_spiking(name: str) -> None:
    """At 1 ms, as in layers: no overflow that would end in a cell that is silent for good."""
    settings = Settings(timing=Timing(1e-3, 300e-3, 5e-3), cell=name)
    spec = LayerSpec(1, 1, 4, 1, "spiking", False, "none", False, 100.0)
    stack = Stack(*describe([spec], 2, None, settings, 1, traced_cell=3), "numpy")
    state = stack.initial_state() | {"layer1.bias": np.array([1.5, 5.0, 20.0, 100.0])}
    outcome, _ = stack.run(Stream(np.zeros((1, 1)), np.zeros(1)), state, seed=0)
    steps, cell = outcome.events["layer1"]
    assert all(steps[cell == number].max() > 100 for number in range(4))


@pytest.mark.parametrize("name", ["adex", "izhikevich", "conductance_lif", "two_compartment"])
def test_columns_learn_with_cells_in_real_units(name: str) -> None:
    spec = LayerSpec(1, 2, 4, 6, "spiking", True, "none", False, 600.0)
    settings = Settings(cell=name, centred=False, eta=0.1)
    stack = Stack(*describe([spec], 2, load_rule("hebb"), settings, 1), "numpy")
    before = stream(0, "test").normal(0.5, 0.5, 48)
    state = stack.initial_state() | {"feedforward1.w": before}
    outcome, after = stack.run(Stream(np.ones((3, 12)), np.arange(3), eta_factor=np.ones(3)), state, seed=0)
    assert outcome.spikes["layer1"] > 3
    assert np.isfinite(after["feedforward1.w"]).all()
    assert np.abs(after["feedforward1.w"] - before).max() > 1e-6


def test_no_name_of_a_layer_is_left_to_cells() -> None:
    """Names of what layers declare, of synapses too, which read a cell's variables without a suffix."""
    declared = re.compile(r"^\s*(?:d(\w+)/dt|(\w+)) *[-+*/]?[=:]", re.MULTILINE)
    found, own = set(), {"v", "current", "drive", "derivative", "rate", *known_cells()["lif"].parameters}
    hard = {"release_probability": 0.5, "weight_bits": 4, "w_max": 1.0}
    for rule in ("clapp", "lpl", "softhebb", "spectral", "barlow_local", "scff", "clapp_bidirectional"):
        late = {"control": {"surprise": Control(delay=2)}, "tag_stages": 2}
        cases = [hard, {**hard, **late, "hidden_weights": True, "prediction_synapses": "taught", "bound_exponent": 0.5}]
        cases += [{**hard, **late, "prediction_synapses": "kolen-pollack"}, {"prediction_synapses": "kolen-pollack"}]
        cases += [{"dale": True, "homeostasis": 0.1, "reset_traces": False}]
        cases += [{"dendrite": "psp", "timing": Timing(fixation=59e-3)}] if rule == "clapp" else []
        for settings in (Settings(**case) for case in cases):  # type: ignore[arg-type]
            spec = LayerSpec(1, 2, 3, 4, "spiking", True, "sibling", False, 100.0, "prediction", ((1,), (0,)))
            description, _ = describe([spec], 2, load_rule(rule), settings, 1)
            cells = [group for group in description.groups if re.match("layer|prediction|inhibitory", group.name)]
            texts = [*(group.model for group in cells), *(each.model for each in description.connections)]
            texts += [
                *(each.on_pre for each in description.connections),
                *(each.code for each in description.operations),
            ]
            found |= {name for text in texts for pair in declared.findall(text) for name in pair if name}
    assert len(found) > 60
    assert not [name for name in found - own if name not in TAKEN and not TAKEN_PATTERN.fullmatch(name)]


@pytest.mark.parametrize("name", sorted(known_cells()))
def test_every_cell_says_where_it_is_from(name: str) -> None:
    assert known_cells()[name].source
