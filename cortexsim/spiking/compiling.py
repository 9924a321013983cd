"""Compiling: from a description to an entry of the cache, in a process of its own."""

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cortexsim.errors import UserError
from cortexsim.spiking.cache import MANIFEST, UNFINISHED, clean, seal, sync
from cortexsim.spiking.network_spec import Description
from cortexsim.verbosity import quiet

OWN_GROUP = 0  # Process group: Ctrl-C is for the process that waits, which may have a checkpoint to write.
PARENT = "CORTEXSIM_PARENT"  # A program or build ends itself once this process is no longer its parent.
NEEDED = ("main", "static_arrays", "description.json")  # By a compiled program, and the network that it runs.


def announce(line: str) -> None:
    """Print a progress or repair notice on stderr, unless commands are to be quiet."""
    if not quiet():
        print(line, file=sys.stderr, flush=True)


@cache
def build_environment_digest() -> str:
    """Digest of what a binary depends on beside the network: this code, Brian2, NumPy, the compiler, the processor."""
    here = Path(__file__).parent
    sources = [path.read_bytes() for path in sorted([*here.glob("*.py"), *here.glob("templates/*.cpp")])]
    its_version = subprocess.run([*compiler(), "--version"], capture_output=True, check=True).stdout
    flags = Path("/proc/cpuinfo")
    lines = flags.read_text().splitlines() if flags.exists() else []
    processor = next((line for line in lines if line.startswith("flags")), "")
    parts = [*sources, version("brian2").encode(), version("numpy").encode(), its_version, processor.encode()]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def compiler() -> list[str]:
    """Find the C++ compiler: that of ``$CXX``, which may have arguments, or else a usual one.

    Returns:
        The path of the program, and its arguments.

    Raises:
        UserError: where there is none.
    """
    wanted = [shlex.split(os.environ.get("CXX", "")), ["g++"], ["c++"], ["clang++"]]
    found = next(([path, *rest] for name, *rest in filter(None, wanted) if (path := shutil.which(name))), None)
    if found is None or shutil.which("make") is None:
        missing = "C++ compiler" if found is None else "'make'"
        raise UserError(
            f"layers in Brian2 need a C++ compiler and make, and there is no {missing} here"
            " (Debian, Ubuntu: apt install g++ make; macOS: xcode-select --install;"
            " conda: conda install cxx-compiler make; or, slowly, --target numpy)"
        )
    return found


def compile_into(folder: Path, description: Description) -> None:
    """Compile in a temporary folder, and rename it when it is complete.

    Args:
        folder: entry of the cache, named by its digest.
        description: of the network.

    Raises:
        UserError: where the compiler fails; its output is in a file beside.
    """
    command = shlex.join(compiler())
    clean(folder.parent)
    work, log = folder.with_suffix(UNFINISHED), folder.with_suffix(".log")
    shutil.rmtree(work, ignore_errors=True)
    cells = sum(group.size for group in description.groups if group.method)
    announce(f"compiling a network of {cells} cells (once; programs are stored in {folder.parent}) ...")
    try:
        work.mkdir(mode=0o700)
        (work / "description.json").write_text(description.to_json(), encoding="utf-8")
        build = [sys.executable, "-m", "cortexsim.spiking.build", str(work / "description.json"), str(work)]
        variables = {**os.environ, "CXX": command, "MAKEFLAGS": "", PARENT: str(os.getpid())}
        with log.open("w") as file:
            code = _built(subprocess.Popen(build, stdout=file, stderr=file, env=variables, process_group=OWN_GROUP))
        if code or not os.access(work / "main", os.X_OK):
            how = f"exit code {code}" if code else "the compiler made no program"
            raise UserError(f"compiling a network with {command} failed ({how}): see {log}")
        seal(work, {"key": folder.name, **_pruned(work)})
        work.rename(folder)
        sync(folder.parent)
        log.unlink()
    except OSError as error:
        raise UserError(
            f"{error.filename or work}: {error.strerror or error} (compiled programs are stored there)"
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _built(build: subprocess.Popen[bytes]) -> int:
    """Wait for a build, and end its compilers if this process is interrupted."""
    try:
        return build.wait()
    except BaseException:
        with suppress(OSError):
            os.killpg(build.pid, signal.SIGKILL)
        build.wait()
        raise


def _pruned(work: Path) -> dict[str, Any]:
    """Read the manifest of the build, and remove all that a finished program does not need."""
    manifest: dict[str, Any] = json.loads((work / MANIFEST).read_text(encoding="utf-8"))
    for path in work.iterdir():
        if path.name not in NEEDED:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return manifest
