"""The search for P*: steps on one grid of training-set sizes, until the criterion lies between two neighbours."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cortexsim.analysis.sample_complexity import has_learned
from cortexsim.config.trial import Row, Trial
from cortexsim.storage.committed_rows import Measure
from cortexsim.tasks.rhm import Hierarchy, laws

STEP = 0.5  # Octaves from size to size, whatever the hierarchy, so that searches share rows.
FINE = STEP / 2  # Octaves between the two sizes that P* lies between.
ABOVE = 1.0  # Octaves above P* in which the criterion must be met throughout.
LEAST = 1.0  # Two samples.


def octave(limit: float) -> float:
    """Find the largest size of the grid, as the octave log2 P, that is no larger than so many samples."""
    found = math.ceil(math.log2(limit) / STEP) * STEP
    return found if samples_at(found) <= limit else found - STEP


def samples_at(octave: float) -> int:
    """Turn an octave into a number of samples."""
    return round(2**octave)


def next_octave(learned: Mapping[float, bool], start: float, limit: float) -> float | None:
    """Say which size to try next, given those that were tried and whether they met the criterion.

    P* lies below the smallest size from which on the criterion was met at all larger ones. These reach an octave
    further up, or to the limit: who fails there again is searched for above, so that luck at a small size is no merit.

    Args:
        learned: whether the criterion was met, by octave.
        start: octave to begin at.
        limit: largest octave.

    Returns:
        An octave; nothing where the criterion is enclosed, or lies beyond the limit.
    """
    if not learned:
        return min(start, limit)
    largest = max(learned)
    low = max((octave for octave, met in learned.items() if not met), default=None)
    if low == largest:
        return largest + STEP if largest + STEP <= limit else None
    high = min(octave for octave, met in learned.items() if met and (low is None or octave > low))
    if low is None and high - STEP >= LEAST:
        return high - STEP
    if largest + STEP <= min(high + ABOVE, limit):
        return largest + STEP
    return (low + high) / 2 if low is not None and high - low > FINE else None


@dataclass(frozen=True)
class Search:
    """Look for P* of one model on one grammar, from one seed.

    Attributes:
        largest: the trial with as many samples as may be tried; the others differ from it in nothing else.
    """

    largest: Trial

    def go_on(self, rows: Mapping[int, Row]) -> Trial | None:
        """Follow the search through finished rows, by samples, and name the trial that it asks for next.

        It begins at the smaller of the two laws, for that is cheaper; an untrained network, which is cheap itself and
        rarely gets there, at the end.

        Returns:
            A trial; nothing where the search has ended.
        """
        limit = octave(self.largest.samples)
        untrained = self.largest.model.learner == "untrained"
        hierarchy = self.largest.task
        assert isinstance(hierarchy, Hierarchy)
        predicted = min(laws.backpropagation(hierarchy), laws.clustering(hierarchy))
        start = limit if untrained else octave(predicted)
        learned: dict[float, bool] = {}
        while (tried := next_octave(learned, start, limit)) is not None:
            if (row := rows.get(samples_at(tried))) is None:
                return self.at(samples_at(tried))
            learned[tried] = has_learned(row["accuracy"], row["chance"])
        return None

    def at(self, samples: int) -> Trial:
        """Name the trial with so many samples."""
        return replace(self.largest, samples=samples)


def settle(searches: Sequence[Search], measure: Measure) -> list[list[Row]]:
    """Go on with all searches until each has ended: in every round the next trial of each, side by side.

    Args:
        searches: to be settled; which trials they ask for depends on no other search.
        measure: computes or finds the rows of trials.

    Returns:
        The rows of each search, ascending in samples.
    """
    rows: list[dict[int, Row]] = [{} for _ in searches]
    while True:
        asked = [search.go_on(several) for search, several in zip(searches, rows, strict=True)]
        missing = [(trial, several) for trial, several in zip(asked, rows, strict=True) if trial is not None]
        if not missing:
            return [[several[samples] for samples in sorted(several)] for several in rows]
        done = f"{len(searches) - len(missing)} of {len(searches)} thresholds found; next "
        answers = measure([trial for trial, _ in missing], done)
        for (trial, several), row in zip(missing, answers, strict=True):
            several[trial.samples] = row
