"""The engine on a grid of time: the texts of a rule as synapses of Brian2, one for each synapse of a protocol.

Spikes act at the beginning of a step, before the state of the step is integrated. All is state of the synapses, as each
has two cells of its own: traces, eligibilities, and the modulators, which pulses reach through synapses onto synapses.
"""

import re
from typing import Any

import brian2
import numpy as np
from brian2 import Network, SpikeGeneratorGroup, Synapses, TimedArray, second

from cortexsim.protocols.protocol import Protocol
from cortexsim.rules import Rule, SpikeTiming

SCHEDULE = ["start", "thresholds", "synapses", "resets", "groups", "end"]
PATHWAYS = ("learn_pre", "learn_post", "mark_pre", "mark_post")  # In their order within a step.
BRIEF, HELD = 10, 11  # Orders of pulses: after all spikes of the step.


def simulate(rule: Rule, protocol: Protocol, dt: float, target: str) -> np.ndarray:
    """Run a rule through a protocol in Brian2, and return the weights after it, (synapses,).

    Args:
        rule: one of single spikes.
        protocol: what is done.
        dt: time step, s.
        target: ``"numpy"`` or ``"cython"``.
    """
    before, brian2.prefs.codegen.target = brian2.prefs.codegen.target, target
    try:
        return _Simulation(rule, protocol, dt).run()
    finally:
        brian2.prefs.codegen.target = before


