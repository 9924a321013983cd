"""The rates of the input populations."""

import numpy as np

from cortexsim.seeds import stream
from cortexsim.spiking.lpl.signals import (
    AMPLITUDE,
    BASE_RATE,
    FLOOR,
    PERIODS,
    POPULATIONS,
    REPEATS,
    SAMPLING,
    periodic_signal,
    population_rates,
    rates_at,
)


def test_a_signal_has_the_mean_the_deviation_and_the_floor_that_are_stated() -> None:
    for seed in range(5):
        rates = periodic_signal(3.0, stream(seed, "signal"))
        assert rates.min() == FLOOR
        above = rates[rates > FLOOR]
        # What lies below the floor is raised to it, which raises the mean a little and lowers the deviation.
        assert BASE_RATE <= rates.mean() < 1.06 * BASE_RATE
        assert 0.9 * AMPLITUDE < rates.std() <= AMPLITUDE
        assert len(above) > 0.8 * len(rates)


def test_signals_repeat_with_their_period_and_controls_do_not() -> None:
    constant, *others = population_rates(1)
    assert constant.tolist() == [BASE_RATE]
    for signal, control, period in zip(others[::2], others[1::2], PERIODS, strict=True):
        assert len(signal) == round(REPEATS * period / SAMPLING)
        assert np.array_equal(np.sort(signal), np.sort(control))
        lag = round(period / SAMPLING)
        after, before = (np.corrcoef(rates[lag:], rates[:-lag])[0, 1] for rates in (signal, control))
        assert after > 0.9
        assert abs(before) < 0.1


def test_rates_are_interpolated_and_repeat() -> None:
    rates = population_rates(1)
    duration = len(rates[1]) * SAMPLING
    times = np.array([0.0, SAMPLING, SAMPLING / 2, duration])
    found = rates_at(rates, times)
    assert found.shape == (4, len(POPULATIONS))
    assert np.allclose(found[:2, 1], rates[1][:2])
    assert np.isclose(found[2, 1], rates[1][:2].mean())
    assert np.isclose(found[3, 1], rates[1][0])
