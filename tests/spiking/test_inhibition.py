"""Dale's law: weights that are never negative, and inhibitory cells that learn to keep the others at their target."""

from dataclasses import replace

import numpy as np
import pytest

from cortexsim.rules import known_rules
from cortexsim.spiking import LayerSpec, Settings, Stack, State, Stream, Timing, describe, inhibitory_cells

FIXATIONS = 10
SETTINGS = Settings(
    input_rate=400.0, eta=0.3, context_eta=3.0, homeostasis=0.2, weight_decay=1e-3, target_activity=0.2, dale=True
)
PSP = replace(SETTINGS, dendrite="psp", timing=Timing(1e-3, 60e-3, 4e-3))
CONSTRAINED = replace(SETTINGS, w_max=1.0, weight_bits=4, release_probability=0.7)


def stack_of(settings: Settings, target: str = "numpy", fixations: int = FIXATIONS) -> Stack:
    rates = (settings.input_rate, settings.unit_rate)
    specs = [
        LayerSpec(1, 2, 8, 8, "spiking", True, "sibling", False, rates[0], context_sources=((1,), (0,))),
        LayerSpec(2, 1, 8, 16, "spiking", False, "none", False, rates[1]),
    ]
    return Stack(*describe(specs, 4, known_rules()["clapp"], settings, fixations), target)


def begun(stack: Stack) -> State:
    draw, state = np.random.default_rng(0), stack.initial_state()
    for key in state:
        if key.endswith(".w") and not key.startswith("context"):
            state[key] = np.abs(draw.normal(0, 0.1 if key.startswith("inhibition") else 0.4, len(state[key])))
    return state


def stream(learning: bool = True, fixations: int = FIXATIONS) -> Stream:
    shown = (np.random.default_rng(1).uniform(size=(fixations, 16)) < 0.4).astype(float)
    return Stream(shown, np.arange(fixations), eta_factor=np.ones(fixations) if learning else None)


def test_a_column_has_a_quarter_as_many_inhibitory_cells_and_at_least_one() -> None:
    assert [inhibitory_cells(cells) for cells in (64, 8, 3)] == [16, 2, 1]


@pytest.mark.parametrize("settings", [SETTINGS, PSP, CONSTRAINED], ids=["plain", "psp", "levels and release"])
@pytest.mark.slow
def test_chunks_of_any_size_give_the_same_spikes_and_weights(settings: Settings) -> None:
    stack = stack_of(settings)
    (first, state), (outcome, after) = (stack.run(stream(), begun(stack), seed=5, chunk=size) for size in (10, 3))
    assert min(first.spikes.values()) > 5
    assert outcome.spikes == first.spikes
    assert state.keys() == after.keys()
    assert all(np.array_equal(after[key], values) for key, values in state.items())
    for key, learns in (("inhibition1.w", True), ("inhibition2.w", True), ("inhibitory_input1.w", False)):
        assert np.array_equal(begun(stack)[key], state[key]) != learns
    lasting = stack._run_chunk(stream(learning=False), state, 5)[1]  # Evaluation, and what `run` would hide.
    weights = [key for key in state if key.endswith(".w")]
    assert all(np.array_equal(lasting[key], state[key]) for key in weights)


@pytest.mark.parametrize(
    "settings", [SETTINGS, pytest.param(CONSTRAINED, marks=pytest.mark.slow)], ids=["plain", "levels and release"]
)
def test_presynaptic_cells_only_excite_and_inhibitory_ones_only_inhibit(settings: Settings) -> None:
    fast = replace(settings, eta=3.0, homeostasis=1.0, target_activity=0.9)
    stack = stack_of(fast)
    after = stack.run(stream(), begun(stack), seed=5)[1]
    for key in ("feedforward1.w", "inhibition1.w"):
        assert after[key].min() == 0  # Some would be negative.
        assert after[key].max() > 0
    free = stack_of(replace(fast, dale=False))
    assert free.run(stream(), begun(free), seed=5)[1]["feedforward1.w"].min() < 0


def test_inhibitory_cells_inhibit() -> None:
    stack = stack_of(SETTINGS)
    state, quiet = begun(stack), stream(learning=False)
    spikes = []
    for weight in (0.0, 0.3):
        state["inhibition1.w"] = np.full(2 * 2 * 8, weight)
        spikes.append(stack.run(quiet, state, seed=5)[0].spikes)
    assert spikes[0]["inhibitory1"] == spikes[1]["inhibitory1"] > 50
    assert spikes[1]["layer1"] < 0.7 * spikes[0]["layer1"]


def test_inhibitory_weights_follow_the_rule_of_vogels_and_bring_cells_to_their_target() -> None:
    settings = replace(SETTINGS, eta=1e-9, homeostasis=1.0)
    stack = stack_of(settings, fixations=40)
    before = begun(stack)
    outcome, after = stack.run(stream(fixations=1), before, seed=5)
    change = (after["inhibition1.w"] - before["inhibition1.w"]).reshape(2, 2, 8)  # Column, inhibitory cell, cell.
    above = outcome.activity["layer1"].reshape(2, 1, 8) - settings.target_activity
    assert (change[above.repeat(2, 1) > 0] >= 0).all()
    assert (change[above.repeat(2, 1) < 0] <= 0).all()
    inside = (after["inhibition1.w"].reshape(2, 2, 8) > 0).all((0, 1))
    slopes = (change / above)[:, :, inside]  # dm = eta pre (post - target): pre, the same for all that it inhibits.
    np.testing.assert_allclose(slopes, slopes[:, :, :1].repeat(slopes.shape[2], 2), rtol=1e-9)
    assert slopes.min() > 0
    same = Stream(np.tile(stream().inputs[:1], (40, 1)), np.arange(40), eta_factor=np.ones(40))
    strong = before | {"feedforward1.w": before["feedforward1.w"] + 0.3}
    activity = stack.run(same, strong, seed=5)[0].activity["layer1"].mean(1)
    assert activity[0] > 2 * settings.target_activity
    assert activity[-10:].mean() == pytest.approx(settings.target_activity, rel=0.25)


@pytest.mark.slow
def test_inhibitory_cells_replace_homeostasis_and_their_synapses_are_counted() -> None:
    stack = stack_of(SETTINGS)
    after = stack.run(stream(), begun(stack), seed=5)[1]
    assert not after["layer1.bias"].any()
    sizes = {"input": (16, 8 + 2), "inhibitory1": (4, 8), "layer1": (16, 8 + 2), "inhibitory2": (2, 8)}
    assert {name: fan.tolist() for name, fan in stack.fan_out.items()} == {
        n: [k] * cells for n, (cells, k) in sizes.items()
    }
