"""Plasticity rules, each in a file of its name, as data that all substrates read.

A new rule is a file in this folder that defines `RULE`, or such a file anywhere, whose path a model names.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from cortexsim.errors import UserError, nearest
from cortexsim.expression import Expression
from cortexsim.rules.error_path import FEEDBACK, MASKS, ErrorPath
from cortexsim.rules.signals import SIGNALS, Signal
from cortexsim.rules.spike_timing import Neuromodulator, SpikeTiming, Term, Trace
from cortexsim.rules.three_factor import SUBSTRATES, Rule, ThreeFactor
from cortexsim.user_files import load_variable, module_variable

__all__ = [
    "FEEDBACK",
    "MASKS",
    "SIGNALS",
    "SUBSTRATES",
    "ErrorPath",
    "Expression",
    "Neuromodulator",
    "Rule",
    "Signal",
    "SpikeTiming",
    "Term",
    "ThreeFactor",
    "Trace",
    "known_rules",
    "load_rule",
]


@cache
def known_rules() -> dict[str, Rule]:
    """Return the rules of this package by name.

    >>> known_rules()["hebb"].source
    'Sejnowski 1977; Oja 1982'
    """
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    rules = (vars(module).get("RULE") for module in modules)
    return {rule.name: rule for rule in rules if isinstance(rule, Rule)}


def load_rule(name: str, beside: Path = Path()) -> Rule:
    """Load a rule by its name, from a Python file that defines `RULE`, or from a variable of a module.

    >>> load_rule("clapp").feedforward.third
    'surprise_all * dendrite_post'
    >>> load_rule("stdp_triplet:HIPPOCAMPUS").constants["slow_potentiation"]
    0.0067
    >>> load_rule("clap")
    Traceback (most recent call last):
    cortexsim.errors.UserError: rule 'clap' is not known (did you mean 'clapp'?)

    Args:
        name: a known name; a path ending in ``.py``; or ``package.module:VARIABLE``, where the module may be the name
            of a known rule, whose file defines variants of it.
        beside: folder that the path is relative to, that of the model that names the rule.

    Raises:
        UserError: where there is no such rule, or the file cannot be run or defines none.
    """
    if name.endswith(".py"):
        path = beside / name
        rule = load_variable(path, "RULE", "rule")
        if not isinstance(rule, Rule):
            raise UserError(f"rule file '{path}' holds no Rule named RULE")
        return rule
    if ":" in name:
        module = name.partition(":")[0]
        return module_variable(name, Rule, "rule", f"{__name__}.{module}" if module in known_rules() else "")
    if name not in known_rules():
        raise UserError(f"rule '{name}' is not known ({nearest(name, known_rules())})")
    return known_rules()[name]
