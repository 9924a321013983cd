import numpy as np
import pytest

from cortexsim.spiking import LayerSpec, Settings, Stack, Stream, describe
from cortexsim.spiking.encoding import uniform

STEPS = Settings().timing.steps
ACTIVITY = np.repeat([0.0, 0.5, 1.0], 25)
"""Of the inputs, in every fixation."""


def input_spikes(encoding: str, rate: float, fixations: int = 8, seed: int = 0, afferents: int = 1) -> np.ndarray:
    settings = Settings(encoding=encoding, input_rate=rate, afferents=afferents)  # type: ignore[arg-type]
    spec = LayerSpec(1, 1, 2, len(ACTIVITY) * afferents, "spiking", False, "none", False, rate)
    stack = Stack(*describe([spec], 2, None, settings, fixations, traced_cell=0), "numpy")
    shown = np.tile(ACTIVITY, (fixations, 1))
    return stack.run(Stream(shown, np.arange(fixations)), stack.initial_state(), seed)[0].events["input"]


def test_uniform_numbers_are_uniform_and_unrelated() -> None:
    drawn = uniform(3, np.arange(50)[:, None, None], np.arange(65)[:, None], np.arange(20))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.005)
    assert drawn.var() == pytest.approx(1 / 12, abs=0.002)
    for axis in range(3):
        one, other = np.take(drawn, range(19), axis), np.take(drawn, range(1, 20), axis)
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02
    assert np.unique(drawn).size == drawn.size


@pytest.mark.parametrize("encoding", ["poisson", "regular"])
def test_inputs_fire_at_the_rate_of_their_activity_and_not_in_the_blank(encoding: str) -> None:
    step, cell = input_spikes(encoding, 200.0)
    rates = np.bincount(cell, minlength=len(ACTIVITY)) / 8 / 60e-3
    assert not rates[ACTIVITY == 0].any()
    for activity in (0.5, 1.0):
        assert rates[activity == ACTIVITY].mean() == pytest.approx(200 * activity, rel=0.05)
    assert (step % STEPS).min() >= 5


def counts(step: np.ndarray, cell: np.ndarray, afferents: int = 1) -> np.ndarray:
    """Count the spikes of the inputs of activity 1, (inputs and fixations,)."""
    found = np.zeros((len(ACTIVITY), 8))
    np.add.at(found, (cell // afferents, step // STEPS), 1)
    return found[ACTIVITY == 1].ravel()


def test_poisson_spikes_are_as_irregular_as_they_should_be_and_regular_ones_are_not() -> None:
    for encoding, expected in (("poisson", 0.9), ("regular", 0.0)):  # In a tenth of all steps is a spike.
        found = counts(*input_spikes(encoding, 100.0))
        assert found.var() / found.mean() == pytest.approx(expected, abs=0.2)


def test_spikes_of_many_afferents_together_are_as_irregular_as_those_of_a_poisson_process() -> None:
    for afferents, irregular in ((1, 0.4), (30, 0.98)):
        step, cell = input_spikes("poisson", 600.0, afferents=afferents)
        found = counts(step, cell, afferents)
        assert found.mean() / 60e-3 == pytest.approx(600, rel=0.03)
        assert found.var() / found.mean() == pytest.approx(irregular, rel=0.25)
    assert not (cell < afferents * (ACTIVITY == 0).sum()).any()


def test_another_seed_and_another_fixation_give_other_spikes() -> None:
    same, other = input_spikes("poisson", 200.0), input_spikes("poisson", 200.0, seed=1)
    assert np.array_equal(same, input_spikes("poisson", 200.0))
    assert not np.array_equal(same, other)
    first, second = (same[:, same[0] // STEPS == fixation] for fixation in (0, 1))
    assert not np.array_equal(first, second - [[STEPS], [0]])
