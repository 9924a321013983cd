"""Work spread over processes: of this machine, or of a Dask cluster; who is lost on the way does not stop the rest."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from cortexsim.errors import UserError

Row = dict[str, Any]
ATTEMPTS = 3  # In a row without anything done, before it is given up.
PATIENCE = 60  # Seconds that a cluster may be out of reach.


class Lost(Exception):
    """Workers are gone; what they were at is not done."""


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
    left, vain = dict(items), 0
    while left:
        try:
            for row in _once(work, left.values(), workers, cluster):
                del left[row["key"]]
                vain = 0
                yield row
        except Lost as error:
            vain += 1
            if vain == ATTEMPTS:
                raise UserError(f"{error} ({ATTEMPTS} times in a row; what is done is kept)") from None
            say(f"{error}; going on with the {len(left)} that are left")


def _once(
    work: Callable[..., Row], items: Iterable[tuple[Any, ...]], workers: int, cluster: str | None
) -> Iterator[Row]:
    if cluster is not None:
        yield from _on_cluster(work, items, cluster)
    elif workers == 1:
        yield from (work(*item) for item in list(items))
    else:
        try:
            jobs = [delayed(work)(*item) for item in items]
            yield from Parallel(n_jobs=workers, return_as="generator_unordered")(jobs)
        except TerminatedWorkerError:
            raise Lost("a worker was killed (out of memory? fewer --workers need less)") from None


def _on_cluster(work: Callable[..., Row], items: Iterable[tuple[Any, ...]], address: str) -> Iterator[Row]:
    """Let joblib spread the work over a cluster, and watch meanwhile that the cluster is there."""
    client = _client(address)
    found: SimpleQueue[Row | BaseException | None] = SimpleQueue()
    jobs = [delayed(work)(*item) for item in items]

    def gather() -> None:
        try:
            with parallel_config(backend="dask", client=client):
                for row in Parallel(return_as="generator_unordered")(jobs):
                    found.put(row)
            found.put(None)
        except BaseException as error:  # Whatever it is, the thread that waits has to hear of it.
            found.put(error)

    Thread(target=gather, daemon=True).start()
    try:
        away = 0
        while away < PATIENCE:
            try:
                row = found.get(timeout=1)
            except Empty:
                away = 0 if _answers(client) else away + 1
                continue
            if row is None:
                return
            if isinstance(row, UserError | KeyboardInterrupt):
                raise row
            if isinstance(row, BaseException):
                raise Lost(f"--cluster {address}: {type(row).__name__}: {' '.join(str(row).split())}")
            yield row
        raise Lost(f"--cluster {address}: out of reach for {PATIENCE} s")
    finally:
        client.close(timeout=2)


def _client(address: str) -> Any:
    """Connect with a scheduler.

    Raises:
        UserError: where Dask is not installed.
        Lost: where nothing answers at the address.
    """
    try:
        from dask.distributed import Client
    except ImportError:
        raise UserError("--cluster: Dask is not installed (pip install 'cortexsim[cluster]')") from None
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # What goes wrong is said here, in one line.
    try:
        return Client(address, timeout=10, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise Lost(f"--cluster {address}: {' '.join(str(error).split())}") from None


def _answers(client: Any) -> bool:
    """Whether a cluster is there."""
    return client.status == "running"
