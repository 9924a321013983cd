"""One thread: networks of this size gain nothing from more."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, as a context or a decorator.

    A result then depends neither on how many runs stand side by side nor on the machine's cores, and a process that is
    forked afterwards inherits no pool of threads to wait for.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
