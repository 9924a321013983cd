"""The user's own samples, from a `.npy`, `.npz` or `.csv` file.

>>> from pathlib import Path
>>> from cortexsim.tasks import TASKS
>>> rows = ["width,height,shape", "1,2,tall", "3,1,wide", "2,5,tall", "4,3,wide", "1,3,"]
>>> _ = Path("shapes.csv").write_text("\\n".join(rows))
>>> task = TASKS["arrays"](path="shapes.csv", label="shape")
>>> task.grid, task.classes, task.class_names
((2,), 2, ('tall', 'wide'))
>>> train, test = task.draw(train=3, test=2, task_seed=0, seed=0)
>>> train.inputs.shape, int(train.labels[-1])
((3, 2, 1), -1)
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np

from cortexsim.errors import UserError, error_prefix
from cortexsim.seeds import stream
from cortexsim.tasks.classes import Classes, classes_of
from cortexsim.tasks.csv_file import read_csv
from cortexsim.tasks.data import ArrayData, Indices, check_scaling, scaled, split, training
from cortexsim.tasks.numpy_files import Raw, read_npy, read_npz

SUFFIXES = (".npy", ".npz", ".csv")


@dataclass(frozen=True)
class Arrays:
    """The user's own samples, from a .csv, .npy or .npz file.

    Samples of shape (samples, columns) lie on a 1-D grid, (samples, rows, columns) on a 2-D grid, and
    (samples, rows, columns, channels) on a 2-D grid of several channels. Labels are whole numbers or names, which are
    numbered in sorted order. A sample without a label (an empty cell, nan, or -1) trains after those that have one, and
    never tests. Which samples test follows from the task seed; samples that are equal count as different ones.

    Args:
        path: the file. A `.csv` has a header with the names of its columns, commas between them, and numbers in all
            columns but that of the labels. It is read again when it has changed.
        label: of a `.csv`, the column of the labels, the last unless given; of a `.npz`, their array, ``y``,
            ``labels`` or ``y_train`` unless given; of a `.npy`, the `.npy` file that holds them, in the same folder
            unless it is an absolute path.
        inputs: of a `.npz`, the array of the samples; ``X``, ``inputs``, ``x``, ``X_train`` or ``x_train`` unless
            given.
        test_label: of a `.npz`, labels of samples for testing alone: ``y_test`` where there is one, unless given.
        test_inputs: of a `.npz`, these samples: ``X_test`` or ``x_test`` where there is one, unless given.
        scaling: ``"range"`` brings values to 0..1 by the least and the greatest of all samples that may train, whether
            they are drawn or not, each column on its own on a 1-D grid, all values alike on a 2-D grid, and clips test
            samples there; ``"standard"`` to mean 0 and standard deviation 1 in the same way; ``"none"`` leaves them.

    Raises:
        UserError: where a field cannot be; all others where the file is first needed and is not what it should be.
    """

    name: ClassVar[str] = "arrays"
    second_views: ClassVar[str] = ""
    depth: ClassVar[int | None] = None
    branching: ClassVar[int] = 2

    path: str
    label: str = ""
    inputs: str = ""
    test_label: str = ""
    test_inputs: str = ""
    scaling: str = "range"

    def __post_init__(self) -> None:
        check_scaling(self.scaling)
        suffix = Path(self.path).suffix.lower()
        if suffix not in SUFFIXES:
            raise UserError(f"path = '{self.path}' has an unknown ending ({', '.join(SUFFIXES)})")
        if suffix == ".npy" and not self.label:
            raise UserError(f"path = '{self.path}' holds no labels (label = 'a second .npy file that holds them')")
        for key in ("inputs", "test_inputs", "test_label"):
            if suffix != ".npz" and (value := getattr(self, key)):
                raise UserError(f"{key} = '{value}' names an array of a .npz file, but path = '{self.path}'")

    @property
    def grid(self) -> tuple[int, ...]:
        """The columns, or rows and columns."""
        return tuple(self._contents.inputs.shape[1:3])

    @property
    def channels(self) -> int:
        """The last of four axes; else 1."""
        shape = self._contents.inputs.shape
        return shape[3] if len(shape) == 4 else 1

    @property
    def classes(self) -> int:
        """Different labels."""
        return len(self.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the file calls the classes, in their order."""
        return self._contents.classes.names

    @property
    def chance(self) -> float:
        """Share of the most frequent class, of all labelled samples that may test."""
        found = self._contents
        labels = found.classes.numbers if found.test_labels is None else found.test_labels
        return float(np.bincount(labels[labels >= 0]).max() / (labels >= 0).sum())

    @property
    def distinct_samples(self) -> int:
        """Samples of the file, with and without labels."""
        test = self._contents.test_labels
        return len(self._contents.inputs) + (0 if test is None else len(test))

    @property
    def most_test(self) -> int:
        """Samples that may test at most: its own test set; else those that have a label, of which some are to train.

        Where others have none, these are a quarter of them, so that most labels are left for training.
        """
        found = self._contents
        if found.test_labels is not None:
            return len(found.test_labels)
        labelled = int((found.classes.numbers >= 0).sum())
        return labelled - self.classes if labelled == len(found.inputs) else labelled // 4

    @property
    def content(self) -> str:
        """Digest of its files."""
        self._contents  # noqa: B018  It says in one line what is wrong with them.
        return sha256(b"".join(path.read_bytes() for path in self._files())).hexdigest()

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[ArrayData, ArrayData]:
        """Draw the test samples from the one seed, and from the other those of the rest that train.

        Raises:
            UserError: where there are not so many, or fewer training samples than classes.
        """
        found = self._contents
        labels, test_inputs, test_labels = found.classes.numbers, found.inputs, found.classes.numbers
        with error_prefix(self.path):
            if found.test_inputs is None or found.test_labels is None:
                learned, tested = split(labels, train, test, task_seed, seed)
                pool = np.setdiff1d(np.arange(len(labels)), tested)
            else:
                test_inputs, test_labels = found.test_inputs, found.test_labels
                tested = _choose(len(test_labels), test, task_seed)
                pool = np.arange(len(labels))
                learned = training(labels, pool, train, seed)
        columns = found.inputs.ndim == 2
        shown = scaled(self.scaling, found.inputs[pool], [found.inputs[learned], test_inputs[tested]], columns)
        cells = (int(np.prod(self.grid)), self.channels)
        first, second = (x.reshape(len(x), *cells) for x in shown)
        return ArrayData(first, labels[learned]), ArrayData(second, test_labels[tested])

    @property
    def _contents(self) -> "Contents":
        return _read(self, tuple(_stamp(path) for path in self._files()))

    def _files(self) -> list[Path]:
        path = Path(self.path)
        return [path, path.parent / self.label] if path.suffix.lower() == ".npy" else [path]


