"""Dimensions of what cells' equations compute, in powers of volt, ampere and second."""

import ast
from collections.abc import Mapping
from typing import NamedTuple

from cortexsim.errors import UserError, nearest


class Dimension(NamedTuple):
    """Powers of the three units of which all that cells have is made.

    >>> Dimension(volt=1) / Dimension(second=1)
    Dimension(volt=1, ampere=0, second=-1)
    """

    volt: float = 0
    ampere: float = 0
    second: float = 0

    def __pow__(self, exponent: float) -> "Dimension":
        return Dimension(*(exponent * power for power in self))

    def times(self, other: "Dimension") -> "Dimension":
        """Return the dimension of a product."""
        return Dimension(*(a + b for a, b in zip(self, other, strict=True)))

    def __truediv__(self, other: "Dimension") -> "Dimension":
        return self.times(other**-1)

    def __str__(self) -> str:
        powers = zip(("V", "A", "s"), self, strict=True)
        return " ".join(name if power == 1 else f"{name}^{power:g}" for name, power in powers if power) or "a number"


NUMBER, SECOND, VOLT, AMPERE = Dimension(), Dimension(second=1), Dimension(volt=1), Dimension(ampere=1)
SIEMENS, FARAD = AMPERE / VOLT, AMPERE.times(SECOND) / VOLT
UNITS = {
    **dict.fromkeys(("second", "ms", "us"), SECOND),
    **dict.fromkeys(("hertz", "Hz", "kHz"), SECOND**-1),
    **dict.fromkeys(("volt", "mV"), VOLT),
    **dict.fromkeys(("amp", "nA", "pA"), AMPERE),
    **dict.fromkeys(("siemens", "uS", "nS"), SIEMENS),
    **dict.fromkeys(("farad", "nF", "pF"), FARAD),
}
"""Units that equations may name, as Brian2 spells them."""

KINDS = {
    "time": SECOND,
    "frequency": SECOND**-1,
    "voltage": VOLT,
    "current": AMPERE,
    "conductance": SIEMENS,
    "capacitance": FARAD,
    "conductance per voltage": SIEMENS / VOLT,
    "number": NUMBER,
}
"""Of parameters, by the kind of their values."""

FUNCTIONS = {
    **dict.fromkeys(("arcsin", "arctan", "cos", "exp", "floor", "log", "sin", "tanh"), "numbers"),
    **dict.fromkeys(("abs", "clip"), "same"),
    **dict.fromkeys(("int", "sign"), "any"),
    "sqrt": "root",
}
"""Functions that equations may call, by what they make of dimensions."""

ARGUMENTS = {"clip": 3}


def dimension(node: ast.AST, known: Mapping[str, Dimension]) -> Dimension:
    """Find the dimension of an expression.

    Args:
        node: of the expression.
        known: dimensions of all names.

    Raises:
        UserError: where it adds or compares what has different ones, or is no expression that cells can have.
    """
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        return NUMBER
    if isinstance(node, ast.Name):
        return known[node.id]
    if isinstance(node, ast.UnaryOp):
        return dimension(node.operand, known)
    if isinstance(node, ast.BinOp):
        return _of_operation(node, known)
    if isinstance(node, ast.Compare | ast.BoolOp):
        parts = [node.left, *node.comparators] if isinstance(node, ast.Compare) else node.values
        _same(node, [dimension(part, known) for part in parts])
        return NUMBER
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _of_call(node, node.func.id, known)
    raise UserError(f"'{ast.unparse(node)}' is not allowed in a cell (arithmetic, comparisons and functions)")


def _of_operation(node: ast.BinOp, known: Mapping[str, Dimension]) -> Dimension:
    left, right = dimension(node.left, known), dimension(node.right, known)
    if isinstance(node.op, ast.Mult):
        return left.times(right)
    if isinstance(node.op, ast.Div | ast.FloorDiv):
        return left / right
    if isinstance(node.op, ast.Pow):
        if left == NUMBER == right:
            return NUMBER
        try:
            return left ** float(ast.literal_eval(node.right))
        except (ValueError, TypeError):
            raise UserError(f"'{ast.unparse(node)}': {left} to a power that is no plain number (such as **2)") from None
    return _same(node, [left, right])


def _of_call(node: ast.Call, name: str, known: Mapping[str, Dimension]) -> Dimension:
    if name not in FUNCTIONS:
        raise UserError(f"reads '{name}', which is not known ({nearest(name, FUNCTIONS)})")
    if len(node.args) != (wanted := ARGUMENTS.get(name, 1)):
        raise UserError(f"'{ast.unparse(node)}': {name} takes {wanted} argument{'s'[: wanted > 1]}")
    found, kind = [dimension(argument, known) for argument in node.args], FUNCTIONS[name]
    if kind == "numbers" and found[0] != NUMBER:
        raise UserError(f"'{ast.unparse(node)}' is {name} of {found[0]} (of a number: divide by a unit)")
    if kind == "same":
        return _same(node, found)
    return found[0] ** 0.5 if kind == "root" else NUMBER


def _same(node: ast.AST, found: list[Dimension]) -> Dimension:
    for other in found[1:]:
        if other != found[0]:
            raise UserError(f"'{ast.unparse(node)}' joins {found[0]} and {other} (units that agree)")
    return found[0]
