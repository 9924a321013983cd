"""Programs: a description, compiled once, run over any number of chunks in processes of their own."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cortexsim.errors import UserError
from cortexsim.spiking.cache import (
    MANIFEST,
    UNFINISHED,
    Damaged,
    cache_folder,
    clean,
    drop,
    locked,
    opened,
    seal,
    signature,
    sync,
)
from cortexsim.spiking.description import Description

Arrays = dict[str, np.ndarray]
PREFIX, MEMORY = "cortexsim-", "/dev/shm"
ROOM, DAY = 1 << 30, 86400.0  # Bytes, seconds.
APART = 0  # A process group of its own: Ctrl-C is for the process that waits, which may have a checkpoint to write.
PARENT = "CORTEXSIM_PARENT"  # A program whose parent is no longer this process ends.
KEPT = ("main", "static_arrays", "description.json")  # What a compiled program needs, and what it is of.


def announce(line: str) -> None:
    """Say on stderr what takes its time, or has been mended."""
    print(line, file=sys.stderr, flush=True)


@cache
def scratch_folder() -> str | None:
    """Find where the files of one run, some hundreds, live for its moment: in memory if there is room.

    What a killed process has left there more than a day ago is removed. None stands for the usual place.
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


class Failed(Exception):
    """A run of a program that did not do what it should, with the reason."""


class Program:
    """A compiled network.

    Args:
        description: of the network. Its program is taken from the cache if it is sound there, or compiled; several
            processes may ask at once.

    Raises:
        UserError: where it cannot be compiled, or the cache is not the user's own.
    """

    def __init__(self, description: Description) -> None:
        self.description = description
        self.folder = cache_folder() / description.digest(surroundings())
        self._open()

    def run(self, values: Mapping[str, np.ndarray | float], wanted: list[str]) -> Arrays:
        """Run once.

        Args:
            values: of variables, as ``owner.variable``, and of timed arrays, as ``name.values``.
            wanted: variables to read afterwards.

        Raises:
            UserError: where the program fails, although it is as it was compiled.
        """
        if signature(self.folder) != self.signature:
            self._open()
        try:
            return self._run(values, wanted)
        except Failed as error:
            if not self._open():
                raise UserError(f"{self.folder / 'main'}: {error}") from None
        try:
            return self._run(values, wanted)
        except Failed as error:
            raise UserError(f"{self.folder / 'main'}: {error}") from None

    def _open(self) -> bool:
        """Hold the entry to its manifest, and compile it where it is not there or not sound; say whether that was."""
        compiled = False
        try:
            self._read(opened(self.folder, self.folder.name))
        except Damaged:
            with locked(self.folder):
                try:  # Another process may have compiled it meanwhile.
                    self._read(opened(self.folder, self.folder.name))
                except Damaged as error:
                    if self.folder.exists():
                        announce(f"{self.folder}: {error}; compiling it anew")
                        drop(self.folder)
                    _compile(self.description, self.folder)
                    compiled = True
                    self._read(opened(self.folder, self.folder.name))
        return compiled

    def _read(self, manifest: dict[str, Any]) -> None:
        self.files: dict[str, list[Any]] = manifest["files"]
        self.signature = signature(self.folder)

    def _run(self, values: Mapping[str, np.ndarray | float], wanted: list[str]) -> Arrays:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=scratch_folder()) as name:
            out = Path(name)
            command = [str(self.folder / "main"), "--results_dir", f"{out}/", *self._arguments(values, out)]
            done = subprocess.run(
                command, cwd=self.folder, capture_output=True, text=True, errors="replace", process_group=APART,
                env={**os.environ, PARENT: str(os.getpid())},
            )  # fmt: skip
            # A program of Brian2 that cannot open a file says so, goes on with zeros, and ends with 0.
            if done.returncode or done.stdout or done.stderr:
                said = " ".join(f"{done.stderr} {done.stdout}".split())[:200]
                raise Failed(f"failed ({_reason(done.returncode)}{': ' * bool(said)}{said})")
            return {key: self._result(out, key) for key in wanted}

    def _arguments(self, values: Mapping[str, np.ndarray | float], out: Path) -> list[str]:
        """Write arrays as files, and answer with the arguments that set all values."""
        arguments = []
        for number, (key, value) in enumerate(values.items()):
            if not isinstance(value, np.ndarray):
                arguments.append(f"{key}={value!r}")
                continue
            path = out / f"in{number}"
            try:
                np.ascontiguousarray(value, self._kind(key)).tofile(path)
            except OSError as error:
                raise UserError(_no_room(out, str(error))) from None
            arguments.append(f"{key}={path}")
        return arguments

    def _kind(self, key: str) -> str:
        return "<f8" if key.endswith(".values") else str(self.files[key][1])

    def _result(self, out: Path, key: str) -> np.ndarray:
        """Read a variable, and see that it is all there: a full disk cuts it without a word."""
        file, kind, size = self.files[key]
        if not isinstance(size, int):  # Of a monitor: as many rows as it has seen.
            size = int(self._result(out, f"{size[0]}.N")[0]) * int(size[1])
        try:
            found = np.fromfile(out / file, kind)
        except FileNotFoundError:
            raise Failed(f"{key} was not written") from None
        if found.nbytes != (out / file).stat().st_size or len(found) != size:
            raise UserError(_no_room(out, f"{key} has {len(found)} values instead of {size}"))
        return found


