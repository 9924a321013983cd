"""Equations of LPL's spiking rule and of its cells, as Brian2 reads them.

Halvagal & Zenke, Nature Neuroscience 2023, Eq. 18, as its erratum corrects it:

    dw/dt = eta alpha * (psp_pre surrogate_post) error_post
    error = alpha * (-phi (S(t) - S(t - 20 ms)) + lambda / (variance + xi) (S(t) - mean) + delta)

S is the postsynaptic spike train, and alpha a filter of two exponentials. ``variance`` is that of the spike train per
unit of time, in Hz: a Poisson train has its rate. The simulations of the paper hold it in these units, for want of a
factor dt, and so lambda = 1 here is its lambda = 1; per time step, as in its text, lambda is 1e-4.
"""

from itertools import pairwise

from cortexsim.spiking.lpl.constants import CELL, POSTSYNAPTIC, PRESYNAPTIC, declared

PRE_EQUATIONS = f"""
    dsynapse/dt = -synapse / tau_synapse : 1
    dpsp/dt = (synapse - psp) / tau_potential : 1
    {declared(PRESYNAPTIC)}
"""
PRE_SPIKE = "synapse += 1"

CELL_EQUATIONS = f"""
    dv/dt = (v_rest - v + g_excitation * (v_excitation - v) + g_gaba * (v_inhibition - v)) / tau_membrane : volt
    dthreshold/dt = (v_threshold - threshold) / tau_threshold : volt
    dg_ampa/dt = -g_ampa / tau_ampa : 1
    dg_nmda/dt = (g_ampa - g_nmda) / tau_nmda : 1
    dg_gaba/dt = -g_gaba / tau_gaba : 1
    g_excitation = share_ampa * g_ampa + (1 - share_ampa) * g_nmda : 1
    {declared(CELL)}
"""
CELL_SPIKE = "v = v_rest\nthreshold = v_refractory"

POST_EQUATIONS = f"""
    dmean/dt = -mean / tau_mean : Hz
    dvariance/dt = (mean**2 * dt - variance) / tau_variance : Hz
    scale = hebbian / (variance + variance_floor) : 1
    dhebb_rise/dt = (delta - scale * mean - hebb_rise) / tau_rise : Hz
    dhebb/dt = (hebb_rise - hebb) / tau_fall : Hz
    dtrain_rise/dt = -train_rise / tau_rise : Hz
    dtrain/dt = (train_rise - train) / tau_fall : Hz
    error = hebb - predictive * (train - earlier) : Hz
    surrogate = steepness / (1 + steepness * abs(v - v_surrogate))**2 : 1/volt
    dmean_surrogate/dt = surrogate / interval : 1/volt
    interval : second (shared, constant)
    {declared(POSTSYNAPTIC)}
"""
POST_SPIKE = """
    hebb_rise += scale / tau_rise
    train_rise += 1 / tau_rise
    variance += (1 - 2 * mean * dt) / tau_variance
    mean += 1 / tau_mean
"""
POST_STATE = ("mean", "variance", "hebb_rise", "hebb", "train_rise", "train", "mean_surrogate")
SYNAPSE_STATE = ("w", "elig_rise", "elig", "total")


def delayed(count: int) -> list[str]:
    """Name the variables that hold the filtered train of each of the last updates, the newest first.

    >>> delayed(3)
    ['earlier1', 'earlier2', 'earlier']
    """
    return [*(f"earlier{number}" for number in range(1, count)), "earlier"]


def remember(count: int) -> str:
    """Write the statements by which a cell remembers its filtered train for so many updates.

    >>> print(remember(2))
    earlier += learning(t) * (earlier1 - earlier)
    earlier1 += learning(t) * (train - earlier1)
    mean_surrogate = 0/volt
    """
    names = ["train", *delayed(count)]
    moves = [f"{old} += learning(t) * ({new} - {old})" for new, old in pairwise(names)]
    return "\n".join([*reversed(moves), "mean_surrogate = 0/volt"])


LEARN = """
    total += learning(t) * elig * error_post
    elig_rise += learning(t) * share_rise * (psp_pre * mean_surrogate_post - elig_rise)
    elig += learning(t) * share_fall * (elig_rise - elig)
    w = clip(w + due(t) * plastic(t) * eta * tau_filter * total / updates, 0, w_max)
    total -= due(t) * total
"""
"""What a plastic synapse does at an update; weights change where ``due``, if ``plastic``.

The trace is read before it advances: it advances by what the cells are at the end of the time since the last update,
and would otherwise be early by that time.
"""
