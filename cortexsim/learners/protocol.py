"""The protocol of all learners, and the one loop that trains them."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from cortexsim.errors import UserError
from cortexsim.learners.state import State
from cortexsim.rate import Network
from cortexsim.seeds import stream


class Learner(Protocol):
    """A network and the way it learns from a stream of fixations.

    Training has stages, each with the full number of epochs.

    Attributes:
        network: its layers.
        stages: a greedy learner has one for each layer, others have one, the untrained control none.
        uses_labels: whether its layers learn from labels.
        trained_layers: how many layers, from below, it trains; a readout is fitted to the last of them.
        streaming_stages: stages in which it learns fixation by fixation, so that an epoch is one batch.
    """

    stages: int
    uses_labels: bool
    trained_layers: int

    @property
    def network(self) -> Network:
        """Its layers."""
        ...

    @property
    def streaming_stages(self) -> Set[int]:
        """Stages in which it learns fixation by fixation."""
        ...

    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Compute the input of the layers that learn in a stage.

        Args:
            stage: from 0.
            inputs: (samples, positions, channels).
            views: second views of the inputs, one for each layer that learns, for contexts that include them.

        Returns:
            (samples, positions, cells below); beside second views, (samples, 1 + views, positions, cells below).
        """
        ...

    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Learn from one batch.

        Args:
            stage: from 0.
            batch: rows of `stage_inputs`.
            labels: (batch,).
            progress: through the stage, from 0 to 1, on which learning rates depend; None for the full ones.
        """
        ...

    def classify(self, inputs: Tensor) -> Tensor | None:
        """Compute logits, (samples, classes), for inputs, (samples, positions, channels); None to fit a readout."""
        ...

    def state(self) -> State:
        """Copy everything that further learning depends on."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned, in a learner that was built alike; see `load_exactly` for states of others."""
        ...


@dataclass(frozen=True)
class Budget:
    """Length of a training.

    Args:
        epochs: per stage.
        batch: samples in a batch.
    """

    epochs: int = 40
    batch: int = 64


class Cursor(NamedTuple):
    """A position in a training.

    Attributes:
        stage: stages done.
        epoch: epochs done in the present stage.
        batch: batches done in the present epoch.
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0


START = Cursor()


def batch_size(learner: Learner, stage: int, samples: int, budget: Budget) -> int:
    """Compute the number of samples in a batch of a stage: all of them where it learns fixation by fixation."""
    return samples if stage in learner.streaming_stages else min(budget.batch, samples)


def check_cursor(cursor: Cursor, learner: Learner, samples: int, budget: Budget) -> None:
    """Check that a cursor is a position in a training.

    Raises:
        UserError: where it is not.
    """
    ended = cursor == Cursor(learner.stages)
    if not ended and not (cursor.stage < learner.stages and cursor.epoch < budget.epochs):
        raise UserError(f"no training of {learner.stages} x {budget.epochs} epochs is ever at {tuple(cursor)}")
    if not ended and cursor.batch > (steps := samples // batch_size(learner, cursor.stage, samples, budget)):
        raise UserError(f"batch {cursor.batch} of an epoch that has {steps}")


class BatchEnd(NamedTuple):
    """A learner has learned from a batch.

    Attributes:
        cursor: where training now is.
    """

    cursor: Cursor


class EpochEnd(NamedTuple):
    """An epoch of a stage has ended.

    Attributes:
        stage: from 0.
        epoch: from 0.
    """

    stage: int
    epoch: int


Pairs = Callable[[Tensor, np.random.Generator], Tensor]
"""Function of indices of samples, (batch,), that draws two views of each, (batch, 2, positions, channels)."""

Event = BatchEnd | EpochEnd
Callback = Callable[[Event], None]


def events(
    learner: Learner,
    inputs: Tensor,
    labels: Tensor,
    budget: Budget,
    seed: int,
    begin: Cursor = START,
    views: Sequence[Tensor] = (),
    pairs: Pairs | None = None,
) -> Iterator[Event]:
    """Train a learner, event by event: it learns only as far as events are taken from the iterator.

    The order of the samples depends on the seed alone, and so is the same for all learners. It is drawn anew for each
    epoch; samples left over where the batch size does not divide their number are skipped in that epoch.

    Args:
        learner: to train.
        inputs: (samples, positions, channels).
        labels: (samples,).
        budget: epochs and batch size.
        seed: root seed of the stream ``order``.
        begin: where to resume, for a learner whose state is that of this position.
        views: second views of the samples, one for each layer that learns, each like ``inputs``; for contexts that
            include them.
        pairs: draws the views of a batch, which the learner gets in place of rows of `Learner.stage_inputs`; each batch
            has a stream of its own.

    Yields:
        Ends of batches and epochs.
    """
    for stage in range(begin.stage, learner.stages):
        batch = batch_size(learner, stage, len(inputs), budget)
        steps = len(inputs) // batch
        shown = inputs if pairs is not None else learner.stage_inputs(stage, inputs, *views)
        order = stream(seed, "order")
        for epoch in range(budget.epochs):
            shuffled = torch.from_numpy(order.permutation(len(inputs))).to(inputs.device)
            if (stage, epoch) < begin[:2]:  # Drawn nevertheless, to advance the random stream.
                continue
            done = begin.batch if (stage, epoch) == begin[:2] else 0
            batches = list(enumerate(shuffled[: steps * batch].split(batch)))
            for index, chosen in batches[done:]:
                progress = (epoch * steps + index) / (budget.epochs * steps)
                rows = shown[chosen] if pairs is None else pairs(chosen, stream(seed, "pairs", stage, epoch, index))
                learner.step(stage, rows, labels[chosen], progress)
                yield BatchEnd(Cursor(stage, epoch, index + 1))
            yield EpochEnd(stage, epoch)


def train(
    learner: Learner,
    inputs: Tensor,
    labels: Tensor,
    budget: Budget,
    seed: int,
    callbacks: Sequence[Callback] = (),
    begin: Cursor = START,
    views: Sequence[Tensor] = (),
    pairs: Pairs | None = None,
) -> None:
    """Train a learner, and call callbacks, in order, at the end of each batch and epoch.

    >>> from cortexsim.learners import Local
    >>> from cortexsim.rate import Architecture, Network, Optimization
    >>> from cortexsim.rules import Rule, ThreeFactor
    >>> from cortexsim.topology import tree
    >>> bounded = Rule("bounded", "dW = z (x - z W)", "", ThreeFactor("activity_post", "1", decay="activity_post**2"))
    >>> topology = tree(depth=2, size=2, channels=8)
    >>> network = Network.build(Architecture(cells=16), topology, classes=4, seed=0)
    >>> learner = Local(network, bounded, Optimization())
    >>> seen = []
    >>> inputs, labels = torch.rand(100, 4, 8), torch.zeros(100, dtype=torch.long)
    >>> train(learner, inputs, labels, Budget(epochs=1, batch=50), seed=0, callbacks=[seen.append])
    >>> seen[-1]
    EpochEnd(stage=0, epoch=0)

    Args:
        learner: to train.
        inputs: (samples, positions, channels).
        labels: (samples,).
        budget: epochs and batch size.
        seed: root seed of the order of samples.
        callbacks: functions of an event.
        begin: where to resume: see `events`.
        views: second views of the samples: see `events`.
        pairs: draws the views of a batch: see `events`.
    """
    for event in events(learner, inputs, labels, budget, seed, begin, views, pairs):
        for callback in callbacks:
            callback(event)
