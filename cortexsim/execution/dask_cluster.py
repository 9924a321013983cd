"""Work on the workers of a running Dask scheduler; losses of workers, and short outages, are reported and survived."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from joblib import Parallel, delayed, parallel_config

from cortexsim.errors import UserError

Row = dict[str, Any]
FIRST, PATIENCE = 10, 60  # Seconds that a cluster may be out of reach: at first, and once it was reached.
LOUD = ("distributed", "tornado", "asyncio")  # Loggers that would write tracebacks.


class Lost(Exception):
    """Workers were lost, and their work is not finished."""


def on_cluster(
    work: Callable[..., Row],
    items: Iterable[tuple[Any, ...]],
    address: str,
    notify: Callable[[str], None],
    again: bool = False,
) -> Iterator[Row]:
    """Run work on a Dask cluster through joblib, and monitor the cluster meanwhile.

    Args:
        work: takes the values of an item, and returns a row.
        items: the arguments of ``work``.
        address: of the scheduler, such as ``tcp://host:8786``.
        notify: called with a line when workers or the scheduler are lost, and when they are back.
        again: whether the scheduler was reached before; it is then waited for up to `PATIENCE` seconds.

    Yields:
        The rows, in the order in which they are finished.

    Raises:
        UserError: where Dask is not installed, nothing answers at the address, or the work itself raises it.
        Lost: where the cluster no longer does its work.
    """
    client = _client(address, PATIENCE if again else FIRST)
    found: SimpleQueue[Row | BaseException | None] = SimpleQueue()
    jobs = [delayed(work)(*item) for item in items]

    def collect() -> None:
        try:
            with parallel_config(backend="dask", client=client):
                for row in Parallel(return_as="generator_unordered")(jobs):
                    found.put(row)
            found.put(None)
        except BaseException as error:  # Passed on to the thread that waits, whatever it is.
            found.put(error)

    Thread(target=collect, daemon=True).start()
    try:
        monitor = ClusterMonitor(client, f"--cluster {address}", notify)
        while True:
            monitor.check()
            try:
                row = found.get(timeout=1)
            except Empty:
                continue
            if row is None:
                return
            if isinstance(row, UserError | KeyboardInterrupt):
                raise row
            if isinstance(row, BaseException):
                why = f"{type(row).__name__}: {' '.join(str(row).split())}"
                raise Lost(f"--cluster {address}: {why if client.status == 'running' else 'the scheduler is gone'}")
            yield row
    finally:
        client.close(timeout=2)


class ClusterMonitor:
    """Ask a Dask scheduler every second for its workers, and report changes.

    Args:
        client: connected to the scheduler.
        name: of the cluster in messages.
        notify: called with a line about each change.
    """

    def __init__(self, client: Any, name: str, notify: Callable[[str], None]) -> None:
        self.client, self.name, self.notify = client, name, notify
        self.workers: set[str] = set()
        self.asked = self.answered = time.monotonic()
        self.away = False

    def check(self) -> None:
        """Ask the scheduler, unless that was less than a second ago.

        Raises:
            Lost: where nothing has answered for a minute.
        """
        if time.monotonic() - self.asked < 1:
            return
        now = self._present()
        self.asked = time.monotonic()
        if now is None:
            if self.asked - self.answered > PATIENCE:
                raise Lost(f"{self.name}: out of reach for {PATIENCE} s")
            if not self.away:
                self.notify(f"{self.name}: the scheduler does not answer; waiting for it, up to {PATIENCE} s")
            self.away = True
            return
        if self.away:
            self.notify(f"{self.name}: the scheduler answers again")
        elif gone := self.workers - now:
            rest = f"their work is done again by the {len(now)} left" if now else "waiting for others"
            self.notify(f"{self.name}: {len(gone)} of {len(self.workers)} workers gone; {rest}")
        self.workers, self.answered, self.away = now, self.asked, False

    def _present(self) -> set[str] | None:
        """The addresses of the workers; None where the scheduler does not answer."""
        if self.client.status != "running":
            return None
        try:
            return set(self.client.sync(self.client.scheduler.ncores, callback_timeout=3))
        except (OSError, TimeoutError, RuntimeError):
            return None


def _client(address: str, patience: float) -> Any:
    """Connect to a scheduler within ``patience`` seconds.

    Raises:
        UserError: where Dask is not installed, or nothing answers at the address.
    """
    try:
        from dask.distributed import Client
    except ImportError:
        raise UserError("--cluster: Dask is not installed (pip install 'cortexsim[cluster]')") from None
    for name in [name for name in logging.root.manager.loggerDict if name.startswith(LOUD)]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # Errors are reported here, in one line.
    try:
        return Client(address, timeout=patience, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(f"--cluster {address}: {' '.join(str(error).split())} (what is done is kept)") from None
