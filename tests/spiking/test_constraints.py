"""Bounds, weights of few levels, and release that fails: what they promise, whatever the cut, and in evaluation too."""

from dataclasses import replace

import numpy as np
import pytest

from cortexsim.rules import known_rules
from cortexsim.spiking import LayerSpec, Settings, Stack, State, Stream, Timing, constrained_weights, describe
from cortexsim.spiking.constraints import KINDS, NUMBERS_EACH, first_number

FIXATIONS = 10
SETTINGS = Settings(input_rate=400.0, eta=0.05, context_eta=3.0, homeostasis=0.01, weight_decay=1e-3)
COARSE = replace(SETTINGS, w_max=1.0, weight_bits=3)
FAILING = replace(SETTINGS, release_probability=0.5)
BOTH = replace(COARSE, release_probability=0.5, reset_traces=False)
HIDDEN = replace(COARSE, bound_exponent=0.0, hidden_weights=True, eta=3.0)
PSP = replace(BOTH, dendrite="psp", timing=Timing(1e-3, 60e-3, 4e-3))


def stack_of(settings: Settings, sends: str = "activity", target: str = "numpy") -> Stack:
    rates = (settings.input_rate, settings.unit_rate)
    specs = [
        LayerSpec(1, 2, 6, 8, "spiking", True, "sibling", False, rates[0], sends, ((1,), (0,))),
        LayerSpec(2, 1, 6, 12, "spiking", False, "none", False, rates[1]),
    ]
    return Stack(*describe(specs, 4, known_rules()["clapp"], settings, FIXATIONS), target)


def begun(stack: Stack, settings: Settings) -> State:
    draw, state = np.random.default_rng(0), stack.initial_state()
    for key in state:
        if key.startswith(("feedforward", "prediction_input")) and key.endswith(".w"):
            state[key] = constrained_weights(draw.uniform(-0.2, 0.9, len(state[key])), 1, 0, settings)
    return state


def stream(learning: bool = True) -> Stream:
    shown = (np.random.default_rng(1).uniform(size=(FIXATIONS, 16)) < 0.3).astype(float)
    return Stream(shown, np.arange(FIXATIONS), eta_factor=np.linspace(1, 0.5, FIXATIONS) if learning else None)


def equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


CASES = pytest.mark.parametrize(
    "settings", [COARSE, FAILING, BOTH, PSP, HIDDEN], ids=["levels", "release", "both", "psp", "hidden"]
)


@CASES
@pytest.mark.slow
def test_chunks_of_any_size_give_the_same_spikes_and_weights(settings: Settings) -> None:
    stack = stack_of(settings)
    (first, state), *others = [stack.run(stream(), begun(stack, settings), seed=5, chunk=size) for size in (12, 5)]
    assert min(first.spikes.values()) > 5
    assert not np.array_equal(begun(stack, settings)["feedforward1.w"], state["feedforward1.w"])
    for outcome, after in others:
        assert all(np.array_equal(outcome.activity[name], values) for name, values in first.activity.items())
        assert equal(after, state)


@CASES
@pytest.mark.slow
def test_evaluation_changes_nothing_and_gives_a_sample_the_same_spikes_whenever_it_is_shown(settings: Settings) -> None:
    stack = stack_of(settings)
    state, shown = begun(stack, settings), stream(learning=False)
    outcome = stack.run(shown, state, seed=5)[0]
    part = stack.run(Stream(shown.inputs[5:], shown.stimulus_id[5:]), state, seed=5)[0]
    for name in ("layer1", "layer2"):
        assert np.array_equal(outcome.activity[name][5:], part.activity[name])
    lasting = stack._run_chunk(shown, state, 5)[1]  # What `run` would hide.
    assert all(np.array_equal(lasting[key], values) for key, values in state.items() if key.endswith(".w"))


@pytest.mark.slow
def test_the_compiled_program_gives_the_same_spikes_and_weights() -> None:
    pairs = [
        stack_of(BOTH, "prediction", target).run(stream(), begun(stack_of(BOTH, "prediction"), BOTH), seed=5)
        for target in ("cpp", "numpy")
    ]
    (fast, compiled), (slow, interpreted) = pairs
    assert fast.spikes == slow.spikes
    for key, values in compiled.items():
        np.testing.assert_allclose(values, interpreted[key], rtol=1e-10, atol=1e-12)


