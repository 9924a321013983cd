"""Measurements that take hours: chunk after chunk, from the last one on where they were interrupted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import write_atomically

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Chunked:
    """A measurement in chunks. What one chunk hands to the next is arrays, and nothing else.

    >>> powers = Chunked(3, lambda: {"x": np.ones(1)}, lambda number, state: {"x": 2 * state["x"]},
    ...     lambda state: [{"power": float(state["x"][0])}])
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     carry_out(powers, Path(folder) / "state", lambda line: None)
    [{'power': 8.0}]

    Attributes:
        chunks: how many there are.
        begin: makes the arrays before the first.
        advance: takes the number of a chunk, from 0, and the arrays before it, and returns those after it.
        rows: makes the rows of the whole measurement from the last arrays.
    """

    chunks: int
    begin: Callable[[], Arrays]
    advance: Callable[[int, Arrays], Arrays]
    rows: Callable[[Arrays], Sequence[dict[str, Any]]]


def carry_out(measurement: Chunked, path: Path, say: Callable[[str], None]) -> Sequence[dict[str, Any]]:
    """Carry out a measurement from where it stands.

    Args:
        measurement: what is measured.
        path: file with the arrays after the last chunk, which is removed at the end.
        say: called after each chunk with a line on progress.

    Returns:
        Its rows.

    Raises:
        UserError: where the file is damaged.
    """
    done, state = _read(path) if path.exists() else (0, measurement.begin())
    start, first = time.monotonic(), done
    for number in range(done, measurement.chunks):
        state = measurement.advance(number, state)
        kept = {key: np.ascontiguousarray(array) for key, array in state.items()}
        write_atomically(path, save(kept, {"chunks": str(number + 1)}))
        each = (time.monotonic() - start) / (number + 1 - first)
        left = each * (measurement.chunks - number - 1)
        say(f"chunk {number + 1}/{measurement.chunks}, {left:.0f} s left")
    rows = measurement.rows(state)
    path.unlink(missing_ok=True)
    return rows


def _read(path: Path) -> tuple[int, Arrays]:
    try:
        with safe_open(path, "np") as file:
            return int(file.metadata()["chunks"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        raise UserError(f"{path}: damaged (remove it, and this part of the experiment begins again)") from None
