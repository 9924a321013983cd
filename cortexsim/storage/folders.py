"""The folder that a command writes to: found or made, seen to be its own, and held so that nobody else works in it."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO

from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import UNFINISHED

LOCK, RUNS = ".lock", Path("runs")
RECORD, COMMAND, PLAN = "run.json", "command.json", "sweep.json"
POINTS, FAILED = "points", "error.json"  # Of a sweep: a folder of runs; and of a run, why it failed.
HOLDS = {RECORD: "a run", COMMAND: "what another command has written", PLAN: "a sweep"}
PAUSE = 0.1  # Seconds between two tries.


def new_folder(name: str) -> Path:
    """Make a new folder in ``runs/``, of this name and the time; of several in the same second each has its own.

    Raises:
        UserError: where it cannot be made.
    """
    stem = time.strftime(f"{name}-%Y%m%d-%H%M%S")
    for number in count(1):
        path = RUNS / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            if not RUNS.is_dir():
                raise UserError(f"{RUNS}: a file, and no folder for results (--out FOLDER)") from None
        except OSError as error:
            raise UserError(f"{path}: {error.strerror} (--out FOLDER)") from None
    raise AssertionError


def check_output_folder(path: Path, record: str) -> None:
    """See, before anything is written, that a folder is new, empty, or one that the same command has begun.

    Args:
        path: of the folder.
        record: name of the file in which that command says what it was asked for.

    Raises:
        UserError: where something else is there.
    """
    try:
        names = {entry.name for entry in path.iterdir()} if path.exists() else set()
    except OSError as error:
        raise UserError(f"--out {path}: {error.strerror} (name a folder)") from None
    if record in names:
        return
    if other := next((name for name in HOLDS if name in names), None):
        raise UserError(f"--out {path}: holds {HOLDS[other]} ({other}; give another folder, or none)")
    foreign = sorted(name for name in names if not name.endswith(UNFINISHED))
    if foreign and LOCK not in names:
        raise UserError(f"--out {path}: a folder of other things, such as {foreign[0]} (give another folder, or none)")


@contextmanager
def locked(path: Path, how: str, patience: float = 0.0) -> Iterator[None]:
    """Work in a folder, alone; it is made where it does not exist. Nothing is to be written in it before.

    Args:
        path: of the folder.
        how: command that goes on, to be said where the disk fails, or somebody else is at work.
        patience: seconds to wait for who has it: somebody who is ending, perhaps.

    Raises:
        UserError: where another process works in it, or it cannot be written to, or no longer.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out {path}: {error.strerror} (name a folder)") from None
    try:
        with (path / LOCK).open("a+", encoding="utf-8") as file:
            _lock(file, path, how, patience)
            try:
                yield
            finally:
                _name_holder(file, "")
    except BrokenPipeError:  # Whoever read the output has seen enough.
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename or f"standard output, or the temporary folder {tempfile.gettempdir()}"
        raise UserError(f"{where}: {reason} (what was done before is kept: mend this, and go on with {how})") from None


def _lock(file: IO[str], path: Path, how: str, patience: float) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: it is left to the user not to work in one folder twice at once.
        return
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= end:
                raise UserError(
                    f"{path}: another process is at work here{_holder(file)} (wait, or end it, and go on with {how})"
                ) from None
            time.sleep(PAUSE)
        except OSError:  # Some network file systems have no locks.
            break
    _name_holder(file, f"{os.getpid()} {socket.gethostname()}\n")


def _name_holder(file: IO[str], text: str) -> None:
    """Write down who works here; a courtesy, which a full disk may refuse."""
    with suppress(OSError):
        file.truncate(0)
        file.write(text)
        file.flush()


def _holder(file: IO[str]) -> str:
    with suppress(OSError, ValueError):
        file.seek(0)
        number, host = file.read().split()
        return f", number {int(number)} on {host}"
    return ""