# Bounds.


def learned(settings: Settings) -> tuple[State, State]:
    """Weights before and after a fixation, of a layer whose dendrites already receive something."""
    stack = stack_of(settings)
    state = begun(stack, COARSE)
    state["context1.w"] = np.random.default_rng(2).choice([-3 / 7, 1 / 7, 5 / 7], len(state["context1.w"]))
    return state, stack.run(stream()[:1], state, seed=5)[1]


def test_near_its_bound_a_weight_takes_a_power_of_what_is_left_of_a_step() -> None:
    """The size of a step is that of a hard bound times (1 - w / w_max)^mu upwards, (1 + w / w_max)^mu downwards."""
    found = [learned(replace(SETTINGS, eta=1e-6, w_max=1.0, bound_exponent=mu)) for mu in (0.0, 0.5, 1.0)]
    (before, after), *shrunk = found
    weights, step = before["feedforward1.w"], after["feedforward1.w"] - before["feedforward1.w"]
    assert step.min() < 0 < step.max()
    for exponent, (_, less) in zip((0.5, 1.0), shrunk, strict=True):
        left = (1 - np.sign(step) * weights) ** exponent
        np.testing.assert_allclose(less["feedforward1.w"] - weights, step * left, rtol=1e-3, atol=1e-12)


def test_hard_bounds_cut_off_weights_that_would_grow_past_them() -> None:
    free, hard = replace(SETTINGS, eta=5.0), replace(SETTINGS, eta=5.0, w_max=1.0, bound_exponent=0.0)
    grown, held = (learned(settings)[1]["feedforward1.w"] for settings in (free, hard))
    assert np.abs(grown).max() > 1
    np.testing.assert_allclose(held, grown.clip(-1, 1), rtol=1e-12)


# Weights of few levels.


def test_hidden_weights_hold_what_is_left_of_steps_when_the_weight_has_moved_by_whole_levels() -> None:
    """After one update a weight and what it hides add up to the weight of any number of levels."""
    fine = replace(HIDDEN, weight_bits=None, hidden_weights=False)
    (before, after), (_, wanted) = learned(HIDDEN), learned(fine)
    for name in ("feedforward1", "context1"):
        weights, hidden, spacing = after[f"{name}.w"], after[f"{name}.hidden"], 2 / 7
        np.testing.assert_allclose(weights + hidden, wanted[f"{name}.w"], rtol=1e-9)
        assert 0 < np.abs(hidden).max() < spacing
        assert 0.02 < np.mean(weights != before[f"{name}.w"]) < 0.98
        np.testing.assert_allclose((weights + 1) / spacing, np.rint((weights + 1) / spacing), atol=1e-9)


def test_hidden_weights_begin_between_levels_where_they_are_silent_at_first() -> None:
    """Context weights begin at zero, which is no level: they leave it, to both sides, only when they learn."""
    stack = stack_of(HIDDEN)
    before = begun(stack, HIDDEN)
    assert not stack._run_chunk(stream(learning=False), before, 5)[1]["context1.w"].any()
    after = stack.run(stream(), before, seed=5)[1]["context1.w"]
    assert after.min() < 0 < after.max()


@pytest.mark.parametrize("bits", [2, 5])
def test_weights_that_learn_lie_on_their_levels(bits: int) -> None:
    settings = replace(COARSE, weight_bits=bits)
    stack = stack_of(settings)
    before = begun(stack, settings)
    after = stack.run(stream(), before, seed=5)[1]
    for key in ("feedforward1.w", "context1.w"):
        level = (after[key] + 1) / 2 * (2**bits - 1)
        np.testing.assert_allclose(level, np.rint(level), atol=1e-9)
        assert np.abs(after[key]).max() <= 1
        assert not np.array_equal(after[key], before[key])


