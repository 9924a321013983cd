"""Handwritten digits in 8 x 8 pixels, as they come with scikit-learn.

Source: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository
(doi 10.24432/C50P49), of which scikit-learn ships the 1797 samples that were for testing.

>>> from cortexsim.tasks import TASKS
>>> task = TASKS["digits"]()
>>> train, test = task.draw(train=1000, test=500, task_seed=0, seed=0)
>>> task.grid, train.inputs.shape, test.labels.shape
((8, 8), (1000, 64, 1), (500,))
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.tasks.data import ArrayData, split

BRIGHTEST = 16


@dataclass(frozen=True)
class Digits:
    """Ten digits, written by hand: 1797 samples, each a grid of 8 x 8 grey values from 0 to 1, in steps of 1/16."""

    name: ClassVar[str] = "digits"
    second_views: ClassVar[str] = ""
    content: ClassVar[str] = ""
    grid: ClassVar[tuple[int, ...]] = (8, 8)
    channels: ClassVar[int] = 1
    classes: ClassVar[int] = 10
    depth: ClassVar[int | None] = None
    branching: ClassVar[int] = 2
    distinct_samples: ClassVar[int] = 1797

    @property
    def chance(self) -> float:
        """Share of the most frequent digit.

        Raises:
            UserError: where scikit-learn is missing.
        """
        return float(np.bincount(_read()[1]).max() / self.distinct_samples)

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[ArrayData, ArrayData]:
        """Draw the test samples from the one seed, and from the other those of the rest that train.

        Raises:
            UserError: where there are not so many, fewer training samples than digits, or scikit-learn is missing.
        """
        inputs, labels = _read()
        chosen = split(labels, train, test, task_seed, seed)
        found = ArrayData(inputs, labels)
        return found[chosen[0]], found[chosen[1]]


@lru_cache(maxsize=1)
def _read() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UserError("task 'digits' needs scikit-learn (pip install 'cortexsim[sklearn]')") from None
    pixels, labels = load_digits(return_X_y=True)
    return (pixels / BRIGHTEST).astype(np.float32)[:, :, None], labels.astype(np.int64)


TASK = Digits
