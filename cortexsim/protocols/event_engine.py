"""The reference: from event to event in NumPy, exact between events.

All synapses go through their own events side by side. Traces, modulators and eligibilities decay analytically; what
changes all the time is integrated by Gauss' formula on intervals that grow with the time after the event, or, where it
depends on the weight, as a differential equation of high order.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from cortexsim.expression import Expression
from cortexsim.protocols.events import Events, tabulate
from cortexsim.protocols.protocol import Protocol
from cortexsim.rules import Rule, SpikeTiming, Term

FUNCTIONS: dict[str, Any] = {
    "abs": np.abs,
    "clip": np.clip,
    "exp": np.exp,
    "int": lambda condition: np.asarray(condition).astype(float),
    "log": np.log,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}
NODES, GAUSS = np.polynomial.legendre.leggauss(12)
RELATIVE, ABSOLUTE = 1e-11, 1e-15  # Tolerances of the differential equation.


class EventEngine:
    """A rule and the state of its synapses.

    >>> from cortexsim.protocols import pairs
    >>> from cortexsim.rules import load_rule
    >>> EventEngine(load_rule("stdp_pair"), pairs(delta=0.01, rate=1.0)).run().round(3)  # From a weight of 1.
    array([1.428])

    Args:
        rule: one of single spikes.
        protocol: what is done.
    """

    def __init__(self, rule: Rule, protocol: Protocol) -> None:
        assert isinstance(rule.feedforward, SpikeTiming)
        self.form, self.constants, self.protocol = rule.feedforward, dict(rule.constants), protocol
        self.factors = [term.factors() for term in self.form.terms]
        n, self.held_potential = protocol.synapses, protocol.potentials()
        self.weight, self.potential = protocol.weights, np.zeros(n)
        if self.held_potential is not None:
            self.potential = self.held_potential[0].copy()
        self.held_dendrite, self.dendrite = protocol.dendrites(), np.zeros(n)
        if self.held_dendrite is not None:
            self.dendrite = self.held_dendrite[0].copy()
        self.filtered = {
            name: round(trace.lag / protocol.potential_step)
            for name, trace in self.form.read_traces.items()
            if trace.of == "voltage"
        }
        self.sources = dict.fromkeys(self.filtered, self.potential)
        self.traces = {
            name: self.potential.copy() if trace.of == "voltage" else np.zeros(n)
            for name, trace in self.form.read_traces.items()
        }
        self.eligibility = [np.zeros(n) for _ in self.form.terms]
        self.held = {name: np.zeros(n) for name in self.form.modulators}
        self.expected = {name: np.zeros(n) for name in self.form.modulators}
        self.modulation = {name: np.full(n, each.baseline) for name, each in self.form.modulators.items()}
        self.flowing = [term for term in self.form.terms if term.tau_eligibility or term.always != "0"]
        self.stiffest = min((tau for tau in self._time_constants() if tau), default=1.0)

    def _time_constants(self) -> list[float]:
        found = [trace.seconds for trace in self.form.traces.values()]
        found += [modulator.seconds for modulator in self.form.modulators.values()]
        return found + [term.seconds for term in self.form.terms]

    def run(self) -> np.ndarray:
        """Run the protocol, and return the weights after it, (synapses,)."""
        events = tabulate(self.protocol)
        now = np.zeros(self.protocol.synapses)
        for column in range(events.times.shape[1]):
            self._advance(events.times[:, column] - now)
            now = events.times[:, column]
            self._clamp(events.voltage[:, column])
            self._spikes(events.pre[:, column], events.post[:, column])
            self._pulses(events, column)
        return self.weight

    def _quantities(self, elapsed: Any = 0.0) -> dict[str, Any]:
        """What texts read, some time after the last event.

        Args:
            elapsed: s, (synapses,) or (nodes, synapses).
        """
        values: dict[str, Any] = {**self.constants, "weight": self.weight, "potential_post": self.potential}
        values["dendrite_post"] = self.dendrite
        for name, trace in self.form.read_traces.items():
            rest = self.sources.get(name, 0.0)
            values[name] = rest + (self.traces[name] - rest) * np.exp(-elapsed / trace.seconds)
        for name, modulator in self.form.modulators.items():
            rest = modulator.baseline + self.held[name]
            decayed = np.exp(-elapsed / modulator.seconds) if modulator.seconds else 0.0
            values[f"{name}_all"] = rest + (self.modulation[name] - rest) * decayed
        return values

    def _advance(self, elapsed: np.ndarray) -> None:
        """Let time pass, (synapses,) s."""
        if not elapsed.any():
            return
        if self.flowing:
            self._flow(elapsed)
        after = self._quantities(elapsed)
        self.traces = {name: after[name] for name in self.traces}
        self.modulation = {name: after[f"{name}_all"] + np.zeros(len(elapsed)) for name in self.modulation}

    def _flow(self, elapsed: np.ndarray) -> None:
        read = set().union(*(f["third"].names | f["always"].names for f in self.factors))
        grows = any(term.tau_eligibility and term.always != "0" for term in self.form.terms)
        if "weight" in read or grows:
            self._solve(elapsed)
            return
        self.weight = self._bounded(self.weight + self._integral(elapsed))
        for number, term in enumerate(self.form.terms):
            if term.tau_eligibility:
                self.eligibility[number] = self.eligibility[number] * np.exp(-elapsed / term.seconds)

    def _integral(self, elapsed: np.ndarray) -> np.ndarray:
        """Integrate the change of weight, which does not depend on the weight, (synapses,)."""
        edges = [0.0, *(self.stiffest * 2.0 ** np.arange(0, 64))]
        edges = edges[: int(np.searchsorted(edges, elapsed.max()))]  # Where intervals begin.
        total = np.zeros(len(elapsed))
        for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
            start, width = np.minimum(low, elapsed), np.minimum(high, elapsed) - np.minimum(low, elapsed)
            nodes = start + width * (NODES[:, None] + 1) / 2
            values = self._quantities(nodes)
            total += width / 2 * np.sum(GAUSS[:, None] * self._rate(values, nodes), axis=0)
        return total

    def _rate(self, values: Mapping[str, Any], elapsed: Any) -> Any:
        """Rate of change of the weight, per s, where eligibilities only decay."""
        total: Any = np.zeros(np.shape(elapsed))
        for number, (term, factors) in enumerate(zip(self.form.terms, self.factors, strict=True)):
            if term.tau_eligibility:
                change = self.eligibility[number] * np.exp(-elapsed / term.seconds)
            else:
                change = _evaluate(factors["always"], values)
            total = total + _evaluate(factors["third"], values) * change
        return total

    def _solve(self, elapsed: np.ndarray) -> None:
        """Integrate weights and eligibilities together, each synapse over its own interval."""
        count = len(elapsed)
        kept = [number for number, term in enumerate(self.form.terms) if term.tau_eligibility]

        def slope(share: float, flat: np.ndarray) -> np.ndarray:
            state = flat.reshape(-1, count)
            values = self._quantities(share * elapsed) | {"weight": state[0]}
            slopes, eligibility = [np.zeros(count)], dict(zip(kept, state[1:], strict=True))
            for number, (term, factors) in enumerate(zip(self.form.terms, self.factors, strict=True)):
                own = values | {"eligibility": eligibility.get(number, 0.0)}
                change = _evaluate(factors["always"], own)
                if term.tau_eligibility:
                    slopes.append(elapsed * (change - eligibility[number] / term.seconds))
                    change = eligibility[number]
                slopes[0] = slopes[0] + elapsed * _evaluate(factors["third"], own) * change
            return np.concatenate([each + np.zeros(count) for each in slopes])

        start = np.concatenate([self.weight, *(self.eligibility[number] for number in kept)])
        found = solve_ivp(slope, (0.0, 1.0), start, method="DOP853", rtol=RELATIVE, atol=ABSOLUTE)
        weight, *eligibilities = found.y[:, -1].reshape(-1, count)
        self.weight = self._bounded(weight)
        for number, values in zip(kept, eligibilities, strict=True):
            self.eligibility[number] = values

    def _clamp(self, index: np.ndarray) -> None:
        """Begin to hold the voltage of each index, (synapses,), where it is not below 0."""
        if self.held_dendrite is not None:
            begun = self.held_dendrite[np.maximum(index, 0), np.arange(len(index))]
            self.dendrite = np.where(index >= 0, begun, self.dendrite)
        if self.held_potential is not None:
            cells = np.arange(len(index))
            self.potential = np.where(index >= 0, self.held_potential[np.maximum(index, 0), cells], self.potential)
            for name, lag in self.filtered.items():
                late = self.held_potential[np.maximum(index - lag, 0), cells]
                self.sources[name] = np.where(index >= 0, late, self.sources[name])

    def _spikes(self, pre: np.ndarray, post: np.ndarray) -> None:
        """Let cells spike, (synapses,) each: all is read before any trace changes."""
        if not (pre.any() or post.any()):
            return
        read = self._quantities()
        for factor, spiked in (("at_pre", pre), ("at_post", post)):
            for number, (term, factors) in enumerate(zip(self.form.terms, self.factors, strict=True)):
                self._add(number, term, factors, factor, spiked, read)
        for name, trace in self.form.read_traces.items():
            spiked = pre if trace.side == "pre" else post
            if trace.pairing == "nearest":
                self.traces[name] = np.where(spiked, 1.0, self.traces[name])
            else:
                self.traces[name] = self.traces[name] + trace.jump * spiked

    def _add(
        self,
        number: int,
        term: Term,
        factors: Mapping[str, Expression],
        factor: str,
        spiked: np.ndarray,
        read: Mapping[str, Any],
    ) -> None:
        """Add what a spike adds to an eligibility, or, where there is none, to the weight."""
        if not spiked.any():
            return
        values = {**read, "weight": self.weight, "eligibility": self.eligibility[number]}
        amount = np.where(spiked, _evaluate(factors[factor], values), 0.0)
        if term.tau_eligibility:
            self.eligibility[number] = self.eligibility[number] + amount
        else:
            self.weight = self._bounded(self.weight + _evaluate(factors["third"], values) * amount)

    def _pulses(self, events: Events, column: int) -> None:
        for name, sizes in events.brief.items():
            present = sizes[:, column] != 0
            if present.any():
                self._brief(name, np.where(present, sizes[:, column] - self.expected[name], 0.0))
                moved = self.form.modulators[name].expectation * (sizes[:, column] - self.expected[name])
                self.expected[name] = self.expected[name] + np.where(present, moved, 0.0)
        for name, steps in events.held.items():
            self.held[name] = self.held[name] + steps[:, column]

    def _brief(self, name: str, sizes: np.ndarray) -> None:
        """Let a brief pulse of a modulator arrive; one without a time constant changes the weight at once."""
        tau = self.form.modulators[name].seconds
        if tau:
            self.modulation[name] = self.modulation[name] + sizes / tau
            return
        without = self._quantities()
        raised = {**without, f"{name}_all": without[f"{name}_all"] + sizes}
        difference = self._rate(raised, 0.0) - self._rate(without, 0.0)
        self.weight = self._bounded(self.weight + difference)

    def _bounded(self, weight: np.ndarray) -> np.ndarray:
        return np.clip(weight, *self.form.bounds)


def _evaluate(text: Expression, values: Mapping[str, Any]) -> Any:
    return text(values, FUNCTIONS)
