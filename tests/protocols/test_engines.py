"""The two engines agree with each other and with closed forms, for every rule of single spikes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.protocols import Protocol, Pulse, mean_change, pairs, poisson, repeated, run
from cortexsim.rules import Neuromodulator, Rule, SpikeTiming, Term, Trace, known_rules, load_rule
from cortexsim.seeds import stream

KNOWN = sorted(name for name, rule in known_rules().items() if isinstance(rule.feedforward, SpikeTiming))
NAMES = [*KNOWN, "stdp_triplet:VISUAL_FULL", "stdp_triplet:VISUAL_NEAREST", "stdp_triplet:HIPPOCAMPUS"]
TARGETS: tuple[Literal["cython", "numpy"], ...] = ("cython", "numpy")
EVERYTHING = Rule(
    "everything",
    "",
    "",
    SpikeTiming(
        at_post="early_pre * (1 - eligibility)",
        at_pre="-low_post / 100 * int(potential_post > -60)",
        always="clip(potential_post + 65, 0, 10) * early_pre",
        third="reward_all * (2 - weight)",
        tau_eligibility="300 ms",
        traces={"early": Trace("20 ms", "pre"), "low": Trace("50 ms", "post", of="voltage")},
        modulators={"reward": Neuromodulator(baseline=0.1, expectation=0.5), "tone": Neuromodulator("50 ms")},
        also=(Term(at_post="early_pre", third="0.1 * tone_all"),),
    ),
)


def on_grid(form: SpikeTiming, generator: np.random.Generator, dt: float = 1e-3) -> Protocol:
    """Random spikes of three synapses, and pulses, on a grid; some cells spike together."""
    steps, names = 400, list(form.modulators)
    pre, post = ([generator.choice(np.arange(1, steps - 40), 12, replace=False) for _ in range(3)] for _ in range(2))
    post[0][:2] = pre[0][:2]
    trains = [[np.sort(each) * dt for each in side] for side in (pre, post)]
    pulses = {name: [Pulse(0.09 + 0.01 * k), Pulse(0.25, 0.5), Pulse(0.2, 2.0, 0.1)] for k, name in enumerate(names)}
    reads_voltage = any(trace.of == "voltage" for trace in form.traces.values())
    volts = generator.uniform(-80, -40, (steps // 20, 3)) if reads_voltage else None
    held = {"potential": volts, "potential_step": 20 * dt}
    if any(trace.delay for trace in form.traces.values()):
        held = {"potential": np.repeat(volts, 20, axis=0), "potential_step": dt}  # type: ignore[arg-type]
    if any("dendrite_post" in text.names for text in form.texts().values()):
        held |= {"dendrite": generator.uniform(-65, -50, (steps // 20, 3)), "potential_step": 20 * dt}
    return Protocol(*trains, duration=steps * dt, weight=[0.4, 0.5, 0.6], pulses=pulses, **held)


@pytest.mark.parametrize("rule", [*map(load_rule, NAMES), EVERYTHING], ids=[*NAMES, "everything"])
def test_brian_and_numpy_agree(rule: Rule) -> None:
    assert isinstance(rule.feedforward, SpikeTiming)
    protocol = on_grid(rule.feedforward, stream(3, "test"))
    wanted = run(rule, protocol)
    assert np.abs(wanted).min() > 1e-6
    # A threshold that is crossed within a step of the voltage is a kink; and a trace of 3 ms needs short steps.
    dt, tolerance = (1e-4, 1e-5) if rule.name in ("clopath", "urbanczik_senn") else (1e-3, 1e-6)
    np.testing.assert_allclose(run(rule, protocol, "brian2", dt=dt), wanted, rtol=tolerance, atol=1e-10)


def test_a_delayed_voltage_is_read_late() -> None:
    """A step of 10 mV at 50 ms, through a filter of 10 ms, read 3 ms late by a spike at 60 ms."""
    form = SpikeTiming(at_pre="low_post", traces={"low": Trace("10 ms", "post", of="voltage", delay="3 ms")})
    volts = np.where(np.arange(100) < 50, -70.0, -60.0)
    protocol = Protocol([[0.06]], [[]], 0.1, potential=volts)
    wanted = -70 + 10 * (1 - np.exp(-0.7))
    np.testing.assert_allclose(run(Rule("late", "", "", form), protocol), wanted, rtol=1e-12)
    np.testing.assert_allclose(run(Rule("late", "", "", form), protocol, "brian2", dt=1e-3), wanted, rtol=1e-9)
    with pytest.raises(UserError, match="delays a voltage by 3 ms, no whole number of the steps of 2 ms of this"):
        run(Rule("late", "", "", form), replace(protocol, potential=volts[::2], potential_step=2e-3))
    with pytest.raises(UserError, match="delay = '3 ms': of voltages, not of spike"):
        Trace("10 ms", "pre", delay="3 ms")


@pytest.mark.slow
def test_a_compiled_run_is_the_interpreted_one() -> None:
    rule = load_rule("stdp_triplet")
    assert isinstance(rule.feedforward, SpikeTiming)
    protocol = on_grid(rule.feedforward, stream(3, "test"))
    compiled, interpreted = (run(rule, protocol, "brian2", dt=1e-3, target=target) for target in TARGETS)
    assert np.abs(interpreted).min() > 1e-6
    np.testing.assert_allclose(compiled, interpreted, rtol=1e-9)


def test_times_between_steps_are_rounded_to_half_a_step() -> None:
    rule, spikes = load_rule("stdp_pair"), pairs(0.01003, rate=20.0, count=3)
    relative = np.abs(run(rule, spikes, "brian2", dt=1e-4) / run(rule, spikes) - 1)
    assert 1e-6 < relative < 0.5 * 1e-4 / 0.0168


@pytest.mark.parametrize("delta", [0.004, 0.03, -0.004, -0.03])
def test_a_pair_is_its_closed_form(delta: float) -> None:
    rule = load_rule("stdp_pair")
    a, b = rule.constants["potentiation"], rule.constants["depression"]
    wanted = a * np.exp(-delta / 0.0168) if delta > 0 else -b * np.exp(delta / 0.0337)
    np.testing.assert_allclose(run(rule, pairs(delta, 1.0, count=1)), wanted, rtol=1e-9)


def test_a_spike_is_read_before_it_adds_to_its_own_trace() -> None:
    """A single pair leaves nothing where potentiation needs an earlier postsynaptic spike."""
    rule = load_rule("stdp_triplet:VISUAL_MINIMAL")
    assert run(rule, pairs(0.01, 1.0, count=1))[0] == 0
    second = run(rule, repeated([0.0], [-0.02, 0.01], 1.0, 1))[0] - run(rule, repeated([0.0], [-0.02], 1.0, 1))[0]
    np.testing.assert_allclose(second, 6.5e-3 * np.exp(-0.01 / 0.0168 - 0.03 / 0.114), rtol=1e-9)


def test_cells_that_spike_together_do_not_read_each_other() -> None:
    assert run(load_rule("stdp_pair"), pairs(0.0, 1.0, count=1))[0] == 0
    assert run(load_rule("stdp_pair"), pairs(0.0, 1.0, count=1), "brian2")[0] == 0


def test_of_nearest_spikes_the_last_one_counts() -> None:
    nearest = Trace("20 ms", "pre", pairing="nearest")
    form, spikes = SpikeTiming(at_post="early_pre", traces={"early": nearest}), Protocol([[0.1, 0.11]], [[0.12]], 0.2)
    np.testing.assert_allclose(run(Rule("nearest", "", "", form), spikes), np.exp(-0.5), rtol=1e-12)
    every = replace(form, traces={"early": replace(nearest, pairing="all")})
    np.testing.assert_allclose(run(Rule("every", "", "", every), spikes), np.exp(-0.5) + np.exp(-1), rtol=1e-12)


def rewarded(modulator: Neuromodulator, tau: str = "1 s") -> Rule:
    form = SpikeTiming(at_pre="1", third="reward_all", tau_eligibility=tau, modulators={"reward": modulator})
    return Rule("mine", "", "", form)


def test_a_pulse_without_decay_is_the_limit_of_a_short_one() -> None:
    protocol = Protocol([[0.1]], [[]], 2.0, pulses={"reward": [Pulse(0.6, 3.0)]})
    np.testing.assert_allclose(run(rewarded(Neuromodulator()), protocol), 3 * np.exp(-0.5), rtol=1e-12)
    short = run(rewarded(Neuromodulator("0.01 ms")), protocol)
    np.testing.assert_allclose(short, 3 * np.exp(-0.5) / (1 + 1e-5), rtol=1e-9)


def test_an_expected_reward_is_not_broadcast() -> None:
    protocol = Protocol([[0.1]], [[]], 1.0, pulses={"reward": [Pulse(time) for time in (0.2, 0.3, 0.4)]})
    change = run(rewarded(Neuromodulator(expectation=0.5), "100 s"), protocol)
    np.testing.assert_allclose(change, np.exp([-1e-3, -2e-3, -3e-3]) @ [1, 0.5, 0.25], rtol=1e-9)


def test_bounds_are_kept() -> None:
    rule = load_rule("dopamine_stdp")
    protocol = Protocol([[0.1]], [[0.11]], 5.0, weight=3.99, pulses={"dopamine": [Pulse(0.2, 100.0)]})
    np.testing.assert_allclose(run(rule, protocol), 0.01)
    np.testing.assert_allclose(run(rule, protocol, "brian2", dt=1e-3), 0.01)


def test_hours_of_silence_are_cheap_and_exact() -> None:
    protocol = Protocol([[0.1]], [[0.11]], 36000.0, pulses={"dopamine": [Pulse(1.11)]})
    np.testing.assert_allclose(run(load_rule("dopamine_stdp"), protocol), 0.1 * np.exp(-0.5 - 1) / 1.2, rtol=1e-10)


def test_poisson_spikes_change_weights_as_rates_do() -> None:
    rule, generator, rates = load_rule("stdp_triplet"), stream(2, "test"), np.repeat([8.0, 30.0], 40)
    protocol = Protocol(poisson([20.0] * 80, 60.0, generator), poisson(rates, 60.0, generator), 60.0)
    found = run(rule, protocol).reshape(2, 40) / 60
    error = found.std(axis=1) / np.sqrt(40)
    wanted = mean_change(rule, 20.0, np.array([8.0, 30.0]))
    assert (np.abs(found.mean(axis=1) - wanted) < 4 * error).all()
    assert (error < np.abs(wanted) / 3).all()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"pre": [[0.1], [0.2]]}, "spikes of 2 presynaptic and 1 postsynaptic cells"),
        ({"post": [[1.5]]}, "post of synapse 0: times must be at least 0 and below the duration"),
        ({"duration": 0.0}, "not a time above 0"),
        ({"weight": [1.0, 2.0]}, "2.* numbers for 1 synapses"),
        ({"pulses": {"dopamine": [Pulse(-1.0)]}}, "pulses of dopamine: times"),
        ({"pulses": {"dopamine": [Pulse(0.5, 1.0, -0.05)]}}, r"pulses of dopamine: duration = -0.05: not a time of 0"),
        ({"pulses": {"dopamine": [Pulse(0.5, 1.0, np.nan)]}}, "pulses of dopamine: duration = nan: not a time"),
        ({"pulses": {"dopamine": [Pulse(0.5, np.nan)]}}, "pulses of dopamine: size = nan: not a finite number"),
        ({"pre": [[0.1, 0.3, 0.1]]}, r"pre of synapse 0: several spikes at 0.1 s"),
        ({"potential": np.zeros(9), "potential_step": 0.0}, "potential_step = 0.0: not a time above 0"),
        ({"potential": np.zeros(0)}, r"potential: an array of shape \(0,\), not \(steps,\) or \(steps, 1\), of 1 step"),
        ({"potential": np.zeros(())}, r"potential: an array of shape \(\), not"),
        ({"dendrite": np.zeros((9, 3))}, r"dendrite: an array of shape \(9, 3\), not"),
        ({"potential": np.full(9, np.nan)}, "potential: has nan or infinite values"),
    ],
)
def test_impossible_protocols_are_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Protocol(**({"pre": [[0.1]], "post": [[0.2]], "duration": 1.0} | changes))


def test_what_cannot_be_asked_is_refused() -> None:
    spikes = pairs(0.01, 1.0, count=1)
    with pytest.raises(UserError, match="rule 'clapp': is of activities of layers"):
        run(load_rule("clapp"), spikes)
    with pytest.raises(UserError, match="reads the voltage"):
        run(EVERYTHING, spikes)
    with pytest.raises(UserError, match="reads the dendrite"):
        run(load_rule("urbanczik_senn"), spikes)
    with pytest.raises(UserError, match="dendrite: 2 steps, beside 3 of the potential"):
        replace(spikes, potential=np.zeros(3), dendrite=np.zeros(2))
    with pytest.raises(UserError, match="has no modulator 'dopamine'"):
        run(load_rule("stdp_pair"), replace(spikes, pulses={"dopamine": [Pulse(0.1)]}))
    with pytest.raises(UserError, match="engine = 'nest': not known"):
        run(load_rule("stdp_pair"), spikes, "nest")  # type: ignore[arg-type]


def test_one_cell_may_spike_alone() -> None:
    alone = repeated([], [0.01], 10.0, 60)
    assert (len(alone.pre[0]), len(alone.post[0])) == (0, 60)
    assert run(load_rule("stdp_pair"), alone)[0] == 0
    np.testing.assert_allclose(alone.post[0], repeated([0.0], [0.01], 10.0, 60).post[0])


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (lambda: pairs(0.01, 1.0, count=0), "count = 0: not a number of repetitions"),
        (lambda: pairs(0.01, 0.0), "rate = 0.0: not a number above 0, in Hz"),
        (lambda: pairs(0.01, np.nan), "rate = nan: not a number above 0, in Hz"),
        (lambda: repeated([], [], 1.0, 2), "pre and post: no spikes"),
        (lambda: poisson([1.0, -1.0], 1.0, stream(0, "test")), "rates = -1: not a rate of 0 or more, in Hz"),
        (lambda: mean_change(load_rule("stdp_pair"), -10.0, 10.0), "pre = -10: not a rate of 0 or more, in Hz"),
        (lambda: mean_change(load_rule("stdp_pair"), 1.0, np.array([1.0, np.nan])), "post = nan: not a rate"),
    ],
)
def test_impossible_trains_and_rates_are_refused(asked: Callable[[], object], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        asked()
