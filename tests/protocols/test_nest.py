"""NEST beside the reference, where it is installed (pip install nest-simulator)."""

import numpy as np
import pytest

from cortexsim.protocols import pairs, run
from cortexsim.rules import load_rule

pytestmark = pytest.mark.slow
nest = pytest.importorskip("nest")

DELAY = 1.0  # ms; all of NEST's delay is dendritic, so that postsynaptic spikes are given that much earlier.


def synapse(pre: list[float], post: list[float], model: str, parameters: dict[str, float], duration: float) -> float:
    """Weight in NEST after two parrot neurons have spiked at given times, s."""
    cells = nest.Create("parrot_neuron", 2)
    for cell, times, shift in zip(cells, (pre, post), (DELAY, 2 * DELAY), strict=True):
        given = np.round(np.asarray(times) * 1e3 - shift + 100.0, 6)
        source = nest.Create("spike_generator", params={"spike_times": given, "precise_times": False})
        nest.Connect(source, cell, syn_spec={"delay": DELAY})
    plastic = {"synapse_model": model, "delay": DELAY, "receptor_type": 1, **parameters}
    nest.Connect(cells[0], cells[1], syn_spec=plastic)
    # NEST changes weights at presynaptic spikes only: a late one brings this one up to date.
    late = nest.Create("spike_generator", params={"spike_times": [duration * 1e3 + 100.0]})
    nest.Connect(late, cells[0], syn_spec={"delay": DELAY})
    nest.Simulate(duration * 1e3 + 150.0)
    return float(nest.GetConnections(cells[0], cells[1]).get("weight"))


@pytest.mark.parametrize("rate", [10.0, 20.0, 40.0, 50.0])
@pytest.mark.parametrize("delta", [0.01, -0.01])
def test_the_triplet_rule_is_that_of_nest(rate: float, delta: float) -> None:
    nest.ResetKernel()
    nest.resolution = 0.1
    rule, protocol = load_rule("stdp_triplet:VISUAL_FULL"), pairs(delta, rate)
    constants = rule.constants
    parameters = {
        "weight": 1.0,
        "Wmax": 100.0,
        "tau_plus": 16.8,
        "tau_plus_triplet": 101.0,
        "Aplus": constants["potentiation"],
        "Aplus_triplet": constants["slow_potentiation"],
        "Aminus": constants["depression"],
        "Aminus_triplet": constants["slow_depression"],
    }
    nest.SetDefaults("parrot_neuron", {"tau_minus": 33.7, "tau_minus_triplet": 125.0})
    found = synapse(
        list(protocol.pre[0]), list(protocol.post[0]), "stdp_triplet_synapse", parameters, protocol.duration + 5
    )
    np.testing.assert_allclose(found - 1, run(rule, protocol)[0], rtol=1e-3, atol=1e-4)
