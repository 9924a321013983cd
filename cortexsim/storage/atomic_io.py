"""Files that are whole, or as they were: written under another name, synced, and moved to their place."""

import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

UNFINISHED = ".new"  # Ending of a file that is being written.


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that whoever is interrupted, or finds the disk full, leaves what was there before.

    Raises:
        OSError: where it cannot be written.
    """
    temporary = path.with_name(path.name + UNFINISHED)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)  # What fails after opening has no name.
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_json(path: Path, values: Any) -> None:
    """Write values as a JSON file, whole or not at all."""
    write_atomically(path, (json.dumps(values, indent=1) + "\n").encode())


def append_line(path: Path, line: str) -> None:
    """Write a line at the end of a file at once.

    Raises:
        OSError: where it cannot be written; half a line may be there.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        error.filename = str(path)
        raise


def write_figure(figure: Any, path: Path, dpi: int) -> list[str]:
    """Write a figure of matplotlib as .png and as .svg, each whole or not at all; answer with the names of the files.

    Args:
        figure: of matplotlib.
        path: of the files, without ending.
        dpi: of the .png.
    """
    names = []
    for kind in ("png", "svg"):
        drawn = io.BytesIO()
        figure.savefig(drawn, format=kind, dpi=dpi)
        names.append(f"{path.name}.{kind}")
        write_atomically(path.with_name(names[-1]), drawn.getvalue())
    return names


def write_figures(figures: Mapping[str, Callable[[], Any]], folder: Path, dpi: int = 120) -> None:
    """Draw figures into a folder, each by its name."""
    for name, draw in figures.items():
        write_figure(draw(), folder / name, dpi)


def sync_folder(path: Path) -> None:
    """Let the names in a folder last through a loss of power, where the system can."""
    if os.name != "posix":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
