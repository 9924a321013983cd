"""Work in several processes, of this machine or of a Dask cluster; the loss of a process does not stop the others."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import as_completed
from typing import Any

from joblib import cpu_count
from joblib.externals.loky import get_reusable_executor, reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from cortexsim.errors import UserError
from cortexsim.execution.dask_cluster import Lost, Row, on_cluster
from cortexsim.processes import die_with_parent

IDLE = 300  # Seconds after which an idle worker ends.
ATTEMPTS = 3  # In a row without any finished row, before giving up.


def spread(
    work: Callable[..., Row],
    items: Mapping[str, tuple[Any, ...]],
    workers: int,
    cluster: str | None = None,
    notify: Callable[[str], None] = print,
) -> Iterator[Row]:
    """Do work on many items side by side, and yield each row when it is finished.

    >>> def work(key: str, samples: int) -> Row:
    ...     return {"key": key, "samples": samples}
    >>> list(spread(work, {"a": ("a", 64), "b": ("b", 128)}, workers=1))
    [{'key': 'a', 'samples': 64}, {'key': 'b', 'samples': 128}]

    Args:
        work: takes the values of an item, and returns a row with the item's key as ``key``.
        items: the arguments of ``work``, by key.
        workers: processes on this machine.
        cluster: address of a Dask scheduler, such as ``tcp://host:8786``, whose workers do the work instead.
        notify: called with a line when workers are lost.

    Raises:
        UserError: where workers are lost `ATTEMPTS` times in a row, or the cluster cannot be reached.
    """
    left, vain, again = dict(items), 0, False
    while left:
        jobs = list(left.values())
        try:
            once = _here(work, jobs, workers) if cluster is None else on_cluster(work, jobs, cluster, notify, again)
            for row in once:
                del left[row["key"]]
                vain = 0
                yield row
        except Lost as error:
            vain, again = vain + 1, True
            if vain == ATTEMPTS:
                raise UserError(f"{error} ({ATTEMPTS} times in a row; what is done is kept)") from None
            notify(f"{error}; going on with the {len(left)} that are left")


def end_workers() -> None:
    """End the idle worker processes of this machine."""
    if reusable_executor._executor is not None:
        reusable_executor._executor.shutdown(wait=True)


def _here(work: Callable[..., Row], items: list[tuple[Any, ...]], workers: int) -> Iterator[Row]:
    """Do work in processes of this machine; a single worker is this process."""
    if workers == 1:
        yield from (work(*item) for item in items)
        return
    threads = str(max(1, cpu_count() // workers))
    executor = get_reusable_executor(
        max_workers=workers,
        timeout=IDLE,
        initializer=die_with_parent,
        initargs=(os.getpid(),),
        env={f"{library}_NUM_THREADS": threads for library in ("OMP", "MKL", "OPENBLAS")},
    )
    ended = False
    try:
        for done in as_completed([executor.submit(work, *item) for item in items]):
            yield done.result()
        ended = True
    except TerminatedWorkerError:
        raise Lost("a worker was killed (out of memory? fewer --workers need less)") from None
    finally:
        if not ended:
            executor.shutdown(kill_workers=True)
