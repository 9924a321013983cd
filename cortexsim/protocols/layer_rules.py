"""Rules of layers on single spikes, where they read no more than the activities of two cells.

As in spiking layers, the postsynaptic cell is read when a presynaptic spike arrives. Activities are rates in Hz,
filtered with the time constant of spiking layers; that of their mean is chosen here. How large a change is depends on
eta, which models set: it is kept so small that weights hardly move, and changes are compared with data up to one
positive factor, or none where 0 fits best.
"""

import re

import numpy as np

from cortexsim.errors import UserError
from cortexsim.expression import parsed
from cortexsim.rules import Rule, SpikeTiming, ThreeFactor, Trace

TRACES = {
    "activity_post": Trace("60 ms", "post", of="activity"),
    "mean_post": Trace("1 s", "post", of="activity"),
}
FREE = "free_eta"  # Constant that marks a rule whose changes have no scale.
ETA = 1e-9


def on_spikes(rule: Rule) -> Rule:
    """Write a rule of layers as one of single spikes.

    >>> from cortexsim.rules import load_rule
    >>> on_spikes(load_rule("oja")).feedforward.at_pre
    'free_eta * (1) * (activity_post)'

    Args:
        rule: any rule.

    Returns:
        The rule itself, where it reads single spikes already.

    Raises:
        UserError: where it reads what two cells alone do not have.
    """
    factors = rule.feedforward
    if not isinstance(factors, ThreeFactor):
        return rule
    constant = {m.read_as: m.value for m in rule.modulators if not parsed(m.value).names}
    third, post, decay = (_put_in(text, constant) for text in (factors.third, factors.post, factors.decay))
    names = set().union(*(parsed(text).names for text in (third, post, decay, factors.pre)))
    missing = sorted(names - {*rule.constants, *TRACES, "activity_pre"})
    if missing or factors.pre != "activity_pre":
        raise UserError(f"it reads {', '.join(missing) or factors.pre}, which the spikes of two cells do not give")
    form = SpikeTiming(
        at_pre=f"{FREE} * ({third}) * ({post})",
        always=f"-{FREE} * ({decay}) * weight" if decay != "0" else "0",
        traces={read.removesuffix("_post"): trace for read, trace in TRACES.items() if read in names},
    )
    return Rule(rule.name, rule.equation, rule.source, form, constants={**rule.constants, FREE: ETA})


def scaled(rule: Rule, change: np.ndarray, data: np.ndarray, error: np.ndarray | float = 1.0) -> np.ndarray:
    """Scale changes of a rule without a scale of its own to fit data best; those of others stay.

    Args:
        rule: whose changes they are.
        change: of weights, (conditions,).
        data: measured, (conditions,).
        error: standard error of the data.
    """
    if FREE not in rule.constants:
        return change
    power = np.sum((change / error) ** 2)
    return change * max(0.0, float(np.sum(change * data / error**2) / power)) if power else change


def _put_in(text: str, values: dict[str, str]) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda match: f"({values[match[0]]})" if match[0] in values else match[0], text)
