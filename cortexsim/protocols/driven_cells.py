"""Spiking cells that Poisson spikes drive through plastic synapses: a rule of single spikes on a grid of time.

Cells are leaky integrators that fire at a threshold of 1 and are then reset and refractory. Each input spike also
inhibits all cells by a fixed amount, which does not learn. Several groups of cells, each with inputs of its own, are
simulated side by side; what one does depends on its own generator only.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.protocols.event_engine import FUNCTIONS
from cortexsim.rules import Rule, SpikeTiming

DT, MEMBRANE, REFRACTORY = 1e-3, 20e-3, 5  # Time step and membrane time constant, s; refractory steps.
Values = NDArray[np.floating]


class DrivenCells:
    """Groups of cells that learn.

    >>> from cortexsim.rules import load_rule
    >>> generators = [np.random.default_rng(1)]
    >>> cells = DrivenCells(load_rule("stdp_triplet:SLIDING"), np.ones((1, 4, 10)), 0.1, 0.0, 1.0, generators)
    >>> cells.show(np.full((1, 10), 50.0), steps=100)
    >>> cells.weights.shape
    (1, 4, 10)

    Args:
        rule: of single spikes, whose changes act at once, without modulators and voltage.
        weights: before, (groups, cells, inputs).
        psp: how far a spike of an input moves a cell towards its threshold, at a weight of 1.
        inhibition: by how much every input spike inhibits all cells, in units of `psp`.
        eta: by which changes of weights are multiplied.
        generators: of input spikes, one for each group.

    Raises:
        UserError: where the rule needs more.
    """

    def __init__(
        self,
        rule: Rule,
        weights: Values,
        psp: float,
        inhibition: float,
        eta: float,
        generators: Sequence[np.random.Generator],
    ) -> None:
        form = rule.feedforward
        if not isinstance(form, SpikeTiming) or form.also or form.modulators or form.tau_eligibility:
            raise UserError(f"rule '{rule.name}': not one of single spikes that change weights at once")
        if form.always != "0" or form.third != "1" or any(trace.of == "voltage" for trace in form.traces.values()):
            raise UserError(f"rule '{rule.name}': reads more than spikes")
        self.texts, self.bounds, self.constants = form.factors(), form.bounds, dict(rule.constants)
        self.weights, (groups, cells, inputs) = weights.astype(np.float32), weights.shape
        self.psp, self.inhibition, self.eta, self.generators = psp, inhibition, eta, generators
        self.kept = {name: (trace, np.exp(-DT / trace.seconds)) for name, trace in form.read_traces.items()}
        shapes = {"pre": (groups, 1, inputs), "post": (groups, cells, 1)}
        self.traces = {name: np.zeros(shapes[t.side], np.float32) for name, (t, _) in self.kept.items()}
        self.voltage, self.waiting = np.zeros((groups, cells)), np.zeros((groups, cells), int)
        self.spikes = np.zeros((groups, cells), int)

    def show(self, rates: Values, steps: int) -> None:
        """Let inputs fire at rates, (groups, inputs) Hz, for so many steps of 1 ms."""
        drawn = np.stack(
            [
                each.random((steps, rates.shape[1]), np.float32) < own * DT
                for each, own in zip(self.generators, rates, strict=True)
            ],
            1,
        )
        for fired in drawn.astype(np.float32):
            self._step(fired[:, None, :])
        np.clip(self.weights, *self.bounds, out=self.weights)

    def _step(self, pre: Values) -> None:
        """Take one step, with the spikes of inputs, (groups, 1, inputs)."""
        drive = np.matmul(self.weights, pre[:, 0, :, None])[..., 0] - self.inhibition * pre.sum(2)
        self.voltage = self.voltage * np.exp(-DT / MEMBRANE) + self.psp * drive * (self.waiting <= 0)
        self.waiting -= 1
        post = self.voltage >= 1
        values = self.constants | self.traces
        self.weights += self.eta * self.texts["at_pre"](values, FUNCTIONS) * pre
        if post.any():
            group, cell = np.nonzero(post)
            own = {
                name: t[group, 0] if self.kept[name][0].side == "pre" else t[group, cell]
                for name, t in self.traces.items()
            }
            self.weights[group, cell] += self.eta * self.texts["at_post"](self.constants | own, FUNCTIONS)
            self.voltage[post], self.waiting[post] = 0.0, REFRACTORY
            self.spikes += post
        for name, (trace, decay) in self.kept.items():
            jump = trace.jump * (pre if trace.side == "pre" else post[..., None])
            self.traces[name] = (self.traces[name] + jump) * np.float32(decay)
