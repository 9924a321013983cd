"""Results as files of tables and arrays: CSV, Parquet and NPZ."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cortexsim.analysis.weights_over_time import WeightsOverTime
from cortexsim.api.recording import Recording
from cortexsim.api.results import Run
from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import write_atomically

WEIGHT = ("fixation", "synapses", "pre", "post", "weight")
ACTIVITY = ("fixation", "label", "layer", "position", "cell", "activity")


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten a row: a list of numbers takes a column for each, a table of settings a column for each key.

    >>> flat({"accuracy": 0.5, "selectivity": [0.1, 0.2], "point": {"seed": 1}})
    {'accuracy': 0.5, 'selectivity_1': 0.1, 'selectivity_2': 0.2, 'point.seed': 1}
    """
    found: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{name}": entry for name, entry in flat(value).items()}
        elif isinstance(value, list | tuple):
            numbered = {str(number): entry for number, entry in enumerate(value, 1)}
            found |= {f"{key}_{name}": entry for name, entry in flat(numbered).items()}
        else:
            found[key] = value
    return found


def activity_rows(recording: Recording) -> Iterator[dict[str, Any]]:
    """Yield the activity of every cell in every fixation, with the columns of `ACTIVITY`; layers count from 1."""
    for layer, values in enumerate(recording.activity, 1):
        for (fixation, position, cell), value in np.ndenumerate(values):
            label = int(recording.labels[fixation])
            yield dict(zip(ACTIVITY, (fixation, label, layer, position, cell, float(value)), strict=True))


def weight_rows(over_time: WeightsOverTime) -> Iterator[dict[str, Any]]:
    """Yield every recorded weight at every time, with the columns of `WEIGHT`; ``synapses`` names the weight tensor."""
    for name, synapses in over_time.items():
        cells = list(zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True))
        for fixation, weights in zip(over_time.fixations.tolist(), synapses.weights, strict=True):
            for (pre, post), weight in zip(cells, weights.tolist(), strict=True):
                yield dict(zip(WEIGHT, (fixation, name, pre, post, weight), strict=True))


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, with a column for every key of any row; numbers are written exactly.

    Raises:
        OSError: the file cannot be written.
    """
    lines = [flat(row) for row in rows]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(key for line in lines for key in line)))
    writer.writeheader()
    writer.writerows(lines)
    write_atomically(path, text.getvalue().encode())


def write_parquet(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as Parquet, with the columns of `write_csv`.

    Raises:
        UserError: pandas or pyarrow is not installed.
        OSError: the file cannot be written.
    """
    try:
        import pandas as pd
        import pyarrow  # noqa: F401 - pandas names no package that is missing.
    except ImportError:
        raise UserError("--parquet needs pandas and pyarrow (pip install 'cortexsim[results]')") from None
    data, frame = io.BytesIO(), pd.DataFrame([flat(row) for row in rows])
    for name, column in frame.items():
        if column.dropna().map(type).nunique() > 1:  # A column of Parquet has one type: "none" and 1.0 are both text.
            frame[name] = column.map(str, na_action="ignore")
    frame.to_parquet(data, index=False)
    write_atomically(path, data.getvalue())


def write_npz(path: Path, recording: Recording, run: Run) -> None:
    """Write a recording and the weights of its run as arrays.

    The names of the arrays are ``inputs``, ``labels``, ``activity/layer1``, ``modulator/NAME``, ``spikes/POPULATION``
    (times in seconds, and cell indices) and ``weights/NAME``; and of weights that were recorded over time,
    ``weights_over_time/fixations``, (times,), ``weights_over_time/NAME``, (times, synapses), and
    ``weights_over_time/NAME/pre`` and ``/post``, the cells of each synapse.

    Raises:
        OSError: the file cannot be written.
    """
    arrays = {"inputs": recording.inputs, "labels": recording.labels}
    arrays |= {f"activity/layer{k}": values for k, values in enumerate(recording.activity, 1)}
    arrays |= {f"modulator/{name}": values for name, values in recording.modulators.items()}
    arrays |= {f"spikes/{name}": values for name, values in recording.spikes.items()}
    arrays |= {f"weights/{name}": values for name, values in run.weights.items()}
    if (over_time := run.weights_over_time) is not None:
        arrays["weights_over_time/fixations"] = over_time.fixations
        for name, synapses in over_time.items():
            key = f"weights_over_time/{name}"
            arrays |= {key: synapses.weights, f"{key}/pre": synapses.pre, f"{key}/post": synapses.post}
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    write_atomically(path, file.getvalue())
