"""The search for P*: steps on a grid of training-set sizes, until the criterion lies between two neighbours."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rich.console import Console

from cortexsim.analysis.sample_complexity import has_learned, samples_to_criterion
from cortexsim.hierarchy import laws
from cortexsim.runs.record import Ledger
from cortexsim.runs.schedule import run_all
from cortexsim.runs.trial import Row, Trial

STEP = 0.5  # Octaves: sizes are powers of the square root of two, whatever the hierarchy, so that searches share rows.
LEAST = 1.0  # Two samples.


def octave(limit: float) -> float:
    """Find the largest size of the grid, as the octave log2 P, that is no larger than so many samples."""
    found = math.ceil(math.log2(limit) / STEP) * STEP
    return found if samples_at(found) <= limit else found - STEP


def samples_at(octave: float) -> int:
    """Turn an octave into a number of samples."""
    return round(2**octave)


def next_octave(learned: Mapping[float, bool], start: float, limit: float, halvings: int = 0) -> float | None:
    """Say which size to try next, given those that were tried and whether they met the criterion.

    Args:
        learned: whether the criterion was met, by octave.
        start: octave to begin at.
        limit: largest octave.
        halvings: how often to halve the step that the criterion was found in.

    Returns:
        An octave; nothing where the criterion is enclosed, or lies beyond the limit.
    """
    if not learned:
        return min(start, limit)
    high = min((octave for octave, met in learned.items() if met), default=None)
    low = max((octave for octave, met in learned.items() if not met), default=None)
    if high is None or low is None:
        beside = max(learned) + STEP if high is None else min(learned) - STEP
        return beside if LEAST <= beside <= limit else None
    return (low + high) / 2 if high - low > STEP / 2**halvings else None


@dataclass(frozen=True)
class Search:
    """Look for P* of one model on one grammar, from one seed.

    Attributes:
        largest: the trial with as many samples as may be tried; the others differ from it in nothing else.
        halvings: how often to halve the step that the criterion was found in.
    """

    largest: Trial
    halvings: int = 0

    def go_on(self, rows: Mapping[str, Row]) -> tuple[list[Row], Trial | None]:
        """Follow the search through finished rows, by key, and name the first trial that is missing.

        Returns:
            The rows it went through, ascending in samples; and a trial, or nothing where it has ended.
        """
        limit = octave(self.largest.samples)
        start = octave(laws.backpropagation(self.largest.hierarchy))
        learned: dict[float, bool] = {}
        found: dict[int, Row] = {}
        while (tried := next_octave(learned, start, limit, self.halvings)) is not None:
            trial = replace(self.largest, samples=samples_at(tried))
            if (row := rows.get(trial.key)) is None:
                return [], trial
            found[trial.samples] = row
            learned[tried] = has_learned(row["accuracy"], row["chance"])
        return [found[samples] for samples in sorted(found)], None


def settle(searches: Sequence[Search], ledger: Ledger, console: Console, workers: int = 0) -> list[list[Row]]:
    """Go on with all searches until each has ended: in every round the next trial of each, side by side.

    Args:
        searches: to be settled; which trials they ask for depends on no other search, nor on the workers.
        ledger: where finished rows are kept, each at once; those it holds are not computed again.
        console: where progress goes.
        workers: processes side by side; one a core unless given.

    Returns:
        The rows of each search, ascending in samples.
    """
    while missing := [trial for search in searches if (trial := search.go_on(ledger.rows)[1]) is not None]:
        done = f"{len(searches) - len(missing)} of {len(searches)} thresholds found; next "
        run_all(missing, ledger, console, workers, done)
    return [search.go_on(ledger.rows)[0] for search in searches]


def threshold(rows: Sequence[Row]) -> tuple[float, bool]:
    """Read P* off the rows of a search, in samples; or else the largest size tried, and that it lies beyond."""
    samples = [row["samples"] for row in rows]
    found = samples_to_criterion(samples, [row["accuracy"] for row in rows], rows[0]["chance"])
    return (float(samples[-1]), True) if math.isinf(found) else (found, False)
