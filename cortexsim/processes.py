"""Worker processes that end when their parent does, and termination signals that let a process clean up."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATION_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
POLL_INTERVAL = 0.5  # Seconds between two checks of the parent process.


@contextmanager
def handling_signals(handler: Callable[[int, FrameType | None], None], *numbers: int) -> Iterator[None]:
    """Install a signal handler for the duration of the block.

    Signals that are ignored, as under ``nohup``, stay ignored. Outside the main thread, where Python can install no
    handler, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handled = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in handled}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextmanager
def interruptible() -> Iterator[None]:
    """Handle SIGTERM and SIGHUP like Ctrl-C, so that finished work is saved and workers are stopped.

    >>> with interruptible():
    ...     try:
    ...         signal.raise_signal(signal.SIGTERM)
    ...     except KeyboardInterrupt:
    ...         print("checkpoint written")
    checkpoint written
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with handling_signals(interrupt, *TERMINATION_SIGNALS):
        yield


_watching: set[int] = set()


def die_with_parent(parent: int) -> None:
    """Kill this process as soon as its parent has ended; called at the start of a worker.

    The parent is polled, since no mechanism works on all systems: on Linux, for example, the parent-death signal is
    already sent when the thread that started the process ends.

    Args:
        parent: process id of the parent, as determined by the parent itself, which may have ended since.
    """
    if os.name != "posix" or os.getpid() in _watching:
        return
    _watching.add(os.getpid())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_INTERVAL)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="watches the parent", daemon=True).start()
