"""Cell models as Brian2 equations, one module each, in a variable `CELL`; a model selects one by name."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.quantities import kind_of
from cortexsim.spiking.equations import METHODS, audit


@dataclass(frozen=True)
class Cell:
    """Define a cell by its equations, in Brian2's syntax with units.

    >>> from cortexsim import Cell
    >>> quadratic = Cell(
    ...     name="quadratic",
    ...     equations='''
    ...         dv/dt = (v**2 + current + bias) / tau_membrane : 1 (unless refractory)
    ...         dcurrent/dt = -current / tau_synapse : 1
    ...         drive = current + bias : 1
    ...         derivative = int(v > 0) : 1
    ...     ''',
    ...     parameters={"tau_membrane": "10 ms", "tau_synapse": "5 ms", "t_refractory": "2 ms"},
    ...     threshold="v > 5",
    ...     reset="v = -1",
    ...     on_saccade={"v": "0", "current": "0"},
    ...     method="rk4",
    ...     source="Ermentrout & Kopell 1986",
    ... )
    >>> quadratic.spikes
    True

    Args:
        name: as models name it.
        equations: differential equations and subexpressions. They may read the parameters, and ``bias``, a constant
            drive that homeostasis adjusts. They must define ``current``, to which synapses add; ``drive``, what a rule
            reads as ``drive_post``; ``derivative``, what it reads as ``derivative_post``; and ``rate`` if a cell has no
            spikes.
        parameters: values as text, with a unit of time or frequency, or none; a model may change them. A cell that
            spikes has ``t_refractory``, and ``tau_synapse``, the decay time constant of the synaptic current; all times
            but ``t_refractory`` are time constants, at least twice as long as a time step.
        on_saccade: values that variables take at a saccade, when the next sample is presented.
        source: where the equations are from.
        threshold: condition of a spike; empty for a cell without spikes.
        reset: statements at a spike, separated by semicolons.
        method: how its equations are integrated, by Brian2's name: ``exact`` where all are linear,
            ``exponential_euler`` where each is linear in its own variable, or else ``euler``, ``rk2`` or ``rk4``.

    Raises:
        UserError: where something is missing, cannot be read, or cannot be integrated by this method.
    """

    name: str
    equations: str
    parameters: Mapping[str, str]
    on_saccade: Mapping[str, str]
    source: str
    threshold: str = ""
    reset: str = ""
    method: str = "exact"

    def __post_init__(self) -> None:
        with error_prefix(f"cell '{self.name}'"):
            if self.method not in METHODS:
                raise UserError(f"method = '{self.method}' is not known ({nearest(self.method, METHODS)})")
            audit(self.equations, self.parameters, self.threshold, self.reset_statements, self.on_saccade, self.method)

    @property
    def spikes(self) -> bool:
        """Whether its output is spikes, and not a rate."""
        return bool(self.threshold)

    @property
    def reset_statements(self) -> list[str]:
        """What a spike does to it, statement by statement."""
        return [statement for part in self.reset.split(";") if (statement := part.strip())]

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each parameter: ``time``, ``frequency`` or ``number``."""
        return {name: kind_of(value) for name, value in self.parameters.items()}


def known_cells() -> dict[str, Cell]:
    """Return the cells of this package by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    cells = [importlib.import_module(f"{__name__}.{name}").CELL for name in names]
    return {cell.name: cell for cell in cells}


def find_cell(name: str) -> Cell:
    """Find a cell by its name.

    Raises:
        UserError: where there is none, with the nearest name.
    """
    known = known_cells()
    if name not in known:
        raise UserError(f"cell = '{name}' is not known ({nearest(name, known)})")
    return known[name]
