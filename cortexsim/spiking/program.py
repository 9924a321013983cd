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
from cortexsim.spiking.compiling import OWN_GROUP, PARENT, announce, build_environment_digest, compile_into
from cortexsim.spiking.network_spec import Description

Arrays = dict[str, np.ndarray]
PREFIX, MEMORY = "cortexsim-", "/dev/shm"
MEMORY_NEEDED, DAY = 1 << 30, 86400.0  # Bytes, seconds.


@cache
def scratch_folder() -> str | None:
    """Choose a folder for the temporary files of a run, some hundreds: in memory if there is room.

    Files that a killed process left there more than a day ago are removed.

    Returns:
        The folder; None for the default of the system.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < MEMORY_NEEDED:
        return None
    for path in Path(MEMORY).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > DAY:
                shutil.rmtree(path)
    return MEMORY


class Failed(Exception):
    """A run of a program that failed, with the reason."""


class Program:
    """A compiled network.

    Args:
        description: of the network. Its program is taken from the cache, or compiled if it is missing or damaged there;
            several processes may ask for it at once.

    Attributes:
        loop_seconds: CPU time of the loop over time steps in the last run, without start and files.

    Raises:
        UserError: where it cannot be compiled, or the cache is not the user's own.
    """

    def __init__(self, description: Description) -> None:
        self.description = description
        self.loop_seconds = 0.0
        self.folder = cache_folder() / description.digest(build_environment_digest())
        self._open()

    def run(
        self, values: Mapping[str, np.ndarray | float], streams: Mapping[str, np.ndarray], wanted: list[str]
    ) -> Arrays:
        """Run once.

        Args:
            values: of variables by ``owner.variable``: one for each cell or synapse, (count,), or one for all.
            streams: timed arrays by name, one row an update, (updates, columns) or (updates,).
            wanted: variables to read afterwards, by ``owner.variable``.

        Returns:
            Each variable that is wanted, (count,); of a monitor all rows one after the other.

        Raises:
            UserError: where the program fails, although it is as it was compiled.
        """
        if signature(self.folder) != self.signature:
            self._open()
        try:
            return self._run(values, streams, wanted)
        except Failed as error:
            if not self._open():
                raise UserError(f"{self.folder / 'main'}: {error}") from None
        try:
            return self._run(values, streams, wanted)
        except Failed as error:
            raise UserError(f"{self.folder / 'main'}: {error}") from None

    def _open(self) -> bool:
        """Check the entry against its manifest; compile and return True where it is missing or damaged."""
        compiled = False
        try:
            self._read(opened(self.folder, self.folder.name))
        except Damaged:
            with locked(self.folder):
                try:  # Another process may have compiled it meanwhile.
                    self._read(opened(self.folder, self.folder.name))
                except Damaged as error:
                    if self.folder.exists():
                        announce(f"{self.folder}: {error}; compiling it again")
                        drop(self.folder)
                    compile_into(self.folder, self.description)
                    compiled = True
                    self._read(opened(self.folder, self.folder.name))
        return compiled

    def _read(self, manifest: dict[str, Any]) -> None:
        self.files: dict[str, list[Any]] = manifest["files"]
        self.streams = frozenset(manifest["streams"])
        self.signature = signature(self.folder)

    def _run(
        self, values: Mapping[str, np.ndarray | float], streams: Mapping[str, np.ndarray], wanted: list[str]
    ) -> Arrays:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=scratch_folder()) as name:
            out = Path(name)
            command = [str(self.folder / "main"), "--results_dir", f"{out}/", *self._arguments(values, streams, out)]
            done = subprocess.run(
                command, cwd=self.folder, capture_output=True, text=True, errors="replace", process_group=OWN_GROUP,
                env={**os.environ, PARENT: str(os.getpid())},
            )  # fmt: skip
            # A program of Brian2 that cannot open a file prints a message, continues with zeros, and exits with 0.
            if done.returncode or done.stdout or done.stderr:
                output = " ".join(f"{done.stderr} {done.stdout}".split())[:200]
                raise Failed(f"failed ({_reason(done.returncode)}{': ' * bool(output)}{output})")
            self.loop_seconds = float((out / "last_run_info.txt").read_text().split()[0])
            return {key: self._result(out, key) for key in wanted}

    def _arguments(
        self, values: Mapping[str, np.ndarray | float], streams: Mapping[str, np.ndarray], out: Path
    ) -> list[str]:
        """Write arrays as files, and return the arguments that set all values and the streams that are read."""
        arguments = [f"{key}={value!r}" for key, value in values.items() if not isinstance(value, np.ndarray)]
        arrays = [
            (key, np.ascontiguousarray(value, self.files[key][1]))
            for key, value in values.items()
            if isinstance(value, np.ndarray)
        ]
        arrays += [
            (f"{name}.values", np.ascontiguousarray(rows, "<f8"))
            for name, rows in streams.items()
            if name in self.streams
        ]
        for number, (key, array) in enumerate(arrays):
            path = out / f"in{number}"
            try:
                array.tofile(path)
            except OSError as error:
                raise UserError(_no_room(out, str(error))) from None
            arguments.append(f"{key}={path}")
        return arguments

    def _result(self, out: Path, key: str) -> np.ndarray:
        """Read a variable, and check that it is complete: a full disk cuts it without an error."""
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
