"""Many trials side by side: in which order, how far they are, and how long the rest will take."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from cortexsim.config.trial import Row, Trial
from cortexsim.execution.local import spread
from cortexsim.verbosity import quiet, verbose

INTERVAL = 10.0  # Seconds between two lines of progress.


def run_trials(
    work: Callable[..., Row],
    trials: Mapping[str, Trial],
    arguments: Callable[[str], tuple[Any, ...]],
    console: Console,
    workers: int = 0,
    cluster: str | None = None,
    done: int = 0,
    title: str = "",
) -> Iterator[Row]:
    """Run trials side by side, and yield each row when it is finished, with progress and the remaining time.

    Args:
        work: runs one trial, and returns a row with the trial's ``key``.
        trials: by key.
        arguments: those of ``work`` for the trial of a key.
        console: where progress goes: a bar on a terminal, otherwise a line now and then.
        workers: processes side by side; 0 takes one per core, and one where a GPU is used.
        cluster: address of a Dask scheduler, whose workers run the trials instead.
        done: how many trials were finished before.
        title: what stands before the number of runs.

    Raises:
        UserError: where workers are lost again and again, or the cluster cannot be reached.
    """
    if not trials:
        return
    on_cpu = all(trial.device == "cpu" for trial in trials.values())
    count = min(len(trials), workers or (os.cpu_count() or 1) if on_cpu else 1)
    items = {key: arguments(key) for key in in_order(trials)}
    with TrialProgress(console, trials, done, 0 if cluster else count, title) as progress:
        for row in spread(work, items, count, cluster, progress.notify):
            yield row
            progress.finished(row)


class TrialProgress:
    """Progress of a set of trials, with the remaining time.

    The time is that of finished runs of the same learner, in proportion to what each trial is estimated to cost; of
    learners of which no run is finished, that of all others; and before any is finished, the estimate itself.

    Args:
        console: where it is printed.
        trials: the remaining ones, by key.
        done: how many were finished before.
        workers: processes side by side; 0 where their number is unknown.
        title: what stands before the number of runs.
    """

    def __init__(
        self, console: Console, trials: Mapping[str, Trial], done: int, workers: int = 1, title: str = ""
    ) -> None:
        self.left, self.workers = dict(trials), workers
        self.total, self.spent, self.count = sum(trial.cost for trial in trials.values()), 0.0, 0
        self.rates: dict[str, list[float]] = {}
        self.all, self.before, self.title = len(trials) + done, done, title
        self.console, self.start, self.spoken = console, time.monotonic(), 0.0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[eta]}"),
        )
        shown = console.is_terminal and not quiet()
        self.progress = Progress(*columns, console=console, disable=not shown, transient=True)
        self.task = self.progress.add_task(f"{title}{done}/{self.all} runs", total=self.total, eta=self._eta())

    def __enter__(self) -> "TrialProgress":
        if not self.console.is_terminal and not quiet():
            runs = f"{self.title}{self.all} runs, {self.before} of them done before"
            self.console.print(", ".join(filter(None, [runs, self._eta()])))
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def notify(self, line: str) -> None:
        """Print a line that the user should see."""
        self.console.print(line, soft_wrap=True)

    def finished(self, row: Row) -> None:
        """Count a finished row, and print what remains."""
        trial = self.left.pop(row["key"])
        self.count += 1
        self.spent += trial.cost
        if "seconds" in row:
            self.rates.setdefault(trial.model.name, []).append(row["seconds"] / trial.cost)
        elapsed = time.monotonic() - self.start
        runs, eta = f"{self.before + self.count}/{self.all} runs", self._eta()
        self.progress.update(self.task, completed=self.spent, description=self.title + runs, eta=eta)
        due = not self.console.is_terminal and (elapsed - self.spoken > INTERVAL or not self.left)
        if not quiet() and (due or verbose()):
            self.spoken = elapsed
            latest = row.get("error") or f"{row['learner']} with {row['samples']} samples: {row['accuracy']:.3f}"
            self.console.print(f"{', '.join(filter(None, [runs, eta]))} ({latest})")

    def _eta(self) -> str:
        seconds = self.seconds_left()
        return "" if seconds is None else f"{'about ' * (not self.rates)}{seconds:.0f} s left"

    def seconds_left(self) -> float | None:
        """Estimate the remaining time, in seconds; None where the number of workers is unknown."""
        if not self.workers:
            return None
        own = {name: median(rates) for name, rates in self.rates.items()}
        other = median(own.values()) if own else 1.0
        times = [own.get(trial.model.name, other) * trial.cost for trial in self.left.values()]
        return max(sum(times) / self.workers, max(times, default=0.0))


def in_order(trials: Mapping[str, Trial]) -> list[str]:
    """Sort keys of trials: first the shortest of each learner, which times the others; then the longest first.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> model, task = find_model("clapp"), Hierarchy(depth=2)
    >>> in_order({str(samples): Trial(model, task, samples, 32, 0, 0) for samples in (128, 64, 256)})
    ['64', '256', '128']
    """
    ordered = sorted(trials, key=lambda key: -trials[key].cost)
    first = {trials[key].model.name: key for key in ordered}
    return sorted(ordered, key=lambda key: key != first[trials[key].model.name])
