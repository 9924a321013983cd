"""Samples from files of numpy: an `.npz` of named arrays, or an `.npy` with another for its labels."""

import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.tasks.classes import Place

INPUTS = ("X", "inputs", "x", "X_train", "x_train")
LABELS = ("y", "labels", "y_train")
TEST_INPUTS = ("X_test", "x_test")
TEST_LABELS = ("y_test",)
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Raw:
    """Hold samples and labels as a file stores them.

    Attributes:
        inputs: (samples, ...), finite numbers.
        labels: (samples,), numbers or texts.
        place_of_label: says where the label of a sample stands, and for -1 where all of them do.
        test_inputs: samples for testing alone, if any.
        test_labels: their labels.
        place_of_test_label: says where these stand.
    """

    inputs: np.ndarray
    labels: np.ndarray
    place_of_label: Place
    test_inputs: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    place_of_test_label: Place = str


def read_npz(path: Path, inputs: str, label: str, test_inputs: str, test_label: str) -> Raw:
    """Read samples, labels, and those for testing where there are any; empty names stand for the usual ones.

    Raises:
        UserError: where the file cannot be read, or an array is missing or not what it should be.
    """
    with (
        _opened(path, "npz") as stream,
        _loaded(lambda: np.load(stream, allow_pickle=False), "is no .npz file") as file,
    ):
        first, second = _key(file.files, "inputs", inputs, INPUTS), _key(file.files, "label", label, LABELS)
        raw = Raw(_samples(_member(file, first), first), _labels(_member(file, second), second), _place(second))
        _same_length(raw.inputs, raw.labels, first, second)
        third = _optional(file.files, "test_inputs", test_inputs, TEST_INPUTS)
        fourth = _optional(file.files, "test_label", test_label, TEST_LABELS)
        if third is None and fourth is None:
            return raw
        if third is None or fourth is None:
            there, lacks = (third, "test_label") if fourth is None else (fourth, "test_inputs")
            raise UserError(f"array '{there}' has no counterpart ({lacks} = 'the array that belongs to it')")
        test = Raw(_samples(_member(file, third), third), _labels(_member(file, fourth), fourth), _place(fourth))
        _same_length(test.inputs, test.labels, third, fourth)
    if test.inputs.shape[1:] != raw.inputs.shape[1:]:
        raise UserError(
            f"array '{third}': samples of shape {test.inputs.shape[1:]}, but those of '{first}' are"
            f" {raw.inputs.shape[1:]}"
        )
    return Raw(raw.inputs, raw.labels, raw.place_of_label, test.inputs, test.labels, test.place_of_label)


def read_npy(path: Path, label: Path) -> Raw:
    """Read samples from one file and labels from another.

    Raises:
        UserError: where one cannot be read, or is not what it should be.
    """
    inputs = _samples(_array(path), "")
    with error_prefix(f"label = '{label}'"):
        labels = _labels(_array(label), "")
    _same_length(inputs, labels, path.name, label.name)
    return Raw(inputs, labels, _place(label.name))


def _opened(path: Path, kind: str) -> BinaryIO:
    """Open a file, and see by its first bytes, and at its end, that it is of its kind."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})") from None
    if kind == "npz":
        right, made = zipfile.is_zipfile(stream), "npz file, or not all of one (save it with numpy.savez)"
    else:
        right, made = stream.read(6) == b"\x93NUMPY", "npy file (save it with numpy.save)"
    if not right:
        stream.close()
        raise UserError(f"is no .{made}")
    stream.seek(0)
    return stream


def _loaded(load: Callable[[], Any], told: str) -> Any:
    """Load what numpy can, and tell in one line where it cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Headers of long ago are slower to read, and no worse.
            return load()
    except Exception as error:  # Torn files raise nearly anything in zipfile, zlib, tokenize and numpy.
        why = (
            "it holds Python objects; store numbers" if "allow_pickle" in str(error) else str(error).split("\n")[0][:80]
        )
        raise UserError(f"{told} ({why or type(error).__name__})") from None


def _array(path: Path) -> np.ndarray:
    with _opened(path, "npy") as stream:
        return _loaded(lambda: np.load(stream, allow_pickle=False), "cannot be read")


def _member(file: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    found = _loaded(lambda: file[key], f"array '{key}' cannot be read")
    if not isinstance(found, np.ndarray):
        raise UserError(f"'{key}' is no array (save the file with numpy.savez)")
    return found


def _key(known: Sequence[str], field: str, asked: str, usual: Sequence[str]) -> str:
    found = _optional(known, field, asked, usual)
    if found is None:
        held = f"it holds {', '.join(map(repr, known[:10]))}" if known else "it holds none"
        raise UserError(f"has no array named {' or '.join(usual)} ({held}; {field} = 'its name')")
    return found


def _optional(known: Sequence[str], field: str, asked: str, usual: Sequence[str]) -> str | None:
    if asked and asked not in known:
        raise UserError(f"{field} = '{asked}' is no array of the file ({nearest(asked, known)})")
    return asked or next((key for key in usual if key in known), None)


def _place(key: str) -> Place:
    return lambda sample: f"'{key}'" + (f", sample {sample}" if sample >= 0 else "")


def _samples(values: np.ndarray, key: str) -> np.ndarray:
    """Hold inputs to numbers in two to four axes."""
    where = f"array '{key}': " if key else ""
    if values.dtype.kind not in "buif":
        raise UserError(f"{where}values of type {values.dtype} (whole or real numbers)")
    if not 2 <= values.ndim <= 4:
        raise UserError(
            f"{where}shape {values.shape} has {values.ndim} axes (samples x columns, samples x rows x columns, or"
            " samples x rows x columns x channels)"
        )
    if values.size == 0:
        raise UserError(f"{where}shape {values.shape} holds no values")
    values = values.astype(np.uint8) if values.dtype.kind == "b" else values
    if values.dtype.kind == "f" and not (ok := np.abs(values) <= LARGEST).all():
        bad = tuple(int(k) for k in np.argwhere(~ok)[0])
        raise UserError(f"{where}value {values[bad]} at {list(bad)} is no finite number")
    return values


def _labels(values: np.ndarray, key: str) -> np.ndarray:
    where = f"array '{key}': " if key else ""
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim != 1:
        raise UserError(f"{where}labels of shape {values.shape} (one a sample: (samples,))")
    if values.dtype.kind not in "buifUS":
        raise UserError(f"{where}labels of type {values.dtype} (whole numbers or texts)")
    return values.astype(np.int64) if values.dtype.kind == "b" else values


def _same_length(inputs: np.ndarray, labels: np.ndarray, first: str, second: str) -> None:
    if len(inputs) != len(labels):
        raise UserError(f"'{second}' has {len(labels)} labels, but '{first}' has {len(inputs)} samples")
