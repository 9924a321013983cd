"""A delay line for spikes: whether a cell spiked in each of its last time steps, as the binary digits of one number.

A cell either spikes in a time step or does not, so that its last n steps are n bits. Brian2 has no shift register, but
a variable of a cell is a double, whose significand holds the integers below 2^53 exactly: doubling it shifts all bits
by one step, adding 1 writes the newest, and subtracting 2^(n - 1) removes the oldest. Such a delay line is part of the
state of a cell like any other variable, so that a run can be cut at any fixation, which spikes under way in queues of
Brian2 would not allow.
"""

MAX_DELAY = 52
"""Most time steps that a delay line holds."""


def delay_line(steps: int, line: str, spiked: str, delayed: str) -> list[str]:
    """Write the statements by which a delay line advances by one time step.

    >>> delay_line(3, "line", "spiked", "late")
    ['late = 1.0 * int(line >= 4.0)', 'line = 2 * (line - 4.0 * late) + spiked', 'spiked = 0']

    Args:
        steps: delay, at most `MAX_DELAY`.
        line: variable of the cell that holds the bits.
        spiked: variable that is 1 if the cell has spiked in this step; it is cleared.
        delayed: variable that becomes 1 if the cell spiked so many steps ago, or else 0.
    """
    oldest = repr(2.0 ** (steps - 1))
    return [
        f"{delayed} = 1.0 * int({line} >= {oldest})",
        f"{line} = 2 * ({line} - {oldest} * {delayed}) + {spiked}",
        f"{spiked} = 0",
    ]
