"""Plasticity rules, each in the file that bears its name, as data that every substrate reads.

A new rule is a new file here with a `RULE` in it, or such a file anywhere, named by its path in a model.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from cortexsim.errors import UserError, nearest
from cortexsim.expression import Expression
from cortexsim.rules.error_path import FEEDBACK, MASKS, ErrorPath
from cortexsim.rules.signals import SIGNALS, Signal
from cortexsim.rules.three_factor import SUBSTRATES, Rule, ThreeFactor
from cortexsim.user_files import load_variable

__all__ = [
    "FEEDBACK",
    "MASKS",
    "SIGNALS",
    "SUBSTRATES",
    "ErrorPath",
    "Expression",
    "Rule",
    "Signal",
    "ThreeFactor",
    "known_rules",
    "load_rule",
]


@cache
def known_rules() -> dict[str, Rule]:
    """List the rules of this package by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = (vars(module).get("RULE") for module in modules)
    return {rule.name: rule for rule in found if isinstance(rule, Rule)}


def load_rule(name: str, beside: Path = Path()) -> Rule:
    """Find a rule by its name, or in a Python file that holds a `RULE`.

    Args:
        name: a known name, or a path ending in ``.py``, relative to ``beside``.
        beside: folder of the model that names the rule.

    Raises:
        UserError: where there is no such rule, or the file holds none.
    """
    if not name.endswith(".py"):
        if name not in known_rules():
            raise UserError(f"rule '{name}' is not known ({nearest(name, known_rules())})")
        return known_rules()[name]
    path = beside / name
    rule = load_variable(path, "RULE", "rule")
    if not isinstance(rule, Rule):
        raise UserError(f"rule file '{path}' holds no Rule named RULE")
    return rule
