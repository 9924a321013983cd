"""A stack of layers in Brian2: described once, run over any stream of fixations, its state an open book."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from cortexsim.spiking import wiring
from cortexsim.spiking.constraints import SEED
from cortexsim.spiking.network_spec import Description
from cortexsim.spiking.program import Program

State = dict[str, np.ndarray]


class Engine(Protocol):
    """What runs a description once."""

    def run(self, values: Mapping[str, np.ndarray | float], wanted: list[str]) -> dict[str, np.ndarray]:
        """Set variables and timed arrays by name, run, and read variables by name."""
        ...


@dataclass(frozen=True)
class Stream:
    """A run of fixations.

    Attributes:
        inputs: activity of the input, (fixations, input cells).
        identity: number of each fixation, which its input spikes depend on, (fixations,).
        labels: one-hot, (fixations, classes); None where nobody hears them.
        pace: factor of the learning rates in each fixation, (fixations,); None for no learning.
    """

    inputs: np.ndarray
    identity: np.ndarray
    labels: np.ndarray | None = None
    pace: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, part: slice) -> "Stream":
        labels = None if self.labels is None else self.labels[part]
        pace = None if self.pace is None else self.pace[part]
        return Stream(self.inputs[part], self.identity[part], labels, pace)


@dataclass
class Outcome:
    """Hold what a run of fixations has made.

    Attributes:
        activity: of each layer at the end of each fixation, (fixations, cells of all columns), and where they are
            watched, what modulators then say.
        spikes: by group, in the whole run.
        events: of each recorded group, (time step since the run began, cell), in two rows.
        operations: synapses that these spikes have reached.
        traces: of the traced cell of each layer, by variable, one value a time step.
    """

    activity: dict[str, np.ndarray]
    spikes: dict[str, float] = field(default_factory=dict)
    operations: float = 0.0
    events: dict[str, np.ndarray] = field(default_factory=dict)
    traces: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


class Stack:
    """Layers in Brian2, one above the other.

    Args:
        description: what to run.
        parameters: values by ``owner.variable``.
        target: ``cpp``, or ``numpy`` or ``cython`` where there is no compiler or little to do.
    """

    def __init__(self, description: Description, parameters: Mapping[str, float], target: str = "cpp") -> None:
        self.description = description
        self.parameters = dict(parameters)
        self.sizes = {group.name: group.size for group in description.groups}
        self.wires = {
            entry.name: wiring.wires(entry.wiring[0], dict(entry.wiring[1])) for entry in description.connections
        }
        self.target = target
        self.spiking = [group.name for group in description.groups if group.threshold]
        self.seeded = [group.name for group in description.groups if SEED in group.model]

    @cached_property
    def engine(self) -> "Engine":
        """What runs it: a compiled program, or Brian2 in this process."""
        if self.target == "cpp":
            return Program(self.description)
        from cortexsim.spiking.interpreted import Interpreted

        return Interpreted(self.description, self.target)

    @cached_property
    def fans(self) -> dict[str, np.ndarray]:
        """How many synapses a spike of each cell reaches, by spiking group."""
        found: dict[str, np.ndarray] = {}
        for entry in self.description.connections:
            if entry.on_pre:
                reached = np.bincount(self.wires[entry.name][0], minlength=self.sizes[entry.source])
                found[entry.source] = found.get(entry.source, 0) + reached
        return found

    def initial_state(self) -> State:
        """Give every variable that lasts the value zero, each in the shape of its group or connection."""
        return {f"{owner}.{variable}": np.zeros(self._count(owner)) for owner, variable in self.description.state}

    def _count(self, owner: str) -> int:
        return self.sizes[owner] if owner in self.sizes else len(self.wires[owner][0])

    def run(
        self,
        stream: Stream,
        state: State,
        seed: int,
        chunk: int = 0,
        watch: Callable[[int], None] = lambda done: None,
    ) -> tuple[Outcome, State]:
        """Show a stream of fixations, and answer with what came of it and the state after it.

        The state that was given is not changed, and without learning it is also the one that comes back.

        Args:
            stream: what is shown.
            state: of all that lasts, as `initial_state` names it.
            seed: of the input spikes.
            chunk: fixations at a time; the capacity of the program unless given.
            watch: told how many fixations have passed, after each chunk.
        """
        chunk = min(chunk or self.description.capacity, self.description.capacity)
        outcomes, given = [], state
        for start in range(0, len(stream), chunk):
            part = stream[start : start + chunk]
            outcome, state = self._run_chunk(part, state, seed)
            shift = start * self.description.ticks * self.description.period
            outcome.events = {name: events + np.array([[shift], [0]]) for name, events in outcome.events.items()}
            outcomes.append(outcome)
            watch(start + len(part))
        return _joined(outcomes), given if stream.pace is None else state

    def _run_chunk(self, stream: Stream, state: State, seed: int) -> tuple[Outcome, State]:
        d = self.description
        values: dict[str, np.ndarray | float] = {**self.parameters, **state}
        values |= {f"{name}.values": rows for name, rows in self._rows(stream).items()}
        values |= {"stream.steps": len(stream) * d.ticks * d.period}
        values |= {f"{name}.seed": seed for name in self.seeded}
        # The first saccade ends a fixation that never was; this keeps its quotients finite.
        layers = [
            name for name in self.sizes if name.startswith(("layer", "sender", "inhibitory")) and "line" not in name
        ]
        values |= {f"{name}.saccade": -d.dt * d.period for name in layers}
        if d.ticks == 2:
            values |= {f"{name}.onset": -d.dt * d.period * d.ticks for name in layers}
        lasting = [f"{owner}.{variable}" for owner, variable in d.state]
        watched = [f"watch_{name}.{variable}" for name, variable, _ in d.watched]
        counted = [f"{name}.spikes" for name in self.spiking]
        recorded = [f"spikes_{name}.{variable}" for name in d.recorded for variable in ("t", "i")]
        traced = [f"trace_{name}.{variable}" for name, (variables, _) in d.traced.items() for variable in variables]
        found = self.engine.run(values, [*lasting, *watched, *counted, *recorded, *traced])
        outcome = Outcome(
            activity={
                n: found[f"watch_{n}.{v}"].reshape(-1, self.sizes[n])[1:][d.ticks - 1 :: d.ticks]
                for n, v, _ in d.watched
            },
            spikes={name: float(found[f"{name}.spikes"].sum()) for name in self.spiking},
            operations=sum(float(found[f"{name}.spikes"] @ fan) for name, fan in self.fans.items()),
            events={
                name: np.stack([np.rint(found[f"spikes_{name}.t"] / d.dt), found[f"spikes_{name}.i"]]).astype(np.int64)
                for name in d.recorded
            },
            traces={
                name: {v: found[f"trace_{name}.{v}"] for v in variables} for name, (variables, _) in d.traced.items()
            },
        )
        return outcome, {key: found[key] for key in lasting}

    def _rows(self, stream: Stream) -> dict[str, np.ndarray]:
        """Lay out the timed arrays: row k is shown after tick k, and what teaches it is heard at the tick that ends it.

        With two ticks in a fixation, its halves have numbers of their own, and the contrast of the first is -1.
        """
        ticks = self.description.ticks
        n, rows = len(stream) * ticks, self.description.capacity * ticks + 1
        half = np.arange(n) % ticks
        found = {name: np.zeros((rows, columns)) for name, columns in self.description.streams.items()}
        # Halves have numbers of their own, below 2^31: the programs count in 32 bits.
        identity = np.repeat(stream.identity if ticks == 1 else stream.identity % 2**30, ticks) * ticks + half
        found["stimulus"][:n] = np.repeat(stream.inputs, ticks, axis=0)
        if "identity" in found:
            found["identity"][:n, 0] = identity
            found["identity"][: n + 1 : ticks, 1] = 1.0
        if "schedule" in found:
            found["schedule"][1 : n + 1, 2] = identity
            found["schedule"][1 : n + 1, 3] = np.where(half == ticks - 1, 1.0, -1.0)
            if stream.pace is not None:
                found["schedule"][1 : n + 1, 0] = np.repeat(stream.pace, ticks)
                found["schedule"][1 : n + 1, 1] = 1.0
        if "labels_of" in found and stream.labels is not None:
            found["labels_of"][1 : n + 1] = np.repeat(stream.labels, ticks, axis=0)
        return found


def _joined(outcomes: list[Outcome]) -> Outcome:
    first = outcomes[0]
    return Outcome(
        activity={name: np.concatenate([entry.activity[name] for entry in outcomes]) for name in first.activity},
        spikes={name: sum(entry.spikes[name] for entry in outcomes) for name in first.spikes},
        operations=sum(entry.operations for entry in outcomes),
        events={name: np.concatenate([entry.events[name] for entry in outcomes], axis=1) for name in first.events},
        traces={
            name: {v: np.concatenate([entry.traces[name][v] for entry in outcomes]) for v in variables}
            for name, variables in first.traces.items()
        },
    )
