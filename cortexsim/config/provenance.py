"""Provenance: the code and the library versions that a result was made with."""

import hashlib
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cortexsim

LIBRARIES = ("brian2", "torch", "numpy", "matplotlib", "pydantic", "safetensors")
ENGINES = ("torch", "numpy", "brian2")  # Their versions can change results by rounding errors.
PRESENTATION = (
    "__main__.py", "api/*.py", "card_commands.py", "cli.py", "commands.py", "completion.py", "examples.py", "export.py",
    "options.py",
    "analysis/history.py", "analysis/*panels.py", "analysis/plots.py", "analysis/spikes.py", "analysis/summary.py",
    "storage/committed_rows.py", "report/*.py", "studies/*.py",
)  # fmt: skip
"""Files that select, print and draw rows, without influence on the values in a row."""
DATA = ("experiments", "models")  # Folders beside the package in a checkout, and within it where it is installed.


@cache
def code_digest() -> str:
    """Return a digest of the files of this package that a row depends on: all but those of `PRESENTATION` and `DATA`.

    It is the same in a checkout and where the package is installed.
    """
    package = Path(cortexsim.__file__).parent
    excluded = {path for pattern in PRESENTATION for path in package.glob(pattern)}
    files = {*package.rglob("*.py"), *package.rglob("templates/*.cpp")} - excluded
    names = {path.relative_to(package).as_posix(): path for path in files}
    digest = hashlib.sha256()
    for name, path in sorted(names.items()):
        if name.startswith(tuple(f"{folder}/" for folder in DATA)):
            continue
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def engines() -> dict[str, str]:
    """Return the versions of the libraries that compute."""
    return {library: version(library) for library in ENGINES}


def versions() -> dict[str, str]:
    """Return the versions of Python and libraries, the platform, and the digest of this package's code.

    >>> {"python", "cortexsim", "brian2", "torch", "code"} <= set(versions())
    True
    """
    environment = {"python": platform.python_version(), "platform": sys.platform, "code": code_digest()}
    return environment | {"cortexsim": cortexsim.__version__} | {library: version(library) for library in LIBRARIES}


@cache
def code_state() -> dict[str, Any]:
    """Return folder and digest of the running code, and its git commit if it runs from its own checkout."""
    package = Path(cortexsim.__file__).parent
    return {"folder": str(package), "digest": code_digest(), "git": git_state(package, package / "__init__.py")}


def git_state(folder: Path, tracked: Path | None = None) -> dict[str, Any] | None:
    """Return the commit that a folder has checked out, and whether files have changed since.

    Args:
        folder: a folder in a working tree.
        tracked: a file that git has to track; code in a virtual environment inside a checkout is not part of it.

    Returns:
        ``commit`` and ``changed``; None if the folder or the file is not under version control.
    """
    try:
        if tracked is not None:
            _git(folder, "ls-files", "--error-unmatch", str(tracked))
        commit, changes = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain", "-uno")
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": bool(changes)}


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