def test_rounding_is_unbiased() -> None:
    """One fixation of weight decay alone, from levels downwards: on average over synapses, as without levels."""
    fine = replace(SETTINGS, eta=1.0, w_max=1.0, weight_decay=0.05)
    quiet = Stream(np.zeros((1, 64)), np.zeros(1, int), eta_factor=np.ones(1))
    found = {}
    for bits in (None, 4):
        settings = replace(fine, weight_bits=bits)
        spec = LayerSpec(1, 2, 64, 32, "spiking", True, "sibling", False, 400.0, context_sources=((1,), (0,)))
        stack = Stack(*describe([spec], 4, known_rules()["clapp"], settings, 1), "numpy")
        state = stack.initial_state() | {"feedforward1.w": np.full(2 * 64 * 32, 9 / 15)}
        found[bits] = stack.run(quiet, state, seed=1)[1]["feedforward1.w"]
    assert len(np.unique(found[4].round(9))) == 2
    moved, error = found[None].mean() - 9 / 15, found[4].std() / np.sqrt(len(found[4]))
    assert abs(moved) > 10 * error
    assert abs(found[4].mean() - found[None].mean()) < 4 * error


def test_first_weights_are_rounded_to_levels_without_bias() -> None:
    weights = np.full((100, 100), 0.37)
    found = constrained_weights(weights, 1, 0, COARSE)
    assert np.unique(found.round(12)) == pytest.approx([1 / 7, 3 / 7])
    assert found.mean() == pytest.approx(0.37, abs=0.005)
    assert not np.array_equal(found, constrained_weights(weights, 2, 0, COARSE))
    assert constrained_weights(weights, 1, 0, SETTINGS) is weights


# Release that fails.


def response(
    release: float, weight: float, bias: float, sites: int = 1, quanta: float = 1.0
) -> tuple[np.ndarray, float]:
    """Eligibility traces of synapses of one weight, and the mean voltage of a cell that never fires."""
    settings = replace(
        SETTINGS, release_probability=release, release_sites=sites, release_gain=quanta, gain=0.05, reset_traces=False,
        eta=1e-12,
    )  # fmt: skip
    spec = LayerSpec(1, 2, 32, 16, "spiking", True, "sibling", False, settings.input_rate, context_sources=((1,), (0,)))
    stack = Stack(*describe([spec], 4, known_rules()["clapp"], settings, 8, traced_cell=3), "numpy")
    state = stack.initial_state() | {"feedforward1.w": np.full(1024, weight), "layer1.bias": np.full(64, bias)}
    outcome, after = stack.run(Stream(np.ones((8, 32)), np.arange(8), eta_factor=np.ones(8)), state, seed=2)
    assert outcome.spikes["layer1"] == 0
    return after["feedforward1.eligibility"], float(outcome.traces["layer1"]["v"].mean())


@pytest.mark.slow
def test_half_the_releases_make_half_the_eligibility_each_synapse_by_itself() -> None:
    whole, half = (response(release, weight=0.0, bias=0.5)[0].reshape(32, 32) for release in (1.0, 0.5))
    assert half.mean() / whole.mean() == pytest.approx(0.5, abs=0.03)
    assert (whole == whole[:, :1]).all()  # Synapses of a presynaptic cell, in a row.
    assert all(len(np.unique(row)) > 16 for row in half)


def test_half_the_releases_make_half_the_current() -> None:
    whole, half = (response(release, weight=0.5, bias=0.0)[1] for release in (1.0, 0.5))
    assert whole > 0.1
    assert half / whole == pytest.approx(0.5, abs=0.05)


def test_release_sites_share_a_weight_and_quanta_make_up_for_those_that_fail() -> None:
    """The mean is that of sure synapses, and the variance between synapses of one cell that of one site over five."""
    cases = ((1.0, 0.0, 0.5), (0.5, 0.0, 0.5, 1, 2.0), (0.5, 0.0, 0.5, 5, 2.0))
    sure, one, five = (response(*case)[0].reshape(32, 32) for case in cases)
    assert one.mean() / sure.mean() == pytest.approx(1, abs=0.05)
    assert five.mean() / sure.mean() == pytest.approx(1, abs=0.03)
    assert five.var(axis=1).mean() / one.var(axis=1).mean() == pytest.approx(1 / 5, rel=0.15)


def test_failures_of_release_have_numbers_of_their_own() -> None:
    """Not those of input spikes, other layers or prediction cells: else failures would follow the input."""
    numbers = [first_number(kind, number) for kind in KINDS for number in range(1, 12)]
    assert len(set(numbers)) == len(numbers)
    assert min(np.diff(sorted(numbers))) >= NUMBERS_EACH
    assert max(numbers) + NUMBERS_EACH < 2**31
