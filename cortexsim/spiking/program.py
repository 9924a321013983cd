"""Programs: a description, compiled once, run over any number of chunks in processes of their own."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cortexsim.errors import UserError
from cortexsim.spiking.description import Description

Arrays = dict[str, np.ndarray]
PREFIX, MEMORY = "cortexsim-", "/dev/shm"
ROOM, DAY = 1 << 30, 86400.0  # Bytes, seconds.
APART = 0  # A process group of its own: Ctrl-C is for the process that waits, which may have a checkpoint to write.


def cache_folder() -> Path:
    """Where compiled programs are kept: ``$CORTEXSIM_CACHE``, or the user's cache folder."""
    if chosen := os.environ.get("CORTEXSIM_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cortexsim"


@cache
def scratch_folder() -> str | None:
    """Where the files of one run, some hundreds, live for its moment: in memory if there is room, or the usual place.

    What a killed process has left there more than a day ago is removed.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    for left in Path(MEMORY).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > DAY:
                shutil.rmtree(left)
    return MEMORY


@cache
def surroundings() -> str:
    """Digest all else that a binary depends on: the code that writes it, Brian2, the compiler, and the processor."""
    here = Path(__file__).parent
    sources = [path.read_bytes() for path in sorted([*here.glob("*.py"), *here.glob("templates/*.cpp")])]
    compiler = subprocess.run([compiler_path(), "--version"], capture_output=True, check=True).stdout
    flags = Path("/proc/cpuinfo")
    lines = flags.read_text().splitlines() if flags.exists() else []
    processor = next((line for line in lines if line.startswith("flags")), "")
    parts = [*sources, version("brian2").encode(), version("numpy").encode(), compiler, processor.encode()]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def compiler_path() -> str:
    """Find the C++ compiler.

    Raises:
        UserError: where there is none.
    """
    wanted = [name for name in (os.environ.get("CXX"), "g++", "c++", "clang++") if name]
    found = next((path for name in wanted if (path := shutil.which(name.split()[0]))), None)
    if found is None or shutil.which("make") is None:
        missing = "C++ compiler" if found is None else "'make'"
        raise UserError(
            f"layers in Brian2 need a C++ compiler and make, and there is no {missing} here"
            " (Debian, Ubuntu: apt install g++ make; macOS: xcode-select --install;"
            " conda: conda install cxx-compiler make; or, slowly, --target numpy)"
        )
    return found


class Program:
    """A compiled network.

    Args:
        folder: with the binary and its manifest.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, list[str]] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    @classmethod
    def of(cls, description: Description) -> "Program":
        """Find the program of a description in the cache, or compile it; several processes may ask at once."""
        folder = cache_folder() / description.digest(surroundings())
        if not (folder / "manifest.json").exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _locked(folder.with_suffix(".lock")):
                if not (folder / "manifest.json").exists():
                    _compile(description, folder)
        return cls(folder)

    def run(self, values: Mapping[str, np.ndarray | float], wanted: list[str]) -> Arrays:
        """Run once.

        Args:
            values: of variables, as ``owner.variable``, and of timed arrays, as ``name.values``.
            wanted: variables to read afterwards.
        """
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=scratch_folder()) as name:
            out = Path(name)
            arguments = ["--results_dir", f"{out}/"]
            for number, (key, value) in enumerate(values.items()):
                if isinstance(value, np.ndarray):
                    path = out / f"in{number}"
                    np.ascontiguousarray(value, self._kind(key)).tofile(path)
                    arguments.append(f"{key}={path}")
                else:
                    arguments.append(f"{key}={value!r}")
            command = [str(self.folder / "main"), *arguments]
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, process_group=APART)
            if done.returncode or done.stderr:
                raise RuntimeError(f"{self.folder / 'main'} failed ({done.returncode}): {done.stderr[-2000:]}")
            return {key: np.fromfile(out / self.files[key][0], self.files[key][1]) for key in wanted}

    def _kind(self, key: str) -> str:
        return "<f8" if key.endswith(".values") else self.files[key][1]


def _compile(description: Description, folder: Path) -> None:
    """Compile in a folder beside, and move it to its place when it is whole."""
    compiler_path()
    work = Path(tempfile.mkdtemp(prefix="compile-", dir=folder.parent))
    try:
        (work / "description.json").write_text(description.to_json(), encoding="utf-8")
        command = [sys.executable, "-m", "cortexsim.spiking.build", str(work / "description.json"), str(work)]
        quiet = {**os.environ, "MAKEFLAGS": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=quiet, process_group=APART)
        if done.returncode:
            raise RuntimeError(f"compiling failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        for path in work.rglob("*.o"):
            path.unlink()
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _locked(path: Path):  # type: ignore[no-untyped-def]
    """Hold a lock between processes."""
    with path.open("w") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        except ImportError:  # Windows: the worst is that two processes compile the same program.
            pass
        yield
