"""How many test samples are enough to say anything of a learner."""

from cortexsim.errors import UserError
from cortexsim.runs.trial import test_size
from cortexsim.tasks.rhm import Hierarchy

PER_CLASS = 4  # Test samples for each class, at least, where a user says how many are trained on.


def checked_test_size(hierarchy: Hierarchy, samples: int) -> int:
    """Choose how many samples to hold out, and see that these are enough: `PER_CLASS` times as many as classes.

    Four of each class are then expected: of 8 classes one is missing in one test set out of seven, and an accuracy
    near one half has a standard error of 0.09. With fewer a whole class would often be absent, and an accuracy of
    neither 0 nor 1 a matter of luck.

    Raises:
        UserError: where so many for training leave fewer.
    """
    left, least = hierarchy.distinct_samples - samples, PER_CLASS * hierarchy.classes
    if left < least:
        most = hierarchy.distinct_samples - least
        mend = f"ask for {most} or fewer, or raise" if most >= 2 else "raise"
        raise UserError(
            f"--samples {samples}: this grammar has {hierarchy.distinct_samples} distinct samples, which leaves"
            f" {max(left, 0)} to test on (at least {least}, {PER_CLASS} a class: {mend} --depth or --multiplicity)"
        )
    return test_size(hierarchy, samples)
