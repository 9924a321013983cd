"""NEST beside the reference, where it is installed (pip install nest-simulator)."""

import numpy as np
import pytest

from cortexsim.protocols import Protocol, pairs, run
from cortexsim.rules import Rule, SpikeTiming, Trace, load_rule

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


STEP = 0.1  # ms.


def clopath_in_nest(pre: np.ndarray, post: np.ndarray, duration: float) -> tuple[float, np.ndarray]:
    """Change of weight in NEST, and the voltage of the cell in each step, mV; times in ms."""
    nest.ResetKernel()
    nest.resolution = STEP
    constants = {"theta_minus": -70.6, "theta_plus": -45.3, "A_LTD": 14e-5, "A_LTP": 8e-5}
    filters = {"tau_u_bar_minus": 10.0, "tau_u_bar_plus": 7.0, "delay_u_bars": 4.0}
    membrane = {"V_m": -70.6, "E_L": -70.6, "C_m": 281.0, "a": 4.0, "b": 0.0805, "V_reset": -49.6}
    spike = {"V_peak": 33.0, "V_clamp": 33.0, "t_clamp": 2.0, "t_ref": 0.0}
    cell = nest.Create("aeif_psc_delta_clopath", 1, {**constants, **filters, **membrane, **spike})
    source, parrot = nest.Create("spike_generator", 1, {"spike_times": pre}), nest.Create("parrot_neuron")
    nest.Connect(source, parrot, syn_spec={"delay": STEP})
    evoke = nest.Create("spike_generator", 1, {"spike_times": post})
    nest.Connect(evoke, cell, syn_spec={"delay": STEP, "weight": 80.0})
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": STEP})
    nest.Connect(meter, cell)
    recorder = nest.Create("weight_recorder")
    nest.CopyModel("clopath_synapse", "recorded", {"weight_recorder": recorder})
    nest.Connect(parrot, cell, syn_spec={"synapse_model": "recorded", "weight": 0.5, "delay": STEP})
    nest.Simulate(duration)
    return float(recorder.events["weights"][-1]) - 0.5, np.append(-70.6, meter.events["V_m"])


@pytest.mark.parametrize("rate", [10.0, 30.0, 50.0])
@pytest.mark.parametrize("delta", [10.0, -10.0])
def test_the_voltage_rule_is_that_of_nest(rate: float, delta: float) -> None:
    """On the voltage that NEST records; NEST brings a weight up to date at presynaptic spikes, here at a last one."""
    starts = 40.0 + np.round(np.arange(5) * 1000 / rate, 1)
    pre, post, duration = starts + max(-delta, 0), starts + max(delta, 0), starts[-1] + 300.0
    last = duration - 50.0
    found, voltage = clopath_in_nest(np.append(pre, last), post, duration)
    rule = load_rule("clopath")
    form = rule.feedforward
    assert isinstance(form, SpikeTiming)
    late = {name: Trace(t.tau, t.side, of=t.of, delay=t.delay and "4 ms") for name, t in form.traces.items()}
    mine = Rule(
        "late", "", "", SpikeTiming(at_pre=form.at_pre, always=form.always, traces=late), constants=rule.constants
    )
    arrivals = (np.append(pre, last) + STEP) / 1000
    protocol = Protocol([arrivals], [[]], duration / 1000, weight=0.5, potential=voltage, potential_step=STEP / 1000)
    np.testing.assert_allclose(run(mine, protocol)[0], found, rtol=0.015)
