"""Constants of the spiking experiments of LPL, with units and sources.

Sources: the Methods of Halvagal & Zenke, Nature Neuroscience 2023; its erratum; the released code, where both are
silent; and Auryn, the simulator of that code (`Zenke & Gerstner, Frontiers in Neuroinformatics 2014`), for its cells.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Constant(NamedTuple):
    """A value in SI units, its unit in Brian2's syntax (``1`` for none), and what it is."""

    value: float
    unit: str
    meaning: str
    source: str


METHODS, ERRATUM, CODE, AURYN = "Methods", "erratum", "released code", "Auryn"
Table = Mapping[str, Constant]

CELL: Table = {
    "v_rest": Constant(-70e-3, "volt", "resting and reset potential", METHODS),
    "v_excitation": Constant(0.0, "volt", "excitatory reversal potential", METHODS),
    "v_inhibition": Constant(-80e-3, "volt", "inhibitory reversal potential", METHODS),
    "v_threshold": Constant(-50e-3, "volt", "resting threshold", METHODS),
    "v_refractory": Constant(50e-3, "volt", "threshold after a spike, however high it was", ERRATUM),
    "tau_membrane": Constant(20e-3, "second", "membrane", METHODS),
    "tau_threshold": Constant(5e-3, "second", "decay of the threshold", METHODS),
    "tau_ampa": Constant(5e-3, "second", "AMPA conductance", METHODS),
    "tau_nmda": Constant(100e-3, "second", "NMDA conductance, which follows AMPA", METHODS),
    "tau_gaba": Constant(10e-3, "second", "GABA conductance", METHODS),
    "share_ampa": Constant(0.5, "1", "share of AMPA in the excitatory conductance", CODE),
}
"""Cells: conductance-based LIF with a moving threshold."""

PRESYNAPTIC: Table = {
    "tau_synapse": Constant(5e-3, "second", "rise of the postsynaptic potential", METHODS),
    "tau_potential": Constant(20e-3, "second", "decay of the postsynaptic potential", METHODS),
}
"""What a plastic synapse computes of its presynaptic spikes."""

POSTSYNAPTIC: Table = {
    "steepness": Constant(1e3, "1/volt", "of the surrogate derivative, 1 / (1 mV)", METHODS),
    "v_surrogate": Constant(-50e-3, "volt", "potential of its maximum", METHODS),
    "tau_rise": Constant(2e-3, "second", "first filter of error and eligibility", METHODS),
    "tau_fall": Constant(10e-3, "second", "second filter of error and eligibility", METHODS),
    "tau_mean": Constant(600.0, "second", "running mean of the rate", CODE),
    "tau_variance": Constant(30.0, "second", "running variance", CODE),
    "variance_floor": Constant(
        1e-3, "Hz", "xi, added to the variance; 1e-7 where the variance is per time step", ERRATUM
    ),
    "delta": Constant(0.1, "Hz", "transmitter-triggered plasticity, 1e-5 per time step, inside the filter", ERRATUM),
    "hebbian": Constant(1.0, "Hz", "lambda; 1e-4 where the variance is per time step", ERRATUM),
    "predictive": Constant(1.0, "1", "phi", METHODS),
}
"""What a plastic synapse reads of its postsynaptic cell."""

SYNAPSE: Table = {
    "eta": Constant(1e-2, "volt", "learning rate", CODE),
    "tau_filter": Constant(2e-3, "second", "amplitude of the eligibility's filter", ERRATUM),
    "w_max": Constant(1.0, "1", "largest weight; the smallest is 0", CODE),
}
"""Plastic input synapses."""

INHIBITION: Table = {
    "zeta": Constant(1e-3, "1", "learning rate of inhibitory synapses", CODE),
    "target": Constant(10.0, "Hz", "rate to which they hold excitatory cells", CODE),
    "w_max": Constant(1.0, "1", "largest weight; the smallest is 0", CODE),
}
"""Plastic inhibitory synapses."""

TRACE: Table = {"tau_stdp": Constant(20e-3, "second", "traces of symmetric STDP, of either cell", METHODS)}
"""What a plastic inhibitory synapse computes of the spikes of its cells."""

DT = 1e-4  # Seconds; METHODS.
PREDICTION_DELAY = 20e-3  # Seconds by which the train that predicts is older; METHODS.
WEIGHT_PERIOD = 0.5  # Seconds between changes of weights; CODE.


def declared(table: Table) -> str:
    """Write the constants of a table as lines of a Brian2 model.

    >>> print(declared(PRESYNAPTIC))
    tau_synapse : second (shared, constant)
    tau_potential : second (shared, constant)
    >>> values("input", PRESYNAPTIC)
    {'input.tau_synapse': 0.005, 'input.tau_potential': 0.02}
    """
    return "\n".join(f"{name} : {constant.unit} (shared, constant)" for name, constant in table.items())


def values(owner: str, table: Table) -> dict[str, float]:
    """Give the values of a table by ``owner.name``, in SI units."""
    return {f"{owner}.{name}": constant.value for name, constant in table.items()}
