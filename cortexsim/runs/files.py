"""Files that are whole, or as they were: written under another name, synced, and moved to their place."""

import json
import os
from pathlib import Path
from typing import Any

UNFINISHED = ".new"  # Ending of a file that is being written.


def write_whole(path: Path, data: bytes) -> None:
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
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_json(path: Path, values: Any) -> None:
    """Write values as a JSON file, whole or not at all."""
    write_whole(path, (json.dumps(values, indent=1) + "\n").encode())


def sync_folder(path: Path) -> None:
    """Let the names in a folder last through a loss of power, where the system can."""
    if os.name != "posix":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
