"""How many test samples are enough to say anything of a learner."""

from cortexsim.config.trial import test_size
from cortexsim.errors import UserError
from cortexsim.tasks import Task

PER_CLASS = 4  # Test samples for each class, at least, where a user says how many are trained on.


def checked_test_size(task: Task, samples: int) -> int:
    """Choose how many samples to hold out, and see that these are enough: `PER_CLASS` times as many as classes.

    Four of each class are then expected: of 8 classes one is missing in one test set out of seven, and an accuracy
    near one half has a standard error of 0.09. With fewer a whole class would often be absent, and an accuracy of
    neither 0 nor 1 a matter of luck.

    Raises:
        UserError: where so many for training leave fewer.
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
