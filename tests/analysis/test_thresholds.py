import math
from pathlib import Path

import numpy as np
import pytest

from cortexsim.analysis import threshold_panels
from cortexsim.analysis.sample_complexity import Threshold
from cortexsim.analysis.thresholds import SweepThresholds, fit
from tests.quick import slow_but


def known(*values: float) -> Threshold:
    """Enclose values so closely that the brackets count for nothing."""
    return Threshold(tuple(value / 1.0001 for value in values), tuple(value * 1.0001 for value in values))


def sweep(
    varies: str, values: tuple[float, ...], law: tuple[float, ...], **found: tuple[Threshold, ...]
) -> SweepThresholds:
    return SweepThresholds(
        "s", varies, "v = 8", values, {"n_c m^L": law, "v m³/(1-f)": (7.0,) * len(law)}, found, "backprop"
    )


def around(centre: float) -> Threshold:
    return known(centre / 1.1, centre, centre * 1.1)


def test_growth_by_depth_is_recovered_beside_that_of_the_laws() -> None:
    law = tuple(8.0 * 4**depth for depth in (2, 3, 4, 5))
    swept = sweep("depth", (2, 3, 4, 5), law, backprop=tuple(around(1.5 * p) for p in law))
    found = fit(swept, "backprop")
    assert found is not None
    assert found.slope.value == pytest.approx(math.log(4))
    assert found.slope.low < math.log(4) < found.slope.high
    assert 0 < found.slope.error < 0.05
    assert found.laws == pytest.approx({"n_c m^L": math.log(4), "v m³/(1-f)": 0}, abs=1e-12)


def test_exponents_of_multiplicity_and_features_are_recovered() -> None:
    for varies, power in (("multiplicity", 3.0), ("features", 1.0)):
        law = tuple(5 * value**power for value in (2, 3, 4))
        found = fit(sweep(varies, (2, 3, 4), law, clapp=tuple(around(p) for p in law)), "clapp")
        assert found is not None
        assert found.slope.value == pytest.approx(power)
        assert found.laws["n_c m^L"] == pytest.approx(power)
    assert fit(sweep("fraction", (0.2, 0.5, 1), (1, 2, 3), clapp=(around(1),) * 3), "clapp") is None


def test_values_with_a_bounded_seed_are_left_out_of_the_fit_and_named() -> None:
    bounded = Threshold((1000, 64, 64), (1100, math.inf, math.inf))
    swept = sweep("depth", (2, 3, 4), (10, 100, 1000), clapp=(around(10), around(100), bounded))
    found = fit(swept, "clapp")
    assert found is not None
    assert found.slope.value == pytest.approx(math.log(10))
    assert (found.slope.points, found.left_out) == (6, (4,))
    assert fit(sweep("depth", (2, 3), (1, 2), clapp=(bounded, bounded)), "clapp") is None


def test_a_law_without_a_value_has_no_slope() -> None:
    found = fit(sweep("multiplicity", (2, 4, 8), (1, 2, math.inf), clapp=(around(1), around(2), around(4))), "clapp")
    assert found is not None
    assert set(found.laws) == {"v m³/(1-f)"}


def test_ratios_are_taken_seed_by_seed() -> None:
    swept = sweep("depth", (2,), (1,), backprop=(known(100, 1000),), clapp=(known(200, 2000),))
    ratio = swept.ratio("clapp", 0)
    assert ratio is not None
    assert ratio.values == pytest.approx((2, 2))
    assert (ratio.estimate.low, ratio.estimate.high) == pytest.approx((2, 2), rel=1e-3)
    assert swept.ratio("backprop", 0) is None


def test_what_lies_beyond_is_written_as_a_bound() -> None:
    bounded = Threshold((50.0, 200.0), (60.0, math.inf))
    assert bounded.text() == "> 100 (1 of 2 beyond)"
    assert bounded.estimate.low is None
    assert Threshold((64, 64), (math.inf, math.inf)).text() == "> 64"
    assert Threshold((0, 64), (32, 128)).text() == "<= 64 (1 of 2 below)"
    assert Threshold((0, 64), (32, math.inf)).text() == "not enclosed"
    assert bounded.over(known(50, 100)).text(1) == "> 1.4 (1 of 2 beyond)"  # type: ignore[union-attr]
    assert known(50, 100).over(bounded).text(1) == "<= 0.7 (1 of 2 below)"  # type: ignore[union-attr]
    assert bounded.over(bounded) is None


