"""The way of a broadcast from a modulator to the synapses: at once, or through a delay line and a low-pass filter."""

from typing import NamedTuple, Self

from cortexsim.modulators import Modulator
from cortexsim.spiking.assembly import Parts, shared_constants
from cortexsim.spiking.network_spec import Connection, Group, Operation, Phase, in_round
from cortexsim.spiking.settings import Control, Settings

SAMPLE_DRAW, SLOT_DRAW = 1, 2  # Which random numbers of a fixation decide on a shuffled broadcast.


class Sender(NamedTuple):
    """The group whose cells broadcast a modulator: its own, or the delay line behind it.

    A delay line has one slot for each update of its delay, through which the values move on.

    Attributes:
        group: its name.
        units: cells of the modulator.
        slots: of the delay line, each with as many cells.
        selection: factor that selects the slot that arrives, read at a synapse; empty where there is no delay line.
    """

    group: str
    units: int
    slots: int = 1
    selection: str = ""

    @classmethod
    def of(cls, name: str, units: int, modulator: Modulator, settings: Settings, parts: Parts) -> Self:
        """Find the group that broadcasts a modulator.

        Args:
            name: of the modulator's own group.
            units: its cells.
            modulator: what it broadcasts.
            settings: everything else.
            parts: of the network.
        """
        control = settings.control.get(modulator.name, Control())
        if control.slots == 1 and not control.tau_filter:
            return cls(name, units)
        selection = f" * int(i >= first_pre) * int(i < first_pre + {units})"
        return cls(f"{name}_line", units, control.slots * parts.updates if control.slots > 1 else 1, selection)

    def to_columns(self, name: str, target: str, size: int, variables: dict[str, str], phase: int) -> Connection:
        """Connect every cell with its own share of the cells of a group.

        Args:
            name: of the connection.
            target: name of the group.
            size: its cells.
            variables: what they sum, by name, and the variable of the sender.
            phase: when.
        """
        read = "\n".join(
            f"{variable}_post = {value}_pre{self.selection} : 1 (summed)" for variable, value in variables.items()
        )
        cells = size // self.units
        wiring = ("scatter", {"positions": self.units, "cells": cells, "slots": self.slots})
        return Connection(name, self.group, target, read, wiring, row=cells, sums=dict.fromkeys(variables, phase))


def add_delay_line(
    name: str,
    units: int,
    modulator: Modulator,
    settings: Settings,
    suffixes: list[str],
    parts: Parts,
    number: int = 0,
) -> Sender:
    """Add the delay and the low-pass filter between a modulator and the synapses, if it has any.

    Args:
        name: of the modulator's own group.
        units: its cells.
        modulator: what it broadcasts.
        settings: everything else.
        suffixes: endings of the variables of its values.
        parts: to add to.
        number: round of broadcasts in which it is computed.

    Returns:
        The group that broadcasts.
    """
    sender, control = Sender.of(name, units, modulator, settings, parts), settings.control.get(modulator.name)
    line, slots = sender.group, sender.slots
    if control is None or line == name:
        return sender
    model = [f"value{s} : 1\nentering{s} : 1\nmoving{s} : 1" for s in suffixes]
    model += ["first : 1 (shared)", *shared_constants(["filter_rate"])]
    parts.groups.append(Group(line, units * slots, "\n".join(model)))
    dt, tau = settings.timing.period / parts.updates, control.tau_filter
    parts.set(line, {"filter_rate": dt / (dt + tau)})
    paths = [("entering", name, ("aligned", {"units": units}))]
    if slots > 1:
        paths.append(("moving", line, ("shift", {"units": units, "slots": slots})))
    for variable, source, wiring in paths:
        summed = "\n".join(f"{variable}{s}_post = value{s}_pre : 1 (summed)" for s in suffixes)
        sums = {f"{variable}{s}": in_round(Phase.DELAY_INPUT, number) for s in suffixes}
        parts.connections.append(Connection(f"{variable}_{line}", source, line, summed, wiring, sums=sums))
    moved = _moved(units, slots, control.delay * parts.updates, control, suffixes)
    parts.operations.append(Operation(line, in_round(Phase.DELAY_LINE, number), moved))
    parts.carry(line, *(f"value{s}" for s in suffixes))
    return sender


def _moved(units: int, slots: int, delay: int, control: Control, suffixes: list[str]) -> str:
    """Write the statements by which values enter a delay line and move on."""
    entering = {s: f"entering{s}" for s in suffixes}
    if control.shuffle and len(suffixes) == 2:
        coin = f"int(uniform(0, int(ended_id(t)), {SAMPLE_DRAW}, i) < 0.5)"
        entering = {a: f"({coin} * entering{a} + (1 - {coin}) * entering{b})" for a, b in (suffixes, suffixes[::-1])}
    first = str(delay)
    if control.shuffle:
        first = f"floor({delay} + uniform(0, int(ended_id(t)), {SLOT_DRAW}, 0) * {slots - delay})"
    lines = [f"first = {units} * {first}"]
    for s in suffixes:
        filtered = f"int(i < {units}) * (value{s} + filter_rate * ({entering[s]} - value{s}))"
        lines.append(f"value{s} += learning(t) * ({filtered} + int(i >= {units}) * moving{s} - value{s})")
    return "\n".join(lines)
