"""Samples from NumPy files: one `.npz` file of named arrays, or an `.npy` file and another one for its labels."""

import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.tasks.classes import Locate

INPUTS = ("X", "inputs", "x", "X_train", "x_train")
LABELS = ("y", "labels", "y_train")
TEST_INPUTS = ("X_test", "x_test")
TEST_LABELS = ("y_test",)
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Raw:
    """Samples and labels as stored in a file.

    Attributes:
        inputs: (samples, ...), finite numbers.
        labels: (samples,), numbers or strings.
        locate_label: describes the place of a sample's label in the file.
        test_inputs: inputs of a separate test set, (test samples, ...), or None.
        test_labels: labels of the separate test set, (test samples,), or None.
        locate_test_label: describes the place of a test sample's label.
    """

    inputs: np.ndarray
    labels: np.ndarray
    locate_label: Locate
    test_inputs: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    locate_test_label: Locate = str


def read_npz(path: Path, inputs: str, label: str, test_inputs: str, test_label: str) -> Raw:
    """Read samples and labels, and a separate test set if there is one.

    >>> np.savez("spikes.npz", x=np.zeros((20, 8)), y=np.arange(20) % 2)
    >>> raw = read_npz(Path("spikes.npz"), "", "", "", "")
    >>> raw.inputs.shape, raw.labels.shape, raw.test_inputs
    ((20, 8), (20,), None)

    Args:
        path: the file.
        inputs: name of the array of samples; empty for the first of `INPUTS` in the file.
        label: name of the array of labels; empty for the first of `LABELS`.
        test_inputs: name of the array of test samples; empty for the first of `TEST_INPUTS`, if any.
        test_label: name of the array of test labels; empty for the first of `TEST_LABELS`, if any.

    Raises:
        UserError: if the file cannot be read, or an array is missing or has a wrong type or shape.
    """
    with (
        _opened(path, "npz") as stream,
        _loaded(lambda: np.load(stream, allow_pickle=False), "is not an .npz file") as file,
    ):
        first, second = _key(file.files, "inputs", inputs, INPUTS), _key(file.files, "label", label, LABELS)
        raw = Raw(_samples(_member(file, first), first), _labels(_member(file, second), second), _locate(second))
        _same_length(raw.inputs, raw.labels, first, second)
        third = _optional(file.files, "test_inputs", test_inputs, TEST_INPUTS)
        fourth = _optional(file.files, "test_label", test_label, TEST_LABELS)
        if third is None and fourth is None:
            return raw
        if third is None or fourth is None:
            present, missing = (third, "test_label") if fourth is None else (fourth, "test_inputs")
            raise UserError(f"array '{present}' has no counterpart ({missing} = 'name of the array')")
        test = Raw(_samples(_member(file, third), third), _labels(_member(file, fourth), fourth), _locate(fourth))
        _same_length(test.inputs, test.labels, third, fourth)
    if test.inputs.shape[1:] != raw.inputs.shape[1:]:
        raise UserError(
            f"array '{third}': samples of shape {test.inputs.shape[1:]}, but those of '{first}' are"
            f" {raw.inputs.shape[1:]}"
        )
    return Raw(raw.inputs, raw.labels, raw.locate_label, test.inputs, test.labels, test.locate_label)


def read_npy(path: Path, label: Path) -> Raw:
    """Read samples from one file and labels from another.

    Args:
        path: file of the samples.
        label: file of the labels.

    Raises:
        UserError: if a file cannot be read, or its array has a wrong type or shape.
    """
    inputs = _samples(_array(path), "")
    with error_prefix(f"label = '{label}'"):
        labels = _labels(_array(label), "")
    _same_length(inputs, labels, path.name, label.name)
    return Raw(inputs, labels, _locate(label.name))


def _opened(path: Path, kind: str) -> BinaryIO:
    """Open a file, and check that it has the format of its kind."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})") from None
    if kind == "npz":
        valid, what = zipfile.is_zipfile(stream), "npz file, or only part of one (save it with numpy.savez)"
    else:
        valid, what = stream.read(6) == b"\x93NUMPY", "npy file (save it with numpy.save)"
    if not valid:
        stream.close()
        raise UserError(f"is not an .{what}")
    stream.seek(0)
    return stream


def _loaded(load: Callable[[], Any], complaint: str) -> Any:
    """Load an array, with a message of one line if NumPy cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About old headers, which are slower to read but valid.
            return load()
    except Exception as error:  # Damaged files raise nearly anything in zipfile, zlib, tokenize and numpy.
        objects = "allow_pickle" in str(error)
        why = "it contains Python objects; store numbers" if objects else str(error).split("\n")[0][:80]
        raise UserError(f"{complaint} ({why or type(error).__name__})") from None


def _array(path: Path) -> np.ndarray:
    with _opened(path, "npy") as stream:
        return _loaded(lambda: np.load(stream, allow_pickle=False), "cannot be read")


def _member(file: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    array = _loaded(lambda: file[key], f"array '{key}' cannot be read")
    if not isinstance(array, np.ndarray):
        raise UserError(f"'{key}' is not an array (save the file with numpy.savez)")
    return array


def _key(known: Sequence[str], field: str, asked: str, usual: Sequence[str]) -> str:
    key = _optional(known, field, asked, usual)
    if key is None:
        contents = f"it contains {', '.join(map(repr, known[:10]))}" if known else "it contains none"
        raise UserError(f"has no array named {' or '.join(usual)} ({contents}; {field} = 'its name')")
    return key


def _optional(known: Sequence[str], field: str, asked: str, usual: Sequence[str]) -> str | None:
    if asked and asked not in known:
        raise UserError(f"{field} = '{asked}' is not an array of the file ({nearest(asked, known)})")
    return asked or next((key for key in usual if key in known), None)


def _locate(key: str) -> Locate:
    return lambda sample: f"'{key}'" + (f", sample {sample}" if sample >= 0 else "")


def _samples(values: np.ndarray, key: str) -> np.ndarray:
    """Check that inputs are finite numbers in an array of two to four axes."""
    where = f"array '{key}': " if key else ""
    if values.dtype.kind not in "buif":
        raise UserError(f"{where}values of type {values.dtype} (integers or real numbers)")
    if not 2 <= values.ndim <= 4:
        raise UserError(
            f"{where}shape {values.shape} has {values.ndim} axes (samples x columns, samples x rows x columns, or"
            " samples x rows x columns x channels)"
        )
    if values.size == 0:
        raise UserError(f"{where}shape {values.shape} is empty (at least one sample and one value)")
    values = values.astype(np.uint8) if values.dtype.kind == "b" else values
    if values.dtype.kind == "f" and not (ok := np.abs(values) <= LARGEST).all():
        bad = tuple(int(k) for k in np.argwhere(~ok)[0])
        raise UserError(f"{where}value {values[bad]} at {list(bad)} is not a finite number")
    return values


def _labels(values: np.ndarray, key: str) -> np.ndarray:
    where = f"array '{key}': " if key else ""
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim != 1:
        raise UserError(f"{where}labels of shape {values.shape} (one per sample: (samples,))")
    if values.dtype.kind not in "buifUS":
        raise UserError(f"{where}labels of type {values.dtype} (integers or strings)")
    return values.astype(np.int64) if values.dtype.kind == "b" else values


def _same_length(inputs: np.ndarray, labels: np.ndarray, first: str, second: str) -> None:
    if len(inputs) != len(labels):
        raise UserError(f"'{second}' has {len(labels)} labels, but '{first}' has {len(inputs)} samples")
