"""Izhikevich's cell, a quadratic integrator with recovery, in real units.

Izhikevich, "Simple model of spiking neurons", IEEE Transactions on Neural Networks 2003; in the units and with the
constants of a regular-spiking cell of Izhikevich, "Dynamical Systems in Neuroscience", MIT Press 2007, chapter 8:

    C dv/dt = k (v - v_r) (v - v_t) - u + I,    tau_u du/dt = b (v - v_r) - u

Beyond the peak, at which v is reset to c and u raised by d, the equations read the peak. A drive of 1 is a current of
`rheobase`, from which on it spikes steadily: (b + k (v_t - v_r))^2 / (4 k) = 51.4 pA.

Spikes in 0.3 s at twice the rheobase, and the first and the last interval in ms:

>>> import numpy as np
>>> from cortexsim.protocols import respond
>>> (spikes,) = respond(CELL, np.full(3000, 2.0)).spikes
>>> len(spikes), (1e3 * np.diff(spikes)[[0, -1]]).round(1)
(4, array([68. , 71.2]))
"""

from cortexsim.spiking.cells import Cell

CELL = Cell(
    name="izhikevich",
    equations="""
        held = v_rest + (v_peak - v_rest) * clip((v - v_rest) / (v_peak - v_rest), -100, 1) : volt
        dv/dt = (gain * (held - v_rest) * (held - v_rise) - u + rheobase * drive) / capacitance
            : volt (unless refractory)
        du/dt = (coupling * (held - v_rest) - u) / tau_recovery : amp
        dcurrent/dt = -current / tau_synapse : 1
        drive = current + bias : 1
        derivative = clip(1 - abs((v - v_rise) / (v_rise - v_rest)), 0, 1) : 1
    """,
    parameters={
        "capacitance": "100 pF",
        "gain": "0.7 nS/mV",
        "v_rest": "-60 mV",
        "v_rise": "-40 mV",
        "coupling": "-2 nS",
        "tau_recovery": "33.333 ms",
        "v_peak": "35 mV",
        "v_reset": "-50 mV",
        "jump": "100 pA",
        "rheobase": "51.4 pA",
        "tau_synapse": "5 ms",
        "t_refractory": "2 ms",
    },
    threshold="v > v_peak",
    reset="v = v_reset; u += jump",
    on_saccade={"v": "v_rest", "u": "0*pA", "current": "0"},
    method="rk4",
    source="Izhikevich 2003, 2007",
)
