"""Segments: consecutive layers of a network that are simulated in Brian2 together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from cortexsim.rate import Layer
from cortexsim.rules import Rule
from cortexsim.spiking import Outcome, Plan, Settings, Stack, State, Stream, describe

CAPACITY = 4096  # Most fixations that one call of a program runs through.
SPIED = 64  # The same where every spike is kept.


@dataclass
class Segment:
    """Consecutive layers of one substrate in Brian2, between which spikes or rates pass at every time step.

    The weights are those of the network's layers: they are read before every run, and written after it.

    Attributes:
        first: number of the lowest layer, from 0.
        layers: its layers, lowest first.
        substrate: ``spiking`` or ``brian-rate``.
        heard: what the dendrites of each layer hear.
        settings: of everything in Brian2.
        rule: what the layers follow while they learn; None where they never do.
        target: ``cpp``, ``numpy`` or ``cython``.
        schedule: for each stage of learning, the layers of this segment that learn then, counted within it.
        classes: n_c, labels.
        below: positions below its lowest layer.
        output: weights and bias of an output that learns with the layers, by the names of the stack.
    """

    first: int
    layers: Sequence[Layer]
    substrate: str
    heard: Sequence[str]
    settings: Settings
    rule: Rule | None
    target: str
    schedule: Sequence[Sequence[int]]
    classes: int
    below: int
    output: dict[str, Tensor] = field(default_factory=dict)
    lasting: State = field(default_factory=dict)
    _stacks: dict[int, Stack] = field(default_factory=dict)

    def stack(self, stage: int) -> Stack:
        """Give the stack of one stage: the layers up to those that learn, and in the last stage all of them."""
        if stage not in self._stacks:
            learning = self.schedule[stage] if self.schedule else []
            last = stage >= len(self.schedule) - 1
            height = len(self.layers) if last else max(learning) + 1
            plans = [self._plan(k, k in learning) for k in range(height)]
            if not last:
                plans[-1] = replace(plans[-1], sends="activity")  # Nobody hears it yet.
            self._stacks[stage] = self._stack(plans)
        return self._stacks[stage]

    @property
    def last_stack(self) -> Stack:
        """The stack that holds all layers, by which the segment is evaluated too."""
        return self.stack(max(0, len(self.schedule) - 1))

    def record_all(self, below: Tensor, cell: int, seed: int) -> Outcome:
        """Show samples to all layers, all of them ready to learn, and keep every spike; nothing changes.

        Args:
            below: activity below the segment, (samples, positions, cells).
            cell: whose voltage and dendrite are kept, in each layer.
            seed: of the input spikes.
        """
        learning = {k for layers in self.schedule for k in layers}
        stack = self._stack([self._plan(k, k in learning) for k in range(len(self.layers))], cell)
        rows = _rows(below)
        return stack.run(Stream(rows, fingerprints(rows), pace=np.zeros(len(rows))), self.state(stack), seed)[0]

    @property
    def ceiling(self) -> float:
        """The most activity below that its input can carry: one spike a time step; infinite where rates pass."""
        spikes = self.substrate == "spiking"
        return 1 / (self.settings.input_rate * self.settings.timing.dt) if spikes else float("inf")

    def clipped(self, below: Tensor) -> float:
        """Share of the activity below that its input cannot carry: above the ceiling, or, as spikes, below zero."""
        if self.substrate != "spiking":
            return 0.0
        return float(((below < 0) | (below > self.ceiling * (1 + 1e-6))).double().mean())

    def learn(
        self, stage: int, below: Tensor, labels: Tensor, pace: np.ndarray, identity: np.ndarray, seed: int
    ) -> None:
        """Show a stream of fixations to the layers of a stage.

        Args:
            stage: which layers learn.
            below: activity below the segment, (fixations, positions, cells).
            labels: one-hot, (fixations, classes).
            pace: factor of the learning rates, (fixations,).
            identity: number of each fixation.
            seed: of the input spikes.
        """
        stack = self.stack(stage)
        stream = Stream(_rows(below), identity, labels.cpu().numpy().astype(float), pace)
        _, state = stack.run(stream, self.state(stack), seed)
        self._keep(stack, state)

    def respond(self, below: Tensor, seed: int) -> tuple[list[Tensor], Outcome]:
        """Answer with the activity of each layer, (samples, positions, cells); nothing changes.

        The spikes of a sample depend on seed and sample alone, not on what is shown before or beside it.
        """
        stack = self.last_stack
        rows = _rows(below)
        outcome, _ = stack.run(Stream(rows, fingerprints(rows)), self.state(stack), seed)
        found = [
            outcome.activity[self._plan(k, False).sender].reshape(len(rows), layer.positions, layer.cells)
            for k, layer in enumerate(self.layers)
        ]
        return [torch.from_numpy(values).to(below) for values in found], outcome

    def state(self, stack: Stack) -> State:
        """Lay out the layers' weights, and all else that lasts, as a stack wants them."""
        state = stack.initial_state()
        for key, tensor in self._tensors(stack).items():
            values = tensor.detach().cpu().numpy().astype(float).ravel()
            owner = key.split(".")[0]
            state[key] = values[stack.wires[owner][2]] if owner in stack.wires else values
        state |= {key: values for key, values in self.lasting.items() if key in state}
        return state

    def _keep(self, stack: Stack, state: State) -> None:
        """Write the weights back to the layers, and keep the rest."""
        for key, tensor in self._tensors(stack).items():
            values, owner = state.pop(key), key.split(".")[0]
            if owner.startswith("sending"):
                continue  # They follow the context synapses.
            flat = np.empty(tensor.numel())
            flat[stack.wires[owner][2] if owner in stack.wires else slice(None)] = values
            tensor.copy_(torch.from_numpy(flat.reshape(tensor.shape)))
        self.lasting |= state

    def state_beside(self) -> dict[str, Tensor]:
        """Copy what lasts beside the layers' own tensors: traces, memories of context, delay lines of modulators."""
        return {name: torch.from_numpy(values.copy()) for name, values in self.lasting.items()}

    def load_beside(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_beside` copied."""
        wanted: State = {}
        for stage in range(max(1, len(self.schedule))):
            wanted |= self.stack(stage).initial_state()
        for name, values in state.items():
            if values.dtype != torch.float64 or tuple(values.shape) != wanted[name].shape:
                raise ValueError(f"{name}: {tuple(values.shape)} of {values.dtype}, not {wanted[name].shape}")
        self.lasting = {name: values.cpu().numpy().copy() for name, values in state.items()}

    def _tensors(self, stack: Stack) -> dict[str, Tensor]:
        """Name the tensors that hold what a stack calls by its own names."""
        found: dict[str, Tensor] = {}
        for number, layer in enumerate(self.layers, self.first + 1):
            found |= {f"feedforward{number}.w": layer.feedforward.weights, f"layer{number}.bias": layer.bias}
            found[f"layer{number}.mean"] = layer.mean
            if layer.context is not None:
                found[f"context{number}.b"] = found[f"sending{number}.w"] = layer.context.weights
            if layer.feedback is not None:
                found[f"feedback{number}.f"] = layer.feedback.weights
        found |= self.output
        lasting = {f"{owner}.{variable}" for owner, variable in stack.description.state}
        return {key: tensor for key, tensor in found.items() if key in lasting}

    def _stack(self, plans: list[Plan], traced_cell: int | None = None) -> Stack:
        capacity = CAPACITY if traced_cell is None else SPIED
        description, parameters = describe(plans, self.classes, self.rule, self.settings, capacity, traced_cell)
        return Stack(description, parameters, self.target)

    def _plan(self, k: int, plastic: bool) -> Plan:
        layer, spikes = self.layers[k], self.substrate == "spiking"
        below = (self.settings.input_rate if k == 0 else self.settings.unit_rate) if spikes else 0.0
        return Plan(
            number=self.first + k + 1,
            positions=layer.positions,
            cells=layer.bias.shape[1],
            patch=layer.feedforward.weights.shape[2],
            substrate=self.substrate,
            plastic=plastic,
            context=self.heard[k] if layer.context is not None else "none",
            feedback=layer.feedback is not None,
            below_rate=below,
            sends="prediction" if layer.predicts else "activity",
            heard=_table(layer.context_index),
            fields=None if layer.fields is None else _table(layer.fields),
            below=self.below if k == 0 else self.layers[k - 1].positions,
        )


def _table(indices: Tensor) -> tuple[tuple[int, ...], ...]:
    """Write out an index table as plain data."""
    return tuple(tuple(row) for row in indices.tolist())


def fingerprints(rows: np.ndarray) -> np.ndarray:
    """Number samples by what is in them, so that a sample is always shown with the same input spikes."""
    return np.array([crc32(row.tobytes()) & 0x7FFFFFFF for row in rows])


def _rows(below: Tensor) -> np.ndarray:
    return below.detach().cpu().numpy().astype(float).reshape(len(below), -1)
