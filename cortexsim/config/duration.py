"""How long a trial will take: an estimate, by which trials are scheduled, and the end of all of them is predicted."""

from cortexsim.config.schema import Model
from cortexsim.config.wiring import learning_layers, topology_on
from cortexsim.errors import UserError
from cortexsim.quantities import quantity
from cortexsim.tasks import Task

BATCH_COST = {"backprop": 3.2e-4, "feedback": 2.7e-4, "local": 1.6e-4}  # Seconds a batch and layer, on one core.
COLUMN_COST = 4.2e-4  # Of a column of 64 cells in Brian2, for each second that it lives.
MEASURING_COST, READOUT_COST = 0.3, 3e-4  # Seconds of a trial's probes, and a training sample's part in its readout.


def estimated_seconds(model: Model, task: Task, samples: int, test_samples: int) -> float:
    """Estimate how long a trial takes on one core, in seconds.

    Constants were fitted to models of the package, with columns of 64 cells; for these the estimate is right to within
    a factor of two. A local rule learns layer by layer, each time through all layers below.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> shallow, deep = (estimated_seconds(find_model("clapp-spiking"), Hierarchy(depth=L), 1024, 512) for L in (2, 4))
    >>> deep > 5 * shallow
    True

    Args:
        model: with its settings for the depth of the task.
        task: what it learns.
        samples: number of training samples.
        test_samples: number of test samples.
    """
    presented = model.training.epochs * samples
    seconds = MEASURING_COST + samples * READOUT_COST
    try:
        wired = topology_on(model, task)
    except UserError:  # Which the trial itself reports.
        return seconds
    stages = max(1, learning_layers(model, wired)) if model.learner == "local" else 1
    if not model.in_brian:
        step = 0.0 if model.learner == "untrained" else BATCH_COST[model.learner] / min(model.training.batch, samples)
        return seconds + presented * stages * wired.depth * step
    lifetime = COLUMN_COST * _lifetime(model)
    seconds += lifetime * sum(wired.positions) * (samples + test_samples)
    if model.learner == "untrained":
        return seconds
    return seconds + lifetime * sum(sum(wired.positions[: k + 1]) for k in range(stages)) * presented


def _lifetime(model: Model) -> float:
    """How long a column lives for one sample, in seconds; twice as long where it has as many interneurons as cells."""
    table = model.spiking
    lifetime = quantity(table.fixation, "time") + quantity(table.blank, "time")
    return 2 * lifetime if table.inhibition == "relayed" else lifetime
