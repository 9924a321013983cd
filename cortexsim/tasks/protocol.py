"""What every task is: a grid of positions, samples for training and for testing, and how good guessing would be."""

import math
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError

UNLABELLED = -1
"""Label of a sample that has none."""


class Data(Protocol):
    """Hold samples of a task."""

    @property
    def inputs(self) -> NDArray[np.float32]:
        """What is shown: (samples, positions, channels); positions of a grid in C order, its last axis fastest."""
        ...

    @property
    def labels(self) -> NDArray[np.integer]:
        """The class of each sample, from 0, or `UNLABELLED`: (samples,)."""
        ...

    @property
    def latents(self) -> tuple[NDArray[np.integer], ...]:
        """Hidden variables that samples were made from, level by level from below: each (samples, positions of it).

        Empty where they are not known; then there is nothing to measure codes against but the labels.
        """
        ...

    @property
    def exchangeable(self) -> bool:
        """Whether second views exchange what the latents of one level are written as: then codes are probed by them."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, chosen: slice | NDArray[np.integer]) -> "Data": ...

    def second_view(self, layer: int, generator: np.random.Generator) -> "Data":
        """Show every sample in another way, for the dendrites of one layer, counted from 1; labels stay.

        Only asked for where the task says in ``second_views`` what they are.
        """
        ...


class Layout(Protocol):
    """Say what a network has to know of a task."""

    @property
    def name(self) -> str:
        """What ``[task] name`` calls it."""
        ...

    @property
    def second_views(self) -> str:
        """The context that second views of its samples serve, such as ``"synonym"``; empty where it has none."""
        ...

    @property
    def grid(self) -> tuple[int, ...]:
        """How many positions there are along each axis: (leaves,), or (rows, columns)."""
        ...

    @property
    def channels(self) -> int:
        """Values at each position."""
        ...

    @property
    def classes(self) -> int:
        """Different labels."""
        ...

    @property
    def depth(self) -> int | None:
        """Levels of its hidden hierarchy; None where it has none, or none that is known."""
        ...

    @property
    def branching(self) -> int:
        """How many positions of a level belong to one of the next, along each axis."""
        ...


class Task(Layout, Protocol):
    """Say what a learner is shown.

    A task is a frozen dataclass; its fields are the keys of the table ``[task]`` in a model. Equal tasks with equal
    seeds draw equal samples, and a larger training set begins with the smaller.
    """

    @property
    def chance(self) -> float:
        """Accuracy of the best answer that does not look at the sample."""
        ...

    @property
    def distinct_samples(self) -> int:
        """How many different samples it has, for training and testing together."""
        ...

    @property
    def content(self) -> str:
        """A digest of what it is made of beside its fields, such as a file; empty where there is nothing."""
        ...

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[Data, Data]:
        """Draw samples to train and to test on, none of which is in both.

        Args:
            train: samples to train on.
            test: samples to test on, all of them labelled.
            task_seed: draws the task itself: its grammar, its objects, or which samples are for testing.
            seed: draws the samples, where the task has more than are asked for.

        Raises:
            UserError: where there are not so many.
        """
        ...


def check_drawn(task: Task, data: Data, count: int, side: Literal["training", "test"]) -> None:
    """Hold samples that a task has drawn to what it says of itself.

    Args:
        task: which.
        data: what it has drawn.
        count: samples that were asked for.
        side: what for; those for testing are all labelled.

    Raises:
        UserError: where they are not of that shape, or values or labels cannot be.
    """
    its, wanted = f"task '{task.name}': its {side} samples", (count, math.prod(task.grid), task.channels)
    inputs = data.inputs
    if inputs.shape != wanted:
        raise UserError(f"{its} have the shape {inputs.shape}, not {wanted} (samples x positions x channels)")
    if not np.isfinite(inputs).all():
        raise UserError(f"{its} hold values that are no finite numbers (finite ones)")
    kind, shape = data.labels.dtype, data.labels.shape
    if not np.issubdtype(kind, np.integer) or shape != (count,):
        raise UserError(
            f"task '{task.name}': labels of its {side} samples are {kind} in the shape {shape}, not whole numbers in"
            f" the shape {(count,)}"
        )
    low, high = int(data.labels.min()), int(data.labels.max())
    least = UNLABELLED if side == "training" else 0
    if low < least or high >= task.classes:
        raise UserError(f"{its} have labels from {low} to {high}, not from {least} to {task.classes - 1} (classes)")
