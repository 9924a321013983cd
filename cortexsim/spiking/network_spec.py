"""A network as plain data: what Brian2 is to build. It can be read, compared, hashed, and handed to another process."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Group:
    """Describe a population of cells.

    Attributes:
        name: unique in the network.
        size: number of cells.
        model: equations, with units.
        threshold: condition of a spike; empty for none.
        reset: statements at a spike.
        refractory: condition under which a cell that has spiked stays silent; empty for none.
        method: how its differential equations are integrated; empty where it has none.
    """

    name: str
    size: int
    model: str
    threshold: str = ""
    reset: str = ""
    refractory: str = ""
    method: str = ""


@dataclass(frozen=True)
class Connection:
    """Describe the synapses from one population to another.

    Attributes:
        name: unique in the network.
        source: name of the presynaptic group.
        target: name of the postsynaptic group.
        model: equations; a ``(summed)`` variable is summed when its turn comes at a tick, or at every step if
            ``every_step``.
        wiring: a function of `wiring`, and its arguments.
        row: how many consecutive synapses share a presynaptic cell and lie on consecutive postsynaptic cells.
        on_pre: statements at a presynaptic spike.
        sums: summed variables by name, each with its turn.
        every_step: whether the sums are taken at every time step.
    """

    name: str
    source: str
    target: str
    model: str
    wiring: tuple[str, Mapping[str, Any]]
    row: int = 1
    on_pre: str = ""
    sums: Mapping[str, int] = field(default_factory=dict)
    every_step: bool = False


@dataclass(frozen=True)
class Operation:
    """Describe statements that a group or connection executes at every tick, in the order of their turns.

    Those of ``every_step`` are executed at the end of every time step instead.
    """

    owner: str
    turn: int
    code: str
    every_step: bool = False


@dataclass(frozen=True)
class Description:
    """Describe a whole network and its clock.

    Attributes:
        dt: time step in seconds.
        period: time steps from one tick to the next.
        ticks: in a fixation: 1, at the saccade that ends it, or 2, in its middle too.
        capacity: most fixations in one chunk.
        groups: populations.
        connections: synapses.
        operations: what happens at ticks.
        streams: columns of each timed array; it has one row a tick.
        state: ``(owner, variable)`` of all that one chunk hands to the next.
        watched: ``(group, variable, turn)`` recorded at every tick.
        recorded: groups whose spikes are recorded.
        traced: ``group -> (variables, cell)`` recorded at every time step.
    """

    dt: float
    period: int
    ticks: int
    capacity: int
    groups: tuple[Group, ...]
    connections: tuple[Connection, ...]
    operations: tuple[Operation, ...]
    streams: Mapping[str, int]
    state: tuple[tuple[str, str], ...]
    watched: tuple[tuple[str, str, int], ...]
    recorded: tuple[str, ...] = ()
    traced: Mapping[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write it out; equal networks give equal texts."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Description":
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        kinds = {"groups": Group, "connections": Connection, "operations": Operation}
        for name, kind in kinds.items():
            values[name] = tuple(kind(**entry) for entry in values[name])
        values["connections"] = tuple(replace(entry, wiring=tuple(entry.wiring)) for entry in values["connections"])
        values["recorded"] = tuple(values["recorded"])
        for name in ("state", "watched"):
            values[name] = tuple(tuple(entry) for entry in values[name])
        values["traced"] = {name: (tuple(variables), cell) for name, (variables, cell) in values["traced"].items()}
        return cls(**values)

    def digest(self, *others: str) -> str:
        """Hash it, together with whatever else the compiled program depends on."""
        return hashlib.sha256("\n".join([self.to_json(), *others]).encode()).hexdigest()[:20]
