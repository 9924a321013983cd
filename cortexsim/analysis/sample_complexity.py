"""How many samples a learner needs."""

from collections.abc import Sequence

import numpy as np

FRACTION = 0.1  # Of the chance error, that counts as learned.


def has_learned(accuracy: float, chance: float, fraction: float = FRACTION) -> bool:
    """Tell whether the test error is at most a fraction of the chance error.

    Args:
        accuracy: on the test set.
        chance: accuracy of guessing.
        fraction: of the chance error that counts as learned.
    """
    return 1 - accuracy <= fraction * (1 - chance)


def samples_to_criterion(
    samples: Sequence[int], accuracy: Sequence[float], chance: float, fraction: float = FRACTION
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
    learned = [index for index, reached in enumerate(accuracy) if has_learned(reached, chance, fraction)]
    if not learned:
        return float("inf")
    first = learned[0]
    if first == 0:
        return float(samples[0])
    above, below = 1 - accuracy[first - 1], 1 - accuracy[first]
    share = (above - fraction * (1 - chance)) / (above - below)
    low, high = np.log(samples[first - 1]), np.log(samples[first])
    return float(np.exp(low + share * (high - low)))
