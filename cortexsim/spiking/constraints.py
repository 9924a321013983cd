"""Constraints of real synapses: weights of few levels, and release that fails.

Their random numbers are those of `encoding`, counted and never drawn from a stream, and so the same however a run is
cut: a release depends on seed, fixation, time step and synapse; a rounding on seed, fixation and synapse.
"""

import numpy as np

from cortexsim.spiking.assembly import Plan
from cortexsim.spiking.encoding import uniform
from cortexsim.spiking.settings import Settings

SEED = "seed : integer (shared, constant)"
FIXATION = "fixation : integer (shared)"
KINDS = ("feedforward", "context", "recruitment", "inhibition", "sending", "first")
"""Synapses of a layer that draw, and what draws its first weights: each has numbers of its own."""
ROOM = 1 << 16  # Numbers of each; more than a fixation has time steps.


def counters(settings: Settings) -> list[str]:
    """Name what the postsynaptic cells have because synapses onto them draw random numbers."""
    found = [SEED] if settings.weight_bits is not None or settings.release_probability < 1 else []
    return [*found, FIXATION] if settings.release_probability < 1 else found


def entered(settings: Settings) -> list[str]:
    """Let these cells know at a saccade which fixation begins."""
    return ["fixation = int(identity(t, 0))"] if settings.release_probability < 1 else []


def transmitted(effects: list[str], kind: str, plan: Plan, settings: Settings) -> str:
    """Let a presynaptic spike have its effects at each synapse with the probability ``release``, or none of them.

    Quantal release fails independently at each synapse (Katz 1969; Allen, Stevens 1994).

    Args:
        effects: statements of the form ``variable += change``.
        kind: of the synapses, one of `KINDS`.
        plan: of the layer they belong to.
        settings: everything else.
    """
    if settings.release_probability == 1:
        return "\n".join(effects)
    number = f"-({_first(kind, plan.number) + 1} + timestep(age_post, dt))"
    arrives = f"released = int(uniform(seed_post, fixation_post, {number}, i * N_post + j) < release)"
    changes = (effect.split(" += ") for effect in effects)
    return "\n".join([arrives, *(f"{variable} += released * ({change})" for variable, change in changes)])


def release_parameters(settings: Settings) -> dict[str, float]:
    """Give the parameters of synapses that transmit spikes."""
    return {"release": settings.release_probability} if settings.release_probability < 1 else {}


def stepped(weight: str, kind: str, plan: Plan, settings: Settings, signed: bool = True) -> str:
    """Let a weight follow its step: the less the nearer its bound, where it has one, and never past it.

    A weight of few levels is then rounded to one of the two levels beside it, with the probabilities by which it stays
    the same on average (Gupta, Agrawal, Gopalakrishnan, Narayanan 2015); where nothing is learned, it stays as it is.

    Args:
        weight: its name.
        kind: of the synapses, one of `KINDS`.
        plan: of the layer they belong to.
        settings: everything else.
        signed: whether it may be negative.
    """
    lowest = "-bound" if signed else "0"
    if not settings.w_max:
        return f"{weight} += step" if signed else f"{weight} = clip({weight} + step, 0, inf)"
    growth = f"step * (1 - {'sign(step)' if signed else 'int(step > 0)'} * {weight} / bound)"
    moved = f"{weight} = clip({weight} + {growth}, {lowest}, bound)"
    if settings.weight_bits is None:
        return moved
    number = f"uniform(seed_post, int(schedule(t, 2)), {-_first(kind, plan.number)}, i * N_post + j)"
    return f"""{moved}
        learning = int(schedule(t, 1) > 0)
        level = clip(floor(({weight} - lowest) / spacing + {number}), 0, levels - 1)
        {weight} = learning * (lowest + level * spacing) + (1 - learning) * {weight}"""


def weight_parameters(settings: Settings, signed: bool = True) -> dict[str, float]:
    """Give the parameters of weights that follow steps."""
    found = {"bound": settings.w_max}
    if settings.weight_bits is not None:
        lowest, spacing = _grid(settings, signed)
        found |= {"lowest": lowest, "spacing": spacing, "levels": 2.0**settings.weight_bits}
    return found


def constrained_weights(weights: np.ndarray, number: int, seed: int, settings: Settings) -> np.ndarray:
    """Bring first feedforward weights to where they may be: not negative under Dale's law, and on their levels.

    Args:
        weights: of any shape.
        number: of the layer, from 1.
        seed: root seed.
        settings: everything else.
    """
    found = np.abs(weights) if settings.dale else weights
    if settings.weight_bits is None:
        return found
    lowest, spacing = _grid(settings, not settings.dale)
    draw = uniform(seed, 0, -_first("first", number), np.arange(found.size)).reshape(found.shape)
    level = np.floor((found.clip(lowest, settings.w_max) - lowest) / spacing + draw)
    return lowest + level.clip(0, 2**settings.weight_bits - 1) * spacing


def _grid(settings: Settings, signed: bool) -> tuple[float, float]:
    assert settings.weight_bits is not None
    lowest = -settings.w_max if signed else 0.0
    return lowest, (settings.w_max - lowest) / (2**settings.weight_bits - 1)


def _first(kind: str, number: int) -> int:
    """Count the numbers of one kind of synapses of one layer from here; those of input spikes are not negative."""
    return ROOM * (1 + KINDS.index(kind) + len(KINDS) * number)
