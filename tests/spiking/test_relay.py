"""Interneurons that relay presynaptic spikes: they fire after each of them, and their synapses learn the other way."""

from dataclasses import replace

import numpy as np
import pytest

from cortexsim.rules import known_rules
from cortexsim.spiking import LayerSpec, Settings, Stack, State, Stream, Timing, describe, relayed_weights
from tests.spiking.test_constraints import equal

FIXATIONS = 10
SETTINGS = Settings(
    timing=Timing(0.5e-3, 60e-3, 5e-3), input_rate=400.0, eta=0.05, context_eta=3.0, homeostasis=0.01, dale=True
)
RELAYED = replace(SETTINGS, inhibition="relayed")


def specs(settings: Settings) -> list[LayerSpec]:
    rates = (settings.input_rate, settings.unit_rate)
    return [
        LayerSpec(1, 2, 6, 8, "spiking", True, "sibling", False, rates[0], context_sources=((1,), (0,))),
        LayerSpec(2, 1, 6, 12, "spiking", False, "none", False, rates[1]),
    ]


def stack_of(settings: Settings) -> Stack:
    return Stack(*describe(specs(settings), 4, known_rules()["clapp"], settings, FIXATIONS), "numpy")


def begun(stack: Stack, least: float = 0.0) -> State:
    draw, state = np.random.default_rng(0), stack.initial_state()
    for key in state:
        if key.startswith(("feedforward", "relayed")) and key.endswith(".w"):
            state[key] = least + np.abs(draw.normal(0, 0.4, len(state[key])))
    return state


def stream(learning: bool = True) -> Stream:
    shown = (np.random.default_rng(1).uniform(size=(FIXATIONS, 16)) < 0.3).astype(float)
    return Stream(shown, np.arange(FIXATIONS), eta_factor=np.ones(FIXATIONS) if learning else None)


def test_an_interneuron_fires_once_after_each_spike_of_its_cell_and_inhibits() -> None:
    stack = stack_of(RELAYED)
    state, spikes = begun(stack), []
    for strength in (0.0, 0.1):
        state |= {"relayed1.w": np.full_like(state["relayed1.w"], strength)}
        spikes.append(stack.run(stream(False), state, seed=5)[0].spikes)
    for each in spikes:
        for cells, relay in (("input", "relay1"), ("layer1", "relay2")):
            assert 0.95 * each[cells] < each[relay] <= each[cells] > 50  # A spike of the last step is not relayed.
    assert spikes[1]["layer1"] < 0.8 * spikes[0]["layer1"]


def test_excitation_and_inhibition_learn_the_opposite() -> None:
    settings = replace(RELAYED, eta=0.1)
    stack = stack_of(settings)
    before = begun(stack, least=0.1)  # None comes to zero.
    after = stack.run(stream(), before, seed=5)[1]
    one, other = (after[key] - before[key] for key in ("feedforward1.w", "relayed1.w"))
    assert np.abs(one).max() > 1e-4
    assert min(after[key].min() for key in ("feedforward1.w", "relayed1.w")) > 0
    np.testing.assert_allclose(other, -one, atol=0.1 * np.abs(one).max())  # Read half a millisecond later.
    assert np.corrcoef(one, other)[0, 1] < -0.995
    assert np.array_equal(before["relayed2.w"], after["relayed2.w"])  # Its layer does not learn.


def test_no_weight_is_negative() -> None:
    stack = stack_of(replace(RELAYED, eta=2.0))
    after = stack.run(stream(), begun(stack), seed=5)[1]
    for key in ("feedforward1.w", "relayed1.w"):
        assert after[key].min() == 0 < after[key].max()


def test_homeostasis_stays_and_no_other_cell_inhibits() -> None:
    stack = stack_of(RELAYED)
    after = stack.run(stream(), begun(stack), seed=5)[1]
    assert after["layer1.bias"].any()
    assert not any(key.startswith("inhibit") for key in after)
    assert stack.fan_out["input"].tolist() == [6 + 1] * 16
    assert stack.fan_out["relay1"].tolist() == [6] * 16


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [RELAYED, replace(RELAYED, w_max=1.0, weight_bits=4, release_probability=0.7, reset_traces=False)],
    ids=["plain", "levels and release"],
)
def test_chunks_of_any_size_give_the_same_spikes_and_weights(settings: Settings) -> None:
    stack = stack_of(settings)
    (first, state), (second, after) = (stack.run(stream(), begun(stack), seed=5, chunk=size) for size in (10, 3))
    assert first.spikes == second.spikes
    assert equal(state, after)
    assert not np.array_equal(begun(stack)["relayed1.w"], after["relayed1.w"])


def test_afferents_of_an_input_begin_with_one_weight_in_the_order_of_their_synapses() -> None:
    spec = specs(RELAYED)[0]
    found = relayed_weights(1, (2, 6, 8), spec.feedforward_wiring(6), 0.4, 2, seed=3)["relayed1.w"]
    by_input = found.reshape(2, 4, 2, 6)  # Column, input, afferent, cell.
    assert np.array_equal(by_input[:, :, 0], by_input[:, :, 1])
    assert len(np.unique(by_input)) == 2 * 4 * 6
    assert found.min() > 0
    assert np.sqrt(np.mean(found**2)) == pytest.approx(0.4, rel=0.3)
