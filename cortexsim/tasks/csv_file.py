"""Samples from a CSV file: a header, columns of numbers, and one column of labels."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cortexsim.errors import UserError, nearest
from cortexsim.tasks.numpy_files import LARGEST, Raw


def read_csv(path: Path, label: str) -> Raw:
    """Read samples and labels.

    >>> _ = Path("cells.csv").write_text("rate,width,type\\n12.5,0.3,fast\\n3.0,0.9,regular\\n")
    >>> raw = read_csv(Path("cells.csv"), label="type")
    >>> raw.inputs.tolist(), raw.labels.tolist()
    ([[12.5, 0.3], [3.0, 0.9]], ['fast', 'regular'])

    Args:
        path: the file, UTF-8 encoded and comma-separated.
        label: name of the label column; empty for the last column.

    Returns:
        Inputs (samples, columns) and labels (samples,), as strings.

    Raises:
        UserError: if the file cannot be read, or is not a table of finite numbers with a header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = ((reader.line_num, row) for row in reader if row)
            return _read(rows, label)
    except UnicodeDecodeError as error:
        raise UserError(f"is not UTF-8 encoded (it contains the byte 0x{error.object[error.start]:02x})") from None
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})") from None
    except csv.Error as error:
        raise UserError(f"line {reader.line_num}: {error} (commas between cells, quotes in pairs)") from None


def _read(rows: Iterator[tuple[int, list[str]]], label: str) -> Raw:
    _, header = next(rows, (0, []))
    header = [_one_line(name) for name in header]
    column = _label_column(header, label)
    features = [name for k, name in enumerate(header) if k != column]
    inputs, labels, lines = [], [], []
    for line, row in rows:
        if len(row) != len(header):
            raise UserError(f"line {line}: {len(row)} cells, but the header has {len(header)}")
        labels.append(row.pop(column))
        inputs.append(_numbers(row, features, line))
        lines.append(line)
    if not inputs:
        raise UserError("contains no samples (one per line, below the header)")

    def locate(sample: int) -> str:
        return f"column '{header[column]}'" + (f", line {lines[sample]}" if sample >= 0 else "")

    return Raw(np.stack(inputs), np.array(labels), locate)


def _label_column(header: list[str], label: str) -> int:
    """Index of the label column, after checking the header."""
    if not header:
        raise UserError("is empty (a header with the names of the columns, then one sample a line)")
    if len(header) < 2:
        raise UserError(f"line 1: only one column, '{header[0]}' (comma-separated columns: numbers and a label)")
    if all(_is_number(name) for name in header):
        raise UserError("line 1: contains numbers (a header with the names of the columns comes first)")
    for k, name in enumerate(header):
        if not name:
            raise UserError(f"line 1: column {k + 1} has no name")
        if name in header[:k]:
            raise UserError(f"line 1: two columns are named '{name}' (names must be distinct)")
    if label and label not in header:
        raise UserError(f"label = '{label}' is not a column ({nearest(label, header)})")
    return header.index(label) if label else len(header) - 1


def _numbers(cells: list[str], features: list[str], line: int) -> np.ndarray:
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        bad = next(k for k, cell in enumerate(cells) if not _is_number(cell))
        text = _one_line(cells[bad])[:40]
        raise UserError(f"column '{features[bad]}', line {line}: '{text}' is not a number") from None
    if not (ok := np.abs(values) <= LARGEST).all():
        bad = int(np.argmin(ok))
        raise UserError(f"column '{features[bad]}', line {line}: {_one_line(cells[bad])[:40]} is not a finite number")
    return values


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
