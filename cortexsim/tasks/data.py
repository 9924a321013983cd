"""Samples stored as arrays, their scaling, and their split into training and test samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError, nearest
from cortexsim.seeds import stream

Inputs = NDArray[np.float32]
Indices = NDArray[np.intp]

SCALINGS = ("range", "standard", "none")
"""Scaling of the inputs: to the range 0 to 1, to mean 0 and standard deviation 1, or none."""


@dataclass(frozen=True)
class ArrayData:
    """Samples stored as arrays, without latents and without second views.

    Attributes:
        inputs: (samples, positions, channels).
        labels: (samples,), from 0; -1 for unlabelled samples.

    >>> data = ArrayData(np.zeros((3, 8, 1), np.float32), np.array([0, 1, -1]))
    >>> len(data), data[:2].labels.tolist()
    (3, [0, 1])
    """

    latents: ClassVar[tuple[NDArray[np.integer], ...]] = ()
    exchangeable: ClassVar[bool] = False

    inputs: Inputs
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<ArrayData: {' x '.join(map(str, self.inputs.shape))} samples, positions, channels>"

    def __getitem__(self, chosen: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "ArrayData":
        return ArrayData(self.inputs[chosen], self.labels[chosen])

    def second_view(self, layer: int, generator: np.random.Generator) -> "ArrayData":
        """Always fail, since stored samples have no second views.

        Raises:
            UserError: always.
        """
        raise UserError(f"layer {layer}: samples of this task have no second view (choose another context)")


def check_scaling(scaling: str) -> None:
    """Check the name of a scaling.

    Raises:
        UserError: if it is not one of `SCALINGS`.
    """
    if scaling not in SCALINGS:
        raise UserError(f"scaling = '{scaling}' is not known ({nearest(scaling, SCALINGS)})")


def scaled(scaling: str, reference: NDArray[Any], arrays: Sequence[NDArray[Any]], by_column: bool) -> list[Inputs]:
    """Scale arrays by the statistics of a reference array.

    Args:
        scaling: one of `SCALINGS`. ``"range"`` maps the range of ``reference`` to 0..1 and clips values outside it.
        reference: (samples, ...), from which range, mean and standard deviation are computed.
        arrays: the arrays to scale, each (samples, ...).
        by_column: whether each column has its own statistics; otherwise all values share the same ones.

    Returns:
        The scaled arrays, with their shapes. Where all values of ``reference`` are equal, the results are 0.

    >>> reference = np.array([[0.0, 10.0], [2.0, 30.0]])
    >>> scaled("range", reference, [np.array([[1.0, 50.0]])], by_column=True)[0].tolist()
    [[0.5, 1.0]]
    """
    if scaling == "none":
        return [values.astype(np.float32) for values in arrays]
    axis = 0 if by_column else None
    low, high = reference.min(axis).astype(np.float64), reference.max(axis).astype(np.float64)
    centre, spread = low, high - low
    if scaling == "standard":
        centre, spread = reference.mean(axis, dtype=np.float64), reference.std(axis, dtype=np.float64)
    spread = np.where(high > low, spread, np.inf)
    return [_scale(values, centre, spread, scaling == "range") for values in arrays]


def _scale(values: NDArray[Any], centre: NDArray[Any], spread: NDArray[Any], clip: bool) -> Inputs:
    # Values of at most two bytes are exact in single precision; differences of others need double precision.
    dtype = np.float32 if values.dtype.itemsize <= 2 else np.float64
    result = (values.astype(dtype) - centre.astype(dtype)) / spread.astype(dtype)
    return (np.clip(result, 0, 1) if clip else result).astype(np.float32)


def split(labels: NDArray[np.integer], train: int, test: int, task_seed: int, seed: int) -> tuple[Indices, Indices]:
    """Choose training and test samples at random.

    The test samples depend on ``task_seed`` and ``test`` only, and leave at least one sample of every class for
    training.

    Args:
        labels: (samples,), from 0; -1 for unlabelled samples.
        train: number of training samples.
        test: number of test samples, all of them labelled.
        task_seed: seed of the choice of test samples.
        seed: seed of the choice of training samples, as in `choose_training`.

    Returns:
        Indices of the training samples, (train,), and of the test samples, (test,).

    Raises:
        UserError: if there are too few samples, or fewer training samples than classes.
    """
    order = stream(task_seed, "test").permutation(np.flatnonzero(labels >= 0))
    candidates = np.delete(order, _first_of_each(labels[order]))
    if test > len(candidates):
        raise UserError(
            f"{test} test samples are too many (at most {len(candidates)}: {len(order)} are labelled,"
            " and one of each class is left for training)"
        )
    chosen = candidates[:test]
    return choose_training(labels, np.setdiff1d(np.arange(len(labels)), chosen), train, seed), chosen


def choose_training(labels: NDArray[np.integer], pool: Indices, train: int, seed: int) -> Indices:
    """Choose training samples from a pool: one of each class, then other labelled ones, then unlabelled ones.

    A smaller choice is a prefix of a larger one.

    Args:
        labels: (samples,), from 0; -1 for unlabelled samples.
        pool: indices of the samples to choose from.
        train: number of training samples.
        seed: seed of the random order.

    Returns:
        Indices of the training samples, (train,).

    Raises:
        UserError: if the pool has too few samples, or ``train`` is less than the number of classes.
    """
    if train > len(pool):
        raise UserError(f"{train} training samples are too many (at most {len(pool)} beside the test samples)")
    if train < (classes := int(labels.max()) + 1):
        raise UserError(f"{train} training samples are too few (at least {classes}, one of each class)")
    order = stream(seed, "data").permutation(pool)
    labelled, unlabelled = order[labels[order] >= 0], order[labels[order] < 0]
    first = np.sort(_first_of_each(labels[labelled]))
    return np.concatenate([labelled[first], np.delete(labelled, first), unlabelled])[:train]


def choose_test(samples: int, test: int, task_seed: int) -> Indices:
    """Choose test samples from a separate test set.

    Args:
        samples: size of the test set.
        test: number of test samples.
        task_seed: seed of the choice.

    Returns:
        Their indices, (test,).

    Raises:
        UserError: if there are too few.
    """
    if test > samples:
        raise UserError(f"{test} test samples are too many (at most {samples}, the size of the file's test set)")
    return stream(task_seed, "test").permutation(samples)[:test]


def _first_of_each(labels: NDArray[np.integer]) -> Indices:
    return np.unique(labels, return_index=True)[1]
