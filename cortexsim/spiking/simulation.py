"""Stacks of layers in Brian2: described once, run over any stream of fixations, with all of their state in arrays."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np

from cortexsim.spiking import wiring
from cortexsim.spiking.network_spec import RUN, Description, Recording, Variable
from cortexsim.spiking.program import Program

State = dict[str, np.ndarray]
"""What one chunk hands to the next: arrays by ``owner.variable``, (cells,) or (synapses,)."""


class Engine(Protocol):
    """What runs a description once."""

    def run(
        self, values: Mapping[str, np.ndarray | float], streams: Mapping[str, np.ndarray], wanted: list[str]
    ) -> dict[str, np.ndarray]:
        """Set variables and streams, run, and read variables.

        Args:
            values: of variables by ``owner.variable``: one for each cell or synapse, (count,), or one for all.
            streams: timed arrays by name, one row an update, (updates, columns) or (updates,).
            wanted: variables to read, by ``owner.variable``.
        """
        ...


@dataclass(frozen=True)
class Stream:
    """A run of fixations.

    Attributes:
        inputs: activity of the input, (fixations, input cells).
        stimulus_id: number of the stimulus of each fixation, by which its input spikes are drawn, (fixations,).
        labels: one-hot, (fixations, classes); None where no layer reads them.
        eta_factor: factor of the learning rates in each fixation, (fixations,); None for no learning.
        contrast: +1 where a fixation shows the same object as the one before, or -1, (fixations,); read only by layers
            whose context is themselves in the fixation before. None for another object in each.
    """

    inputs: np.ndarray
    stimulus_id: np.ndarray
    labels: np.ndarray | None = None
    eta_factor: np.ndarray | None = None
    contrast: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, part: slice) -> "Stream":
        labels = None if self.labels is None else self.labels[part]
        eta_factor = None if self.eta_factor is None else self.eta_factor[part]
        contrast = None if self.contrast is None else self.contrast[part]
        return Stream(self.inputs[part], self.stimulus_id[part], labels, eta_factor, contrast)


@dataclass
class Outcome:
    """Result of a run of fixations.

    Attributes:
        activity: of each layer at the end of each fixation, (fixations, cells of all columns), in units of `unit_rate`.
        modulators: values of those that are recorded, at the end of each fixation, (fixations, columns or 1).
        spikes: number by group, in the whole run.
        events: of each recorded group, (2, spikes): time step since the run began, and cell.
        operations: synapses that these spikes have reached.
        traces: of the traced cell of each layer, by variable, (time steps,).
    """

    activity: dict[str, np.ndarray]
    modulators: dict[str, np.ndarray] = field(default_factory=dict)
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

    Attributes:
        sizes: cells of each group.
        connectivity: synapses of each connection: presynaptic cell, postsynaptic cell, and place in the weight tensor.
        spiking: names of the groups that spike.
    """

    def __init__(self, description: Description, parameters: Mapping[str, float], target: str = "cpp") -> None:
        self.description = description
        self.parameters = dict(parameters)
        self.sizes = {group.name: group.size for group in description.groups}
        self.connectivity = {entry.name: wiring.connectivity(*entry.wiring) for entry in description.connections}
        self.target = target
        self.spiking = [group.name for group in description.groups if group.threshold]

    @cached_property
    def engine(self) -> "Engine":
        """What runs it: a compiled program, or Brian2 in this process."""
        if self.target == "cpp":
            return Program(self.description)
        from cortexsim.spiking.interpreted import Interpreted

        return Interpreted(self.description, self.target)

    @cached_property
    def fan_out(self) -> dict[str, np.ndarray]:
        """How many synapses a spike of each cell reaches, by spiking group, (cells,)."""
        found: dict[str, np.ndarray] = {}
        for entry in self.description.connections:
            if entry.on_pre:
                reached = np.bincount(self.connectivity[entry.name].pre, minlength=self.sizes[entry.source])
                found[entry.source] = found.get(entry.source, 0) + reached
        return found

    def initial_state(self) -> State:
        """Make a state of zeros, (cells,) or (synapses,) for each variable."""
        return {variable.key: np.zeros(self._count(variable.owner)) for variable in self.description.state}

    def _count(self, owner: str) -> int:
        return self.sizes[owner] if owner in self.sizes else len(self.connectivity[owner].pre)

    def values_of(self, variable: Variable, tensor: np.ndarray) -> np.ndarray:
        """Order the entries of a tensor as the cells or synapses of a variable.

        Args:
            variable: of the state.
            tensor: weights, (positions, cells, presynaptic cells), or values of cells, (positions, cells).

        Returns:
            (synapses,) or (cells,).
        """
        flat = tensor.astype(float).ravel()
        return flat[self._places(variable)]

    def tensor_of(self, variable: Variable, values: np.ndarray) -> np.ndarray:
        """Order the values of a variable as the flattened tensor.

        Args:
            variable: of the state.
            values: (synapses,) or (cells,).

        Returns:
            The entries of the tensor, flattened.
        """
        places = self._places(variable)
        flat = np.empty(places.max() + 1)  # Synapses of several delays share a weight.
        flat[places] = values
        return flat

    def _places(self, variable: Variable) -> np.ndarray:
        found = self.connectivity.get(variable.owner)
        return np.arange(self.sizes[variable.owner]) if found is None else found.place

    def run(
        self,
        stream: Stream,
        state: State,
        seed: int,
        chunk: int = 0,
        progress: Callable[[int, State], None] = lambda done, state: None,
        cuts: Iterable[int] = (),
    ) -> tuple[Outcome, State]:
        """Run through a stream of fixations.

        The state that was given is not changed, and without learning it is also the one that comes back.

        Args:
            stream: what is shown.
            state: before it, with the keys and shapes of `initial_state`.
            seed: of the input spikes.
            chunk: fixations at a time; the capacity of the program unless given.
            progress: called after each chunk with the number of fixations that have passed, and the state after them.
            cuts: numbers of fixations after which another chunk begins in any case.

        Returns:
            The outcome, and the state after it.

        Raises:
            UserError: where the program cannot be compiled or fails.
        """
        chunk = min(chunk or self.description.capacity, self.description.capacity)
        outcomes, given = [], state
        bounds = sorted({*range(0, len(stream), chunk), *cuts, len(stream)})
        for start, end in pairwise(bounds):
            outcome, state = self._run_chunk(stream[start:end], state, seed)
            shift = start * self.description.updates * self.description.period
            outcome.events = {name: events + np.array([[shift], [0]]) for name, events in outcome.events.items()}
            outcomes.append(outcome)
            progress(end, state)
        return _joined(outcomes), given if stream.eta_factor is None else state

    def _run_chunk(self, stream: Stream, state: State, seed: int) -> tuple[Outcome, State]:
        d = self.description
        values: dict[str, np.ndarray | float] = {**self.parameters, **state}
        values |= {f"{RUN}.steps": len(stream) * d.updates * d.period}
        values |= {f"{group.name}.seed": seed for group in d.groups if group.seeded}
        carried = [variable.key for variable in d.state]
        recordings = {entry: f"{entry.monitor}.{entry.variable}" for entry in (*d.activity, *d.modulators)}
        counts = {name: f"{name}.spikes" for name in self.spiking}
        spikes = {name: [f"spikes_{name}.{variable}" for variable in ("t", "i")] for name in d.recorded}
        traces = {
            name: {variable: f"trace_{name}.{variable}" for variable in variables}
            for name, (variables, _) in d.traced.items()
        }
        wanted = [*carried, *recordings.values(), *counts.values()]
        wanted += [key for keys in spikes.values() for key in keys]
        wanted += [key for keys in traces.values() for key in keys.values()]
        found = self.engine.run(values, self._streams(stream), wanted)

        def at_saccades(entry: Recording) -> np.ndarray:
            rows = found[recordings[entry]].reshape(-1, self.sizes[entry.group])
            return rows[1:][d.updates - 1 :: d.updates]

        outcome = Outcome(
            activity={entry.name: at_saccades(entry) for entry in d.activity},
            modulators={entry.name: at_saccades(entry) for entry in d.modulators},
            spikes={name: float(found[key].sum()) for name, key in counts.items()},
            operations=sum(float(found[counts[name]] @ fan) for name, fan in self.fan_out.items()),
            events={
                name: np.stack([np.rint(found[time] / d.dt), found[cell]]).astype(np.int64)
                for name, (time, cell) in spikes.items()
            },
            traces={name: {v: found[key] for v, key in keys.items()} for name, keys in traces.items()},
        )
        return outcome, {key: found[key] for key in carried}

    def _streams(self, stream: Stream) -> dict[str, np.ndarray]:
        """Lay out the timed arrays, a row for each update.

        Row k begins at update k. What is shown is read there; what is learned is read at the update that ends it, so
        that its rows come one later. With two updates in a fixation, the contrast of its first half is -1.
        """
        updates = self.description.updates
        n, half = len(stream) * updates, np.arange(len(stream) * updates) % updates
        found = {name: np.zeros(self.description.stream_shape(c)) for name, c in self.description.streams.items()}
        # Halves have numbers of their own, below 2^31: the programs count in 32 bits.
        number = np.repeat(stream.stimulus_id if updates == 1 else stream.stimulus_id % 2**30, updates) * updates + half
        found["stimulus"][:n] = np.repeat(stream.inputs, updates, axis=0)
        found["stimulus_id"][:n] = number
        found["is_saccade"][: n + 1 : updates] = 1.0
        found["ended_id"][1 : n + 1] = number
        halves = np.where(half == updates - 1, 1.0, -1.0)
        found["contrast"][1 : n + 1] = halves if stream.contrast is None else np.repeat(stream.contrast, updates)
        if stream.eta_factor is not None:
            found["eta_factor"][1 : n + 1] = np.repeat(stream.eta_factor, updates)
            found["learning"][1 : n + 1] = 1.0
        if stream.labels is not None:
            found["label"][1 : n + 1] = np.repeat(stream.labels, updates, axis=0)
        return found


def _joined(outcomes: list[Outcome]) -> Outcome:
    first = outcomes[0]
    return Outcome(
        activity={name: np.concatenate([entry.activity[name] for entry in outcomes]) for name in first.activity},
        modulators={name: np.concatenate([entry.modulators[name] for entry in outcomes]) for name in first.modulators},
        spikes={name: sum(entry.spikes[name] for entry in outcomes) for name in first.spikes},
        operations=sum(entry.operations for entry in outcomes),
        events={name: np.concatenate([entry.events[name] for entry in outcomes], axis=1) for name in first.events},
        traces={
            name: {v: np.concatenate([entry.traces[name][v] for entry in outcomes]) for v in variables}
            for name, variables in first.traces.items()
        },
    )
