"""Processes that end with the one that started them, however that ends, and signals that end a process in order."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATION_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
LOOK = 0.5  # Seconds between two looks at who the parent is.


@contextmanager
def handling_signals(hear: Callable[[int, FrameType | None], None], *numbers: int) -> Iterator[None]:
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

    with handling_signals(end, *TERMINATION_SIGNALS):
        yield


_watched: set[int] = set()


def die_with_parent(parent: int) -> None:
    """End this process at once when its parent has ended; to begin a worker with.

    Nothing else would do on every system: the death signal of Linux, for one, comes when a thread of the parent ends.

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
