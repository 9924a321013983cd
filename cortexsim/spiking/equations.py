"""Equations of cells, read before Brian2 does: what they define, and how they can be integrated."""

import ast
import re
from collections.abc import Mapping
from typing import NamedTuple

from cortexsim.errors import UserError

METHODS = ("exact", "exponential_euler", "euler", "heun", "rk2", "rk4")
"""Of Brian2, for equations without noise."""

LINE = re.compile(
    r"(?:d(?P<state>\w+)/dt|(?P<name>\w+))\s*(?:=(?P<text>(?:[^:=]|[=<>!]=)+))?"
    r":\s*(?P<unit>[^(]+?)\s*(?:\((?P<flags>[\w ,]+)\))?$"
)


class Equations(NamedTuple):
    """What a text of equations defines.

    Attributes:
        states: right sides of differential equations, by their variable.
        texts: all other right sides; those of parameters are empty.
        units: of each variable, as written.
        held: states that stay as they are while the cell is refractory.
    """

    states: dict[str, str]
    texts: dict[str, str]
    units: dict[str, str]
    held: set[str]

    @property
    def variables(self) -> set[str]:
        """Names of all that statements can set."""
        return {*self.states, *(name for name, text in self.texts.items() if not text)}


def choose_method(equations: str) -> str:
    """Choose how to integrate equations: ``exact`` where they are linear, or else empty, which leaves it to Brian2.

    Where linear equations read each other in a loop, which takes minutes to solve in symbols, each is solved exactly by
    itself: ``exponential_euler``.

    >>> choose_method("dv/dt = -v / tau : 1"), choose_method("dv/dt = v**2 / tau : 1")
    ('exact', '')
    """
    states, texts, *_ = read_equations(equations)
    trees = {name: parsed(name, text) for name, text in states.items()}
    if any(_degree(tree, set(states), texts) > 1 for tree in trees.values()):
        return ""
    left = {
        name: {other for other in states if other != name and _degree(tree, {other}, texts)}
        for name, tree in trees.items()
    }
    while free := [name for name, others in left.items() if not others & set(left)]:
        for name in free:
            del left[name]
    return "exponential_euler" if left else "exact"


def read_equations(equations: str) -> Equations:
    """Read differential equations, subexpressions and parameters; one that has no unit yet goes on in the next line."""
    read, begun = Equations({}, {}, {}, set()), ""
    lines = [line.partition("#")[0].strip() for line in equations.splitlines()]
    for number, part in enumerate(lines):
        line = begun = f"{begun} {part}".strip()
        if not line or (":" not in line and any(lines[number + 1 :])):
            continue
        begun = ""
        found = LINE.fullmatch(line)
        if found is None or (found["state"] and not found["text"]):
            raise UserError(f"equations: '{line}' cannot be read (such as 'dv/dt = -v / tau : 1', or 'x = v + 1 : 1')")
        name = found["state"] or found["name"]
        if name in read.units:
            raise UserError(f"equations: '{name}' is there twice")
        (read.states if found["state"] else read.texts)[name] = (found["text"] or "").strip()
        read.units[name] = found["unit"]
        if "unless refractory" in (found["flags"] or ""):
            read.held.add(name)
    return read


def parsed(where: str, text: str) -> ast.AST:
    """Parse an expression; an empty one is 0.

    Args:
        where: it stands, for the message.
        text: of the expression.

    Raises:
        UserError: where it is none.
    """
    try:
        return ast.parse(text or "0", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError(f"{where}: '{text}' is not an expression") from None


def check_method(states: Mapping[str, str], texts: Mapping[str, str], method: str) -> None:
    """Check the method: `exact` needs equations that are linear, `exponential_euler` each in its own variable."""
    if method not in ("exact", "exponential_euler"):
        return
    for name, text in states.items():
        free = set(states) if method == "exact" else {name}
        if _degree(parsed(name, text), free, texts) > 1:
            others = ("" if method != "exact" else "exponential_euler, ") + "euler, heun, rk2, rk4"
            raise UserError(
                f"method = '{method}': d{name}/dt = {text} is not linear in {' and '.join(sorted(free))} ({others})"
            )


def _degree(node: ast.AST, free: set[str], texts: Mapping[str, str]) -> int:
    """Find the degree of a text as a polynomial of free variables; 2 for all that is not linear."""
    if isinstance(node, ast.Name):
        if texts.get(node.id):  # What it stands for.
            return _degree(parsed(node.id, texts[node.id]), free - {node.id}, {**texts, node.id: ""})
        return int(node.id in free)
    parts = [_degree(child, free, texts) for child in ast.iter_child_nodes(node)]
    if isinstance(node, ast.UnaryOp | ast.BinOp) and isinstance(
        getattr(node, "op", None), ast.Add | ast.Sub | ast.USub
    ):
        return max(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return sum(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return parts[0] + 2 * parts[2]
    return 2 if any(parts) else 0
