"""Random windows of samples on a grid."""

import numpy as np
import pytest

from cortexsim.seeds import stream
from cortexsim.tasks.windows import FAINTEST, SMALLEST, GridData


@pytest.mark.parametrize("grid", [(20,), (9, 12)])
def test_a_window_of_a_ramp_is_a_ramp(grid: tuple[int, ...]) -> None:
    """Along each axis: a part of it of at least the smallest size, at any place, and its contrast."""
    ramps = np.stack([axis.ravel() for axis in np.indices(grid)], 1).astype(np.float32) + 1  # (positions, axes)
    data = GridData(np.repeat(ramps[None], 300, 0), np.zeros(300, np.int64), grid)
    views = data.second_view(1, stream(0, "view")).inputs.reshape(300, *grid, len(grid)).astype(float)
    for axis, size in enumerate(grid):
        values = np.moveaxis(views[..., axis], axis + 1, 1).reshape(300, size, -1)[:, :, 0]
        steps = np.diff(values, axis=1)
        assert np.abs(steps - steps[:, :1]).max() < 1e-5
        start, end = values[:, 0], values[:, -1]
        share = (end - start) / (size - 1)  # Of the axis, times the contrast.
        assert FAINTEST * SMALLEST - 1e-6 < share.min() < 0.55
        assert 0.85 < share.max() < 1
        assert (start / end > 1 / size - 1e-6).all()
        assert np.std(start / end) > 0.02


def test_views_follow_from_their_stream() -> None:
    data = GridData(np.random.default_rng(0).random((5, 16, 1)).astype(np.float32), np.arange(5), (4, 4))
    first, again, other = (data.second_view(1, stream(seed, "view")) for seed in (0, 0, 1))
    assert (first.inputs == again.inputs).all()
    assert (first.inputs != other.inputs).any((1, 2)).all()
    assert (first.labels == data.labels).all()
    assert len(data[1:3].second_view(1, stream(0, "view"))) == 2
