"""Cells as equation text, one file each; a file with a CELL is a cell that models can name."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.spiking.equations import METHODS, audit


@dataclass(frozen=True)
class Cell:
    """Define a cell by its equations, in Brian2's syntax with units.

    Args:
        name: as models name it.
        equations: differential equations and subexpressions. They may read the parameters, and ``bias``, a constant
            drive that homeostasis moves. They give ``current``, to which synapses add; ``drive``, what a rule reads as
            ``drive_post``; ``derivative``, what it reads as ``derivative_post``; and ``rate`` in a cell without spikes.
        parameters: values with units, as text, which a model may change. Names of time constants begin with ``tau_``;
            a cell that spikes has ``t_refractory``, and ``tau_synapse``, over which a spike adds to its current.
        saccade: what a saccade does to the state of the cell.
        source: where the equations are from.
        threshold: condition of a spike; empty for a cell without spikes.
        reset: what a spike does to the cell.
        method: how its equations are integrated, by Brian2's name: ``exact`` where all are linear,
            ``exponential_euler`` where each is in its own variable, or else ``euler``, ``rk2`` or ``rk4``.

    Raises:
        UserError: where something is missing, cannot be read, or cannot be integrated by this method.
    """

    name: str
    equations: str
    parameters: Mapping[str, str]
    saccade: str
    source: str
    threshold: str = ""
    reset: str = ""
    method: str = "exact"

    def __post_init__(self) -> None:
        with error_prefix(f"cell '{self.name}'"):
            if self.method not in METHODS:
                raise UserError(f"method = '{self.method}' is not known ({nearest(self.method, METHODS)})")
            audit(self.equations, self.parameters, self.threshold, self.reset, self.saccade, self.method)

    @property
    def spikes(self) -> bool:
        """Whether its output is spikes, and not a rate."""
        return bool(self.threshold)


def known_cells() -> dict[str, Cell]:
    """Find all cells of the package by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    cells = [importlib.import_module(f"{__name__}.{name}").CELL for name in names]
    return {cell.name: cell for cell in cells}


def find_cell(name: str) -> Cell:
    """Find a cell by its name.

    Raises:
        UserError: where there is none.
    """
    known = known_cells()
    if name not in known:
        raise UserError(f"cell = '{name}' is not known ({nearest(name, known)})")
    return known[name]
