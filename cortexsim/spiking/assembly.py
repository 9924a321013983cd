"""What a network is assembled from: layers as they are specified, and the parts that are added for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cortexsim.spiking.network_spec import Connection, Group, Operation, Phase, Variable

Wiring = tuple[str, dict[str, Any]]

NEXT = "next"
"""Context of a layer that is the layer itself in the fixation before, and not other columns in the present one."""


@dataclass(frozen=True)
class LayerSpec:
    """Specify one layer.

    >>> spec = LayerSpec(1, positions=4, cells=64, patch=16, substrate="spiking", plastic=True, context="none",
    ...                  feedback=False, presynaptic_rate=400.0, sends="prediction")
    >>> spec.size, spec.inputs, spec.name, spec.output  # The layer above receives predictions.
    (256, 64, 'layer1', 'prediction1')

    Attributes:
        number: counted from below, from 1.
        positions: columns.
        cells: in a column.
        patch: presynaptic cells of a column.
        substrate: ``spiking`` or ``brian-rate``.
        plastic: whether it learns.
        context: ``none``, ``label``, or what the columns in ``context_sources`` are, such as ``sibling``; or ``next``,
            where these are as they were in the fixation before.
        feedback: whether an output error reaches it.
        presynaptic_rate: rate of a presynaptic cell of activity 1, in Hz, or of all afferents of an input together; 0
            where these do not spike.
        sends: ``activity``; ``prediction``: the context that its columns predict of each other; or ``projection``.
        context_sources: columns of the layer from which the dendrites of each column read, (positions, n).
        receptive_fields: positions below that each column sees, (positions, k); None where they see one patch after
            the other.
        positions_below: in the layer below; read where there are receptive fields.
        population: first part of the name of the group, ``layer``, or ``projection`` for the cells of one.
        afferents: presynaptic cells of each input.
        on_off: whether predictions are sent by ON cells, and then as many OFF cells.
        projection: linear cells of the same columns, which receive the activity of these, and on which the rule acts in
            their place; None without.
    """

    number: int
    positions: int
    cells: int
    patch: int
    substrate: str
    plastic: bool
    context: str
    feedback: bool
    presynaptic_rate: float
    sends: str = "activity"
    context_sources: tuple[tuple[int, ...], ...] = ()
    receptive_fields: tuple[tuple[int, ...], ...] | None = None
    positions_below: int = 0
    population: str = "layer"
    afferents: int = 1
    on_off: bool = False
    projection: "LayerSpec | None" = None

    def feedforward_wiring(self, cells: int) -> Wiring:
        """Wire so many cells of each column to the receptive field of the column."""
        if self.receptive_fields is None:
            return "patches", {"positions": self.positions, "cells": cells, "patch": self.patch}
        width = self.patch // len(self.receptive_fields[0])
        sizes = {"sources": self.receptive_fields, "below": self.positions_below, "width": width, "cells": cells}
        return "table", sizes

    def feedback_wiring(self) -> Wiring:
        """Wire all cells of each column to the cells in the receptive field of the column."""
        fields = self.receptive_fields or tuple((position,) for position in range(self.positions))
        return "returning", {"targets": fields, "width": self.patch // len(fields[0]), "cells": self.cells}

    @property
    def inputs(self) -> int:
        """Presynaptic cells of all columns together."""
        if self.receptive_fields is None:
            return self.positions * self.patch
        return self.positions_below * self.patch // len(self.receptive_fields[0])

    @property
    def name(self) -> str:
        """Name of its group."""
        return f"{self.population}{self.number}"

    @property
    def output(self) -> str:
        """Name of the group whose activity the layer above receives."""
        senders = {"prediction": "prediction", "projection": "on_off"}
        return f"{senders[self.sends]}{self.number}" if self.sends in senders else self.name

    @property
    def learning_cells(self) -> "LayerSpec":
        """The cells on which the rule acts: those of the projection, where there is one, or its own."""
        return self.projection or self

    @property
    def signal_phase(self) -> Phase:
        """When its cells have the signal of the fixation that ends."""
        return Phase.BELOW_PROJECTION if self.projection is not None else Phase.SIGNAL

    @property
    def third_phase(self) -> Phase:
        """When its cells have their third factor."""
        return Phase.PROJECTION_ERROR if self.population == "projection" else Phase.THIRD_FACTOR

    def tensor(self, name: str) -> str:
        """Name one of its tensors as the layer does."""
        return f"projection.{name}" if self.population == "projection" else name

    @property
    def size(self) -> int:
        """Cells of all columns."""
        return self.positions * self.cells


@dataclass
class Parts:
    """Collect the parts of a network, and the values of its parameters by ``owner.name``.

    Attributes:
        updates: in a fixation.
    """

    updates: int = 1
    groups: list[Group] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    state: list[Variable] = field(default_factory=list)
    parameters: dict[str, float] = field(default_factory=dict)

    def set(self, owner: str, values: Mapping[str, float]) -> None:
        """Set the values of an owner's parameters."""
        self.parameters |= {f"{owner}.{name}": value for name, value in values.items()}

    def carry(self, owner: str, *names: str) -> None:
        """Hand variables from one chunk to the next."""
        self.state += [Variable(owner, name) for name in names]

    @property
    def learning(self) -> str:
        """Condition of what is learned once in a fixation: 1 at a saccade while the network learns, or else 0."""
        return "learning(t)" if self.updates == 1 else "learning(t) * is_saccade(t)"


def shared_constants(names: Sequence[str] | Mapping[str, float]) -> list[str]:
    """Declare constants without unit that all cells, or all synapses, share."""
    return [f"{name} : 1 (shared, constant)" for name in names]


def dedent(text: str) -> str:
    """Remove the indentation of statements."""
    return "\n".join(line.strip() for line in text.strip().splitlines())
