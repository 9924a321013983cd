"""What tasks made of arrays share: samples that are held as arrays, their scaling, and their split."""

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
"""How inputs are scaled: to 0..1 and clipped there, to mean 0 and standard deviation 1, or not at all."""


@dataclass(frozen=True)
class ArrayData:
    """Hold samples as arrays, without latents and without second views.

    Attributes:
        inputs: (samples, positions, channels).
        labels: (samples,); -1 where there is none.
    """

    latents: ClassVar[tuple[NDArray[np.integer], ...]] = ()
    exchangeable: ClassVar[bool] = False

    inputs: Inputs
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "ArrayData":
        return ArrayData(self.inputs[chosen], self.labels[chosen])

    def second_view(self, layer: int, generator: np.random.Generator) -> "ArrayData":
        """Refuse: nothing is known of a sample but how it was stored.

        Raises:
            UserError: always.
        """
        raise UserError(f"layer {layer}: samples of this task have no second view (take another context)")


def check_scaling(scaling: str) -> None:
    """See that a scaling is known.

    Raises:
        UserError: where it is not.
    """
    if scaling not in SCALINGS:
        raise UserError(f"scaling = '{scaling}' is not known ({nearest(scaling, SCALINGS)})")


def scaled(scaling: str, fitted: NDArray[Any], shown: Sequence[NDArray[Any]], by_column: bool) -> list[Inputs]:
    """Scale arrays by what one of them holds.

    Args:
        scaling: one of `SCALINGS`. ``"range"`` clips to 0..1 what lies outside the values of ``fitted``.
        fitted: (samples, ...), whose values say what is 0 and what is 1. A column of equal values becomes 0.
        shown: arrays to scale, each (samples, ...).
        by_column: whether each column is scaled on its own; else all values of a sample alike.
    """
    if scaling == "none":
        return [values.astype(np.float32) for values in shown]
    axis = 0 if by_column else None
    low, high = fitted.min(axis).astype(np.float64), fitted.max(axis).astype(np.float64)
    centre, spread = low, high - low
    if scaling == "standard":
        centre, spread = fitted.mean(axis, dtype=np.float64), fitted.std(axis, dtype=np.float64)
    spread = np.where(high > low, spread, np.inf)
    return [_scale(values, centre, spread, scaling == "range") for values in shown]


def _scale(values: NDArray[Any], centre: NDArray[Any], spread: NDArray[Any], clip: bool) -> Inputs:
    # Pictures of one byte are exact in single precision; of anything else, the difference is taken in double.
    kind = np.float32 if values.dtype.itemsize <= 2 else np.float64
    found = (values.astype(kind) - centre.astype(kind)) / spread.astype(kind)
    return (np.clip(found, 0, 1) if clip else found).astype(np.float32)


def split(labels: NDArray[np.integer], train: int, test: int, task_seed: int, seed: int) -> tuple[Indices, Indices]:
    """Choose which samples train and which test.

    The test samples follow from ``task_seed`` alone, and leave at least one sample of every class for training.

    Args:
        labels: (samples,), from 0; -1 where there is none.
        train: samples to train on.
        test: samples to test on, all labelled.
        task_seed: draws the test samples.
        seed: draws the training samples, as in `training`.

    Returns:
        Indices of the training samples, and of the test samples.

    Raises:
        UserError: where there are not so many, or fewer training samples than classes.
    """
    order = stream(task_seed, "test").permutation(np.flatnonzero(labels >= 0))
    candidates = np.delete(order, _first_of_each(labels[order]))
    if test > len(candidates):
        raise UserError(
            f"{test} test samples are too many (at most {len(candidates)}: {len(order)} are labelled,"
            " and one of each class is left for training)"
        )
    chosen = candidates[:test]
    return training(labels, np.setdiff1d(np.arange(len(labels)), chosen), train, seed), chosen


def training(labels: NDArray[np.integer], pool: Indices, train: int, seed: int) -> Indices:
    """Choose training samples from a pool: one of each class, then labelled ones, then those without a label.

    A larger choice begins with the smaller.

    Args:
        labels: (samples,), from 0; -1 where there is none.
        pool: indices of the samples that may train.
        train: samples to train on.
        seed: draws them.

    Raises:
        UserError: where the pool has not so many, or there are fewer than classes.
    """
    if train > len(pool):
        raise UserError(f"{train} training samples are too many (at most {len(pool)} beside the test samples)")
    if train < (classes := int(labels.max()) + 1):
        raise UserError(f"{train} training samples are too few (at least {classes}, one of each class)")
    order = stream(seed, "data").permutation(pool)
    labelled, unlabelled = order[labels[order] >= 0], order[labels[order] < 0]
    first = np.sort(_first_of_each(labels[labelled]))
    return np.concatenate([labelled[first], np.delete(labelled, first), unlabelled])[:train]


def _first_of_each(labels: NDArray[np.integer]) -> Indices:
    return np.unique(labels, return_index=True)[1]
