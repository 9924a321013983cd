"""From a rule's texts to changes of weight on torch tensors; no rule is known here by name."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cortexsim.expression import Expression
from cortexsim.modulators import Modulator
from cortexsim.rate.layer import Layer, Response
from cortexsim.rules import Rule

FUNCTIONS: dict[str, Any] = {
    "abs": torch.abs,
    "clip": torch.clip,
    "exp": torch.exp,
    "int": Tensor.float,
    "log": torch.log,
    "sign": torch.sign,
    "sqrt": torch.sqrt,
    "tanh": torch.tanh,
}


class Moment(NamedTuple):
    """When modulators arrive: what contrast they carry, and how many fixations ago the context was heard."""

    contrast: float
    lag: int


PRESENT = Moment(+1.0, 0)
AFTER_SACCADE = Moment(-1.0, 1)  # A batch is a stretch of the stream; before its first fixation stands its last.


class Plasticity:
    """Apply one rule to layers of rate cells.

    The eligibility of a fixation is spent when its modulators arrive, and a batch of fixations is averaged. As post and
    third are quantities of the postsynaptic cell, that average is one matrix product for each kind of synapse.

    Args:
        rule: what to apply.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        factors = {"feedforward": rule.feedforward, "context": rule.context}
        self.texts = {synapse: factor.texts() for synapse, factor in factors.items() if factor is not None}
        self.modulators = [(m, Expression(m.score), Expression(m.value)) for m in rule.modulators]
        texts = [text for several in self.texts.values() for text in several.values()]
        texts += [score for _, score, _ in self.modulators]
        self.reads = set().union(*(text.names for text in texts))

    @torch.no_grad()
    def updates(
        self,
        layer: Layer,
        response: Response,
        context: Tensor | None = None,
        broadcast: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Compute in which direction the plastic weights of a layer are to change, for a batch of fixations.

        Args:
            layer: whose weights.
            response: what it made of the batch.
            context: what its dendrites hear, (batch, positions, context cells); its own siblings unless given.
            broadcast: what modulators may read beside the score, such as ``label_all``, (batch, 1, classes).

        Returns:
            Directions by the names of ``layer.state()``; eta is not yet applied.
        """
        cells = self._cells(layer, response)
        synapses, moments = {"feedforward": (layer.feedforward, response.pre)}, [PRESENT]
        if layer.context is not None:
            heard = layer.siblings(response.activity) if context is None else context
            cells["dendrite_post"] = dendrite = layer.context(heard)
            synapses["context"], moments = (layer.context, heard), [PRESENT, AFTER_SACCADE]
        post = {synapse: self._evaluate(synapse, "post", cells) for synapse in synapses}
        changes: dict[str, Tensor] = {}
        for moment in moments:
            if layer.context is not None:
                cells["dendrite_post"] = _shift(dendrite, moment.lag)
            signals = cells | self._modulate(layer, cells, {**(broadcast or {}), "contrast_all": moment.contrast})
            for synapse in synapses:
                change = self._evaluate(synapse, "third", signals) * post[synapse]
                if getattr(change, "shape", None) != response.activity.shape:  # A number, or one value a column.
                    change = torch.as_tensor(change).to(response.activity).expand_as(response.activity)
                # Shifted back, a change of context weights meets the context of its own moment: one product serves all.
                change = _shift(change, -moment.lag) if synapse == "context" else change
                changes[synapse] = changes[synapse] + change if synapse in changes else change
        found = {"bias": layer.feedforward.average(changes["feedforward"])}
        for synapse, (projection, brought) in synapses.items():
            presynaptic = self._evaluate(synapse, "pre", {"activity_pre": brought})
            found[synapse] = projection.correlate(changes[synapse], presynaptic)
            if self.texts[synapse]["decay"].text != "0":
                decay = self._evaluate(synapse, "decay", signals) * torch.ones_like(response.activity)
                forgotten = projection.average(decay)
                found[synapse] -= forgotten.unsqueeze(2) * projection.weights
                if synapse == "feedforward":  # A bias is the weight of a cell that is always active.
                    found["bias"] -= forgotten * layer.bias
        if "mean_post" in self.reads:
            layer.follow_mean(response.activity)
        return found

    def _cells(self, layer: Layer, response: Response) -> dict[str, Any]:
        """Collect what the rule reads of its cells, (batch, positions, cells)."""
        cells = {"activity_post": response.activity, "drive_post": response.drive}
        if "mean_post" in self.reads:
            cells["mean_post"] = layer.mean
        if "derivative_post" in self.reads:
            cells["derivative_post"] = layer.derivative(response.drive)
        return cells

    def _evaluate(self, synapse: str, factor: str, signals: Mapping[str, Any]) -> Any:
        return self.texts[synapse][factor]({**signals, **self.rule.constants}, FUNCTIONS)

    def _modulate(self, layer: Layer, cells: Mapping[str, Any], broadcast: Mapping[str, Any]) -> dict[str, Any]:
        """Let every modulator speak, and name what it says as rules read it."""
        said = {}
        for modulator, score, value in self.modulators:
            heard = {**broadcast, **modulator.constants, "score_all": _total(modulator, score, cells)}
            signal = value(heard, FUNCTIONS)
            signal = signal if modulator.gain == 1 else modulator.gain * signal
            if modulator.projection == "random" and layer.feedback is not None:
                signal = layer.feedback(signal.expand(-1, layer.positions, -1))
            said[modulator.read_as] = signal
        return said


def _shift(values: Tensor, fixations: int) -> Tensor:
    """Bring the values of so many fixations ago to each fixation of a batch."""
    return values.roll(fixations, 0) if fixations else values


def _total(modulator: Modulator, score: Expression, cells: Mapping[str, Any]) -> Any:
    """Sum the score over the cells that share the modulator's value: a column's, or a layer's."""
    if not score.names:
        return 0.0
    values = score({**cells, **modulator.constants}, FUNCTIONS)
    return values.sum(-1, keepdim=True) if modulator.scope == "column" else values.sum((1, 2), keepdim=True)