class _Simulation:
    """One run of a rule.

    Args:
        rule: one of single spikes.
        protocol: what is done.
        dt: time step, s.
    """

    def __init__(self, rule: Rule, protocol: Protocol, dt: float) -> None:
        assert isinstance(rule.feedforward, SpikeTiming)
        self.form, self.protocol, self.dt = rule.feedforward, protocol, dt * second
        self.namespace: dict[str, Any] = {}
        self.numbers = {name: f"({float(value)!r})" for name, value in rule.constants.items()}
        self.names = {"weight": "w", "potential_post": "potential", "dendrite_post": "dendrite"}
        self.names |= {read: f"trace_{read.rsplit('_', 1)[0]}" for read in self.form.read_traces}
        self.names |= {f"{name}_all": f"level_{name}" for name in self.form.modulators}
        self.flows = any(term.tau_eligibility or term.always != "0" for term in self.form.terms)
        self.lags = sorted({trace.lag for trace in self.form.traces.values() if trace.lag})
        if (potentials := protocol.potentials()) is not None:
            self.namespace["volts"] = TimedArray(potentials, dt=protocol.potential_step * second)
        if (dendrites := protocol.dendrites()) is not None:
            self.namespace["dendrites"] = TimedArray(dendrites, dt=protocol.potential_step * second)

    def run(self) -> np.ndarray:
        """Simulate, and return the weights, (synapses,)."""
        cells = [self._cells(side) for side in ("pre", "post")]
        self.synapses = Synapses(
            *cells,
            model="\n".join(self._model()),
            on_pre={"learn_pre": self._learn("at_pre"), "mark_pre": self._mark("pre")},
            on_post={"learn_post": self._learn("at_post"), "mark_post": self._mark("post")},
            method="rk4" if self.flows else "exact",
            namespace=self.namespace,
            dt=self.dt,
        )
        self.synapses.connect(j="i")
        for order, pathway in enumerate(PATHWAYS):
            getattr(self.synapses, pathway).order = order
        objects = [*cells, self.synapses, *self._clamps(), *self._pulses()]
        self._begin()
        network = Network(objects)
        network.schedule = SCHEDULE
        network.run(round(self.protocol.duration / float(self.dt)) * self.dt, namespace={})
        return np.array(self.synapses.w[:])

    def _cells(self, side: str) -> SpikeGeneratorGroup:
        trains = self.protocol.spikes(side)
        index = np.concatenate([np.full(len(train), i, dtype=int) for i, train in enumerate(trains)])
        return SpikeGeneratorGroup(len(trains), index, np.concatenate(trains) * second, dt=self.dt)

    def _text(self, text: str, number: int, suffix: str = "") -> str:
        """Write a text of a term with the variables of the synapse."""
        known = self.names | {"eligibility": f"elig{number}"}

        def rename(match: re.Match[str]) -> str:
            return known[match[0]] + suffix if match[0] in known else self.numbers.get(match[0], match[0])

        return f"({re.sub(r'[A-Za-z_][A-Za-z_0-9]*', rename, text)})"

    def _model(self) -> list[str]:
        """Declare weight, traces, modulators and eligibilities."""
        flowing = set().union(*(term.factors()[name].names for term in self.form.terms for name in ("always", "third")))
        lines = ["potential : 1"] if "volts" in self.namespace else []
        lines += [f"{_late(lag)} : 1" for lag in self.lags]
        lines += ["dendrite : 1"] if "dendrites" in self.namespace else []
        for read, trace in self.form.read_traces.items():
            name, source = self.names[read], _late(trace.lag) if trace.of == "voltage" else "0"
            how = "clock-driven" if read in flowing or trace.of == "voltage" else "event-driven"
            lines.append(f"d{name}/dt = ({source} - {name}) / ({trace.seconds!r}*second) : 1 ({how})")
        for name, modulator in self.form.modulators.items():
            rest, tau = f"({modulator.baseline!r} + held_{name})", modulator.seconds
            decay = f"dlevel_{name}/dt = ({rest} - level_{name}) / ({tau!r}*second) : 1 (clock-driven)"
            lines += [f"held_{name} : 1", f"expected_{name} : 1", decay if tau else f"level_{name} : 1"]
        changes = []
        for number, term in enumerate(self.form.terms):
            if term.tau_eligibility:
                slope = f"-elig{number} / ({term.seconds!r}*second) + {self._text(term.always, number)} / second"
                lines.append(f"delig{number}/dt = {slope} : 1 (clock-driven)")
            if term.tau_eligibility or term.always != "0":
                changes.append(f"{self._text(term.third, number)} * {self._gated(number)}")
        return [*lines, f"dw/dt = ({' + '.join(changes)}) / second : 1 (clock-driven)" if changes else "w : 1"]

    def _gated(self, number: int, suffix: str = "") -> str:
        """Write what the third factor of a term multiplies."""
        term = self.form.terms[number]
        return f"elig{number}{suffix}" if term.tau_eligibility else self._text(term.always, number, suffix)

    def _learn(self, factor: str) -> str:
        """Write what a spike adds to eligibilities, or to the weight."""
        lines = []
        for number, term in enumerate(self.form.terms):
            amount = self._text(getattr(term, factor), number)
            if term.tau_eligibility:
                lines.append(f"elig{number} += {amount}")
            elif amount != "(0)":
                lines.append(f"w = {self._clip(f'w + {self._text(term.third, number)} * {amount}')}")
        return "\n".join(lines) or "w += 0"

    def _mark(self, side: str) -> str:
        """Write what a spike adds to the traces of its cell."""
        lines = [
            f"{self.names[read]} {'=' if trace.pairing == 'nearest' else '+='} {trace.jump!r}"
            for read, trace in self.form.read_traces.items()
            if trace.side == side and trace.of != "voltage"
        ]
        return "\n".join(lines) or "w += 0"

    def _clip(self, change: str) -> str:
        if np.isinf(self.form.bounds).all():
            return change
        low, high = (repr(bound) if np.isfinite(bound) else f"{'-' * (bound < 0)}inf" for bound in self.form.bounds)
        return f"clip({change}, {low}, {high})"

    def _clamps(self) -> list[Any]:
        """Hold the voltage from the beginning of each step; keep weights that flow within bounds at its end."""
        found = []
        if "dendrites" in self.namespace:
            hold = "dendrite = dendrites(t + dt/2, i)"
            found.append(self.synapses.run_regularly(hold, when="start", dt=self.dt))
        if "volts" in self.namespace:
            late = [f"{_late(lag)} = volts(t - {lag!r}*second + dt/2, i)" for lag in (0.0, *self.lags)]
            found.append(self.synapses.run_regularly("\n".join(late), when="start", dt=self.dt))
        if self.flows and not np.isinf(self.form.bounds).all():
            found.append(self.synapses.run_regularly(f"w = {self._clip('w')}", when="end", dt=self.dt))
        return found

    def _pulses(self) -> list[Any]:
        """Let pulses reach all synapses, after the spikes of the step."""
        found: list[Any] = []
        for name, pulses in self.protocol.pulses.items():
            brief = [(pulse.time, pulse.size) for pulse in pulses if not pulse.duration]
            held = [edge for pulse in pulses if pulse.duration for edge in pulse.edges]
            found += self._connect(brief, self._brief(name), BRIEF)
            raised = "held" if self.form.modulators[name].seconds else "level"
            found += self._connect(held, f"{raised}_{name}_post += size", HELD)
        return found

    def _connect(self, edges: list[tuple[float, float]], statements: str, order: int) -> list[Any]:
        """Connect a source of pulses, (time, size) each, with all synapses."""
        edges = [(time, size) for time, size in edges if time < self.protocol.duration]
        if not edges:
            return []
        times, sizes = (np.array(each) for each in zip(*edges, strict=True))
        source = SpikeGeneratorGroup(len(edges), np.arange(len(edges)), times * second, dt=self.dt)
        arrivals = Synapses(source, self.synapses, "size : 1", on_pre=statements, dt=self.dt)
        arrivals.connect()
        arrivals.size = np.repeat(sizes, self.protocol.synapses)
        arrivals.pre.order = order
        return [source, arrivals]

    def _brief(self, name: str) -> str:
        """Write what a brief pulse does: raise the level, or change the weight at once where there is no decay."""
        modulator = self.form.modulators[name]
        lines = [f"excess = size - expected_{name}_post"]
        if modulator.seconds:
            lines.append(f"level_{name}_post += excess / {modulator.seconds!r}")
        else:
            change = "w_post"
            for number, term in enumerate(self.form.terms):
                if not term.tau_eligibility and term.always == "0":
                    continue
                without = self._text(term.third, number, "_post")
                raised = re.sub(rf"\blevel_{name}_post\b", f"(level_{name}_post + excess)", without)
                lines += [f"without{number} = {without}", f"raised{number} = {raised}"]
                change += f" + (raised{number} - without{number}) * {self._gated(number, '_post')}"
            lines.append(f"w_post = {self._clip(change)}")
        return "\n".join([*lines, f"expected_{name}_post += {modulator.expectation!r} * excess"])

    def _begin(self) -> None:
        """Set weights, and what is not zero at rest."""
        self.synapses.w = self.protocol.weights
        for name, modulator in self.form.modulators.items():
            setattr(self.synapses, f"level_{name}", modulator.baseline)
        potentials = self.protocol.potentials()
        for read, trace in self.form.read_traces.items():
            if trace.of == "voltage" and potentials is not None:
                setattr(self.synapses, self.names[read], potentials[0])


def _late(lag: float) -> str:
    """Name the potential that was held so long ago, s."""
    return f"potential_{round(lag * 1e7)}" if lag else "potential"
