"""Constraints of real synapses: bounded weights, weights of few levels, and release that fails.

Their random numbers are those of `encoding`, counted and never drawn from a stream, and so the same however a run is
cut: a release depends on seed, stimulus, time step and synapse; a rounding on seed, stimulus and synapse.
"""

from collections.abc import Sequence
from math import comb

import numpy as np

from cortexsim.spiking.assembly import LayerSpec
from cortexsim.spiking.encoding import uniform
from cortexsim.spiking.settings import Settings

KINDS = ("feedforward", "context", "inhibitory_input", "inhibition", "sending", "initial")
"""Synapses of a layer that draw random numbers, and the draw of its initial weights: each has numbers of its own."""
NUMBERS_EACH = 1 << 16  # More than a fixation has time steps.
SLACK = 1e-9  # Of a level, so that rounding errors of floats move no weight by one.


def transmit(effects: Sequence[str], kind: str, spec: LayerSpec, settings: Settings) -> str:
    """Transmit a presynaptic spike at each synapse with the probability of release, or not at all.

    Quantal release fails independently at each release site of each synapse (Katz 1969; Allen, Stevens 1994). A
    synapse transmits as many quanta as sites release, each of an equal share of its weight, times ``release_gain``.

    Args:
        effects: statements of the form ``variable += change``.
        kind: of the synapses, one of `KINDS`.
        spec: of the layer they belong to.
        settings: everything else.
    """
    if settings.release_probability == 1:
        return "\n".join(effects)
    number = f"-({first_number(kind, spec.number) + 1} + timestep(age_post, dt))"
    draw = f"draw = uniform(seed_post, stimulus_number_post, {number}, i * N_post + j)"
    released = " + ".join(f"int(draw < {name})" for name in _quanta(settings))
    changes = (effect.split(" += ") for effect in effects)
    statements = (f"{name} += released * ({change})" for name, change in changes)
    return "\n".join([draw, f"released = quantum * ({released})", *statements])


def release_parameters(settings: Settings) -> dict[str, float]:
    """Parameters of synapses that transmit spikes."""
    if settings.release_probability == 1:
        return {}
    return {**_quanta(settings), "quantum": settings.release_gain / settings.release_sites}


def _quanta(settings: Settings) -> dict[str, float]:
    """Probabilities that at least one site of a synapse releases, that at least two do, and so on."""
    sites, p = settings.release_sites, settings.release_probability
    exactly = [comb(sites, n) * p**n * (1 - p) ** (sites - n) for n in range(sites + 1)]
    return {f"at_least_{n}": sum(exactly[n:]) for n in range(1, sites + 1)}


def step_weight(weight: str, kind: str, spec: LayerSpec, settings: Settings, signed: bool = True) -> str:
    """Write the statements by which a weight takes its ``step``: less near a soft bound, and never past any.

    A weight of few levels is then rounded to one of the two levels beside it, with the probabilities by which it stays
    the same on average (Gupta, Agrawal, Gopalakrishnan, Narayanan 2015); where nothing is learned, it stays as it is.
    With ``hidden_weights`` steps add up in a variable of their own instead, and the weight moves on by whole levels
    (a synapse of several variables, of which the fastest is not its efficacy: Benna, Fusi 2016).

    Args:
        weight: its name.
        kind: of the synapses, one of `KINDS`.
        spec: of the layer they belong to.
        settings: everything else.
        signed: whether it may be negative.
    """
    lowest = "-w_max" if signed else "0"
    if not settings.w_max:
        return f"{weight} += step" if signed else f"{weight} = clip({weight} + step, 0, inf)"
    left = f"(1 - {'sign(step)' if signed else 'int(step > 0)'} * {weight} / w_max)"
    power = f"step * clip({left}, 0, 2)**bound_exponent"  # First weights may lie beyond the bound.
    shrunk = {0.0: "step", 1.0: f"step * {left}"}.get(settings.bound_exponent, power)
    bounded = f"{weight} = clip({weight} + {shrunk}, {lowest}, w_max)"
    if settings.weight_bits is None:
        return bounded
    if settings.hidden_weights:
        return f"""learns = int(learning(t) > 0)
        wanted = clip({weight} + hidden + {shrunk}, {lowest}, w_max)
        moves = learns * sign(wanted - {weight}) * floor(abs(wanted - {weight}) / spacing + {SLACK})
        place = ({weight} - lowest) / spacing
        whole = int(moves > 0) * floor(place + {SLACK}) + int(moves < 0) * ceil(place - {SLACK})
        {weight} += int(abs(moves) > 0) * (lowest + clip(whole + moves, 0, levels - 1) * spacing - {weight})
        hidden = learns * (wanted - {weight}) + (1 - learns) * hidden"""
    number = f"uniform(seed_post, int(ended_id(t)), {-first_number(kind, spec.number)}, i * N_post + j)"
    return f"""{bounded}
        learns = int(learning(t) > 0)
        level = clip(floor(({weight} - lowest) / spacing + {number}), 0, levels - 1)
        {weight} = learns * (lowest + level * spacing) + (1 - learns) * {weight}"""


def hidden_variables(settings: Settings) -> list[str]:
    """Name what a plastic synapse holds beside its weight."""
    return ["hidden"] if settings.hidden_weights else []


def weight_parameters(settings: Settings, signed: bool = True) -> dict[str, float]:
    """Parameters of plastic weights.

    Args:
        settings: everything.
        signed: whether they may be negative.
    """
    found = {"w_max": settings.w_max}
    if settings.w_max and 0 < settings.bound_exponent < 1:
        found["bound_exponent"] = settings.bound_exponent
    if settings.weight_bits is not None:
        lowest, spacing = _grid(settings, signed)
        found |= {"lowest": lowest, "spacing": spacing, "levels": 2.0**settings.weight_bits}
    return found


def constrained_weights(weights: np.ndarray, number: int, seed: int, settings: Settings) -> np.ndarray:
    """Constrain initial feedforward weights: not negative under Dale's law, and on their levels, if they have any.

    >>> weights = np.array([-0.3, 0.1, 0.4, 0.9])
    >>> constrained_weights(weights, number=1, seed=0, settings=Settings(w_max=1.0, weight_bits=2)).round(2)
    array([-0.33, -0.33,  0.33,  1.  ])

    Args:
        weights: of any shape.
        number: of the layer, from 1.
        seed: root seed.
        settings: everything else.

    Returns:
        Weights of the same shape.
    """
    found = np.abs(weights) if settings.dale else weights
    if settings.weight_bits is None:
        return found
    lowest, spacing = _grid(settings, not settings.dale)
    draw = uniform(seed, 0, -first_number("initial", number), np.arange(found.size)).reshape(found.shape)
    level = np.floor((found.clip(lowest, settings.w_max) - lowest) / spacing + draw)
    return lowest + level.clip(0, 2**settings.weight_bits - 1) * spacing


def _grid(settings: Settings, signed: bool) -> tuple[float, float]:
    """Lowest level of a weight, and the distance between two levels."""
    assert settings.weight_bits is not None
    lowest = -settings.w_max if signed else 0.0
    return lowest, (settings.w_max - lowest) / (2**settings.weight_bits - 1)


def first_number(kind: str, layer: int) -> int:
    """First random number of one kind of synapses of a layer; those of input spikes are not negative."""
    return NUMBERS_EACH * (1 + KINDS.index(kind) + len(KINDS) * layer)
