"""Pairings of spikes, beside an integration of the rule in NumPy that shares no code with it."""

import numpy as np
import pytest

from cortexsim.spiking.lpl.pairing import Pairings, pair

DT, WHOLE = 1e-4, 5000  # Seconds; steps from one change of weights to the next.


def clamped(step: int, spikes: list[int]) -> float:
    """Voltage that is imposed, in volt."""
    if any(step in (spike - 1, spike) for spike in spikes):
        return -20e-3
    return -51e-3 - 9e-3 * np.clip((step - spikes[-1]) * DT / 5e-3 - 1, 0, 1)


def integrated(pairings: Pairings, every: int) -> np.ndarray:
    """Integrate LPL's spiking rule by Euler's method, synapses by updates of every so many steps.

    Returns:
        Relative changes of weights, (synapses,).
    """
    spacing = round(1 / (pairings.frequency * DT))
    post = [1000 + number * spacing for number in range(pairings.count)]
    pre = np.rint((0.1 - pairings.delays) / DT)[:, None] + spacing * np.arange(pairings.count)  # (synapses, spikes)
    mean, variance, xi, delay = pairings.mean, pairings.variance, 1e-3, 200 // every
    synapse = psp = first = second = total = np.zeros(len(pre))
    weight, slope, hebb, train, kept = np.full(len(pre), 0.5), 0.0, [0.0, 0.0], [0.0, 0.0], [0.0] * delay
    for step in range(pairings.steps + 1):
        if step % every == 0 and step:
            error = hebb[1] - (train[1] - kept[0])
            total = total + second * error * every / WHOLE
            first = first + (1 - np.exp(-every * DT / 2e-3)) * (psp * slope / every - first)
            second = second + (1 - np.exp(-every * DT / 10e-3)) * (first - second)
            kept, slope = [*kept[1:], train[1]], 0.0
            if step % WHOLE == 0:
                weight = np.clip(weight + 1e-2 * 2e-3 * total, 0, 1)
                total = np.zeros(len(pre))
        slope += 1e3 / (1 + 1e3 * abs(clamped(step, post) + 50e-3)) ** 2
        hebb = [
            hebb[0] + DT / 2e-3 * (-mean / (variance + xi) - hebb[0]),
            hebb[1] + DT / 10e-3 * (hebb[0] - hebb[1]),
        ]
        train = [train[0] * (1 - DT / 2e-3), train[1] + DT / 10e-3 * (train[0] - train[1])]
        synapse, psp = synapse * (1 - DT / 5e-3), psp + DT / 20e-3 * (synapse - psp)
        mean, variance = mean * (1 - DT / 600), variance + DT / 300 * (mean**2 * DT - variance)
        if step in post:
            hebb[0] += 1 / (variance + xi) / 2e-3
            train[0] += 1 / 2e-3
            variance += (1 - 2 * mean * DT) / 300
            mean += 1 / 600
        synapse = synapse + (pre == step).any(1)
    return weight / 0.5 - 1


@pytest.mark.parametrize(("variance", "every"), [(0.1, 10), (100.0, 10), (1.0, 20)])
def test_pairings_agree_with_an_integration_in_numpy(variance: float, every: int) -> None:
    protocol = Pairings(10.0, widest=50e-3, mean=10.0, variance=variance, count=2)
    changes = pair(protocol, every, target="numpy")
    assert np.abs(changes).max() > 1e-4
    assert np.allclose(changes, integrated(protocol, every), rtol=1e-6, atol=1e-6 * np.abs(changes).max())


def test_a_protocol_ends_after_its_longest_duration() -> None:
    assert Pairings(0.1, 20e-3, 20.0, 0.1).given == 20
    assert Pairings(10.0, 20e-3, 20.0, 0.1).given == 100
    assert Pairings(10.0, 20e-3, 20.0, 0.1).steps % WHOLE == 0
