"""What a cell does with a given drive: its voltage and its spikes, which a protocol can then be made of.

The same equations are integrated by `numpy`, with the method of Runge & Kutta whatever they are, as a reference; and by
`brian2`, as in layers.
"""

import ast
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from cortexsim.errors import UserError, nearest
from cortexsim.quantities import quantity
from cortexsim.spiking.cells import Cell
from cortexsim.spiking.equations import read_equations

SI = {"ms": 1e-3, "us": 1e-6, "kHz": 1e3, "mV": 1e-3, "nA": 1e-9, "pA": 1e-12, "uS": 1e-6, "nS": 1e-9, "nF": 1e-9}
SI |= {"pF": 1e-12, **dict.fromkeys(("second", "hertz", "Hz", "volt", "amp", "siemens", "farad"), 1.0), "inf": np.inf}
FUNCTIONS = {
    **{name: getattr(np, name) for name in ("abs", "arcsin", "arctan", "clip", "cos", "exp", "floor", "log", "sign")},
    **{name: getattr(np, name) for name in ("sin", "sqrt", "tanh")},
    "int": lambda condition: np.asarray(condition).astype(float),
}


class Response(NamedTuple):
    """What a cell did.

    Attributes:
        potential: at the beginning of each time step, (steps, cells), in mV, or in units of the threshold.
        spikes: times of the spikes of each cell, s.
    """

    potential: np.ndarray
    spikes: list[np.ndarray]


def respond(
    cell: Cell,
    drive: np.ndarray,
    dt: float = 1e-4,
    engine: Literal["numpy", "brian2"] = "numpy",
    parameters: Mapping[str, str] | None = None,
) -> Response:
    """Drive cells, each with a course of its own, and return their voltages and spikes.

    >>> from cortexsim.spiking.cells import load_cell
    >>> response = respond(load_cell("adex"), np.full((1000, 2), [0.5, 2.0]))
    >>> [len(spikes) for spikes in response.spikes], response.potential.shape
    ([0, 7], (1000, 2))

    Args:
        cell: that spikes.
        drive: in units of its rheobase, (steps,) or (steps, cells).
        dt: time step, s.
        engine: ``"numpy"``; or ``"brian2"``, with the method that the cell names.
        parameters: of the cell where they differ from its own, with units.

    Raises:
        UserError: where the cell does not spike or has no such parameter, or the engine is not known.
    """
    if not cell.spikes:
        raise UserError(f"cell '{cell.name}': does not spike")
    given = dict(parameters or {})
    if strange := sorted(set(given) - set(cell.parameters)):
        known = nearest(strange[0], cell.parameters)
        raise UserError(f"cell '{cell.name}': has no parameter '{strange[0]}' ({known})")
    values = {name: quantity(given.get(name, own), cell.kinds[name]) for name, own in cell.parameters.items()}
    course = np.asarray(drive, dtype=float)
    course = course[:, None] if course.ndim == 1 else course
    if engine == "brian2":
        from cortexsim.protocols.brian_cells import simulate  # Brian2 is loaded only where it is asked for.

        potential, spikes = simulate(cell, course, dt, values)
    elif engine == "numpy":
        potential, spikes = _Integration(cell, values, course.shape[1]).run(course, dt)
    else:
        raise UserError(f"engine = '{engine}': not known ({nearest(engine, ['numpy', 'brian2'])})")
    return Response(potential * (1e3 if cell.in_volts else 1.0), spikes)


