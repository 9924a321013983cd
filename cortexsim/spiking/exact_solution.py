"""The exact solution of a cell's linear equations, which takes sympy a second, found once for all that share them."""

from collections.abc import Mapping
from typing import Any

import brian2
from brian2.utils.stringtools import get_identifiers

_known: dict[object, str] = {}


def exact(equations: Any, variables: Mapping[str, Any] | None = None, method_options: Any = None) -> str:
    """Solve linear equations for a time step, as Brian2's method of that name, whose cache asks for the same variables.

    >>> cell = brian2.Equations("dv/dt = -v / tau : 1")
    >>> exact(cell)
    '_v = v*exp(-dt/tau)\\nv = _v'

    Args:
        equations: of the cell.
        variables: by name; whether they are constant decides what can be solved.
        method_options: of the method.

    Returns:
        Statements that integrate the equations over a time step.

    Raises:
        UnsupportedEquationsException: the equations are not linear, or their coefficients are not constant.
    """
    texts = [(name, text.code) for name, text in equations.get_substituted_expressions(variables)]
    read = set().union(*(get_identifiers(text) for _, text in texts))
    constant = frozenset(name for name in read if getattr((variables or {}).get(name), "constant", False))
    key = (tuple(texts), constant, repr(method_options))
    if key not in _known:
        _known[key] = brian2.exact(equations, variables, method_options)
    return _known[key]