def _reason(code: int) -> str:
    return f"ended by signal {-code}; out of memory?" if code < 0 else f"exit code {code}"


def _no_room(out: Path, what: str) -> str:
    free = shutil.disk_usage(out).free / 2**20
    return (
        f"{out.parent}: no room for the files of a spiking run ({what}; {free:.1f} MiB are free: TMPDIR=... elsewhere)"
    )


def _compile(description: Description, folder: Path) -> None:
    """Compile in a folder beside, and move it to its place when it is whole.

    Raises:
        UserError: where the compiler fails; all that it said is in a file beside.
    """
    compiler_path()
    clean(folder.parent)
    work, log = folder.with_suffix(UNFINISHED), folder.with_suffix(".log")
    shutil.rmtree(work, ignore_errors=True)
    cells = sum(group.size for group in description.groups if group.name.startswith("layer"))
    announce(f"compiling a network of {cells} cells (once; it is kept in {folder.parent}) ...")
    try:
        work.mkdir(mode=0o700)
        (work / "description.json").write_text(description.to_json(), encoding="utf-8")
        command = [sys.executable, "-m", "cortexsim.spiking.build", str(work / "description.json"), str(work)]
        quiet = {**os.environ, "MAKEFLAGS": "", PARENT: str(os.getpid())}
        with log.open("w") as file:
            code = _built(subprocess.Popen(command, stdout=file, stderr=file, env=quiet, process_group=APART))
        if code or not os.access(work / "main", os.X_OK):
            how = f"exit code {code}" if code else "the compiler made no program"
            raise UserError(f"compiling a network with {compiler_path()} failed ({how}): see {log}")
        seal(work, {"key": folder.name, **_pruned(work)})
        work.rename(folder)
        sync(folder.parent)
        log.unlink()
    except OSError as error:
        raise UserError(f"{error.filename or work}: {error.strerror or error} (a program is compiled there)") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _built(build: subprocess.Popen[bytes]) -> int:
    """Wait for a build; whoever is interrupted meanwhile takes the compilers with it."""
    try:
        return build.wait()
    except BaseException:
        with suppress(OSError):
            os.killpg(build.pid, signal.SIGKILL)
        build.wait()
        raise


def _pruned(work: Path) -> dict[str, Any]:
    """Take what the build says of its arrays, and remove all that a finished program does not need."""
    files = json.loads((work / MANIFEST).read_text(encoding="utf-8"))
    for path in work.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return {"files": files}
