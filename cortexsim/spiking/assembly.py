"""What a network is put together from: layers planned, parts collected, and the turns of a saccade."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cortexsim.spiking.network_spec import Connection, Group, Operation

(
    SIGNAL, WATCH, HEAR, LOGIT, TOTAL, ANSWER, SCORE, VALUE, ENTER, LINE, ARRIVE, THIRD, LEARN, FOLLOW, SACCADE, SHOW,
) = range(16)  # fmt: skip
"""Turns: what happens at a saccade, to the fixation that it ends, one after the other."""


@dataclass(frozen=True)
class Plan:
    """Plan one layer.

    Attributes:
        number: counted from below, from 1.
        positions: columns.
        cells: in a column.
        patch: presynaptic cells of a column.
        substrate: ``spiking`` or ``brian-rate``.
        plastic: whether it learns.
        context: ``label``, ``none``, or the columns of the layer that are ``heard``, by name.
        feedback: whether an output error reaches it.
        below_rate: rate of a presynaptic cell of activity 1; 0 where these do not spike.
        sends: ``activity``, or ``prediction``: what it makes the dendrites that hear it expect.
        heard: which columns of the layer the dendrites of each one hear, (positions, n).
        fields: which positions below each column sees, (positions, k); None where they see one patch after the other.
        below: positions below, where there are fields.
    """

    number: int
    positions: int
    cells: int
    patch: int
    substrate: str
    plastic: bool
    context: str
    feedback: bool
    below_rate: float
    sends: str = "activity"
    heard: tuple[tuple[int, ...], ...] = ()
    fields: tuple[tuple[int, ...], ...] | None = None
    below: int = 0

    def inputs(self, cells: int) -> tuple[str, dict[str, Any]]:
        """Wire so many cells of each column to what it sees."""
        if self.fields is None:
            return "patches", {"positions": self.positions, "cells": cells, "patch": self.patch}
        width = self.patch // len(self.fields[0])
        return "table", {"sources": self.fields, "below": self.below, "width": width, "cells": cells}

    @property
    def inputs_below(self) -> int:
        """Presynaptic cells of all columns together."""
        if self.fields is None:
            return self.positions * self.patch
        return self.below * self.patch // len(self.fields[0])

    @property
    def name(self) -> str:
        """Name of the layer's group."""
        return f"layer{self.number}"

    @property
    def sender(self) -> str:
        """Name of the group that the layer above hears."""
        return f"sender{self.number}" if self.sends == "prediction" else self.name

    @property
    def size(self) -> int:
        """Cells of all columns."""
        return self.positions * self.cells


@dataclass
class Parts:
    """Collect the parts of a network, and the values of its parameters by ``owner.variable``.

    Attributes:
        ticks: of a fixation.
    """

    ticks: int = 1
    groups: list[Group] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    state: list[tuple[str, str]] = field(default_factory=list)
    parameters: dict[str, float] = field(default_factory=dict)

    def set(self, owner: str, values: Mapping[str, float]) -> None:
        """Give parameters of an owner their values."""
        self.parameters |= {f"{owner}.{name}": value for name, value in values.items()}


def dedent(text: str) -> str:
    """Take the indentation from statements."""
    return "\n".join(line.strip() for line in text.strip().splitlines())
