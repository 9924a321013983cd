"""Classes, numbered from 0, from labels as they are stored in a file."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
"""A number as it is usually written; what is written otherwise, such as 01 or 1e1, is a name."""

Locate = Callable[[int], str]
"""Function that describes the place of a sample's label in its file, for error messages; of all labels, for -1."""


@dataclass(frozen=True)
class Classes:
    """The classes of a data set.

    Attributes:
        names: name of each class in the file, in the order of the class numbers.
        numbers: class of each sample, (samples,), from 0; -1 for unlabelled samples.
    """

    names: tuple[str, ...]
    numbers: NDArray[np.int64]

    def encode(self, labels: NDArray[Any], locate: Locate) -> NDArray[np.int64]:
        """Convert the labels of test samples to the same class numbers.

        Args:
            labels: (samples,), numbers or strings.
            locate: describes the place of a label.

        Returns:
            Class numbers, (samples,).

        Raises:
            UserError: if a label is missing, or its class has no training sample.
        """
        known = {name: number for number, name in enumerate(self.names)}
        names = [_class_name(label, locate, k) for k, label in enumerate(labels.tolist())]
        for k, name in enumerate(names):
            if name is None:
                raise UserError(f"{locate(k)}: is missing (test samples need labels)")
            if name not in known:
                raise UserError(f"{locate(k)}: class '{name}' has no training sample")
        return np.array([known[name] for name in names if name is not None], dtype=np.int64)


def classes_of(labels: NDArray[Any], locate: Locate) -> Classes:
    """Number the classes of labels in sorted order: numerically if all are integers, otherwise alphabetically.

    Args:
        labels: (samples,), numbers or strings. Empty strings, nan and -1 mark unlabelled samples. A string is an
            integer if it is written as 12, -12 or 12.0, and a name if it is no such number.
        locate: describes the place of a label.

    Raises:
        UserError: if a label is not an integer or a name, there are fewer than two classes, or a class has only one
            sample.

    >>> classes = classes_of(np.array(["tall", "wide", "tall", "", "wide"]), locate=str)
    >>> classes.names, classes.numbers.tolist()
    (('tall', 'wide'), [0, 1, 0, -1, 1])
    """
    names = [_class_name(label, locate, k) for k, label in enumerate(labels.tolist())]
    named = [name for name in names if name is not None]
    integers = all(_is_integer(name) for name in named)
    distinct = sorted(set(named), key=int if integers else None)
    if len(distinct) < 2:
        what = f"only one class, '{distinct[0]}'" if distinct else "no labels"
        raise UserError(f"{locate(-1)}: {what} (at least two classes; empty, nan and -1 mean unlabelled)")
    if 2 * len(distinct) > len(named):
        raise UserError(
            f"{locate(-1)}: {len(distinct)} different labels for {len(named)} samples"
            " (labels are classes, with at least two samples each)"
        )
    known = {name: number for number, name in enumerate(distinct)}
    numbers = np.array([-1 if name is None else known[name] for name in names], dtype=np.int64)
    alone = np.flatnonzero(np.bincount(numbers[numbers >= 0]) < 2)
    if len(alone):
        where = int(np.flatnonzero(numbers == alone[0])[0])
        raise UserError(f"{locate(where)}: '{distinct[alone[0]]}' is the only sample of its class (at least two)")
    return Classes(tuple(distinct), numbers)


def _class_name(label: object, locate: Locate, sample: int) -> str | None:
    """Class name of a label; None for unlabelled samples."""
    text = label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)
    text = " ".join(text.split())
    if text.lower() in ("", "nan"):
        return None
    if isinstance(label, int | float):
        value: float = label
    elif NUMBER.fullmatch(text):
        value = int(text) if _is_integer(text) else float(text)
    else:
        return text
    if value == -1:
        return None
    if math.isinf(value) or value != int(value):
        raise UserError(f"{locate(sample)}: {text} is not an integer (labels are classes: integers, or names)")
    return str(int(value))


def _is_integer(text: str) -> bool:
    return bool(NUMBER.fullmatch(text)) and "." not in text
