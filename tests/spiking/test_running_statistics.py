"""Running statistics in layers in Brian2: lateral synapses learn the covariances that they are said to learn."""

import numpy as np
import pytest

from cortexsim.rules import known_rules
from cortexsim.spiking import Stream, Timing
from tests.spiking.agreement import CELLS, PATCH, POSITIONS, Case, settings

RATE = 0.1


def learned(name: str, fixations: int = 12) -> tuple[Case, np.ndarray]:
    """Show a stream to two columns whose weights do not change, but whose statistics do; their activity is returned."""
    rule = known_rules()[name]
    chosen = settings(timing=Timing(1e-3, 0.1, 5e-3), eta=1e-12, mean_rate=RATE, covariance_rate=RATE)
    inputs = np.random.default_rng(1).uniform(0, 1, (fixations, POSITIONS * PATCH))
    case = Case(rule, chosen, "brian-rate", inputs)
    stream = Stream(inputs, np.arange(fixations), np.tile(case.labels[:1], (fixations, 1)), np.ones(fixations))
    outcome, case.after = case.stack.run(stream, case.before, seed=3)
    return case, outcome.activity["layer1"].reshape(fixations, POSITIONS, CELLS)


def follow(case: Case, key: str, values: np.ndarray) -> np.ndarray:
    """Move a statistic towards the values of one fixation after the other; each of them sees the means before it."""
    found = case.before[key].reshape(values.shape[1:]).copy()
    for value in values:
        found += RATE * (value - found)
    return found


def means(case: Case, key: str, activity: np.ndarray) -> np.ndarray:
    """The running mean before each fixation, (fixations, positions, cells)."""
    before = [follow(case, key, activity[:count]) for count in range(len(activity))]
    return np.array(before)


def weights(case: Case, state: dict[str, np.ndarray], key: str) -> np.ndarray:
    return case.tensor(state, key, POSITIONS, CELLS, CELLS).numpy()


def follow_products(case: Case, key: str, post: np.ndarray, pre: np.ndarray) -> np.ndarray:
    found = weights(case, case.before, key).copy()
    for left, right in zip(post, pre, strict=True):
        found += RATE * (np.einsum("pi,pk->pik", left, right) - found)
    return found


@pytest.mark.parametrize("name", ["lpl", "vicreg_local"])
def test_lateral_synapses_follow_the_covariance_of_rates(name: str) -> None:
    case, activity = learned(name)
    centred = activity - means(case, "layer1.mean", activity)
    expected = follow_products(case, "lateral1.w", centred, centred)
    assert abs(expected - weights(case, case.before, "lateral1.w")).max() > 0.05
    np.testing.assert_allclose(weights(case, case.after, "lateral1.w"), expected, rtol=1e-9)
    own = expected[:, range(CELLS), range(CELLS)]
    np.testing.assert_allclose(case.after["layer1.variance"].reshape(own.shape), own, rtol=1e-9)


def test_lateral_synapses_follow_the_covariance_of_rates_with_views() -> None:
    case, activity = learned("barlow_local")
    views = activity[:, ::-1]  # Two columns, each the context of the other.
    centred = views - means(case, "layer1.view_mean", views)
    expected = follow_products(case, "lateral_view1.w", activity, centred)
    np.testing.assert_allclose(weights(case, case.after, "lateral_view1.w"), expected, rtol=1e-9)
    variance = follow(case, "layer1.view_variance", centred**2)
    np.testing.assert_allclose(case.after["layer1.view_variance"], variance.ravel(), rtol=1e-9)
    np.testing.assert_allclose(case.after["layer1.view_mean"], follow(case, "layer1.view_mean", views).ravel())


def test_lateral_synapses_follow_the_covariance_of_dendrites() -> None:
    case, activity = learned("spectral")
    context = weights(case, case.before, "context1.w")
    dendrites = np.einsum("pik,tpk->tpi", context, (activity - means(case, "layer1.mean", activity))[:, ::-1])
    expected = follow_products(case, "lateral_dendrite1.w", dendrites, dendrites)
    np.testing.assert_allclose(weights(case, case.after, "lateral_dendrite1.w"), expected, rtol=1e-6)
