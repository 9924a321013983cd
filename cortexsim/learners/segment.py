"""Segments: consecutive layers of a network that are simulated in Brian2 together."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from cortexsim.rate import Layer
from cortexsim.rules import Rule
from cortexsim.spiking import NEXT, LayerSpec, Outcome, Settings, Stack, State, Stream, Variable, Wiring, describe

CAPACITY = 4096  # Most fixations that one call of a program runs through.
RECORDED = 64  # The same where every spike is recorded.
REPORTED, LONG = 512, 20.0  # The same while progress is reported: in the first epoch, and after one of as many seconds.


class Observer(Protocol):
    """What looks at weights between two fixations of a batch."""

    def due(self, fixations: int) -> Sequence[int]:
        """Return the numbers of fixations of the next batch, which has so many, after which it observes."""
        ...

    def observe(self, shown: int, tensors: Mapping[str, Tensor]) -> None:
        """Called after some fixations of the batch.

        Args:
            shown: how many.
            tensors: those that the batch has changed so far, by the names of ``Network.state()``, whose tensors only
                change at its end.
        """
        ...


@dataclass
class Segment:
    """Consecutive layers of one substrate in Brian2, between which spikes or rates pass at every time step.

    The weights are those of the network's layers: they are read before every run, and written after it.

    Attributes:
        first: number of the lowest layer, from 0.
        layers: its layers, lowest first.
        substrate: ``spiking`` or ``brian-rate``.
        contexts: context of each layer, by name.
        settings: of everything in Brian2.
        rule: what the layers follow while they learn; None where they never do.
        target: ``cpp``, ``numpy`` or ``cython``.
        schedule: for each stage of learning, the layers of this segment that learn then, counted within it.
        classes: n_c, labels.
        below: positions below its lowest layer.
        below_projection: what layers with a projection follow, on which the rule acts in their place.
        output: weights (classes, cells) and bias (classes,) of an output that learns with the layers, as ``output`` and
            ``output_bias``; empty where there is none.
        brian_state: what passes from run to run beside the tensors of layers and output: traces, delay lines,
            previous activity.
        progress: called while its layers learn, with the number of fixations that have passed, and of all.
        observer: looks at weights while its layers learn.
    """

    first: int
    layers: Sequence[Layer]
    substrate: str
    contexts: Sequence[str]
    settings: Settings
    rule: Rule | None
    target: str
    schedule: Sequence[Sequence[int]]
    classes: int
    below: int
    below_projection: Rule | None = None
    output: dict[str, Tensor] = field(default_factory=dict)
    brian_state: State = field(default_factory=dict)
    progress: Callable[[int, int], None] | None = None
    observer: Observer | None = None
    _long: bool = True
    _stacks: dict[int, Stack] = field(default_factory=dict)

    def stack(self, stage: int) -> Stack:
        """Build the stack of one stage: the layers up to those that learn, and in the last stage all of them."""
        if stage not in self._stacks:
            learning = self.schedule[stage] if self.schedule else []
            last = stage >= len(self.schedule) - 1
            height = len(self.layers) if last else max(learning) + 1
            specs = [self._spec(k, k in learning) for k in range(height)]
            if not last and self.settings.prediction_synapses != "kolen-pollack":
                specs[-1] = replace(specs[-1], sends="activity")  # No layer receives it yet.
            self._stacks[stage] = self._stack(specs)
        return self._stacks[stage]

    @property
    def last_stack(self) -> Stack:
        """The stack of all layers, which also evaluates the segment."""
        return self.stack(max(0, len(self.schedule) - 1))

    @property
    def answers(self) -> bool:
        """Whether it has cells that answer with the class."""
        return self.settings.labels == "spikes" and "label" in self.contexts and bool(self.schedule)

    def feedforward_wiring(self, k: int) -> Wiring:
        """Wire the receptive fields of one of its layers, counted from 0."""
        return self._spec(k, False).feedforward_wiring(self.layers[k].cells)

    def record_all(self, below: Tensor, cell: int, seed: int) -> Outcome:
        """Present samples to all layers, with everything that learning needs, and record every spike; nothing changes.

        Args:
            below: activity below the segment, (samples, positions, cells).
            cell: whose voltage and dendrite are recorded, in each layer.
            seed: of the input spikes.

        Returns:
            The outcome, with events, modulators and traces.
        """
        learning = {k for layers in self.schedule for k in layers}
        stack = self._stack([self._spec(k, k in learning) for k in range(len(self.layers))], cell)
        rows = _rows(below)
        contrast = -np.ones(len(rows)) if NEXT in self.contexts else None  # Each sample is another object.
        stream = Stream(rows, fingerprints(rows), eta_factor=np.zeros(len(rows)), contrast=contrast)
        return stack.run(stream, self.state(stack), seed)[0]

    @property
    def halves(self) -> int:
        """How many updates a fixation has: 2 where its dendrites receive the context of the one before at first."""
        return self.last_stack.description.updates

    @property
    def max_input(self) -> float:
        """The largest activity below that its input can encode: one spike a time step; infinite where rates pass."""
        spikes = self.substrate == "spiking"
        return self.settings.max_input if spikes else float("inf")

    def clipped(self, below: Tensor) -> float:
        """Fraction of the activity below that input spikes cannot encode: above `max_input`, or below zero.

        Args:
            below: activity below the segment, (samples, positions, cells).
        """
        if self.substrate != "spiking":
            return 0.0
        return float(((below < 0) | (below > self.max_input * (1 + 1e-6))).double().mean())

    def learn(
        self,
        stage: int,
        below: Tensor,
        labels: Tensor,
        eta_factor: np.ndarray,
        stimulus_id: np.ndarray,
        seed: int,
        views: int = 1,
    ) -> None:
        """Present a stream of fixations to the layers of a stage, which learn.

        Args:
            stage: which layers learn.
            below: activity below the segment, (fixations, positions, cells).
            labels: one-hot, (fixations, classes).
            eta_factor: factor of the learning rates, (fixations,).
            stimulus_id: number of the stimulus of each fixation, (fixations,).
            seed: of the input spikes.
            views: fixations of each sample, which follow one another.
        """
        stack = self.stack(stage)
        contrast = None if views == 1 else np.where(np.arange(len(below)) % views, 1.0, -1.0)
        stream = Stream(_rows(below), stimulus_id, labels.cpu().numpy().astype(float), eta_factor, contrast)
        start, chunk = time.monotonic(), REPORTED if self.progress and self._long else 0
        cuts = () if self.observer is None else [views * k for k in self.observer.due(len(stream) // views)]

        def passed(shown: int, state: State) -> None:
            if self.progress is not None:
                self.progress(shown, len(stream))
            if self.observer is not None and shown in cuts:
                self.observer.observe(shown // views, self._changed(stack, state))

        _, state = stack.run(stream, self.state(stack), seed, chunk, passed, cuts)
        self._write_back(stack, state)
        self._long = time.monotonic() - start > LONG

    def respond(self, below: Tensor, seed: int) -> tuple[list[Tensor], Outcome]:
        """Compute the activity of each layer; nothing changes.

        The spikes of a sample depend on seed and sample alone, not on what is shown before or beside it.

        Args:
            below: activity below the segment, (samples, positions, cells).
            seed: of the input spikes.

        Returns:
            The activity of each layer, (samples, positions, cells), and the outcome of the run.
        """
        stack = self.last_stack
        rows = _rows(below)
        outcome, _ = stack.run(Stream(rows, fingerprints(rows)), self.state(stack), seed)
        found = [
            outcome.activity[self._spec(k, False).output].reshape(len(rows), layer.positions, layer.cells_sent)
            for k, layer in enumerate(self.layers)
        ]
        return [torch.from_numpy(values).to(below) for values in found], outcome

    def state(self, stack: Stack) -> State:
        """Collect the layers' tensors, and the state beside them, in the order of a stack, (cells,) or (synapses,)."""
        state = stack.initial_state()
        state |= {key: values for key, values in self.brian_state.items() if key in state}
        for variable, tensor in self._tensors(stack).items():
            state[variable.key] = stack.values_of(variable, tensor.detach().cpu().numpy())
        return state

    def _write_back(self, stack: Stack, state: State) -> None:
        """Write the state of a stack to the layers' tensors, and what they do not hold beside them."""
        for variable, tensor in self._tensors(stack).items():
            values = state.pop(variable.key)
            if variable.writes_back:
                tensor.copy_(torch.from_numpy(stack.tensor_of(variable, values).reshape(tensor.shape)))
        self.brian_state |= state

    def _changed(self, stack: Stack, state: State) -> dict[str, Tensor]:
        """Return what `_write_back` would write to the network's tensors, by their names there."""
        return {
            variable.tensor
            if variable.tensor in self.output
            else f"layer{variable.layer}.{variable.tensor}": torch.from_numpy(
                stack.tensor_of(variable, state[variable.key]).reshape(tensor.shape)
            ).to(tensor)
            for variable, tensor in self._tensors(stack).items()
            if variable.writes_back
        }

    def state_beside(self) -> dict[str, Tensor]:
        """Copy the state beside the tensors of layers and output, (cells,) or (synapses,) each."""
        return {name: torch.from_numpy(values.copy()) for name, values in self.brian_state.items()}

    def load_beside(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_beside` copied, (cells,) or (synapses,) each.

        Raises:
            ValueError: where an array has another shape or type.
        """
        wanted: State = {}
        for stage in range(max(1, len(self.schedule))):
            wanted |= self.stack(stage).initial_state()
        for name, values in state.items():
            if values.dtype != torch.float64 or tuple(values.shape) != wanted[name].shape:
                raise ValueError(f"{name}: {tuple(values.shape)} of {values.dtype}, not {wanted[name].shape}")
        self.brian_state = {name: values.cpu().numpy().copy() for name, values in state.items()}

    def _tensors(self, stack: Stack) -> dict[Variable, Tensor]:
        """Find the tensors that hold variables of a stack."""
        return {variable: self._tensor(variable) for variable in stack.description.state if variable.tensor}

    def _tensor(self, variable: Variable) -> Tensor:
        if variable.tensor in self.output:
            return self.output[variable.tensor]
        return self.layers[variable.layer - 1 - self.first].state()[variable.tensor]

    def _stack(self, specs: list[LayerSpec], traced_cell: int | None = None) -> Stack:
        capacity = CAPACITY if traced_cell is None else RECORDED
        description, parameters = describe(
            specs, self.classes, self.rule, self.settings, capacity, traced_cell, self.below_projection
        )
        return Stack(description, parameters, self.target)

    def _spec(self, k: int, plastic: bool) -> LayerSpec:
        layer, spikes = self.layers[k], self.substrate == "spiking"
        rate = self.settings.input_rate if k == 0 else self.settings.unit_rate
        spec = self._cells(k, layer, plastic)
        cells = None if layer.projection is None else self._cells(k, layer.projection, plastic)
        return replace(
            spec,
            presynaptic_rate=rate if spikes else 0.0,
            afferents=self.settings.afferents if k == 0 else 1,
            sends="prediction" if layer.predicts else "projection" if layer.sends_projection else "activity",
            on_off=layer.on_off,
            receptive_fields=None if layer.fields is None else _table(layer.fields),
            positions_below=self.below if k == 0 else self.layers[k - 1].positions,
            projection=None if cells is None else replace(cells, population="projection"),
        )

    def _cells(self, k: int, layer: Layer, plastic: bool) -> LayerSpec:
        """Specify the cells of a layer, or of its projection, which is given in its place."""
        return LayerSpec(
            number=self.first + k + 1,
            positions=layer.positions,
            cells=layer.cells,
            patch=layer.feedforward.weights.shape[2],
            substrate=self.substrate,
            plastic=plastic,
            context=self.contexts[k] if layer.context is not None else "none",
            feedback=layer.feedback is not None,
            presynaptic_rate=0.0,
            context_sources=_table(layer.context_index % layer.positions),  # Of a second view, the same columns.
        )


def _table(indices: Tensor) -> tuple[tuple[int, ...], ...]:
    """Turn an index table into plain data."""
    return tuple(tuple(row) for row in indices.tolist())


def fingerprints(rows: np.ndarray) -> np.ndarray:
    """Number samples by their content, so that a sample always has the same input spikes.

    >>> fingerprints(np.eye(2)).tolist() == fingerprints(np.eye(2)).tolist()
    True

    Args:
        rows: (samples, input cells).

    Returns:
        Whole numbers below 2^31, (samples,).
    """
    return np.array([crc32(row.tobytes()) & 0x7FFFFFFF for row in rows])


def _rows(below: Tensor) -> np.ndarray:
    return below.detach().cpu().numpy().astype(float).reshape(len(below), -1)
