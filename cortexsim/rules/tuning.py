"""Numbers of a rule that can be tuned: constants, and time constants of traces, modulators and eligibilities."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from cortexsim.errors import UserError, nearest
from cortexsim.rules.spike_timing import Neuromodulator, SpikeTiming, Term, Trace
from cortexsim.rules.three_factor import Rule

Timed = TypeVar("Timed", Trace, Neuromodulator)
TermOrForm = TypeVar("TermOrForm", bound=Term)


def tunable(rule: Rule) -> dict[str, float]:
    """List the numbers of a rule by name: constants, and time constants as ``tau_`` and the name of what has it, s.

    >>> from cortexsim.rules import load_rule
    >>> tunable(load_rule("stdp_pair"))
    {'potentiation': 0.01295, 'depression': 0.00455, 'tau_early': 0.0168..., 'tau_late': 0.0337}

    Args:
        rule: any rule; of one of layers, only its constants.

    Raises:
        UserError: where a constant has the name of a time constant.
    """
    constants, times = dict(rule.constants), time_constants(rule)
    if both := sorted(constants.keys() & times.keys()):
        raise UserError(f"rule '{rule.name}': constant '{both[0]}' is named like a time constant (name it otherwise)")
    return constants | times


def time_constants(rule: Rule) -> dict[str, float]:
    """List the time constants of a rule of single spikes by name, s."""
    form = rule.feedforward
    if not isinstance(form, SpikeTiming):
        return {}
    timed: dict[str, Trace | Neuromodulator] = {**form.traces, **form.modulators}
    found = {f"tau_{name}": each.seconds for name, each in timed.items() if each.tau}
    return found | {_eligibility(i): term.seconds for i, term in enumerate(form.terms) if term.tau_eligibility}


def tuned(rule: Rule, values: Mapping[str, float]) -> Rule:
    """Copy a rule with other numbers.

    >>> from cortexsim.rules import load_rule
    >>> tuned(load_rule("stdp_pair"), {"tau_late": 0.02}).feedforward.traces["late"].seconds
    0.02

    Args:
        rule: any rule.
        values: by the names of `tunable`; time constants in s.

    Raises:
        UserError: where the rule has no such number.
    """
    known = tunable(rule)
    for name in values:
        if name not in known:
            whose = f"rule '{rule.name}' has no constant '{name}'"
            raise UserError(f"{whose} ({nearest(name, known) if known else 'it has none'})")
    constants = {name: values.get(name, value) for name, value in rule.constants.items()}
    form = rule.feedforward
    if isinstance(form, SpikeTiming):
        form = replace(
            _timed(form, 0, values),
            traces=_retimed(form.traces, values),
            modulators=_retimed(form.modulators, values),
            also=tuple(_timed(term, number, values) for number, term in enumerate(form.also, 1)),
        )
    return replace(rule, constants=constants, feedforward=form)


def _eligibility(number: int) -> str:
    return "tau_eligibility" if number == 0 else f"tau_eligibility_{number + 1}"


def _retimed(several: Mapping[str, Timed], values: Mapping[str, float]) -> dict[str, Timed]:
    keys = {name: f"tau_{name}" for name in several}
    return {
        name: replace(each, tau=_text(values[keys[name]])) if keys[name] in values else each
        for name, each in several.items()
    }


def _timed(term: TermOrForm, number: int, values: Mapping[str, float]) -> TermOrForm:
    name = _eligibility(number)
    return replace(term, tau_eligibility=_text(values[name])) if name in values else term


def _text(seconds: float) -> str:
    return f"{float(seconds)!r} s"
