"""Work spread over processes: of this machine, or of a Dask cluster; who is lost on the way does not stop the rest."""

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

IDLE = 300  # Seconds that a worker waits for more.
ATTEMPTS = 3  # In a row without anything done, before it is given up.


def spread(
    work: Callable[..., Row],
    items: Mapping[str, tuple[Any, ...]],
    workers: int,
    cluster: str | None = None,
    say: Callable[[str], None] = print,
) -> Iterator[Row]:
    """Do work on many items side by side, and give each row as it is done.

    Args:
        work: takes the values of an item, and answers with a row that holds the item's key as ``key``.
        items: values by key.
        workers: processes on this machine.
        cluster: address of a Dask scheduler, such as ``tcp://host:8786``, whose workers do it instead.
        say: told when workers are lost.

    Raises:
        UserError: where they are lost again and again, or the cluster cannot be reached.
    """
    left, vain, again = dict(items), 0, False
    while left:
        jobs = list(left.values())
        try:
            once = _here(work, jobs, workers) if cluster is None else on_cluster(work, jobs, cluster, say, again)
            for row in once:
                del left[row["key"]]
                vain = 0
                yield row
        except Lost as error:
            vain, again = vain + 1, True
            if vain == ATTEMPTS:
                raise UserError(f"{error} ({ATTEMPTS} times in a row; what is done is kept)") from None
            say(f"{error}; going on with the {len(left)} that are left")


def end_workers() -> None:
    """Let the processes of this machine that wait for more work end, and wait for that."""
    if reusable_executor._executor is not None:
        reusable_executor._executor.shutdown(wait=True)


def _here(work: Callable[..., Row], items: list[tuple[Any, ...]], workers: int) -> Iterator[Row]:
    """Let processes of this machine do the work; one worker is this process."""
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
