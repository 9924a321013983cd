"""Provenance: which code and which engines a result was made with."""

import hashlib
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cortexsim

LIBRARIES = ("cortexsim", "brian2", "torch", "numpy", "matplotlib", "pydantic", "safetensors")
ENGINES = ("torch", "numpy", "brian2")  # Rows depend on their versions, in the last bits.
PRESENTATION = (
    "__main__.py", "api/*.py", "cli.py", "commands.py", "options.py",
    "analysis/history.py", "analysis/*panels.py", "analysis/plots.py", "analysis/spikes.py", "analysis/summary.py",
    "storage/committed_rows.py", "report/*.py", "studies/*.py",
)  # fmt: skip
"""Files that can change which rows are made, and what is said and drawn of them, and not the rows."""


@cache
def code_digest() -> str:
    """Digest the files of this package that a row depends on: all but those of `PRESENTATION`."""
    package = Path(cortexsim.__file__).parent
    presented = {path for pattern in PRESENTATION for path in package.glob(pattern)}
    read = sorted({*package.rglob("*.py"), *package.rglob("templates/*.cpp")} - presented)
    digest = hashlib.sha256()
    for path in read:
        digest.update(f"{path.relative_to(package).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def engines() -> dict[str, str]:
    """Name the versions of what computes."""
    return {library: version(library) for library in ENGINES}


def versions() -> dict[str, str]:
    """Name the versions, and the code of this package, that a result is made with."""
    found = {"python": platform.python_version(), "platform": sys.platform, "code": code_digest()}
    return found | {library: version(library) for library in LIBRARIES}


@cache
def code_state() -> dict[str, Any]:
    """Say which code runs: its folder, its digest, and its commit where it runs from a checkout of its own."""
    package = Path(cortexsim.__file__).parent
    return {"folder": str(package), "digest": code_digest(), "git": git_state(package, package / "__init__.py")}


def git_state(folder: Path, tracked: Path | None = None) -> dict[str, Any] | None:
    """Name the commit that a folder is at, and whether files have changed since.

    Args:
        folder: in a working tree.
        tracked: a file that must belong to it: code in a virtual environment inside a checkout is not that checkout's.

    Returns:
        ``commit`` and ``changed``; None where git knows nothing of it.
    """
    try:
        if tracked is not None:
            _git(folder, "ls-files", "--error-unmatch", str(tracked))
        commit, changes = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain", "-uno")
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": bool(changes)}


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
