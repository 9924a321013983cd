"""LIF: the leaky integrate-and-fire cell with exponential synaptic currents.

Gerstner, Kistler, Naud, Paninski, "Neuronal Dynamics", Cambridge 2014, chapter 1. Voltage is in units of the distance
from rest to threshold, current in units of the rheobase. At constant current I > 1 it fires at

    1 / (t_refractory + tau_membrane log(I / (I - 1)))

psi, the surrogate derivative of the spike with respect to the voltage, is the triangle of Bellec et al., "A solution to
the learning dilemma for recurrent networks of spiking neurons", Nature Communications 2020.

Spikes in 0.3 s below, just above and at twice the rheobase:

>>> import numpy as np
>>> from cortexsim.protocols import respond
>>> [len(spikes) for spikes in respond(CELL, np.full((3000, 3), [0.9, 1.1, 2.0])).spikes]
[0, 11, 33]
"""

from cortexsim.spiking.cells import Cell

CELL = Cell(
    name="lif",
    equations="""
        dv/dt = (current + bias - v) / tau_membrane : 1 (unless refractory)
        dcurrent/dt = -current / tau_synapse : 1
        drive = current + bias : 1
        derivative = clip(1 - abs(v - 1), 0, 1) : 1
    """,
    parameters={"tau_membrane": "10 ms", "tau_synapse": "5 ms", "t_refractory": "2 ms"},
    threshold="v > 1",
    reset="v = 0",
    on_saccade={"v": "0", "current": "0"},
    source="Gerstner, Kistler, Naud, Paninski 2014",
)
