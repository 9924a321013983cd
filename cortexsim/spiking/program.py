"""Programs: a description, compiled once, run over any number of chunks in processes of their own."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cortexsim.errors import UserError
from cortexsim.spiking.cache import Damaged, cache_folder, drop, locked, opened, signature
from cortexsim.spiking.compiling import APART, PARENT, announce, compile_into, surroundings
from cortexsim.spiking.network_spec import Description

Arrays = dict[str, np.ndarray]
PREFIX, MEMORY = "cortexsim-", "/dev/shm"
ROOM, DAY = 1 << 30, 86400.0  # Bytes, seconds.


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
                    compile_into(self.folder, self.description)
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
