"""MNIST-1D: ten digits drawn as lines of 40 positions, made procedurally by the package that its authors keep.

Source: Greydanus and Kobak, "Scaling down deep learning with MNIST-1D", ICML 2024 (arXiv 2011.14439), package
``mnist1d`` (Apache-2.0). A template of 12 values a digit is padded, stretched, scaled, shifted, sheared, and covered by
correlated and by white noise. Published accuracies: logistic regression 32 %, multilayer perceptron 68 %, convolutional
network 94 %, people 96 %.

>>> from cortexsim.tasks import TASKS
>>> task = TASKS["mnist1d"]()
>>> train, test = task.draw(train=4000, test=1000, task_seed=0, seed=0)
>>> task.grid, train.inputs.shape, test.labels.shape
((40,), (4000, 40, 1), (1000,))
"""

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.tasks.data import ArrayData, check_scaling, scaled

PUBLISHED_SEED = 42
SETS = 100  # Data sets of one task seed. Together they are its distinct samples.
TRAIN, TEST = 4000, 1000  # Samples of one data set.

DataSet = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True)
class Mnist1d:
    """Digits as lines: 40 positions, one channel, ten classes.

    Up to 4000 training and 1000 test samples are of one data set, and keep to the sides of its split; task seed 0 is
    the data set as published. Where more are asked for, they come from further data sets made alike, each standardised
    by itself, so that larger training sets can be studied as well.

    Args:
        scaling: ``"range"`` brings all values to 0..1 by the least and the greatest of the 4000 training samples of the
            first data set, and clips there; ``"standard"`` to mean 0 and standard deviation 1 by the same samples;
            ``"none"`` leaves them as published (mean 0, standard deviation 1 over training and test).

    Raises:
        UserError: where the scaling is not known.
    """

    name: ClassVar[str] = "mnist1d"
    second_views: ClassVar[str] = ""
    content: ClassVar[str] = ""
    grid: ClassVar[tuple[int, ...]] = (40,)
    channels: ClassVar[int] = 1
    classes: ClassVar[int] = 10
    chance: ClassVar[float] = 0.1
    depth: ClassVar[int | None] = None
    branching: ClassVar[int] = 2
    distinct_samples: ClassVar[int] = SETS * (TRAIN + TEST)

    scaling: str = "range"

    def __post_init__(self) -> None:
        check_scaling(self.scaling)

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[ArrayData, ArrayData]:
        """Make the data set from the one seed, and draw from the other which of its training samples train.

        Raises:
            UserError: where a side of the split has not so many, or the package is missing.
        """
        for asked, side, each in ((train, "training", TRAIN), (test, "test", TEST)):
            if asked > SETS * each:
                raise UserError(f"mnist1d: {asked} {side} samples are too many (at most {SETS * each})")
        fitted = _make(task_seed, 0)[0]
        sides = _side(train, TRAIN, 0, task_seed, stream(seed, "data")), _side(test, TEST, 2, task_seed, None)
        shown = scaled(self.scaling, fitted, [inputs for inputs, _ in sides], by_column=False)
        learned, tested = (ArrayData(x[:, :, None], y) for x, (_, y) in zip(shown, sides, strict=True))
        return learned, tested


def _side(
    count: int, each: int, place: int, task_seed: int, order: np.random.Generator | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Gather samples of one side of the split, in random order within a data set where there is one to draw it."""
    inputs, labels = [], []
    for number in range(max(1, -(-count // each))):
        x, y = _make(task_seed, number)[place : place + 2]
        chosen = np.arange(each) if order is None else order.permutation(each)
        inputs.append(x[chosen])
        labels.append(y[chosen])
    return np.concatenate(inputs)[:count], np.concatenate(labels)[:count]


@lru_cache(maxsize=16)
def _make(task_seed: int, number: int) -> DataSet:
    """Make a data set, and leave the global random streams, which the package seeds, as they were."""
    try:
        from mnist1d.data import get_dataset_args, make_dataset
    except ImportError:
        raise UserError("task 'mnist1d' needs the package mnist1d (pip install 'cortexsim[tasks]')") from None
    settings = get_dataset_args()
    settings.seed = (PUBLISHED_SEED + SETS * task_seed + number) % 2**32
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        found = make_dataset(settings)
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
    return found["x"], found["y"].astype(np.int64), found["x_test"], found["y_test"].astype(np.int64)


TASK = Mnist1d
