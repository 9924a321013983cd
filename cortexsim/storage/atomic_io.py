"""Atomic writes: a file is written under a temporary name, synced to disk, and renamed."""

import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

UNFINISHED = ".new"  # Suffix of a file that is being written.


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file atomically: an interrupted write leaves the previous version in place.

    Raises:
        OSError: the file cannot be written, for example because the disk is full.
    """
    temporary = path.with_name(path.name + UNFINISHED)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)  # Errors after opening name no file.
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_json(path: Path, values: Any) -> None:
    """Write values as a JSON file, atomically.

    >>> write_json(Path("result.json"), {"accuracy": 0.9})
    >>> json.loads(Path("result.json").read_text())
    {'accuracy': 0.9}

    Raises:
        OSError: the file cannot be written.
    """
    write_atomically(path, (json.dumps(values, indent=1) + "\n").encode())


def append_line(path: Path, line: str) -> None:
    """Append a line to a file, which is created if needed.

    Raises:
        OSError: the line cannot be written, or only in part.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        error.filename = str(path)
        raise


def write_figure(figure: Any, path: Path, dpi: int) -> list[str]:
    """Write a figure as .png and as .svg, atomically, and return the names of the two files.

    Args:
        figure: a matplotlib figure.
        path: path of the files, without suffix.
        dpi: resolution of the .png, in dots per inch.

    Raises:
        OSError: a file cannot be written.
    """
    names = []
    for kind in ("png", "svg"):
        image = io.BytesIO()
        figure.savefig(image, format=kind, dpi=dpi)
        names.append(f"{path.name}.{kind}")
        write_atomically(path.with_name(names[-1]), image.getvalue())
    return names


def write_figures(figures: Mapping[str, Callable[[], Any]], folder: Path, dpi: int = 120) -> None:
    """Draw figures and write each into a folder under its name.

    Args:
        figures: functions that draw a matplotlib figure, by file name without suffix.
        folder: where to write.
        dpi: resolution of the .png files, in dots per inch.
    """
    for name, draw in figures.items():
        write_figure(draw(), folder / name, dpi)


def sync_folder(path: Path) -> None:
    """Sync a folder to disk, so that renamed files survive a power failure; does nothing on Windows."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
