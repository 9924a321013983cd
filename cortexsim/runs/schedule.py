"""Many trials side by side, with progress, and without losing what is done."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence

from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from cortexsim.runs.record import Ledger
from cortexsim.runs.trial import Row, Trial, run


def run_all(trials: Sequence[Trial], ledger: Ledger, console: Console, workers: int = 0, before: str = "") -> list[Row]:
    """Run all trials that the ledger does not hold yet, longest first, and answer with the rows of all of them.

    Args:
        trials: what to run.
        ledger: where finished rows are kept.
        console: where progress goes: a bar on a terminal, else a line now and then.
        workers: processes side by side; one for each core unless given, and one where a GPU is used.
        before: what to say before the number of runs.
    """
    asked = {trial.key: trial for trial in trials}
    missing = sorted((trial for key, trial in asked.items() if key not in ledger.rows), key=lambda trial: -trial.cost)
    if missing:
        on_cpu = all(trial.device == "cpu" for trial in missing)
        count = min(len(missing), workers or (os.cpu_count() or 1) if on_cpu else 1)
        with _Watch(console, missing, len(asked) - len(missing), before) as watch:
            for row in _rows(missing, count):
                ledger.add(row)
                watch.tell(row)
    return [ledger.rows[trial.key] for trial in trials]


def _rows(trials: Sequence[Trial], workers: int) -> Iterator[Row]:
    if workers == 1:
        yield from map(run, trials)
    else:
        yield from Parallel(n_jobs=workers, return_as="generator_unordered")(delayed(run)(trial) for trial in trials)


class _Watch:
    """Say how far a set of trials is: by their expected cost, not by their number."""

    def __init__(self, console: Console, trials: Iterable[Trial], done: int, title: str) -> None:
        self.costs = {trial.key: trial.cost for trial in trials}
        self.total, self.spent, self.count = sum(self.costs.values()), 0.0, 0
        self.all, self.before, self.title = len(self.costs) + done, done, title
        self.console, self.start, self.spoken = console, time.monotonic(), 0.0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[eta]}"),
        )
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self.task = self.progress.add_task(f"{title}{done}/{self.all} runs", total=self.total, eta="")

    def __enter__(self) -> "_Watch":
        if not self.console.is_terminal:
            self.console.print(f"{self.title}{self.all} runs, {self.before} of them done before")
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def tell(self, row: Row) -> None:
        """Count a finished row, and say what is left."""
        self.count += 1
        self.spent += self.costs[row["key"]]
        elapsed = time.monotonic() - self.start
        left = elapsed * (self.total / self.spent - 1)
        runs = f"{self.before + self.count}/{self.all} runs"
        self.progress.update(self.task, completed=self.spent, description=self.title + runs, eta=f"{left:.0f} s left")
        if not self.console.is_terminal and (elapsed - self.spoken > 10 or self.count == len(self.costs)):
            self.spoken = elapsed
            latest = f"{row['learner']} with {row['samples']} samples: {row['accuracy']:.3f}"
            self.console.print(f"{runs}, {left:.0f} s left ({latest})")
