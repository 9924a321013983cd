"""What every learner is, and the one loop that trains them all."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from cortexsim.errors import UserError
from cortexsim.learners.state import State
from cortexsim.rate import Network
from cortexsim.seeds import stream


class Learner(Protocol):
    """Learn from a stream of fixations, and answer with activity.

    Attributes:
        network: the layers it learns in.
        stages: how often it goes through its epochs; a greedy learner has one stage a layer, others have one.
        uses_labels: whether its layers see labels while they learn.
        trained_layers: how many layers, from below, it has shaped: a readout listens to the last.
        streams: stages that learn fixation by fixation, and are shown an epoch as one stream instead of batches.
    """

    stages: int
    uses_labels: bool
    trained_layers: int

    @property
    def network(self) -> Network:
        """The layers it learns in."""
        ...

    @property
    def streaming_stages(self) -> Set[int]:
        """Stages that learn fixation by fixation."""
        ...

    def stage_inputs(self, stage: int, leaves: Tensor, *views: Tensor) -> Tensor:
        """Turn leaves (samples, s^L, v) into what the layers of this stage see, (samples, positions, cells below).

        Where its dendrites hear second views of the samples, these come beside them: (samples, 1 + views, positions,
        cells below).
        """
        ...

    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Learn from one batch; progress through the stage runs from 0 to 1."""
        ...

    def classify(self, leaves: Tensor) -> Tensor | None:
        """Answer with logits (samples, classes), or None where a readout is to be fitted."""
        ...

    def state(self) -> State:
        """Copy all that learning has changed: a learner built alike that loads it goes on to the same weights."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        ...


@dataclass(frozen=True)
class Budget:
    """Limit how often a learner sees its samples: epochs for each stage, and samples in a batch."""

    epochs: int = 40
    batch: int = 64


class Cursor(NamedTuple):
    """Say how far a training is: so many stages are done, epochs of the next, and batches of the next of these."""

    stage: int = 0
    epoch: int = 0
    batch: int = 0


START = Cursor()


def batch_size(learner: Learner, stage: int, samples: int, budget: Budget) -> int:
    """Say how many samples a batch of a stage has; where fixations follow each other it is an epoch."""
    return samples if stage in learner.streaming_stages else min(budget.batch, samples)


def check_cursor(cursor: Cursor, learner: Learner, samples: int, budget: Budget) -> None:
    """See that a training can be this far.

    Raises:
        UserError: where it cannot.
    """
    ended = cursor == Cursor(learner.stages)
    if not ended and not (cursor.stage < learner.stages and cursor.epoch < budget.epochs):
        raise UserError(f"no training of {learner.stages} x {budget.epochs} epochs is ever at {tuple(cursor)}")
    if not ended and cursor.batch > (steps := samples // batch_size(learner, cursor.stage, samples, budget)):
        raise UserError(f"batch {cursor.batch} of an epoch that has {steps}")


class BatchEnd(NamedTuple):
    """Says that a learner has learned from a batch, and where training then is."""

    cursor: Cursor


class EpochEnd(NamedTuple):
    """Says that an epoch of a stage has ended, both counted from 0."""

    stage: int
    epoch: int


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
) -> Iterator[Event]:
    """Show a learner its samples, in an order that depends on the seed alone and so is the same for every learner.

    What is left of an epoch that the batch does not divide waits for the next one, shuffled in again. It learns as far
    as events are asked for.

    Args:
        learner: who learns.
        inputs: (samples, positions, channels).
        labels: (samples,).
        budget: epochs and batch.
        seed: root seed of the stream ``order``.
        begin: where to go on, for a learner that has been this far.
        views: second views of the samples, one for each layer that learns, each like ``inputs``; for learners whose
            dendrites hear them.

    Yields:
        What has happened: batches and epochs that have ended.
    """
    for stage in range(begin.stage, learner.stages):
        batch = batch_size(learner, stage, len(inputs), budget)
        steps = len(inputs) // batch
        seen, order = learner.stage_inputs(stage, inputs, *views), stream(seed, "order")
        for epoch in range(budget.epochs):
            shuffled = torch.from_numpy(order.permutation(len(inputs))).to(inputs.device)
            if (stage, epoch) < begin[:2]:  # What was drawn before is drawn again: the order is a stream.
                continue
            done = begin.batch if (stage, epoch) == begin[:2] else 0
            batches = list(enumerate(shuffled[: steps * batch].split(batch)))
            for index, chosen in batches[done:]:
                progress = (epoch * steps + index) / (budget.epochs * steps)
                learner.step(stage, seen[chosen], labels[chosen], progress)
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
) -> None:
    """Train a learner, and tell callbacks, in their order, of every batch and epoch that ends: see `events`."""
    for event in events(learner, inputs, labels, budget, seed, begin, views):
        for callback in callbacks:
            callback(event)
