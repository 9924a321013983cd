"""Run a rule through a protocol on one of the engines."""

import math
from typing import Literal

import numpy as np

from cortexsim.errors import UserError, nearest
from cortexsim.protocols.event_engine import EventEngine
from cortexsim.protocols.protocol import Protocol
from cortexsim.rules import Rule, SpikeTiming


def run(
    rule: Rule,
    protocol: Protocol,
    engine: Literal["numpy", "brian2"] = "numpy",
    dt: float = 1e-4,
    target: Literal["numpy", "cython"] = "numpy",
) -> np.ndarray:
    """Run a rule through a protocol, and return the change of each weight, (synapses,).

    >>> from cortexsim.protocols import pairs
    >>> from cortexsim.rules import load_rule
    >>> run(load_rule("stdp_pair"), pairs(delta=0.01, rate=1.0)).round(3)
    array([0.428])

    Args:
        rule: one of single spikes.
        protocol: what is done.
        engine: ``"numpy"``, from event to event; or ``"brian2"``.
        dt: time step of Brian2, s.
        target: of Brian2.

    Raises:
        UserError: where the protocol cannot be asked of the rule, or the engine is not known.
    """
    if reason := unfit(rule, protocol):
        raise UserError(f"rule '{rule.name}': {reason}")
    if engine == "numpy":
        return EventEngine(rule, protocol).run() - protocol.weights
    if engine != "brian2":
        raise UserError(f"engine = '{engine}': not known ({nearest(engine, ['numpy', 'brian2'])})")
    from cortexsim.protocols.brian_engine import simulate  # Brian2 is loaded only where it is asked for.

    return simulate(rule, protocol, dt, target) - protocol.weights


def unfit(rule: Rule, protocol: Protocol) -> str:
    """Say why a protocol cannot be asked of a rule; empty where it can.

    Args:
        rule: any rule.
        protocol: the protocol.
    """
    if not isinstance(rule.feedforward, SpikeTiming):
        return "is of activities of layers, not of single spikes (SpikeTiming)"
    if "potential_post" in rule.reads and protocol.potential is None:
        return "reads the voltage of the cell, which this protocol does not give"
    if "dendrite_post" in rule.reads and protocol.dendrite is None:
        return "reads the dendrite of the cell, which this protocol does not give"
    if any(trace.of == "voltage" for trace in rule.feedforward.traces.values()) and protocol.potential is None:
        return "filters the voltage of the cell, which this protocol does not give"
    steps = {trace.delay: trace.lag / protocol.potential_step for trace in rule.feedforward.traces.values()}
    if broken := [delay for delay, count in steps.items() if not math.isclose(count, round(count), abs_tol=1e-6)]:
        step = f"{protocol.potential_step * 1e3:g} ms"
        return f"delays a voltage by {broken[0]}, no whole number of the steps of {step} of this protocol"
    if unknown := sorted(set(protocol.pulses) - set(rule.feedforward.modulators)):
        return f"has no modulator '{unknown[0]}', which this protocol gives"
    return ""
