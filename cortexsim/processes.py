"""Processes that end with the one that started them, however that ends: no worker, program or compiler is left behind.

Nothing runs between fork and exec, which is not safe beside threads; and the death of a thread means nothing here, as
it would to ``PR_SET_PDEATHSIG``. A process that starts programs has a guard instead, a shell which reads from a pipe
the process groups that are at work: where the pipe ends, its writer is dead, and the guard kills them.
"""

import atexit
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
LOOK = 0.5  # Seconds between two looks at who the parent is.
GUARD = """
groups=
while read -r sign group; do
  left=
  for one in $groups; do [ "$one" = "$group" ] || left="$left $one"; done
  groups=$left
  [ "$sign" = - ] || groups="$left $group"
done
for one in $groups; do kill -9 "-$one"; done
"""


class _Guard:
    """The shell that outlives this process by a moment; started when it is first needed."""

    def __init__(self) -> None:
        self.lock, self.shell = threading.Lock(), None

    def tell(self, sign: str, group: int) -> None:
        """Say that a process group is at work (+), or that it has ended (-)."""
        with self.lock, suppress(OSError):  # Without a shell programs run all the same.
            if self.shell is None or self.shell.poll() is not None:
                self.shell = self._begun()
            assert self.shell.stdin is not None
            self.shell.stdin.write(f"{sign} {group}\n".encode())

    def end(self) -> None:
        """Let the shell go, at the end of this process."""
        if self.shell is not None and self.shell.stdin is not None:
            with suppress(OSError):
                self.shell.stdin.close()
            self.shell.wait()

    def forget(self) -> None:
        """Leave the shell to the parent, in a process that was forked: its end would not be seen while this lives."""
        if self.shell is not None and self.shell.stdin is not None:
            self.shell.stdin.close()
            self.shell.returncode = 0  # Not a child of this process.
        self.__init__()  # type: ignore[misc]

    shell: "subprocess.Popen[bytes] | None"

    @staticmethod
    def _begun() -> "subprocess.Popen[bytes]":
        quiet = subprocess.DEVNULL
        # A session of its own: signals for the terminal, or for this process and its group, are not for the guard.
        return subprocess.Popen(
            ["/bin/sh", "-c", GUARD],
            stdin=subprocess.PIPE,
            stdout=quiet,
            stderr=quiet,
            bufsize=0,
            cwd="/",
            start_new_session=True,
        )


_guard = _Guard()
if os.name == "posix":
    atexit.register(_guard.end)
    os.register_at_fork(after_in_child=_guard.forget)


def run(command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a program, as `subprocess.run` with output captured as text, so that it ends with this process at the latest.

    It has a process group of its own: Ctrl-C is for the process that waits, which may have a checkpoint to write. Any
    thread may call this. Where this process is killed, or the wait is interrupted, the whole group is killed.

    Args:
        command: program and arguments.
        options: of `subprocess.Popen`, such as cwd and env.
    """
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    if os.name == "posix":
        options["process_group"] = 0
    with subprocess.Popen(command, **options) as process, _guarded(process):
        out, errors = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


@contextmanager
def _guarded(process: "subprocess.Popen[str]") -> Iterator[None]:
    if os.name != "posix":
        yield
        return
    _guard.tell("+", process.pid)
    try:
        yield
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        _guard.tell("-", process.pid)


@contextmanager
def signals_heard(hear: Callable[[int, FrameType | None], None], *numbers: int) -> Iterator[None]:
    """Let signals be heard meanwhile, where they can be: in the main thread; those that are ignored (nohup) stay so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, hear) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does: what is done is kept, and no worker left."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with signals_heard(end, *ENDING):
        yield


_watched: set[int] = set()


def die_with_parent(parent: int) -> None:
    """End this process at once when its parent has ended; what it runs by `run` ends with it. To begin a worker with.

    Args:
        parent: number of the process that started this one, in its own words, for it may have ended by now.
    """
    if os.name != "posix" or os.getpid() in _watched:
        return
    _watched.add(os.getpid())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="watches the parent", daemon=True).start()