class _Integration:
    """The state of some cells, integrated in NumPy.

    Args:
        cell: their equations.
        parameters: in SI.
        count: of cells.
    """

    def __init__(self, cell: Cell, parameters: Mapping[str, float], count: int) -> None:
        read = read_equations(cell.equations)
        self.held, self.constants, self.count = read.held, {**SI, **parameters}, count
        self.slopes = {name: _compiled(text) for name, text in read.states.items()}
        self.texts = {name: _compiled(text) for name, text in read.texts.items() if text}
        self.threshold = _compiled(cell.threshold)
        self.resets = [ast.parse(statement).body[0] for statement in cell.reset_statements]
        empty = dict.fromkeys([*read.states, *(name for name, text in read.texts.items() if not text)], "0")
        rest = {**empty, **cell.on_saccade}
        zero: dict[str, Any] = {}
        self.state = {name: self._value(_compiled(text), zero) for name, text in rest.items()}
        self.last = np.full(count, -np.inf)

    def run(self, course: np.ndarray, dt: float) -> tuple[np.ndarray, list[np.ndarray]]:
        """Integrate; return the voltages before each step, in SI, and the times of spikes."""
        potential, fired = np.empty(course.shape), np.empty(course.shape, dtype=bool)
        for step, bias in enumerate(course):
            now = step * dt
            potential[step] = self.state["v"]
            free = now - self.last >= self.constants["t_refractory"] - dt / 2
            surroundings = {"bias": bias, "t": now, "dt": dt}
            self._step(dt, free, surroundings)
            fired[step] = free & (self._value(self.threshold, {**self.state, **surroundings}) > 0)
            self.last = np.where(fired[step], now, self.last)
            self._reset(fired[step], surroundings)
        return potential, [np.flatnonzero(column) * dt for column in fired.T]

    def _step(self, dt: float, free: np.ndarray, surroundings: Mapping[str, Any]) -> None:
        def slope(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            found = {name: self._value(code, {**state, **surroundings}) for name, code in self.slopes.items()}
            return {name: value * free if name in self.held else value for name, value in found.items()}

        def moved(by: Mapping[str, np.ndarray], share: float) -> dict[str, np.ndarray]:
            return {name: value + share * dt * by[name] if name in by else value for name, value in self.state.items()}

        first = slope(self.state)
        second = slope(moved(first, 0.5))
        third = slope(moved(second, 0.5))
        fourth = slope(moved(third, 1.0))
        mean = {name: (first[name] + 2 * second[name] + 2 * third[name] + fourth[name]) / 6 for name in first}
        self.state = moved(mean, 1.0)

    def _reset(self, fired: np.ndarray, surroundings: Mapping[str, Any]) -> None:
        if not fired.any():
            return
        for statement in self.resets:
            assert isinstance(statement, ast.Assign | ast.AugAssign)
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            name, value = ast.unparse(target), statement.value
            if isinstance(statement, ast.AugAssign):
                value = ast.BinOp(ast.Name(name, ast.Load()), statement.op, value)
            new = self._value(_compiled(ast.unparse(value)), {**self.state, **surroundings})
            self.state[name] = np.where(fired, new, self.state[name])

    def _value(self, code: Any, known: Mapping[str, Any]) -> np.ndarray:
        found = eval(code, {"__builtins__": {}, **FUNCTIONS}, _Names(self.texts, {**self.constants, **known}))
        return np.broadcast_to(np.asarray(found, dtype=float), (self.count,))


class _Names(dict[str, Any]):
    """Values by name; those of subexpressions are computed when they are first read."""

    def __init__(self, texts: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.texts = texts

    def __missing__(self, name: str) -> Any:
        if name not in self.texts:
            raise KeyError(name)
        self[name] = eval(self.texts[name], {"__builtins__": {}, **FUNCTIONS}, self)
        return self[name]


class _Elementwise(ast.NodeTransformer):
    """Write ``and``, ``or`` and ``not`` so that they act on arrays."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Join the parts by & or |."""
        self.generic_visit(node)
        joined, operator = node.values[0], ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        for part in node.values[1:]:
            joined = ast.BinOp(joined, operator, part)
        return joined

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """Invert elementwise."""
        self.generic_visit(node)
        return ast.UnaryOp(ast.Invert(), node.operand) if isinstance(node.op, ast.Not) else node


def _compiled(text: str) -> Any:
    tree = ast.fix_missing_locations(_Elementwise().visit(ast.parse(text.strip(), mode="eval")))
    return compile(tree, f"<cell: {text}>", "eval")
