"""The cache of compiled programs: an entry that is incomplete, or not the user's own, is compiled again.

An entry is a folder named by the digest of all that the program depends on. Its manifest, written last, has size and
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
    """An entry that differs from what was compiled, or that another user could have written."""


def cache_folder() -> Path:
    """Find or create the folder of compiled programs: ``$CORTEXSIM_CACHE``, or the user's cache folder.

    Only its owner may write to it, since what is written there is executed.

    Raises:
        UserError: where it cannot be created, belongs to another user, or others can write to it.
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
    """Complete an entry: write its manifest, and flush all files to disk.

    Args:
        entry: folder with the compiled program.
        body: further contents of the manifest.
    """
    for path in (entry, *entry.rglob("*")):
        path.chmod(path.stat().st_mode & ~OTHERS_WRITE)
    files = sorted(path for path in entry.rglob("*") if path.is_file())
    body = {**body, "sealed": {str(path.relative_to(entry)): [path.stat().st_size, _digest(path)] for path in files}}
    text = json.dumps({**body, "sha256": _digest_of(body)}, indent=1)
    (entry / MANIFEST).write_text(text, encoding="utf-8")
    (entry / MANIFEST).chmod(0o600)
    folders = {path.parent for path in files}
    for path in [*files, entry / MANIFEST, *sorted(folders)]:
        sync(path)


def opened(entry: Path, key: str) -> dict[str, Any]:
    """Read the manifest of an entry, and check every file against it.

    >>> entry = Path("entry")
    >>> entry.mkdir()
    >>> _ = (entry / "main").write_text("a compiled program")
    >>> seal(entry, {"key": "1f0c"})
    >>> list(opened(entry, "1f0c")["sealed"])
    ['main']
    >>> _ = (entry / "main").write_text("another program...")  # Of the same size.
    >>> opened(entry, "1f0c")
    Traceback (most recent call last):
    cortexsim.spiking.cache.Damaged: main has changed

    Args:
        entry: its folder.
        key: digest by which the entry is named.

    Raises:
        Damaged: with the reason, where anything is missing or not as it was written.
    """
    try:
        body = json.loads((entry / MANIFEST).read_text(encoding="utf-8"))
        intact = body.pop("sha256") == _digest_of(body) and body["key"] == key
    except FileNotFoundError:
        raise Damaged(f"{MANIFEST} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Damaged(f"{MANIFEST} is damaged") from None
    if not intact:
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
    """Collect what the file system records of an entry; it changes when a file is written, moved or replaced."""
    found = [(str(path.relative_to(entry)), path.lstat()) for path in sorted(entry.rglob("*"))]
    return [(name, s.st_ino, s.st_size, s.st_ctime_ns, s.st_mode) for name, s in found]


def drop(entry: Path) -> None:
    """Remove an entry from the cache; programs that are running are not affected.

    Raises:
        UserError: where it cannot be removed.
    """
    shutil.rmtree(entry, ignore_errors=True)
    if entry.exists():
        raise UserError(f"{entry}: damaged, and cannot be removed (remove it, or {FOLDER})")


def clean(folder: Path) -> None:
    """Remove incomplete entries of processes that have ended."""
    for left in folder.glob(f"*{UNFINISHED}"):
        with suppress(OSError), left.with_suffix(LOCK).open("w") as file:
            if _lock(file, wait=False):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def locked(entry: Path) -> Iterator[None]:
    """Lock an entry, so that one process at a time compiles it while others wait."""
    with entry.with_suffix(LOCK).open("w") as file:
        _lock(file, wait=True)
        yield


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk, where the system can."""
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
