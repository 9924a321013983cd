"""Labels as a file holds them, turned into classes that are numbered from 0."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError

Locate = Callable[[int], str]
"""Says where in the file the label of a sample stands, for messages."""


@dataclass(frozen=True)
class Classes:
    """Hold the class of every sample.

    Attributes:
        names: what the file calls each class, in the order of its number.
        numbers: (samples,), from 0; -1 where there is no label.
    """

    names: tuple[str, ...]
    numbers: NDArray[np.int64]

    def number(self, labels: NDArray[Any], place: Locate) -> NDArray[np.int64]:
        """Number further labels, of samples for testing, in the same way.

        Raises:
            UserError: where a label is missing, or none of these classes.
        """
        known = {name: number for number, name in enumerate(self.names)}
        found = [_name(label, place, k) for k, label in enumerate(labels.tolist())]
        for k, name in enumerate(found):
            if name is None:
                raise UserError(f"{place(k)}: is missing (samples for testing have labels)")
            if name not in known:
                raise UserError(f"{place(k)}: '{name}' is a class of no training sample")
        return np.array([known[name] for name in found if name is not None], dtype=np.int64)


def classes_of(labels: NDArray[Any], place: Locate) -> Classes:
    """Number labels in sorted order: by value where all are whole numbers, else by name.

    Args:
        labels: (samples,), numbers or texts. Empty, nan and -1 are no label.
        place: says where the label of a sample stands.

    Raises:
        UserError: where a label is a fraction, there are not two classes, or a class has a single sample.
    """
    found = [_name(label, place, k) for k, label in enumerate(labels.tolist())]
    named = [name for name in found if name is not None]
    whole = all(_is_whole(name) for name in named)
    names = sorted(set(named), key=int if whole else None)
    if len(names) < 2:
        held = f"one class alone, '{names[0]}'" if names else "no label at all"
        raise UserError(f"{place(-1)}: {held} (at least two classes; empty, nan and -1 are no label)")
    if 2 * len(names) > len(named):
        raise UserError(
            f"{place(-1)}: {len(names)} different labels for {len(named)} samples"
            " (labels are classes, with two samples each at least)"
        )
    known = {name: number for number, name in enumerate(names)}
    numbers = np.array([-1 if name is None else known[name] for name in found], dtype=np.int64)
    alone = np.flatnonzero(np.bincount(numbers[numbers >= 0]) < 2)
    if len(alone):
        where = int(np.flatnonzero(numbers == alone[0])[0])
        raise UserError(f"{place(where)}: '{names[alone[0]]}' is the only sample of its class (at least two)")
    return Classes(tuple(names), numbers)


def _name(label: object, place: Locate, sample: int) -> str | None:
    """Name the class that a label means; None where it is no label."""
    text = label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)
    text = " ".join(text.split())
    if text == "":
        return None
    try:
        value = int(text) if _is_whole(text) else float(text)
    except ValueError:
        return text
    if value != value or value == -1:
        return None
    if value in (float("inf"), float("-inf")) or value != int(value):
        raise UserError(f"{place(sample)}: {text} is no whole number (labels are classes: whole numbers, or names)")
    return str(int(value))


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()