@dataclass(frozen=True)
class Contents:
    """Hold what a file says: samples as stored, their classes, and the samples that are for testing alone."""

    inputs: np.ndarray
    classes: Classes
    test_inputs: np.ndarray | None
    test_labels: np.ndarray | None


def _choose(samples: int, test: int, task_seed: int) -> Indices:
    if test > samples:
        raise UserError(f"{test} test samples are too many (at most {samples}, those of its own test set)")
    return stream(task_seed, "test").permutation(samples)[:test]


def _stamp(path: Path) -> tuple[int, int]:
    """See when a file was last written, and how long it is.

    Raises:
        UserError: where there is no such file.
    """
    try:
        if not path.is_file():
            raise UserError(f"{path}: {'is a folder' if path.is_dir() else 'does not exist'} (name a file)")
        found = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte; and UserError itself.
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: cannot be read ({error})") from None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _read(task: Arrays, stamps: tuple[tuple[int, int], ...]) -> Contents:
    """Read a file; the stamps say which state of it is kept."""
    path = Path(task.path)
    with error_prefix(task.path):
        if path.suffix.lower() == ".csv":
            raw = read_csv(path, task.label)
        elif path.suffix.lower() == ".npz":
            raw = read_npz(path, task.inputs, task.label, task.test_inputs, task.test_label)
        else:
            raw = read_npy(path, path.parent / task.label)
        return _checked(raw)


def _checked(raw: Raw) -> Contents:
    classes = classes_of(raw.labels, raw.place_of_label)
    if len(raw.inputs) > 1 and (raw.inputs == raw.inputs[0]).all():
        raise UserError("all samples are the same (nothing can be learned from them)")
    if raw.test_inputs is None or raw.test_labels is None:
        return Contents(raw.inputs, classes, None, None)
    return Contents(raw.inputs, classes, raw.test_inputs, classes.number(raw.test_labels, raw.place_of_test_label))


TASK = Arrays
