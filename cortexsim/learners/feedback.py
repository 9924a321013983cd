"""Feedback learning: local rules that listen to the error of the network's output."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from cortexsim.rate import Network, Optimization, Optimizer, Plasticity
from cortexsim.rules import Rule


class Feedback:
    """Broadcast the output error to all layers at once; the output itself follows the delta rule.

    Args:
        network: its layers, with feedback weights.
        rule: what the synapses of the layers follow.
        optimization: how weights follow their updates.
    """

    stages = 1
    uses_labels = True
    streams = frozenset[int]()

    def __init__(self, network: Network, rule: Rule, optimization: Optimization) -> None:
        self.network = network
        self.plasticity = Plasticity(rule)
        self.represents = len(network.layers)
        self.optimizer = Optimizer(optimization, network.weights())

    def present(self, stage: int, leaves: Tensor) -> Tensor:
        """See the leaves themselves."""
        return leaves

    @torch.no_grad()
    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Change all weights after one batch."""
        self.optimizer.step(self.updates(seen, labels), progress)

    @torch.no_grad()
    def updates(self, leaves: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Compute the directions of all weights for one batch."""
        responses, below = [], leaves
        for layer in self.network.layers:
            responses.append(layer.respond(below, learning=True))
            below = responses[-1].activity
        answer = torch.softmax(self.network.classify(below), 1)
        target = one_hot(labels, answer.shape[1]).to(answer.dtype)
        broadcast = {"output_all": answer.unsqueeze(1), "label_all": target.unsqueeze(1)}
        found: dict[str, Tensor] = {}
        for k, (layer, response) in enumerate(zip(self.network.layers, responses, strict=True), 1):
            updates = self.plasticity.updates(layer, response, broadcast=broadcast)
            found |= {f"layer{k}.{name}": update for name, update in updates.items()}
        error = answer - target
        return found | {"output": -error.T @ below.flatten(1) / len(error), "output_bias": -error.mean(0)}

    @torch.no_grad()
    def classify(self, leaves: Tensor) -> Tensor:
        """Answer with the logits of the output."""
        return self.network.classify(self.network.activities(leaves)[-1])
