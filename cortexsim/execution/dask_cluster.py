"""Work spread over the workers of a running Dask scheduler, and watched: who is lost is told of, and waited for."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from joblib import Parallel, delayed, parallel_config

from cortexsim.errors import UserError

Row = dict[str, Any]
FIRST, PATIENCE = 10, 60  # Seconds that a cluster may be out of reach: at first, and once it was there.
LOUD = ("distributed", "tornado", "asyncio")  # Who else would write a traceback.


class Lost(Exception):
    """Workers are gone; what they were at is not done."""


def on_cluster(
    work: Callable[..., Row],
    items: Iterable[tuple[Any, ...]],
    address: str,
    say: Callable[[str], None],
    again: bool = False,
) -> Iterator[Row]:
    """Let joblib spread work over a cluster, and watch meanwhile that the cluster is there.

    Args:
        work: takes the values of an item, and answers with a row.
        items: values.
        address: of the scheduler, such as ``tcp://host:8786``.
        say: told when workers or the scheduler are gone, and when they are back.
        again: whether the scheduler was there before, and is to be waited for.

    Raises:
        UserError: where Dask is not installed, nothing answers at the address, or the work itself raises it.
        Lost: where the cluster no longer does what it was asked to.
    """
    client = _client(address, PATIENCE if again else FIRST)
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
        watch = Watch(client, f"--cluster {address}", say)
        while True:
            watch.look()
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


class Watch:
    """Ask a scheduler every second who works for it.

    Args:
        client: connected with it.
        name: what it is called in what is said.
        say: told what has changed.
    """

    def __init__(self, client: Any, name: str, say: Callable[[str], None]) -> None:
        self.client, self.name, self.say = client, name, say
        self.workers: set[str] = set()
        self.asked = self.answered = time.monotonic()
        self.away = False

    def look(self) -> None:
        """Ask, if the last time was a second ago.

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
                self.say(f"{self.name}: the scheduler does not answer; waiting for it, up to {PATIENCE} s")
            self.away = True
            return
        if self.away:
            self.say(f"{self.name}: the scheduler answers again")
        elif gone := self.workers - now:
            rest = f"their work is done again by the {len(now)} left" if now else "waiting for others"
            self.say(f"{self.name}: {len(gone)} of {len(self.workers)} workers gone; {rest}")
        self.workers, self.answered, self.away = now, self.asked, False

    def _present(self) -> set[str] | None:
        """Name the workers; None where the scheduler does not answer."""
        if self.client.status != "running":
            return None
        try:
            return set(self.client.sync(self.client.scheduler.ncores, callback_timeout=3))
        except (OSError, TimeoutError, RuntimeError):
            return None


def _client(address: str, patience: float) -> Any:
    """Connect with a scheduler, within so many seconds.

    Raises:
        UserError: where Dask is not installed, or nothing answers at the address.
    """
    try:
        from dask.distributed import Client
    except ImportError:
        raise UserError("--cluster: Dask is not installed (pip install 'cortexsim[cluster]')") from None
    for name in [name for name in logging.root.manager.loggerDict if name.startswith(LOUD)]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # What goes wrong is said here, in one line.
    try:
        return Client(address, timeout=patience, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(f"--cluster {address}: {' '.join(str(error).split())} (what is done is kept)") from None
