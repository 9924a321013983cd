"""Fits of constants to the points of cards: they find constants that are known, and intervals that theory gives."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.protocols.cards import Card, Result, find_card
from cortexsim.protocols.fitting import RISE, fit
from cortexsim.protocols.least_squares import Problem
from cortexsim.rules import Rule, load_rule
from cortexsim.rules.tuning import tunable, tuned

MINIMAL = ("slow_potentiation", "depression", "tau_o2")


def made_by(rule: Rule, card: Card) -> Card:
    """A card whose data are what a rule does."""
    data = [point.model for point in card.examine(rule).points]

    def measure(other: Rule) -> Result:
        points = card.measure(other).points
        return Result([p._replace(data=value) for p, value in zip(points, data, strict=True)], "", True)

    return replace(card, measure=measure)


@pytest.mark.parametrize(
    ("rule", "card", "truth"),
    [
        ("stdp_triplet", "frequency", {"slow_potentiation": 5e-3, "depression": 9e-3, "tau_o2": 0.08}),
        ("stdp_pair", "pair_window", {"potentiation": 0.02, "tau_early": 0.01}),
    ],
)
def test_constants_are_recovered_from_points_that_the_rule_made(
    rule: str, card: str, truth: Mapping[str, float]
) -> None:
    made = made_by(tuned(load_rule(rule), truth), find_card(card))
    found = fit(Problem(load_rule(rule), made, tuple(truth)), starts=1, seed=0)
    assert found.errors[0] > 100 * found.errors[1]
    for name, value in truth.items():
        np.testing.assert_allclose(found.values[name], value, rtol=1e-2)


def test_the_triplet_rule_finds_its_error_again_from_a_poor_start() -> None:
    start = {"slow_potentiation": 0.03, "depression": 0.001, "tau_o2": 0.02}
    found = fit(Problem(tuned(load_rule("stdp_triplet"), start), find_card("frequency"), MINIMAL), starts=1, seed=0)
    before, after = found.errors
    assert before > 3
    assert after <= 0.36
    assert abs(float(find_card("frequency").examine(found.rule).number.removeprefix("E = ")) - after) < 0.01
    published = tunable(load_rule("stdp_triplet"))
    for name, profile in found.profiles.items():
        assert profile.low is not None
        assert profile.high is not None
        assert profile.low < published[name] < profile.high
        assert (np.diff(profile.values) > 0).all()
        assert profile.errors.min() >= after * (1 - 1e-4)


def test_amplitudes_have_the_values_and_intervals_of_linear_least_squares() -> None:
    rule, card, names = load_rule("stdp_pair"), find_card("frequency"), ("potentiation", "depression")
    points = card.examine(rule).points
    data, errors = np.array([(p.data, p.error) for p in points], dtype=float).T
    columns = [
        [point.model for point in card.examine(tuned(rule, dict(zip(names, pair, strict=True)))).points]
        for pair in ((1.0, 0.0), (0.0, 1.0))
    ]
    basis = np.array(columns).T / errors[:, None]
    wanted, covariance = np.linalg.lstsq(basis, data / errors)[0], np.linalg.inv(basis.T @ basis)
    found = fit(Problem(rule, card, names), starts=1, seed=0)
    np.testing.assert_allclose(found.errors[1], np.mean((basis @ wanted - data / errors) ** 2), rtol=1e-6)
    for name, value, variance in zip(names, wanted, np.diag(covariance), strict=True):
        profile, half = found.profiles[name], np.sqrt(RISE * variance)
        ends = np.maximum(value + half * np.arange(-1, 2), 0.0)  # An amplitude does not become negative.
        np.testing.assert_allclose([profile.low, profile.fitted, profile.high], ends, rtol=1e-3, atol=1e-9)


def test_a_constant_without_effect_has_no_interval() -> None:
    found = fit(Problem(load_rule("stdp_triplet"), find_card("frequency"), ("tau_r2", "depression")), starts=1, seed=0)
    flat = found.profiles["tau_r2"]
    assert (flat.low, flat.high) == (None, None)
    assert np.ptp(flat.errors) < 1e-6
    assert flat.fitted == flat.start
    assert found.profiles["depression"].low is not None


def test_a_start_is_drawn_again_with_the_same_seed() -> None:
    problem = Problem(load_rule("stdp_pair"), find_card("frequency"), ("potentiation", "depression"))
    said: list[tuple[int, int, str]] = []
    for _ in range(2):
        fit(problem, starts=3, seed=4, say=lambda *step: said.append(step))
    assert said[:5] == said[5:]
    assert [step[:2] for step in said[:5]] == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize(
    ("rule", "card", "names", "complaint"),
    [
        ("stdp_pair", "dopamine", (), "protocol 'dopamine' cannot be asked of rule 'stdp_pair': it has no dopamine"),
        ("dopamine_stdp", "dopamine", (), "protocol 'dopamine' has no measured points"),
        ("oja", "frequency", (), "rule 'oja' has no constants to fit"),
        ("stdp_pair", "frequency", ("tau_lat",), r"no 'tau_lat' \(did you mean 'tau_late'\?\)"),
    ],
)
def test_what_cannot_be_fitted_is_refused(rule: str, card: str, names: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Problem(load_rule(rule), find_card(card), names)


def test_more_constants_than_points_are_refused() -> None:
    card = find_card("frequency")
    few = replace(card, recorded=lambda point: point.x == 10)
    with pytest.raises(UserError, match="2 points do not determine 4 constants"):
        Problem(load_rule("stdp_pair"), few)
