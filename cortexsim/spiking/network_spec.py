"""A network as plain data: what Brian2 is to build. It can be read, compared, hashed, and handed to another process.

Time runs in fixations, each of them ended by a saccade. Rules are applied at an *update*: one at each saccade, and,
where dendrites read postsynaptic potentials, one in the middle of each fixation too.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum, auto
from typing import Any

INPUT = "input"
"""Group of the input: cells that spike at the rate of the stimulus, or have its activity."""

RUN = "simulation"
"""Group with a variable ``steps``: how many time steps the program runs."""

STREAMS = ("stimulus_id", "is_saccade", "ended_id", "eta_factor", "learning", "contrast")
"""Timed arrays of one value an update, which equations read as ``name(t)``:

- ``stimulus_id``: number of the stimulus that begins, by which its input spikes are drawn;
- ``is_saccade``: 1 at a saccade, 0 at an update in the middle of a fixation;
- ``ended_id``: number of the stimulus that ends;
- ``eta_factor``: factor of the learning rates;
- ``learning``: 1 where anything is learned, or else 0;
- ``contrast``: +1 at a saccade, -1 in the middle of a fixation, when the dendrite still reads the stimulus before; or,
  where fixations of an object follow one another, -1 at the end of the first.

Two more have a column for each cell: ``stimulus(t, i)``, activity of the input, and ``label(t, i)``, one-hot labels.
"""


class Phase(IntEnum):
    """What happens at an update to the fixation that it ends, one phase after the other.

    Those from `SCORE` to `BROADCAST` may come in several rounds: what is computed from a broadcast follows it. Where a
    layer has a projection, the signal of its cells comes before that of the projection, and the error of the projection
    before their third factor.
    """

    BELOW_PROJECTION = -2
    PROJECTION = auto()
    SIGNAL = auto()
    RECORD = auto()
    DENDRITE = auto()
    LATERAL = auto()
    LOGIT = auto()
    EXPONENTIAL = auto()
    NORMALISER = auto()
    OUTPUT = auto()
    SCORE = auto()
    MODULATOR = auto()
    DELAY_INPUT = auto()
    DELAY_LINE = auto()
    BROADCAST = auto()
    PROJECTION_ERROR = 998
    PROJECTION_FEEDBACK = auto()
    THIRD_FACTOR = auto()
    TEACHING = auto()
    LEARNING = auto()
    STATISTICS = auto()
    RESET = auto()
    STIMULUS = auto()


def in_round(phase: Phase, number: int) -> int:
    """Place a phase in a round of broadcasts, the first of them 0.

    >>> in_round(Phase.BROADCAST, 0) < in_round(Phase.SCORE, 1) < Phase.THIRD_FACTOR
    True
    """
    return phase + number * (Phase.BROADCAST - Phase.SCORE + 1)


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
        method: how its differential equations are integrated; empty where it has none, or Brian2 chooses.
        seeded: whether it has a ``seed``, because its spikes, or the synapses onto it, draw random numbers.
    """

    name: str
    size: int
    model: str
    threshold: str = ""
    reset: str = ""
    refractory: str = ""
    method: str = ""
    seeded: bool = False


@dataclass(frozen=True)
class Connection:
    """Describe the synapses from one population to another.

    Attributes:
        name: unique in the network.
        source: name of the presynaptic group.
        target: name of the postsynaptic group.
        model: equations; a ``(summed)`` variable is summed in its phase of an update, or at every step if
            ``every_step``.
        wiring: a function of `wiring`, and its arguments.
        row: how many consecutive synapses share a presynaptic cell and lie on consecutive postsynaptic cells.
        on_pre: statements at a presynaptic spike.
        on_post: statements at a postsynaptic spike.
        sums: summed variables by name, each with its phase.
        every_step: whether the sums are taken at every time step.
        at_end: whether that is at the end of the step, in their phase, and not before cells are integrated.
        method: how its differential equations are integrated; empty where it has none.
    """

    name: str
    source: str
    target: str
    model: str
    wiring: tuple[str, Mapping[str, Any]]
    row: int = 1
    on_pre: str = ""
    on_post: str = ""
    sums: Mapping[str, int] = field(default_factory=dict)
    every_step: bool = False
    at_end: bool = False
    method: str = ""


