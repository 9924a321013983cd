"""One rule, two substrates: a rule does in Brian2 what it does in torch, for every rule that spikes can follow."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from cortexsim.rules import Rule, known_rules
from cortexsim.spiking import Settings, Stream, Timing
from tests.quick import slow_but
from tests.spiking.agreement import CELLS, PATCH, POSITIONS, Case, Traces, expected, settings

RULES = sorted(name for name, rule in known_rules().items() if not rule.missing_on("spiking"))


# Rate cells: at the end of a long fixation everything is at its steady state, which is the rate layer of torch.


def rate_case(rule: Rule) -> tuple[Case, Settings, np.ndarray]:
    chosen = settings(timing=Timing(1e-3, 0.3, 5e-3), tau_eligibility=8e-3)
    inputs = np.random.default_rng(1).uniform(0, 1, (rule.saccades + 2, POSITIONS * PATCH))
    return Case(rule, chosen, "brian-rate", inputs), chosen, inputs


QUICK = ("clapp", "lpl", "dfa")


@pytest.mark.parametrize("name", slow_but(QUICK, RULES))
def test_rate_cells_of_brian_learn_what_rate_cells_of_torch_learn(name: str) -> None:
    rule = known_rules()[name]
    case, chosen, inputs = rate_case(rule)
    layer = case.layer(rule)
    response = layer.respond(torch.from_numpy(inputs).view(len(inputs), POSITIONS * PATCH, 1))
    np.testing.assert_allclose(case.outcome.activity["layer1"], response.activity.flatten(1), rtol=1e-9, atol=1e-12)
    at_end = {"drive_post": response.drive, "derivative_post": layer.derivative(response.drive)}
    traces = Traces({}, {**at_end, "winning_post": torch.softmax(response.drive, 2)}, response.pre)
    want, got = expected(case, rule, traces), case.changes(chosen.eta, chosen.context_eta)
    assert want.keys() == got.keys()
    for key, update in want.items():
        assert update.abs().max() > 1e-3, f"nothing to compare in {key}"
        torch.testing.assert_close(got[key], update, rtol=1e-6, atol=1e-9)


# Spiking cells: one presynaptic spike each, and a membrane worked out by hand.


class Membrane(NamedTuple):
    """Cells at every step of a fixation: voltage before the synapses' turn, and after it; spikes; drive at the end."""

    voltage: np.ndarray
    fired: np.ndarray
    drive: np.ndarray
    last_voltage: np.ndarray


def membrane(case: Case, chosen: Settings, spikes: np.ndarray) -> Membrane:
    """Integrate the LIF equations in NumPy for one fixation."""
    steps, dt = chosen.timing.steps, chosen.timing.dt
    tau_m, tau_s, refractory = 10e-3, 5e-3, 2e-3
    w = case.before["feedforward1.w"].reshape(POSITIONS, PATCH, CELLS) * chosen.gain / (chosen.input_rate * tau_s)
    v, current = np.zeros((POSITIONS, CELLS)), np.zeros((POSITIONS, CELLS))
    bias, last = case.before["layer1.bias"].reshape(POSITIONS, CELLS), np.full((POSITIONS, CELLS), -1.0)
    found = Membrane(*(np.zeros((steps, POSITIONS, CELLS)) for _ in range(4)))
    share = tau_s / (tau_s - tau_m) * (np.exp(-dt / tau_s) - np.exp(-dt / tau_m))
    for step in range(steps):
        free = step * dt - last >= refractory - dt / 2
        v = np.where(free, bias + (v - bias) * np.exp(-dt / tau_m) + current * share, v)
        current = current * np.exp(-dt / tau_s)
        fires = (v > 1) & free
        found.voltage[step], found.fired[step] = v, fires
        arriving = spikes[step].reshape(POSITIONS, PATCH)
        current = current + np.einsum("pk,pkc->pc", arriving, w)
        v, last = np.where(fires, 0.0, v), np.where(fires, step * dt, last)
        found.drive[step], found.last_voltage[step] = current + bias, v
    return found


def triangle(voltage: np.ndarray) -> np.ndarray:
    return np.clip(1 - np.abs(voltage - 1), 0, 1)


def average_derivative(voltage: np.ndarray, chosen: Settings) -> np.ndarray:
    """Average the derivative over a fixation, as activity is read from spikes."""
    dt, tau = chosen.timing.dt, chosen.tau_activity
    weights = (1 - np.exp(-dt / tau)) * np.exp(-dt * np.arange(len(voltage))[::-1] / tau)
    share = 1 - np.exp(-chosen.timing.fixation / tau)
    return np.tensordot(weights, triangle(voltage), 1) / share


def softmax(drives: np.ndarray) -> np.ndarray:
    return np.exp(drives) / np.exp(drives).sum(-1, keepdims=True)


