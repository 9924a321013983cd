"""The search for P*: bisection on a fixed grid of training-set sizes, until P* lies between two neighbours."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cortexsim.analysis.sample_complexity import has_learned
from cortexsim.config.trial import Row, Trial
from cortexsim.storage.committed_rows import Measure
from cortexsim.tasks.rhm import Hierarchy, laws

STEP = 0.5  # Octaves from size to size, the same for all hierarchies, so that searches share rows.
FINE = STEP / 2  # Octaves between the two sizes that enclose P* in the end.
ABOVE = 1.0  # Octaves above P* in which the criterion must be met throughout.
LEAST = 1.0  # Octave of the smallest size: two samples.


def octave(limit: float) -> float:
    """The largest size of the grid that is at most ``limit`` samples, as the octave log2 P."""
    found = math.ceil(math.log2(limit) / STEP) * STEP
    return found if samples_at(found) <= limit else found - STEP


def samples_at(octave: float) -> int:
    """The number of samples at an octave, P = 2^octave."""
    return round(2**octave)


def next_octave(learned: Mapping[float, bool], start: float, limit: float) -> float | None:
    """Choose the next size to try, given the sizes tried so far and whether the criterion was met there.

    P* is at most the smallest size from which on the criterion is met at all larger sizes tried, up to an octave above
    or to the limit. A learner that fails again there is searched for above, so luck at a small size does not count.

    >>> samples_at(10.5)
    1448
    >>> next_octave({9.0: False, 11.0: True}, start=9.0, limit=13.0)  # P* is between 512 and 2048 samples.
    11.5

    Args:
        learned: whether the criterion was met, by octave.
        start: octave to begin at.
        limit: largest octave.

    Returns:
        An octave; None where P* is enclosed, or lies beyond the limit.
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
class ThresholdSearch:
    """The search for P* of one model on one grammar with one seed.

    Attributes:
        largest: the trial with as many samples as may be tried; the others differ from it in their samples only.
    """

    largest: Trial

    def next_trial(self, rows: Mapping[int, Row]) -> Trial | None:
        """Choose the next trial, given the finished rows by samples.

        The search begins at the smaller of the two predicted laws, where trials are cheaper; for an untrained network,
        which costs little and rarely meets the criterion, at the largest size.

        Returns:
            A trial; None where the search has ended.
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
        """The trial with so many samples."""
        return replace(self.largest, samples=samples)


def run_searches(searches: Sequence[ThresholdSearch], measure: Measure) -> list[list[Row]]:
    """Run all searches to their end: in every round the next trial of each, side by side.

    Args:
        searches: independent of each other.
        measure: returns the rows of trials, such as an `Engine`, or committed rows.

    Returns:
        The rows of each search, ascending in samples.
    """
    rows: list[dict[int, Row]] = [{} for _ in searches]
    while True:
        asked = [search.next_trial(several) for search, several in zip(searches, rows, strict=True)]
        missing = [(trial, several) for trial, several in zip(asked, rows, strict=True) if trial is not None]
        if not missing:
            return [[several[samples] for samples in sorted(several)] for several in rows]
        done = f"{len(searches) - len(missing)} of {len(searches)} thresholds found; next "
        answers = measure([trial for trial, _ in missing], done)
        for (trial, several), row in zip(missing, answers, strict=True):
            several[trial.samples] = row
