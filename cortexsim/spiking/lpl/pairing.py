"""Pairings of spikes under LPL's rule: the voltage of one cell is imposed, and 100 synapses spike at 100 delays.

Halvagal & Zenke, Nature Neuroscience 2023, Figure 6; constants from the released code.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from cortexsim.spiking.lpl import equations
from cortexsim.spiking.lpl.circuit import EXCITATORY, PLASTIC, plastic_model, rule_constants
from cortexsim.spiking.lpl.constants import DT, POSTSYNAPTIC, PREDICTION_DELAY, WEIGHT_PERIOD, values
from cortexsim.spiking.network_spec import INPUT, RUN, Connection, Description, Group, Operation, Phase, Variable
from cortexsim.spiking.simulation import Engine, Stack

DELAYS = 100  # Synapses, whose spikes come at as many delays, evenly spaced from the largest before to after.
FIRST, AFTERWARDS = 0.1, 0.5  # Seconds before the first postsynaptic spike, and after the last.
LONGEST = 200.0  # Seconds: the released protocol ends then, even if pairings are left.
WEIGHT, TAU_VARIANCE = 0.5, 300.0  # With which synapses begin; seconds, ten times as long as in the network.

TRAIN = """
    first : integer (constant)
    spacing : integer (shared, constant)
    count : integer (shared, constant)
    now = timestep(t, dt) - first : integer
    spikes_now = now >= 0 and now < spacing * count and now % spacing == 0 : boolean
"""
CLAMP = """
    spikes_next = now >= -1 and now < spacing * (count - 1) and (now + 1) % spacing == 0 : boolean
    after = clip((now - spacing * (count - 1)) * dt - 5*ms, 0*ms, 5*ms) / (5*ms) : 1
    v = -51*mV + 31*mV * int(spikes_now or spikes_next) - 9*mV * after : volt
"""
"""1 mV below threshold; -20 mV for the two steps of a spike; from 5 to 10 ms after the last to -60 mV."""


@dataclass(frozen=True)
class Pairings:
    """State a protocol.

    >>> slow = Pairings(frequency=0.1, widest=20e-3, mean=20.0, variance=0.1)
    >>> slow.given, slow.steps * DT  # Of 100 pairings; seconds.
    (20, 191.0)
    >>> slow.delays[[0, -1]].tolist()
    [0.02, -0.02]

    Attributes:
        frequency: of pairings, in Hz.
        widest: largest delay between the two spikes, in seconds.
        mean: running mean of the postsynaptic rate with which it begins, in Hz.
        variance: running variance with which it begins, in Hz.
        count: pairings; fewer where they would last longer than `LONGEST`.
    """

    frequency: float
    widest: float
    mean: float
    variance: float
    count: int = 100

    @property
    def given(self) -> int:
        """Pairings that are given before the protocol ends."""
        return min(self.count, int((LONGEST - FIRST) * self.frequency) + 1)

    @property
    def delays(self) -> np.ndarray:
        """When the postsynaptic spike comes after the presynaptic one, in seconds, (synapses,)."""
        return np.linspace(self.widest, -self.widest, DELAYS)

    @property
    def spacing(self) -> int:
        """Time steps from one pairing to the next."""
        return round(1 / (self.frequency * DT))

    @property
    def first_spikes(self) -> tuple[np.ndarray, int]:
        """Time steps of the first spike of each presynaptic cell, (synapses,), and of the postsynaptic cell."""
        return np.rint((FIRST - self.delays) / DT).astype(int), round(FIRST / DT)

    @property
    def steps(self) -> int:
        """Time steps of the whole protocol, in whole periods of weights."""
        seconds = FIRST + (self.given - 1) * self.spacing * DT + AFTERWARDS
        return round(np.ceil(seconds / WEIGHT_PERIOD) * WEIGHT_PERIOD / DT)


def describe_pairings(steps: int) -> tuple[Description, dict[str, float]]:
    """Describe one postsynaptic cell, whose voltage is imposed, and its synapses.

    Args:
        steps: time steps of 0.1 ms from one update of the eligibility traces to the next.

    Returns:
        The description, and the values of its constants by ``owner.name``.
    """
    delay = round(PREDICTION_DELAY / (DT * steps))
    earlier = "\n".join(f"{name} : Hz" for name in equations.delayed(delay))
    post = f"{TRAIN}\n{CLAMP}\n{equations.POST_EQUATIONS}\n{earlier}"
    reached = ("gather", {"positions": 1, "cells": DELAYS})
    description = Description(
        dt=DT,
        period=steps,
        updates=1,
        capacity=round((LONGEST + 2) / (DT * steps)),
        groups=(
            Group(RUN, 1, "steps : integer (shared)"),
            Group(INPUT, DELAYS, f"{TRAIN}\n{equations.PRE_EQUATIONS}", "spikes_now", equations.PRE_SPIKE,
                  method="euler"),
            Group(EXCITATORY, 1, post, "spikes_now", equations.POST_SPIKE, method="euler"),
        ),
        connections=(Connection(PLASTIC, INPUT, EXCITATORY, plastic_model(), reached),),
        operations=(
            Operation(PLASTIC, Phase.LEARNING, equations.LEARN),
            Operation(EXCITATORY, Phase.STATISTICS, equations.remember(delay)),
        ),
        streams={"learning": None, "due": None, "plastic": None},
        state=(Variable(PLASTIC, "w"),),
        activity=(),
    )  # fmt: skip
    own = {f"{EXCITATORY}.tau_variance": TAU_VARIANCE, f"{EXCITATORY}.delta": 0.0}
    return description, {**values(EXCITATORY, POSTSYNAPTIC), **rule_constants(steps), **own}


def pair(pairings: Pairings, steps: int = 10, target: str = "cpp") -> np.ndarray:
    """Give the pairings.

    Args:
        pairings: the protocol.
        steps: time steps of 0.1 ms from one update of the eligibility traces to the next.
        target: ``cpp``, or ``numpy`` where there is no compiler.

    Returns:
        Relative change of the weight at each delay, (synapses,).
    """
    description, constants = describe_pairings(steps)
    pre, post = pairings.first_spikes
    shared = {"spacing": pairings.spacing, "count": pairings.given}
    run: dict[str, np.ndarray | float] = {
        **constants,
        **{f"{group}.{name}": value for group in (INPUT, EXCITATORY) for name, value in shared.items()},
        f"{INPUT}.first": pre,
        f"{EXCITATORY}.first": np.array([post]),
        f"{EXCITATORY}.mean": np.array([pairings.mean]),
        f"{EXCITATORY}.variance": np.array([pairings.variance]),
        f"{PLASTIC}.w": np.full(DELAYS, WEIGHT),
        f"{RUN}.steps": pairings.steps,
    }
    streams = {name: np.zeros(description.capacity + 1) for name in description.streams}
    streams["learning"][1:] = 1
    streams["due"][:: round(WEIGHT_PERIOD / (DT * steps))] = 1
    streams["plastic"][1:] = 1
    found = _engine(steps, target).run(run, streams, [f"{PLASTIC}.w"])
    return found[f"{PLASTIC}.w"] / WEIGHT - 1


@cache
def _engine(steps: int, target: str) -> Engine:
    return Stack(*describe_pairings(steps), target).engine
