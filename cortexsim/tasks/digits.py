"""Handwritten digits of 8 x 8 pixels, from scikit-learn.

Source: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository
(doi 10.24432/C50P49); scikit-learn includes the 1797 samples of its test set.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.tasks.data import split
from cortexsim.tasks.windows import GridData

WHITE = 16


@dataclass(frozen=True)
class Digits:
    """Handwritten digits: 1797 samples of 8 x 8 pixels, with grey values from 0 to 1 in steps of 1/16.

    >>> task = Digits()
    >>> train, test = task.draw(train=1000, test=500, task_seed=0, seed=0)
    >>> task.grid, train.inputs.shape, test.labels.shape
    ((8, 8), (1000, 64, 1), (500,))
    """

    name: ClassVar[str] = "digits"
    second_views: ClassVar[str] = "view"
    content: ClassVar[str] = ""
    grid: ClassVar[tuple[int, ...]] = (8, 8)
    channels: ClassVar[int] = 1
    classes: ClassVar[int] = 10
    depth: ClassVar[int | None] = None
    branching: ClassVar[int] = 2
    distinct_samples: ClassVar[int] = 1797

    @property
    def chance(self) -> float:
        """Relative frequency of the most frequent digit.

        Raises:
            UserError: if scikit-learn is not installed.
        """
        return float(np.bincount(_read()[1]).max() / self.distinct_samples)

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[GridData, GridData]:
        """Draw the test samples with one seed, and the training samples from the others with the other seed.

        Args:
            train: number of training samples.
            test: number of test samples.
            task_seed: seed of the choice of test samples.
            seed: seed of the choice of training samples.

        Returns:
            The training samples and the test samples.

        Raises:
            UserError: if there are too few samples, or fewer training samples than digits, or scikit-learn is not
                installed.
        """
        inputs, labels = _read()
        train_indices, test_indices = split(labels, train, test, task_seed, seed)
        data = GridData(inputs, labels, self.grid)
        return data[train_indices], data[test_indices]


@lru_cache(maxsize=1)
def _read() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UserError("task 'digits' needs scikit-learn (pip install 'cortexsim[sklearn]')") from None
    pixels, labels = load_digits(return_X_y=True)
    return (pixels / WHITE).astype(np.float32)[:, :, None], labels.astype(np.int64)


TASK = Digits
