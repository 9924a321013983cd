"""The rules of the package pass the cards that they were made for, and mutants of them do not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.protocols import pairs, run
from cortexsim.protocols.cards import find_card, known_cards
from cortexsim.protocols.cards.frequency import DATA, RATES
from cortexsim.protocols.cards.homeostasis import settled
from cortexsim.protocols.cards.plateau import width
from cortexsim.protocols.layer_rules import on_spikes, scaled
from cortexsim.rules import Neuromodulator, Rule, SpikeTiming, Trace, known_rules, load_rule

MADE_FOR = {
    "pair_window": "stdp_pair",
    "frequency": "stdp_triplet",
    "triplets": "stdp_triplet:HIPPOCAMPUS",
    "dopamine": "dopamine_stdp",
    "two_amines": "cortical_traces",
    "inhibition": "vogels_inhibitory",
    "sequential": "sequential_neuromodulation",
    "plateau": "btsp",
    "threshold": "stdp_triplet",
    "homeostasis": "scaling",
    "voltage": "clopath",
    "dendritic_prediction": "urbanczik_senn",
}


def test_every_card_has_a_rule_that_was_made_for_it() -> None:
    assert known_cards().keys() == MADE_FOR.keys()


@pytest.mark.parametrize(("card", "rule"), MADE_FOR.items())
def test_a_rule_passes_the_card_that_it_was_made_for(card: str, rule: str) -> None:
    outcome = find_card(card).examine(load_rule(rule))
    assert outcome.verdict == "pass", outcome.number
    assert any(point.data is not None for point in outcome.points)


@pytest.mark.parametrize(
    ("row", "published"),
    [("VISUAL_FULL", 0.34), ("VISUAL_MINIMAL", 0.36), ("VISUAL_NEAREST", 0.23), ("VISUAL_NEAREST_MINIMAL", 0.35)],
)
def test_rows_for_visual_cortex_make_the_error_that_was_published(row: str, published: float) -> None:
    number = find_card("frequency").examine(load_rule(f"stdp_triplet:{row}")).number
    assert abs(float(number.removeprefix("E = ")) - published) <= 0.01


def test_no_pair_rule_fits_the_dependence_on_frequency() -> None:
    """The change of a pair rule is linear in its two amplitudes, so that the best ones are a least-squares fit."""
    rule, columns = load_rule("stdp_pair"), []
    for amplitudes in ({"potentiation": 1.0, "depression": 0.0}, {"potentiation": 0.0, "depression": 1.0}):
        alone = rule.with_constants(amplitudes, {})
        columns.append([run(alone, pairs(delta / 1000, rate))[0] for delta in DATA for rate in RATES])
    data, errors = np.array([value for row in DATA.values() for value in row]).T
    basis = np.array(columns).T / errors[:, None]
    best = np.linalg.lstsq(basis, data / errors, rcond=None)[0]
    assert np.mean((basis @ best - data / errors) ** 2) > 7


def changed(name: str, **changes: object) -> Rule:
    rule = load_rule(name)
    return replace(rule, feedforward=replace(rule.feedforward, **changes))  # type: ignore[arg-type]


def swapped_amplitudes() -> Rule:
    rule = load_rule("stdp_pair")
    a, b = rule.constants["potentiation"], rule.constants["depression"]
    return rule.with_constants({"potentiation": b, "depression": a}, {})


def read_after_its_increment() -> Rule:
    """The slow postsynaptic trace holds the spike that reads it."""
    return changed("stdp_triplet", at_post="r1_pre * (potentiation + slow_potentiation * (o2_post + 1))")


def dropped_tau() -> Rule:
    traces = {"early": Trace("20 ms", "pre"), "late": Trace("20 ms", "post")}
    return changed("stdp_pair", traces=traces | {"early": Trace("1000 s", "pre")})


def wrong_sign_of_time() -> Rule:
    return changed("stdp_pair", at_pre="potentiation * late_post", at_post="-depression * early_pre")


def reward_ignored() -> Rule:
    return changed("dopamine_stdp", third="1")


def forgotten_kinetics() -> Rule:
    return changed("dopamine_stdp", tau_eligibility="3 s")


def amines_exchanged() -> Rule:
    rule = changed("cortical_traces", third="-speed * serotonin_all")
    form = rule.feedforward
    assert isinstance(form, SpikeTiming)
    (other,) = form.also
    return replace(rule, feedforward=replace(form, also=(replace(other, third="speed * noradrenaline_all"),)))


def target_missed() -> Rule:
    return load_rule("vogels_inhibitory").with_constants({"alpha": 0.125}, {})


def order_kept_under_acetylcholine() -> Rule:
    return changed("sequential_neuromodulation", at_pre="-late_post")


def weight_forgotten() -> Rule:
    return changed("btsp", always="potentiation * short_pre - depression * long_pre")


def additive() -> Rule:
    return changed("scaling", always="rate * (target - slow_post)")


def traces_that_last() -> Rule:
    """Both traces outlive every delay, and that of depression is the longer one."""
    rule = changed("cortical_traces", tau_eligibility="100 s")
    form = rule.feedforward
    assert isinstance(form, SpikeTiming)
    return replace(rule, feedforward=replace(form, also=(replace(form.also[0], tau_eligibility="200 s"),)))


def without_a_trace() -> Rule:
    """Dopamine raises active synapses for good: it works however late it comes."""
    return changed("sequential_neuromodulation", tau_eligibility="9000 s")


def traces_of_the_whole_lap() -> Rule:
    """The field is all of the track before the plateau, at every speed."""
    traces = {"short": Trace("1000 s", "pre", of="activity"), "long": Trace("1000 s", "pre", of="activity")}
    return changed("btsp", traces=traces)


def target_of_each_weight() -> Rule:
    """Strong synapses have another target than weak ones."""
    return changed("scaling", always="rate * weight * (target / weight - slow_post)")


def swapped_voltage_amplitudes() -> Rule:
    return load_rule("clopath").with_constants({"depression": 8e-5, "potentiation": 14e-5}, {})


def with_trace(name: str, trace: Trace) -> Rule:
    form = load_rule("clopath").feedforward
    assert isinstance(form, SpikeTiming)
    return changed("clopath", traces={**form.traces, name: trace})


def spike_meets_its_own_upswing() -> Rule:
    return with_trace("fast", Trace("7 ms", "post", of="voltage"))


def voltage_not_filtered() -> Rule:
    return with_trace("fast", Trace("1000 s", "post", of="voltage", delay="3 ms"))


def presynaptic_trace_kept() -> Rule:
    return with_trace("recent", Trace("1000 s", "pre"))


def no_upper_threshold() -> Rule:
    return load_rule("clopath").with_constants({"theta_plus": -70.6}, {})


def prediction_left_out() -> Rule:
    return changed("urbanczik_senn", always="0")


def prediction_of_the_wrong_sign() -> Rule:
    rule = load_rule("urbanczik_senn")
    return rule.with_constants({"eta": -rule.constants["eta"]}, {})


def rate_ten_times_too_high() -> Rule:
    return load_rule("urbanczik_senn").with_constants({"peak": 1500.0}, {})


def potential_without_decay() -> Rule:
    traces = {"slow": Trace("1000 s", "pre"), "fast": Trace("3 ms", "pre")}
    return changed("urbanczik_senn", traces=traces)


def row_mixed() -> Rule:
    """The time constants of one row, with the constants of another."""
    constants = dict(load_rule("stdp_triplet:VISUAL_NEAREST").constants)
    return load_rule("stdp_triplet:HIPPOCAMPUS").with_constants(constants, {})


@pytest.mark.parametrize(
    ("card", "mutant"),
    [
        ("pair_window", swapped_amplitudes),
        ("pair_window", dropped_tau),
        ("pair_window", wrong_sign_of_time),
        ("frequency", read_after_its_increment),
        ("triplets", row_mixed),
        ("dopamine", reward_ignored),
        ("dopamine", forgotten_kinetics),
        ("two_amines", amines_exchanged),
        ("two_amines", traces_that_last),
        ("inhibition", target_missed),
        ("sequential", order_kept_under_acetylcholine),
        ("sequential", without_a_trace),
        ("plateau", weight_forgotten),
        ("plateau", traces_of_the_whole_lap),
        ("homeostasis", additive),
        ("homeostasis", target_of_each_weight),
        ("dendritic_prediction", prediction_left_out),
        ("dendritic_prediction", prediction_of_the_wrong_sign),
        ("dendritic_prediction", rate_ten_times_too_high),
        ("dendritic_prediction", potential_without_decay),
        ("voltage", swapped_voltage_amplitudes),
        ("voltage", spike_meets_its_own_upswing),
        ("voltage", voltage_not_filtered),
        ("voltage", presynaptic_trace_kept),
        ("voltage", no_upper_threshold),
    ],
)
def test_mutants_fail(card: str, mutant: Callable[[], Rule]) -> None:
    outcome = find_card(card).examine(mutant())
    assert outcome.verdict == "fail", outcome.number


def test_scaling_brings_rates_back_to_its_target() -> None:
    """Within 5 %, from a halved and from a quadrupled drive; a rule that does not scale does not."""
    np.testing.assert_allclose(settled(load_rule("scaling")), load_rule("scaling").constants["target"], rtol=0.05)
    assert np.ptp(settled(load_rule("stdp_pair"))) > 1


def test_effects_fade_as_the_traces_do() -> None:
    points = find_card("two_amines").examine(load_rule("cortical_traces")).points
    late = {point.x: point.model for point in points if point.series == "noradrenaline late"}
    np.testing.assert_allclose([late[5.0], late[10.0]], np.exp([-4.5 / 5, -9.5 / 5]), rtol=1e-3)


@pytest.mark.parametrize(("speed", "times"), [(0.2, 2.0), (0.4, 4.0)])
def test_fields_are_as_wide_as_the_way_that_is_run_in_a_time(speed: float, times: float) -> None:
    rule = load_rule("btsp")
    assert abs(width(rule, speed) / width(rule, 0.1) / times - 1) < 0.2


def test_what_cannot_be_asked_has_a_reason() -> None:
    reasons = {
        (
            "frequency",
            "clapp",
        ): "it reads dendrite_post, derivative_post, surprise_all, which the spikes of two cells do not give",
        ("threshold", "bcm"): "it reads variance_post, which the spikes of two cells do not give",
        ("frequency", "dopamine_stdp"): "it needs dopamine, which the experiment does not give",
        ("two_amines", "stdp_pair"): "it has no noradrenaline and no serotonin",
        (
            "dendritic_prediction",
            "clopath",
        ): "it reads the voltage of the cell, which the experiment does not report",
        ("frequency", "urbanczik_senn"): "it reads the dendrite of the cell, which the experiment does not report",
        (
            "dendritic_prediction",
            "stdp_pair",
        ): "it does not read the dendrite of the cell, which is what the experiment is about",
        ("voltage", "stdp_pair"): "it does not read the voltage of the cell, which is what the experiment is about",
    }
    for (card, rule), reason in reasons.items():
        outcome = find_card(card).examine(known_rules()[rule])
        assert (outcome.verdict, outcome.number) == ("not applicable", reason)
    silent = Rule("mine", "", "", SpikeTiming(at_pre="potential_post", modulators={"tone": Neuromodulator()}))
    assert "voltage" in find_card("frequency").obstacle(silent)


@pytest.mark.parametrize("name", ["hebb", "oja"])
@pytest.mark.parametrize("card", ["frequency", "pair_window", "threshold"])
def test_rules_of_two_activities_are_asked_up_to_a_factor(name: str, card: str) -> None:
    """They read the cell when a presynaptic spike arrives, and so see no spike that comes after: they do not fit."""
    assert find_card(card).examine(known_rules()[name]).verdict == "fail"


def test_a_rule_without_a_scale_is_scaled_to_the_data() -> None:
    rule, data = on_spikes(load_rule("oja")), np.array([0.2, 0.4])
    np.testing.assert_allclose(scaled(rule, np.array([1e-9, 2e-9]), data), data)
    np.testing.assert_allclose(scaled(rule, np.array([1e-9, 2e-9]), -data), 0.0)
    np.testing.assert_allclose(scaled(load_rule("stdp_pair"), data, -data), data)
    assert on_spikes(load_rule("stdp_pair")) is load_rule("stdp_pair")


def test_a_misspelt_card_gets_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"protocol 'frequencies' is not known .did you mean 'frequency'"):
        find_card("frequencies")
