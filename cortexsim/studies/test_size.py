"""The number of test samples, and how many are enough to measure an accuracy."""

from cortexsim.config.trial import test_size
from cortexsim.errors import UserError
from cortexsim.tasks import Task

PER_CLASS = 4  # The least number of test samples per class, where a user chooses the size of the training set.


def checked_test_size(task: Task, samples: int) -> int:
    """Choose the number of held-out test samples, at least `PER_CLASS` times the number of classes.

    With four expected samples of each of 8 classes, a class is missing from one test set in seven, and an accuracy near
    one half has a standard error of 0.09. With fewer samples a whole class would often be missing.

    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> checked_test_size(Hierarchy(features=8, multiplicity=4, depth=3), samples=1024)
    4096

    Args:
        task: what is learned.
        samples: size of the training set.

    Raises:
        UserError: where too few samples are left to test on.
    """
    left, least = task.distinct_samples - samples, PER_CLASS * task.classes
    if left < least:
        most = task.distinct_samples - least
        fewer = f"ask for {most} or fewer" if most >= 2 else ""
        more = "raise --depth or --multiplicity" if task.depth else ""
        raise UserError(
            f"--samples {samples}: this {'grammar' if task.depth else 'task'} has {task.distinct_samples} distinct"
            f" samples, which leaves {max(left, 0)} to test on (at least {least}, {PER_CLASS} a class:"
            f" {', or '.join(filter(None, (fewer, more))) or 'it is too small'})"
        )
    if (found := test_size(task, samples)) < least:
        raise UserError(f"task '{task.name}' has {found} samples to test on (at least {least}, {PER_CLASS} a class)")
    return found
