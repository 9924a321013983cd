"""The interface of a task: a grid of input positions, training and test samples, and the chance level."""

import math
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError

UNLABELLED = -1
"""Label of a sample without a known class."""

ORDERED = 32
"""Test samples of a class that all lie in one half of the test set only if these are not shuffled."""


class Data(Protocol):
    """Samples of a task.

    >>> from cortexsim.seeds import stream
    >>> from cortexsim.tasks import TASKS
    >>> data, _ = TASKS["rhm"](features=8, depth=2).draw(train=5, test=3, task_seed=0, seed=0)
    >>> data.inputs.shape, data.labels.shape, [level.shape for level in data.latents]
    ((5, 4, 8), (5,), [(5, 2), (5, 1)])
    >>> view = data[:3].second_view(layer=1, generator=stream(0, "view"))
    >>> view.inputs.shape, bool((view.labels == data.labels[:3]).all())
    ((3, 4, 8), True)
    """

    @property
    def inputs(self) -> NDArray[np.float32]:
        """Input values, (samples, positions, channels); the positions of a 2-D grid are in row-major (C) order."""
        ...

    @property
    def labels(self) -> NDArray[np.integer]:
        """Class of each sample, (samples,): 0 to classes - 1, or `UNLABELLED`."""
        ...

    @property
    def latents(self) -> tuple[NDArray[np.integer], ...]:
        """Hidden variables that generated the samples, one array (samples, positions of the level) per level.

        The lowest level comes first. Empty if unknown; codes are then compared with the labels only.
        """
        ...

    @property
    def exchangeable(self) -> bool:
        """Whether `second_view` exchanges synonyms of one level, so that the sensitivity of codes can be measured."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, chosen: slice | NDArray[np.integer]) -> "Data": ...

    def second_view(self, layer: int, generator: np.random.Generator) -> "Data":
        """Draw another view of every sample, with the same labels, as context for the dendrites of one layer.

        Called only if the task's ``second_views`` is not empty.

        Args:
            layer: number of the layer, from 1.
            generator: source of randomness.

        Raises:
            UserError: if the task has no second views, or none for this layer.
        """
        ...


class Layout(Protocol):
    """Properties of a task that determine the shape of a network."""

    @property
    def name(self) -> str:
        """Name of the task, as in ``[task] name``."""
        ...

    @property
    def second_views(self) -> str:
        """Name of the rule context that second views provide, such as ``"synonym"``; empty if there are none."""
        ...

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of input positions along each axis: (positions,), or (rows, columns)."""
        ...

    @property
    def channels(self) -> int:
        """Number of values at each input position."""
        ...

    @property
    def classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def depth(self) -> int | None:
        """Number of levels of the hidden hierarchy; None if there is none, or it is unknown."""
        ...

    @property
    def branching(self) -> int:
        """Number of positions per position of the next level, along each axis of the grid."""
        ...


class Task(Layout, Protocol):
    """A task: the properties of its inputs and a method that draws training and test samples.

    A task is a frozen dataclass; its fields are the keys of the table ``[task]`` of a model file. Equal tasks with
    equal seeds draw equal samples, and a smaller training set is a prefix of a larger one. A task that cannot test on
    all samples left over from training may have the attribute ``max_test``, the largest possible test set.

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from cortexsim.seeds import stream
    >>> from cortexsim.tasks.data import ArrayData
    >>> from cortexsim.tasks.protocol import check_drawn
    >>> @dataclass(frozen=True)
    ... class Position:
    ...     '''Report the position of a point on a noisy line.'''
    ...
    ...     noise: float = 0.1
    ...
    ...     name = "position"
    ...     grid, channels, classes, chance = (10,), 1, 10, 0.1
    ...     depth, branching = None, 2
    ...     second_views, content, distinct_samples = "", "", 10**6
    ...
    ...     def draw(self, train, test, task_seed, seed):
    ...         return self.points(train, stream(seed, "train")), self.points(test, stream(seed, "test"))
    ...
    ...     def points(self, count, generator):
    ...         labels = generator.integers(10, size=count)
    ...         values = np.eye(10)[labels] + generator.normal(0, self.noise, (count, 10))
    ...         return ArrayData(values[:, :, None].astype(np.float32), labels)
    >>> train, test = Position(noise=0.2).draw(train=100, test=50, task_seed=0, seed=0)
    >>> check_drawn(Position(noise=0.2), train, 100, "training")
    """

    @property
    def chance(self) -> float:
        """Accuracy of the best guess without looking at the sample."""
        ...

    @property
    def distinct_samples(self) -> int:
        """Number of different samples, training and test together."""
        ...

    @property
    def content(self) -> str:
        """Digest of the data that the task reads from files; empty if its fields determine it completely."""
        ...

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[Data, Data]:
        """Draw disjoint training and test samples.

        Args:
            train: number of training samples.
            test: number of test samples, all of them labelled.
            task_seed: seed of the task itself: its grammar, its objects, or which samples are for testing.
            seed: seed of the choice of samples.

        Returns:
            The training samples and the test samples.

        Raises:
            UserError: if the task has too few samples.
        """
        ...


def check_drawn(task: Task, data: Data, count: int, side: Literal["training", "test", "second-view"]) -> None:
    """Check that drawn samples have the shape, values and labels that their task declares.

    Args:
        task: the task that drew the samples.
        data: the samples.
        count: number of samples requested.
        side: purpose of the samples; test samples must be labelled and shuffled, since codes are decoded from one half
            of them to the other.

    Raises:
        UserError: if shape, values, or labels do not match the declaration, or test samples are in order of class.
    """
    what, expected = f"task '{task.name}': its {side} samples", (count, math.prod(task.grid), task.channels)
    inputs = data.inputs
    if inputs.shape != expected:
        raise UserError(f"{what} have the shape {inputs.shape}, not {expected} (samples x positions x channels)")
    if not np.isfinite(inputs).all():
        raise UserError(f"{what} contain nan or infinite values (all values must be finite)")
    dtype, shape = data.labels.dtype, data.labels.shape
    if not np.issubdtype(dtype, np.integer) or shape != (count,):
        raise UserError(
            f"task '{task.name}': the labels of its {side} samples have dtype {dtype} and shape {shape} (an integer"
            f" dtype and shape {(count,)})"
        )
    low, high = int(data.labels.min()), int(data.labels.max())
    smallest = 0 if side == "test" else UNLABELLED
    if low < smallest or high >= task.classes:
        raise UserError(f"{what} have labels from {low} to {high}, not from {smallest} to {task.classes - 1} (classes)")
    if side == "test":
        labels = data.labels.astype(np.int64)
        halves = [np.bincount(half, minlength=task.classes) for half in np.split(labels, [count // 2])]
        apart = np.flatnonzero((np.minimum(*halves) == 0) & (sum(halves) >= ORDERED))
        if len(apart):
            raise UserError(f"{what} have class {apart[0]} in one half only (in random order, not in order of class)")


def check_chance(task: Task) -> None:
    """Check that the chance level of a task is a number above 0 and at most 1.

    Raises:
        UserError: if it is not.
    """
    try:
        possible = 0 < float(task.chance) <= 1
    except (TypeError, ValueError):
        possible = False
    if not possible:
        raise UserError(f"task '{task.name}': chance = {task.chance!r} (above 0, at most 1: the accuracy of guessing)")
