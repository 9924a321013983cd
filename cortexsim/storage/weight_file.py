"""The file of a run's weights over time: of the format safetensors, laid out whole before the first row is written.

What a row holds depends on the run alone, so that a resumed run writes its rows again where they are, and ends with the
same file as one that was never interrupted. Each row has a checksum that covers the head of the file as well.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple
from zlib import crc32

import numpy as np
from safetensors import SafetensorError, safe_open

from cortexsim.analysis.weights_over_time import RecordedSynapses, WeightsOverTime
from cortexsim.errors import UserError
from cortexsim.rate import SynapseEnds
from cortexsim.storage.atomic_io import write_atomically

FILE = "weights_over_time.safetensors"
TYPES = {"I64": "<i8", "F32": "<f4", "F64": "<f8"}
FIXATIONS, CHECKSUMS = "fixations", "checksums"
ENDS = SynapseEnds._fields
Weights = Literal["F32", "F64"]


class WeightSampling(NamedTuple):
    """Which weights are recorded, and when.

    Attributes:
        every: fixations between two records.
        synapses: how many of each weight tensor, drawn at random; None for all.
    """

    every: int
    synapses: int | None


@dataclass(frozen=True)
class Array:
    """An array in the file.

    Attributes:
        kind: type of its numbers, as NumPy names it.
        shape: (times,), (synapses,) or (times, synapses).
        start: of its first byte in the file.
    """

    kind: str
    shape: tuple[int, ...]
    start: int

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return prod(self.shape[1:]) * np.dtype(self.kind).itemsize

    @property
    def end(self) -> int:
        """First byte after it."""
        return self.start + self.shape[0] * self.row_bytes

    def mapped(self, path: Path) -> np.ndarray:
        """Map it from the disk, so that only what is read takes memory."""
        return np.memmap(path, self.kind, "r", self.start, self.shape).view(np.ndarray)


class WeightFile:
    """Weights over time on disk, as they are written while a run learns.

    >>> ends = SynapseEnds(pre=np.array([0, 5]), post=np.array([3, 3]), place=np.array([3, 43]))
    >>> file = WeightFile(Path("w.safetensors"), "run 1", np.array([0, 16, 32]), {"layer1.feedforward": (ends, "F32")})
    >>> file.create()
    >>> for row in range(2):  # The run is killed before the third record.
    ...     file.write(row, {"layer1.feedforward": np.array([0.5, row])})
    >>> read_weights_over_time(file.path, "run 1", finished=False)["layer1.feedforward"].weights.tolist()
    [[0.5, 0.0], [0.5, 1.0]]
    >>> file.has(2), file.has(3)  # A resumed run goes on after the rows that are intact.
    (True, False)

    Args:
        path: of the file.
        run: digest that identifies the run.
        fixations: when weights are recorded, (times,).
        synapses: which, by name of the weight tensor, and the type of its numbers.

    Attributes:
        bytes: size of the file.
    """

    def __init__(
        self, path: Path, run: str, fixations: np.ndarray, synapses: Mapping[str, tuple[SynapseEnds, Weights]]
    ) -> None:
        self.path, times = path, len(fixations)
        fixed = {FIXATIONS: fixations}
        for name, (ends, _) in synapses.items():
            fixed |= {f"{name}.{end}": values for end, values in ends._asdict().items()}
        shapes: dict[str, tuple[str, tuple[int, ...]]] = {key: ("I64", values.shape) for key, values in fixed.items()}
        shapes[CHECKSUMS] = "I64", (times,)
        shapes |= {name: (kind, (times, len(ends.place))) for name, (ends, kind) in synapses.items()}
        header, self.arrays = _layout(shapes, run)
        self.head = header + b"".join(values.astype("<i8").tobytes() for values in fixed.values())
        self.names, self.checksum = list(synapses), crc32(self.head)
        self.bytes = max(array.end for array in self.arrays.values())

    def create(self) -> None:
        """Create the file, without any row; its room is not yet taken.

        Raises:
            OSError: it cannot be written.
        """
        write_atomically(self.path, self.head)
        with self._opened() as file:
            file.truncate(self.bytes)

    def has(self, rows: int) -> bool:
        """Whether the file is there, is that of this run, and has this many first rows, intact."""
        try:
            with self.path.open("rb") as file:
                same = file.read(len(self.head)) == self.head
            return same and self.path.stat().st_size == self.bytes and all(_intact(self.path, self.arrays)[:rows])
        except OSError:
            return False

    def write(self, row: int, weights: Mapping[str, np.ndarray]) -> None:
        """Write a row.

        Args:
            row: its number, from 0.
            weights: by name of the weight tensor, (synapses,).

        Raises:
            OSError: it cannot be written.
        """
        checksum = self.checksum
        with self._opened() as file:
            for name in self.names:
                array = self.arrays[name]
                data = weights[name].astype(array.kind).tobytes()
                checksum = crc32(data, checksum)
                file.seek(array.start + row * array.row_bytes)
                file.write(data)
            file.seek(self.arrays[CHECKSUMS].start + row * 8)
            file.write(np.array(checksum, "<i8").tobytes())

    def sync(self) -> None:
        """Sync the file to disk, so that its rows survive a power failure."""
        with self._opened() as file:
            os.fsync(file.fileno())

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("r+b") as file:
                yield file
        except OSError as error:
            error.filename = str(self.path)  # Errors after opening name no file.
            raise


def read_weights_over_time(path: Path, run: str, finished: bool) -> WeightsOverTime:
    """Read the weights over time of a run. They stay on disk, and take memory only where they are looked at.

    Args:
        path: of the file.
        run: digest that identifies the run.
        finished: whether all rows have to be there.

    Raises:
        UserError: the file is missing, damaged or of another run.
    """
    arrays = _arrays(path, run)
    intact = _intact(path, arrays)
    rows = int(intact.sum())
    if not rows or not all(intact[:rows]) or (finished and rows < len(intact)):
        raise UserError(f"{path}: damaged (the weights of a run are recorded anew only by a new run)")
    names = [name for name, array in arrays.items() if len(array.shape) == 2]
    synapses = {
        name: RecordedSynapses(
            **{end: arrays[f"{name}.{end}"].mapped(path) for end in ENDS}, weights=arrays[name].mapped(path)[:rows]
        )
        for name in names
    }
    return WeightsOverTime(arrays[FIXATIONS].mapped(path)[:rows], synapses)


def _layout(shapes: Mapping[str, tuple[str, tuple[int, ...]]], run: str) -> tuple[bytes, dict[str, Array]]:
    """Lay out arrays one after the other, and return the header of the format and where each of them is."""
    table: dict[str, Any] = {"__metadata__": {"run": run}}
    end = 0
    for name, (kind, shape) in shapes.items():
        start, end = end, end + prod(shape) * np.dtype(TYPES[kind]).itemsize
        table[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, _placed(table, 8 + len(text))


def _placed(table: Mapping[str, Any], begin: int) -> dict[str, Array]:
    return {
        name: Array(TYPES[entry["dtype"]], tuple(entry["shape"]), begin + entry["data_offsets"][0])
        for name, entry in table.items()
        if name != "__metadata__"
    }


def _arrays(path: Path, run: str) -> dict[str, Array]:
    """Find the arrays of a file.

    Raises:
        UserError: it is missing, not a whole file of the format, or of another run.
    """
    try:
        with safe_open(path, "numpy") as file:
            found = file.metadata()
        with path.open("rb") as raw:
            length = int.from_bytes(raw.read(8), "little")
            arrays = _placed(json.loads(raw.read(length)), 8 + length)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error} (it holds the weights of a run over time)") from None
    except (SafetensorError, ValueError, KeyError):
        raise UserError(f"{path}: damaged (the weights of a run are recorded anew only by a new run)") from None
    if (found or {}).get("run") != run or not {FIXATIONS, CHECKSUMS} <= arrays.keys():
        raise UserError(f"{path}: of another run (put the run's own file there)")
    return arrays


def _intact(path: Path, arrays: Mapping[str, Array]) -> np.ndarray:
    """Compare the checksum of every row, (times,)."""
    with path.open("rb") as file:
        head = crc32(file.read(arrays[CHECKSUMS].start))
    weights = [array.mapped(path) for array in arrays.values() if len(array.shape) == 2]
    expected = arrays[CHECKSUMS].mapped(path)
    found = np.empty(len(expected), np.int64)
    for row in range(len(found)):
        checksum = head
        for values in weights:
            checksum = crc32(values[row].tobytes(), checksum)
        found[row] = checksum
    return found == expected
