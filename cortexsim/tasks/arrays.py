"""The user's own samples, from a `.npy`, `.npz` or `.csv` file."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np

from cortexsim.errors import UserError, error_prefix
from cortexsim.tasks.classes import Classes, classes_of
from cortexsim.tasks.csv_file import read_csv
from cortexsim.tasks.data import ArrayData, check_scaling, choose_test, choose_training, scaled, split
from cortexsim.tasks.numpy_files import Raw, read_npy, read_npz

SUFFIXES = (".npy", ".npz", ".csv")


@dataclass(frozen=True)
class Arrays:
    """The user's own samples, from a .csv, .npy or .npz file.

    Samples of shape (samples, columns) lie on a 1-D grid, those of shape (samples, rows, columns) on a 2-D grid, and
    those of shape (samples, rows, columns, channels) on a 2-D grid with several channels. Labels are integers or names;
    classes are numbered in sorted order. Unlabelled samples (an empty cell, nan, or -1) come last in the training set
    and are never test samples. The task seed determines the test samples. Duplicate samples are not merged.

    Args:
        path: the file. A `.csv` file is comma-separated and has a header with the names of its columns; all columns but
            the labels are numbers. A file that has changed is read again.
        label: the labels. For a `.csv` file, the name of their column (default: the last). For an `.npz` file, the name
            of their array (default: ``y``, ``labels`` or ``y_train``). For an `.npy` file, the `.npy` file that
            contains them, relative to the folder of ``path``.
        inputs: for an `.npz` file, the name of the array of samples (default: ``X``, ``inputs``, ``x``, ``X_train`` or
            ``x_train``).
        test_label: for an `.npz` file, the name of the array of the labels of a separate test set (default: ``y_test``,
            if present).
        test_inputs: for an `.npz` file, the name of the array of samples of a separate test set (default: ``X_test`` or
            ``x_test``, if present).
        scaling: ``"range"`` maps values to 0..1 and clips test samples to it; ``"standard"`` maps them to mean 0 and
            standard deviation 1; ``"none"`` does not change them. The statistics are those of all samples available
            for training, drawn or not: of each column on a 1-D grid, of all values together on a 2-D grid.

    Raises:
        UserError: if an argument is not possible. A missing or malformed file raises it when it is first read, that is
            by `draw` or a property.

    >>> from pathlib import Path
    >>> rows = ["width,height,shape", "1,2,tall", "3,1,wide", "2,5,tall", "4,3,wide", "1,3,"]
    >>> _ = Path("shapes.csv").write_text("\\n".join(rows))
    >>> task = Arrays(path="shapes.csv", label="shape")
    >>> task.grid, task.classes, task.class_names
    ((2,), 2, ('tall', 'wide'))
    >>> train, test = task.draw(train=3, test=2, task_seed=0, seed=0)
    >>> train.inputs.shape, train.labels[-1].item()  # The sample without a label comes last.
    ((3, 2, 1), -1)
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
            raise UserError(
                f"path = '{self.path}' contains no labels (label = 'name of the .npy file with the labels')"
            )
        for key in ("inputs", "test_inputs", "test_label"):
            if suffix != ".npz" and (value := getattr(self, key)):
                raise UserError(f"{key} = '{value}' names an array of a .npz file, but path = '{self.path}'")

    @property
    def grid(self) -> tuple[int, ...]:
        """Input positions: (columns,), or (rows, columns)."""
        return tuple(self._contents.inputs.shape[1:3])

    @property
    def channels(self) -> int:
        """Size of the last of four axes; otherwise 1."""
        shape = self._contents.inputs.shape
        return shape[3] if len(shape) == 4 else 1

    @property
    def classes(self) -> int:
        """Number of different labels."""
        return len(self.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in the file, in the order of their numbers."""
        return self._contents.classes.names

    @property
    def chance(self) -> float:
        """Relative frequency of the most frequent class among the labelled samples that are available for testing."""
        contents = self._contents
        labels = contents.classes.numbers if contents.test_labels is None else contents.test_labels
        return float(np.bincount(labels[labels >= 0]).max() / (labels >= 0).sum())

    @property
    def distinct_samples(self) -> int:
        """Number of samples of the file, with and without labels."""
        test = self._contents.test_labels
        return len(self._contents.inputs) + (0 if test is None else len(test))

    @property
    def max_test(self) -> int:
        """Size of the largest possible test set.

        That is the file's separate test set. Without one, all labelled samples but one per class, or a quarter of them
        if the file has unlabelled samples too, so that most labels are left for training.
        """
        contents = self._contents
        if contents.test_labels is not None:
            return len(contents.test_labels)
        labelled = int((contents.classes.numbers >= 0).sum())
        return labelled - self.classes if labelled == len(contents.inputs) else labelled // 4

    @property
    def content(self) -> str:
        """SHA-256 digest of the files."""
        self._contents  # noqa: B018  Raises UserError if they cannot be read.
        return sha256(b"".join(path.read_bytes() for path in self._files())).hexdigest()

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[ArrayData, ArrayData]:
        """Draw the test samples with one seed, and the training samples from the others with the other seed.

        Args:
            train: number of training samples.
            test: number of test samples.
            task_seed: seed of the choice of test samples.
            seed: seed of the choice of training samples.

        Returns:
            The training samples and the test samples.

        Raises:
            UserError: if there are too few samples, or fewer training samples than classes, or the file is malformed.
        """
        contents = self._contents
        labels, test_inputs, test_labels = contents.classes.numbers, contents.inputs, contents.classes.numbers
        with error_prefix(self.path):
            if contents.test_inputs is None or contents.test_labels is None:
                train_indices, test_indices = split(labels, train, test, task_seed, seed)
                pool = np.setdiff1d(np.arange(len(labels)), test_indices)
            else:
                test_inputs, test_labels = contents.test_inputs, contents.test_labels
                test_indices = choose_test(len(test_labels), test, task_seed)
                pool = np.arange(len(labels))
                train_indices = choose_training(labels, pool, train, seed)
        chosen = [contents.inputs[train_indices], test_inputs[test_indices]]
        inputs = scaled(self.scaling, contents.inputs[pool], chosen, by_column=contents.inputs.ndim == 2)
        shape = (int(np.prod(self.grid)), self.channels)
        first, second = (values.reshape(len(values), *shape) for values in inputs)
        return ArrayData(first, labels[train_indices]), ArrayData(second, test_labels[test_indices])

    @property
    def _contents(self) -> "Contents":
        return _read(self, tuple(_stamp(path) for path in self._files()))

    def _files(self) -> list[Path]:
        path = Path(self.path)
        return [path, path.parent / self.label] if path.suffix.lower() == ".npy" else [path]


@dataclass(frozen=True)
class Contents:
    """Contents of a file.

    Attributes:
        inputs: samples as stored, (samples, ...).
        classes: their classes.
        test_inputs: samples of a separate test set, (test samples, ...), or None.
        test_labels: class numbers of the test set, (test samples,), or None.
    """

    inputs: np.ndarray
    classes: Classes
    test_inputs: np.ndarray | None
    test_labels: np.ndarray | None


def _stamp(path: Path) -> tuple[int, int]:
    """Time of the last change of a file, in ns, and its size in bytes.

    Raises:
        UserError: if there is no such file.
    """
    try:
        if not path.is_file():
            raise UserError(f"{path}: {'is a folder' if path.is_dir() else 'does not exist'} (name a file)")
        status = path.stat()
    except (OSError, ValueError) as error:  # A name with a zero byte is a ValueError, as is UserError itself.
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: cannot be read ({error})") from None
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _read(task: Arrays, stamps: tuple[tuple[int, int], ...]) -> Contents:
    """Read the file of a task; the stamps are part of the cache key, so that a changed file is read again."""
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
    classes = classes_of(raw.labels, raw.locate_label)
    if len(raw.inputs) > 1 and (raw.inputs == raw.inputs[0]).all():
        raise UserError("all samples are the same (nothing can be learned from them)")
    if raw.test_inputs is None or raw.test_labels is None:
        return Contents(raw.inputs, classes, None, None)
    return Contents(raw.inputs, classes, raw.test_inputs, classes.encode(raw.test_labels, raw.locate_test_label))


TASK = Arrays
