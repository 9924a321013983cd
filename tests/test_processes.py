"""What is started ends with the process that started it, however that ends."""

import os
import signal
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
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return what()


def number_in(path: Path) -> int:
    assert until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def test_a_program_is_run_to_its_end() -> None:
    done = processes.run([sys.executable, "-c", "import sys; print(1); print(2, file=sys.stderr); sys.exit(3)"])
    assert (done.returncode, done.stdout, done.stderr) == (3, "1\n", "2\n")


@linux
def test_a_program_and_what_it_has_started_end_with_their_parent(tmp_path: Path) -> None:
    script = f"sleep 1000 & echo $! > {tmp_path}/inner; echo $$ > {tmp_path}/outer; wait"
    code = f"from cortexsim.processes import run; run(['true']); run(['/bin/sh', '-c', {script!r}])"
    parent = subprocess.Popen([sys.executable, "-c", code], env=HERE)
    begun = [number_in(tmp_path / name) for name in ("inner", "outer")]
    assert all(map(alive, begun))
    parent.kill()
    parent.wait()
    assert until(lambda: not any(map(alive, begun)))


@linux
def test_an_interrupted_wait_ends_the_program(tmp_path: Path) -> None:
    script = f"sleep 1000 & echo $! > {tmp_path}/inner; wait"
    code = f"from cortexsim.processes import run; run(['/bin/sh', '-c', {script!r}])"
    parent = subprocess.Popen([sys.executable, "-c", code], env=HERE, stderr=subprocess.DEVNULL)
    inner = number_in(tmp_path / "inner")
    parent.send_signal(signal.SIGINT)
    parent.wait(60)
    assert until(lambda: not alive(inner))


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
