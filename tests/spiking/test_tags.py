"""Synaptic tags: with them, an update that comes late is the update that came in time."""

from dataclasses import replace

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.rules import known_rules
from cortexsim.spiking import Control, LayerSpec, Settings, Stack, State, Stream, Timing, describe
from cortexsim.spiking.tags import Tags, split_third

FIXATIONS, CELLS, PATCH = 12, 5, 6
PLAIN = Settings(input_rate=400.0, eta=1e-9, context_eta=3.0, mean_rate=0.0, centred=False)
RULES = {"clapp": "surprise", "infonce": "misjudged", "clapp_bidirectional": "surprise"}


def stack_of(rule: str, settings: Settings) -> Stack:
    spec = LayerSpec(
        1, 2, CELLS, PATCH, "spiking", True, "sibling", False, settings.input_rate, context_sources=((1,), (0,))
    )
    return Stack(*describe([spec], 4, known_rules()[rule], settings, FIXATIONS), "numpy")


def change(rule: str, settings: Settings, learns: slice, chunk: int = 0) -> State:
    """What weights gain per unit of eta, where the learning rate is 1 in some fixations, and almost 0 in the others."""
    stack, draw = stack_of(rule, settings), np.random.default_rng(0)
    before = stack.initial_state()
    before |= {key: draw.normal(0.4, 0.5, len(values)) for key, values in before.items() if key.endswith(".w")}
    factor = np.zeros(FIXATIONS)
    factor[learns] = 1.0
    inputs = (np.random.default_rng(1).uniform(size=(FIXATIONS, 2 * PATCH)) < 0.5).astype(float)
    after = stack.run(Stream(inputs, np.arange(FIXATIONS), eta_factor=factor), before, seed=5, chunk=chunk)[1]
    return {key: (after[key] - before[key]) / settings.eta for key in ("feedforward1.w", "context1.w")}


def late(rule: str, delay: int, stages: int, **others: object) -> Settings:
    return replace(PLAIN, tag_stages=stages, control={RULES[rule]: Control(delay=delay)}, **others)  # type: ignore[arg-type]


def assert_same(one: State, other: State) -> None:
    for key, values in one.items():
        assert np.abs(values).max() > 1e-3, f"nothing to compare in {key}"
        np.testing.assert_allclose(other[key], values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", ["clapp", "clapp_bidirectional"])
def test_a_modulator_in_time_meets_the_tag_at_once(rule: str) -> None:
    """Nothing waits where nothing is late, so that the change is that of synapses without tags."""
    everything = slice(None)
    assert_same(change(rule, PLAIN, everything), change(rule, late(rule, 0, stages=3), everything))


@pytest.mark.parametrize(("rule", "delay"), [("clapp", 4), ("infonce", 1), ("clapp_bidirectional", 1)])
def test_with_a_queue_of_tags_the_update_of_a_fixation_comes_late_and_whole(rule: str, delay: int) -> None:
    learned = slice(3, FIXATIONS - delay)
    arrived = slice(3 + delay, FIXATIONS)
    in_time = change(rule, PLAIN, learned)
    assert_same(in_time, change(rule, late(rule, delay, stages=delay), arrived))
    without = change(rule, late(rule, delay, stages=0), arrived)
    assert not np.allclose(without["feedforward1.w"], in_time["feedforward1.w"], rtol=0.1)


def test_so_it_does_where_dendrites_read_potentials_twice_a_fixation() -> None:
    halves = {"dendrite": "psp", "timing": Timing(1e-3, 60e-3, 4e-3)}
    in_time = change("clapp", replace(PLAIN, **halves), slice(3, FIXATIONS - 2))  # type: ignore[arg-type]
    assert_same(in_time, change("clapp", late("clapp", 2, 2, **halves), slice(5, FIXATIONS)))


def test_tags_pass_from_chunk_to_chunk() -> None:
    settings, learns = late("clapp", 4, stages=3), slice(5, None)
    assert_same(change("clapp", settings, learns), change("clapp", settings, learns, chunk=5))


def test_tags_of_few_stages_arrive_on_average_after_the_delay() -> None:
    """What enters once is, at the last stage, spread over later fixations: by weights of sum 1 and mean delay d."""
    delay, stages = 6, 2
    tags = Tags.of(known_rules()["clapp"], late("clapp", delay, stages))
    assert tags is not None
    held, weights = np.zeros(stages), []
    for fixation in range(400):
        weights.append(held[-1])
        held += tags.rate * (np.concatenate([[float(fixation == 0)], held[:-1]]) - held)
    assert sum(weights) == pytest.approx(1)
    assert np.dot(range(400), weights) == pytest.approx(delay)


def test_a_third_factor_is_split_into_what_is_broadcast_and_what_is_local() -> None:
    names = {"surprise_all", "feedback_post"}
    assert split_third("gain * surprise_all * dendrite_post", names) == ("(surprise_all)", "(gain) * (dendrite_post)")
    assert split_third("-feedback_post", names) == ("(-feedback_post)", "1")
    assert split_third("dendrite_post - mean_post", names) == ("1", "(dendrite_post - mean_post)")
    with pytest.raises(UserError, match="is no product of what is local and of surprise_all"):
        split_third("surprise_all * dendrite_post + mean_post", names)


def test_modulators_with_several_delays_are_refused() -> None:
    rule = known_rules()["infonce"]
    other = replace(rule.modulators[-1], name="other")
    assert rule.context is not None
    both = replace(rule, modulators=(*rule.modulators, other), context=replace(rule.context, third="other_all"))
    with pytest.raises(UserError, match="several delays"):
        Tags.of(both, late("infonce", 2, stages=2))
