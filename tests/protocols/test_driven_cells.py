"""Cells that input spikes drive change their weights as in protocols, whatever is simulated beside them."""

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.protocols import Protocol, mean_change, run
from cortexsim.protocols.driven_cells import DT, DrivenCells
from cortexsim.rules import load_rule
from cortexsim.seeds import stream

SLIDING, ALWAYS = "stdp_triplet:SLIDING", 1e6  # A rate at which an input fires in every step, Hz.


@pytest.mark.parametrize("name", [SLIDING, "stdp_triplet:VISUAL_FULL", "stdp_pair"])
def test_weights_change_as_in_the_protocol_of_the_same_spikes(name: str) -> None:
    rule, generator, steps = load_rule(name), stream(1, "test"), 400
    patterns = generator.random((steps, 3)) < 0.05
    cells = DrivenCells(rule, np.ones((1, 1, 3)), 0.4, 0.0, 1.0, [generator])
    post = []
    for step, pattern in enumerate(patterns):
        before = cells.spikes.sum()
        cells.show(pattern[None] * ALWAYS, steps=1)
        post += [step * DT] * int(cells.spikes.sum() - before)
    assert len(post) > 10
    trains = [np.flatnonzero(column) * DT for column in patterns.T]
    wanted = run(rule, Protocol(trains, [post] * 3, steps * DT))
    assert np.abs(wanted).min() > 1e-4
    np.testing.assert_allclose(cells.weights[0, 0] - 1, wanted, rtol=1e-3, atol=2e-6)


def test_groups_do_not_depend_on_each_other() -> None:
    def weights(*seeds: int) -> np.ndarray:
        start = np.stack([stream(seed, "weights").uniform(0.5, 1.5, (2, 8)) for seed in seeds])
        cells = DrivenCells(load_rule(SLIDING), start, 0.3, 0.5, 1.0, [stream(seed, "spikes") for seed in seeds])
        cells.show(np.full((len(seeds), 8), 60.0), steps=300)
        assert (cells.spikes > 0).all()
        return cells.weights

    np.testing.assert_array_equal(weights(1, 2)[1], weights(2)[0])


def test_cells_without_input_are_silent_and_inhibition_silences() -> None:
    for rate, inhibition in ((0.0, 0.0), (100.0, 1.0)):
        cells = DrivenCells(load_rule(SLIDING), np.ones((1, 2, 8)), 0.3, inhibition, 1.0, [stream(0, "spikes")])
        cells.show(np.full((1, 8), rate), steps=200)
        assert not cells.spikes.any()


@pytest.mark.parametrize("name", ["clapp", "dopamine_stdp", "btsp", "scaling"])
def test_rules_that_need_more_than_spikes_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"rule '{name}': "):
        DrivenCells(load_rule(name), np.ones((1, 1, 1)), 0.1, 0.0, 1.0, [stream(0, "spikes")])


def test_the_sliding_threshold_is_that_of_the_triplet_rule_at_the_target() -> None:
    """Where the mean rate is the target, depression is that of the rule without a sliding threshold."""
    sliding, fixed = load_rule(SLIDING), load_rule("stdp_triplet")
    assert sliding.constants["depression"] == fixed.constants["depression"]
    target = sliding.constants["target"]
    np.testing.assert_allclose(mean_change(sliding, 10.0, target), mean_change(fixed, 10.0, target))
    assert mean_change(sliding, 10.0, 2.0) > mean_change(fixed, 10.0, 2.0)
