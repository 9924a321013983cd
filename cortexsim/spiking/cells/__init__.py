"""Cell models as Brian2 equations, one module each, in a variable `CELL`.

A model names one of this folder, or the path of such a file anywhere.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.quantities import kind_of
from cortexsim.spiking.cell_audit import audit
from cortexsim.spiking.equations import METHODS, choose_method
from cortexsim.user_files import load_variable, module_variable


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
        parameters: values as text, with their unit (such as ms, Hz, mV, pA, nS, pF or nS/mV), or none; a model may
            change them. A cell that spikes has ``t_refractory``, and ``tau_synapse``, the decay time constant of the
            synaptic current; all times but ``t_refractory`` are time constants, at least twice as long as a time step.
        on_saccade: values that variables take at a saccade, when the next sample is presented: rest, of all variables
            with a differential equation.
        source: where the equations are from.
        threshold: condition of a spike; empty for a cell without spikes.
        reset: statements at a spike, separated by semicolons.
        method: how its equations are integrated, by Brian2's name: ``exact`` where all are linear,
            ``exponential_euler`` where each is linear in its own variable, or else ``euler``, ``heun``, ``rk2`` or
            ``rk4``. Without one, linear equations are integrated exactly, or each by itself where they read each other
            in a loop, and others by the method of Brian2's choice.

    ``current``, ``bias`` and ``drive`` are numbers, in units of the rheobase: a cell in real units has the rheobase as
    a parameter, such as ``rheobase = "600 pA"``, and its membrane receives ``rheobase * drive``.

    Raises:
        UserError: where something is missing, cannot be read or integrated by this method, or units do not agree.
    """

    name: str
    equations: str
    parameters: Mapping[str, str]
    on_saccade: Mapping[str, str]
    source: str
    threshold: str = ""
    reset: str = ""
    method: str = ""

    def __post_init__(self) -> None:
        with error_prefix(f"cell '{self.name}'"):
            if self.method and self.method not in METHODS:
                raise UserError(f"method = '{self.method}' is not known ({nearest(self.method, METHODS)})")
            audit(self.equations, self.parameters, self.threshold, self.reset_statements, self.on_saccade, self.method)

    @property
    def spikes(self) -> bool:
        """Whether its output is spikes, and not a rate."""
        return bool(self.threshold)

    @property
    def integrator(self) -> str:
        """Brian2's name of the method by which its equations are integrated; empty where Brian2 chooses.

        >>> known_cells()["lif"].integrator, known_cells()["adex"].integrator
        ('exact', 'rk4')
        """
        return self.method or choose_method(self.equations)

    @property
    def in_volts(self) -> bool:
        """Whether its voltage is in volts, and not in units of the threshold."""
        return "voltage" in self.kinds.values()

    @property
    def reset_statements(self) -> list[str]:
        """What a spike does to it, statement by statement."""
        return [statement for part in self.reset.split(";") if (statement := part.strip())]

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each parameter, such as ``time``, ``voltage`` or ``number``."""
        return {name: kind_of(value) for name, value in self.parameters.items()}


@cache
def known_cells() -> dict[str, Cell]:
    """Return the cells of this package by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    cells = [importlib.import_module(f"{__name__}.{name}").CELL for name in names]
    return {cell.name: cell for cell in cells}


def load_cell(name: str, beside: Path = Path()) -> Cell:
    """Load a cell by its name, from a Python file that defines `CELL`, or from a variable of a module.

    >>> load_cell("lif").source
    'Gerstner, Kistler, Naud, Paninski 2014'
    >>> load_cell("cortexsim.spiking.cells.adex:CELL").name
    'adex'

    Args:
        name: a known name; a path ending in ``.py``; or ``package.module:VARIABLE``.
        beside: folder that the path is relative to, that of the model that names the cell.

    Raises:
        UserError: where there is no such cell, with the nearest name, or the file cannot be run or defines none.
    """
    if name.endswith(".py"):
        cell = load_variable(beside / name, "CELL", "cell")
        if not isinstance(cell, Cell):
            raise UserError(f"cell file '{beside / name}' holds no Cell named CELL")
        return cell
    if ":" in name:
        return module_variable(name, Cell, "cell")
    if name not in (known := known_cells()):
        raise UserError(f"cell '{name}' is not known ({nearest(name, known)})")
    return known[name]