def read_activity(fired: np.ndarray, chosen: Settings) -> np.ndarray:
    """Read the activity before each step, and at the end: spikes so far, weighted by their age."""
    dt, tau = chosen.timing.dt, chosen.tau_activity
    found, recent = [], np.zeros(fired.shape[1:])
    for step in range(len(fired) + 1):
        age = max(step * dt - chosen.timing.blank, dt)
        decayed = recent if step == len(fired) else recent * np.exp(-dt / tau)
        found.append(decayed * (1 - np.exp(-dt / tau)) / (chosen.unit_rate * dt * (1 - np.exp(-age / tau))))
        recent = decayed + fired[step] if step < len(fired) else recent
    return np.array(found)


def spike_case(rule: Rule) -> tuple[Case, Settings, Traces]:
    """Show regular input, slow enough for one spike an input, to cells that a bias lets fire now and then."""
    chosen = settings(
        timing=Timing(1e-3, 40e-3, 5e-3), encoding="regular", input_rate=25.0, gain=0.5,
        tau_eligibility=30e-3, tau_activity=50e-3,
    )  # fmt: skip
    bias = np.random.default_rng(2).uniform(1.05, 1.6, POSITIONS * CELLS)
    fixations = max(2, rule.saccades + (2 if rule.negatives == "around" else 1))
    case = Case(rule, chosen, "spiking", np.ones((fixations, POSITIONS * PATCH)), layer1__bias=bias)
    steps, size = chosen.timing.steps, POSITIONS * PATCH
    events = case.outcome.events["input"]
    cells, spiked = [], []
    for fixation in range(fixations):
        mine = events[:, events[0] // steps == fixation]
        spikes = np.zeros((steps, size))
        spikes[mine[0] % steps, mine[1]] = 1
        assert (spikes.sum(0) == 1).all()
        cells.append(membrane(case, chosen, spikes)), spiked.append(spikes.argmax(0))
    activities = [read_activity(cell.fired, chosen) for cell in cells]
    np.testing.assert_allclose(
        case.outcome.activity["layer1"], [activity[-1].ravel() for activity in activities], rtol=1e-9
    )
    window = chosen.tau_eligibility * (1 - np.exp(-chosen.timing.fixation / chosen.tau_eligibility))
    left = np.array(spiked) * chosen.timing.dt - chosen.timing.period
    pre = np.exp(left / chosen.tau_eligibility) / (chosen.input_rate * window)
    at_spike = {
        "derivative_post": [triangle(cell.voltage) for cell in cells],
        "activity_post": activities,
        "winning_post": [np.roll(softmax(cell.drive), 1, 0) for cell in cells],  # The share is that of the step before.
    }
    drive = np.array([cell.drive[-1] for cell in cells])
    slope = np.array([average_derivative(cell.last_voltage, chosen) for cell in cells])
    at_end = {"drive_post": drive, "winning_post": softmax(drive), "derivative_post": slope}
    return case, chosen, Traces(
        {name: _each(values, spiked) for name, values in at_spike.items()},
        {name: torch.from_numpy(values) for name, values in at_end.items()},
        torch.from_numpy(pre).view(fixations, POSITIONS, PATCH),
    )  # fmt: skip


def _each(values: list[np.ndarray], steps: list[np.ndarray]) -> Tensor:
    """Read a cell's quantity when each of its inputs spikes: (fixations, positions, cells, inputs)."""
    found = [
        [value[step[p * PATCH : (p + 1) * PATCH], p].T for p in range(POSITIONS)]
        for value, step in zip(values, steps, strict=True)
    ]
    return torch.from_numpy(np.array(found))


def spike_update(case: Case, rule: Rule, traces: Traces) -> dict[str, Tensor]:
    """Work the torch rule out input by input, for a cell differs from one presynaptic spike to the next."""
    columns = []
    for k in range(PATCH):
        at_spike = {key: values[..., k] for key, values in traces.at_spike.items()}
        found = expected(case, rule, Traces(at_spike, traces.at_end, traces.pre))
        columns.append(found["feedforward"][..., k])
    return {**found, "feedforward": torch.stack(columns, -1)}


@pytest.mark.parametrize("name", slow_but(QUICK, RULES))
def test_a_single_spike_changes_a_weight_as_the_rule_says(name: str) -> None:
    rule = known_rules()[name]
    case, chosen, traces = spike_case(rule)
    want, got = spike_update(case, rule, traces), case.changes(chosen.eta, chosen.context_eta)
    assert want.keys() == got.keys()
    for key, update in want.items():
        assert update.abs().max() > 1e-3, f"nothing to compare in {key}"
        torch.testing.assert_close(got[key], update, rtol=1e-7, atol=1e-10)


def mutated(rule: Rule, **texts: str) -> Rule:
    return replace(rule, feedforward=replace(rule.feedforward, **texts))


@pytest.mark.parametrize("name", slow_but(QUICK, RULES))
def test_mutations_do_not_pass(name: str) -> None:
    """A flipped sign, a swapped factor, a forgotten time constant: each must be seen by the test above."""
    rule = known_rules()[name]
    case, chosen, traces = spike_case(rule)
    got = case.changes(chosen.eta, chosen.context_eta)["feedforward"]
    factors = rule.feedforward
    swapped = "activity_post" if "derivative" in factors.post else "derivative_post"
    for wrong in (mutated(rule, third=f"-({factors.third})"), mutated(rule, post=swapped)):
        assert not torch.allclose(spike_update(case, wrong, traces)["feedforward"], got, rtol=1e-2)
    if rule.context is not None:
        context = replace(rule.context, third=f"-({rule.context.third})")
        flipped = spike_update(case, replace(rule, context=context), traces)["context"]
        assert not torch.allclose(flipped, case.changes(chosen.eta, chosen.context_eta)["context"], rtol=1e-2)
    timeless = replace(traces, pre=torch.full_like(traces.pre, traces.pre.mean().item()))
    assert not torch.allclose(spike_update(case, rule, timeless)["feedforward"], got, rtol=1e-2)


# Poisson input: on average over many fixations, the rate rule.


@pytest.mark.parametrize("name", slow_but([], RULES))
def test_poisson_spikes_change_weights_on_average_as_the_rate_rule_does(name: str) -> None:
    rule = known_rules()[name]
    if name in ("clapp", "clapp_bidirectional"):
        # Below zero, with no margin, the present fixation counts and the one after the saccade does not.
        rule = rule.with_constants({"margin": 0.0, "margin_after": 0.0}, {})
    if name in ("infonce", "simclr_local"):  # All fixations are alike, so that equal shares would cancel.
        *others, modulator = rule.modulators
        rule = replace(rule, modulators=(*others, replace(modulator, value="(1 + contrast_all) / 2 - 0.05")))
    fixations, rates = 100, np.random.default_rng(5).uniform(0.3, 1.0, POSITIONS * PATCH)
    chosen = settings(
        timing=Timing(1e-3, 0.2, 5e-3), input_rate=300.0, eta=1e-9, tau_eligibility=50e-3, tau_activity=40e-3
    )
    bias = np.random.default_rng(2).uniform(1.3, 2.5, POSITIONS * CELLS)
    state = {"layer1__bias": bias, "feedforward1__w": np.zeros(POSITIONS * PATCH * CELLS)}
    if rule.context is not None:
        state["context1__w"] = -np.random.default_rng(6).uniform(0.5, 1.5, POSITIONS * CELLS * CELLS)
    case = Case(rule, chosen, "spiking", np.tile(rates, (fixations, 1)), **state)
    stream = Stream(
        np.tile(rates, (fixations, 1)),
        np.arange(fixations),
        np.repeat(case.labels[-1:], fixations, 0),
        np.ones(fixations),
    )
    _, case.after = case.stack.run(stream, case.before, seed=3)
    got = case.changes(chosen.eta * fixations, chosen.context_eta)["feedforward"]
    # Input is too weak to matter, so every fixation is alike but for which inputs spike.
    cells = membrane(case, chosen, np.zeros((chosen.timing.steps, POSITIONS * PATCH)))
    silent = round(chosen.timing.blank / chosen.timing.dt)
    activity = read_activity(cells.fired, chosen)
    psi = triangle(cells.voltage)[silent:]
    age = chosen.timing.steps - np.arange(silent, chosen.timing.steps)
    weight = np.exp(-age * chosen.timing.dt / chosen.tau_eligibility)
    averaged = [(values * weight[:, None, None]).sum(0) / weight.sum() for values in (psi, activity[silent:-1])]
    at_spike = dict(
        zip(("derivative_post", "activity_post"), (torch.from_numpy(a).unsqueeze(0) for a in averaged), strict=True)
    )
    at_end = {"drive_post": cells.drive[-1], "winning_post": softmax(cells.drive[-1])}
    at_end["derivative_post"] = average_derivative(cells.last_voltage, chosen)
    at_end = {key: torch.from_numpy(values).unsqueeze(0) for key, values in at_end.items()}
    at_spike["winning_post"] = at_end["winning_post"]
    traces = Traces(at_spike, at_end, torch.from_numpy(rates).view(1, POSITIONS, PATCH))
    case.outcome.activity["layer1"] = case.outcome.activity["layer1"][-1:]
    case.labels = case.labels[-1:]
    want = expected(case, rule, traces)["feedforward"]
    assert (got - want).norm() / want.norm() < 0.05
