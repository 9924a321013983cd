"""Single-threaded computation: networks of this size gain nothing from more threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one thread, as a context manager or a decorator.

    Results then depend neither on the number of runs in parallel nor on the cores of the machine, and a process that is
    forked afterwards inherits no thread pool that it would wait for.

    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
