"""Local learning: any three-factor rule that needs no error, layer by layer."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from cortexsim.learners.state import State, add_prefix, detached_copies, load_network, network_state, strip_prefix
from cortexsim.rate import Network, Optimization, Optimizer, Plasticity, gather_other_tops, mix_fixations
from cortexsim.rules import Rule


class Local:
    """Let every layer learn by itself from its own activity and its context.

    Args:
        network: its layers; those that the rule cannot teach (a top column without siblings) stay as they are.
        rule: what its synapses follow.
        optimization: how weights follow their updates.
        schedule: ``greedy`` teaches one layer after the other, each with the full budget, the input of each computed
            once; ``simultaneous`` teaches all at once.
        top: ``label`` lets the top layer's dendrites hear the label; ``readout`` leaves the top to a readout.
        shaped: how many layers, from below, it teaches; all but the top unless given, or with that where it hears the
            label.
    """

    streaming_stages = frozenset[int]()

    def __init__(
        self,
        network: Network,
        rule: Rule,
        optimization: Optimization,
        schedule: Literal["greedy", "simultaneous"] = "greedy",
        top: Literal["readout", "label"] = "readout",
        shaped: int | None = None,
    ) -> None:
        self.network = network
        self.top = top
        self.plasticity = Plasticity(rule)
        self.trained_layers = len(network.layers) - (top == "readout") if shaped is None else shaped
        self.plastic = network.layers[: self.trained_layers]
        self.uses_labels = any("label" in layer.external_context for layer in self.plastic)
        for layer in self.plastic:
            layer.prepare(rule.requires)
        self.optimization = optimization
        self.optimizers: dict[int, Optimizer] = {}
        one_by_one = [[k] for k in range(self.trained_layers)]
        self.schedule = one_by_one if schedule == "greedy" else [list(range(self.trained_layers))]
        self.stages = len(self.schedule)
        self.hearing = [[k for k in layers if self.plastic[k].uses_second_view] for layers in self.schedule]

    def _optimizer(self, k: int) -> Optimizer:
        """Give the optimiser of a layer; not before it learns here: it may have another substrate."""
        if k not in self.optimizers:
            self.optimizers[k] = Optimizer(self.optimization, self._taught(k))
        return self.optimizers[k]

    def _taught(self, k: int) -> dict[str, Tensor]:
        """Name the tensors that the rule changes in a layer."""
        plastic = self.plasticity.rule.context is not None
        names = ("feedforward", "bias", "context") if plastic else ("feedforward", "bias")
        return {name: self.plastic[k].state()[name] for name in names}

    @torch.no_grad()
    def stage_inputs(self, stage: int, leaves: Tensor, *views: Tensor) -> Tensor:
        """Answer with the activity below the stage's first layer, which no longer changes.

        Beside it stands that of each second view that a layer of the stage hears, one for each such layer.
        """
        first, shown = self.schedule[stage][0], [leaves, *(views[k] for k in self.hearing[stage])]
        below = [self.network.activities(values, first)[-1] if first else values for values in shown]
        return torch.stack(below, 1) if len(below) > 1 else below[0]

    @torch.inference_mode()
    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Change the weights of the stage's layers after one batch."""
        below, *second = seen.unbind(1) if self.hearing[stage] else (seen,)
        inputs, responses = [], []
        for k in self.schedule[stage]:
            inputs.append(below)
            responses.append(self.plastic[k].respond(below, learning=True))
            below = self.plastic[k].send(responses[-1].activity)
        outside, views = self._outside(labels), self._views(stage, second)
        for k, below, response in zip(self.schedule[stage], inputs, responses, strict=True):
            layer, rule = self.plastic[k], self.plasticity.rule
            heard = None
            if layer.external_context or k in views:
                others = (
                    {"top": gather_other_tops(responses[-1].activity, layer.positions)}
                    if "top" in layer.external_context
                    else {}
                )
                heard = layer.gather_context(response.activity, outside | others, views.get(k))
            updates = self.plasticity.updates(layer, response, heard)
            if rule.negative_inputs:
                false = layer.answer(mix_fixations(layer.gather(below), below.shape[2], rule.negatives))
                for name, update in self.plasticity.updates(layer, false, hybrid=True).items():
                    updates[name] = updates[name] + update
            self._optimizer(k).step(updates, progress)

    @torch.no_grad()
    def classify(self, leaves: Tensor) -> Tensor | None:
        """Ask the top layer how well each label would fit its context: u = z^T B c for every class c."""
        return None if self.top == "readout" else self.answer(self.network.activities(leaves)[-1])

    def answer(self, activity: Tensor) -> Tensor:
        """Say how well each label would fit an activity of the top layer, (batch, 1, cells): (batch, classes)."""
        top = self.network.layers[-1]
        assert top.context is not None
        return activity.flatten(1) @ top.context.weights[0]

    def state(self) -> State:
        """Copy all that learning has changed."""
        found = network_state(self.network)
        for k, optimizer in self.optimizers.items():
            found |= add_prefix(f"optimizer{k + 1}", detached_copies(optimizer.state()))
        return found

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        load_network(self.network, state)
        for k in range(self.trained_layers):
            self.optimizers.pop(k, None)
            if remembered := strip_prefix(f"optimizer{k + 1}", state):
                self._optimizer(k).load(remembered)

    def _outside(self, labels: Tensor) -> dict[str, Tensor]:
        """Say what dendrites can hear that is of no layer, each (batch, 1, cells)."""
        if not self.uses_labels:
            return {}
        return {"label": one_hot(labels, self.network.classes).to(self.network.output.dtype).unsqueeze(1)}

    def _views(self, stage: int, others: Sequence[Tensor]) -> dict[int, Tensor]:
        """Answer second views, each for a layer that hears it, with the activity of that layer."""
        found = {}
        for k, below in zip(self.hearing[stage], others, strict=True):
            for layer in self.plastic[self.schedule[stage][0] : k]:
                below = layer(below)
            found[k] = self.plastic[k].respond(below).activity
        return found
