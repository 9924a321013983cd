import numpy as np
import pytest

from cortexsim.analysis import geometry

LATENTS = np.repeat(np.arange(4), 250)[:, None]


def code(between: float, within: float, directions: int, seed: int = 0) -> np.ndarray:
    """Four latents spread over some directions, with noise around them: (1000, 1, 6)."""
    generator = np.random.default_rng(seed)
    corners = np.zeros((4, 6))
    corners[:, :directions] = {1: [[-3], [-1], [1], [3]], 3: [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]}[
        directions
    ]
    return between * corners[LATENTS] + within * generator.normal(size=(1000, 1, 6))


def test_selectivity_is_the_variance_fraction_between_latents() -> None:
    assert geometry.selectivity(code(1, 0, 3), LATENTS) == pytest.approx(1)
    assert geometry.selectivity(code(0, 1, 3), LATENTS) == pytest.approx(0, abs=0.02)
    # Three directions of variance 1 between, six of variance 1 within.
    assert geometry.selectivity(code(1, 1, 3), LATENTS) == pytest.approx(1 / 3, abs=0.02)


def test_selectivity_weighs_latents_by_frequency_and_uses_variance_about_the_mean() -> None:
    activity, latents = np.array([10.0, 12, 14, 20]), np.array([0, 0, 0, 1])
    # Squares about the mean of 14: 56 in all, of which 8 lie within the first latent.
    assert geometry.selectivity(activity[:, None, None], latents[:, None]) == pytest.approx(48 / 56)
    # A second position that is all noise, and a third cell whose square is large and whose variance is none.
    cells = np.stack([np.stack([activity, np.full(4, 1e3)], 1), [[1, 5], [2, 5], [3, 5], [2, 5]]], 1)
    assert geometry.selectivity(cells, np.stack([latents, latents], 1)) == pytest.approx(48 / 56 / 2)


def test_participation_counts_dimensions_and_detects_a_collapse() -> None:
    assert geometry.participation(code(1, 0, 3), LATENTS) == pytest.approx(3)
    collapsed = code(1, 0, 1)
    assert geometry.participation(collapsed, LATENTS) == pytest.approx(1)
    assert geometry.selectivity(collapsed, LATENTS) == pytest.approx(1)  # Selectivity does not detect it.


def test_decoding_is_perfect_or_at_chance() -> None:
    shuffled = np.random.default_rng(0).permutation(1000)
    assert geometry.decoding(code(1, 0.1, 3)[shuffled], LATENTS[shuffled]) == 1
    assert geometry.decoding(code(0, 1, 3)[shuffled], LATENTS[shuffled]) == pytest.approx(0.25, abs=0.08)


def test_sensitivity_is_zero_without_change_and_one_for_unrelated_activity() -> None:
    noise = [np.random.default_rng(seed).normal(size=(2000, 1, 5)) for seed in (0, 1)]
    assert geometry.sensitivity(noise[0], noise[0]) == 0
    assert geometry.sensitivity(noise[0], noise[1]) == pytest.approx(1, abs=0.05)


def test_silent_cells_have_finite_measurements() -> None:
    silent = np.zeros((1000, 1, 6))
    found = [measure(silent, LATENTS) for measure in (geometry.selectivity, geometry.participation)]
    assert found == [0, 0]
    assert 0 <= geometry.decoding(silent, LATENTS) <= 1
    assert geometry.sensitivity(silent, silent) == 0
