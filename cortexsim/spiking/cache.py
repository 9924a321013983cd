"""The cache of compiled programs: an entry is whole and the user's own, or it is compiled anew.

An entry is a folder named by the digest of all that the program depends on. Its manifest, written last, holds size and
digest of every other file and of itself, so that a file that was lost, cut or changed since cannot change a result.
"""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from cortexsim.errors import UserError

MANIFEST, UNFINISHED, LOCK = "manifest.json", ".compiling", ".lock"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
FOLDER = "a folder of your own: CORTEXSIM_CACHE=..."

Signature = list[tuple[str, int, int, int, int]]


class Damaged(Exception):
    """An entry that is not what was compiled, or that somebody else could have written."""


def cache_folder() -> Path:
    """Find where compiled programs are kept: ``$CORTEXSIM_CACHE``, or the user's cache folder.

    It is made for the user alone, since whoever can write there decides what runs.

    Raises:
        UserError: where it cannot be made, belongs to somebody else, or others can write to it.
    """
    chosen = os.environ.get("CORTEXSIM_CACHE")
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cortexsim"
    folder = Path(chosen or usual).absolute()
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise UserError(f"the cache of compiled programs, {folder}: {error.strerror} ({FOLDER})") from None
    if not _owned(found):
        raise UserError(f"the cache of compiled programs, {folder}, belongs to another user ({FOLDER})")
    if found.st_mode & OTHERS_WRITE:
        raise UserError(
            f"the cache of compiled programs, {folder}: other users can write there, and what they write would run as"
            f" you (chmod 700 {folder}, or {FOLDER})"
        )
    return folder


def seal(entry: Path, body: dict[str, Any]) -> None:
    """Finish an entry: write its manifest, and let all of it last through a loss of power.

    Args:
        entry: folder with the compiled program.
        body: what else the manifest is to hold.
    """
    for path in (entry, *entry.rglob("*")):
        path.chmod(path.stat().st_mode & ~OTHERS_WRITE)
    kept = sorted(path for path in entry.rglob("*") if path.is_file())
    body = {**body, "sealed": {str(path.relative_to(entry)): [path.stat().st_size, _digest(path)] for path in kept}}
    text = json.dumps({**body, "sha256": _digest_of(body)}, indent=1)
    (entry / MANIFEST).write_text(text, encoding="utf-8")
    (entry / MANIFEST).chmod(0o600)
    folders = {path.parent for path in kept}
    for path in [*kept, entry / MANIFEST, *sorted(folders)]:
        sync(path)


def opened(entry: Path, key: str) -> dict[str, Any]:
    """Read the manifest of an entry, and hold every file to it.

    Args:
        entry: its folder.
        key: what the manifest must name.

    Raises:
        Damaged: with the reason, where anything is missing or not as it was written.
    """
    try:
        body = json.loads((entry / MANIFEST).read_text(encoding="utf-8"))
        sound = body.pop("sha256") == _digest_of(body) and body["key"] == key
    except FileNotFoundError:
        raise Damaged(f"{MANIFEST} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Damaged(f"{MANIFEST} is damaged") from None
    if not sound:
        raise Damaged(f"{MANIFEST} is damaged")
    for path in (entry, *sorted(entry.rglob("*"))):
        found = path.lstat()
        if not _owned(found) or found.st_mode & OTHERS_WRITE:
            raise Damaged(f"others could have written {path.name}")
    for name, (size, digest) in body["sealed"].items():
        path = entry / name
        try:
            if path.stat().st_size != size or _digest(path) != digest:
                raise Damaged(f"{name} has changed")
        except OSError:
            raise Damaged(f"{name} is missing") from None
    return dict(body)


def signature(entry: Path) -> Signature:
    """Say what the system knows of the files of an entry; it differs where one was written, moved or replaced."""
    found = [(str(path.relative_to(entry)), path.lstat()) for path in sorted(entry.rglob("*"))]
    return [(name, s.st_ino, s.st_size, s.st_ctime_ns, s.st_mode) for name, s in found]


def drop(entry: Path) -> None:
    """Take an entry out of the cache; programs that still run keep what they have opened."""
    shutil.rmtree(entry, ignore_errors=True)
    if entry.exists():
        raise UserError(f"{entry}: damaged, and cannot be removed (remove it, or {FOLDER})")


def clean(folder: Path) -> None:
    """Remove what processes that are gone have left half compiled."""
    for left in folder.glob(f"*{UNFINISHED}"):
        with suppress(OSError), left.with_suffix(LOCK).open("w") as file:
            if _lock(file, wait=False):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def locked(entry: Path) -> Iterator[None]:
    """Let one process at a time look after an entry; the others wait."""
    with entry.with_suffix(LOCK).open("w") as file:
        _lock(file, wait=True)
        yield


def sync(path: Path) -> None:
    """Let a file, or the names in a folder, last through a loss of power, where the system can."""
    if os.name != "posix":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _lock(file: IO[str], wait: bool) -> bool:
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except ImportError:  # Windows: the worst is that two processes compile the same program.
        return wait
    except OSError:  # Held by another process; or, on some network file systems, no locks.
        return False
    return True


def _owned(found: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or found.st_uid == os.getuid()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
