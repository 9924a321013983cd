"""Which weights a run records: the options of a command, checked."""

from cortexsim.config.schema import Model
from cortexsim.errors import UserError, nearest
from cortexsim.storage.weight_file import WeightSampling

WEIGHTS, ALL = "weights", "all"
SYNAPSES = 64  # Of each weight tensor, unless others are asked for.


def checked_sampling(
    record: str | None, every: int | None, synapses: str | None, model: Model, samples: int
) -> WeightSampling | None:
    """Return which weights to record while a model learns; None for none.

    >>> from cortexsim.config.registry import find_model
    >>> checked_sampling("weights", every=500, synapses="100", model=find_model("clapp"), samples=1024)
    WeightSampling(every=500, synapses=100)

    Args:
        record: what ``--record`` was given, if anything.
        every: fixations between two records; an epoch unless given.
        synapses: how many of each weight tensor, or ``all``.
        model: which learns.
        samples: number of training samples.

    Raises:
        UserError: a value is invalid, or there is nothing to record.
    """
    if record is None:
        for name, value in (("every", every), ("synapses", synapses)):
            if value is not None:
                raise UserError(f"--{name} {value}: nothing is recorded (add --record {WEIGHTS}, or leave it out)")
        return None
    if record != WEIGHTS:
        raise UserError(f"--record {record}: not known ({nearest(record, [WEIGHTS])})")
    if model.learner == "untrained":
        raise UserError(f"--record {record}: {model.name} learns nothing, and its weights stay (leave it out)")
    count = SYNAPSES if synapses is None else None if synapses == ALL else _count(synapses)
    return WeightSampling(every or samples, count)


def _count(text: str) -> int:
    """Read a number of synapses."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise UserError(f"--synapses {text or repr(text)}: not a number of synapses, such as {SYNAPSES}, nor '{ALL}'")
    return int(text)