@dataclass(frozen=True)
class Operation:
    """Describe statements that a group or connection executes at every update, phase by phase.

    Those of ``every_step`` are executed at the end of every time step instead.
    """

    owner: str
    phase: int
    code: str
    every_step: bool = False


@dataclass(frozen=True)
class Variable:
    """Name a variable that one chunk of fixations hands to the next, and the tensor that holds it between runs.

    Attributes:
        owner: group or connection.
        name: in its equations.
        tensor: of a layer, by the names of its ``state()``, or ``output`` or ``output_bias``; empty for what only this
            network has.
        layer: number of the layer whose tensor it is, from 1.
        writes_back: whether the tensor takes the values of a run; otherwise it is only read.
    """

    owner: str
    name: str
    tensor: str = ""
    layer: int = 0
    writes_back: bool = True

    @property
    def key(self) -> str:
        """Its name among those of all groups and connections: ``owner.name``."""
        return f"{self.owner}.{self.name}"


@dataclass(frozen=True)
class Recording:
    """Describe what is recorded of a group at every update.

    Attributes:
        name: by which it is found in the outcome.
        group: whose variable it is.
        variable: what is recorded.
        phase: when.
    """

    name: str
    group: str
    variable: str
    phase: int

    @property
    def monitor(self) -> str:
        """Name of the monitor."""
        return f"recording_{self.name}"


@dataclass(frozen=True)
class Description:
    """Describe a whole network and its clock.

    Attributes:
        dt: time step in seconds.
        period: time steps from one update to the next.
        updates: in a fixation: 1, at the saccade that ends it, or 2, in its middle too.
        capacity: most fixations in one chunk.
        groups: populations.
        connections: synapses.
        operations: what happens at updates.
        streams: columns of each timed array, which has a row for each update; None for one of single values.
        state: what one chunk hands to the next.
        activity: layers whose activity is recorded.
        modulators: those that are recorded.
        recorded: groups whose spikes are recorded.
        traced: ``group -> (variables, cell)`` recorded at every time step.
    """

    dt: float
    period: int
    updates: int
    capacity: int
    groups: tuple[Group, ...]
    connections: tuple[Connection, ...]
    operations: tuple[Operation, ...]
    streams: Mapping[str, int | None]
    state: tuple[Variable, ...]
    activity: tuple[Recording, ...]
    modulators: tuple[Recording, ...] = ()
    recorded: tuple[str, ...] = ()
    traced: Mapping[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)

    def stream_shape(self, columns: int | None) -> tuple[int, ...]:
        """Shape of a timed array of so many columns: rows for a whole chunk, and one for the update after it."""
        rows = self.capacity * self.updates + 1
        return (rows,) if columns is None else (rows, columns)

    def to_json(self) -> str:
        """Write it out; equal networks give equal texts."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Description":
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        kinds = {
            "groups": Group,
            "connections": Connection,
            "operations": Operation,
            "state": Variable,
            "activity": Recording,
            "modulators": Recording,
        }
        for entry in values["connections"]:
            entry["wiring"] = tuple(entry["wiring"])
        for name, kind in kinds.items():
            values[name] = tuple(kind(**entry) for entry in values[name])
        values["recorded"] = tuple(values["recorded"])
        values["traced"] = {name: (tuple(variables), cell) for name, (variables, cell) in values["traced"].items()}
        return cls(**values)

    def digest(self, *others: str) -> str:
        """Hash it, together with whatever else the compiled program depends on."""
        return hashlib.sha256("\n".join([self.to_json(), *others]).encode()).hexdigest()[:20]
