"""What is started ends with the process that started it, however that ends."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cortexsim import processes

HERE = {**os.environ, "PYTHONPATH": str(Path(processes.__file__).parent.parent)}


def alive(number: int) -> bool:
    """Whether a process runs: a zombie that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(what: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for something; answer whether it came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def number_in(path: Path) -> int:
    assert until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


@linux
def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    worker = "import os, sys, time; from cortexsim.processes import die_with_parent as bound; bound(int(sys.argv[1]))"
    worker += f"; print(os.getpid(), file=open({str(tmp_path / 'worker')!r}, 'w'), flush=True); time.sleep(1000)"
    code = f"import os, subprocess, sys; subprocess.run([sys.executable, '-c', {worker!r}, str(os.getpid())])"
    parent = subprocess.Popen([sys.executable, "-c", code], env=HERE)
    number = number_in(tmp_path / "worker")
    assert alive(number)
    parent.kill()
    parent.wait()
    assert until(lambda: not alive(number))
