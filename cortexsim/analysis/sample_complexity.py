"""How many samples a learner needs."""

from collections.abc import Sequence

import numpy as np


def samples_to_criterion(
    samples: Sequence[int], accuracy: Sequence[float], chance: float, fraction: float = 0.1
) -> float:
    """Estimate P*: where the test error first falls to a fraction of the chance error.

    Between the two sizes that enclose it, the error is taken as linear in log P.

    Args:
        samples: training-set sizes, ascending.
        accuracy: test accuracy at each.
        chance: accuracy of guessing.
        fraction: of the chance error that counts as learned.

    Returns:
        P*; the smallest size where it was learned already, infinity where it never was.
    """
    criterion = fraction * (1 - chance)
    error = 1 - np.asarray(accuracy, dtype=float)
    learned = np.flatnonzero(error <= criterion)
    if not len(learned):
        return float("inf")
    first = int(learned[0])
    if first == 0:
        return float(samples[0])
    above, below = error[first - 1], error[first]
    share = (above - criterion) / (above - below)
    low, high = np.log(samples[first - 1]), np.log(samples[first])
    return float(np.exp(low + share * (high - low)))
