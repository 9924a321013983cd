"""A training callback that compares the updates of a learner with those of backpropagation."""

from typing import Any

from torch import Tensor

from cortexsim.analysis.alignment import input_shares, update_cosines
from cortexsim.errors import UserError
from cortexsim.learners import Cursor, EpochEnd, Event, Feedback, Learner

COMPARED = 256  # Number of samples on which updates are compared.
EPOCHS = (1, 2, 5, 10, 20)  # After these epochs updates are compared; also before the first and after the last.


class AlignmentMonitor:
    """Compare a learner's updates with those of backpropagation before, during and after training.

    Only learners that receive an output error (`Feedback`) are compared; for others nothing is recorded.

    >>> import torch
    >>> from cortexsim.rate import Architecture, Network, Optimization, Synapses
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> feedback = Synapses(feedback="layered")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, feedback)
    >>> learner = Feedback(network, load_rule("bp"), Optimization())
    >>> monitor = AlignmentMonitor(learner, torch.rand(32, 4, 8), torch.arange(32) % 4, epochs=10)
    >>> [round(cosine, 2) for cosine in monitor.latest(0)["cosine"]]  # The rule is backpropagation.
    [1.0, 1.0]

    Args:
        learner: the learner, untrained.
        inputs: training samples, (samples, positions, channels).
        labels: (samples,).
        epochs: number of epochs of the training.

    Attributes:
        history: lists with one entry per comparison: ``epoch``, the number of epochs before it; ``cosine`` and
            ``input_share``, with a value for every layer. None for learners that are not compared.
    """

    def __init__(self, learner: Learner, inputs: Tensor, labels: Tensor, epochs: int) -> None:
        self.shown = inputs[:COMPARED], labels[:COMPARED]
        self.epochs = [*(epoch for epoch in EPOCHS if epoch < epochs), epochs]
        self.learner = learner if isinstance(learner, Feedback) else None
        self.history: dict[str, list[Any]] | None = None
        if self.learner is not None:
            self.history = {"epoch": [], "cosine": [], "input_share": []}
            self._measure(0)

    def __call__(self, event: Event) -> None:
        """Called at the end of each batch and epoch."""
        if isinstance(event, EpochEnd) and event.epoch + 1 in self.epochs:
            self._measure(event.epoch + 1)

    def latest(self, epoch: int) -> dict[str, Any]:
        """Return the comparison made after this many epochs; empty if there was none."""
        if self.history is None or self.history["epoch"][-1] != epoch:
            return {}
        return {name: values[-1] for name, values in self.history.items() if name != "epoch"}

    def restore(self, history: Any, cursor: Cursor, stages: int) -> None:
        """Continue from the history stored in a checkpoint.

        Args:
            history: what was stored.
            cursor: position of the checkpoint in the training.
            stages: number of stages of the training.

        Raises:
            UserError: the history does not belong to this learner and this position.
        """
        if self.history is None or history is None:
            valid = self.history is history
        else:
            done = cursor.epoch if cursor.stage < stages else self.epochs[-1]
            compared = [0, *(epoch for epoch in self.epochs if epoch <= done)]
            valid = history.keys() == self.history.keys() and history["epoch"] == compared
            valid &= all(len(values) == len(compared) for values in history.values())
        if not valid:
            raise UserError("followed: not the alignment history of this learner at this epoch")
        self.history = history

    def _measure(self, epoch: int) -> None:
        if self.learner is None or self.history is None:
            return
        self.history["epoch"].append(epoch)
        self.history["cosine"].append(update_cosines(self.learner, *self.shown))
        self.history["input_share"].append(input_shares(self.learner, *self.shown))