def test_one_grammar_has_a_bracket_and_no_interval() -> None:
    assert Threshold((54,), (64,)).text() == "54 to 64"
    assert Threshold((54,), (64,)).estimate.low is None


def test_sizes_too_far_apart_are_told_instead_of_a_mean() -> None:
    assert Threshold((256, 512), (512, 1024)).text() == "256 to 1024"
    assert Threshold((724, 724), (1024, 1024)).text() == "861 (724 to 1024)"


def test_an_interval_is_no_narrower_than_the_brackets() -> None:
    same = Threshold((1722, 1722, 1722), (2048, 2048, 2048))
    assert (same.estimate.low, same.estimate.high) == pytest.approx((1722, 2048))
    ratio = same.over(same)
    assert ratio is not None
    assert (ratio.estimate.low, ratio.estimate.high) == pytest.approx((1722 / 2048, 2048 / 1722))


def test_seeds_of_a_grammar_are_averaged_before_grammars_are_counted() -> None:
    wide = [(100.0, 110.0), (400.0, 440.0)]
    found = Threshold.of({7: wide, 8: wide})
    assert found.low == pytest.approx((200, 200))
    assert found.values == pytest.approx((200 * math.sqrt(1.1),) * 2)
    assert found.estimate.high == pytest.approx(220)  # Seeds differ fourfold, grammars do not.
    assert Threshold.of({7: [(100.0, math.inf), (400.0, 440.0)]}).text() == "> 200"


@pytest.mark.parametrize("deviation", slow_but([0.1], [0.0, 0.1, 0.3]))
def test_intervals_hold_p_star_at_least_as_often_as_they_say(deviation: float) -> None:
    """Three grammars, on a grid of quarters of an octave that knows nothing of P*."""
    generator, step, held, held_ratio = np.random.default_rng(1), math.log(2) / 4, 0, 0
    for _ in range(2000):
        centres = generator.uniform(5, 7, 2)
        several = []
        for centre in centres:
            index = np.floor(generator.normal(centre, deviation, 3) / step)
            several.append(Threshold(tuple(np.exp(index * step)), tuple(np.exp((index + 1) * step))))
        ratio = several[0].over(several[1])
        assert ratio is not None
        (low, high), (less, more) = ((t.estimate.low or 0, t.estimate.high or 0) for t in (several[0], ratio))
        held += low <= math.exp(centres[0]) * (1 + 1e-9) and math.exp(centres[0]) <= high * (1 + 1e-9)
        held_ratio += less <= math.exp(centres[0] - centres[1]) <= more
    assert held / 2000 > 0.94
    assert held_ratio / 2000 > 0.94


def test_bounds_are_drawn_as_open_triangles_apart_from_the_line(tmp_path: Path) -> None:
    bounded = Threshold((64, 64), (math.inf, math.inf))
    swept = sweep("fraction", (0.5, 0.75, 1), (10, 20, math.inf), clapp=(known(10, 11), known(20, 22), bounded))
    figure = threshold_panels.thresholds([swept, swept])
    axes = figure.axes[0]
    triangles = [line for line in axes.lines if line.get_marker() == "^"]
    assert [line.get_ydata()[0] for line in triangles] == pytest.approx([64])
    assert triangles[0].get_markerfacecolor() == "none"
    curve = next(line for line in axes.lines if line.get_label() == "clapp")
    assert [math.isnan(y) for y in curve.get_ydata()] == [False, False, True]
    law = next(line for line in axes.lines if line.get_label() == "$n_c m^L$")
    assert [math.isnan(y) for y in law.get_ydata()] == [False, False, True]
    assert axes.get_yscale() == "log"
    figure.savefig(tmp_path / "figure.png")
