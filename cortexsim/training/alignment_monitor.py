"""AlignmentMonitor a learner through its training: how its updates lie to those of backpropagation."""

from typing import Any

from torch import Tensor

from cortexsim.analysis.alignment import input_shares, update_cosines
from cortexsim.errors import UserError
from cortexsim.learners import Cursor, EpochEnd, Event, Feedback, Learner

COMPARED = 256  # Samples that updates are compared on.
EPOCHS = (1, 2, 5, 10, 20)  # After which they are compared, beside the last; and before the first.


class AlignmentMonitor:
    """Compare the updates of a learner that is taught by an error, before, during and after its training.

    Args:
        learner: who learns; of others nothing is recorded.
        inputs: (samples, positions, channels).
        labels: (samples,).
        epochs: of the training.

    Attributes:
        found: ``epoch``, and for each the ``cosine`` and the ``input_share`` of every layer.
    """

    def __init__(self, learner: Learner, inputs: Tensor, labels: Tensor, epochs: int) -> None:
        self.shown = inputs[:COMPARED], labels[:COMPARED]
        self.epochs = [*(epoch for epoch in EPOCHS if epoch < epochs), epochs]
        self.learner = learner if isinstance(learner, Feedback) else None
        self.found: dict[str, list[Any]] | None = None
        if self.learner is not None:
            self.found = {"epoch": [], "cosine": [], "input_share": []}
            self._measure(0)

    def __call__(self, event: Event) -> None:
        """Hear what has ended."""
        if isinstance(event, EpochEnd) and event.epoch + 1 in self.epochs:
            self._measure(event.epoch + 1)

    def latest(self, epoch: int) -> dict[str, Any]:
        """Give what was found after so many epochs; nothing where nothing was."""
        if self.found is None or self.found["epoch"][-1] != epoch:
            return {}
        return {name: values[-1] for name, values in self.found.items() if name != "epoch"}

    def see_possible(self, found: Any, cursor: Cursor, stages: int) -> None:
        """See that this can have been found by the time that a training is so far.

        Raises:
            UserError: where it cannot.
        """
        if self.found is None or found is None:
            possible = self.found is found
        else:
            done = cursor.epoch if cursor.stage < stages else self.epochs[-1]
            known = [0, *(epoch for epoch in self.epochs if epoch <= done)]
            possible = found.keys() == self.found.keys() and found["epoch"] == known
            possible &= all(len(values) == len(known) for values in found.values())
        if not possible:
            raise UserError("followed: what was found does not belong to this learner, or not to this epoch")

    def _measure(self, epoch: int) -> None:
        if self.learner is None or self.found is None:
            return
        self.found["epoch"].append(epoch)
        self.found["cosine"].append(update_cosines(self.learner, *self.shown))
        self.found["input_share"].append(input_shares(self.learner, *self.shown))
