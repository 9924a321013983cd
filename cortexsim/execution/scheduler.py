"""Many trials side by side, with progress, and without losing what is done."""

import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from statistics import median

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from cortexsim.config.trial import Row, Trial
from cortexsim.execution.local import spread
from cortexsim.storage.ledger import Ledger
from cortexsim.training.checkpointing import run_in_folder

UNFINISHED = "unfinished"  # Folder of trials that are being run, or were when they were stopped.


def run_all(trials: Sequence[Trial], ledger: Ledger, console: Console, workers: int = 0, before: str = "") -> list[Row]:
    """Run all trials that the ledger does not hold yet, and answer with the rows of all of them.

    Args:
        trials: what to run.
        ledger: where finished rows are kept, and beside it the checkpoints of trials that are not.
        console: where progress goes: a bar on a terminal, else a line now and then.
        workers: processes side by side; one for each core unless given, and one where a GPU is used.
        before: what to say before the number of runs.
    """
    asked = {trial.key: trial for trial in trials}
    missing = in_order(trial for key, trial in asked.items() if key not in ledger.rows)
    if missing:
        on_cpu = all(trial.device == "cpu" for trial in missing)
        count = min(len(missing), workers or (os.cpu_count() or 1) if on_cpu else 1)
        left = {trial.key: trial for trial in missing}
        folders = {trial.key: ledger.path.parent / UNFINISHED / trial.key for trial in missing}
        with Watch(console, left, len(asked) - len(missing), count, before) as watch:
            for row in spread(run_in_folder, {t.key: (t, folders[t.key]) for t in missing}, count, say=watch.say):
                ledger.add(row)
                shutil.rmtree(folders[row["key"]], ignore_errors=True)
                watch.tell(row)
        with suppress(OSError):  # Something else may be in it.
            (ledger.path.parent / UNFINISHED).rmdir()
    return [ledger.rows[trial.key] for trial in trials]


class Watch:
    """Say how far a set of trials is, and, once a run of every learner that is left has been measured, what is left.

    Args:
        console: where it is said.
        trials: that are left, by key.
        done: how many were done before.
        workers: processes side by side; 0 where nobody knows.
        title: what to say before the number of runs.
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
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self.task = self.progress.add_task(f"{title}{done}/{self.all} runs", total=self.total, eta="")

    def __enter__(self) -> "Watch":
        if not self.console.is_terminal:
            self.console.print(f"{self.title}{self.all} runs, {self.before} of them done before")
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def say(self, line: str) -> None:
        """Say what a user should know."""
        self.console.print(line, soft_wrap=True)

    def tell(self, row: Row) -> None:
        """Count a finished row, and say what is left."""
        trial = self.left.pop(row["key"])
        self.count += 1
        self.spent += trial.cost
        if "seconds" in row:
            self.rates.setdefault(trial.model.name, []).append(row["seconds"] / trial.cost)
        elapsed, seconds = time.monotonic() - self.start, self.seconds_left()
        runs, eta = f"{self.before + self.count}/{self.all} runs", "" if seconds is None else f"{seconds:.0f} s left"
        self.progress.update(self.task, completed=self.spent, description=self.title + runs, eta=eta)
        if not self.console.is_terminal and (elapsed - self.spoken > 10 or not self.left):
            self.spoken = elapsed
            latest = row.get("error") or f"{row['learner']} with {row['samples']} samples: {row['accuracy']:.3f}"
            self.console.print(f"{', '.join(filter(None, [runs, eta]))} ({latest})")

    def seconds_left(self) -> float | None:
        """Expect of each trial what those of the same learner have taken; None before there are any to go by."""
        if not self.workers:
            return None
        times = []
        for trial in self.left.values():
            rates = self.rates.get(trial.model.name, [])
            if trial.model.in_brian:  # The compiler is in those that come first.
                rates = rates[self.workers :]
            if not rates:
                return None
            times.append(median(rates) * trial.cost)
        return max(sum(times) / self.workers, max(times, default=0.0))


def in_order(trials: Iterable[Trial]) -> list[Trial]:
    """Put one trial of each learner first, by which the others are measured; longest first, as all the others are."""
    ordered = sorted(trials, key=lambda trial: -trial.cost)
    first = {trial.model.name: trial for trial in reversed(ordered)}
    return sorted(ordered, key=lambda trial: trial is not first[trial.model.name])
