"""AdEx: the adaptive exponential integrate-and-fire cell.

Brette & Gerstner, "Adaptive exponential integrate-and-fire model as an effective description of neuronal activity",
J. Neurophysiology 2005:

    C dv/dt = -g_L (v - E_L) + g_L D exp((v - V_T) / D) - w + I,    tau_w dw/dt = a (v - E_L) - w

with their constants, and w raised by b at each spike. A drive of 1 is a current of `rheobase`, above which there is no
rest: (g_L + a) (V_T - E_L - D + D log(1 + a / g_L)) = 627 pA. Beyond the peak, at which a spike is counted, the
equations read the peak, so that no time step overflows.

Spikes in 0.3 s at twice the rheobase, and the first and the last interval in ms, longer as the cell adapts:

>>> import numpy as np
>>> from cortexsim.protocols import respond
>>> (spikes,) = respond(CELL, np.full(3000, 2.0)).spikes
>>> len(spikes), (1e3 * np.diff(spikes)[[0, -1]]).round(1)
(16, array([11.2, 23.6]))
"""

from cortexsim.spiking.cells import Cell

CELL = Cell(
    name="adex",
    equations="""
        held = e_leak + (v_peak - e_leak) * clip((v - e_leak) / (v_peak - e_leak), -100, 1) : volt
        rise = g_leak * slope * exp((held - v_rise) / slope) : amp
        dv/dt = (g_leak * (e_leak - held) + rise - adaptation + rheobase * drive) / capacitance
            : volt (unless refractory)
        dadaptation/dt = (coupling * (held - e_leak) - adaptation) / tau_adaptation : amp
        dcurrent/dt = -current / tau_synapse : 1
        drive = current + bias : 1
        derivative = clip(1 - abs((v - v_rise) / (v_rise - e_leak)), 0, 1) : 1
    """,
    parameters={
        "capacitance": "281 pF",
        "g_leak": "30 nS",
        "e_leak": "-70.6 mV",
        "v_rise": "-50.4 mV",
        "slope": "2 mV",
        "tau_adaptation": "144 ms",
        "coupling": "4 nS",
        "jump": "80.5 pA",
        "v_peak": "-10 mV",
        "rheobase": "627 pA",
        "tau_synapse": "5 ms",
        "t_refractory": "2 ms",
    },
    threshold="v > v_peak",
    reset="v = e_leak; adaptation += jump",
    on_saccade={"v": "e_leak", "adaptation": "0*pA", "current": "0"},
    method="rk4",
    source="Brette & Gerstner 2005",
)
