"""Conductance LIF: the leaky integrate-and-fire cell whose synapses open channels.

Gerstner, Kistler, Naud, Paninski, "Neuronal Dynamics", Cambridge 2014, chapters 1 and 3:

    C dv/dt = g_L (E_L - v) + g_E (E_E - v) + g_I (E_I - v)

Weights have both signs and one decay, so that the net drive opens channels: excitatory ones where it is above 0,
inhibitory ones where it is below. A drive of 1 is the conductance `rheobase` that just brings the cell to its
threshold, g_L (V_T - E_L) / (E_E - V_T) = 4 nS.

Spikes in 0.3 s at twice the rheobase, and the first and the last interval in ms:

>>> import numpy as np
>>> from cortexsim.protocols import respond
>>> (spikes,) = respond(CELL, np.full(3000, 2.0)).spikes
>>> len(spikes), (1e3 * np.diff(spikes)[[0, -1]]).round(1)
(39, array([7.7, 7.7]))
"""

from cortexsim.spiking.cells import Cell

CELL = Cell(
    name="conductance_lif",
    equations="""
        g_excitatory = rheobase * clip(drive, 0, inf) : siemens
        g_inhibitory = rheobase * clip(-drive, 0, inf) : siemens
        dv/dt = (g_leak * (e_leak - v) + g_excitatory * (e_excitatory - v) + g_inhibitory * (e_inhibitory - v))
            / capacitance : volt (unless refractory)
        dcurrent/dt = -current / tau_synapse : 1
        drive = current + bias : 1
        derivative = clip(1 - abs((v - v_threshold) / (v_threshold - e_leak)), 0, 1) : 1
    """,
    parameters={
        "capacitance": "100 pF",
        "g_leak": "10 nS",
        "e_leak": "-70 mV",
        "e_excitatory": "0 mV",
        "e_inhibitory": "-80 mV",
        "v_threshold": "-50 mV",
        "rheobase": "4 nS",
        "tau_synapse": "5 ms",
        "t_refractory": "2 ms",
    },
    threshold="v > v_threshold",
    reset="v = e_leak",
    on_saccade={"v": "e_leak", "current": "0"},
    method="exponential_euler",
    source="Gerstner, Kistler, Naud, Paninski 2014",
)
