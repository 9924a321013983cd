"""Simulating LPL's spiking network, chunk by chunk, so that it may be interrupted between any two."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.spiking.lpl.circuit import EXCITATORY, INHIBITING, INHIBITORY, PLASTIC, Sizes, describe_circuit
from cortexsim.spiking.lpl.constants import CELL, DT, INHIBITION, POSTSYNAPTIC, SYNAPSE, WEIGHT_PERIOD
from cortexsim.spiking.lpl.signals import POPULATIONS, population_rates, rates_at
from cortexsim.spiking.network_spec import INPUT, RUN
from cortexsim.spiking.simulation import Stack, State

INHIBITIONS = ("plastic", "fixed", "none")
MEAN_VOLTAGE, VOLTAGE_SPREAD = -60e-3, 10e-3  # With which all cells begin; the released code.


@dataclass(frozen=True)
class Condition:
    """State what is learned.

    Attributes:
        inhibition: whether it is ``plastic``, ``fixed`` at its first weights, or there is ``none``.
        predictive: phi, the strength of the predictive term.
        hebbian: lambda, the strength of the Hebbian term, in Hz.
        eta: learning rate of the input synapses, in volt.

    Raises:
        UserError: where there is no such inhibition.
    """

    inhibition: str = "plastic"
    predictive: float = POSTSYNAPTIC["predictive"].value
    hebbian: float = POSTSYNAPTIC["hebbian"].value
    eta: float = SYNAPSE["eta"].value

    def __post_init__(self) -> None:
        if self.inhibition not in INHIBITIONS:
            raise UserError(f"inhibition = '{self.inhibition}' is not known ({', '.join(INHIBITIONS)})")

    @property
    def constants(self) -> dict[str, float]:
        """What differs from the constants of the network, by ``owner.name``."""
        return {
            f"{EXCITATORY}.predictive": self.predictive,
            f"{EXCITATORY}.hebbian": self.hebbian,
            f"{PLASTIC}.eta": self.eta,
            f"{INHIBITING}.zeta": INHIBITION["zeta"].value if self.inhibition == "plastic" else 0.0,
        }


@dataclass(frozen=True)
class Spikes:
    """Spikes of a chunk.

    Attributes:
        times: of each group, in seconds since the chunk began, (spikes,).
        cells: of each group, which cell it was, (spikes,).
        sizes: cells of each group.
        duration: of the chunk, in seconds.
    """

    times: Mapping[str, np.ndarray]
    cells: Mapping[str, np.ndarray]
    sizes: Mapping[str, int]
    duration: float

    def binned(self, group: str, width: float) -> np.ndarray:
        """Count the spikes of each cell of a group in bins of so many seconds, (bins, cells)."""
        counts = np.zeros((round(self.duration / width), self.sizes[group]))
        bins = ((self.times[group] + DT / 2) / width).astype(int)
        np.add.at(counts, (bins, self.cells[group]), 1)
        return counts

    def rates(self, group: str) -> np.ndarray:
        """Rate of each cell of a group, in Hz, (cells,)."""
        return np.bincount(self.cells[group], minlength=self.sizes[group]) / self.duration


@dataclass
class Simulation:
    """The network in one condition.

    >>> toy = Sizes(population=4, excitatory=4, inhibitory=4, input_probability=1.0, lateral_probability=1.0)
    >>> simulation = Simulation(Condition("fixed"), toy, seed=1, chunk=0.02, target="numpy")
    >>> spikes, state = simulation.run(simulation.begin(), number=0, plastic=True)
    >>> spikes.binned("input", 0.01).shape
    (2, 20)

    Args:
        condition: what is learned.
        sizes: of the network.
        seed: root of all that is drawn: connections, signals, voltages, input spikes.
        chunk: duration of a chunk in seconds, a multiple of an update's.
        steps: time steps of 0.1 ms from one update to the next.
        target: ``cpp``, or ``numpy`` where there is no compiler.
    """

    condition: Condition
    sizes: Sizes = field(default_factory=Sizes)
    seed: int = 0
    chunk: float = 100.0
    steps: int = 10
    target: str = "cpp"

    def __post_init__(self) -> None:
        self.interval = DT * self.steps
        self.updates = round(self.chunk / self.interval)
        self.description, self.constants = describe_circuit(self.sizes, self.seed, self.updates, self.steps)
        self.stack = Stack(self.description, self.constants, self.target)
        self.rates = population_rates(self.seed)

    @property
    def populations(self) -> np.ndarray:
        """Population of the input cell of each plastic synapse, (synapses,)."""
        found: np.ndarray = self.stack.connectivity[PLASTIC].pre // self.sizes.population
        return found

    @property
    def targets(self) -> np.ndarray:
        """Excitatory cell of each plastic synapse, (synapses,)."""
        return self.stack.connectivity[PLASTIC].post

    def begin(self) -> State:
        """Draw the state before anything is learned."""
        state = self.stack.initial_state()
        for group in (EXCITATORY, INHIBITORY):
            voltages = stream(self.seed, "voltages", group).normal(
                MEAN_VOLTAGE, VOLTAGE_SPREAD, self.stack.sizes[group]
            )
            state[f"{group}.v"] = np.clip(voltages, CELL["v_inhibition"].value, CELL["v_threshold"].value)
            state[f"{group}.threshold"] += CELL["v_threshold"].value
        state[f"{PLASTIC}.w"] += self.sizes.input_weight
        if self.condition.inhibition != "none":
            state[f"{INHIBITING}.w"] += self.sizes.inhibiting_weight
        return state

    def run(self, state: State, number: int, plastic: bool) -> tuple[Spikes, State]:
        """Run a chunk.

        Args:
            state: before it, which is not changed.
            number: of the chunk, from 0.
            plastic: whether input synapses learn; what they read of their cells is averaged in any case.

        Returns:
            Its spikes, and the state after it.

        Raises:
            UserError: where the program cannot be compiled or fails.
        """
        recorded = {f"spikes_{group}.{name}" for group in self.description.recorded for name in ("t", "i")}
        values: dict[str, np.ndarray | float] = {**self.constants, **self.condition.constants, **state}
        values |= {f"{RUN}.steps": self.updates * self.steps, f"{INPUT}.seed": self.seed}
        wanted = [*(variable.key for variable in self.description.state), *recorded]
        found = self.stack.engine.run(values, self._streams(number * self.updates, plastic), wanted)
        times = {group: found[f"spikes_{group}.t"] for group in self.description.recorded}
        cells = {group: found[f"spikes_{group}.i"].astype(int) for group in self.description.recorded}
        spikes = Spikes(times, cells, self.stack.sizes, self.chunk)
        return spikes, {key: found[key] for key in state}

    def _streams(self, first: int, plastic: bool) -> dict[str, np.ndarray]:
        """Lay out the timed arrays: row k is read at update k, which ends what came before; so row 0 ends nothing."""
        number = first + np.arange(self.updates + 1)
        ends = np.arange(self.updates + 1) > 0
        whole = round(WEIGHT_PERIOD / self.interval)
        return {
            "probability": rates_at(self.rates, number * self.interval) * self.interval,
            "number": number.astype(float),
            "learning": ends.astype(float),
            "due": (ends & (number % whole == 0)).astype(float),
            "plastic": np.full(self.updates + 1, float(plastic)),
        }


def mean_weights(simulation: Simulation, state: State) -> np.ndarray:
    """Average the weights of the plastic synapses of each excitatory cell from each population.

    As in the published analysis, pairs of cells that no synapse connects count as zero.

    Returns:
        (populations, excitatory cells).
    """
    sums = np.zeros((len(POPULATIONS), simulation.sizes.excitatory))
    np.add.at(sums, (simulation.populations, simulation.targets), state[f"{PLASTIC}.w"])
    return sums / simulation.sizes.population
