"""ALIF: the leaky integrate-and-fire cell with an adaptive threshold.

Bellec, Salaj, Subramoney, Legenstein, Maass, "Long short-term memory and learning-to-learn in networks of spiking
neurons", NeurIPS 2018: every spike raises the threshold by beta, and the rise decays with tau_adaptation.

Spikes in 0.3 s at twice the rheobase, and the first and the last interval in ms, longer as the threshold rises:

>>> import numpy as np
>>> from cortexsim.protocols import respond
>>> (spikes,) = respond(CELL, np.full(3000, 2.0)).spikes
>>> len(spikes), (1e3 * np.diff(spikes)[[0, -1]]).round(1)
(24, array([ 9.7, 13. ]))
"""

from cortexsim.spiking.cells import Cell

CELL = Cell(
    name="alif",
    equations="""
        dv/dt = (current + bias - v) / tau_membrane : 1 (unless refractory)
        dcurrent/dt = -current / tau_synapse : 1
        dadaptation/dt = -adaptation / tau_adaptation : 1
        drive = current + bias : 1
        derivative = clip(1 - abs(v - 1 - adaptation) / (1 + adaptation), 0, 1) : 1
    """,
    parameters={
        "tau_membrane": "10 ms",
        "tau_synapse": "5 ms",
        "tau_adaptation": "50 ms",
        "t_refractory": "2 ms",
        "beta": "0.1",
    },
    threshold="v > 1 + adaptation",
    reset="v = 0; adaptation += beta",
    on_saccade={"v": "0", "current": "0", "adaptation": "0"},
    source="Bellec, Salaj, Subramoney, Legenstein, Maass 2018",
)
