"""A protocol: what is done to synapses that do not know each other."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from cortexsim.errors import UserError

RESOLUTION = 12  # Decimals of a time in seconds; events closer than that are one.


class Pulse(NamedTuple):
    """A pulse of a modulator.

    Attributes:
        time: of its beginning, s.
        size: of a brief pulse its area; with a duration, by how much the baseline is raised.
        duration: how long, s; 0 for a brief one.
    """

    time: float
    size: float = 1.0
    duration: float = 0.0

    @property
    def edges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Times at which it raises and lowers the baseline, and by how much."""
        return (self.time, self.size), (self.time + self.duration, -self.size)


@dataclass(frozen=True)
class Protocol:
    """Spikes, voltages and pulses, for one synapse or several, each with two cells of its own.

    >>> Protocol(pre=[[0.1], [0.1]], post=[[0.11], [0.09]], duration=0.2).synapses
    2

    Args:
        pre: times of presynaptic spikes, s; one sequence for each synapse.
        post: times of postsynaptic spikes, s; likewise.
        duration: when the weights are read, s.
        weight: before; one number, or one for each synapse.
        pulses: of modulators by name; they reach all synapses.
        potential: of the postsynaptic cells, mV, (steps,) or (steps, synapses): each value is held for one step.
        potential_step: how long, s.
        dendrite: what the dendrites alone would make of that potential, in steps of the same length, mV.

    Raises:
        UserError: where times lie outside the protocol, a cell spikes twice at one time, a duration, pulse or voltage
            is impossible, or numbers of synapses differ.
    """

    pre: Sequence[Sequence[float] | np.ndarray]
    post: Sequence[Sequence[float] | np.ndarray]
    duration: float
    weight: float | Sequence[float] | np.ndarray = 1.0
    pulses: Mapping[str, Sequence[Pulse]] = field(default_factory=lambda: MappingProxyType({}))
    potential: np.ndarray | None = None
    potential_step: float = 1e-3
    dendrite: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.duration) and self.duration > 0):
            raise UserError(f"duration = {self.duration!r}: not a time above 0, in seconds")
        if len(self.pre) != len(self.post) or not len(self.pre):
            raise UserError(f"spikes of {len(self.pre)} presynaptic and {len(self.post)} postsynaptic cells (as many)")
        if np.ndim(self.weight) and np.shape(self.weight) != (self.synapses,):
            raise UserError(f"weight: {np.shape(self.weight)} numbers for {self.synapses} synapses")
        self._check_times()
        self._check_pulses()
        self._check_held()

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return len(self.pre)

    @property
    def weights(self) -> np.ndarray:
        """Weights before, (synapses,)."""
        return np.broadcast_to(np.asarray(self.weight, dtype=float), (self.synapses,)).copy()

    def spikes(self, side: str) -> list[np.ndarray]:
        """Times of the spikes of each ``"pre"`` or ``"post"`` cell, sorted and rounded, s."""
        return [np.unique(np.round(np.asarray(each, dtype=float), RESOLUTION)) for each in getattr(self, side)]

    def potentials(self) -> np.ndarray | None:
        """The held voltages, (steps, synapses), mV; None where there are none."""
        return self._for_all(self.potential)

    def dendrites(self) -> np.ndarray | None:
        """The held potentials of dendrites, (steps, synapses), mV; None where there are none."""
        return self._for_all(self.dendrite)

    @property
    def held_steps(self) -> int:
        """For how many steps voltages are held; 0 where there are none."""
        given = self.potential if self.potential is not None else self.dendrite
        return 0 if given is None else len(given)

    def _for_all(self, given: np.ndarray | None) -> np.ndarray | None:
        if given is None:
            return None
        held = np.asarray(given, dtype=float)
        return np.broadcast_to(held[:, None] if held.ndim == 1 else held, (len(held), self.synapses))

    def _check_times(self) -> None:
        pulses = {f"pulses of {name}": [p.time for p in each] for name, each in self.pulses.items()}
        spikes = {
            f"{side} of synapse {i}": each for side in ("pre", "post") for i, each in enumerate(getattr(self, side))
        }
        for name, values in {**spikes, **pulses}.items():
            times = np.asarray(values, dtype=float)
            if len(times) and not (times.min() >= 0 and times.max() < self.duration):
                raise UserError(f"{name}: times must be at least 0 and below the duration, {self.duration:g} s")
            found, counts = np.unique(np.round(times, RESOLUTION), return_counts=True)
            if name in spikes and counts.max(initial=1) > 1:
                raise UserError(
                    f"{name}: several spikes at {found[counts.argmax()]:g} s (a cell spikes once at a time)"
                )

    def _check_pulses(self) -> None:
        for name, pulse in ((name, pulse) for name, each in self.pulses.items() for pulse in each):
            if not math.isfinite(pulse.size):
                raise UserError(f"pulses of {name}: size = {pulse.size!r}: not a finite number")
            if not 0 <= pulse.duration < math.inf:
                raise UserError(f"pulses of {name}: duration = {pulse.duration!r}: not a time of 0 or more, in seconds")

    def _check_held(self) -> None:
        if not 0 < self.potential_step < math.inf:
            raise UserError(f"potential_step = {self.potential_step!r}: not a time above 0, in seconds")
        given = {"potential": self.potential, "dendrite": self.dendrite}
        held = {name: np.asarray(values, dtype=float) for name, values in given.items() if values is not None}
        for name, values in held.items():
            if not values.size or not values.ndim or values.shape[1:] not in ((), (self.synapses,)):
                wanted = f"(steps,) or (steps, {self.synapses}), of 1 step or more"
                raise UserError(f"{name}: an array of shape {values.shape}, not {wanted}")
            if not np.isfinite(values).all():
                raise UserError(f"{name}: has nan or infinite values (all must be finite, in mV)")
        if len(held) == 2 and len(held["potential"]) != len(held["dendrite"]):
            steps = len(held["potential"])
            raise UserError(f"dendrite: {len(held['dendrite'])} steps, beside {steps} of the potential (as many)")
