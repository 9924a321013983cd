"""Two compartments: synapses drive a dendrite, which is coupled to a soma that spikes.

Urbanczik & Senn, "Learning by the dendritic prediction of somatic spiking", Neuron 2014, whose soma receives from the
dendrite in the same way; but with a threshold in place of spikes at random, and with a current back into the dendrite:

    C dv/dt   = g_L (E_L - v)   + g_D (v_d - v)
    C dv_d/dt = g_L (E_L - v_d) + g_D (v - v_d) + I

A drive of 1 is a current of `rheobase` into the dendrite that just brings the soma to its threshold,
g_L (2 + g_L / g_D) (V_T - E_L) = 420 pA.

Spikes in 0.3 s at twice the rheobase, and the first and the last interval in ms:

>>> import numpy as np
>>> from cortexsim.protocols import respond
>>> (spikes,) = respond(CELL, np.full(3000, 2.0)).spikes
>>> len(spikes), (1e3 * np.diff(spikes)[[0, -1]]).round(1)
(22, array([13.3, 13.3]))
"""

from cortexsim.spiking.cells import Cell

CELL = Cell(
    name="two_compartment",
    equations="""
        dv/dt = (g_leak * (e_leak - v) + g_coupling * (v_dendrite - v)) / capacitance : volt (unless refractory)
        dv_dendrite/dt = (g_leak * (e_leak - v_dendrite) + g_coupling * (v - v_dendrite) + rheobase * drive)
            / capacitance : volt
        dcurrent/dt = -current / tau_synapse : 1
        drive = current + bias : 1
        derivative = clip(1 - abs((v - v_threshold) / (v_threshold - e_leak)), 0, 1) : 1
    """,
    parameters={
        "capacitance": "200 pF",
        "g_leak": "10 nS",
        "g_coupling": "100 nS",
        "e_leak": "-70 mV",
        "v_threshold": "-50 mV",
        "rheobase": "420 pA",
        "tau_synapse": "5 ms",
        "t_refractory": "2 ms",
    },
    threshold="v > v_threshold",
    reset="v = e_leak",
    on_saccade={"v": "e_leak", "v_dendrite": "e_leak", "current": "0"},
    method="rk4",
    source="after Urbanczik & Senn 2014",
)
