import math

import numpy as np
import pytest

from cortexsim.analysis.estimates import geometric_mean, slope


def test_a_geometric_mean_has_the_interval_of_its_logarithms() -> None:
    found = geometric_mean([100, 200, 400])
    half = 4.303 * math.log(2) / math.sqrt(3)
    assert found.mean == pytest.approx(200)
    assert (found.low, found.high) == pytest.approx((200 * math.exp(-half), 200 * math.exp(half)), rel=1e-3)
    assert geometric_mean([300]).low is None


def test_a_slope_is_recovered_with_the_error_of_the_textbook() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0], [2.1, 3.9, 6.2, 7.8]
    found = slope(x, y)
    assert found is not None
    (value, _), covariance = np.polyfit(x, y, 1, cov=True)
    assert (found.value, found.points) == (pytest.approx(value), 4)
    assert found.error == pytest.approx(math.sqrt(covariance[0, 0]))
    assert found.high - found.value == pytest.approx(4.3027 * found.error, rel=1e-4)
    assert slope([1, 2], [1, 2]) is None
    assert slope([1, 1, 1], [1, 2, 3]) is None


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    generator, x = np.random.default_rng(0), np.repeat([2.0, 3.0, 4.0, 5.0], 3)
    held = {"mean": 0, "slope": 0}
    for _ in range(2000):
        noise = generator.normal(0, 0.3, len(x))
        mean, line = geometric_mean(list(np.exp(5 + noise[:3]))), slope(list(x), list(1 + 1.4 * x + noise))
        assert mean.low is not None
        assert mean.high is not None
        assert line is not None
        held["mean"] += mean.low < math.exp(5) < mean.high
        held["slope"] += line.low < 1.4 < line.high
    assert all(0.935 < count / 2000 < 0.965 for count in held.values()), held
