"""Firing rates of the input of LPL's spiking network: signals that repeat, their shuffled controls, and a constant.

Halvagal & Zenke, Nature Neuroscience 2023, Methods; constants from the released code.
"""

import numpy as np

from cortexsim.seeds import stream

POPULATIONS = ("constant", "signal 1", "control 1", "signal 2", "control 2")
BASE_RATE, AMPLITUDE, FLOOR = 5.0, 4.0, 0.1  # Hz: mean and standard deviation of a signal, and its least rate.
PERIODS = (3.0, 3.0 + 1 / 13)  # Seconds.
REPEATS, SAMPLING = 11, 10e-3  # Periods before everything repeats; seconds between values.
HARMONICS, FALL = 128, 1.1  # Each amplitude is drawn from [0, 1], and divided by 1.1 from one harmonic to the next.


def periodic_signal(period: float, generator: np.random.Generator) -> np.ndarray:
    """Draw a signal of random harmonics, standardised, and turn it into rates.

    Args:
        period: in seconds.
        generator: of amplitudes and phases.

    Returns:
        Rates in Hz, every `SAMPLING` seconds for `REPEATS` periods, (values,).
    """
    times = np.arange(round(REPEATS * period / SAMPLING)) * SAMPLING
    amplitudes, phases = generator.random((2, HARMONICS))
    order = np.arange(HARMONICS)
    cycles = order * (times[:, None] + phases) / period
    signal = np.sin(2 * np.pi * cycles) @ (amplitudes / FALL**order)
    return np.maximum(BASE_RATE + AMPLITUDE * (signal - signal.mean()) / signal.std(), FLOOR)


def population_rates(seed: int) -> list[np.ndarray]:
    """Draw the rates of all populations, in the order of `POPULATIONS`.

    >>> constant, signal, control, *_ = population_rates(seed=0)
    >>> constant.tolist(), signal.shape  # Eleven periods of 3 s, every 10 ms.
    ([5.0], (3300,))
    >>> bool((np.sort(signal) == np.sort(control)).all())  # The same rates, in another order.
    True

    Returns:
        Of each, rates in Hz every `SAMPLING` seconds, (values,), which repeat for ever.
    """
    found = [np.array([BASE_RATE])]
    for number, period in enumerate(PERIODS):
        signal = periodic_signal(period, stream(seed, "signal", number))
        found += [signal, stream(seed, "shuffle", number).permutation(signal)]
    return found


def rates_at(rates: list[np.ndarray], times: np.ndarray) -> np.ndarray:
    """Interpolate rates at given times, linearly between their values.

    Args:
        rates: of each population, (values,).
        times: in seconds, (times,).

    Returns:
        Rates in Hz, (times, populations).
    """
    places = times / SAMPLING
    return np.stack([np.interp(places, np.arange(len(r)), r, period=len(r)) for r in rates], axis=1)
