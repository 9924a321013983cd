"""Equations of cells, read before Brian2 does: what they name, and whether a method can integrate them."""

import ast
import re
from collections.abc import Mapping, Sequence

from cortexsim.errors import UserError, nearest

METHODS = ("exact", "exponential_euler", "euler", "rk2", "rk4")
"""Of Brian2, for equations without noise."""

LINE = re.compile(
    r"(?:d(?P<state>\w+)/dt|(?P<name>\w+))\s*(?:=(?P<text>[^:]+))?:\s*(?P<unit>[^(]+?)\s*(?:\([\w ,]+\))?$"
)
FUNCTIONS = {"abs", "arcsin", "arctan", "clip", "cos", "exp", "floor", "int", "log", "sign", "sin", "sqrt", "tanh"}
GIVEN = {"bias", "dt", "inf", "t", "second", "ms", "Hz"}  # By the network, and by Brian2.


def audit(
    equations: str,
    parameters: Mapping[str, str],
    threshold: str,
    reset: Sequence[str],
    on_saccade: Mapping[str, str],
    method: str,
) -> None:
    """Check that a cell has all that layers need.

    Args:
        equations, parameters, threshold, on_saccade, method: of a `Cell`.
        reset: its statements.

    Raises:
        UserError: where it lacks something, with the name.
    """
    states, texts = _read(equations)
    required = ["current", "drive", "derivative", *(["v"] if threshold else ["rate"])]
    if missing := [name for name in required if name not in states and name not in texts]:
        raise UserError(f"equations: '{missing[0]}' is missing (a cell gives {', '.join(required)})")
    times = ["tau_synapse", "t_refractory"] if threshold else []
    if missing := [name for name in times if name not in parameters]:
        raise UserError(f"parameters: '{missing[0]}' is missing (a cell that spikes has {' and '.join(times)})")
    known = {*states, *texts, *parameters, *GIVEN}
    for name, text in {**texts, **{f"d{name}/dt": text for name, text in states.items()}}.items():
        _check_names(f"equations: {name}", _parsed(f"equations: {name}", text), known)
    if threshold:
        _check_names("threshold", _parsed("threshold", threshold), known)
    for statement in reset:
        _check_statement("reset", statement, known)
    for name, value in on_saccade.items():
        if name not in known:
            raise UserError(f"on_saccade: '{name}' is no variable of the cell ({nearest(name, known)})")
        _check_names(f"on_saccade: {name}", _parsed(f"on_saccade: {name}", value), known)
    _check_method(states, texts, method)


def _read(equations: str) -> tuple[dict[str, str], dict[str, str]]:
    """Read differential equations by their variable, and all other texts by name; those of parameters are empty."""
    states: dict[str, str] = {}
    texts: dict[str, str] = {}
    for line in filter(None, map(str.strip, equations.splitlines())):
        found = LINE.fullmatch(line)
        if found is None or (found["state"] and not found["text"]):
            raise UserError(f"equations: '{line}' cannot be read (such as 'dv/dt = -v / tau : 1', or 'x = v + 1 : 1')")
        name = found["state"] or found["name"]
        if name in states or name in texts:
            raise UserError(f"equations: '{name}' is there twice")
        (states if found["state"] else texts)[name] = (found["text"] or "").strip()
    return states, texts


def _parsed(where: str, text: str) -> ast.AST:
    try:
        return ast.parse(text or "0", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError(f"{where}: '{text}' is not an expression") from None


def _check_names(where: str, tree: ast.AST, known: set[str]) -> None:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in (FUNCTIONS if id(node) in called else known):
            raise UserError(f"{where} reads '{node.id}', which is not known ({nearest(node.id, known)})")


def _check_statement(where: str, statement: str, known: set[str]) -> None:
    found = re.fullmatch(r"(\w+) *[-+*/]?= *(.+)", statement)
    if found is None or found[1] not in known:
        raise UserError(f"{where}: '{statement}' sets no variable of the cell (such as 'v = 0')")
    _check_names(where, _parsed(where, found[2]), known)


def _check_method(states: Mapping[str, str], texts: Mapping[str, str], method: str) -> None:
    """Check the method: `exact` needs equations that are linear, `exponential_euler` each in its own variable."""
    if method not in ("exact", "exponential_euler"):
        return
    for name, text in states.items():
        free = set(states) if method == "exact" else {name}
        if _degree(_parsed(name, text), free, texts) > 1:
            others = "euler, rk2, rk4" if method != "exact" else "exponential_euler, euler, rk2, rk4"
            raise UserError(
                f"method = '{method}': d{name}/dt = {text} is not linear in {' and '.join(sorted(free))} ({others})"
            )


def _degree(node: ast.AST, free: set[str], texts: Mapping[str, str]) -> int:
    """Find the degree of a text as a polynomial of free variables; 2 for all that is not linear."""
    if isinstance(node, ast.Name):
        if texts.get(node.id):  # What it stands for.
            return _degree(_parsed(node.id, texts[node.id]), free - {node.id}, {**texts, node.id: ""})
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
