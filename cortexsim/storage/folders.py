"""Output folders of commands: created, checked for foreign files, and locked against other processes."""

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
POINTS, FAILED = "points", "error.json"  # In a sweep: the folder of its runs; in a run: why it failed.
CONTENTS = {RECORD: "a run", COMMAND: "the results of another command", PLAN: "a sweep"}
RETRY_INTERVAL = 0.1  # Seconds between two attempts to lock a folder.


def new_folder(name: str) -> Path:
    """Create a folder in ``runs/`` named after a command and the time, with a number appended if it exists already.

    Raises:
        UserError: the folder cannot be created.
    """
    stem = time.strftime(f"{name}-%Y%m%d-%H%M%S")
    for number in count(1):
        path = RUNS / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            if not RUNS.is_dir():
                raise UserError(f"{RUNS}: a file, not a folder for results (--out FOLDER)") from None
        except OSError as error:
            raise UserError(f"{path}: {error.strerror} (--out FOLDER)") from None
    raise AssertionError


def check_output_folder(path: Path, record: str) -> None:
    """Check, before anything is written, that a folder is new, empty, or was written to by the same command.

    >>> Path("mine").mkdir()
    >>> check_output_folder(Path("mine"), "run.json")  # Empty: it can be written to.
    >>> _ = Path("mine/notes.txt").write_text("")
    >>> check_output_folder(Path("mine"), "run.json")
    Traceback (most recent call last):
    cortexsim.errors.UserError: --out mine: contains other files, such as notes.txt (give another folder, or none)

    Args:
        path: the folder.
        record: name of the file in which that command records its options, such as ``run.json``.

    Raises:
        UserError: the folder contains other files, or cannot be read.
    """
    try:
        names = {entry.name for entry in path.iterdir()} if path.exists() else set()
    except OSError as error:
        raise UserError(f"--out {path}: {error.strerror} (name a folder)") from None
    if record in names:
        return
    if other := next((name for name in CONTENTS if name in names), None):
        raise UserError(f"--out {path}: holds {CONTENTS[other]} ({other}; give another folder, or none)")
    foreign = sorted(name for name in names if not name.endswith(UNFINISHED))
    if foreign and LOCK not in names:
        raise UserError(f"--out {path}: contains other files, such as {foreign[0]} (give another folder, or none)")


@contextmanager
def locked(path: Path, how: str, patience: float = 0.0) -> Iterator[None]:
    """Lock a folder against other processes during the block; it is created if needed.

    Args:
        path: the folder, to which nothing may be written before it is locked.
        how: the command that resumes the work, for error messages.
        patience: how long to wait for another process to release the folder, in seconds.

    Raises:
        UserError: another process uses the folder, or it cannot be created; or, in the block, a file cannot be
            written.
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
    except BrokenPipeError:  # The reader of the standard output has closed it.
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename or f"standard output, or the temporary folder {tempfile.gettempdir()}"
        raise UserError(f"{where}: {reason} (finished work is kept: fix this and resume with {how})") from None


def _lock(file: IO[str], path: Path, how: str, patience: float) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: users have to take care themselves.
        return
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= end:
                raise UserError(
                    f"{path}: in use by another process{_holder(file)} (wait or stop it, then resume with {how})"
                ) from None
            time.sleep(RETRY_INTERVAL)
        except OSError:  # Some network file systems have no locks.
            break
    _name_holder(file, f"{os.getpid()} {socket.gethostname()}\n")


def _name_holder(file: IO[str], text: str) -> None:
    """Write the process that has the lock into the lock file, if the disk has room for it."""
    with suppress(OSError):
        file.truncate(0)
        file.write(text)
        file.flush()


def _holder(file: IO[str]) -> str:
    with suppress(OSError, ValueError):
        file.seek(0)
        number, host = file.read().split()
        return f", PID {int(number)} on {host}"
    return ""
