"""Receptive fields: measures against fields whose tuning is known in closed form."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from cortexsim.analysis.receptive_fields import (
    FREQUENCIES,
    ORIENTATIONS,
    PHASES,
    draw_fields,
    gabor,
    gratings,
    ocular_dominance,
    orientation_selectivity,
    orientation_tuning,
    preferred_orientation,
)
from cortexsim.errors import UserError

SIZE = 25


def tuning(field: np.ndarray) -> np.ndarray:
    shown = gratings(len(field)).reshape(len(ORIENTATIONS), -1, field.size)
    return np.maximum(shown @ field.ravel(), 0).mean(1)


@pytest.mark.parametrize("orientation", [0.0, 0.4, math.pi / 3, math.pi / 2, 3.0])
def test_a_gabor_is_selective_for_its_orientation(orientation: float) -> None:
    found = tuning(gabor(SIZE, frequency=0.16, orientation=orientation, spread=3.0))
    assert orientation_selectivity(found) > 0.7
    difference = preferred_orientation(found) - orientation
    assert abs((difference + math.pi / 2) % math.pi - math.pi / 2) < 0.03


def test_a_gaussian_has_no_orientation() -> None:
    assert orientation_selectivity(tuning(gabor(SIZE, frequency=0.0, orientation=0.4, spread=2.0))) < 0.01


def test_selectivity_of_cosine_tuning_is_half_its_modulation() -> None:
    angles = np.array(ORIENTATIONS)
    for modulation in (0.0, 0.3, 1.0):
        found = 5 * (1 + modulation * np.cos(2 * (angles - 0.7)))
        assert orientation_selectivity(found) == pytest.approx(modulation / 2)
    assert orientation_selectivity(np.eye(12)) == pytest.approx(np.ones(12))
    assert orientation_selectivity(np.zeros((3, 12))).tolist() == [0, 0, 0]


def test_a_gabor_responds_to_gratings_as_its_fourier_transform() -> None:
    frequency, spread = 0.12, 2.5
    field = gabor(41, frequency, orientation=0.0, spread=spread, phase=0.5)
    for seen in FREQUENCIES:
        shown = gratings(41, [0.0], [seen], PHASES)[0, 0].reshape(len(PHASES), -1)
        gains = [math.exp(-2 * (math.pi * spread * (seen - each)) ** 2) for each in (frequency, -frequency)]
        area = math.pi * spread**2
        known = [area * (gains[0] * math.cos(p - 0.5) + gains[1] * math.cos(p + 0.5)) for p in PHASES]
        np.testing.assert_allclose(shown @ field.ravel(), known, atol=1e-3 * area)


def test_gratings_fill_a_circle_and_have_horizontal_bars_first() -> None:
    shown = gratings(13)
    assert shown.shape == (12, 5, 12, 13, 13)
    assert (shown[..., 0, 0] == 0).all()
    assert np.ptp(shown[0, 0, 0, 6]) == pytest.approx(0)  # Along a bar nothing changes.
    assert np.ptp(shown[0, 0, 0, :, 6]) > 1


def test_ocular_dominance_is_that_of_the_stronger_eye() -> None:
    left, right = np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    assert ocular_dominance(left, right).tolist() == [[1, 0], [pytest.approx(-1 / 3), 0]]
    assert (ocular_dominance(left, right) == -ocular_dominance(right, left)).all()
    assert (ocular_dominance(left.astype(np.uint8), right.astype(int)) == ocular_dominance(left, right)).all()


@pytest.mark.parametrize("shape", [(2, 12, 24), (2, 6, 24), (2, 24, 12), (13, 13)])
def test_tuning_of_fields_that_are_not_square_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"fields of shape .*: not \(cells, rows, columns\) with as many rows"):
        orientation_tuning(np.ones(shape))


def test_fields_are_drawn_side_by_side_each_on_its_own_scale() -> None:
    fields = np.stack([np.full((3, 3), 2.0), np.full((3, 3), -0.1), np.zeros((3, 3))])
    axes = Figure().subplots()
    assert draw_fields(axes, fields, columns=2) is axes
    sheet = np.ma.filled(axes.images[0].get_array(), np.nan)
    assert sheet.shape == (7, 7)
    assert (sheet[:3, :3] == 1).all()
    assert (sheet[:3, 4:] == -1).all()
    assert (sheet[4:, :3] == 0).all()
    assert np.isnan(sheet[3]).all()
