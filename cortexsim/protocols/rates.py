"""The mean change of a weight where spikes are independent: the same rule text, read on rates.

A trace holds its mean under Poisson spikes. Fluctuations that traces share are left out, so that a rule whose texts
multiply two traces of one cell agrees with spikes only where these do not covary.
"""

from typing import Any

import numpy as np

from cortexsim.errors import UserError
from cortexsim.expression import Expression
from cortexsim.protocols.event_engine import FUNCTIONS
from cortexsim.protocols.spike_trains import check_rates
from cortexsim.rules import Rule, SpikeTiming, Trace

Rates = float | np.ndarray


def mean_change(rule: Rule, pre: Rates, post: Rates, weight: Rates = 1.0) -> np.ndarray:
    """Compute the mean change of a weight, per second, at rates of the two cells.

    >>> from cortexsim.rules import load_rule
    >>> mean_change(load_rule("stdp_triplet"), 10.0, np.array([10.0, 30.0])).round(4)
    array([-0.0115,  0.0403])

    Args:
        rule: one of single spikes, without modulators.
        pre: rates of presynaptic cells, Hz.
        post: rates of postsynaptic cells, Hz.
        weight: of the synapse.

    Raises:
        UserError: where the rule needs more than rates, or a rate is no number of 0 or more.
    """
    check_rates("pre", pre)
    check_rates("post", post)
    form = rule.feedforward
    if not isinstance(form, SpikeTiming) or form.modulators or {"potential_post", "dendrite_post"} & set(rule.reads):
        raise UserError(f"rule '{rule.name}': needs more than the rates of two cells")
    values: dict[str, Any] = {**rule.constants, "weight": weight}
    for name, trace in form.read_traces.items():
        values[name] = _mean(trace, pre if trace.side == "pre" else post)
    total: Any = np.zeros(np.broadcast(pre, post).shape)
    for term in form.terms:
        texts = {key: _value(text, values) for key, text in term.factors().items()}
        added = pre * texts["at_pre"] + post * texts["at_post"] + texts["always"]
        total = total + texts["third"] * added * (term.seconds or 1.0)
    return np.asarray(total)


def _mean(trace: Trace, rate: Rates) -> Rates:
    """Mean of a trace under Poisson spikes."""
    if trace.of == "activity":
        return rate
    spikes = rate * trace.seconds
    return spikes if trace.pairing == "all" else spikes / (1 + spikes)


def _value(text: Expression, values: dict[str, Any]) -> Any:
    if "eligibility" in text.names:
        raise UserError(f"'{text.text}' reads the eligibility, whose mean no rate gives")
    return text(values, FUNCTIONS)
